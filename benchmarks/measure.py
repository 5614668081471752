"""Alternating runs of two ways to do the same thing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True)
class Comparison:
    """One row of the table.

    Attributes:
        what, against: The two ways.
        fast, slow: Median work per second of each.
        unit: Of that work.
        ratio, lowest, highest: fast/slow: median and range over the runs.
        wanted: The ratio that the project promises.
    """

    what: str
    against: str
    fast: float
    slow: float
    unit: str
    ratio: float
    lowest: float
    highest: float
    wanted: float


def compare(
    names: tuple[str, str],
    ways: tuple[Callable[[], float], Callable[[], float]],
    *,
    unit: str,
    wanted: float,
    runs: int = RUNS,
) -> Comparison:
    """Time two ways in alternation, so that whatever else the machine does hits both.

    Args:
        ways: Each does some work and returns how much it was; the first is the fast one.
        wanted: The ratio that the project promises.
    """
    rates: tuple[list[float], list[float]] = ([], [])
    for way in ways:  # warm up
        way()
    for _ in range(runs):
        for way, seen in zip(ways, rates, strict=True):
            start = time.perf_counter()
            work = way()
            seen.append(work / (time.perf_counter() - start))
    ratios = [fast / slow for fast, slow in zip(*rates, strict=True)]
    medians = [statistics.median(seen) for seen in rates]
    return Comparison(
        *names, *medians, unit, statistics.median(ratios), min(ratios), max(ratios), wanted
    )
