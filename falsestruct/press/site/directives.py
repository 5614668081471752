"""A Sphinx extension: what the build adds to the pages of this book.

Chapters get head, folds and foot (`chapter_pages`), the front page gets the status board in small.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from falsestruct.press.paths import Book
from falsestruct.press.site import chapter_pages, pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

NOTEBOOKS = "notebooks/"
_LOG = logging.getLogger(__name__)


def add_to_chapter(app: Sphinx, docname: str, source: list[str]) -> None:
    """On `source-read`: a chapter's notebook with head, folds and foot."""
    if not docname.startswith(NOTEBOOKS):
        return
    book = Book(Path(app.srcdir))
    name = docname.removeprefix(NOTEBOOKS)
    app.env.note_dependency(str(book.published.evidence))
    notebook = json.loads(source[0])
    shown = chapter_pages.page(book, name, notebook, output=book.published)
    for id in shown.figures:
        app.env.note_dependency(str(book.published.figures / f"{id}.json"))
    home = str(app.config.html_theme_options.get("repository_url", ""))
    source[0] = json.dumps(chapter_pages.augment(shown, book, book.published, home=home))


def without_home(app: Sphinx, config: Config) -> None:
    """On `config-inited`: a book without a repository has nothing that could be launched."""
    if not config.html_theme_options.get("repository_url"):
        config.html_theme_options.pop("launch_buttons", None)


class ClaimRole(SphinxRole):
    """``{claim}`ID` ``: the verdict of a claim, with a link to the ledger.

    A claim without a record is a warning, and so an error in a strict build.
    """

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The verdict as a link."""
        book = Book(Path(self.env.srcdir))
        self.env.note_dependency(str(book.published.evidence))
        found = [e for e in chapter_pages.ledger(book, book.published) if self.text in e.ids]
        if not found or found[0].record is None:
            _LOG.warning("no record of claim %r", self.text, location=self.get_location())
        verdict = found[0].verdict if found else pages.UNRECORDED
        classes = ["verdict", f"verdict-{verdict.replace(' ', '-')}"]
        target = addnodes.pending_xref(
            "", refdomain="std", reftype="ref", reftarget=f"ledger-{self.text}",
            refexplicit=True, refdoc=self.env.docname, refwarn=True,
        )  # fmt: skip
        target += nodes.inline(verdict, verdict)
        return [nodes.inline("", "", target, classes=classes)], []


class SmallBoard(SphinxDirective):
    """`{small-board}`: how many cells of the status board came to which verdict."""

    def run(self) -> list[nodes.Node]:
        """The table."""
        book = Book(Path(self.env.srcdir))
        self.env.note_dependency(str(book.published.evidence))
        entries = chapter_pages.ledger(book, book.published)
        found: list[nodes.Node] = self.parse_text_to_nodes(pages.small_board(entries))
        return found


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("falsestruct.press.site.stale")
    app.connect("config-inited", without_home, priority=100)
    app.connect("source-read", add_to_chapter)
    app.add_directive("small-board", SmallBoard)
    app.add_role("claim", ClaimRole())
    app.add_js_file("interactive.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
