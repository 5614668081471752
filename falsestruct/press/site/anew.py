"""Builds that end in the middle, run side by side, or meet a clock that was set back.

Sphinx writes pages where they stay, and tells by times what to write again. A page that a killed
build left half would look like a new one.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from falsestruct.press.paths import make_folder

SLACK = 2.0  # seconds: file systems round


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """For one build below `folder`/_build at a time; after a broken one, all pages are made anew.

    Raises:
        UserError: the folder can't be written to.
    """
    build = folder / "_build"
    make_folder(build)
    with FileLock(build / "pages.lock"):
        begun, kept = build / "pages.begun", build / ".doctrees"
        if begun.exists() or _ahead(kept / "environment.pickle"):
            shutil.rmtree(kept, ignore_errors=True)
        begun.touch()
        yield
        begun.unlink()


def _ahead(path: Path) -> bool:
    return path.exists() and path.stat().st_mtime > time.time() + SLACK
