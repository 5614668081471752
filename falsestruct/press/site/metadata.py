"""A Sphinx extension: every page says to machines what it is.

In its head stand `citation_*` tags (reference managers, Google Scholar), OpenGraph, and JSON-LD by
schema.org (`linked`). Addresses are relative, and those that must be absolute are left out, as long
as the book has no address: `falsestruct build --address`, or `html: baseurl:` in `_config.yml`.
"""

from __future__ import annotations

import csv
import html
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.util.osutil import relative_uri

from falsestruct.press.notebook import figures
from falsestruct.press.notebook.figures import Published
from falsestruct.press.paths import Book, Output, read_json, write_atomically
from falsestruct.press.site import citing, gallery, ledger, linked
from falsestruct.press.site.directives import NOTEBOOKS, results
from falsestruct.press.site.linked import FRONT, Node, Shown
from falsestruct.press.site.titles import chapter_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

LEDGER_PAGE = "book/31_evidence"
LEDGER_FILES = {"_build/ledger.csv": "text/csv", "book/evidence.json": "application/json"}
PDF = "false-structures.pdf"  # where the released PDF is served, below the book's address
WORDS = 40  # of a description
LOCALE = "en_GB"
ADDRESS = "FALSESTRUCT_ADDRESS"  # where the built pages will be served


@dataclass(frozen=True)
class Addresses:
    """Where things are, seen from a page: absolute if the book has an address.

    Attributes:
        app: Whose build knows where its pages and files are.
        docname: Of the page that says it.
        base: The book's address with a slash at its end, or empty.
    """

    app: Sphinx
    docname: str
    base: str

    def page(self, name: str, anchor: str = "") -> str:
        """Of a page, or of an anchor on it."""
        mark = f"#{anchor}" if anchor else ""
        if name == self.docname and anchor and not self.base:
            return mark
        return self._to(self.app.builder.get_target_uri(name)) + mark

    def file(self, path: str) -> str | None:
        """Of a file that the build copied, by its path below the book's root."""
        built = self.app.builder.env
        if path in built.dlfiles:
            return self._to(f"_downloads/{built.dlfiles[path][1]}")
        return self._to(f"_images/{built.images[path][1]}") if path in built.images else None

    def _to(self, target: str) -> str:
        if self.base:
            return urljoin(self.base, target)
        own = self.app.builder.get_target_uri(self.docname)
        return relative_uri(own, target) or target.rpartition("/")[2]  # of itself: its file


@dataclass(frozen=True)
class Page:
    """What the tags of a page are made of."""

    book: Book
    output: Output
    cited: Mapping[str, Any]
    at: Addresses
    title: str
    body: nodes.document

    @property
    def name(self) -> str:
        """Such as "notebooks/03_stripes"."""
        return self.at.docname

    @property
    def chapter(self) -> str:
        """NN_slug of a chapter; empty for other pages."""
        return self.name.removeprefix(NOTEBOOKS) if self.name.startswith(NOTEBOOKS) else ""

    @property
    def description(self) -> str:
        """The text's first words; of the front page, the abstract."""
        if self.name == FRONT and self.cited.get("abstract"):
            return str(self.cited["abstract"])
        first = next(filter(_is_text, self.body.findall(nodes.paragraph)), None)
        words = first.astext().split() if first else [self.title]
        return " ".join(words[:WORDS]) + ("…" if len(words) > WORDS else "")


def _is_text(paragraph: nodes.paragraph) -> bool:
    """Whether it is the page's own, not a box's or a list's."""
    return isinstance(paragraph.parent, nodes.section)


def add_tags(
    app: Sphinx, docname: str, _template: str, context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:  # fmt: skip
    """On `html-page-context`: the tags of a page."""
    if not (Path(app.srcdir) / "CITATION.cff").exists():
        return
    if doctree is None:
        said = _laid([*_shown_elsewhere(_of_no_text(app, docname))])
    else:
        page = _page(app, docname, doctree)
        said = f"{_laid([*_cited(page), *_opened(page)])}\n{as_script(described(page))}"
    context["metatags"] = f"{context.get('metatags', '')}\n{said}\n"


def _page(app: Sphinx, docname: str, doctree: nodes.document) -> Page:
    book, output = results(app.srcdir, app.config)
    base = app.config.html_baseurl
    at = Addresses(app, docname, base and base.rstrip("/") + "/")
    title = app.builder.env.titles[docname].astext()
    return Page(book, output, citing.citation(book), at, title, doctree)


def _laid(tags: Iterable[str]) -> str:
    return "\n".join(f"<meta {kind} />" for kind in tags)


def _of_no_text(app: Sphinx, docname: str) -> dict[str, str]:
    """OpenGraph of a page that nobody wrote and nobody cites: the search, the index."""
    title = citing.citation(results(app.srcdir, app.config)[0])["title"]
    name = {"search": "Search", "genindex": "Index"}.get(docname, docname)
    return {"og:title": name, "og:type": "website", "og:site_name": title, "og:locale": LOCALE}


def as_script(found: Iterable[Node]) -> str:
    """Linked data as a page holds it; no text in it ends the script."""
    data = json.dumps(linked.document(found), ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{data}</script>'


# ---- tags ----


def _tag(name: str, content: object, *, kind: str = "name") -> str:
    return f'{kind}="{name}" content="{html.escape(str(content))}"'


def _cited(page: Page) -> Iterator[str]:
    """What reference managers and Google Scholar read."""
    cited, whole = page.cited, page.cited["title"]
    yield _tag("description", page.description)
    yield _tag("citation_title", whole if page.name == FRONT else page.title)
    for person in cited["authors"]:
        yield _tag("citation_author", linked.author(person)["name"])
    if "date-released" in cited:
        yield _tag("citation_publication_date", str(cited["date-released"]).replace("-", "/"))
    if page.name != FRONT:
        yield _tag("citation_inbook_title", whole)
    yield _tag("citation_language", "en")
    if "doi" in cited:
        yield _tag("citation_doi", cited["doi"])
    if page.at.base:
        yield _tag("citation_public_url", page.at.page(page.name))
    if page.at.base and page.name == FRONT:  # a PDF is of the whole book
        yield _tag("citation_pdf_url", urljoin(page.at.base, PDF))


def _opened(page: Page) -> Iterator[str]:
    """OpenGraph: what a link to the page looks like elsewhere."""
    shown = {
        "og:title": page.title,
        "og:type": "book" if page.name == FRONT else "article",
        "og:site_name": page.cited["title"],
        "og:description": page.description,
        "og:locale": LOCALE,
    }
    if page.at.base:
        shown["og:url"] = page.at.page(page.name)
    pictures = _published(page) if page.at.base else []
    for record in pictures[:1]:
        picture = page.at.file(f"book/figures/{record.id}.png")
        shown |= {"og:image": picture or "", "og:image:alt": " ".join(record.alt.split())}
    return _shown_elsewhere(shown)


def _shown_elsewhere(shown: Mapping[str, str]) -> Iterator[str]:
    return (_tag(name, said, kind="property") for name, said in shown.items() if said)


# ---- linked data ----


def described(page: Page) -> list[Node]:
    """The page as linked data."""
    cited, at, env = page.cited, page.at, page.at.app.builder.env
    if page.name == FRONT:
        chapters = sorted(name for name in env.found_docs if chapter_of(name) is not None)
        return linked.book(cited, at, chapters)
    facts: Node = {"name": page.title, "description": page.description}
    facts["position"] = chapter_of(page.name)
    if page.name == LEDGER_PAGE:
        data = linked.ledger(cited, at, page.name, LEDGER_FILES)
        return [linked.article(cited, at, page.name, facts), data]
    parts = linked.parts(cited, at, page.name, _shown(page)) if page.chapter else []
    facts["hasPart"] = [{"@id": part["@id"]} for part in parts if "@id" in part]
    return [linked.article(cited, at, page.name, facts), *parts]


def _shown(page: Page) -> Shown:
    """What a chapter's page shows."""
    known = ledger.read(page.book, page.output)
    own = [entry for entry in known if entry.claim.chapter == page.chapter]
    records = _published(page)
    columns = {record.id: _columns(page.output, record.id) for record in records}
    notebook = page.output.notebooks / f"{page.chapter}.ipynb"
    shown = read_json(notebook) if notebook.exists() else {}
    return Shown(own, records, columns, linked.sections(shown))


def _published(page: Page) -> list[Published]:
    """The records of a chapter's figures, in the order of its text."""
    found = [r for r in figures.all_figures(page.output) if r.chapter == page.chapter]
    return gallery.in_order(found, page.book)


def _columns(output: Output, id: str) -> list[str]:
    with (output.figures / f"{id}.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


# ---- the book as a whole ----


def take_address(_app: Sphinx, config: Config) -> None:
    """On `config-inited`: the book's address, as `falsestruct build` hands it on."""
    if address := os.environ.get(ADDRESS):
        config.html_baseurl = address


def write_root(app: Sphinx, error: Exception | None) -> None:
    """On `build-finished`: the page that leads to the front page says what the book is, too."""
    front = app.config.master_doc
    known = (Path(app.srcdir) / "CITATION.cff").exists() and front == FRONT
    if error or not known or app.builder.format != "html":
        return
    page = _page(app, front, app.builder.env.get_doctree(front))
    to, title = app.builder.get_target_uri(front), html.escape(page.cited["title"])
    text = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8" />\n'
        f'<title>{title}</title>\n<meta http-equiv="Refresh" content="0; url={to}" />\n'
        f'<link rel="canonical" href="{page.at.page(front) if page.at.base else to}" />\n'
        f"{_laid([*_cited(page), *_opened(page)])}\n</head>\n"
        f'<body><a href="{to}">{title}</a></body>\n</html>\n'
    )
    write_atomically(Path(app.outdir) / "index.html", text)


def write_sitemap(app: Sphinx, error: Exception | None) -> None:
    """On `build-finished`: the addresses of all pages, if the book has one."""
    base, path = app.config.html_baseurl, Path(app.outdir) / "sitemap.xml"
    if error or app.builder.format != "html":
        return
    path.unlink(missing_ok=True)  # of an earlier build's address
    if not base:
        return
    pages = map(app.builder.get_target_uri, sorted(app.builder.env.found_docs))
    at = (html.escape(urljoin(base.rstrip("/") + "/", page)) for page in pages)
    lines = "".join(f"  <url><loc>{address}</loc></url>\n" for address in at)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{space}">\n{lines}</urlset>\n'
    write_atomically(path, text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", take_address)
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_root)
    app.connect("build-finished", write_sitemap)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
