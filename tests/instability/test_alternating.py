"""Networks on the alternating points: built by hand, counted and measured exactly."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from falsestruct.instability import alternating as hand
from falsestruct.instability.exact import Dense
from falsestruct.problems.alternating import Points, on_one_scale, standardised
from falsestruct.theory import stable
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


@pytest.mark.parametrize(
    "points", [Points(r, even=even) for r in (5, 50) for even in (True, False)]
)
def test_the_explicit_network_survives_and_uses_all_it_can(points):
    r = points.r
    row = hand.measure(hand.explicit(points), points, r - 2)
    assert row | {"pieces": r - 1, "crossings": r - 1} == row
    assert (row["accuracy"], row["broken"], row["reads"], row["follows"]) == (1, 0, 0, 1)
    assert row["slack"] == row["single"] == 0


def test_the_second_input_s_rule_is_broken_everywhere():
    case = Points(10, 0.01)
    row = hand.measure(hand.second_input(case), case, 1)
    assert (row["accuracy"], row["broken"], row["reads"], row["follows"]) == (1, 1, 1, 0.5)
    assert (row["pieces"], row["crossings"], row["slack"]) == (1, 0, 10 - 7)
    assert row["single"] == 0.5  # of one label only


@pytest.mark.parametrize("case", [Points(10, 0.01), Points(9, 3.0, even=True)])
def test_one_vector_breaks_every_point_of_the_bump(case):
    row = hand.measure(hand.bump(case), case, 2)
    assert (row["accuracy"], row["broken"], row["single"]) == (1, 1, 1)


def test_a_mixture_gets_its_share():
    # x₁'s rule on the largest points, and x₂'s to their left: the sum of both, one of them flat.
    half = stable.midpoints(stable.first_inputs(10))[4]
    _, mean, spread = standardised(10)
    left = Dense(
        (np.array([[-1.0, 0.0], [0.0, 1.0]]), np.array([[1e6, 1.0]])),
        (np.array([(float(half) - mean) / spread, 1.0]), np.array([-1.0])),
    )
    row = hand.measure(left, Points(10), 2)
    # Left of the middle always 1; right of it as x₂ says: five points.
    assert row["broken"] == 0.5 and row["accuracy"] == 0.5 + 0.2


def test_seeds_draw_the_weights_of_the_start_and_not_its_function():
    case = Points(12)
    one, other = hand.members(hand.splits(hand.explicit(case), case, [1, 2]))
    x = case.inputs(case.labels).numpy()
    assert np.abs(one(x)).min() == pytest.approx(1)
    assert other(x) == pytest.approx(one(x), rel=1e-9)
    first, second = (network.weights[0][:, 0] for network in (one, other))
    assert not np.allclose(first, second)
    assert (np.abs(np.log2(first / second)) <= 2).all()  # each within twice of half and half


def test_a_third_input_that_is_always_one_is_a_bias():
    rng = np.random.default_rng(1)
    inner, outer, biases = rng.normal(size=(6, 3)), rng.normal(size=(1, 6)), rng.normal(size=6)
    network = Dense((inner, outer), (biases, np.ones(1)))
    x = Points(7).inputs(Points(7).labels)
    assert hand.without_constant(network)(x.numpy()) == pytest.approx(
        network(hand.with_constant(x).numpy())
    )
    two = drawn(5)
    assert hand.without_constant(two)(x.numpy()) == pytest.approx(two(x.numpy()))


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
