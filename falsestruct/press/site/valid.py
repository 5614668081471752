"""HTML that the extensions write and no page may hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_SUMMARY = re.compile(r"<summary\b.*?</summary>", re.S)
_PARAGRAPH = re.compile(r"(</?)p(?=[ >])")
_WORD = re.compile(r'<span class="pre">([^<]*)</span>')
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
    """On `html-page-context`: no element around each word of code, a tenth of the ledger's bytes.

    It keeps lines from breaking within words, which they may do there.
    """
    if page == HEAVY and "body" in context:
        context["body"] = _WORD.sub(r"\1", context["body"])
