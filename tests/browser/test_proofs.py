"""Folded proofs: with the mouse, the keyboard, by an address, in print, and without scripts."""

import pytest

from tests.press.paper.test_pdf import read, squeezed

pytestmark = pytest.mark.slow

CHAPTER = "notebooks/02_structures.html"
FIRST = "#proof-of-lem-radii"
OPEN = "proof => proof.open"
SEEN = "proof => proof.lastElementChild.getBoundingClientRect().height > 0"


@pytest.fixture
def opened(window, server):
    return window(server + CHAPTER)


def test_proofs_are_folded_at_first(opened):
    proofs = opened.locator("details.proof")
    assert proofs.count() == 8
    assert not any(proofs.nth(i).evaluate(OPEN) for i in range(proofs.count()))
    assert opened.locator(f"{FIRST} > p").first.is_hidden()


def test_a_click_on_the_first_line_unfolds_and_folds(opened):
    line = opened.locator(f"{FIRST} > summary")
    assert line.inner_text() == "Proof of Lemma 2.8"
    for unfolded in (True, False):
        line.click()
        assert opened.locator(FIRST).evaluate(OPEN) is unfolded
        assert opened.locator(f"{FIRST} > p").first.is_visible() is unfolded


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_unfolds_and_folds(opened, key):
    reached = "document.activeElement?.matches('details.proof > summary')"
    for _ in range(400):
        opened.keyboard.press("Tab")
        if opened.evaluate(reached):
            break
    assert opened.evaluate(reached)
    ring = opened.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(ring.removesuffix("px")) >= 2
    for unfolded in (True, False):
        opened.keyboard.press(key)
        assert opened.evaluate("document.activeElement.parentElement.open") is unfolded


def test_a_screen_reader_hears_whether_it_is_unfolded(opened):
    session = opened.context.new_cdp_session(opened)
    for unfolded in (False, True):
        tree = session.send("Accessibility.getFullAXTree")["nodes"]
        (line,) = [n for n in tree if n.get("name", {}).get("value") == "Proof of Lemma 2.8"
                   and n["role"]["value"] == "DisclosureTriangle"]  # fmt: skip
        state = {p["name"]: p["value"].get("value") for p in line["properties"]}
        assert state["expanded"] is unfolded
        assert state["focusable"] is True
        opened.locator(f"{FIRST} > summary").click()


def test_an_address_unfolds_the_proof_that_it_leads_to(window, server):
    page = window(server + CHAPTER + FIRST)
    assert page.locator(FIRST).evaluate(OPEN)
    page.evaluate("location.hash = '#proof-of-prop-hint'")
    page.wait_for_function("document.querySelector('#proof-of-prop-hint').open")


def test_on_paper_all_proofs_are_open_and_then_folded_again(opened):
    opened.locator(f"{FIRST} > summary").click()
    count = "document.querySelectorAll('details.proof[open]').length"
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.evaluate(count) == 8
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.evaluate(count) == 1  # the one that the reader had opened


def test_a_printed_page_has_its_proofs(opened, tmp_path):
    pypdf = pytest.importorskip("pypdf")
    opened.pdf(path=tmp_path / "chapter.pdf")
    text = "".join(map(read, pypdf.PdfReader(tmp_path / "chapter.pdf").pages))
    assert squeezed("by the definition of the infimum some") in text


def test_proofs_fold_without_scripts(browser, server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server + CHAPTER)
    assert page.locator(f"{FIRST} > p").first.is_hidden()
    page.locator(f"{FIRST} > summary").click()
    assert page.locator(f"{FIRST} > p").first.is_visible()
    context.close()


def test_without_scripts_paper_shows_proofs_too(browser, server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server + CHAPTER)
    page.emulate_media(media="print")
    assert page.locator(FIRST).bounding_box()["height"] > 60
    context.close()
