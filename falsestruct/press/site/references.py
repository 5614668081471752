"""The bibliography as a plain list: a Sphinx extension on top of sphinxcontrib-bibtex.

Texts cite by author and year, so the numbers that docutils sets before the entries are of no use,
and its roles for them are no longer allowed.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def list_references(app: Sphinx, doctree: nodes.document, document: str) -> None:
    """Make every run of citations a list. Each entry keeps the ids that texts link to."""
    for first in list(doctree.findall(nodes.citation)):
        if first.parent is None:  # moved already, with the one before it
            continue
        place = first.parent
        start = place.index(first)
        entries = []
        for entry in place.children[start:]:
            if not isinstance(entry, nodes.citation):
                break
            entries.append(entry)
        items = [_item(entry) for entry in entries]
        place[start : start + len(entries)] = [
            nodes.bullet_list("", *items, bullet="-", classes=["references"])
        ]
        for entry in entries:
            entry.parent = None


def _item(entry: nodes.citation) -> nodes.list_item:
    """A citation without its label."""
    text = [child for child in entry.children if not isinstance(child, nodes.label)]
    return nodes.list_item("", *text, ids=entry["ids"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", list_references)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
