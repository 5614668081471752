"""How long the whole book takes: from nothing, with no change, with a change in one chapter.

The first and the last are one run each: they are no medians, and have no spread.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measure import RUNS

WHOLE = 9 * 60  # seconds at most, on 2 cores
CHAPTER = "02_structures"  # the one that is changed; 31 and 32 show what the others wrote
LEFT_OUT = (".git", ".venv", "_build", "__pycache__", "notebooks", "evidence.json", "figures")


@dataclass(frozen=True)
class Timing:
    """One row: what was done, seconds, the most it may take, and which chapters ran.

    Attributes:
        runs: How many runs the seconds are the median of; 1: it is that run's.
    """

    what: str
    seconds: float
    allowed: float | None
    ran: list[str]
    runs: int = 1


@contextmanager
def copy_of(root: Path) -> Iterator[Path]:
    """A copy of the book that has no results."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        yield copy


def timings(root: Path) -> list[Timing]:
    """Runs of the command line in a copy of the book that has no results."""
    with copy_of(root) as copy:
        table = [_timed("whole book from nothing", copy, WHOLE)]
        table.append(_nothing(copy))
        chapter = copy / "book" / f"{CHAPTER}.md"
        chapter.write_text(chapter.read_text() + "\nOne more sentence.\n")
        table.append(_timed(f"a sentence in {CHAPTER}", copy, None))
    return table


def _nothing(copy: Path) -> Timing:
    """A run that finds nothing to do; short, so the median of several."""
    runs = sorted((_timed("no change", copy, 5) for _ in range(RUNS)), key=lambda run: run.seconds)
    return replace(runs[RUNS // 2], runs=RUNS)


def _timed(what: str, copy: Path, allowed: float | None) -> Timing:
    command = [sys.executable, "-m", "falsestruct.cli", "run"]
    own = {k: v for k, v in os.environ.items() if not k.startswith("FALSESTRUCT_")}
    env = own | {"PYTHONPATH": str(copy)}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"`falsestruct run` failed: {done.stdout}{done.stderr}")
    return Timing(what, seconds, allowed, re.findall(r"\] (\S+) done", done.stdout))
