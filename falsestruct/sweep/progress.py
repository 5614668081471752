"""How far a sweep is: counted, estimated, shown in a terminal, left in a file."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from falsestruct import files

FILE = "FALSESTRUCT_PROGRESS"
SECONDS = 0.5  # between writes of that file


@dataclass(frozen=True)
class Progress:
    """How far a sweep is, in points of its grid.

    Attributes:
        done: Computed or read from the store.
        total: Of the grid.
        failed: With an error; done + failed is total in the end.
        from_store: Of those done, the ones that this sweep did not compute.
        seconds: Since the sweep began.
        left: Estimated seconds to the end, at the pace of this run's own points so far; None
            before the first of them.
    """

    done: int
    total: int
    failed: int
    from_store: int
    seconds: float
    left: float | None


Report = Callable[[Progress], None]


class Tally:
    """Counts points as they end."""

    def __init__(self, total: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = total, clock
        self._done = self._failed = self._from_store = 0
        self._begun, self._first = clock(), None

    _first: float | None

    def submitted(self) -> None:
        """A point is about to be computed; the pace counts from the first one on."""
        if self._first is None:
            self._first = self._clock()

    def ended(self, points: int, *, failed: bool = False, from_store: bool = False) -> None:
        """So many points are over."""
        self._done += 0 if failed else points
        self._failed += points if failed else 0
        self._from_store += points if from_store else 0

    def progress(self) -> Progress:
        """As it stands now."""
        now, over = self._clock(), self._done + self._failed
        own, open_ = over - self._from_store, self._total - over
        left = None if open_ else 0.0
        if self._first is not None and own and open_:
            left = (now - self._first) / own * open_
        seconds = now - self._begun
        return Progress(self._done, self._total, self._failed, self._from_store, seconds, left)


@contextmanager
def reports(wanted: Report | None, name: str) -> Iterator[Report]:
    """Whom to tell: the caller or else a terminal, and the file that $FALSESTRUCT_PROGRESS names.

    Args:
        name: What the bar stands for.
    """
    file = os.environ.get(FILE)
    write = _Writer(Path(file)) if file else None
    with _bar(name) as bar:
        show = wanted or bar

        def report(progress: Progress) -> None:
            if show:
                show(progress)
            if write:
                write(progress)

        yield report


@contextmanager
def _bar(name: str) -> Iterator[Report | None]:
    """A bar on standard error, which appears with the first report; None if it is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
        rich.TextColumn("{task.fields[note]}"),
    )
    bar = rich.Progress(*columns, console=Console(stderr=True))
    task = bar.add_task(name, note="")

    def show(now: Progress) -> None:
        bar.start()
        bar.update(task, total=now.total, completed=now.done + now.failed, note=_note(now))

    try:
        yield show
    finally:
        bar.stop()


def _note(now: Progress) -> str:
    left = None if now.left is None else f"{timedelta(seconds=round(now.left))} left"
    stored = f"{now.from_store} from the store" if now.from_store else None
    failed = f"{now.failed} failed" if now.failed else None
    return ", ".join(filter(None, [left, stored, failed]))


class _Writer:
    """Keeps a file up to date, not more often than somebody would look at it."""

    def __init__(self, path: Path) -> None:
        self._path, self._next = path, 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next and progress.done + progress.failed < progress.total:
            return
        self._next = now + SECONDS
        try:
            files.write_atomically(self._path, json.dumps(asdict(progress)).encode())
        except OSError as error:  # no reason to lose the points
            warnings.warn(f"can't write {FILE}={self._path}: {error}", stacklevel=2)
