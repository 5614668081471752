"""A Sphinx extension: what the build adds to the pages of this book.

- Chapters, and pages with a number, get head, folds and foot (`chapter_pages`).
- ```{ledger} PART``` and ```{figures} PART``` show what the chapters found.
- {number}`ID`, {verdict}`ID` and {count}`WORD` bring a number of the ledger into a sentence.

All read the results in `falsestruct_output`, a folder; the book's own if that is empty.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from falsestruct.press.notebook import cards
from falsestruct.press.notebook.stated import COMPONENTS
from falsestruct.press.paths import Book, Output, UserError, write_atomically
from falsestruct.press.run import certificates, chronicle
from falsestruct.press.run.chapters import numbered
from falsestruct.press.site import (
    board,
    chapter_pages,
    evidence,
    gallery,
    ledger,
    reexecuted,
    valid,
)
from falsestruct.press.site.ledger import UNRECORDED, Entry
from falsestruct.press.site.pages import download

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

NOTEBOOKS, PAGES = "notebooks/", "book/"
LAID = "certificates"  # in a page's metadata: which files it has listed
_LOG = logging.getLogger(__name__)


def results(srcdir: str | Path, config: Config) -> tuple[Book, Output]:
    """The book that is built, and the results that its pages show."""
    book, folder = Book(Path(srcdir)), config.falsestruct_output
    return book, book.output(Path(folder).resolve()) if folder else book.published


def add_to_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """On `source-read`: a chapter's notebook with head, folds and foot; a page with its ends."""
    book, output = results(app.srcdir, app.config)
    app.env.note_dependency(str(output.evidence))
    if output == book.published:
        app.env.note_dependency(str(chronicle.path_of(output)))
    if docname.startswith(NOTEBOOKS):
        name = docname.removeprefix(NOTEBOOKS)
        own = output.notebooks / f"{name}.ipynb"  # the book's own where another run has none
        notebook = json.loads(own.read_text() if own.exists() else source[0])
        shown = chapter_pages.page(book, name, notebook, output=output)
        _depends_on(app.env, output, shown.figures)
        home = str(app.config.html_theme_options.get("repository_url", ""))
        source[0] = json.dumps(chapter_pages.augment(shown, book, output, home=home))
    elif docname.removeprefix(PAGES) in {path.stem for path in numbered(book)}:
        name = docname.removeprefix(PAGES)
        source[0] = chapter_pages.with_ends(source[0], name, book, output)


def _depends_on(env: BuildEnvironment, output: Output, ids: Iterable[str]) -> None:
    """Build a page again when records of its figures have changed."""
    for id in ids:
        env.note_dependency(str(output.figures / f"{id}.json"))


def _laid_names(book: Book) -> str:
    """All that lies in book/certificates, as a page's metadata can hold it."""
    return json.dumps(sorted(path.name for path in certificates.folder(book).glob("*")))


def with_another_certificate(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """On `env-get-outdated`: pages that list certificates, if one has come, too.

    A page can depend on files only: Sphinx takes a folder for a file that is missing.
    """
    book, _output = results(app.srcdir, app.config)
    now = _laid_names(book)
    return [name for name, about in env.metadata.items() if about.get(LAID, now) != now]


def without_home(app: Sphinx, config: Config) -> None:
    """On `config-inited`: a book without a repository has nothing that could be launched."""
    if not config.html_theme_options.get("repository_url"):
        config.html_theme_options.pop("launch_buttons", None)


def only_contents(app: Sphinx, config: Config) -> None:
    """On `config-inited`: leave out what the contents don't name, wherever the clone lies.

    The contents' own extension does so, but takes a clone's path with brackets for a pattern.
    """
    root = str(app.srcdir)
    if glob.escape(root) == root or not config.external_toc_exclude_missing:
        return
    named = config.external_site_map
    found = [
        (path, path.removesuffix(suffix))
        for suffix in config.source_suffix
        for path in glob.iglob(f"**/*{suffix}", root_dir=root, recursive=True)
    ]
    extra = [path for path, name in found if path not in named and name not in named]
    config.exclude_patterns = [*config.exclude_patterns, *extra]


def entries_of(env: BuildEnvironment) -> tuple[Entry, ...]:
    """The ledger, for a page that is then built again when the records change."""
    book, output = results(env.srcdir, env.config)
    env.note_dependency(str(output.evidence))
    return ledger.read(book, output)


class _FromLedger(SphinxRole):
    """A part of a sentence that the ledger says; a name that it doesn't know ends the build."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            return [self.shown()], []
        except UserError as error:
            raise ExtensionError(f"{self.get_location()}: {error}") from None

    def shown(self) -> nodes.Node:
        raise NotImplementedError

    def entry(self) -> Entry:
        """The claim that the text names; one without a record is a warning."""
        found = ledger.find(entries_of(self.env), self.text)
        if found.record is None:
            _LOG.warning("no record of claim %r", self.text, location=self.get_location())
        return found


class VerdictRole(_FromLedger):
    """``{verdict}`ID` ``: the verdict of a claim, with a link to the ledger."""

    def shown(self) -> nodes.Node:
        """The verdict as a link."""
        verdict = self.entry().verdict
        target = addnodes.pending_xref(
            "", refdomain="std", reftype="ref", reftarget=f"ledger-{self.text}",
            refexplicit=True, refdoc=self.env.docname, refwarn=True,
        )  # fmt: skip
        target += nodes.inline(verdict, verdict)
        classes = ["verdict", f"verdict-{verdict.replace(' ', '-')}"]
        return nodes.inline("", "", target, classes=classes)


class NumberRole(_FromLedger):
    """``{number}`ID` ``: what a claim's measure came to, as value [low, high]."""

    def shown(self) -> nodes.Node:
        """The number, as all that comes from a run looks."""
        found = self.entry().estimate
        return _pasted(UNRECORDED if found is None else cards.interval(found))


class CountRole(_FromLedger):
    """``{count}`WORD` ``: how many claims there are of a kind, as `ledger.tally`; or `figures`."""

    def shown(self) -> nodes.Node:
        """The count."""
        counts = ledger.tally(entries_of(self.env))
        counts["figures"] = len(gallery.read(*results(self.env.srcdir, self.env.config)))
        if self.text not in counts:
            raise UserError(f"count {self.text!r}; expected one of {', '.join(counts)}")
        return _pasted(str(counts[self.text]))


def _pasted(text: str) -> nodes.Node:
    return nodes.inline(text, text, classes=["pasted-text"])


LEDGER: dict[str, Callable[[tuple[Entry, ...]], str]] = {
    "board": board.board,
    "small-board": board.small_board,
    "sentences": board.sentences,
    "summary": evidence.summary,
    "predictions": evidence.predictions,
    "survivors": evidence.survivors,
    "history": evidence.history,
    "formerly": evidence.formerly,
    "nobody": evidence.nobody,
    "provenance": evidence.provenance,
    **{name: partial(evidence.component, name=name) for name in COMPONENTS},
}


class _Part(SphinxDirective):
    """A part of a page that is made while it is built."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        known = self.parts()
        if (name := self.arguments[0]) not in known:
            wanted = ", ".join(known)
            raise ExtensionError(
                f"{self.get_location()}: {{{self.name}}} {name}; expected one of {wanted}"
            )
        found: list[nodes.Node] = self.parse_text_to_nodes(known[name]())
        return found

    def parts(self) -> dict[str, Callable[[], str]]:
        raise NotImplementedError


class LedgerDirective(_Part):
    """`{ledger} PART`: one of `LEDGER`, or `downloads`."""

    def parts(self) -> dict[str, Callable[[], str]]:
        """What makes each part."""
        entries = entries_of(self.env)
        parts: dict[str, Callable[[], str]] = {
            name: partial(make, entries) for name, make in LEDGER.items()
        }
        return parts | {
            "downloads": partial(self._downloads, entries),
            "certificates": self._certificates,
        }

    def _certificates(self) -> str:
        """The certificates in book/certificates; one that doesn't hold is a warning, too."""
        book, _ = results(self.env.srcdir, self.env.config)
        laid = certificates.laid(book)
        self.env.metadata[self.env.docname][LAID] = _laid_names(book)
        for one in laid:
            self.env.note_dependency(str(one.path))
            if one.wrong:
                _LOG.warning("%s: %s", one.path.name, one.wrong[0], location=self.get_location())
        return reexecuted.as_list(book, laid)

    def _downloads(self, entries: tuple[Entry, ...]) -> str:
        book, output = results(self.env.srcdir, self.env.config)
        folder = book.root if output == book.published else output.folder
        table = folder / "_build" / "ledger.csv"
        write_atomically(table, ledger.as_csv(entries, evidence.adjusted(entries)))
        stated = (download(book, path, path.stem) for path in sorted(book.claims.glob("*.yml")))
        return (
            f"- the whole ledger as one table: {download(book, table, 'ledger.csv')}\n"
            f"- the records, with parameters and environment: "
            f"{download(book, output.evidence, 'evidence.json')}\n"
            f"- the claims as they were stated: {', '.join(stated)}\n"
        )


class FiguresDirective(_Part):
    """`{figures} index` and `{figures} gallery`."""

    def parts(self) -> dict[str, Callable[[], str]]:
        """What makes each part."""
        book, output = results(self.env.srcdir, self.env.config)
        records = gallery.read(book, output)
        _depends_on(self.env, output, (record.id for record in records))
        return {
            "index": partial(gallery.index, records),
            "gallery": partial(gallery.gallery, records, book, output),
        }


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("falsestruct.press.site.stale")
    default = os.environ.get("FALSESTRUCT_OUTPUT", "")
    app.add_config_value("falsestruct_output", default, "env", [str])
    app.connect("config-inited", without_home, priority=100)
    app.connect("config-inited", only_contents, priority=950)  # when the contents are known
    app.connect("env-get-outdated", with_another_certificate)
    app.connect("source-read", add_to_page)
    app.connect("html-page-context", valid.mend)
    app.connect("html-page-context", valid.lighten)
    app.add_directive("ledger", LedgerDirective)
    app.add_directive("figures", FiguresDirective)
    app.add_role("verdict", VerdictRole())
    app.add_role("number", NumberRole())
    app.add_role("count", CountRole())
    app.add_js_file("interactive.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
