"""The built pages as a reader meets them."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup, NavigableString, Tag

from falsestruct.press.notebook import claims
from falsestruct.press.paths import Book

ROOT = Path(__file__).parents[2]
LOADING = ("src", "data", "poster", "srcset")

pytestmark = pytest.mark.slow


def external(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme not in ("", "data") or address.startswith("//")


def loaded_by(page: BeautifulSoup) -> list[str]:
    """Addresses that a browser loads without being asked."""
    found = [tag[name] for name in LOADING for tag in page.find_all(attrs={name: True})]
    passive = {"canonical", "next", "prev", "search", "index", "author", "license"}
    for link in page.find_all("link", href=True):
        if not passive & set(link.get("rel", [])):
            found.append(link["href"])
    styles = [tag["style"] for tag in page.find_all(style=True)]
    styles += [tag.get_text() for tag in page.find_all("style")]
    for style in styles:
        found += re.findall(r"url\(['\"]?([^'\")]+)", style)
    for script in page.find_all("script", src=False):
        if script.get("type") == "application/ld+json":
            continue  # data: its addresses are names, which no browser follows
        found += re.findall(r"['\"](https?://[^'\"]+)", script.get_text())
    return found


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        '<img src="http://example.org/x.png">',
        '<div style="background: url(https://example.org/x.png)"></div>',
        '<script>const URL = "https://unpkg.com/thebe";</script>',
    ],
)
def test_an_external_request_is_seen(text):
    assert any(external(a) for a in loaded_by(BeautifulSoup(text, "html.parser")))


def test_a_link_is_no_request():
    page = BeautifulSoup('<a href="https://arxiv.org">x</a><img src="a.png">', "html.parser")
    assert not any(external(address) for address in loaded_by(page))


def test_pages_request_nothing_from_elsewhere(soups):
    found = {(p.name, a) for p, page in soups.items() for a in loaded_by(page) if external(a)}
    assert found == set()


def test_style_sheets_request_nothing_from_elsewhere(html, soups):
    sheets = {
        (path.parent / urlsplit(link["href"]).path).resolve()
        for path, page in soups.items()
        for link in page.find_all("link", rel="stylesheet", href=True)
    }
    assert html / "_static" / "book.css" in sheets
    for sheet in sheets:
        text = sheet.read_text()
        addresses = re.findall(r"(?:url\(|@import) *['\"]?((?:https?:)?//[^'\") ]+)", text)
        assert addresses == [], sheet.name


def test_pages_load_what_is_there(soups):
    missing = {
        (path.name, address)
        for path, page in soups.items()
        for address in loaded_by(page)
        if not external(address)
        and not address.startswith("data:")
        and not (path.parent / unquote(urlsplit(address).path)).exists()
    }
    assert missing == set()


def test_every_id_is_one_elements_and_folds_are_valid(html, soups):
    pages = [*soups.values(), BeautifulSoup((html / "search.html").read_text(), "html.parser")]
    for page in pages:
        found = [tag["id"] for tag in page.find_all(id=True)]
        assert len(found) == len(set(found)), page.title
        assert page.select("summary p") == [], page.title


def test_pages_stay_light(html):
    """A page that takes seconds to lay out on a telephone is not read there."""
    heavy = {"31_evidence.html": 2_000_000}  # all claims, each with its rules
    weights = {path: path.stat().st_size for path in html.rglob("*.html")}
    assert {p.name: w for p, w in weights.items() if w >= heavy.get(p.name, 1_000_000)} == {}


def test_every_image_says_what_it_shows(soups):
    for path, page in soups.items():
        for image in page.find_all("img"):
            alt = image.get("alt", "")
            assert len(alt.split()) > 1, f"{path.name}: {image.get('src')}: {alt!r}"
            assert not re.search(r"\.(svg|png)$", alt), f"{path.name}: {alt!r} is a file"


@pytest.fixture(scope="module")
def ids(soups):
    """The ids of each page: asked for thousands of times, and a search walks through the page."""
    return {path.resolve(): ids_of(page) for path, page in soups.items()}


def ids_of(page: BeautifulSoup) -> set[str]:
    return {tag["id"] for tag in page.find_all(id=True)}


def test_every_internal_link_and_anchor_resolves(soups, ids):
    known = dict(ids)
    broken = []
    for path, page in soups.items():
        for link in page.find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            anchor = unquote(parts.fragment)
            if not target.exists():
                broken.append((path.name, link["href"]))
            elif anchor and target.suffix == ".html":
                if target not in known:
                    known[target] = ids_of(BeautifulSoup(target.read_text(), "html.parser"))
                if anchor not in known[target]:
                    broken.append((path.name, link["href"]))
    assert broken == []


def article(page: BeautifulSoup) -> BeautifulSoup:
    found = page.find("article")
    assert found
    return found


def prose(tag, left_out) -> str:
    """A tag's text without that of the tags in it that are left out."""
    parts = []
    for child in tag.children:
        if isinstance(child, Tag):
            parts += [] if left_out(child) else [prose(child, left_out)]
        elif type(child) is NavigableString:  # others are comments, styles and scripts
            parts.append(child)
    return "".join(parts)


def test_text_without_some_tags():
    page = BeautifulSoup("<p>a<b>b<i>c</i></b><!--d--><code>e<i>f</i></code>g</p>", "html.parser")
    assert prose(page, lambda tag: False) == page.get_text() == "abcefg"
    assert prose(page, lambda tag: tag.name == "code") == "abcg"
    assert page.code


def test_every_reference_is_resolved(soups):
    for path, page in soups.items():
        body = article(page)
        loose = [tag.get_text() for tag in body.select(".xref") if not tag.find_parent("a")]
        assert loose == [], path.name
        assert body.select(".problematic, .system-message, .error") == [], path.name
        text = prose(body, lambda tag: tag.name in ("pre", "code", "script"))
        assert "??" not in text, path.name
        # Roles, directives and attributes that weren't understood stay as they were typed.
        assert not re.search(r"\{[a-z:]+\}`|:::|\]\{\.|\]\(#|```", text), path.name


def test_every_figure_has_a_caption_and_the_next_number(soups):
    numbers = []
    for path, page in soups.items():
        for figure in article(page).find_all("figure"):
            number = figure.select_one("figcaption .caption-number")
            assert number, f"{path.name}: {figure.get('id')} has no number"
            assert len(figure.select_one("figcaption .caption-text").get_text().split()) > 3
            numbers.append(number.get_text().strip())
    assert numbers == [f"Fig. {index}" for index in range(1, len(numbers) + 1)]
    assert numbers


def test_one_title_and_one_header_a_page(soups):
    for path, page in soups.items():
        titles = [h for h in page.find_all("h1") if not h.find_parent(id="jb-print-docs-body")]
        assert len(titles) == 1, path.name
        assert len(page.select("div.bd-header-article")) == 1, path.name
        assert len(page.select("header.bd-header")) <= 1, path.name


def test_every_card_is_in_the_ledger_and_back(html, soups, ids):
    links = {
        path: {a["href"] for a in page.find_all("a", href=True)} for path, page in soups.items()
    }
    ledger = html / "book" / "31_evidence.html"
    for id, claim in claims.read_claims(Book(ROOT)).items():
        chapter = html / "notebooks" / f"{claim.chapter}.html"
        assert f"ledger-{id}" in ids[ledger.resolve()], id
        assert f"../notebooks/{claim.chapter}.html#claim-{id}" in links[ledger], id
        assert f"claim-{id}" in ids[chapter.resolve()], id
        assert f"../book/31_evidence.html#ledger-{id}" in links[chapter], id


def test_macros_are_defined_for_pages_and_paper(soups):
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]
    macros = config["mathjax3_config"]["tex"]["macros"]
    preamble = config["latex_elements"]["preamble"]
    assert re.findall(r"\\newcommand\{\\(\w+)\}", preamble) == list(macros)
    for path, page in soups.items():
        if page.select(".math"):
            scripts = " ".join(script.get_text() for script in page.find_all("script"))
            assert all(f'"{name}":' in scripts for name in macros), path.name
