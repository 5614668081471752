"""How long a run takes on many cores: a model of chapters that send the points of sweeps away."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Plan:
    """What a chapter computes.

    Attributes:
        chapter: Its name.
        serial: Seconds that it takes outside of its sweeps; they come first.
        sweeps: Seconds of each point of each sweep. A sweep begins when the one before has ended.
    """

    chapter: str
    serial: float
    sweeps: tuple[tuple[float, ...], ...]


def plans(stored: Sequence[Mapping[str, Any]]) -> list[Plan]:
    """Plans from a record: chapter, serial, and for each sweep kinds of points and their number."""
    return [
        Plan(
            entry["chapter"],
            entry["serial"],
            tuple(
                tuple(kind["seconds"] for kind in kinds for _ in range(kind["points"]))
                for kinds in entry["sweeps"]
            ),
        )
        for entry in stored
    ]


def work(plans: Sequence[Plan]) -> float:
    """Seconds of all points, one after the other."""
    return sum(sum(sweep) for plan in plans for sweep in plan.sweeps)


def critical(plans: Sequence[Plan]) -> float:
    """Seconds on infinitely many cores without overhead: the longest chapter's longest points."""
    return max(plan.serial + sum(max(sweep) for sweep in plan.sweeps) for plan in plans)


def simulate(plans: Sequence[Plan], cores: int, *, overhead: float = 0.0) -> float:
    """Seconds from the start of all chapters to the end of the last one.

    Each chapter sends the points of a sweep off, one every `overhead` seconds; a free core takes
    the point that has waited longest. The chapters' own seconds use no core of these.

    Args:
        overhead: Seconds that the sending side needs for a point.

    Raises:
        ValueError: fewer than one core, or a negative overhead.
    """
    if cores < 1 or overhead < 0:
        raise ValueError(f"cores {cores}, overhead {overhead}; expected at least 1 and 0")
    # Events are (when the points can start, chapter, sweep); the earliest is dealt with first.
    events = [(plan.serial, index, 0) for index, plan in enumerate(plans)]
    heapq.heapify(events)
    free = [0.0] * cores
    waiting: list[tuple[float, int, int, float]] = []
    left, ends = {}, [plan.serial for plan in plans]
    while events or waiting:
        if events and (not waiting or events[0][0] <= waiting[0][0]):
            now, index, number = heapq.heappop(events)
            ends[index] = max(ends[index], now)
            if number < len(plans[index].sweeps):
                points = plans[index].sweeps[number]
                left[index, number] = len(points)
                for place, seconds in enumerate(points, start=1):
                    heapq.heappush(waiting, (now + place * overhead, index, number, seconds))
            continue
        ready, index, number, seconds = heapq.heappop(waiting)
        end = max(ready, heapq.heappop(free)) + seconds
        heapq.heappush(free, end)
        ends[index] = max(ends[index], end)
        left[index, number] -= 1
        if left[index, number] == 0:
            heapq.heappush(events, (ends[index], index, number + 1))
    return max(ends)


def table(plans: Sequence[Plan], cores: Sequence[int], *, overhead: float) -> pd.DataFrame:
    """One row a number of cores: cores, seconds, ideal (work divided by cores), efficiency."""
    rows = []
    for number in cores:
        seconds, ideal = simulate(plans, number, overhead=overhead), work(plans) / number
        rows.append(
            {"cores": number, "seconds": seconds, "ideal": ideal, "efficiency": ideal / seconds}
        )
    return pd.DataFrame(rows)


def stops_at(plans: Sequence[Plan], *, overhead: float, efficiency: float = 0.5) -> int:
    """The largest power of two of cores that still works at this efficiency or better."""
    cores = 1
    while work(plans) / (2 * cores) >= efficiency * simulate(plans, 2 * cores, overhead=overhead):
        cores *= 2
    return cores
