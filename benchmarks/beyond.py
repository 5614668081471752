"""What the page *Beyond one machine* is computed from: chapters' plans, overheads, and checks."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.waiting import wait
from falsestruct.chapters.beyond_one_machine import measure as scaling
from falsestruct.chapters.beyond_one_machine.measure import Plan
from falsestruct.chapters.stripes import measure as stripes
from falsestruct.problems.stripes import Stripes
from falsestruct.sweep.grid import sweep

ROUNDS, EMPTY = 3, 400
WORKERS = (1, 2, 4, 8, 16, 32, 64)
COMPUTING = (1, 2)  # workers that compute something: as many as there are cores
SECONDS = 8.0  # that a run of waiting points takes, overhead aside
ARCHITECTURES, OFFSETS, BLOCKS = ("linear", "MLP"), (0.1, 0.3, 1.0), 4  # of the one that computes

# On two cores, 64 workers that each import everything, and watch themselves a hundred times a
# second, leave nothing for the work. With a core each none of this would matter.
DASK = {
    "WORKER__MULTIPROCESSING_METHOD": "forkserver",
    "WORKER__PROFILE__ENABLED": "False",
    "ADMIN__TICK__INTERVAL": "1s",
    "ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
    "COMM__TIMEOUTS__CONNECT": "300s",
    "COMM__TIMEOUTS__TCP": "300s",
}


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """A Dask scheduler and workers with one thread each, over TCP on the loopback address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    dask, address = [sys.executable, "-m", "dask"], f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    env = os.environ | threads | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    env |= {f"DASK_DISTRIBUTED__{name}": value for name, value in DASK.items()}
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["worker", address, "--nthreads", "1", "--no-dashboard", "--nworkers", str(workers)]
    with tempfile.TemporaryDirectory() as folder:
        started = [
            subprocess.Popen([*dask, *words], env=env, cwd=folder, **quiet)  # type: ignore[call-overload]
            for words in (scheduler, [*worker, "--local-directory", folder])
        ]
        try:
            yield address
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


@contextmanager
def clients(workers: int) -> Iterator[Executor]:
    """An executor on a cluster of its own."""
    import dask
    from distributed import Client

    patient = dask.config.set({"distributed.comm.timeouts.tcp": "300s"})
    with patient, cluster(workers) as address, Client(address, timeout=60) as client:
        client.wait_for_workers(workers, timeout=300)
        executor = client.get_executor(pure=False, retries=0)
        pause([0.2] * 4 * workers, executor)  # warm up: every worker imports
        yield executor


_index = itertools.count()


def pause(seconds: Sequence[float], executor: Executor) -> float:
    """Seconds that a sweep of waiting points takes, each of them a new one."""
    points = [{"seconds": each, "index": next(_index)} for each in seconds]
    return _seconds(wait, points, executor)


def _seconds(function: Any, grid: Sequence[Mapping[str, Any]], executor: Executor) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        sweep(function, grid, executor=executor, store=folder)
        return time.perf_counter() - start


def side_by_side(plans: Sequence[Plan], executor: Executor) -> float:
    """Seconds of all chapters, each of which sends one stage after the other."""

    def chapter(plan: Plan) -> None:
        for stage in plan.stages:
            pause(stage, executor)

    start = time.perf_counter()
    with ThreadPoolExecutor(len(plans)) as threads:
        list(threads.map(chapter, plans))
    return time.perf_counter() - start


def waits(
    plans: Mapping[str, Sequence[Mapping[str, Any]]], workers: Sequence[int], seconds: float
) -> dict[str, Any]:
    """Plans on real workers, where points wait for their seconds times a scale.

    Two cores can't compute for 64 workers; but they can wait for 64, and everything else is real:
    processes, messages, the scheduler, the store. Scaled down, the overhead counts for more.

    Returns:
        overhead: Seconds of a point that does nothing, by workers, for each round; and waits: for
        each plan and number of workers the scale and the seconds of each round.
    """
    overhead, rows = dict[str, list[float]](), []
    for number in workers:
        print(f"  waiting points, workers: {number}", flush=True)
        with clients(number) as executor:
            overhead[str(number)] = [pause([0.0] * EMPTY, executor) / EMPTY for _ in range(ROUNDS)]
            for name, stored in plans.items():
                scale = seconds / scaling.simulate(scaling.plans(stored), number)
                own = scaling.plans(stored, scale=scale)
                measured = [side_by_side(own, executor) for _ in range(ROUNDS)]
                rows.append({"plan": name, "workers": number, "scale": scale, "measured": measured})
    return {"overhead": overhead, "waits": rows}


def _check_grid() -> list[dict[str, Any]]:
    return [
        {"shape": asdict(Stripes()), "architecture": name, "a": a}
        | {"seeds": list(range(stripes.BLOCK * i, stripes.BLOCK * (i + 1)))}
        for i in range(BLOCKS)
        for name in ARCHITECTURES
        for a in OFFSETS
    ]


def computed() -> dict[str, Any]:
    """Seconds of a sweep that computes: its points in one process, and the whole on workers."""
    import torch

    grid, seconds = _check_grid(), list[list[float]]()
    measured: dict[str, list[float]] = {str(workers): [] for workers in COMPUTING}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    for number in range(ROUNDS):
        print(f"  computing points, round {number + 1} of {ROUNDS}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            sweep(stripes.crossing_point, grid, store=folder)
            stored = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))]
            seconds.append([entry["seconds"] for entry in stored])
        for workers in COMPUTING:
            with clients(workers) as executor:
                sweep(stripes.crossing_point, grid[: 2 * workers], executor=executor)
                measured[str(workers)].append(_seconds(stripes.crossing_point, grid, executor))
    torch.set_num_threads(before)
    return {"seconds": seconds, "measured": measured}


def measure(root: Path) -> dict[str, Any]:
    """The part of `python -m benchmarks` that is called beyond."""
    from benchmarks import plans

    found = plans.measure(root)
    return {"plan": found, "check": computed() | waits(found, WORKERS, SECONDS)}
