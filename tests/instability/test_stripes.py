"""The linear programs agree with the proofs of chapter 03."""

from __future__ import annotations

import pytest

from falsestruct.instability.stripes import orientation_radius, radius_errors
from falsestruct.problems.stripes import Stripes

STRIPES = Stripes()


@pytest.mark.parametrize(("position", "a"), [(0, 0.01), (15, 0.01), (29, 0.3)])
def test_linear_program_finds_the_radius_of_the_proof(position: int, a: float) -> None:
    assert orientation_radius(STRIPES, position, a) == pytest.approx(0.5, abs=1e-9)


def test_radius_follows_the_contrast_not_the_size() -> None:
    assert orientation_radius(Stripes(12, 2), 4, 0.1) == pytest.approx(0.5, abs=1e-9)


def test_errors_are_those_of_the_worst_stripe_and_offset() -> None:
    orientation, colour = radius_errors(Stripes(8, 2), [0.1, 0.3])
    assert orientation == pytest.approx(0, abs=1e-9)
    assert colour == pytest.approx(0.4)  # the colour's radius is the offset
