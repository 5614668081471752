"""A Sphinx extension: what the build adds to the pages of this book.

Chapters get head, folds and foot (`chapter_pages`), the front page gets the status board in small.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from falsestruct.press import chapter_pages, claims, pages
from falsestruct.press.paths import Book

if TYPE_CHECKING:
    from sphinx.application import Sphinx

NOTEBOOKS = "notebooks/"


def add_to_chapter(app: Sphinx, docname: str, source: list[str]) -> None:
    """On `source-read`: a chapter's notebook with head, folds and foot."""
    if not docname.startswith(NOTEBOOKS):
        return
    book = Book(Path(app.srcdir))
    name = docname.removeprefix(NOTEBOOKS)
    app.env.note_dependency(str(book.published.evidence))
    notebook = json.loads(source[0])
    shown = chapter_pages.page(book, name, notebook, output=book.published)
    source[0] = json.dumps(chapter_pages.augment(shown, book, book.published))


class SmallBoard(SphinxDirective):
    """`{small-board}`: how many cells of the status board came to which verdict."""

    def run(self) -> list[nodes.Node]:
        """The table, and a link to the whole board."""
        book = Book(Path(self.env.srcdir))
        self.env.note_dependency(str(book.published.evidence))
        evidence = claims.read_evidence(book.published.evidence)
        entries = pages.ledger(claims.read_claims(book), evidence)
        found: list[nodes.Node] = self.parse_text_to_nodes(pages.small_board(entries))
        return found


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", add_to_chapter)
    app.add_directive("small-board", SmallBoard)
    app.add_js_file("interactive.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
