"""What a chapter's cell shows: MyST for the book, HTML for Jupyter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def show(
    *,
    text: str,
    markdown: str | None = None,
    html: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Display one thing in several forms; the book renders MyST, a notebook HTML.

    Args:
        data: Further forms by their MIME type: what the build makes a page's part of.
    """
    forms = {"text/markdown": markdown, "text/html": html, "text/plain": text, **(data or {})}
    _publish({kind: form for kind, form in forms.items() if form is not None}, {})


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
