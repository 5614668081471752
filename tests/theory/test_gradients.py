"""Gradients of parities, hints, tents, pairs and curves: what is proved, on small cases by hand."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory import gradients as theory
from falsestruct.theory.relu import ReluNetwork

F = Fraction
fractions = st.fractions(-9, 9, max_denominator=9)


def test_parities_are_orthogonal_and_complete():
    rules = theory.parities(3)
    assert len(rules) == 8 and theory.cube(3)[0] == (1, 1, 1)
    products = [[sum(a * b for a, b in zip(g, h, strict=True)) for h in rules] for g in rules]
    assert products == [[8 * (i == j) for j in range(8)] for i in range(8)]


def test_a_conjunction_is_one_where_all_its_bits_are():
    assert theory.conjunctions(2)[-1] == [1, -1, -1, -1]


def test_a_gradient_by_hand():
    network = ReluNetwork(((F(2), F(-1)), (F(1), F(1))), (F(1), F(-3)), (F(3), F(5)), F(7))
    # z = 2 − 1 + 1 = 2 is on, z = 2 − 3 is off.
    assert theory.gradient(network, (1, 1)) == [1, 2, 3, 3, 3, 0, 0, 0, 0]


@given(st.integers(1, 3).flatmap(lambda d: st.lists(fractions, min_size=2**d, max_size=2**d)))
def test_the_variance_is_that_of_the_formula_whatever_g_is(values):
    d = len(values).bit_length() - 1
    slopes = [[value] for value in values]
    assert theory.variance(slopes, theory.parities(d)) == theory.parity_variance(slopes)


def test_a_constant_gradient_by_hand():
    # E[h·1] is 1 for the empty parity and 0 for the other three.
    assert theory.parity_variance([[F(1)]] * 4) == F(1, 4) - F(1, 16)


def test_what_a_hint_leaves_by_hand():
    left = theory.remaining(lambda x: F(9, 10), bits=2, size=2)
    assert set(left.values()) == {(F(18, 100), F(9, 100))}
    assert theory.stretch(F(9, 10)) == F(36, 100)


def test_a_hint_that_is_never_wrong_leaves_nothing():
    assert set(theory.remaining(lambda x: F(1), bits=2, size=1).values()) == {(0, 0)}


def test_a_hint_whose_errors_follow_a_bit_breaks_the_law():
    def told(x):
        return F(1) if x[0] == 1 else F(1, 2)

    assert theory.law_error(F(3, 4), told, bits=2, size=2) == F(1, 8)
    assert theory.law_error(F(3, 4), lambda x: F(3, 4), bits=2, size=2) == 0


@given(st.fractions(F(1, 2), F(19, 20), max_denominator=20), st.fractions(F(1, 9), 9))
def test_what_is_kept_is_at_least_the_law_s_and_at_most_all(q, odds):
    share = theory.kept(q, odds)
    assert theory.residual(q, odds) == share * theory.residual(F(1, 2), odds)
    assert theory.stretch(q) <= share <= 1
    assert share == theory.kept(q, 1 / odds)


def test_a_residual_by_hand():
    # q = 3/4, u = 0: p = 3/4 or 1/4, so 3/4 · 1/4 + 1/4 · 3/4; at eᵘ = 3 they are 9/10 and 1/2.
    assert theory.residual(F(3, 4), F(1)) == F(3, 8)
    assert theory.residual(F(3, 4), F(3)) == F(3, 4) * F(1, 10) + F(1, 4) * F(1, 2)


def test_tents_are_one_where_they_stand():
    network = theory.tents([1, 4])
    assert network.size == 6
    assert [network((F(t),)) for t in range(-1, 7)] == [0, 0, 1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("d", range(2, 12))
def test_tents_at_even_numbers_forget_zero(d):
    even = theory.tents(range(2, d + 1, 2))
    assert theory.mislabelled(even, d, ones=0) == F(1, d + 1)
    odd = theory.tents(range(1, d + 1, 2))
    assert theory.mislabelled(odd, d, ones=1) == 0
    assert odd.size == 3 * ((d + 1) // 2)


def test_ranks_by_hand():
    assert theory.rank([[F(1), F(2)], [F(2), F(4)]]) == 1
    assert theory.rank([[F(0), F(1)], [F(1), F(0)], [F(1), F(1)]]) == 2
    assert theory.rank([[F(0)]]) == 0


def test_the_pairing_is_an_identity_and_sums_of_few_products_are_not():
    assert theory.pairing(2, 2) == [[1, 0], [0, 1]]
    assert theory.rank(theory.pairing(3, 4)) == 9
    rng = Random(1)
    assert [theory.rank(theory.random_sum(3, 4, z, rng)) for z in (1, 2, 5)] == [1, 2, 5]


def test_curves_and_their_second_differences():
    assert theory.curves(3) == [[1, 0, 0], [2, 1, 0], [3, 2, 1]]
    assert theory.straightened(theory.curves(3)) == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_the_bound_on_the_condition_by_hand():
    # W1 = (1, 3, 6) and W⁻¹e₁ = (1, −2, 1): 46/3 · 6.
    assert theory.condition_bound(theory.curves(3)) == 92


@pytest.mark.parametrize("n", [3, 10, 40])
def test_it_is_a_bound(n):
    matrix = np.array(theory.curves(n), dtype=float)
    assert float(theory.condition_bound(theory.curves(n))) <= np.linalg.cond(matrix) ** 2 * 1.001


def test_descent_converges_below_two_and_not_beyond():
    assert theory.left_over(F(3, 2), 10) == F(1, 2**10)
    assert theory.left_over(F(2), 10) == 1
    assert theory.left_over(F(5, 2), 2) == F(9, 4)


def test_the_evidence_decides_as_the_chapter_says():
    found = theory.evidence(2)
    zero = ("variance", "signal", "construction")
    assert [found[name][0] for name in zero] == [0, 0, 0]
    assert all(found[name][1] > 0 for name in zero)
    assert found["pairing"][0] == 1 > found["pairing"][1]
    assert found["conditioning"][0] >= F(3, 10) > found["conditioning"][1]
    assert found["threshold"][0] < F(1, 10**9) and found["threshold"][1] > 1
