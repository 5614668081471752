"""The family with inexact input: closed forms, certificates, and FIRENET in two arithmetics."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory import barrier
from falsestruct.theory.barrier import TABLE, Cell
from falsestruct.theory.firenet import Plan, firenet

PLAN = Plan(lam=1.0, restarts=30, inner=50, slack=1e-6)


@pytest.mark.parametrize("cell", TABLE)
def test_half_the_distance_is_one_and_a_half_units(cell):
    half = barrier.half_distance(cell) / cell.unit
    a = math.sqrt(2) * 10**cell.digits / 3
    assert half == pytest.approx(1.5 / (1 + 2.0 ** (-cell.precision - 1) / a), rel=1e-12)
    assert 1.4998 < half < 1.5


@pytest.mark.parametrize("cell", TABLE)
def test_the_matrices_are_near_and_perfectly_conditioned(cell):
    one, two = (barrier.problem(barrier.row(cell, j)) for j in (0, 1))
    difference = one[0].matrix - two[0].matrix
    assert torch.linalg.matrix_norm(difference, 2) <= 2.0**-cell.precision
    assert torch.equal(one[1], two[1]) and one[0].shape == (21, 22)
    assert torch.linalg.cond(one[0].matrix @ one[0].matrix.mT) == pytest.approx(1, abs=1e-9)


@given(st.fractions(2, 100, max_denominator=50), st.fractions(2, 100, max_denominator=50))
def test_the_closed_form_has_no_gap_and_other_points_have_one(first, second):
    entries = [first, second]
    x = barrier.minimiser(entries)
    assert barrier.gap(entries, x) == 0
    assert barrier.gap(entries, [b * 2 for b in x]) > 0
    assert barrier.gap(entries, [Fraction(0), Fraction(0)]) > 0
    if first != second:
        assert barrier.gap(entries, [(b + c) / 2 for b, c in zip(x, reversed(x), strict=True)]) > 0


def test_the_gap_is_the_objective_less_its_minimum():
    entries = barrier.row(Cell(1, 3), 1)
    operator, y = barrier.problem(entries)
    x = [0.1, 0.15]
    full = torch.tensor([*x, *[0.0] * 20], dtype=torch.float64)
    value = full.abs().sum() + (operator.forward(full) - y).norm()
    assert barrier.gap(entries, x) == pytest.approx(value.item() - 1 / entries[1])


@pytest.mark.parametrize("cell", TABLE)
def test_the_reduced_network_is_the_whole_one(cell):
    entries = barrier.row(cell, 1)
    operator, y = barrier.problem(entries)
    whole, reduced = firenet(operator, y, PLAN), barrier.network(entries, PLAN)
    np.testing.assert_allclose(whole[:2], reduced, rtol=1e-9)
    assert whole[2:].abs().max() < 1e-12 * cell.unit
    exact = barrier.network(barrier.row(cell, 1, Decimal), PLAN)
    np.testing.assert_allclose(reduced, [float(b) for b in exact], rtol=1e-9)


def test_deep_networks_leave_the_midpoint_and_shallow_ones_do_not():
    entries = barrier.row(Cell(1, 6), 1)
    near, far = (barrier.network(entries, Plan(1.0, 30, p)) for p in (50, 2000))
    assert barrier.distance(far, barrier.minimiser(entries)) < 1e-6
    assert near[1] - near[0] < 0.1 * far[1]
    assert barrier.leaves(Cell(1, 6), 50) < 0.1
    assert barrier.leaves(Cell(1, 6), 2000) > 0.999


def test_doubling_reads_where_the_share_falls_through_one_half():
    law = {2**k: [1.0] * k + [2.0 ** -(n + 0.5) for n in range(4)] for k in (2, 4, 5)}
    assert barrier.doubling(law) == pytest.approx(1)
    with pytest.raises(ValueError, match="p = 50 crosses one half at no n of 0 to 1"):
        barrier.doubling({50: [0.2, 0.1]})


def test_double_precision_ends():
    assert barrier.row(Cell(6, 30), 0) != barrier.row(Cell(6, 30), 1)
    assert barrier.row(Cell(6, 60), 0) == barrier.row(Cell(6, 60), 1)
    assert barrier.row(Cell(6, 60), 0, Decimal) != barrier.row(Cell(6, 60), 1, Decimal)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Cell(0, 3), "K is 0; expected at least 1"),
        (lambda: barrier.row(TABLE[0], 2), "larger is 2; expected 0 or 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
