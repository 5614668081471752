"""Numbers, folds, links and references on the built pages."""

import re
from collections import Counter

import pytest

from tests.book.test_pages import article, prose
from tests.book.test_words import ALONE, CHAPTERS, entries, statements, terms

pytestmark = pytest.mark.slow


@pytest.fixture
def pages(soups):
    """The built chapters by number, and the other pages by name."""
    return {path.stem[:2] if path.stem[0].isdigit() else path.stem: p for path, p in soups.items()}


def numbered(page):
    """Every statement of a page with what it is called, in order."""
    found = article(page).select("div.proof.admonition")
    return {div["id"]: div.select_one(".caption-number").get_text().strip() for div in found}


def test_statements_are_numbered_by_chapter_with_one_counter(pages):
    for path in CHAPTERS:
        wanted = [
            (label, f"{kind.title()} {int(path.stem[:2])}.{place}")
            for place, (kind, label) in enumerate(statements(path), start=1)
        ]
        assert list(numbered(pages[path.stem[:2]]).items()) == wanted


def test_references_show_the_number_of_what_they_lead_to(pages):
    names = {label: name for page in pages.values() for label, name in numbered(page).items()}
    checked = 0
    for page in pages.values():
        for link in article(page).find_all("a", href=True):
            label = link["href"].partition("#")[2]
            if label in names and "headerlink" not in link.get("class", []):
                assert link.get_text() == names[label]
                checked += 1
    assert checked > 100


def test_all_statements_are_listed_once_and_in_order(pages):
    listed = pages["notation"].select("ul.statements > li")
    wanted = [
        article(page).find(id=label).select_one(".admonition-title").get_text().strip()
        for number, page in pages.items()
        if number.isdigit()
        for label in numbered(page)
    ]
    assert [item.get_text().strip() for item in listed] == wanted


def test_every_proof_is_a_fold_named_after_its_statement(pages):
    for path in CHAPTERS:
        page = article(pages[path.stem[:2]])
        proofs = page.select("details.proof")
        assert len(proofs) == len(re.findall(r"^```\{prf:proof\}$", path.read_text(), re.M))
        for proof in proofs:
            before = proof.find_previous_sibling("div", class_="proof")
            name = before.select_one(".caption-number").get_text().strip()
            assert proof.find(True, recursive=False).name == "summary"
            assert proof.summary.get_text() == f"Proof of {name}"
            assert proof["id"] == f"proof-of-{before['id']}"
            assert not proof.has_attr("open")
            assert not proof.find("p").get_text().startswith("Proof")


def test_no_two_things_of_a_page_have_the_same_id(pages):
    for name, page in pages.items():
        ids = Counter(tag["id"] for tag in article(page).find_all(id=True))
        assert {id: times for id, times in ids.items() if times > 1} == {}, name


def test_chapters_have_their_numbers_in_title_and_contents(pages):
    for name, page in pages.items():
        title = article(page).find("h1").get_text()
        assert title.startswith(f"{int(name)}. ") if name.isdigit() else not title[0].isdigit()
    links = pages["glossary"].select("nav.bd-links a.internal")
    shown = [re.match(r"(\d+)\. ", link.get_text().strip()) for link in links]
    assert [int(found[1]) for found in shown if found] == [int(n) for n in pages if n.isdigit()]


def test_where_a_text_speaks_of_another_chapter_there_is_a_link(pages):
    def no_prose(tag):
        names = ("pre", "code", "h1", "h2", "h3", "svg", "script")
        return tag.name in names or "cell_input" in tag.get("class", ())

    def link_or_no_prose(tag):
        return no_prose(tag) or (tag.name == "a" and tag.has_attr("href"))

    checked = 0
    for name, page in pages.items():
        links = article(page).find_all("a", href=True)
        for link in (one for one in links if not any(map(no_prose, one.parents))):
            words = re.fullmatch(r"([Cc]hapters? )?(\d\d)", prose(link, no_prose))
            place = re.search(r"(?:^|/)(\d\d)_\w+\.html$", link["href"])
            if words and (words[1] or place):
                assert place, link
                assert place[1] == words[2], link
                checked += 1
        left = re.findall(r"[Cc]hapters? (\d\d)", prose(article(page), link_or_no_prose))
        assert set(left) <= {name, *(f"{n:02}" for n in range(99) if f"{n:02}" not in pages)}
    assert checked > 40


def test_headings_come_in_order_on_every_page(pages):
    for name, page in pages.items():
        levels = [int(tag.name[1]) for tag in article(page).find_all(re.compile("^h[1-6]$"))]
        assert levels[0] == 1, name
        assert levels.count(1) == 1, name
        assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False)), name


def test_every_reference_leads_out(pages):
    items = article(pages["bibliography"]).select("ul.references > li[id]")
    assert len(items) == len(entries())
    known = re.compile(r"https://(doi\.org/10\.|arxiv\.org/abs/\d)")
    out = [[link["href"] for link in item.select("a.external")] for item in items]
    assert all(out)
    assert sum(not any(map(known.match, links)) for links in out) == len(ALONE)


def test_every_term_can_be_linked_to(pages):
    names = article(pages["glossary"]).select("dt")
    shown = {name.get_text(strip=True).rstrip("#"): name for name in names}
    assert set(shown) == set(terms())
    first = [w for w, name in shown.items() if not name.find_previous_sibling(True)
             or name.find_previous_sibling(True).name == "dd"]  # fmt: skip
    assert first == sorted(first, key=str.lower)
    links = [link for page in pages.values() for link in article(page).select("a .std-term")]
    assert len(links) > 20
