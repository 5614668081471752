"""Diagonal networks between two structures of the same 1-norm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory.diagonal import Pair, renyi

PAIR = Pair((0.5, 0.5), (0.97, 0.01, 0.01, 0.01))
weights = st.lists(st.floats(0.05, 1), min_size=1, max_size=4).map(
    lambda values: tuple(v / sum(values) for v in values)
)


@given(weights, st.floats(0.01, 3))
def test_entropy_is_largest_for_equal_weights_and_falls_with_the_order(p, order):
    assert renyi(p, order) <= math.log(len(p)) + 1e-9
    assert renyi(p, 0) == pytest.approx(math.log(len(p)))
    assert renyi(p, order) >= renyi(p, order + 0.5) - 1e-9
    assert renyi(p, 1 + 1e-6) == pytest.approx(renyi(p, 1), abs=1e-4)


@pytest.mark.parametrize("layers", [2, 3, 4, 8])
@pytest.mark.parametrize("start", [0.3, 0.6, 1.0])
def test_the_flow_ends_where_the_formula_says_from_any_start(layers, start):
    w = PAIR.trained(layers, start, np.random.default_rng(1))
    share = PAIR.share(layers)
    wanted = [*(1 - share) * np.array(PAIR.original), *share * np.array(PAIR.false)]
    np.testing.assert_allclose(w, wanted, atol=1e-4)
    assert PAIR.taken(w) == pytest.approx(share, abs=1e-4)


def test_depth_alone_changes_the_side():
    assert PAIR.share(2) < 0.5 < PAIR.share(8)
    assert Pair(PAIR.false, PAIR.original).share(8) < 0.5


@given(weights, weights, st.integers(2, 9))
def test_what_the_formula_names_is_a_critical_point_along_the_solutions(q, p, layers):
    """The potential's slope along (−q, p) vanishes: the equation that the proof solves."""
    pair = Pair(q, p)
    t, power = pair.share(layers), 2 / layers - 1
    ours, theirs = t * np.array(p), (1 - t) * np.array(q)
    slope = np.log if layers == 2 else lambda w: w**power
    assert np.array(p) @ slope(ours) == pytest.approx(
        np.array(q) @ slope(theirs), rel=1e-7, abs=1e-9
    )


def test_on_the_data_the_two_structures_are_one():
    x, y = PAIR.data(np.random.default_rng(2))
    assert np.linalg.matrix_rank(x) == x.shape[1] - 1
    np.testing.assert_allclose(x[:, 2:] @ PAIR.false, y, atol=1e-12)


@pytest.mark.parametrize("bad", [((0.5, 0.6), 1), ((1.5, -0.5), 1), ((0.5, 0.5), -1)])
def test_what_is_no_probability_vector_is_refused(bad):
    with pytest.raises(ValueError, match="expected positive with sum 1"):
        renyi(*bad)
    with pytest.raises(ValueError, match="1 layers; expected 2 or more"):
        PAIR.share(1)
