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

from falsestruct.press.paths import find_book, make_folder, write_atomically

VARIABLE = "FALSESTRUCT_STAGING"
SOCKETS = "kernel-"  # how their folders' names begin
# Bytes of a temporary place's path: a socket's has at most 103 on macOS, less what we add to it.
LONGEST = 103 - len(f"/{SOCKETS}12345678/socket-12")


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
def folder(scratch: Path) -> Iterator[Path]:
    """A staging folder for one run of several chapters, below `scratch`; gone when it ends.

    Its lock dies with the process that holds it, so the folders of killed runs are told from those
    of running ones, and are removed here.
    """
    base = scratch / "staging"
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
        _remove(mine)


def _remove_if_dead(folder: Path) -> None:
    try:
        with FileLock(folder / "lock", timeout=0):
            _remove(folder)
    except Timeout:
        return


def _remove(folder: Path) -> None:
    """A run's folder, with the sockets of kernels that were ended."""
    for link in folder.rglob(f"{SOCKETS}*"):
        if link.is_symlink():
            shutil.rmtree(link.readlink(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def sockets() -> Path | None:
    """A new folder for a kernel's sockets, whose paths hold about a hundred characters.

    The staging folder has a link to it, so that it goes with the run that is killed, too.

    Returns:
        None if no temporary place has a path that is short enough.
    """
    places = [tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR"), "/tmp", "/var/tmp"]
    for place in filter(None, places):
        if len(os.fsencode(place)) > LONGEST or not os.access(place, os.W_OK):
            continue
        made = Path(tempfile.mkdtemp(prefix=SOCKETS, dir=place))
        if folder := os.environ.get(VARIABLE):
            (Path(folder) / made.name).symlink_to(made)
        return made
    return None
