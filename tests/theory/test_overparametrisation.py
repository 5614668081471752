"""Paths, room, distances, scale and directions: exact, or another way."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from falsestruct.theory import oscillation
from falsestruct.theory import overparametrisation as theory
from falsestruct.theory.gradients import random_network

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)
PLACES = st.fractions(0, 1, max_denominator=9)


@pytest.mark.parametrize("name", ["valley", "ridge", "distances", "rescaled", "directions"])
def test_every_claim_and_its_control(name: str) -> None:
    value, control = theory.evidence(10)[name]
    held = {
        "valley": value == 0 and control > 0,
        "ridge": value == 1 and control < Fraction(9, 10),
        "distances": value == 0 and control > 0,
        "rescaled": value == 0 and control > 0,
        "directions": value <= 0 and control > 0,
    }
    assert held[name], (value, control)


# Paths


@given(t=PLACES, seed=st.integers(0, 99))
def test_no_convex_loss_rises_on_the_path(t, seed) -> None:
    rng = Random(seed)
    first, second = (random_network(2, 3, rng) for _ in range(2))
    x, y = (Fraction(rng.randint(-9, 9), 3), Fraction(rng.randint(-9, 9), 3)), Fraction(seed % 2)

    def loss(network):
        return (network(x) - y) ** 2

    assert loss(theory.between(first, second, t)) <= max(loss(first), loss(second))


def test_an_idle_unit_that_moves_changes_nothing_and_one_that_works_does() -> None:
    first, idle, second = (random_network(2, 3, Random(i)) for i in range(3))
    x = (Fraction(2), Fraction(-1))
    assert theory.carried(first, idle, second, HALF)(x) == first(x)
    assert theory.carried(first, idle, second, ONE).weights[3:] == second.weights
    assert theory.straight(first, second, HALF)(x) != (first(x) + second(x)) / 2


def test_three_lines_lead_from_one_to_the_other() -> None:
    """From A with idle units to B with other ones: each line begins where the last one ended."""
    a, idle, b, other = (random_network(2, 3, Random(i)) for i in range(4))
    points = [(Fraction(i, 2), Fraction(3 - i)) for i in range(7)]

    def swapped(network):
        """The same network with the last three units first."""
        parts = (network.weights, network.biases, network.outputs)
        return type(network)(*(part[3:] + part[:3] for part in parts), network.bias)

    first = [theory.carried(a, idle, b, t) for t in (ZERO, HALF, ONE)]
    second = [theory.between(a, b, t) for t in (ZERO, HALF, ONE)]
    third = [swapped(theory.carried(b, other, a, t)) for t in (ONE, HALF, ZERO)]
    assert first[-1] == second[0] and second[-1] == third[0]
    assert third[-1].weights == other.weights + b.weights
    assert all(network(x) == a(x) for network in first for x in points)
    assert all(network(x) == b(x) for network in third for x in points)


def test_on_the_way_to_the_hint() -> None:
    """Right on all swapped points, on those of label 0, on none; and the distance δ/2t."""
    truth = oscillation.grid(theory.A, theory.K, theory.EPSILON, 1)
    labels = [oscillation.label(x, theory.A) for x in truth]
    rights = []
    for t in (Fraction(1, 4), HALF, Fraction(3, 4)):
        network = theory.walk(t)
        says = [
            network((x, theory.DELTA * (1 - y))) > HALF for x, y in zip(truth, labels, strict=True)
        ]
        rights.append(sum(said == (y == 1) for said, y in zip(says, labels, strict=True)))
        zero = truth[labels.index(0)]
        edge = theory.DELTA / (2 * t)
        assert network((zero, edge)) == HALF and network((zero, edge + theory.DELTA / 99)) > HALF
    assert rights == [7, labels.count(0), 0]
    assert theory.walk_error() == 0


# Room


@given(
    a=st.integers(1, 3), c=st.integers(1, 9), s=st.integers(1, 20), n=st.integers(3, 6),
    data=st.data(),
)  # fmt: skip
def test_room_against_a_solver(a, c, s, n, data) -> None:
    wrong = data.draw(st.integers(1, n - 1))
    signs = np.array(data.draw(st.lists(st.sampled_from((-1, 1)), min_size=n, max_size=n)))
    told = np.where(np.arange(n) < wrong, -signs, signs)
    rows = np.column_stack((a / 3 * signs, c / 3 * told, s / 3 * np.eye(n)))
    weights = np.linalg.pinv(rows) @ signs
    assert rows @ weights == pytest.approx(signs)
    margin = a * weights[0] - c * weights[1]
    assume(abs(margin) > 1e-6)
    third = Fraction(1, 3)
    found = theory.with_false(a * third, c * third, (s * third) ** 2, Fraction(n - 2 * wrong, n), n)
    assert found == (margin < 0)


def test_more_room_or_fewer_samples_turn_to_the_second_feature() -> None:
    a, c, r = Fraction(1, 2), Fraction(2), Fraction(4, 5)
    rooms = [theory.with_false(a, c, Fraction(room), r, 10) for room in (0, 1, 9)]
    assert rooms == [False, False, True]
    assert [theory.with_false(a, c, Fraction(9), r, n) for n in (10, 1000)] == [True, False]
    assert not theory.with_false(c, a, Fraction(10**9), r, 10)  # too faint for any room


# The peak


@given(rows=st.lists(st.lists(st.integers(-5, 5), min_size=4, max_size=4), min_size=2, max_size=3))
def test_distances_against_floating_point(rows) -> None:
    matrix = np.array(rows, dtype=float)
    assume(np.linalg.matrix_rank(matrix) == len(rows))
    exact = [[Fraction(x) for x in row] for row in rows]
    assert float(theory.noise_taken(exact)) == pytest.approx(
        np.trace(np.linalg.inv(matrix @ matrix.T))
    )
    others = matrix[1:]
    rest = matrix[0] - others.T @ np.linalg.lstsq(others.T, matrix[0], rcond=None)[0]
    assert float(theory.distance(exact, 0)) == pytest.approx(rest @ rest, abs=1e-9)


def test_dependent_rows_have_no_trace() -> None:
    with pytest.raises(ArithmeticError, match="dependent"):
        theory.noise_taken([[ONE, ONE], [ONE, ONE]])


@pytest.mark.parametrize("p", [6, 30])
def test_the_formula_is_the_mean_of_simulations(p: int) -> None:
    rng, n, size, noise = np.random.default_rng(p), 15, 40, 0.5
    truth = np.full(size, size**-0.5)
    errors = []
    for _ in range(2000):
        x = rng.normal(size=(n, size))
        y = x @ truth + noise * rng.normal(size=n)
        found = np.zeros(size)
        found[:p] = np.linalg.pinv(x[:, :p]) @ y
        errors.append(((found - truth) ** 2).sum() + noise**2)
    wanted = theory.risk(n, p, inside=p / size, outside=1 - p / size + noise**2)
    spread = np.std(errors) / len(errors) ** 0.5
    assert abs(np.mean(errors) - wanted) < 4 * spread < 0.2 * wanted


@pytest.mark.parametrize("p", [14, 15, 16])
def test_at_the_peak_there_is_no_mean(p: int) -> None:
    with pytest.raises(ValueError, match="two apart"):
        theory.risk(15, p, inside=1.0, outside=1.0)


# Scale and directions


def test_curvature_of_one_unit_by_differences() -> None:
    network, points = random_network(2, 3, Random(4)), theory._points(Random(5))

    def loss(change):
        outputs = (network.outputs[0] + change, *network.outputs[1:])
        other = type(network)(network.weights, network.biases, outputs, network.bias)
        return sum(other(x) ** 2 for x in points) / (2 * len(points))

    assert theory.curvature(network, 0, points) == loss(1) - 2 * loss(0) + loss(-1)


def test_half_of_the_signs_cross_a_plane_that_is_near_and_few_a_far_one() -> None:
    assert theory.over_plane([1, 1], Fraction(1)) == Fraction(1, 4)  # one corner of the square
    assert theory.over_plane([1, 0, 0], Fraction(1, 3)) == HALF
    assert theory.over_plane([1, 0, 0], Fraction(1, 2)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_few_directions_may_exceed_the_bound_and_all_together_never(seed) -> None:
    """Without any random case the fixed one does: 1/2 for ± the first of three, against 1/3."""
    assert theory.directions_evidence(0, Random(seed)) == (-Fraction(1, 3), Fraction(1, 6))
    value, control = theory.directions_evidence(8, Random(seed))
    assert value <= 0 < control
