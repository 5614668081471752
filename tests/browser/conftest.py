"""The book's pages in Chromium: each is visited from a server and as a file, once for all tests.

No browser, no test: they are skipped and say so, and fail where FALSESTRUCT_REQUIRE_BROWSER=1.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
CONTENTS = tuple(re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text()))
PAGES = (*CONTENTS, "search", "genindex")
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
MEASURE = Path(__file__).with_name("measure.js")
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"
SETTLED = """async () => {
  const mathjax = window.MathJax && MathJax.startup && MathJax.startup.promise;
  if (mathjax) await mathjax;
  await document.fonts.ready;
  return document.readyState === "complete";
}"""
WIDE, PHONE = {"width": 1600, "height": 1000}, {"width": 390, "height": 844}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that takes `name` runs for every page; `chapter` is a page of the contents."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", PAGES)
    if "chapter" in metafunc.fixturenames:
        metafunc.parametrize("chapter", CONTENTS)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture(scope="package")
def server(html: Path) -> Iterator[str]:
    """The address at which the built pages are served."""
    handler = functools.partial(_Quiet, directory=str(html))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium; no name outside this machine can be looked up.

    Closed with this folder's last test: while it is open no other test can start an event loop.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "no chromium on the PATH: the pages are not looked at in a browser"
        if os.environ.get("FALSESTRUCT_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    flags = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=flags)
        yield running
        running.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page of its own, with nothing stored: `window(address, viewport=…)`."""
    contexts: list[BrowserContext] = []

    def open_page(address: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce"} | options)
        contexts.append(context)
        page = context.new_page()
        go(page, address)
        return page

    yield open_page
    for context in contexts:
        context.close()


def go(page: Page, address: str) -> None:
    """Open an address and wait until formulas are set; nothing moves from then on."""
    page.goto(address)
    page.wait_for_function(SETTLED)
    page.add_style_tag(content=STILL)


@dataclass
class Heard:
    """What a page said and asked for while it was used."""

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Record from now on."""
        page.on("console", lambda m: self.console.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: self.console.append(f"error: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", lambda r: self.console.append(f"error: {r.url} failed"))
        page.on("response", lambda r: self._answered(r.url, r.status))

    def _answered(self, address: str, status: int) -> None:
        if status >= 400:
            self.console.append(f"error: {status} for {address}")

    def errors(self) -> list[str]:
        return [line for line in self.console if line.startswith(("error", "warning"))]

    def elsewhere(self, home: str) -> list[str]:
        """Requests that leave the book."""
        return [url for url in self.requests if not url.startswith((home, "data:", "blob:"))]


@dataclass
class Visit:
    """All that one visit measured."""

    served: Heard
    filed: Heard
    axe: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    looks: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)
    sideways: dict[int, dict[str, Any]] = field(default_factory=dict)
    scrollers: dict[int, list[str]] = field(default_factory=dict)


def use(page: Page) -> None:
    """What a reader may do on any page: fold out, turn the lights off, look for something."""
    page.evaluate("measure.openFolds()")
    for _ in range(3):  # through all modes and back
        page.locator("button.theme-switch-button:visible").first.click()
    page.keyboard.press("Control+k")
    page.keyboard.type("stability")
    page.keyboard.press("Escape")


def _measure(page: Page, visit: Visit) -> None:
    for name in ("images", "headings", "formulas"):
        visit.seen[name] = page.evaluate(f"measure.{name}()")
    page.evaluate("measure.openFolds()")
    visit.seen["unreachable"] = page.evaluate("measure.unreachable()")
    for viewport in (PHONE, WIDE):
        page.set_viewport_size(viewport)
        page.wait_for_timeout(100)
        visit.sideways[viewport["width"]] = page.evaluate("measure.sideways()")
        visit.scrollers[viewport["width"]] = page.evaluate("measure.scrollers()")
    _ask_axe(page, visit)


def _ask_axe(page: Page, visit: Visit) -> None:
    page.evaluate("measure.emptyFormulas()")
    page.evaluate(AXE.read_text())
    visit.axe["structure"] = page.evaluate("measure.structure()")
    for mode in ("light", "dark"):
        page.emulate_media(color_scheme=mode)
        page.wait_for_function("mode => document.documentElement.dataset.theme === mode", arg=mode)
        found = page.evaluate("measure.contrast()")
        visit.axe[mode], visit.looks[mode] = found["violations"], found["looks"]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(200)
    visit.axe["phone"] = page.evaluate("measure.scrollable()")
    page.set_viewport_size(WIDE)


@pytest.fixture(scope="package")
def visits(browser: Browser, server: str, html: Path) -> Iterator[Callable[[str], Visit]]:
    """What a visit to a page found; each page is visited once from the server, once as a file."""
    known: dict[str, Visit] = {}
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    context.add_init_script(MEASURE.read_text())

    def open_at(address: str, heard: Heard) -> Page:
        page = context.new_page()
        heard.listen(page)
        go(page, address)
        return page

    def visit(name: str) -> Visit:
        if name not in known:
            found = known[name] = Visit(Heard(), Heard())
            page = open_at(f"{server}{name}.html", found.served)
            _measure(page, found)
            use(page)
            page.close()
            page = open_at((html / f"{name}.html").as_uri(), found.filed)
            found.seen["formulas of the file"] = page.evaluate("measure.formulas()")
            use(page)
            page.close()
        return known[name]

    yield visit
    context.close()
