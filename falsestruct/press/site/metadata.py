"""A Sphinx extension: every page says to machines what it is.

In its head stand `citation_*` tags (reference managers, Google Scholar), OpenGraph, and JSON-LD by
schema.org (`linked`). Addresses are relative, and those that must be absolute are left out, as long
as `html: baseurl:` in `_config.yml` is empty.
"""

from __future__ import annotations

import csv
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.util.osutil import relative_uri

from falsestruct.press.notebook import figures
from falsestruct.press.notebook.figures import Published
from falsestruct.press.paths import Book, Output, write_atomically
from falsestruct.press.site import citing, gallery, ledger, linked
from falsestruct.press.site.directives import NOTEBOOKS, results
from falsestruct.press.site.linked import FRONT, Node, Shown
from falsestruct.press.site.titles import chapter_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LEDGER_PAGE = "book/31_evidence"
LEDGER_FILES = {"_build/ledger.csv": "text/csv", "book/evidence.json": "application/json"}
PDF = "false-structures.pdf"  # where the released PDF is served, below the book's address
WORDS = 40  # of a description


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
    if doctree is None or not (Path(app.srcdir) / "CITATION.cff").exists():
        return
    book, output = results(app.srcdir, app.config)
    base = app.config.html_baseurl
    at = Addresses(app, docname, base and base.rstrip("/") + "/")
    title = app.builder.env.titles[docname].astext()
    page = Page(book, output, citing.citation(book), at, title, doctree)
    tags = "\n".join(f"<meta {kind} />" for kind in [*_cited(page), *_opened(page)])
    script = as_script(described(page))
    context["metatags"] = f"{context.get('metatags', '')}\n{tags}\n{script}\n"


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
        yield _tag("citation_pdf_url", urljoin(page.at.base, PDF))


def _opened(page: Page) -> Iterator[str]:
    """OpenGraph: what a link to the page looks like elsewhere."""
    shown = {
        "og:title": page.title,
        "og:type": "book" if page.name == FRONT else "article",
        "og:site_name": page.cited["title"],
        "og:description": page.description,
        "og:locale": "en",
    }
    if page.at.base:
        shown["og:url"] = page.at.page(page.name)
    pictures = _published(page) if page.at.base else []
    for record in pictures[:1]:
        picture = page.at.file(f"book/figures/{record.id}.png")
        shown |= {"og:image": picture or "", "og:image:alt": " ".join(record.alt.split())}
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
    facts["hasPart"] = [{"@id": part["@id"]} for part in parts]
    return [linked.article(cited, at, page.name, facts), *parts]


def _shown(page: Page) -> Shown:
    """What a chapter's page shows."""
    known = ledger.read(page.book, page.output)
    own = [entry for entry in known if entry.claim.chapter == page.chapter]
    records = _published(page)
    columns = {record.id: _columns(page.output, record.id) for record in records}
    return Shown(own, records, columns, beside(page.body))


def _published(page: Page) -> list[Published]:
    """The records of a chapter's figures, in the order of its text."""
    found = [r for r in figures.all_figures(page.output) if r.chapter == page.chapter]
    return gallery.in_order(found, page.book)


def _columns(output: Output, id: str) -> list[str]:
    with (output.figures / f"{id}.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def beside(body: nodes.document) -> dict[str, str]:
    """The figure that stands beside each claim: the last one before it, else the next.

    Only of the same part of the page, as its headings of the second level have it.
    """
    found: dict[str, str] = {}
    last, waiting = "", list[str]()
    for kind, id in _marks(body):
        if kind == "part":
            last, waiting = "", []
        elif kind == "fig":
            last = id
            found |= dict.fromkeys(waiting, id)
            waiting = []
        elif last:
            found[id] = last
        else:
            waiting.append(id)
    return found


def _marks(body: nodes.document) -> Iterator[tuple[str, str]]:
    """The parts of a page, and their claims and figures, in order: "part", "claim" or "fig", id."""
    for node in body.findall(nodes.Element):
        if isinstance(node, nodes.section) and _is_second(node):
            yield "part", ""
        for id in map(str, node.get("ids", ())):
            kind, _, rest = id.partition("-")
            if kind in ("claim", "fig") and rest:
                yield kind, rest


def _is_second(part: nodes.section) -> bool:
    """Whether its heading is of the second level, below the page's title."""
    above = part.parent
    return isinstance(above, nodes.section) and not isinstance(above.parent, nodes.section)


# ---- sitemap ----


def write_sitemap(app: Sphinx, error: Exception | None) -> None:
    """On `build-finished`: the addresses of all pages, if the book has one."""
    base = app.config.html_baseurl
    if error or not base or app.builder.format != "html":
        return
    pages = map(app.builder.get_target_uri, sorted(app.builder.env.found_docs))
    at = (html.escape(urljoin(base.rstrip("/") + "/", page)) for page in pages)
    lines = "".join(f"  <url><loc>{address}</loc></url>\n" for address in at)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{space}">\n{lines}</urlset>\n'
    write_atomically(Path(app.outdir) / "sitemap.xml", text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_sitemap)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
