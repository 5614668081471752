"""Alternating runs of two or more ways to do the same thing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

RUNS = 5

Way = Callable[[], float]  # does some work and returns how much it was


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


def rates(ways: Sequence[Way], *, runs: int = RUNS) -> list[list[float]]:
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


def summary(
    names: tuple[str, str],
    seen: tuple[Sequence[float], Sequence[float]],
    *,
    unit: str,
    wanted: float | None = None,
) -> Comparison:
    """The row of two ways whose work per second was seen in alternating runs, the fast one first.

    The ratio is the median of the runs' own ratios, not the ratio of the medians.
    """
    ratios = [a / b for a, b in zip(*seen, strict=True)]
    medians = statistics.median(seen[0]), statistics.median(seen[1])
    spread = statistics.median(ratios), min(ratios), max(ratios)
    return Comparison(*names, *medians, unit, *spread, wanted)


def compare(
    names: tuple[str, str],
    ways: tuple[Way, Way],
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
    return summary(names, (fast, slow), unit=unit, wanted=wanted)


def compare_each(
    what: str,
    way: Way,
    others: Mapping[str, tuple[Way, float | None]],
    *,
    unit: str,
    runs: int = RUNS,
) -> list[Comparison]:
    """Time one way and several others in one alternation: a row for each other one.

    Args:
        others: By name, the way and the ratio that the project promises against it, if any.
    """
    fast, *slow = rates([way, *(other for other, _ in others.values())], runs=runs)
    return [
        summary((what, name), (fast, own), unit=unit, wanted=wanted)
        for (name, (_, wanted)), own in zip(others.items(), slow, strict=True)
    ]


@contextmanager
def threads(number: int) -> Iterator[None]:
    """So many threads for PyTorch and for what asks it how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
