"""The pages of `falsestruct audit` and `falsestruct search`: a browser opens them as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from falsestruct.characterise import report
from falsestruct.characterise.report import Page as Report
from falsestruct.characterise.report import Picture, Table
from falsestruct.characterise.suspicion import audit
from tests.browser.conftest import AXE, PHONE, Heard

RNG = np.random.default_rng(0)
LONG = Table(
    "Rules", ("rule", "rank", "share", "interval"), (("a rule " * 20, "1", "9 %", "x" * 90),)
)
PICTURES = tuple(
    Picture(shown, f"number {i}")
    for i, shown in enumerate((RNG.random((4, 4)), RNG.random((9, 2)), RNG.random(9), "word " * 90))
)
OTHER = Report("Search", "none of these", "Nothing.", (LONG,), ("a note",), "Directions", PICTURES)
VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .map(({id, nodes}) => `${id}: ${nodes[0].html}`)"""


def audited() -> str:
    y = RNG.integers(0, 2, 120)
    x = RNG.random((120, 4, 4))
    x[:, 0, 0] = np.roll(y, 1)
    return audit(lambda b: b[:, 0, 0] > 0.5, x, original=y, false=np.roll(y, 1), points=2).to_html()


@pytest.mark.parametrize("made", [audited, lambda: report.as_html(OTHER)], ids=["audit", "search"])
def test_a_page_is_accessible_in_every_light_and_asks_nobody(
    browser: Browser, tmp_path: Path, made: Callable[[], str]
) -> None:
    path, heard = tmp_path / "page.html", Heard()
    path.write_text(made(), encoding="utf-8")
    page: Any = browser.new_context(reduced_motion="reduce").new_page()
    heard.listen(page)
    for scheme in ("light", "dark"):
        for viewport in (None, PHONE):
            if viewport:
                page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            _looked_at(page, path)
    assert heard.errors() == [] and set(heard.elsewhere(path.as_uri())) == set()
    page.context.close()


def _looked_at(page: Page, path: Path) -> None:
    page.goto(path.as_uri())
    page.evaluate(AXE.read_text())
    assert page.evaluate(VIOLATIONS) == []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "the page scrolls sideways"
    loaded = "[...document.images].every(image => image.naturalWidth > 0)"
    assert page.evaluate(loaded)
