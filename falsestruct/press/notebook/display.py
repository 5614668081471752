"""What a chapter's cell shows: MyST for the book, HTML for Jupyter."""

from __future__ import annotations

import math
from typing import Any


def show(*, markdown: str, html: str, text: str) -> None:
    """Display one thing in three forms; the book renders the first, a notebook the second."""
    _publish({"text/markdown": markdown, "text/html": html, "text/plain": text}, {})


def glue(**values: float | int | str) -> None:
    """Store numbers for the prose: {glue:text}`name:.2f` shows one.

    Does what `myst_nb.glue` does, without needing myst-nb where the notebook runs.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    for name, value in values.items():
        prefix = "application/papermill.record/"
        metadata = {"scrapbook": {"name": name, "mime_prefix": prefix}}
        _publish({f"{prefix}text/plain": _plain(name, value)}, metadata)


def _plain(name: str, value: float | int | str) -> str:
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}; expected a finite number")
    # NumPy's numbers print as np.float64(…), which no format in the prose could read.
    return repr(value.item() if hasattr(value, "item") else value)


def _publish(data: dict[str, Any], metadata: dict[str, Any]) -> None:
    from IPython.display import display

    display(data, raw=True, metadata=metadata)
