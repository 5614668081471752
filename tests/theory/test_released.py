"""The released script: its indices, its steps, and what both change."""

import math
from fractions import Fraction

import numpy as np
import pytest

from falsestruct.theory import barrier, released
from falsestruct.theory.barrier import TABLE, Cell
from falsestruct.theory.firenet import Plan, firenet


def test_the_released_indices():
    """By hand: a[j−1] of two entries, x[j−2] of twenty-two, with j = 0, 1, 2."""
    assert [(r.read, r.target) for r in map(released.as_coded, range(3))] == [
        (1, 20),
        (0, 21),
        (1, 0),
    ]
    assert released.as_coded(2) == released.CORRECTED


@pytest.mark.parametrize(
    ("turn", "cell", "factor"), [(0, TABLE[2], 3), (1, TABLE[5], 3), (2, TABLE[8], 1)]
)
def test_the_released_table_is_too_large_by_the_root_of_three(turn, cell, factor):
    roles = released.as_coded(turn)
    entries = barrier.row(cell, roles.read)
    answer = barrier.network(entries, released.PLAN)
    error = barrier.distance(answer, released.target(cell, roles))
    assert error / barrier.half_distance(cell) == pytest.approx(math.sqrt(factor), rel=1e-4)
    own = barrier.row(cell, 1 - roles.read, Fraction)
    solves = barrier.gap(own, released.target(cell, roles, Fraction)) == 0
    assert solves == (factor == 1)


@pytest.mark.parametrize(("K", "product"), [(1, 6.663), (3, 663.2), (6, 562245)])
def test_the_released_steps_break_their_own_condition(K, product):
    entries = barrier.row(Cell(K, 30), 1)
    tau, sigma = released.released_steps(entries)
    assert tau * sigma * sum(a * a for a in entries) == pytest.approx(product, rel=1e-3)
    operator, y = barrier.problem(entries)
    with pytest.raises(ValueError, match="τσ‖A‖² < 1"):
        firenet(operator, y, Plan(1.0, 1, 1, steps=(tau, sigma)))


def test_the_table_is_one_and_a_half_units_once_the_index_is_mended():
    found = released.table()
    np.testing.assert_allclose(found["corrected"], 1.5 * 10.0 ** -found["K"], rtol=1e-3)
    np.testing.assert_allclose(found["admissible"], found["corrected"], rtol=1e-2)
    off = found["coded"] / found["corrected"]
    np.testing.assert_allclose(off, [math.sqrt(3)] * 6 + [1] * 3, rtol=1e-3)


def test_certificates_close_at_the_closed_form_and_not_at_the_targets_of_the_first_rows():
    found = released.certificates()
    assert (found["gap"] == 0).all() and (found["error"] == 0).all()
    assert (found["coded"][:6] > 0.5).all() and (found["coded"][6:] == 0).all()


def test_a_turn_that_is_none_is_named():
    with pytest.raises(ValueError, match="turn is 3; expected 0, 1 or 2"):
        released.as_coded(3)
