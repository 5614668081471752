"""The one place that knows where things live."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from falsestruct import files

PART = files.PART
_UMASK = os.umask(0o022)  # to know it, it must be set
os.umask(_UMASK)


class UserError(Exception):
    """Something the reader asked for can't be done; its text is the one line that they see."""


@dataclass(frozen=True)
class Book:
    """A book by the folder of its `_config.yml`."""

    root: Path

    @property
    def source(self) -> Path:
        """What a person writes."""
        return self.root / "book"

    @property
    def package(self) -> Path:
        """The helper package's source."""
        return self.root / "falsestruct"

    @property
    def requirements(self) -> Path:
        """The pinned requirements."""
        return self.root / "requirements.txt"

    @property
    def claims(self) -> Path:
        """What would support and what would refute each claim, a file a chapter."""
        return self.source / "claims"

    @property
    def records(self) -> Path:
        """Recorded runs."""
        return self.source / "records"

    @property
    def networks(self) -> Path:
        """Weights of networks that answer in a page, by what they were trained on."""
        return self.source / "networks"

    @property
    def build(self) -> Path:
        """Everything that can be thrown away."""
        return self.root / "_build"

    @property
    def published(self) -> Output:
        """The result that the book shows."""
        return Output(self.root / "notebooks", self.source / "figures", self.source)

    def output(self, folder: Path) -> Output:
        """A result that is kept apart from the book's."""
        return Output(folder / "notebooks", folder / "figures", folder)


@dataclass(frozen=True)
class Output:
    """Where a run's results go: notebooks, figures, evidence."""

    notebooks: Path
    figures: Path
    folder: Path

    @property
    def evidence(self) -> Path:
        """The ledger's records."""
        return self.folder / "evidence.json"


def find_book(start: Path | None = None) -> Book:
    """The book around a folder: $FALSESTRUCT_ROOT, or the nearest folder with a `_config.yml`.

    Raises:
        UserError: there is none.
    """
    if start is None and (root := os.environ.get("FALSESTRUCT_ROOT")):
        if not _is_book(Path(root)):
            raise UserError(f"no book in FALSESTRUCT_ROOT={root}: set it to a clone, or unset it")
        return Book(Path(root).resolve())
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if _is_book(folder):
            return Book(folder)
    raise UserError(f"no book in {here} or above it: run this in a clone of the book")


def _is_book(folder: Path) -> bool:
    return (folder / "_config.yml").exists() and (folder / "book").is_dir()


def read_text(path: Path) -> str:
    """A text of the book, which is UTF-8 in any locale.

    Raises:
        UserError: it is something else, or can't be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no UTF-8 text ({error.reason}): restore it") from None
    except OSError as error:
        raise UserError(f"can't read {path}: {error.strerror or error}") from None


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        UserError: it is no JSON, after a merge conflict, say, or can't be read.
    """
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise UserError(f"{path} is no JSON ({error}): restore it, or delete it and run") from None
    except RecursionError:
        raise UserError(f"{path} is nested too deeply to be read: restore it, or delete it and run"
                        ) from None  # fmt: skip


def make_folder(folder: Path) -> None:
    """Make a folder that can be written to.

    Raises:
        UserError: that is impossible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"can't write to {folder}: {error.strerror or error}") from None
    if not os.access(folder, os.W_OK):
        raise UserError(f"can't write to {folder}: permission denied")


def write_atomically(path: Path, data: str | bytes) -> None:
    """Write a file so that at every moment it holds the old content or the new, never half.

    Of a link, what it leads to is written. A new file has the mode that the reader's umask leaves,
    an old one keeps its own.

    Raises:
        UserError: it can't be written.
    """
    path = Path(os.path.realpath(path))
    make_folder(path.parent)
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_UMASK
        files.write_atomically(path, data.encode() if isinstance(data, str) else data)
        path.chmod(mode)
    except OSError as error:
        raise UserError(f"can't write {path}: {error.strerror or error}") from error


def write_asked(path: Path, data: str | bytes) -> None:
    """Write where the reader asked: also to a pipe, a terminal, standard output.

    Raises:
        UserError: it can't be written.
    """
    raw = data.encode() if isinstance(data, str) else data
    if is_stdout(path):
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
    elif path.exists() and not path.is_file() and not path.is_dir():
        try:
            path.write_bytes(raw)
        except OSError as error:
            raise UserError(f"can't write {path}: {error.strerror or error}") from None
    else:
        write_atomically(path, raw)


def is_stdout(path: Path) -> bool:
    """Is this another name of where this process prints? `/dev/stdout`, also into a file."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError, AttributeError):  # no such file; no such stream
        return False
