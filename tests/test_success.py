"""Capture, accuracy and crossover on predictions made by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from falsestruct import success
from falsestruct.problems.stripes import Stripes

STRIPES = Stripes()
X, Y = STRIPES.conflict_set(0.1)


def test_hand_made_readers_are_named_rightly() -> None:
    colour, orientation = STRIPES.colour(X), STRIPES.orientation(X)
    mixture = torch.where(torch.arange(60) < 15, colour, orientation)
    predicted = torch.stack((colour, orientation, mixture))
    share = success.capture(predicted, STRIPES.colour, STRIPES.orientation, X)
    assert share.tolist() == [1.0, 0.0, 0.25]
    other = success.capture(predicted, STRIPES.orientation, STRIPES.colour, X)
    assert torch.equal(share + other, torch.ones(3).double())


def test_only_the_conflict_counts() -> None:
    agreeing, _ = STRIPES.described(0.1)
    both = torch.cat((X, agreeing))
    predicted = torch.cat((STRIPES.colour(X), 1 - STRIPES.colour(agreeing)))[None]
    assert success.capture(predicted, STRIPES.colour, STRIPES.orientation, both).item() == 1.0


def test_no_conflict_is_an_error() -> None:
    x, _ = STRIPES.described(0.1)
    with pytest.raises(ValueError, match="agree on all 60"):
        success.capture(torch.zeros(1, 60), STRIPES.colour, STRIPES.orientation, x)


def test_accuracy_and_labels() -> None:
    outputs = torch.tensor([[1.0, -1.0, 2.0], [-3.0, 0.0, 4.0]])
    predicted = success.labels(outputs)
    assert predicted.tolist() == [[1, 0, 1], [0, 0, 1]]
    y = torch.tensor([1.0, 1.0, 1.0])
    assert success.accuracy(predicted, y).tolist() == pytest.approx([2 / 3, 1 / 3])


@given(st.floats(0.02, 0.9), st.floats(1.0, 20.0))
def test_crossover_of_a_curve_linear_in_the_logarithm(centre: float, slope: float) -> None:
    offsets = torch.logspace(-4, 2, 400, dtype=torch.float64)
    share = (0.5 + slope * torch.log(offsets / centre)).clamp(0, 1)
    assert success.crossover(offsets, share) == pytest.approx(centre, rel=2e-2)


def test_crossover_between_two_points_is_exact() -> None:
    offsets, share = torch.tensor([0.01, 1.0]), torch.tensor([0.0, 1.0])
    assert success.crossover(offsets, share) == pytest.approx(0.1, rel=1e-6)
    assert success.crossover(offsets, share, level=0.75) == pytest.approx(10**-0.5, rel=1e-6)


@pytest.mark.parametrize("share", [[0.0, 0.2], [0.8, 1.0]])
def test_no_crossover_is_an_error(share: list[float]) -> None:
    with pytest.raises(ValueError, match=r"don't pass 0\.5"):
        success.crossover(torch.tensor([0.1, 1.0]), torch.tensor(share))
