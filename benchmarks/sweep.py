"""Sweeps: two worker processes against one, and what a sweep adds to each of its tasks."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from unittest.mock import patch

from benchmarks.measure import Comparison, compare
from falsestruct.sweep.grid import sweep

TASKS, TURNS = 40, 800_000  # about 0.15 s a task
EMPTY = 400  # tasks without any work


def work(*, task: int, turns: int) -> dict[str, int]:
    """So many turns of a linear congruential generator: one core, no memory, no library."""
    state = task
    for _ in range(turns):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
    return {"state": state}


@contextmanager
def pool(workers: int) -> Iterator[Executor]:
    """Worker processes that have loaded everything."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with patch.dict(os.environ, one), ProcessPoolExecutor(workers, get_context("spawn")) as place:
        sweep(work, {"task": list(range(8 * workers)), "turns": [1000]}, executor=place)
        yield place


def tasks(executor: Executor) -> float:
    """Sweep over equal tasks; returns their number."""
    return float(
        len(sweep(work, {"task": list(range(TASKS)), "turns": [TURNS]}, executor=executor))
    )


def rows() -> list[Comparison]:
    """Two workers against one."""
    with pool(2) as two, pool(1) as one:
        return [
            compare(
                (f"a sweep of {TASKS} equal tasks, 2 worker processes", "1 worker process"),
                (lambda: tasks(two), lambda: tasks(one)),
                unit="tasks / s",
                wanted=1.8,
            )
        ]


def overheads() -> dict[str, float]:
    """Seconds that a sweep adds to a task, by where it computes and whether it stores."""
    with pool(2) as two:
        return {
            f"{place}, {'stored' if stored else 'not stored'}": _overhead(executor, stored=stored)
            for place, executor in (("in process", None), ("2 worker processes", two))
            for stored in (False, True)
        }


def _overhead(executor: Executor | None, *, stored: bool) -> float:
    points = {"task": list(range(EMPTY)), "turns": [0]}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        sweep(work, points, executor=executor, store=folder if stored else None)
        return (time.perf_counter() - start) / EMPTY
