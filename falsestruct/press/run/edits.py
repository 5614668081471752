"""What people edit in a notebook: noticed, and taken over into the chapter's text.

Text and notebook are a pair. A run makes the notebook of the text; what was edited in the notebook
alone would be gone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import jupytext
import nbformat

from falsestruct.press.paths import Book, UserError, read_json, read_text, write_atomically
from falsestruct.press.run import chapters
from falsestruct.press.run.chapters import Chapter

Cell = tuple[str, str, dict[str, Any]]  # its kind, its text, what the text keeps of its metadata
KEPT = ("tags", "mystnb")  # the same as pyproject.toml's `cell_metadata_filter`
PASTED = "attachments"  # pictures within a cell


def sources(notebook: Mapping[str, Any]) -> list[Cell]:
    """What of a notebook a person writes, as its text can hold it: no outputs, no empty Markdown.

    Pictures that were pasted into a cell count, though no text can hold them.
    """
    cells = [_source(cell) for cell in notebook["cells"]]
    return [cell for cell in cells if cell[0] != "markdown" or cell[1] or PASTED in cell[2]]


def _source(cell: Mapping[str, Any]) -> Cell:
    """One cell, without the blank lines around it and with one kind of line end, as in a text."""
    lines = re.sub(r"\r\n?", "\n", "".join(cell["source"]))
    text = re.sub(r"\A(?:[^\S\n]*\n)+", "", lines).rstrip()
    more = {name: cell["metadata"][name] for name in KEPT if cell["metadata"].get(name)}
    pasted = {PASTED: cell[PASTED]} if cell.get(PASTED) else {}
    return cell["cell_type"], text, more | pasted


def digest(cells: Sequence[Cell]) -> str:
    """Of what a person writes; a run leaves it in the notebook's mark."""
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Pair:
    """A chapter's notebook and its text, and which of them somebody edited since the run.

    Of a notebook whose run left no digest, an edit can be told only while the text is that of the
    run; else the text counts as edited.
    """

    now: list[Cell]
    written: list[Cell]
    edited: bool
    rewritten: bool

    @property
    def differing(self) -> list[int]:
        """The numbers of the cells that differ, from 1; empty Markdown isn't counted."""
        pairs = enumerate(zip_longest(self.now, self.written), 1)
        return [number for number, (now, written) in pairs if now != written]


def _pair(book: Book, chapter: Chapter, notebook: Mapping[str, Any]) -> Pair:
    now, written = sources(notebook), sources(chapter.notebook)
    mark = notebook["metadata"].get(chapters.MARK, {})
    if "sources" in mark:
        left = mark["sources"]
        return Pair(now, written, left != digest(now), left != digest(written))
    same = mark.get("key") == chapters.freshness_key(book, chapter)
    return Pair(now, written, same and now != written, not same)


def _edited(book: Book, chapter: Chapter) -> Pair | None:
    """The pair, if somebody edited its notebook and its text says something else."""
    path = book.published.notebooks / f"{chapter.name}.ipynb"
    if not path.exists():
        return None
    try:
        pair = _pair(book, chapter, read_json(path))
    except (UserError, KeyError, TypeError):  # no notebook any more: the next run mends it
        return None
    return pair if pair.edited and pair.differing else None


def found(book: Book, chapter: Chapter) -> str:
    """What somebody edited in a chapter's notebook since its run, in one line; empty if nothing."""
    pair = _edited(book, chapter)
    return _told(pair.now, pair.written) if pair else ""


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
        pair = _edited(book, chapter)
        if pair is None:
            continue
        where, drop = _told(pair.now, pair.written), f"`git restore notebooks/{name}.ipynb` drops"
        if pair.rewritten:
            raise UserError(f"notebooks/{name}.ipynb was edited, {where}, and {_both(name, pair)}")
        raise UserError(
            f"notebooks/{name}.ipynb was edited, {where}, and book/{name}.md was not: "
            f"`falsestruct take {name}` takes it over or says why not, {drop} it"
        )


def _both(name: str, pair: Pair) -> str:
    """What to do where none of the two can be made of the other."""
    cells = ", ".join(map(str, pair.differing))
    return (
        f"so was book/{name}.md since its run: they differ in cells {cells}. Write what you want "
        f"to keep of the notebook into the text, then `git restore notebooks/{name}.ipynb`"
    )


def take(book: Book, name: str) -> int:
    """Write into a chapter's text what its notebook says; the header stays.

    Returns:
        How many cells differ.

    Raises:
        UserError: there is no such chapter or notebook, or the text was edited since the notebook's
            run and would lose that, or can't hold what the notebook says; nothing was written.
    """
    known = chapters.read_chapters(book)
    if name not in known:
        raise UserError(f"no chapter {name!r}; there are {', '.join(known)}")
    path = book.published.notebooks / f"{name}.ipynb"
    if not path.exists():
        raise UserError(f"no notebook for {name}: run `falsestruct run {name}` first")
    notebook = read_json(path)
    pair = _pair(book, known[name], notebook)
    if not pair.differing:
        return 0
    if pair.rewritten:
        raise UserError(f"nothing was taken over: {_kept(name, pair)}")
    _refuse_pictures(path.name, notebook)
    write_atomically(known[name].path, _composed(known[name], pair.now))
    return len(pair.differing)


def _refuse_pictures(name: str, notebook: Mapping[str, Any]) -> None:
    pasted = [str(i) for i, cell in enumerate(notebook["cells"], 1) if cell.get(PASTED)]
    if pasted:
        raise UserError(
            f"nothing was taken over: of {name}, cells {', '.join(pasted)} hold pasted "
            "pictures, which no text can: show them from files, and remove them from the cells"
        )


def _composed(chapter: Chapter, cells: Sequence[Cell]) -> str:
    """A chapter's text with these cells; the header stays.

    Raises:
        UserError: it would be no chapter, or would read as other cells than these.
    """
    header, _, _ = read_text(chapter.path).partition("\n---\n")
    made = nbformat.from_dict({**chapter.notebook, "cells": [_cell(*cell) for cell in cells]})
    body = jupytext.writes(made, fmt="md:myst").partition("\n---\n")[2]
    text = f"{header}\n---\n{body}"
    try:
        again = sources(chapters.read_chapter(chapter.path, text).notebook)
    except UserError as error:
        raise UserError(f"nothing was taken over, it would make no chapter: {error}") from None
    if again != cells:
        raise UserError(
            f"nothing was taken over: a text reads {_told(cells, again)} otherwise; of Markdown, "
            "`+++` and the fences of code cells end a cell: write them in another way"
        )
    return text


def _kept(name: str, pair: Pair) -> str:
    """Why a text that was edited stays as it is."""
    if pair.edited:
        return f"notebooks/{name}.ipynb was edited, and {_both(name, pair)}"
    cells = ", ".join(map(str, pair.differing))
    return (
        f"book/{name}.md was edited since its run, in cells {cells}, and would lose it; "
        f"`falsestruct run {name}` makes the notebook of it"
    )


def _cell(kind: str, text: str, more: Mapping[str, Any]) -> dict[str, Any]:
    cell = {"cell_type": kind, "source": text, "metadata": dict(more)}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})
