"""Pages are built again when what makes them has changed, not only when their text has.

Sphinx knows of a page's text, pictures, and what the extension says that it depends on. What all
pages are made by comes as a setting: another value of it, and all pages are read again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsestruct.press.paths import Book

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

MAKERS = ("falsestruct/press/**/*.py", "book/claims/*.yml", "CITATION.cff", "_config.yml")


def digest(book: Book) -> str:
    """Of all that pages are made by: the press, the claims, how to cite, the configuration."""
    found = hashlib.sha256()
    for path in sorted(path for pattern in MAKERS for path in book.root.glob(pattern)):
        found.update(f"\n{path.relative_to(book.root)}\n".encode() + path.read_bytes())
    return found.hexdigest()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""

    def look(app: Sphinx, config: Config) -> None:
        config["falsestruct_makers"] = digest(Book(Path(app.srcdir)))

    app.add_config_value("falsestruct_makers", "", "env", [str])
    app.connect("config-inited", look)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
