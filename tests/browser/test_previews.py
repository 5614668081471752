"""Previews of links, under the mouse and from the keyboard; addresses that a click copies."""

import pytest

from tests.browser.conftest import AXE, PHONE, Heard

pytestmark = pytest.mark.slow

CHAPTER, STRUCTURES = "notebooks/03_stripes.html", "notebooks/02_structures.html"
LEDGER = "a.internal[href='../book/31_evidence.html#ledger-stripes-false-wins']"
SHOWN = "document.getElementById('preview')?.hidden === false"
# More than fits any screen; a scroll has it placed anew.
LONGER = """document.querySelector('#preview').insertAdjacentHTML('beforeend',
  '<p>and more of it</p>'.repeat(60)); document.dispatchEvent(new Event('scroll'))"""
LINKS = {
    "a claim": (CHAPTER, LEDGER, "Supported: "),
    "a figure": (CHAPTER, "a.internal[href='#fig-stripes-glance']", "A false structure at a gl"),
    "a statement": (STRUCTURES, "p a[href='#def-false-structure']", "Definition 2."),
    "a term": ("notebooks/01_paradox.html", "a[href*='glossary.html#term-']", ""),
    "a work": (CHAPTER, ".bibtex-citation a", "arXiv:"),
}


@pytest.fixture(scope="module", params=["served", "as a file"])
def home(request, server, html) -> str:
    return server if request.param == "served" else f"{html.as_uri()}/"


@pytest.mark.parametrize("kind", LINKS)
def test_a_link_shows_what_it_leads_to(window, home, kind):
    name, link, text = LINKS[kind]
    page, heard = window(home + name), Heard()
    heard.listen(page)
    page.locator(link).locator("visible=true").first.hover()
    page.wait_for_function(SHOWN)
    box = page.locator("#preview")
    assert text in box.inner_text() and len(box.inner_text()) > 20
    assert box.locator("a, script").count() == 0
    assert all(
        image.evaluate("i => i.decode().then(() => true)") for image in box.locator("img").all()
    )
    seen = box.bounding_box()
    assert seen and seen["x"] >= 0 and seen["x"] + seen["width"] <= page.viewport_size["width"]
    page.mouse.move(1, 1)
    page.wait_for_function(f"!({SHOWN})")
    assert heard.errors() == [] and heard.elsewhere(home) == []


def test_the_keyboard_shows_it_and_escape_closes_it(window, server):
    page = window(server + CHAPTER)
    link = page.locator(LEDGER).first
    page.keyboard.press("Tab")  # from now on, focus is the keyboard's
    link.evaluate("link => link.closest('details')?.setAttribute('open', '')")
    link.focus()
    page.wait_for_function(SHOWN)
    assert link.get_attribute("aria-describedby") == "preview"
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run('#preview').then((found) => found.violations.map((v) => v.id))")
    assert [id for id in found if id != "region"] == []
    page.keyboard.press("Escape")
    page.wait_for_function(f"!({SHOWN})")
    assert link.get_attribute("aria-describedby") is None
    assert page.evaluate("document.activeElement.href").endswith("#ledger-stripes-false-wins")


def test_a_preview_fits_a_phone(window, server):
    page = window(server + CHAPTER, viewport=PHONE)
    link = page.locator(LEDGER).first
    page.keyboard.press("Tab")
    link.focus()
    page.wait_for_function(SHOWN)
    box = page.locator("#preview").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("viewport", [{"width": 1300, "height": 900}, PHONE], ids=["desk", "phone"])
def test_a_preview_stays_on_the_screen_wherever_its_link_is(window, server, viewport):
    page = window(server + CHAPTER, viewport=viewport)
    link = page.locator(LEDGER).first
    link.evaluate("link => link.closest('details')?.setAttribute('open', '')")
    page.evaluate("document.querySelector('.bd-article').style.paddingTop = '2000px'")
    page.keyboard.press("Tab")  # from now on, focus is the keyboard's
    for share in (0.07, 0.3, 0.5, 0.55, 0.9):
        page.evaluate("document.activeElement.blur()")
        page.wait_for_function(f"!({SHOWN})")
        link.evaluate(
            "(link, top) => { scrollBy({top: link.getBoundingClientRect().top - top,"
            " behavior: 'instant'}); link.focus({preventScroll: true}); }",
            share * viewport["height"],
        )
        page.wait_for_function(SHOWN)
        page.evaluate(LONGER)
        box = page.locator("#preview")
        seen, at = box.bounding_box(), link.bounding_box()
        assert seen["y"] >= 0 and seen["y"] + seen["height"] <= viewport["height"]
        assert seen["y"] >= at["y"] or seen["y"] + seen["height"] <= at["y"]
        assert box.evaluate(
            "box => box.scrollHeight > box.clientHeight"
            " && getComputedStyle(box).overflowY == 'auto'"
        )


def test_a_preview_goes_when_its_link_is_scrolled_away(window, server):
    page = window(server + CHAPTER)
    link = page.locator(LEDGER).first
    page.keyboard.press("Tab")
    link.evaluate("link => link.closest('details')?.setAttribute('open', '')")
    link.focus()
    page.wait_for_function(SHOWN)
    page.evaluate("window.scrollBy({top: 3000, behavior: 'instant'})")
    page.wait_for_function(f"!({SHOWN})")


def test_a_look_at_one_claim_loads_little(window, server):
    page = window(server + CHAPTER)
    with page.expect_response("**/_previews/*") as answer:
        page.locator(LEDGER).locator("visible=true").first.hover()
    page.wait_for_function(SHOWN)
    assert answer.value.url.endswith("/book-31_evidence-stripes.js")
    assert len(answer.value.body()) < 100_000


@pytest.mark.parametrize("anchor", ["claim-stripes-false-wins", "fig-stripes-glance"])
def test_a_click_copies_the_address_of_a_claim_or_figure(window, server, anchor):
    page = window(server + CHAPTER, permissions=["clipboard-read", "clipboard-write"])
    page.locator(f"a.headerlink[href='#{anchor}']").first.click()
    page.wait_for_function("document.getElementById('copied')?.textContent === 'Address copied'")
    address = f"{server}{CHAPTER}#{anchor}"
    assert page.evaluate("navigator.clipboard.readText()") == address
    assert page.url == address  # and it is a link


def test_without_scripts_it_is_a_link(browser, server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server + CHAPTER)
    page.locator("a.headerlink[href='#claim-stripes-false-wins']").click()
    assert page.url.endswith("#claim-stripes-false-wins")
    context.close()
