"""Where networks change over from one structure to the other, found by halving.

A grid of strengths costs a network a seed at each of them, and knows a place to their distance. By
halving, five networks a seed know it as well as thirty-two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples, without the whole parts, are spread evenly


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
    above = networks[share] >= level
    if above.all() or not above.any() or not networks["reached"].all():
        return math.nan
    lower, upper = networks[~above].nlargest(1, strength), networks[above].nsmallest(1, strength)
    (a, left), (b, right) = (own[[strength, share]].iloc[0] for own in (lower, upper))
    return float(a * (b / a) ** ((level - left) / (right - left)))
