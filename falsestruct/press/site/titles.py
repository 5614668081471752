"""Chapter numbers on the built pages: a Sphinx extension.

A chapter's title begins with its number, which is that of its file, so that "chapter 04" and
"Proposition 2.9" can be found in the contents. And where a text says "chapter 04", that is a link.
"""

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.nodes import make_refnode

MENTION = re.compile(r"\b[Cc]hapters? \d\d(?:(?:,| and|, and) \d\d)*\b")
NUMBER = re.compile(r"(?:\b[Cc]hapters? )?(\d\d)\b")
FORMULA = re.compile(r'(<span class="math notranslate nohighlight">[^<]*</span>[.,;:!?)’]+)')
EXPONENT = re.compile(
    r'(<span class="pasted-text">(?:<strong>)?|<td><p>)([0-9.]+)e([+-]\d+)(</strong>|</span>|</p>)'
)
UNTOUCHED = (
    nodes.reference, nodes.literal, nodes.literal_block, nodes.title, nodes.raw, nodes.math,
    nodes.math_block, nodes.comment, nodes.target,
)  # fmt: skip
# Before Sphinx collects titles, which has the default priority of 500.
BEFORE_TITLES = 400


def chapter_of(document: str) -> int | None:
    """The number of a chapter, 2 for "notebooks/02_structures", None for other pages."""
    found = re.match(r"(\d\d)_", PurePosixPath(document).name)
    return int(found[1]) if found else None


def number_title(app: Sphinx, doctree: nodes.document) -> None:
    """Put the chapter's number before its title."""
    number = chapter_of(app.env.docname)
    title = next(doctree.findall(nodes.title), None)
    if number is not None and title is not None:
        title.insert(0, nodes.Text(f"{number}. "))


def link_chapters(app: Sphinx, doctree: nodes.document, document: str) -> None:
    """Make every mention of another chapter a link to it."""
    places = {chapter_of(name): name for name in app.env.found_docs}
    places.pop(None, None)

    def linked(number: str, words: str) -> nodes.Node:
        place = places.get(int(number))
        if place is None or place == document:
            return nodes.Text(words)
        return make_refnode(app.builder, document, place, "", nodes.Text(words))

    for text in list(doctree.findall(nodes.Text)):
        if MENTION.search(text.astext()) and not _inside(text):
            text.parent.replace(text, _with_links(text.astext(), linked))


def _inside(node: nodes.Node) -> bool:
    """Whether a node is part of what keeps its text."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, UNTOUCHED):
            return True
        parent = parent.parent
    return False


def _with_links(text: str, linked: Callable[[str, str], nodes.Node]) -> list[nodes.Node]:
    """The text in parts, each number of a mention as a link."""
    parts: list[nodes.Node] = []
    done = 0
    for mention in MENTION.finditer(text):
        for number in NUMBER.finditer(text, mention.start(), mention.end()):
            parts.append(nodes.Text(text[done : number.start()]))
            parts.append(linked(number[1], number[0]))
            done = number.end()
    return [part for part in (*parts, nodes.Text(text[done:])) if part.astext()]


def typeset(
    _app: Sphinx,
    _page: str,
    _template: str,
    context: dict[str, Any],
    _doctree: nodes.document | None,
) -> None:
    """Keep a mark behind a formula on its line; 4e-13 in the text becomes a power of ten."""
    if "body" in context:
        body = FORMULA.sub(r'<span class="keep">\1</span>', context["body"])
        context["body"] = EXPONENT.sub(_power, body)


def _power(found: re.Match[str]) -> str:
    before, digits, exponent, after = found.groups()
    factor = "" if digits == "1" else f"{digits} · "
    power = str(int(exponent)).replace("-", "−")
    return f'{before}<span class="keep">{factor}10<sup>{power}</sup></span>{after}'


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-read", number_title, priority=BEFORE_TITLES)
    app.connect("doctree-resolved", link_chapters)
    app.connect("html-page-context", typeset)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
