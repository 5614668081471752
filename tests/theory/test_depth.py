"""Tents, counted pieces and averages: what is proved, on small cases by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory import depth as theory

F = Fraction
widths = st.lists(st.integers(1, 3), min_size=1, max_size=3)
values = st.lists(st.tuples(st.fractions(-3, 3, max_denominator=9)), min_size=2, max_size=3)


def test_one_tent_by_hand():
    tent = theory.tents(1)
    assert [tent((F(x, 4), F(9))) for x in range(-1, 6)] == [0, 0, F(1, 2), 1, F(1, 2), 0, F(-1, 2)]


@pytest.mark.parametrize("k", [1, 2, 4])
def test_tents_change_their_label_midway_and_nowhere_else(k):
    network = theory.tents(k)
    found = theory.changes(network.along((F(0), F(0)), (F(1), F(0))))
    assert found == [F(2 * j + 1, 2 ** (k + 1)) for j in range(2**k)]
    assert network.widths == (2,) * k and theory.failing(network, k) == 0
    assert [network((x, F(0))) for x, _ in theory.points(k)] == [y for _, y in theory.points(k)]


def test_a_sawtooth_of_one_layer_has_the_same_labels_and_a_line_less_room():
    network = theory.sawtooth(3)
    assert network.widths == (7,) and theory.slack(network, 3, theory.pieces(network)) == 0
    assert theory.changes(network.along((F(0), F(0)), (F(1), F(0)))) == [
        F(2 * j + 1, 16) for j in range(8)
    ]


def test_tents_of_no_depth_are_refused():
    with pytest.raises(ValueError, match="k is 0"):
        theory.tents(0)


@given(widths, st.integers(0, 999))
def test_a_segment_goes_through_the_network_s_values(sizes, seed):
    rng = Random(seed)
    network = theory.random_network(sizes, rng)
    first, last = ((F(rng.randint(-9, 9), 3), F(rng.randint(-9, 9), 3)) for _ in range(2))
    found = network.along(first, last)
    places = [t for t, _ in found]
    assert places == sorted(set(places)) and places[0] == 0 and places[-1] == 1
    assert len(found) - 1 <= theory.pieces(network)
    for (s, u), (t, v) in pairwise(found):  # linear between: in the middle, too
        middle = (s + t) / 2
        here = tuple(a + middle * (b - a) for a, b in zip(first, last, strict=True))
        assert network(here) == (u + v) / 2


@given(widths, st.integers(2, 4), st.integers(0, 999))
def test_the_count_holds_for_any_network(sizes, k, seed):
    network = theory.random_network(sizes, Random(seed))
    assert theory.slack(network, k, theory.pieces(network)) >= 0


def test_wrong_and_broken_by_hand():
    # The hint's rule is right everywhere and broken everywhere: 9 of 9, two pieces.
    assert theory.slack(theory.hint(), 3, 2) == 9 - 8 + 2
    # Always 0: wrong at the four odd points, nothing broken.
    constant = theory.DeepNetwork((theory.Layer(((F(0), F(0)),), (F(0),)),))
    assert theory.slack(constant, 3, 1) == 8 - 8 + 1


def test_a_silenced_unit_is_heard_no_more():
    network = theory.tents(2).without(0, 1)
    assert network((F(1), F(0))) == theory.tents(1)((F(2), F(0)))


@given(values, st.integers(1, 3), st.data())
def test_averages_by_the_formula(given_values, draws, data):
    raw = data.draw(
        st.lists(st.integers(1, 5), min_size=len(given_values), max_size=len(given_values))
    )
    weights = tuple(F(p, sum(raw)) for p in raw)
    own = theory.variance(given_values, weights)
    assert theory.squared_error(given_values, weights, draws) == own / draws


def test_an_average_by_hand():
    # A coin of 0 and 2: variance 1; two draws are 0, 1, 1, 2, off by 1, 0, 0, 1.
    coin, half = [(F(0),), (F(2),)], (F(1, 2),) * 2
    assert theory.variance(coin, half) == 1
    assert theory.squared_error(coin, half, 2) == F(1, 2)


def test_all_statements_hold_and_their_controls_fail():
    found = theory.evidence(2)
    assert {name: own for name, (own, _) in found.items()} == {"tents": 0, "count": 0, "average": 0}
    assert found["tents"][1] > 0 and found["count"][1] < 0 and found["average"][1] > 0
