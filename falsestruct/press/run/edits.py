"""What people edit in a notebook: noticed, and taken over into the chapter's text.

Text and notebook are a pair. A run makes the notebook of the text; what was edited in the notebook
alone would be gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import jupytext
import nbformat

from falsestruct.press.paths import Book, UserError, read_json, write_atomically
from falsestruct.press.run import chapters
from falsestruct.press.run.chapters import Chapter

Cell = tuple[str, str, list[str]]  # its kind, its text, its tags


def sources(notebook: Mapping[str, Any]) -> list[Cell]:
    """What of a notebook a person writes: no outputs."""
    return [
        (cell["cell_type"], "".join(cell["source"]), list(cell["metadata"].get("tags", [])))
        for cell in notebook["cells"]
    ]


def digest(cells: Sequence[Cell]) -> str:
    """Of what a person writes; a run leaves it in the notebook's mark."""
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def found(book: Book, chapter: Chapter) -> str:
    """What somebody edited in a chapter's notebook since its run, in one line; empty if nothing.

    Of a notebook whose run left no digest, it can be told only while the text is that of the run.
    """
    path = book.published.notebooks / f"{chapter.name}.ipynb"
    if not path.exists():
        return ""
    try:
        notebook = read_json(path)
        mark, now = notebook["metadata"].get(chapters.MARK, {}), sources(notebook)
    except (UserError, KeyError, TypeError):  # no notebook any more: the next run mends it
        return ""
    written = sources(chapter.notebook)
    if now == written:
        return ""
    if "sources" in mark:
        edited = mark["sources"] != digest(now)
    else:
        edited = mark.get("key") == chapters.freshness_key(book, chapter)
    return _told(now, written) if edited else ""


def _told(now: Sequence[Cell], written: Sequence[Cell]) -> str:
    """Where a notebook and its text differ first."""
    pairs = enumerate(zip(now, written, strict=False))
    number = next((i for i, (a, b) in pairs if a != b), min(len(now), len(written)))
    text = now[number][1].strip() if number < len(now) else ""
    first = text.splitlines()[0][:40] if text else "removed or empty"
    return f"cell {number + 1} (`{first}`)"


def refuse(book: Book, chosen: Mapping[str, Chapter]) -> None:
    """Nothing that was edited in notebooks may be lost.

    Raises:
        UserError: one of the chapters' notebooks was edited; it says what to do.
    """
    for name, chapter in chosen.items():
        if where := found(book, chapter):
            raise UserError(
                f"notebooks/{name}.ipynb was edited, {where}, and book/{name}.md was not: "
                f"`falsestruct take {name}` takes it over, `git restore notebooks/{name}.ipynb` "
                "drops it"
            )


def take(book: Book, name: str) -> int:
    """Write into a chapter's text what its notebook says; the header stays.

    Returns:
        How many cells differ.

    Raises:
        UserError: there is no such chapter or notebook, or the notebook makes no chapter.
    """
    known = chapters.read_chapters(book)
    if name not in known:
        raise UserError(f"no chapter {name!r}; there are {', '.join(known)}")
    path = book.published.notebooks / f"{name}.ipynb"
    if not path.exists():
        raise UserError(f"no notebook for {name}: run `falsestruct run {name}` first")
    notebook = read_json(path)
    before, after = sources(known[name].notebook), sources(notebook)
    if before == after:
        return 0
    code = [text for kind, text, tags in after if kind == "code" and "parameters" in tags]
    if not code:
        raise UserError(f"{path.name}: no cell is tagged `parameters`: nothing was taken over")
    header, _, _ = known[name].path.read_text(encoding="utf-8").partition("\n---\n")
    made = nbformat.from_dict({**known[name].notebook, "cells": [_cell(*cell) for cell in after]})
    body = jupytext.writes(made, fmt="md:myst").partition("\n---\n")[2]
    write_atomically(known[name].path, f"{header}\n---\n{body}")
    return sum(a != b for a, b in zip(before, after, strict=False)) + abs(len(before) - len(after))


def _cell(kind: str, text: str, tags: list[str]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "source": text, "metadata": {}}
    cell["metadata"] = {"tags": tags} if tags else {}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})
