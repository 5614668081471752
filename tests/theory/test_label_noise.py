"""Infection, bounded stable rank and the focal loss against counts, libraries and minimisers."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from falsestruct.theory import label_noise as theory

LINE = {(i,): int(i >= 3) for i in range(6)}  # two classes of three points


def test_infection_stops_at_the_other_class():
    assert theory.infected(LINE, [(2,)], 0) == Fraction(1, 6)
    assert theory.infected(LINE, [(2,)], 1) == Fraction(2, 6)  # not (3,), which is as near
    assert theory.infected(LINE, [(2,)], 100) == Fraction(3, 6)
    assert theory.infected(LINE, [], 100) == 0
    swapped = {**LINE, (2,): 1}
    assert theory.robust_error(swapped, LINE, 1) == Fraction(2, 6)
    assert theory.robust_error(LINE, LINE, 100) == 0


def test_a_case_has_a_wrong_label_and_more_right_ones():
    for seed in range(20):
        case = theory.random_case(Random(seed))
        assert 1 <= len(case.wrong) < len(case.given) == 12


def test_the_bound_holds_for_rules_that_fit_and_seldom_for_one_that_forgets_a_label():
    held, short = theory.infection_evidence(40, Random(1))
    assert held == 1 and 0 < short < Fraction(1, 2)


@settings(max_examples=50)
@given(
    balls=st.integers(1, 10),
    noise=st.fractions("1/5", 1, max_denominator=20),
    mass=st.fractions("1/5", 1, max_denominator=20),
    risk=st.fractions("1/1000", "9/10", max_denominator=1000),
)
def test_after_so_many_samples_the_risk_is_as_small_as_asked(balls, noise, mass, risk):
    samples = theory.samples_needed(balls, float(noise), float(mass), float(risk))
    assert theory.missed(balls, noise, mass, samples) <= risk * Fraction(10**9 + 1, 10**9)


def test_half_of_the_samples_are_too_few():
    samples = theory.samples_needed(20, 0.1, 0.5, 0.01)
    assert theory.missed(20, Fraction(1, 10), Fraction(1, 2), samples // 2) > Fraction(1, 100)
    with pytest.raises(ValueError, match="noise 0"):
        theory.samples_needed(20, 0, 0.5, 0.01)


def test_a_single_point_infects_its_disc():
    assert theory.scattered(1, 0.1, 0.05) == pytest.approx(0.1 * math.pi * 0.05**2)
    assert theory.scattered(1000, 0.1, 0.05) == pytest.approx(0.544, abs=5e-4)


def matrix(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(5, 7))


@pytest.mark.parametrize("most", [1.0, 1.3, 2.0, 20.0])
def test_the_nearest_matrix_keeps_its_leading_triple_and_its_bound(most):
    weight = matrix(0)
    near = theory.nearest(weight, most)
    assert theory.stable_rank(near) == pytest.approx(min(most, theory.stable_rank(weight)))
    old, new = np.linalg.svd(weight), np.linalg.svd(near)
    assert new[1][0] == pytest.approx(old[1][0])
    assert abs(old[0][:, 0] @ new[0][:, 0]) == pytest.approx(1)
    if most == 20.0:  # no matrix of five rows has more than five
        np.testing.assert_allclose(near, weight)
    with pytest.raises(ValueError, match="most is 0"):
        theory.nearest(weight, 0.5)


def test_no_other_factor_or_direction_is_nearer():
    weight, most = matrix(1), 1.5
    near, rng = theory.nearest(weight, most), np.random.default_rng(2)
    left, values, right = np.linalg.svd(weight, full_matrices=False)
    u, v = left[:, 0], right[0]
    best = np.linalg.norm(weight - near)
    for _ in range(50):
        other = rng.normal(size=weight.shape) + 3 * weight
        other -= np.outer(u, u @ other)
        other -= np.outer(other @ v, v)
        other *= values[0] * math.sqrt(most - 1) / np.linalg.norm(other)
        there = values[0] * np.outer(u, v) + other
        assert theory.stable_rank(there) == pytest.approx(most)
        assert np.linalg.norm(weight - there) > best


def test_projection_in_rational_numbers():
    assert theory.projection_evidence(40, Random(1)) == (1, 0)


@pytest.mark.parametrize(("gamma", "expected"), [(0, 0.8), (1, 0.922), (3, 0.9935)])
def test_what_a_confidence_of_four_fifths_means(gamma, expected):
    assert theory.truth(0.8, gamma) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("gamma", [1, 2, 3.5])
@pytest.mark.parametrize("p", [0.55, 0.7, 0.9])
def test_that_confidence_minimises_the_focal_loss(gamma, p):
    t = theory.truth(p, gamma)

    def loss(x: float) -> float:
        return -t * (1 - x) ** gamma * math.log(x) - (1 - t) * x**gamma * math.log(1 - x)

    found = minimize_scalar(
        loss, bounds=(1e-6, 1 - 1e-6), method="bounded", options={"xatol": 1e-9}
    )
    assert found.x == pytest.approx(p, abs=1e-4)
    assert t > p
    assert theory.truth(1 - p, gamma) == pytest.approx(1 - t)


@given(st.fractions("1/200", "199/200", max_denominator=200))
def test_the_logarithm_is_between_its_bounds(x):
    low, high = theory.minus_log(x)
    assert low < high and low - Fraction(1, 10**12) <= Fraction(-math.log(x)) <= high + Fraction(
        1, 10**12
    )
    with pytest.raises(ValueError, match="between 0 and 1"):
        theory.minus_log(Fraction(1))


def test_every_exponent_is_underconfident_but_zero():
    confidences = [Fraction(501, 1000), Fraction(3, 4), Fraction(99, 100)]
    assert theory.focal_evidence(confidences, [1, 2, 3]) == (1, 0)
    assert not theory.is_underconfident(Fraction(1, 3), 2)  # below one half it is the other way
