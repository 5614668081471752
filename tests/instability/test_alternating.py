"""Networks on the alternating points: built by hand, counted and measured exactly."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from falsestruct.instability import alternating as hand
from falsestruct.instability.exact import Dense
from falsestruct.problems.alternating import Points, on_one_scale
from falsestruct.theory.relu import pieces, sign_changes


def drawn(width):
    """A network with drawn weights."""
    rng = np.random.default_rng(0)
    inner, outer = rng.normal(size=(width, 2)), rng.normal(size=(1, width))
    return Dense((inner, outer), (rng.normal(size=width), rng.normal(size=1)))


def test_counts_are_those_of_the_slow_functions():
    network = hand.without_second(drawn(6), Points(10))
    own = hand.rational(network)
    line = own.along_first((Fraction(-1),))
    low, high = (Fraction(float(t)) for t in Points(10).first[[-1, 0]])
    assert hand.counts(network, Points(10)) == (
        pieces(line, low, high),
        sign_changes(line, low, high),
    )
    x = np.array([[0.3, -0.7]])
    assert float(own([Fraction(0.3), Fraction(-0.7)])) == pytest.approx(network(x)[0], abs=1e-12)


@pytest.mark.parametrize("ratio", [0.25, 16.0])
def test_relative_distances_of_networks_with_known_radii(ratio):
    case = on_one_scale(12, ratio)
    assert hand.relative_distance(hand.explicit(case), case) == pytest.approx(1)
    t = case.first.numpy()
    gaps = -np.diff(t)
    half = np.minimum(np.append(gaps, gaps[-1]), np.append(np.inf, gaps)) / 2
    expected = float(np.median(case.strength / half))
    second = hand.relative_distance(hand.second_input(case), case)
    assert second == pytest.approx(expected, rel=1e-4)


def test_a_constant_network_has_no_distance():
    flat = Dense((np.zeros((1, 2)), np.ones((1, 1))), (np.zeros(1), np.ones(1)))
    assert np.isnan(hand.relative_distance(flat, Points(5)))


def test_holding_the_second_input_keeps_the_values_there():
    points = Points(8, 0.4)
    network = drawn(6)
    zero = points.inputs(torch.zeros(8, dtype=torch.float64)).numpy()
    held = hand.without_second(network, points)
    assert held(zero) == pytest.approx(network(zero), abs=1e-12)
    assert held(zero + np.array([0, 5.0])) == pytest.approx(network(zero), abs=1e-12)
