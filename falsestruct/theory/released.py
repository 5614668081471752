"""The script that was released with arXiv:2101.08286: its table, its two slips, and both mended.

Written anew from its description; the family of matrices is `barrier`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from falsestruct.theory import barrier
from falsestruct.theory.barrier import BLOCK, REST, TABLE, Cell, Row
from falsestruct.theory.firenet import Plan

PLAN = Plan(lam=1.0, restarts=30, inner=50, slack=1e-6)


@dataclass(frozen=True)
class Roles:
    """Which entry is the larger one in the matrix that is read, and where the target's entry is.

    Attributes:
        read: Place of the larger entry in the matrix that the network gets.
        target: Place of the one entry of the vector that its answer is compared with.
    """

    read: int
    target: int


CORRECTED = Roles(read=1, target=0)


def as_coded(turn: int) -> Roles:
    """The roles in the released script, in turn 0, 1, 2 of its loop over K = 1, 3, 6.

    The loop index overwrites the data index j. The script then perturbs entry j − 1 of the row's
    two and compares with the vector whose entry j − 2 of all 22 isn't zero, counted from 0; Python
    counts negative places from the end.
    """
    if turn not in (0, 1, 2):
        raise ValueError(f"turn is {turn}; expected 0, 1 or 2")
    return Roles(read=range(BLOCK)[turn - 1], target=range(BLOCK + REST)[turn - 2])


def target(cell: Cell, roles: Roles, number: Callable[[Decimal], Any] = float) -> list[Any]:
    """The vector that an answer is compared with, all 22 entries."""
    size = max(barrier.minimiser(barrier.row(cell, 0, number)))
    return [size if place == roles.target else 0 * size for place in range(BLOCK + REST)]


def released_steps(entries: Row) -> tuple[float, float]:
    """Both steps of the released script, ‖A‖^(−1/2) − 10⁻⁴: τσ‖A‖² is about ‖A‖."""
    norm = math.sqrt(sum(float(a) ** 2 for a in entries))
    step = norm**-0.5 - 1e-4
    return step, step


def table() -> pd.DataFrame:
    """The table as the released script computes it, and with the index mended; its own steps.

    Returns:
        A row a cell: K, n, coded, corrected, admissible (with τσ‖A‖² < 1), product (the script's
        τσ‖A‖²).
    """
    rows = []
    for place, cell in enumerate(TABLE):
        row: dict[str, float] = {"K": cell.digits, "n": cell.precision}
        for name, roles, own in (
            ("coded", as_coded(place // 3), True),
            ("corrected", CORRECTED, True),
            ("admissible", CORRECTED, False),
        ):
            entries = barrier.row(cell, roles.read)
            steps = released_steps(entries) if own else None
            plan = Plan(PLAN.lam, PLAN.restarts, PLAN.inner, PLAN.slack, steps)
            answer = barrier.network(entries, plan)
            row[name] = barrier.distance(answer, target(cell, roles))
        entries = barrier.row(cell, 1)
        squares = sum(a * a for a in entries)
        rows.append(row | {"product": math.prod(released_steps(entries)) * squares})
    return pd.DataFrame(rows)


def certificates() -> pd.DataFrame:
    """Duality gaps in rational arithmetic: of the closed form, and of the script's targets.

    Returns:
        A row a cell: K, n, gap (the larger of both matrices'), coded (at the vector of the script,
        for the matrix that it takes it to belong to), error (distance of the closed form from the
        better one of the two candidates by objective, the larger of both matrices').
    """
    rows = []
    for place, cell in enumerate(TABLE):
        own = [barrier.row(cell, larger, Fraction) for larger in (0, 1)]
        closed = max(barrier.gap(entries, barrier.minimiser(entries)) for entries in own)
        roles = as_coded(place // 3)
        wrong = barrier.gap(own[1 - roles.read], target(cell, roles, Fraction))
        off = max(
            barrier.distance(barrier.minimiser(entries), barrier.better(entries)) for entries in own
        )
        found = {"gap": float(closed), "coded": float(wrong), "error": off / cell.unit}
        rows.append({"K": cell.digits, "n": cell.precision} | found)
    return pd.DataFrame(rows)
