"""A Sphinx extension: networks that answer in the page.

```{live} stripes``` is a place where readers draw a stripe, and stored networks say what they see;
`_static/live.js` makes it, `_static/networks.js` computes. The weights are in book/networks, made
by `falsestruct weights`. A build lays them into `_networks`, and a page loads them once they are
asked: as they are from a server, and as a script from a folder, where a browser reads nothing else.
Without scripts, and on paper, there is nothing.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from falsestruct.press.paths import Book, UserError, read_json, write_atomically

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "_networks"
KNOWN = ("stripes",)
LIMIT = 600_000  # bytes of weights that a page may ask of a reader
SCRIPTS = ("networks.js", "live.js")


def store(book: Book) -> list[Path]:
    """Train what is shown and write it: where the weights and their description are."""
    from falsestruct.press.site import stored

    packed, (weights, about) = stored.pack(), files(book, "stripes")
    described = packed.about | identified(packed.weights)
    write_atomically(weights, packed.weights)
    write_atomically(about, json.dumps(described, indent=1) + "\n")
    return [weights, about]


def identified(weights: bytes) -> dict[str, int]:
    """What tells these weights from short, damaged and other ones; a page checks it."""
    return {"bytes": len(weights), "crc32": zlib.crc32(weights)}


def files(book: Book, name: str) -> tuple[Path, Path]:
    """Where weights are, and what they are."""
    return book.networks / f"{name}.f16", book.networks / f"{name}.json"


def described(book: Book, name: str) -> dict[str, Any]:
    """What a page holds of stored networks before it loads them.

    Raises:
        UserError: there are none of this name, or they are not those that are described.
    """
    weights, about = files(book, name)
    if name not in KNOWN or not (weights.exists() and about.exists()):
        raise UserError(
            f"no networks {name!r} in {book.networks}: expected one of {', '.join(KNOWN)}, made by "
            "`falsestruct weights`"
        )
    held = dict(read_json(about))
    if not identified(weights.read_bytes()).items() <= held.items():
        raise UserError(
            f"{about} describes other weights than {weights}: `falsestruct weights` makes both"
        )
    return held


class LiveDirective(SphinxDirective):
    """`{live} NAME`: networks that were trained on this."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A hidden box with what the networks are; scripts fill it and show it."""
        name, book = self.arguments[0], Book(Path(self.env.srcdir))
        try:
            data = json.dumps(described(book, name)).replace("<", "\\u003c")
        except UserError as error:
            raise ExtensionError(f"{self.get_location()}: {error}") from None
        for path in files(book, name):
            self.env.note_dependency(str(path))
        self.env.metadata[self.env.docname]["live"] = name
        box = (
            f'<div class="live" data-networks="{name}" hidden>'
            f'<script type="application/json">{data}</script></div>'
        )
        return [nodes.raw("", box, format="html")]


def add_scripts(app: Sphinx, pagename: str, *_: object) -> None:
    """On `html-page-context`: scripts where a page has networks, and nowhere else."""
    if app.env.metadata.get(pagename, {}).get("live"):
        for name in SCRIPTS:
            app.add_js_file(name, loading_method="defer")


def lay(app: Sphinx, failed: Exception | None) -> None:
    """On `build-finished`: the weights, as bytes and as scripts."""
    if failed is not None or app.builder.format != "html":
        return
    book = Book(Path(app.srcdir))
    for name in sorted({m["live"] for m in app.env.metadata.values() if "live" in m}):
        raw, folder = files(book, name)[0].read_bytes(), Path(app.outdir) / FOLDER
        text = f'networks.receive("{name}", "{base64.b64encode(raw).decode()}");\n'
        write_atomically(folder / f"{name}.f16", raw)
        write_atomically(folder / f"{name}.js", text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("live", LiveDirective)
    app.add_css_file("live.css")
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", lay)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
