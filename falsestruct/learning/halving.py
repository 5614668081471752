"""Where networks change over from one structure to the other: found by halving, and compared.

A grid of strengths costs a network a seed at each of them, and knows a place to their distance. By
halving, five networks a seed know it as well as thirty-two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import cast

import numpy as np
import pandas as pd

from falsestruct.evidence import Found, ratio, where
from falsestruct.statistics import Estimate, Nobody

GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples, without the whole parts, are spread evenly
SPARED = 0.1  # share of networks of a kind that may have no number
EVEN = 1.25  # between medians of steps that are about equal
Quotients = pd.Series | Nobody  # by seed


def halved(
    trained: Callable[[Sequence[float]], pd.DataFrame],
    seeds: Sequence[int],
    between: Sequence[float],
    halvings: int,
    *,
    share: str,
    level: float = 0.5,
) -> pd.DataFrame:
    """Train networks where their seed changes over, on a logarithmic scale, step by step.

    Each seed has strengths of its own, shifted by up to half of the distance of the last two: what
    a place between them is off varies with the seed, and an interval over seeds knows of it.

    Args:
        trained: From a strength a seed to a table of networks, in the order of the seeds.
        between: Strengths below and above, positive.
        halvings: So many networks a seed.
        share: The column that rises with the strength.
        level: What it passes.

    Returns:
        All tables, one after the other.
    """
    first, last = (math.log(a) for a in between)
    shift = np.asarray(seeds) * GOLDEN % 1 - 0.5
    low, high = (end + shift * (last - first) / 2**halvings for end in (first, last))
    parts = []
    for _ in range(halvings):
        middle = (low + high) / 2
        parts.append(trained(np.exp(middle).tolist()))
        above = parts[-1][share].to_numpy() >= level
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return pd.concat(parts, ignore_index=True)


def place(networks: pd.DataFrame, *, strength: str, share: str, level: float = 0.5) -> float:
    """Where one seed changes over, from its rows of `halved`: interpolated between the last two.

    NaN if that is outside of the strengths, or if one of the networks has not `reached` its loss.
    """
    return _place([networks[name].to_numpy() for name in (strength, share, "reached")], level)


def _place(columns: Sequence[np.ndarray], level: float) -> float:
    strengths, shares, reached = columns
    above = shares >= level
    if above.all() or not above.any() or not reached.all():
        return math.nan
    i = np.where(above, -np.inf, strengths).argmax()
    j = np.where(above, strengths, np.inf).argmin()
    a, b = strengths[i], strengths[j]
    return float(a * (b / a) ** ((level - shares[i]) / (shares[j] - shares[i])))


# Kinds of networks, compared


def places(table: pd.DataFrame, *, strength: str, share: str, level: float = 0.5) -> pd.DataFrame:
    """The `place` of each seed of an arm, and the median of its networks' steps.

    Args:
        table: Tables of `halved`, with a column arm.

    Returns:
        Columns arm, seed, crossover, steps.
    """
    *columns, steps = (table[name].to_numpy() for name in (strength, share, "reached", "steps"))
    groups = table.groupby(["arm", "seed"], sort=False).indices
    rows = [
        (
            *cast(tuple[object, ...], key),
            _place([column[own] for column in columns], level),
            np.median(steps[own]),
        )
        for key, own in groups.items()
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "crossover", "steps"])


def quotients(found: pd.DataFrame, one: str, other: str, *, even: bool = False) -> Quotients:
    """Crossover of one arm over that of another, by seed, for each seed that both have.

    Args:
        even: Nobody if medians of their steps are more than `EVEN` apart.
    """
    pairs = where(found, arm=one).merge(where(found, arm=other), on="seed").set_index("seed")
    x, y = pairs["crossover_x"], pairs["crossover_y"]
    nobody = spared(x.isna()) or spared(y.isna())
    nobody = nobody or (uneven(pairs["steps_x"], pairs["steps_y"]) if even else None)
    return nobody or x / y


def uneven(one: pd.Series, other: pd.Series) -> Nobody | None:
    """Nobody, if medians of the steps of two kinds are more than `EVEN` apart."""
    less, more = sorted((float(one.median()), float(other.median())))
    return Nobody(f"steps are {less:.0f} and {more:.0f}") if more > EVEN * less else None


def over(found: pd.DataFrame, one: str, other: str, *, even: bool = False) -> Found:
    """Geometric mean of `quotients`."""
    own = quotients(found, one, other, even=even)
    return own if isinstance(own, Nobody) else ratio(own)


def apart(found: pd.DataFrame, one: str, other: str, *, even: bool = False) -> Found:
    """The same, the larger crossover over the smaller one."""
    return worst([over(found, *pair, even=even) for pair in ((one, other), (other, one))], max)


def worst(found: Iterable[Found], choose: Callable[..., Estimate], end: str = "value") -> Found:
    """The estimate whose end is the smallest or largest; no number if one of them has none."""
    known: list[Estimate] = []
    for one in found:
        if isinstance(one, Nobody):
            return one
        known.append(one)
    return choose(known, key=attrgetter(end))


def spared(lost: pd.Series) -> Nobody | None:
    """Nobody, if more than `SPARED` of a kind are lost."""
    part = float(lost.mean()) if len(lost) else 0.0
    return Nobody(f"{part:.0%} of a kind have no number") if part > SPARED else None
