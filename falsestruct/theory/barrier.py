"""Two matrices that no finite precision tells apart, and whose minimisers differ in the K-th digit.

The family is that of arXiv:2101.08286, as its released code builds it. The parameters δ and λ of
that code cancel: the matrix has the first row (a, a, 0, …, 0) with a = √2·10ᴷ/3, one of the two
entries larger by 2⁻ⁿ⁻¹, and ‖row‖ times the identity below. An orthonormal cosine transform from
the left hides that. The measurements are those of the first unit vector.

A row is a sequence of numbers in any arithmetic: floats, `Decimal`s or `Fraction`s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from falsestruct.theory import operators
from falsestruct.theory.firenet import SAFETY, Plan
from falsestruct.theory.operators import Dense

BLOCK, REST = 2, 20  # entries of the row that aren't zero; unknowns below the identity
DIGITS = 60  # of decimal arithmetic

Row = Sequence[Any]


@dataclass(frozen=True)
class Cell:
    """One cell of the table.

    Attributes:
        digits: The paper's K, at least 1: below, the minimiser is 0.
        precision: The paper's n: the two matrices differ by at most 2⁻ⁿ.
    """

    digits: int
    precision: int

    def __post_init__(self) -> None:
        if self.digits < 1:
            raise ValueError(f"K is {self.digits}; expected at least 1")

    @property
    def unit(self) -> float:
        """10⁻ᴷ."""
        return float(10.0**-self.digits)


TABLE = tuple(Cell(K, n) for K in (1, 3, 6) for n in (10, 20, 30))


def row(cell: Cell, larger: int, number: Callable[[Decimal], Any] = float) -> list[Any]:
    """The two entries of the first row that aren't zero, the one at `larger` (0 or 1) the larger.

    Args:
        number: Makes the arithmetic's number from a decimal one of sixty digits. In floats both
            entries are the same as soon as the precision is beyond theirs.
    """
    if larger not in (0, 1):
        raise ValueError(f"larger is {larger}; expected 0 or 1")
    with localcontext(prec=DIGITS):
        entry = Decimal(2).sqrt() * Decimal(10) ** cell.digits / 3
        more = entry + Decimal(2) ** (-cell.precision - 1)
    return [number(more if place == larger else entry) for place in range(BLOCK)]


def minimiser(entries: Row) -> list[Any]:
    """The minimiser in closed form: 1/max at the largest entry, 0 elsewhere; the first if equal."""
    place = max(range(len(entries)), key=lambda i: entries[i])
    return [1 / entries[i] if i == place else 0 * entries[i] for i in range(len(entries))]


def gap(entries: Row, x: Row, *, lam: int = 1) -> Any:
    """F(x) less the value of a dual certificate: 0 at a minimiser only, in the row's arithmetic.

    The certificate is u = −λ/max on the first row. For x that misses the data in a coordinate below
    the first row, F is replaced by less: the largest misfit instead of their norm.

    Args:
        x: All unknowns, or only those of the row.
    """
    misfit = abs(sum(a * b for a, b in zip(entries, x, strict=False)) - 1)
    below = max((abs(b) for b in x[len(entries) :]), default=0 * misfit)
    misfit = max(misfit, max(entries) * below)
    return lam * sum(abs(b) for b in x) + misfit - lam / max(entries)


def better(entries: Sequence[Fraction]) -> list[Fraction]:
    """The candidate 1/entry at one place with the least objective, whatever `minimiser` says."""
    candidates = [
        [1 / entry if place == i else Fraction(0) for place in range(len(entries))]
        for i, entry in enumerate(entries)
    ]
    return min(candidates, key=lambda x: gap(entries, x))


def indistinct(*, digits: int, precision: int) -> float:
    """Relative difference of the closed form in doubles and in decimals, the worse matrix."""
    cell = Cell(digits, precision)
    found = []
    for larger in (0, 1):
        double = minimiser(row(cell, larger))
        exact = [float(b) for b in minimiser(row(cell, larger, Decimal))]
        found.append(distance(double, exact) / math.hypot(*exact))
    return max(found)


def half_distance(cell: Cell) -> float:
    """Half the distance between the two minimisers: what nobody can avoid. About 1.5·10⁻ᴷ."""
    first, second = (minimiser(row(cell, larger, Fraction)) for larger in (0, 1))
    squares = sum((a - b) ** 2 for a, b in zip(first, second, strict=True))
    return math.sqrt(squares / 4)


def problem(entries: Row, *, hidden: bool = True) -> tuple[Dense, Tensor]:
    """The whole matrix, 21 × 22, and the measurements, (21,), in double precision.

    Args:
        hidden: Behind the cosine transform, as in the table.
    """
    head = torch.tensor([float(a) for a in entries], dtype=torch.float64)
    matrix = torch.zeros(REST + 1, BLOCK + REST, dtype=torch.float64)
    matrix[0, :BLOCK] = head
    matrix[1:, BLOCK:] = head.norm() * torch.eye(REST, dtype=torch.float64)
    y = torch.zeros(REST + 1, dtype=torch.float64)
    y[0] = 1
    if hidden:
        matrix, y = operators.cosine(matrix.mT).mT.contiguous(), operators.cosine(y)
    return Dense(matrix), y


def network(entries: Row, plan: Plan) -> list[Any]:
    """FIRENET's answer in the row's own arithmetic, floats or `Decimal`s.

    The transform is orthonormal, and unknowns below the first row have data 0 and stay 0. What is
    left are as many unknowns as the row has, and a dual variable that is one number. Steps are not
    checked: the released script's are tried too.
    """
    number = type(entries[0])
    e: Any = Decimal(1).exp() if number is Decimal else math.e
    squares = sum(a * a for a in entries)
    norm: Any = squares.sqrt() if number is Decimal else math.sqrt(squares)
    tau = sigma = number(str(SAFETY)) / norm
    if plan.steps is not None:
        tau, sigma = (number(step) for step in plan.steps)
    lam, slack = number(plan.lam), number(plan.slack)
    x, aim = [number(0) for _ in entries], number(1)
    for _ in range(plan.restarts):
        aim = (slack + aim) / e
        scale = plan.inner * aim / (2 * norm)
        x = _restart(entries, x, plan.inner, (tau * scale, sigma / scale, tau * scale * lam))
    return x


def _restart(entries: Row, start: Row, inner: int, steps: tuple[Any, Any, Any]) -> list[Any]:
    """The mean of the first iterates from `start`, as `firenet.primal_dual`."""
    tau, sigma, threshold = steps
    x, total = list(start), [0 * b for b in start]
    u = 0 * tau
    for _ in range(inner):
        moved = []
        for a, b in zip(entries, x, strict=True):
            z = b - tau * a * u
            moved.append(z - max(-threshold, min(threshold, z)))
        ahead = sum(a * (2 * new - old) for a, new, old in zip(entries, moved, x, strict=True))
        u += sigma * (ahead - 1)
        u = max(-1 + 0 * u, min(1 + 0 * u, u))
        x, total = moved, [t + b for t, b in zip(total, moved, strict=True)]
    return [t / inner for t in total]


def distance(x: Row, other: Row) -> float:
    """Euclidean distance of two vectors; the shorter one goes on with zeros."""
    size = max(len(x), len(other))
    first, second = ([*v, *[0] * (size - len(v))] for v in (x, other))
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)))


def leaves(cell: Cell, inner: int) -> float:
    """How far FIRENET goes from the midpoint (0) to its matrix's own minimiser (1)."""
    entries = row(cell, 1)
    found = network(entries, Plan(1.0, 30, inner))
    return float((found[1] - found[0]) * max(entries))


def doubling(shares: Mapping[int, Sequence[float]]) -> float:
    """Slope of log₂ p against the precision at which p inner steps go half the way.

    Args:
        shares: For each p what `leaves` gives at the precisions 0, 1, 2, …

    Raises:
        ValueError: the shares of some p don't cross one half.
    """
    found = []
    for p, own in shares.items():
        n = next((n for n, share in enumerate(own) if share < 0.5), 0)
        if n == 0:
            raise ValueError(f"p = {p} crosses one half at no n of 0 to {len(own) - 1}; widen it")
        # Between the two, the logarithm of the share is nearly linear in n.
        above, below = (math.log(max(share, 1e-300)) for share in own[n - 1 : n + 1])
        found.append(n - 1 + (above + math.log(2)) / (above - below))
    return float(np.polyfit(found, np.log2(list(shares)), 1)[0])
