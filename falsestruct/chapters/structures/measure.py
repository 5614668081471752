"""Tables behind the figures of chapter 02: exact values, rounded to floats for drawing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pandas as pd

from falsestruct.theory import oscillation as exact
from falsestruct.theory.relu import knots


def ends(a: int, K: int) -> list[Fraction]:
    """b, the breakpoints, 1: (K − a + 2,)."""
    return [Fraction(a, K + 1), *exact.breakpoints(a, K), Fraction(1)]


def pair(a: int, K: int, epsilon: Fraction, points: int) -> pd.DataFrame:
    """The data with the hint and the intervals that they lie in.

    Returns:
        One row a data point, `points` in each interval of S_ε: x1; label; low, high (its interval
        between breakpoints); inner_low, inner_high (its interval of S_ε). The second input is
        δ · label, so the table needs no δ.
    """
    rows = []
    bounds = ends(a, K)
    for x1 in exact.grid(a, K, epsilon, points):
        low, high = max(t for t in bounds if t <= x1), min(t for t in bounds if t > x1)
        numbers = (x1, low, high, low + epsilon, high - epsilon)
        rows.append((exact.label(x1, a), *map(float, numbers)))
    return pd.DataFrame(rows, columns=["label", "x1", "low", "high", "inner_low", "inner_high"])


def radii(a: int, K: int, epsilon: Fraction, *, delta: Fraction, points: int) -> pd.DataFrame:
    """Stability radii of both structures on the data.

    Returns:
        Rows (x1, original, hint, epsilon), in increasing order of x1.
    """
    rows = [
        (x1, exact.radius(x1, a, K), delta / 2, epsilon) for x1 in exact.grid(a, K, epsilon, points)
    ]
    return pd.DataFrame(
        [map(float, row) for row in rows], columns=["x1", "original", "hint", "epsilon"]
    )


def networks(a: int, K: int, epsilon: Fraction) -> pd.DataFrame:
    """The exact and the smallest network along x₁, by their corners, and f_a.

    Returns:
        Rows (what, x1, value) with what = "exact", "smallest" (b, knots, 1: linear in between) or
        "f" (both ends of each interval, so that its steps are vertical).
    """
    bounds, zero = ends(a, K), Fraction(0)
    rows = []
    for what, network in (
        ("exact", exact.exact_network(a, K, epsilon)),
        ("smallest", exact.smallest_network(a, K)),
    ):
        line = network.along_first((zero,))
        corners = [bounds[0], *knots(line, bounds[0], bounds[-1]), bounds[-1]]
        rows += [(what, float(x), float(line((x,)))) for x in corners]
    for low, high in zip(bounds, bounds[1:], strict=False):
        rows += [("f", float(x), float(exact.label(low, a))) for x in (low, high)]
    return pd.DataFrame(rows, columns=["what", "x1", "value"])


def smallest_networks(pairs: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """Do the smallest networks have their size and labels, and can they spare a ReLU?

    Returns:
        One row a pair (a, K): a, K, units; minimal (the size that the corollary states); follows
        (the labels are right); spared (without how many of its ReLUs they still are).
    """
    rows = []
    for a, K in pairs:
        network = exact.smallest_network(a, K)
        less = [exact.without_unit(network, unit) for unit in range(network.size)]
        spared = sum(exact.follows(other, a, K) for other in less)
        follows = exact.follows(network, a, K)
        rows.append((a, K, network.size, exact.minimal_size(K - a), follows, spared))
    return pd.DataFrame(rows, columns=["a", "K", "units", "minimal", "follows", "spared"])
