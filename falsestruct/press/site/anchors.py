"""A Sphinx extension: each claim has a link to itself, as headings and figures have.

It stands on the card's title, or beside the verdict in a table's row. `_static/previews.js` copies
the whole address with a click; without scripts it is a link.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CLAIM = ("claim-", "ledger-")
WORDS = {"claim-": "Link to this claim", "ledger-": "Link to this entry"}


def claims_in(doctree: nodes.document) -> Iterator[tuple[nodes.Element, str]]:
    """The cards of a page, and the verdicts that stand for a claim in a table; each with its id."""
    for node in list(doctree.findall(lambda n: isinstance(n, (nodes.admonition, nodes.inline)))):
        own = [id for id in node["ids"] if id.startswith(CLAIM)]
        if own and ("claim" in node["classes"] or "verdict" in node["classes"]):
            yield node, own[0]


def add_links(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """On `doctree-resolved`: put the links in."""
    for node, id in claims_in(doctree):
        said = WORDS[id[: id.index("-") + 1]]
        link = nodes.reference("", "#", internal=True, refuri=f"#{id}", reftitle=said)
        link["classes"] = ["headerlink"]
        if isinstance(node, nodes.admonition):
            node[node.first_child_matching_class(nodes.title)] += link
        else:
            node.parent.insert(node.parent.index(node) + 1, link)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", add_links)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
