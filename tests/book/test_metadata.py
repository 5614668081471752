"""What the built pages of the book say to machines."""

import json

import pytest

from falsestruct.press.notebook import claims
from falsestruct.press.paths import Book
from tests.book.test_pages import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def said(soups):
    """The nodes of each page's linked data."""
    found = {}
    for path, page in soups.items():
        [script] = page.find_all("script", type="application/ld+json")
        found[path.stem] = json.loads(script.string)["@graph"]
    return found


def test_every_page_says_what_it_is(soups):
    for path, page in soups.items():
        for name in ("citation_title", "citation_author", "citation_language", "description"):
            assert page.find("meta", attrs={"name": name})["content"].strip(), f"{path}: {name}"
        for name in ("og:title", "og:type", "og:site_name", "og:description"):
            assert page.find("meta", property=name)["content"].strip(), f"{path}: {name}"


def test_every_claim_stands_on_its_chapters_page(said):
    shown = {
        (page, node["identifier"])
        for page, nodes in said.items()
        for node in nodes
        if node["@type"] == "Claim"
    }
    stated = claims.read_claims(Book(ROOT)).values()
    assert shown == {(claim.chapter, claim.id) for claim in stated}


def test_sections_name_the_claims_and_figures_of_their_chapter(said):
    """Every claim is in one section of its page; most of these show figures, with their data."""
    beside = []
    for nodes in said.values():
        known = {node.get("@id") for node in nodes}
        for node in nodes:
            if node["@type"] == "CreativeWork":
                parts = {part["@id"] for part in node["hasPart"]}
                assert parts <= known
                beside += [(id, parts) for id in parts if "#claim-" in id]
    of = {node["@id"] for nodes in said.values() for node in nodes if node["@type"] == "Claim"}
    assert sorted(id for id, _ in beside) == sorted(of)
    shown = [parts for _, parts in beside if any("#fig-" in id for id in parts)]
    assert all(any("#data-" in id for id in parts) for parts in shown)
    assert len(shown) > 0.75 * len(of)
