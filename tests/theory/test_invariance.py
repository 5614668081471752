"""Relative stability, ReLUs on the circle, interpolants, displacements: exact or another way."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory import invariance as theory

NUMBERS = st.integers(-5, 5).map(Fraction)
MOVES = st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=4).filter(
    lambda moves: any(any(move) for move in moves)
)
WEIGHTS = st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=3).filter(
    lambda rows: any(any(row) for row in rows)
)


@given(weights=WEIGHTS, moves=MOVES)
def test_the_formula_is_the_definition_and_lies_between_its_bounds(weights, moves) -> None:
    ratio = theory.relative_stability(weights, moves)
    assert ratio == theory.measured_stability(weights, moves)
    matrix = np.array(moves, dtype=float)
    values = np.linalg.eigvalsh(matrix.T @ matrix)
    scale = 3 / values.sum()
    assert scale * values[0] - 1e-9 <= float(ratio) <= scale * values[-1] + 1e-9


@given(moves=MOVES)
def test_random_signs_see_no_transformation(moves) -> None:
    assert theory.expected_stability((-1, 1), moves) == 1
    signs = list(product((-1, 1), repeat=3))
    each = [theory.relative_stability([list(map(Fraction, w))], moves) for w in signs]
    assert sum(each) / len(each) == 1


def test_a_map_that_looks_along_the_moves_is_three_times_as_unstable() -> None:
    along, across = (
        [[Fraction(1), Fraction(0), Fraction(0)]],
        [[Fraction(0), Fraction(1), Fraction(0)]],
    )
    assert theory.relative_stability(along, along) == 3
    assert theory.relative_stability(across, along) == 0


def test_weights_that_are_not_centred_are_told() -> None:
    assert theory.linear_evidence(5, Random(1)) == (1, 0)


@given(t=st.fractions(-5, 5, max_denominator=9))
def test_points_are_on_the_circle(t) -> None:
    x, y = theory.on_circle(t)
    assert x * x + y * y == 1


def test_systems_are_solved_exactly() -> None:
    matrix = [[Fraction(0), Fraction(2)], [Fraction(3), Fraction(1)]]
    assert theory.solve(matrix, [Fraction(4), Fraction(5)]) == [1, 2]
    assert theory.solve([[Fraction(1), Fraction(2)]] * 2, [Fraction(1)] * 2) is None


def test_solved_relus_have_the_value_where_asked_and_lose_it_elsewhere() -> None:
    fewest, most = theory.circle_evidence([2, 3, 4], Random(3))
    assert most == 0 and 1 <= fewest <= 3 * 2 + 1


def test_one_relu_is_the_constant_at_its_two_points_only() -> None:
    one = theory.without_biases([(Fraction(1), Fraction(0))], [Fraction(2)])
    half = [theory.on_circle(t) for t in (Fraction(1, 2), Fraction(-1, 2), Fraction(1, 3))]
    assert [one(point) for point in half] == [Fraction(6, 5), Fraction(6, 5), Fraction(8, 5)]
    assert theory.differing(one, lambda _: Fraction(6, 5), half) == 1


def test_the_least_sum_takes_the_one_atom_that_does_it() -> None:
    features = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    assert theory.least_sum(features, np.ones(2)) == pytest.approx([1, 0, 0])
    assert theory.least_squares(features, np.ones(2)) == pytest.approx([2 / 3, 1 / 3, 1 / 3])
    with pytest.raises(ArithmeticError, match="HiGHS"):
        theory.least_sum(np.zeros((1, 2)), np.ones(1))


@pytest.mark.parametrize("seed", range(3))
def test_both_interpolate_and_the_sparse_one_is_a_basic_solution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features, values = np.maximum(rng.normal(size=(9, 60)), 0), rng.normal(size=9)
    sparse = theory.least_sum(features, values)
    spread = theory.least_squares(features, values)
    for weights in (sparse, spread):
        assert features @ weights == pytest.approx(values, abs=1e-8)
    assert (np.abs(sparse) > 1e-9).sum() <= 9 < (np.abs(spread) > 1e-9).sum()
    assert np.abs(sparse).sum() < np.abs(spread).sum()


def test_displacement_of_the_centre() -> None:
    assert theory.displacement(Fraction(3)) == 1  # (1, 1) alone
    assert theory.displacement(Fraction(7, 2)) == 2 * (Fraction(1, 2) + Fraction(2, 10))
    rng, modes = np.random.default_rng(0), [(i, j) for i in range(1, 4) for j in range(1, 4)]
    modes = [(i, j) for i, j in modes if i * i + j * j <= 9]
    parts = [math.sin(i * math.pi / 2) * math.sin(j * math.pi / 2) for i, j in modes]
    spread = np.array([1 / math.hypot(i, j) for i, j in modes])
    drawn = (rng.normal(size=(2, 40_000, len(modes))) * spread) @ np.array(parts)
    assert np.square(drawn).sum(0).mean() == pytest.approx(1, rel=0.03)


def test_the_formula_for_large_cut_offs_is_one() -> None:
    assert theory.displacements(3) == pytest.approx({"exact": 0.0766, "released": 0.2738}, abs=2e-4)
    assert abs(theory.displacements(201)["exact"]) < 0.1
