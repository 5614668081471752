"""What pages are made of: MyST text for tables, verdicts, addresses of files."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from falsestruct.press.notebook import display
from falsestruct.press.paths import Book

if TYPE_CHECKING:  # loading it takes longer than a run in which nothing changed
    import pandas as pd

_MARKS = re.compile(r"[!-/:-@\[-`{-~]")  # what a backslash takes its meaning from


def show(text: str) -> None:
    """Display MyST text in a notebook: rendered in the book, as it is in Jupyter."""
    plain = f'<pre style="white-space: pre-wrap">{html.escape(text)}</pre>'
    display.show(markdown=text, html=plain, text=text)


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], name: str, *, widths: Sequence[int]
) -> str:
    """A list-table of class `name`: unlike a pipe table it can hold any text."""
    shares = " ".join(map(str, widths))
    lines = [":::{list-table}", ":header-rows: 1", f":widths: {shares}", f":class: {name}", ""]
    for row in (header, *rows):
        lines += [f"{'* -' if index == 0 else '  -'} {cell}" for index, cell in enumerate(row)]
    return "\n".join([*lines, ":::", ""])


def frame(data: pd.DataFrame, name: str) -> str:
    """A table of class `name`: the index, if it is named, and all columns, as wide as they need."""
    whole = data.reset_index() if any(data.index.names) else data
    header, rows = [str(column) for column in whole], whole.astype(str).to_numpy().tolist()
    widths = [max(map(len, cells)) for cells in zip(header, *rows, strict=True)]
    return table(header, rows, name, widths=widths)


def badge(verdict: str, *, count: int | None = None) -> str:
    """A verdict, or how many there are, with a class, so that colour and icon come with it."""
    shown = verdict if count is None else f"{count} {verdict}"
    return f"[{shown}]{{.verdict .verdict-{verdict.replace(' ', '-')}}}"


def plural(count: int, word: str) -> str:
    """A number of things, none of whose names is irregular."""
    return f"{count} {word}" + ("" if count == 1 else "s")


def literal(text: str) -> str:
    """A text of somebody else, of one line, as it is: no mark in it means anything to MyST."""
    return _MARKS.sub(r"\\\g<0>", text)


def at(book: Book, path: Path) -> str:
    """The address of a file on any page: from the book's root."""
    return "/" + Path(os.path.relpath(path, book.root)).as_posix()


def download(book: Book, path: Path, text: str) -> str:
    """A link that downloads a file."""
    return f"{{download}}`{text} <{at(book, path)}>`"
