"""Masks, values and waves: what chapter 18 proves, on small cases by hand."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory import explanations as theory
from falsestruct.theory.relu import ReluNetwork

F = Fraction
AND = np.array([0, 0, 0, 1])  # of two bits


def test_the_distortions_of_and_by_hand():
    # At 11, keep nothing: three of four differ. Keep one bit: one of two. Keep both: none.
    assert theory.distortions(AND, 3).tolist() == [0.75, 0.5, 0.5, 0.0]
    # At 00, only 11 differs; who keeps a zero is safe.
    assert theory.distortions(AND, 0).tolist() == [0.25, 0.0, 0.0, 0.0]


def test_sums_over_free_coordinates_by_hand():
    assert theory.free_sums(np.array([1, 10, 100, 1000]), 1).tolist() == [10, 11, 1010, 1111]


def test_a_number_of_values_that_is_no_power_of_two_is_refused():
    with pytest.raises(ValueError, match="3 values; expected one for each input"):
        theory.kept_means(np.array([1, 2, 3]), 0)


def test_a_parity_has_one_mask_and_no_smaller_one_says_anything():
    labels = theory.ones(3) % 2
    found = theory.distortions(labels, 5)
    assert found.tolist() == [0.5] * 7 + [0.0]
    size, sets = theory.smallest(labels, 5, 0.4)
    assert size == 3 and sets.tolist() == [7]


def test_any_k_ones_will_do_for_a_rule_of_their_number():
    labels = (theory.ones(4) > 1).astype(int)  # at least two ones of four
    size, sets = theory.smallest(labels, 0b0111, 0.25)
    assert size == theory.tail(4, 1, 0.25) == 1
    assert set(sets.tolist()) == theory.sets_of_ones(0b0111, 1) == {1, 2, 4}


def test_what_an_order_needs():
    distortion = theory.distortions(np.arange(8) >> 2 & 1, 7)  # the label is the last bit
    assert theory.needed(distortion, np.array([2, 0, 1]), 0.0) == 1
    assert theory.needed(distortion, np.array([0, 1, 2]), 0.0) == 3
    assert theory.needed(distortion, np.array([0, 1, 2]), 0.5) == 0


@given(st.lists(st.integers(-9, 9), min_size=8, max_size=8), st.integers(0, 7))
def test_shapley_values_add_up(values, x):
    means = theory.kept_means(np.array(values, dtype=float), x)
    assert theory.shapley(means).sum() == pytest.approx(values[x] - np.mean(values))


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=3), st.integers(0, 7))
def test_values_of_a_linear_function_are_its_terms(weights, x):
    bits = (np.arange(8)[:, None] >> np.arange(3)) & 1
    means = theory.kept_means((bits @ np.array(weights)).astype(float), x)
    terms = np.array(weights) * (bits[x] - 0.5)
    assert theory.shapley(means) == pytest.approx(terms)
    assert theory.occlusion(means) == pytest.approx(terms)


def test_shapley_values_of_and_by_hand():
    means = theory.kept_means(AND.astype(float), 3)  # 1/4, 1/2, 1/2, 1
    assert theory.shapley(means) == pytest.approx([0.375, 0.375])
    assert theory.occlusion(means) == pytest.approx([0.5, 0.5])


def test_the_wave_by_hand():
    seen = [theory.wave(F(n, 2)) for n in range(-2, 7)]
    assert seen == [-1, F(-1, 2), 0, F(1, 2), 1, F(1, 2), 0, F(-1, 2), -1]


@given(st.fractions(-9, 9, max_denominator=50))
def test_the_wave_has_height_one_and_period_four(u):
    assert abs(theory.wave(u)) <= 1 and theory.wave(u) == theory.wave(u + 4) == -theory.wave(-u)


@given(st.fractions(-3, 3, max_denominator=997), st.integers(1, 60))
def test_the_wave_bends_the_gradient_wherever_it_has_one(at, slope):
    network = ReluNetwork(((F(1), F(-2)),), (F(1, 3),), (F(5),), F(0))
    height = F(1, 10)
    if slope * at / height % 2 != 1:
        assert theory.bent(network, theory.wave, [at, F(1, 7)], height, F(slope))


def test_rounded_edges_are_told_from_sharp_ones():
    network = ReluNetwork(((F(1),),), (F(0),), (F(1),), F(0))
    assert not theory.bent(network, theory.rounded, [F(1, 7)], F(1), F(1))
    assert theory.bent(network, theory.wave, [F(1, 7)], F(1), F(1))


def test_roots_of_distortions_keep_their_distance():
    f, g = np.array([F(0), F(0)], dtype=object), np.array([F(0), F(3)], dtype=object)
    assert theory.root_excess(f, g, 0, F(1, 2))  # √(9/2) > 1
    assert not theory.root_excess(f, g, 0, F(3, 2))


def test_values_move_by_no_more_than_twice_the_change():
    rng = Random(1)
    f = theory._random(3, rng, F(1))
    g = f + theory._random(3, rng, F(1, 10))
    assert 0 < max(theory.value_change(f, g, x) for x in range(8)) <= F(1, 5)


def test_the_chapter_s_statements_hold_and_their_controls_do_not():
    found = theory.evidence(2)
    assert [found[name][0] for name in ("sawtooth", "zeta", "no-one")] == [1, 0, 1]
    assert found["values"][0] <= 1 < found["values"][1]
    assert found["sawtooth"][1] < 1 and found["zeta"][1] > 0 and found["no-one"][1] < 1
    assert float(found["softmax"][0]) == pytest.approx(1) and found["softmax"][1] > 70
