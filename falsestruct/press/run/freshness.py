"""What a chapter's results depend on, as keys: one for what is computed, one for what only draws.

Editing what computes makes exactly the chapters stale that reach it. Editing what draws makes their
figures be drawn again, from the stored data. The press is in neither key: formats stand for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from falsestruct.press.notebook.figures import FORMAT as PICTURES
from falsestruct.press.paths import Book, read_text
from falsestruct.sweep import reach

FORMAT = 1  # raise it when what the press makes of a run (records, notebooks) looks otherwise
# What the numbers depend on. All else in the requirements executes, draws, builds or tests.
COMPUTING = ("torch", "numpy", "numba", "scipy", "pandas", "scikit-learn")
DRAWING = ("matplotlib", "pandas")  # a figure is drawn from a table that pandas reads


def computed_by(book: Book, cells: Iterable[str]) -> list[Path]:
    """The package's files that these cells compute with, without what draws."""
    return [path for path in _reached(book, cells) if not draws(book, path)]


def drawn_by(book: Book, cells: Iterable[str]) -> list[Path]:
    """The package's files that the figures of these cells are drawn by."""
    return [path for path in _reached(book, cells) if draws(book, path)]


def draws(book: Book, path: Path) -> bool:
    """Does a file of the package only draw: the plots' style and shapes, a chapter's figures?"""
    match path.relative_to(book.package).parts:
        case ("plots", *_) | ("chapters", _, "figures.py"):
            return True
    return False


def _reached(book: Book, cells: Iterable[str]) -> list[Path]:
    modules: set[str] = set().union(*(reach.imported(cell, book.root) for cell in cells))
    found = reach.reachable(book.root, modules, without=("falsestruct.press", "falsestruct.cli"))
    return [path for path in found if not reach.is_idle(path)]


def computing_key(book: Book, text: str, cells: Sequence[str], data: Iterable[Path]) -> str:
    """Key of what computes: a chapter, its cells' files of the package, versions, and data.

    Args:
        text: The chapter's, with its parameters and profiles.
        data: Files that it reads.
    """
    facts = [f"format {FORMAT}", *_versions(book, COMPUTING), text]
    return _digest(book, facts, [*computed_by(book, cells), *data])


def drawing_key(book: Book, cells: Sequence[str]) -> str:
    """Key of what draws the figures of these cells from their data."""
    facts = [f"format {PICTURES}", *_versions(book, DRAWING)]
    return _digest(book, facts, drawn_by(book, cells))


def _versions(book: Book, packages: Sequence[str]) -> list[str]:
    """The lines of the requirements that pin these packages, without the reasons behind them."""
    text = read_text(book.requirements) if book.requirements.exists() else ""
    pins = (line.partition("#")[0].strip() for line in text.splitlines())
    return sorted(pin for pin in pins if pin.partition("==")[0].lower() in packages)


def _digest(book: Book, facts: Iterable[str], paths: Iterable[Path]) -> str:
    digest = hashlib.sha256("\n".join(facts).encode())
    for path in paths:
        digest.update(f"\n{path.relative_to(book.root).as_posix()}\n".encode())
        digest.update(path.read_bytes() if path.exists() else b"absent")
    return digest.hexdigest()
