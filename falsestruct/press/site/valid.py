"""HTML that the extensions write and no page may hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_SUMMARY = re.compile(r"<summary\b.*?</summary>", re.S)
_PARAGRAPH = re.compile(r"(</?)p(?=[ >])")
# What a page is as well without: an element around each word of code, which only keeps lines from
# breaking there; names of classes that no style sheet asks for; a description's lonely paragraph.
_LIGHTER = (
    (re.compile(r'<span class="(?:pre|std std-ref)">([^<]*)</span>'), r"\1"),
    (re.compile(r'<code class="docutils literal notranslate">'), '<code class="literal">'),
    (re.compile(r"<dd><p>((?:(?!</?p>|<dd>).)*)</p>\n</dd>", re.S), r"<dd>\1</dd>"),
)
HEAVY = "book/31_evidence"  # has all claims, each with several rules as code


def mend(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """On `html-page-context`: no paragraphs in the line of a fold; book.css styles these spans."""
    if "body" in context:
        context["body"] = _SUMMARY.sub(
            lambda found: _PARAGRAPH.sub(r"\1span", found[0]), context["body"]
        )


def lighten(
    _app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    """On `html-page-context`: the ledger without a fifth of its bytes, which say nothing."""
    if page == HEAVY and "body" in context:
        for pattern, lighter in _LIGHTER:
            context["body"] = pattern.sub(lighter, context["body"])
