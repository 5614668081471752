"""What a reader does: turn the lights off, move with the keyboard, search, print."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

INDEX = "book/index.html"
BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"
# What has the focus, whether it is in the window, and whether its outline is seen.
FOCUSED = """() => {
  const element = document.activeElement;
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  return {
    tag: element.tagName, words: element.textContent.trim().slice(0, 40),
    where: ["#pst-skip-link", ".bd-sidebar-primary", ".bd-header-article", "article",
            ".bd-sidebar-secondary", "footer"].find((part) => element.closest(part)) || "",
    ringed: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
      || style.boxShadow !== "none",
    there: box.width > 0 && box.height > 0,
  };
}"""


def theme(page):
    return page.evaluate("document.documentElement.dataset.theme")


def press_until(page, mode):
    """Click the switch until the page is in this mode: it goes through three."""
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.mode") == mode:
            return
        page.locator("button.theme-switch-button:visible").first.click()
    assert page.evaluate("document.documentElement.dataset.mode") == mode


@pytest.mark.parametrize("home", ["server", "file"])
def test_the_lights_stay_off(window, server, html, home):
    root = server if home == "server" else f"{html.as_uri()}/"
    page = window(f"{root}{INDEX}")
    light = page.evaluate(BACKGROUND)
    press_until(page, "dark")
    dark = page.evaluate(BACKGROUND)
    assert theme(page) == "dark" and dark != light
    page.goto(f"{root}notebooks/01_paradox.html")
    assert theme(page) == "dark" and page.evaluate(BACKGROUND) == dark
    press_until(page, "light")
    assert page.evaluate(BACKGROUND) == light


def test_what_the_system_prefers_counts_before_anything_is_chosen(window, server):
    page = window(f"{server}{INDEX}", color_scheme="dark")
    assert theme(page) == "dark"
    page.emulate_media(color_scheme="light")
    page.wait_for_function("document.documentElement.dataset.theme === 'light'")


def test_a_page_without_scripts_is_light_and_whole(window, browser, server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server}notebooks/02_structures.html")
    assert page.locator("article h1").count() == 1
    assert page.locator("article figure img").first.is_visible()
    assert page.locator("article .math").first.is_visible()
    context.close()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(window, server):
    page = window(f"{server}book/32_figures.html")
    wanted = "a[href], button, summary, input:not([type=hidden])"
    count = page.locator(wanted).count()
    seen = []
    for _ in range(min(count + 20, 140)):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED))
    assert seen[0]["where"] == "#pst-skip-link"
    assert {".bd-sidebar-primary", ".bd-header-article", "article"} <= {s["where"] for s in seen}
    assert all(state["there"] for state in seen)
    unseen = [state for state in seen if not state["ringed"] and state["tag"] != "BODY"]
    assert unseen == []


def test_folds_open_with_the_keyboard(window, server):
    page = window(f"{server}notebooks/03_stripes.html")
    folds = page.locator("article details:not(details details)").all()
    assert len(folds) > 3
    for fold in folds:
        summary = fold.locator("summary").first
        before = fold.evaluate("fold => fold.open")
        summary.focus()
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        page.keyboard.press("Enter")
        assert fold.evaluate("fold => fold.open") != before


def test_every_control_can_have_the_focus(visits, name):
    assert visits(name).seen["unreachable"] == []


@pytest.mark.parametrize("home", ["server", "file"])
def test_search_finds_a_word(window, server, html, home):
    root = server if home == "server" else f"{html.as_uri()}/"
    page = window(f"{root}{INDEX}")
    page.keyboard.press("Control+k")
    page.keyboard.type("stripes")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results ul.search li a")
    found = page.locator("#search-results ul.search li a").evaluate_all(
        "all => all.map(a => a.href)"
    )
    assert any("03_stripes" in address for address in found)


def test_paper_has_no_navigation(window, server):
    page = window(f"{server}notebooks/03_stripes.html")
    page.emulate_media(media="print")
    for part in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer"):
        assert not any(found.is_visible() for found in page.locator(part).all()), part
    assert sum(title.is_visible() for title in page.locator("h1").all()) == 1
    assert page.locator("article figure img").first.is_visible()


def test_every_link_leads_somewhere(html):
    """Every page, built or not of the contents: local files are there, anchors too."""
    from urllib.parse import unquote, urlsplit

    ids: dict[Path, set[str]] = {}

    def targets(path: Path) -> set[str]:
        if path not in ids:
            ids[path] = set(re.findall(r"""\b(?:id|name)=["']([^"']+)""", path.read_text()))
        return ids[path]

    broken = []
    for path in (
        p for folder in ("book", "notebooks", ".") for p in (html / folder).glob("*.html")
    ):
        for href in re.findall(r"""<a\b[^>]*\bhref=["']([^"']+)""", path.read_text()):
            parts = urlsplit(href.replace("&amp;", "&"))
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            lost = not target.exists()
            if not lost and parts.fragment and target.suffix == ".html":
                lost = unquote(parts.fragment) not in targets(target)
            if lost:
                broken.append((path.name, href))
    assert broken == []


HINTED = """() => [...document.querySelectorAll(".pst-scrollable-table-container")].map((box) => ({
  columns: box.querySelectorAll("tr:first-child th").length,
  hint: getComputedStyle(box, "::before").content.includes("scroll sideways"),
}))"""


@pytest.mark.parametrize("width", [390, 1300])
def test_a_phone_is_told_that_a_wide_table_scrolls(window, server, width):
    page = window(f"{server}notebooks/05_success.html", viewport={"width": width, "height": 800})
    tables = page.evaluate(HINTED)
    wide = [table for table in tables if table["columns"] > 3]
    assert len(wide) > 2
    assert all(table["hint"] == (width == 390) for table in wide)
    assert not any(table["hint"] for table in tables if table["columns"] < 4)


def test_the_code_of_a_figure_is_one_click_away_and_its_fold_comes_next(window, server):
    page = window(f"{server}notebooks/01_paradox.html")
    figures = page.locator("div.cell:has(figure)")
    assert figures.count() > 3
    for index in range(figures.count()):
        cell = figures.nth(index)
        assert not cell.locator("div.cell_input").is_visible()
        assert cell.locator("+ details.figure-fold").count() == 1
        assert cell.locator("table").count() == 0
    figures.first.locator("details.hide > summary").click()
    assert "publish(" in figures.first.locator("div.cell_input").inner_text()
