"""What a command finds around it, and the book must not depend on: locale, home, stray files."""

from __future__ import annotations

import atexit
import codecs
import locale
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TextIO, cast

from falsestruct.press.paths import Book, UserError

OWN = ("falsestruct", "tests", "benchmarks")  # packages of the clone
TERMINAL = "FALSESTRUCT_TERMINAL"  # the encoding of the terminal, for the one who began again


def settle() -> None:
    """Make this process, and what it will start, independent of the reader's locale and home."""
    _read_utf8()
    _have_a_home()


def _read_utf8() -> None:
    """The book's files are UTF-8 in any locale: begin again in Python's UTF-8 mode, if need be.

    Kernels and Sphinx inherit it. What can't be printed in the terminal's encoding is a "?" there.
    """
    if (terminal := os.environ.pop(TERMINAL, None)) is not None:
        for stream in (sys.stdout, sys.stderr):
            cast("TextIO", stream).reconfigure(encoding=terminal, errors="replace")  # type: ignore[attr-defined]
        return
    printed = os.environ.get("PYTHONIOENCODING", "").partition(":")[0]
    if os.environ.get("PYTHONUTF8") == "1" or all(
        map(_is_utf8, (locale.getpreferredencoding(False), printed or "utf-8"))
    ):
        return
    changed = {k: v for k, v in os.environ.items() if k != "PYTHONIOENCODING"}
    changed |= {"PYTHONUTF8": "1", TERMINAL: sys.stdout.encoding}
    command = [sys.executable, *sys.orig_argv[1:]]
    if os.name == "posix":
        os.execve(sys.executable, command, changed)
    sys.exit(subprocess.run(command, env=changed, check=False).returncode)


def _is_utf8(name: str) -> bool:
    try:
        return codecs.lookup(name).name == "utf-8"
    except LookupError:
        return False


def _have_a_home() -> None:
    """Jupyter and IPython write to a home: one for this command, if the user's can't be written."""
    if os.access(os.path.expanduser("~"), os.W_OK):
        return
    home = tempfile.mkdtemp(prefix="falsestruct-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["HOME"] = home


def check_clone(book: Book) -> None:
    """Chapters find the package through the clone's folder, so nothing in it may hide another one.

    Raises:
        UserError: a file or folder there is named like a module of Python or of a package.
    """
    others = [place for place in sys.path if place and Path(place).resolve() != book.root]
    for path in sorted(book.root.iterdir()):
        module = path.suffix == ".py" or (path / "__init__.py").exists()
        if not module or path.stem in OWN:
            continue
        known = path.stem in sys.stdlib_module_names
        if known or PathFinder.find_spec(path.stem, others):
            raise UserError(
                f"{path} hides the module {path.stem!r} from chapters: rename or move it"
            )
