"""What a chapter's cell shows: MyST for the book, HTML for Jupyter."""

from __future__ import annotations

from typing import Any


def show(*, markdown: str, html: str, text: str) -> None:
    """Display one thing in three forms; the book renders the first, a notebook the second."""
    _publish({"text/markdown": markdown, "text/html": html, "text/plain": text}, {})


def glue(**values: float | int | str) -> None:
    """Store numbers for the prose: {glue:text}`name:.2f` shows one.

    Does what `myst_nb.glue` does, without needing myst-nb where the notebook runs.
    """
    for name, value in values.items():
        plain = value if isinstance(value, str) else repr(value)
        prefix = "application/papermill.record/"
        metadata = {"scrapbook": {"name": name, "mime_prefix": prefix}}
        _publish({f"{prefix}text/plain": plain}, metadata)


def _publish(data: dict[str, Any], metadata: dict[str, Any]) -> None:
    from IPython.display import display

    display(data, raw=True, metadata=metadata)
