"""Alternating runs of two ways to do the same thing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
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
        wanted: The ratio that the project promises; None: only reported.
    """

    what: str
    against: str
    fast: float
    slow: float
    unit: str
    ratio: float
    lowest: float
    highest: float
    wanted: float | None

    @property
    def met(self) -> bool:
        """Whether the median ratio is what the project promises."""
        return self.wanted is None or self.ratio >= self.wanted


def rates(ways: Sequence[Callable[[], float]], *, runs: int = RUNS) -> list[list[float]]:
    """Work per second of each way, `runs` times in alternation, after a run to warm up.

    In alternation, so that whatever else the machine does hits all.

    Args:
        ways: Each does some work and returns how much it was.
    """
    seen: list[list[float]] = [[] for _ in ways]
    for way in ways:
        way()
    for _ in range(runs):
        for way, own in zip(ways, seen, strict=True):
            start = time.perf_counter()
            work = way()
            own.append(work / (time.perf_counter() - start))
    return seen


def compare(
    names: tuple[str, str],
    ways: tuple[Callable[[], float], Callable[[], float]],
    *,
    unit: str,
    wanted: float | None = None,
    runs: int = RUNS,
) -> Comparison:
    """Time two ways in alternation.

    Args:
        ways: Each does some work and returns how much it was; the first is the fast one.
        wanted: The ratio that the project promises.
    """
    fast, slow = rates(ways, runs=runs)
    ratios = [a / b for a, b in zip(fast, slow, strict=True)]
    medians = statistics.median(fast), statistics.median(slow)
    spread = statistics.median(ratios), min(ratios), max(ratios)
    return Comparison(*names, *medians, unit, *spread, wanted)
