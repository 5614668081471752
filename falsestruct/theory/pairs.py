"""Pairs of nearly equal matrices whose minimisers are any two vectors, mirror images or not.

Two nonnegative vectors on different places, both of the sum one, are v and w with zeros at the
other's places. The limit matrix has orthonormal rows, all that are orthogonal to v − w. So it maps
both to the same y, and the vectors between v and w have the least first norm of all that fit y. A
matrix whose columns at the places of v are longer by a factor 1 + 2⁻ⁿ has the minimiser
v/(1 + 2⁻ⁿ) alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from falsestruct.theory.firenet import Plan, firenet
from falsestruct.theory.operators import Dense

RESTARTS, INNER = 30, 50  # of the networks that are asked, as in the table of chapter 11
PRECISION = 30


@dataclass(frozen=True, eq=False)
class Pair:
    """Two matrices that samples of limited precision can't tell apart.

    Attributes:
        matrices: (2, rows, unknowns), at most 2 · 2⁻ⁿ apart.
        y: The measurements of both, (rows,).
        minimisers: Of F with each matrix, (2, unknowns).
        lam: The weight of the first norm; any below (unknowns)^(−1/2) will do.
    """

    matrices: Tensor
    y: Tensor
    minimisers: Tensor
    lam: float

    @property
    def half(self) -> float:
        """Half the distance of the minimisers: the error that nobody can avoid."""
        return float((self.minimisers[0] - self.minimisers[1]).norm()) / 2

    def quotient(self, answer: Tensor) -> float:
        """The larger distance of an answer to the two minimisers, over `half`."""
        return float((self.minimisers - answer).norm(dim=-1).max()) / self.half


def pair(first: Tensor, second: Tensor, *, precision: int = PRECISION) -> Pair:
    """The pair of two positive vectors, each of the sum one.

    Args:
        first, second: (k,) and (l,); the unknowns of the pair are theirs, one after the other.
        precision: n.

    Raises:
        ValueError: an entry isn't positive, or a sum isn't one.
    """
    for vector in (first, second):
        if not (vector > 0).all() or abs(float(vector.sum()) - 1) > 1e-9:
            raise ValueError(f"a vector is {vector.tolist()}; expected positive, of the sum one")
    places = torch.arange(len(first) + len(second)) < len(first)
    ends = torch.zeros(2, len(places), dtype=torch.float64)
    ends[0, places], ends[1, ~places] = first.double(), second.double()
    away = ends[:1] - ends[1:]
    limit = torch.linalg.svd(away).Vh[1:]
    longer = 1 + 2.0**-precision
    own = torch.stack((places, ~places)).double()
    return Pair(
        matrices=limit * (1 + (longer - 1) * own)[:, None],
        y=limit @ ends[0], minimisers=ends / longer, lam=0.5 / math.sqrt(len(places)),
    )  # fmt: skip


def answer(given: Pair, which: int = 1, *, inner: int = INNER) -> Tensor:
    """FIRENET's answer to one matrix of the pair, (unknowns,)."""
    plan = Plan(given.lam, RESTARTS, inner, slack=1e-9)
    return firenet(Dense(given.matrices[which]), given.y, plan)


def equal(first: int, second: int, *, precision: int = PRECISION) -> Pair:
    """The pair whose minimisers have so many entries each, all equal; 1 and 2: (0, 0, 1) and
    (½, ½, 0)."""
    one, two = (torch.full((size,), 1 / size, dtype=torch.float64) for size in (first, second))
    return pair(one, two, precision=precision)


def drawn(seed: int, *, most: int = 4) -> Pair:
    """A random pair: one to `most` entries each, uniform between .1 and 1, then scaled."""
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(1, most + 1, (2,), generator=generator).tolist()
    parts = [
        0.1 + 0.9 * torch.rand(size, dtype=torch.float64, generator=generator) for size in sizes
    ]
    first, second = (part / part.sum() for part in parts)
    return pair(first, second)


def table(count: int, *, first: int = 1000) -> pd.DataFrame:
    """How FIRENET does on pairs of one entry against k, of k against k, and on random ones.

    Args:
        count: Random pairs, with the seeds from `first` on.

    Returns:
        A row a pair: kind ("one against k", "k against k", "random"), k (0 if random), quotient
        (`Pair.quotient` of its answer), middle (that of the midpoint), wanted (2k/(k + 1), or NaN).
    """
    pairs = [("one against k", k, 2 * k / (k + 1), equal(1, k)) for k in range(1, 9)]
    pairs += [("k against k", k, 1.0, equal(k, k)) for k in range(1, 5)]
    pairs += [("random", 0, math.nan, drawn(seed)) for seed in range(first, first + count)]
    return pd.DataFrame([
        {"kind": kind, "k": k, "wanted": wanted, "quotient": given.quotient(answer(given)),
         "middle": given.quotient(given.minimisers.mean(0))}
        for kind, k, wanted, given in pairs
    ])  # fmt: skip
