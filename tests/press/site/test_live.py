"""Weights in the built pages: there, where a page asks for them; and a clear error without them."""

from __future__ import annotations

import base64
import json
import shutil
import zlib
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from falsestruct.press.paths import Book, UserError
from falsestruct.press.site import live, stored
from tests.press.site.test_directives import build

REPOSITORY = Path(__file__).parents[3]
PAGE = """\
# Page

```{live} stripes
```

```{ledger} success
```

```{figures} gallery
```
"""


@pytest.mark.slow
def test_a_page_gets_its_networks_and_no_other_page_does(finished, tmp_path):
    shutil.copytree(REPOSITORY / "book/networks", finished.file("book/networks"))
    finished.file("book/page.md").write_text(PAGE)
    built = build(finished, tmp_path, pages="book/page")
    weights, about = live.files(finished.book, "stripes")
    assert (built / "_networks/stripes.f16").read_bytes() == weights.read_bytes()
    script = (built / "_networks/stripes.js").read_text()
    head, end = 'networks.receive("stripes", "', '");\n'
    assert script.startswith(head) and script.endswith(end)
    assert base64.b64decode(script[len(head) : -len(end)]) == weights.read_bytes()
    page = BeautifulSoup((built / "book/page.html").read_text(), "html.parser")
    [box] = page.select("div.live[hidden][data-networks=stripes]")
    held = json.loads(box.script.get_text())
    assert held == json.loads(about.read_text())
    assert held["bytes"] == weights.stat().st_size
    for name in live.SCRIPTS:
        assert page.select(f"script[src*='_static/{name}']")
        assert name not in (built / "book/index.html").read_text()


@pytest.mark.parametrize(("name", "kept"), [("stripes", ".json"), ("stripes", ".f16"), ("x", "")])
def test_networks_that_are_not_stored_are_an_error(tmp_path, name, kept):
    book = Book(tmp_path)
    book.networks.mkdir(parents=True)
    if kept:
        shutil.copy(REPOSITORY / f"book/networks/stripes{kept}", book.networks)
    with pytest.raises(
        UserError, match=rf"no networks '{name}' in .*: expected one of stripes, ma"
    ):
        live.described(book, name)


@pytest.mark.parametrize("damage", [lambda raw: raw[:-2], lambda raw: raw[::-1]])
def test_weights_that_are_not_those_described_are_an_error(tmp_path, damage):
    book = Book(tmp_path)
    shutil.copytree(REPOSITORY / "book/networks", book.networks)
    weights, _ = live.files(book, "stripes")
    assert live.described(book, "stripes")["crc32"] == zlib.crc32(weights.read_bytes())
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(UserError, match=r"stripes\.json describes other weights than .*\.f16: "):
        live.described(book, "stripes")


def test_what_is_stored_is_as_light_as_promised():
    stored = live.files(Book(REPOSITORY), "stripes")
    assert stored[0].stat().st_size == 2 * 284_101
    assert sum(path.stat().st_size for path in stored) < live.LIMIT


def test_the_command_stores_what_was_trained(desk, invoke, monkeypatch):
    monkeypatch.setattr(stored, "pack", lambda: stored.Packed(b"\x00\x3c", {"networks": []}))
    code, out, _ = invoke(desk, "weights")
    weights, about = live.files(desk.book, "stripes")
    assert code == 0 and out.split() == [str(weights), str(about)]
    assert weights.read_bytes() == b"\x00\x3c"
    held = {"networks": [], "bytes": 2, "crc32": zlib.crc32(b"\x00\x3c")}
    assert json.loads(about.read_text()) == held
    assert live.described(desk.book, "stripes") == held
