"""The oscillation problem: its sets, its structures, their radii."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.problems.oscillation import Oscillation
from falsestruct.structures import agreement, check_false_structure, unstable

PROBLEM = Oscillation()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_constants_of_the_paper() -> None:
    assert PROBLEM.b == pytest.approx(0.740741, abs=1e-6)
    assert len(PROBLEM.intervals) == 7
    assert len(PROBLEM.breakpoints) == 6
    largest = PROBLEM.b**2 / (2 * (20 - PROBLEM.b))
    assert largest == pytest.approx(0.014245, abs=1e-6)


def test_labels_alternate_and_three_of_seven_are_zero() -> None:
    x, y = PROBLEM.grid(5, "zero")
    labels = PROBLEM.original(x).view(7, 5)
    assert (labels == labels[:, :1]).all()
    assert (labels[1:, 0] != labels[:-1, 0]).all()
    assert y.mean().item() == pytest.approx(4 / 7)


@given(st.floats(0.7408, 0.9999))
def test_original_is_the_ceiling_formula(x1: float) -> None:
    label = PROBLEM.original(torch.tensor([[x1, 0.0]], dtype=torch.float64))
    assert label.item() == math.ceil(20 / x1) % 2


def test_sample_has_the_same_number_in_each_interval() -> None:
    x, y = PROBLEM.sample(5_000, "hint", generator())
    low, high = PROBLEM.intervals.unbind(1)
    inside = (x[:, :1] >= low) & (x[:, :1] <= high)
    counts = inside.sum(0)
    assert inside.any(1).all()
    assert counts.sum() == 5_000
    assert set(counts.tolist()) == {714, 715}
    assert torch.equal(y, PROBLEM.original(x).double())


def test_seconds_say_what_they_should() -> None:
    for second, share in (("hint", 1.0), ("swapped", 0.0)):
        x, _ = PROBLEM.grid(50, second)  # type: ignore[arg-type]
        assert agreement(PROBLEM.original, PROBLEM.false, x) == share
    x, _ = PROBLEM.grid(50, "zero")
    assert (x[:, 1] == 0).all()


def test_hint_is_a_false_structure_and_the_original_is_none() -> None:
    training, _ = PROBLEM.sample(700, "hint", generator(1))
    test, _ = PROBLEM.grid(20, "hint")
    domain, _ = PROBLEM.grid(20, "zero")
    sets = {"training": training, "test": test, "domain": domain}
    assert check_false_structure(PROBLEM.false, PROBLEM.original, **sets).holds
    assert not check_false_structure(PROBLEM.original, PROBLEM.original, **sets).holds


def test_radii() -> None:
    x, _ = PROBLEM.grid(50, "hint")
    assert PROBLEM.original.radius is not None
    assert PROBLEM.false.radius is not None
    assert PROBLEM.original.radius(x).min() >= PROBLEM.epsilon
    torch.testing.assert_close(
        PROBLEM.false.radius(x), torch.full((len(x),), PROBLEM.delta / 2, dtype=torch.float64)
    )
    flip = torch.stack((torch.zeros(len(x)), PROBLEM.delta * (1 - 2 * PROBLEM.original(x))), 1)
    assert unstable(PROBLEM.false, PROBLEM.original, x, flip).all()


def test_grid_stays_inside_and_whole_interval_does_not() -> None:
    x, _ = PROBLEM.whole_interval(1_000)
    assert PROBLEM.original.radius is not None
    assert PROBLEM.original.radius(x).min() < PROBLEM.epsilon
    assert PROBLEM.b < x[:, 0].min() < x[:, 0].max() < 1


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"a": 20, "K": 20}, "1 ≤ a < K"),
        ({"epsilon": 0.015}, "epsilon ≤ 0.0142"),
        ({"delta": 0.0}, "delta > 0"),
    ],
)
def test_impossible_problems_are_refused(values: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Oscillation(**values)  # type: ignore[arg-type]


def test_too_few_samples_and_unknown_second_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one an interval, 7"):
        PROBLEM.sample(6, "zero", generator())
    with pytest.raises(ValueError, match="'other'"):
        PROBLEM.grid(5, "other")  # type: ignore[arg-type]
