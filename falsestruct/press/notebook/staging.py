"""Where a running chapter puts its results before they count.

The runner names a folder in the environment. A reader who executes the notebook by hand gets one
under `_build/by-hand`; nothing of that reaches the book.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from falsestruct.press.paths import Book, find_book, make_folder, write_atomically

VARIABLE = "FALSESTRUCT_STAGING"


@dataclass(frozen=True)
class Run:
    """The run that a chapter is part of.

    Attributes:
        folder: Where results are staged.
        chapter: Its name, NN_slug; "by-hand" if nobody told.
        parameters: Name and value of every parameter.
        key: The freshness key.
    """

    folder: Path
    chapter: str = "by-hand"
    parameters: dict[str, Any] = field(default_factory=dict)
    key: str = ""

    def save(self) -> None:
        """Leave word for the kernel that will execute the chapter."""
        data = asdict(self) | {"folder": str(self.folder)}
        write_atomically(self.folder / "run.json", json.dumps(data))


def current() -> Run:
    """The run that this process is part of."""
    if folder := os.environ.get(VARIABLE):
        data = json.loads((Path(folder) / "run.json").read_text())
        return Run(**(data | {"folder": Path(folder)}))
    return Run(find_book().build / "by-hand")


def by_hand() -> bool:
    """Whether a person executes the chapter: neither the runner, nor a test that compares."""
    return VARIABLE not in os.environ and "PYTEST_VERSION" not in os.environ


@contextmanager
def folder(book: Book) -> Iterator[Path]:
    """A staging folder for one run of several chapters; gone when it ends.

    Its lock dies with the process that holds it, so the folders of killed runs are told from those
    of running ones, and are removed here.
    """
    base = book.build / "staging"
    make_folder(base)
    with FileLock(base / "lock"):
        for old in base.glob("run-*"):
            _remove_if_dead(old)
        mine = Path(tempfile.mkdtemp(dir=base, prefix="run-"))
        lock = FileLock(mine / "lock")
        lock.acquire()
    try:
        yield mine
    finally:
        lock.release()
        shutil.rmtree(mine, ignore_errors=True)


def _remove_if_dead(folder: Path) -> None:
    try:
        with FileLock(folder / "lock", timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
    except Timeout:
        return
