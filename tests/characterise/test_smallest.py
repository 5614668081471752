"""The smallest flips, where they are known."""

from __future__ import annotations

import numpy as np
import pytest

from falsestruct.characterise.asking import network
from falsestruct.characterise.held import inputs
from falsestruct.characterise.smallest import DISTANCE, _l2, _typical, smallest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
PAIRS = RNG.integers(0, 200, (2, 4000))
GAPS = X[PAIRS[0]] - X[PAIRS[1]]
ROWS = np.arange(40)


def total(x: np.ndarray) -> np.ndarray:
    return x.sum(1) > 0


def test_a_plane_is_as_far_as_it_is() -> None:
    """The ℓ2 distance to x₁ + x₂ + x₃ = 0 is |sum|/√3, the ℓ∞ distance |sum|/3."""
    found = smallest(network(total), inputs(X), ROWS)
    sums = np.abs(X[ROWS].sum(1))
    l2, linf = np.median(sums) / np.sqrt(3), np.median(sums) / 3
    typical = np.median(np.linalg.norm(GAPS, axis=1)), np.median(np.abs(GAPS).max(1))
    assert found.l2 is not None and found.linf is not None
    assert found.l2 == pytest.approx(l2 / typical[0], rel=0.15)
    assert found.linf == pytest.approx(linf / typical[1], rel=0.15)
    assert found.unit == DISTANCE and found.n == 40 and found.pieces is None and not found.told


def test_a_corner_along_one_axis_is_no_reason_to_move_all() -> None:
    """Where only the first coordinate counts, both norms are its size."""
    found = smallest(network(lambda x: x[:, 0] > 0), inputs(X), ROWS)
    linf = np.median(np.abs(X[ROWS, 0])) / np.median(np.abs(GAPS).max(1))
    assert found.linf == pytest.approx(linf, rel=0.1)


def test_the_typical_distance_is_measured_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def length(change: np.ndarray) -> np.ndarray:
        sizes.append(len(change))
        return _l2(change)

    whole = _typical(inputs(X), length, 0)
    monkeypatch.setattr("falsestruct.characterise.held.BYTES", 8 * 3 * 90)
    assert _typical(inputs(X), length, 0) == whole and max(sizes[1:]) == 90


def test_what_never_flips_and_what_can_not_be_asked() -> None:
    none = smallest(network(lambda x: np.ones(len(x), int)), inputs(X), ROWS)
    assert (none.l2, none.linf, none.n) == (None, None, 40)
    assert smallest(network(total), inputs(X), ROWS[:0]).n == 0
    sizes = inputs([np.zeros((3, 4)), np.ones((4, 3))] * 5)
    odd = smallest(network(lambda x: [one.max() > 0 for one in x]), sizes, np.arange(4))
    assert odd.l2 is None and "not searched for: images have different shapes" in odd.told[0]
