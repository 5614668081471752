"""HTML that the extensions write and no page may hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_SUMMARY = re.compile(r"<summary\b.*?</summary>", re.S)
_PARAGRAPH = re.compile(r"(</?)p(?=[ >])")


def mend(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """On `html-page-context`: no paragraphs in the line of a fold; book.css styles these spans."""
    if "body" in context:
        context["body"] = _SUMMARY.sub(
            lambda found: _PARAGRAPH.sub(r"\1span", found[0]), context["body"]
        )
