"""A Sphinx extension: what a link leads to, for a look before going there.

Each page leaves a file in `_previews` with short pieces of HTML by anchor: claims, figures,
statements, terms, cited works. `_static/previews.js` loads the file of the page that a link leads
to, from the book itself and only once somebody points at such a link. Pieces hold no links.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

from falsestruct.press.paths import write_atomically
from falsestruct.press.site.anchors import claims_in
from falsestruct.press.site.proofs import STATEMENTS, title_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "_previews"
LENGTH = 500  # characters of text after which the rest is left out
TOLD = ("Found", "Supported if", "Refuted if", "Control")  # of a claim in the ledger
LAST = 900  # after all that changes the page
MARKS = {nodes.paragraph: "p", nodes.emphasis: "em", nodes.strong: "strong", nodes.literal: "code"}
SILENT = (nodes.raw, nodes.literal_block, nodes.comment, nodes.target, nodes.image)


def write(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """On `doctree-resolved`: the previews of a page's anchors."""
    if app.builder.format != "html":
        return
    files: dict[str, dict[str, str]] = {file_of(docname, ""): {}}  # there if it has none, too
    for anchor, piece in _pieces(app, doctree):
        files.setdefault(file_of(docname, anchor), {})[anchor] = piece
    for name, pieces in files.items():
        text = json.dumps(pieces, ensure_ascii=False, indent=0)
        path = Path(app.outdir) / FOLDER / f"{name}.js"
        write_atomically(path, f"previews({json.dumps(name)}, {text});\n")


def file_of(docname: str, anchor: str) -> str:
    """The file, without its end, that has an anchor's preview; `previews.js` finds it likewise.

    The ledger has some hundred kilobytes of them: there, what begins with the same word is a file.
    """
    name = docname.replace("/", "-")
    word = re.match(r"ledger-([a-z0-9]+)", anchor)
    return f"{name}-{word[1]}" if word else name


def _pieces(app: Sphinx, doctree: nodes.document) -> Iterator[tuple[str, str]]:
    """Anchors and what they show."""
    for node, _ in claims_in(doctree):
        shown = _card(node) if isinstance(node, nodes.admonition) else _row(node)
        yield from ((str(id), shown) for id in node["ids"])
    for node in doctree.findall(nodes.Element):
        for kind, make in KINDS.items():
            if isinstance(node, kind) and (shown := make(app, node)):
                yield from ((str(id), shown) for id in node["ids"])


# ---- what each kind shows ----


def _card(card: nodes.Element) -> str:
    """A claim's title and first words; of the ledger's many lines those that decide."""
    title = card[0].astext().removesuffix("#")
    lines = [item for item in card.findall(nodes.definition_list_item) if item[0].astext() in TOLD]
    if not lines:
        return _titled(title, *card[1:])
    return _titled(title) + "".join(
        f"<p><em>{html.escape(item[0].astext())}</em>: {_inline(item[-1])}</p>" for item in lines
    )


def _inline(definition: nodes.Node) -> str:
    """A definition's text in a line."""
    return " ".join("".join(map(plain, part.children)) for part in definition.children)


def _row(verdict: nodes.Element) -> str:
    """The cells of a claim's row in a table."""
    row = verdict.parent
    while row is not None and not isinstance(row, nodes.row):
        row = row.parent
    cells = [] if row is None else list(row.children)
    return _titled(verdict.astext(), *cells[1:])


def _statement(app: Sphinx, node: nodes.Element) -> str:
    """Kind, number and name of a statement, and what it says."""
    name = node[0].astext().strip()
    title = " ".join(filter(None, (title_of(app.env, node["label"]), name)))
    return _titled(title, *node[1:])


def _term(_app: Sphinx, node: nodes.Element) -> str:
    """A term of the glossary with its meaning."""
    item = node.parent
    if not node["ids"] or not str(node["ids"][0]).startswith("term-"):
        return ""
    return _titled(node.astext(), item[-1])


def _work(_app: Sphinx, node: nodes.Element) -> str:
    """A cited work."""
    return short(node.children) if "references" in node.parent.get("classes", ()) else ""


def _figure(app: Sphinx, node: nodes.Element) -> str:
    """A figure with its caption; the script knows where the pictures are."""
    images = app.builder.images
    picture = next((images[i["uri"]] for i in node.findall(nodes.image) if i["uri"] in images), "")
    caption = next(node.findall(nodes.caption), None)
    if not picture or caption is None:
        return ""
    alt = next(node.findall(nodes.image)).get("alt", "")
    shown = f'<img data-src="_images/{html.escape(picture)}" alt="{html.escape(alt)}">'
    return f"{shown}<p>{short(caption.children)}</p>"


KINDS: dict[Any, Callable[[Sphinx, nodes.Element], str]] = {
    STATEMENTS: _statement,
    nodes.term: _term,
    nodes.list_item: _work,
    nodes.figure: _figure,
}


# ---- HTML ----


def _titled(title: str, *parts: nodes.Node) -> str:
    return f"<p><strong>{html.escape(title.strip())}</strong></p>{short(parts)}"


def short(parts: Any) -> str:
    """The first parts of some nodes as HTML: whole ones, until it is long enough."""
    shown, length = "", 0
    for part in _blocks(parts):
        if length and length + len(part.astext()) > LENGTH:
            return f"{shown}<p>…</p>"
        shown += plain(part)
        length += len(part.astext())
    return shown


def _blocks(parts: Any) -> Iterator[nodes.Node]:
    """What can be left out as a whole: paragraphs and formulas, not what holds them."""
    for part in parts:
        inline = isinstance(part, (nodes.Text, nodes.Inline, nodes.TextElement))
        if inline or not part.children:
            yield part
        else:
            yield from _blocks(part.children)


def plain(node: nodes.Node) -> str:
    """A node as HTML without links, ids and scripts; formulas as MathJax reads them."""
    if isinstance(node, nodes.Text):
        return html.escape(node.astext())
    if isinstance(node, nodes.math):
        return f'<span class="math">\\({html.escape(node.astext())}\\)</span>'
    if isinstance(node, nodes.math_block):
        return f'<div class="math">\\[{html.escape(node.astext())}\\]</div>'
    if isinstance(node, SILENT) or "headerlink" in node.get("classes", ()):
        return ""
    inside = "".join(map(plain, node.children))
    mark = next((mark for kind, mark in MARKS.items() if isinstance(node, kind)), "")
    return f"<{mark}>{inside}</{mark}>" if mark and inside else inside


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("falsestruct.press.site.anchors")
    app.connect("doctree-resolved", write, priority=LAST)
    app.add_css_file("previews.css")
    app.add_js_file("previews.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
