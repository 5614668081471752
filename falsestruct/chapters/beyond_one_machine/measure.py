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
        stages: Seconds of each point of each stage. A stage begins when the one before has ended:
            what the chapter computes itself (a single point), a sweep, and so on.
    """

    chapter: str
    stages: tuple[tuple[float, ...], ...]


def plans(stored: Sequence[Mapping[str, Any]], *, scale: float = 1.0) -> list[Plan]:
    """Plans from a record: chapter, own, and for each sweep kinds of points and their number.

    Args:
        stored: `own` has the seconds before each sweep and after the last.
        scale: Factor of all seconds.
    """
    found = []
    for entry in stored:
        alone = [[{"seconds": seconds, "points": 1}] for seconds in entry["own"]]
        stages = alone[:1]
        for kinds, own in zip(entry["sweeps"], alone[1:], strict=True):
            stages += [kinds, own]
        seconds = tuple(
            tuple(scale * kind["seconds"] for kind in kinds for _ in range(kind["points"]))
            for kinds in stages
        )
        found.append(Plan(entry["chapter"], seconds))
    return found


def work(plans: Sequence[Plan]) -> float:
    """Seconds of all points, one after the other."""
    return sum(sum(stage) for plan in plans for stage in plan.stages)


def critical(plan: Plan) -> float:
    """A chapter's seconds on infinitely many cores without overhead: its longest points."""
    return sum(max(stage) for stage in plan.stages)


def simulate(plans: Sequence[Plan], cores: int, *, overhead: float = 0.0) -> float:
    """Seconds from the start of all chapters to the end of the last one.

    Each chapter sends the points of a stage off, one every `overhead` seconds; a free core takes
    the point that has waited longest, and needs `overhead` seconds more than the point's own.

    Raises:
        ValueError: fewer than one core, or a negative overhead.
    """
    if cores < 1 or overhead < 0:
        raise ValueError(f"cores {cores}, overhead {overhead}; expected at least 1 and 0")
    # Events are (when the points can start, chapter, stage); the earliest is dealt with first.
    events = [(0.0, index, 0) for index in range(len(plans))]
    free = [0.0] * cores
    waiting: list[tuple[float, int, int, float]] = []
    left, ends = {}, [0.0] * len(plans)
    while events or waiting:
        if events and (not waiting or events[0][0] <= waiting[0][0]):
            now, index, number = heapq.heappop(events)
            if number < len(plans[index].stages):
                points = plans[index].stages[number]
                left[index, number] = len(points)
                for place, seconds in enumerate(points, start=1):
                    heapq.heappush(waiting, (now + place * overhead, index, number, seconds))
            continue
        ready, index, number, seconds = heapq.heappop(waiting)
        end = max(ready, heapq.heappop(free)) + seconds + overhead
        heapq.heappush(free, end)
        ends[index] = max(ends[index], end)
        left[index, number] -= 1
        if left[index, number] == 0:
            heapq.heappush(events, (ends[index], index, number + 1))
    return max(ends)


def table(plans: Sequence[Plan], cores: Sequence[int], *, overhead: float) -> pd.DataFrame:
    """One row a number of cores: cores, seconds, ideal (work divided by cores), efficiency."""
    rows = [
        {"cores": n, "seconds": simulate(plans, n, overhead=overhead), "ideal": work(plans) / n}
        for n in cores
    ]
    return pd.DataFrame(rows).assign(efficiency=lambda rows: rows["ideal"] / rows["seconds"])


def stops_at(curve: pd.DataFrame, *, efficiency: float = 0.5) -> int:
    """The most cores in a `table` that still work at this efficiency or better; 0 if none do."""
    return int(max(curve.loc[curve["efficiency"] >= efficiency, "cores"], default=0))
