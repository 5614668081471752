"""What chapters compute: their sweeps, the seconds of each kind of point, and their own seconds.

`python -m benchmarks.plans CHAPTER PROFILE …` executes a chapter's cells and prints this as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from subprocess import run
from typing import Any
from unittest.mock import patch

from benchmarks.book import copy_of
from falsestruct.press.notebook import staging
from falsestruct.press.paths import Book, find_book
from falsestruct.press.run import chapters
from falsestruct.sweep import grid

PAGES = 30  # from this number on, pages only show what the others wrote
# Chapters by profile. In `paper` the points of most chapters grow instead of becoming more, and
# measuring them would be the whole run; these two have equal points, of which one each is enough.
PROFILES = {"book": None, "paper": ("03_stripes", "04_oscillation")}
Sweep = list[dict[str, float]]
Known = dict[str, tuple[list[int], Any]]


def kind(arguments: Any) -> Any:
    """Arguments without what only draws other networks: seeds count, their numbers don't."""
    if isinstance(arguments, list):
        return [kind(item) for item in arguments]
    if not isinstance(arguments, Mapping):
        return arguments
    rest = {name: kind(item) for name, item in arguments.items() if name != "seed"}
    if isinstance(seeds := rest.get("seeds"), list):
        rest["seeds"] = len(seeds)
    return rest


def seeds(arguments: Any) -> list[int]:
    """The numbers of a point's networks, in order; none if it only counts them."""
    if isinstance(arguments, list):
        return [seed for item in arguments for seed in seeds(item)]
    if not isinstance(arguments, Mapping):
        return []
    own = [arguments["seed"]] if "seed" in arguments else arguments.get("seeds")
    return list(own) if isinstance(own, list) else seeds(list(arguments.values()))


def of_others(result: str, before: Sequence[int], now: Sequence[int]) -> str:
    """A point's encoded table, as if of other networks: no network is to be there twice."""
    table = json.loads(result)
    if "seed" in table["columns"] and before:
        names, (kind_, values) = dict(zip(before, now, strict=True)), table["columns"]["seed"]
        table["columns"]["seed"] = [kind_, [names[value] for value in values]]
    return json.dumps(table)


class Once(Executor):
    """Computes one point of each kind, here; the others of that kind get its result."""

    _max_workers = 1

    def __init__(self, known: Known) -> None:
        """`known` has the first point and its outcome by kind, and gets the new ones."""
        self._known, self._points = known, dict[str, int]()
        self.ended = time.perf_counter()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Compute a point, or find its kind's outcome; `args` are those of the sweep's worker."""
        reference, text, *_ = args
        arguments = json.loads(text)
        name = json.dumps([reference, kind(arguments)], sort_keys=True)
        if name not in self._known:
            self._known[name] = (seeds(arguments), fn(*args, **kwargs))
        self._points[name] = self._points.get(name, 0) + 1
        before, outcome = self._known[name]
        if outcome.error is None:
            outcome = replace(outcome, result=of_others(outcome.result, before, seeds(arguments)))
        future: Future[Any] = Future()
        future.set_result(outcome)
        self.ended = time.perf_counter()
        return future

    def kinds(self) -> Sweep:
        """Seconds of each kind, and how many points there were of it."""
        return [
            {"seconds": self._known[name][1].seconds, "points": points}
            for name, points in self._points.items()
        ]


class Recorder:
    """Every sweep's place to compute, in the order of the sweeps.

    Attributes:
        own: Seconds before each sweep and, once `end` was called, after the last.
    """

    def __init__(self, known: Known) -> None:
        self._known, self._places, self._begun = known, list[Once](), time.perf_counter()
        self.own = list[float]()

    def begin(self) -> Executor:
        """A sweep begins, and asks where."""
        self.end()
        self._places.append(Once(self._known))
        return self._places[-1]

    def end(self) -> None:
        """The chapter's own seconds since the last sweep end here."""
        since = self._places[-1].ended if self._places else self._begun
        self.own.append(time.perf_counter() - since)

    def sweeps(self) -> list[Sweep]:
        """Kinds of points by sweep."""
        return [place.kinds() for place in self._places]


def execute(name: str, profile: str, known: Known) -> dict[str, Any]:
    """Execute a chapter's cells here: chapter, own, sweeps, failed (cells, by number)."""
    from IPython.core.interactiveshell import InteractiveShell

    book = find_book()
    chapter = chapters.read_chapter(book.source / f"{name}.md")
    given = chapter.parameters | chapter.profiles.get(profile, {}) | {"profile": profile}
    shell, failed, recorder = InteractiveShell(), [], Recorder(known)
    here = patch.object(grid, "_from_environment", recorder.begin)
    with tempfile.TemporaryDirectory() as folder, here:
        staging.Run(Path(folder), name, given, "").save()
        os.environ[staging.VARIABLE] = folder
        for number, code in enumerate(chapter.code, start=1):
            if not shell.run_cell(code).success:
                failed.append(number)
            if number == 1:
                shell.push(given)
        recorder.end()
    return {"chapter": name, "own": recorder.own, "sweeps": recorder.sweeps(), "failed": failed}


def measure(root: Path, wanted: Mapping[str, Sequence[str] | None] = PROFILES) -> dict[str, Any]:
    """Plans by profile: chapters in order, each executed once in a process of its own, two at once.

    Raises:
        RuntimeError: a chapter did not run, or cells of it failed, so that sweeps may be missing.
    """
    with copy_of(root) as copy:
        known = [n for n in chapters.read_chapters(Book(copy)) if int(n[:2]) < PAGES]
        asked = {profile: names or known for profile, names in wanted.items()}
        tasks = {n: [p for p, names in asked.items() if n in names] for n in known}
        # Those with most to do first, so that none is left alone at the end.
        order = sorted(filter(tasks.get, tasks), key=lambda name: -len(tasks[name]))
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = dict(
                zip(order, threads.map(lambda n: _apart(copy, n, tasks[n]), order), strict=True)
            )
    return {
        profile: [found[name][profile] for name in known if name in names]
        for profile, names in asked.items()
    }


def _apart(copy: Path, name: str, profiles: Sequence[str]) -> dict[str, Any]:
    """`execute` in a process of its own, with one thread as on a worker."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    others = {k: v for k, v in os.environ.items() if not k.startswith("FALSESTRUCT_")}  # a store
    env = others | threads | {"PYTHONPATH": str(copy), "FALSESTRUCT_ROOT": str(copy)}
    start = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.plans", name, *profiles]
    done = run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    print(f"  {name} ({', '.join(profiles)}): {time.perf_counter() - start:.0f} s", flush=True)
    if done.returncode:
        raise RuntimeError(f"{name} did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for profile, plan in found.items():
        if failed := plan.pop("failed"):
            raise RuntimeError(f"{name}, {profile}: cells {failed} failed: {done.stdout[-2000:]}")
    return found


if __name__ == "__main__":
    kept: Known = {}
    print(json.dumps({profile: execute(sys.argv[1], profile, kept) for profile in sys.argv[2:]}))
