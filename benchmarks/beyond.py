"""What the page *Beyond one machine* is computed from: points, seconds, overheads, and a check."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.book import copy_of
from falsestruct.chapters.beyond_one_machine import measure as scaling
from falsestruct.chapters.oscillation import measure as oscillation
from falsestruct.chapters.stripes import measure as stripes
from falsestruct.press.paths import Book
from falsestruct.press.run import chapters
from falsestruct.problems.stripes import Stripes
from falsestruct.sweep.grid import sweep

ROUNDS, EMPTY, PORT = 5, 400, 8_799
WORKERS = (1, 2)
# A run of both chapters that has every kind of point of the profile `paper` once. The oscillation
# takes fewer steps, and its seconds are scaled: its time is proportional to the steps.
STEPS, SHARE = 8_000, 10
SAMPLE = {
    "seeds": 10,
    "sweep_seeds": 10,
    "slow_seeds": 10,
    "delta_seeds": 10,
    "block": 10,
    "images": 1000,
}
SAMPLE |= {"steps": STEPS, "seven_steps": 3_000, "looks": [100, 300, 1000, 3000]}
CHECK = {"architectures": ("linear", "MLP"), "offsets": (0.1, 0.3, 1.0), "points": 4}


def empty(*, index: int) -> dict[str, int]:
    """A point that computes nothing, to measure what a point costs beside its work."""
    return {"index": index}


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """A Dask scheduler and workers with one thread each, over TCP on the loopback address."""
    dask = [sys.executable, "-m", "dask"]
    address = f"tcp://127.0.0.1:{PORT}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    env = os.environ | threads | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(PORT), "--no-dashboard"]
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
def _clients(address: str, workers: int) -> Iterator[Any]:
    from distributed import Client

    with Client(address, timeout=30) as client:
        client.wait_for_workers(workers, timeout=30)
        yield client.get_executor(pure=False, retries=0)


def _check_grid() -> list[dict[str, Any]]:
    return [
        {"shape": asdict(Stripes()), "architecture": name, "a": a}
        | {"seeds": list(range(stripes.BLOCK * i, stripes.BLOCK * (i + 1)))}
        for i in range(CHECK["points"])  # type: ignore[arg-type]
        for name in CHECK["architectures"]  # type: ignore[attr-defined]
        for a in CHECK["offsets"]  # type: ignore[attr-defined]
    ]


def _stored_seconds(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def check() -> dict[str, Any]:
    """Seconds of one sweep: predicted from points timed in one process, and measured on workers.

    Also the overhead of a point: a sweep of points that do nothing, by number of workers.
    """
    import torch

    grid, seconds, overhead = _check_grid(), list[list[float]](), dict[int, list[float]]()
    measured: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            sweep(stripes.crossing_point, grid, store=folder)
            seconds.append([entry["seconds"] for entry in _stored_seconds(Path(folder))])
        for workers in WORKERS:
            with cluster(workers) as address, _clients(address, workers) as executor:
                sweep(empty, [{"index": -1 - i} for i in range(8)], executor=executor)  # warm up
                sweep(stripes.crossing_point, grid[: 2 * workers], executor=executor)
                measured[workers].append(_seconds(stripes.crossing_point, grid, executor))
                points = [{"index": i} for i in range(EMPTY)]
                own = overhead.setdefault(workers, [])
                own.append(_seconds(empty, points, executor) / EMPTY)
    torch.set_num_threads(before)
    return {"seconds": seconds, "overhead": overhead, "measured": measured}


def _seconds(function: Any, grid: Sequence[Mapping[str, Any]], executor: Any) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        sweep(function, grid, executor=executor, store=folder)
        return time.perf_counter() - start


def plan(root: Path) -> list[dict[str, Any]]:
    """Chapters, sweeps, kinds of points of the profile `paper`: seconds and how many of them."""
    with copy_of(root) as copy:
        words = [f"{k}={v}" for k, v in SAMPLE.items()]
        command = [sys.executable, "-m", "falsestruct.cli", "run", "03_stripes", "04_oscillation"]
        command += [word for pair in words for word in ("-p", pair)]
        env = os.environ | {"PYTHONPATH": str(copy)}
        # Verdicts with few seeds are nobody's; the run may end with 1.
        subprocess.run(command, cwd=copy, env=env, capture_output=True, check=False)
        stored = _stored_seconds(copy / "_build" / "sweeps")
        book = Book(copy)
        known = chapters.read_chapters(book)
        table = []
        for name, groups in (("03_stripes", _stripes), ("04_oscillation", _oscillation)):
            chapter = known[name]
            paper = chapter.parameters | chapter.profiles["paper"]
            path = copy / "_build" / "runs" / "own" / "notebooks" / f"{name}.ipynb"
            taken = json.loads(path.read_text())["metadata"][chapters.MARK]["seconds"]
            own = [e for e in stored if name.partition("_")[2] in e["function"]]
            serial = max(0.0, taken - sum(entry["seconds"] for entry in own))
            table.append({"chapter": name, "serial": serial, "sweeps": groups(own, paper)})
    scaling.plans(table)  # has the form that the page reads
    return table


def _kind(entry: Mapping[str, Any], points: int, factor: float = 1.0) -> dict[str, float]:
    return {"seconds": entry["seconds"] * factor, "points": points}


def _stripes(
    stored: list[dict[str, Any]], paper: Mapping[str, Any]
) -> list[list[dict[str, float]]]:
    """The chapter's sweeps in its order: variants, crossing, control, three times the rate."""
    blocks = math.ceil(paper["sweep_seeds"] / stripes.BLOCK)
    variants = [e for e in stored if e["function"].endswith(":variant_point")]
    rest = [e for e in stored if e["function"].endswith(":crossing_point")]
    control = [e for e in rest if e["arguments"].get("independent")]
    faster = [e for e in rest if "factor" in e["arguments"]]
    crossing = [e for e in rest if e not in control and e not in faster]
    sweeps = [[_kind(e, math.ceil(paper["seeds"] / stripes.BLOCK)) for e in variants]]
    return sweeps + [[_kind(e, blocks) for e in group] for group in (crossing, control, faster)]


def _oscillation(
    stored: list[dict[str, Any]], paper: Mapping[str, Any]
) -> list[list[dict[str, float]]]:
    """The chapter's sweeps in its order: the long runs, the runs with seven samples, the δ."""
    assert all(e["function"].endswith(f"{oscillation.__name__}:point") for e in stored)
    names = [{member["run"]["name"] for member in e["arguments"]["members"]} for e in stored]
    deltas = [
        any(m["noise"] or m["run"]["problem"]["delta"] != 1e-4 for m in e["arguments"]["members"])
        or not e["arguments"]["at"]
        for e in stored
    ]
    seven = [any(name.startswith("036") for name in own) for own in names]
    sweeps = []
    for chosen, seeds, steps in (
        ([not s and not d for s, d in zip(seven, deltas, strict=True)], "seeds", "steps"),
        (seven, "seeds", "seven_steps"),
        ([d and not s for s, d in zip(seven, deltas, strict=True)], "delta_seeds", "steps"),
    ):
        own = [e for e, keep in zip(stored, chosen, strict=True) if keep]
        blocks = math.ceil(paper[seeds] / SHARE)
        sweeps.append([_kind(e, blocks, paper[steps] / e["arguments"]["steps"]) for e in own])
    return sweeps
