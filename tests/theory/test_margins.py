"""Hulls that meet and margins, against a support vector machine and by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import SVC

from falsestruct.problems.planted import digits as patterns
from falsestruct.theory.margins import classes_meet, margin_bound


@pytest.mark.parametrize(
    ("positive", "negative", "meet"),
    [
        ([[0, 0], [1, 1]], [[0, 1], [1, 0]], True),  # exclusive or
        ([[0, 0], [1, 0]], [[0, 1], [1, 1]], False),
        ([[0, 0], [2, 0]], [[1, 0]], True),  # inside
        ([[0, 0]], [[1e-6, 0]], False),
    ],
)
def test_hulls_meet(positive: list[list[int]], negative: list[list[int]], meet: bool) -> None:
    x = torch.tensor(positive + negative, dtype=torch.float64)
    y = torch.tensor([1] * len(positive) + [0] * len(negative))
    assert classes_meet(x, y) is meet


@given(gap=st.floats(0.01, 2), size=st.floats(0.01, 2), seed=st.integers(0, 9))
def test_the_proposition_on_pattern_and_margin(gap: float, size: float, seed: int) -> None:
    """The largest margin is √(γ² + s²), and an exchanged sign flips its images iff s > γ."""
    if abs(gap - size) < 0.05:
        size += 0.1
    bare = torch.randn(30, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    y = torch.arange(30) % 2
    sign = 2 * y - 1
    bare[:, 0] = sign * (gap + bare[:, 0].abs())
    bare[:2] = torch.tensor([[-gap, 0, 0], [gap, 0, 0]])  # the nearest points of the hulls
    x = torch.cat((bare, (size * sign)[:, None]), 1)
    machine = SVC(kernel="linear", C=1e8, tol=1e-8).fit(x, y)
    normal = torch.tensor(machine.coef_[0])
    assert 1 / normal.norm().item() == pytest.approx(math.hypot(gap, size), rel=1e-3)
    exchanged = x[:2] * torch.tensor([1, 1, 1, -1])
    flips = (torch.tensor(machine.decision_function(exchanged)) > 0) != (y[:2] > 0)
    assert flips.tolist() == [size > gap] * 2


@pytest.mark.parametrize("size", [0.02, 1.0])
def test_where_the_hulls_meet_only_the_pattern_is_left(size: float) -> None:
    """The proposition's first part: exclusive or, and a faint pattern as third coordinate."""
    bare = torch.tensor([[0, 0], [1, 1], [0, 1], [1, 0]], dtype=torch.float64)
    y = torch.tensor([1, 1, 0, 0])
    assert classes_meet(bare, y)
    x = torch.cat((bare, size * (2 * y[:, None] - 1)), 1)
    machine = SVC(kernel="linear", C=1e8, tol=1e-8).fit(x, y)
    assert machine.coef_[0].tolist() == pytest.approx([0, 0, 1 / size], abs=1e-4 / size)


def test_the_margin_is_bounded_and_exact_for_two_points() -> None:
    x = torch.tensor([[0.0, 0.0], [0.0, 0.6], [3.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([0, 1, 1])
    assert margin_bound(x, y) == pytest.approx(0.3, rel=1e-6)
    bare = patterns.digits("sinusoid", 0.0).draw(100, torch.Generator().manual_seed(0))
    machine = SVC(kernel="linear", C=1e8, tol=1e-8).fit(bare[0].flatten(1), bare[1])
    lower = 1 / torch.tensor(machine.coef_[0]).norm().item()
    assert lower * 0.999 <= margin_bound(*bare) <= lower * (1 + 1e-4)
    both = torch.cat((x[:2], x[:2]))
    assert margin_bound(both, torch.tensor([0, 1, 1, 0])) == 0
