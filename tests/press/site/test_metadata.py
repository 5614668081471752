"""What a page says to machines: read by a JSON-LD processor, checked against shapes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from docutils import nodes

from falsestruct.press.site import ledger, linked, metadata
from falsestruct.statistics import Nobody
from tests.press.site.linked_data import HOME, broken, data_of, graph, typed, value
from tests.press.site.test_directives import REPOSITORY, build

CHAPTER, FRONT = "notebooks/01_one", "book/index"
PAGE = """\
# Evidence

Text of its own.

```{ledger} downloads
```

```{ledger} success
```

```{figures} gallery
```
"""


@pytest.fixture(scope="module", params=["", HOME])
def base(request) -> str:
    return request.param


@pytest.fixture
def built(base, finished, tmp_path) -> Path:
    """The throw-away book, with a page for the ledger and an address or none."""
    finished.file("book/31_evidence.md").write_text(PAGE)
    return build(finished, tmp_path, pages="book/31_evidence", base=base)


def tags(page: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for tag in BeautifulSoup(page.read_text(), "html.parser").find_all("meta", content=True):
        found.setdefault(tag.get("name") or tag.get("property"), []).append(tag["content"])
    return found


@pytest.mark.slow
def test_pages_say_what_they_are(built, base):
    of = {name: tags(built / f"{name}.html") for name in (FRONT, CHAPTER, "book/31_evidence")}
    one = of[CHAPTER]
    assert one["citation_title"] == one["og:title"] == ["1. One"]
    assert one["citation_author"] == ["Marie Curie", "The Book Group"]
    assert one["citation_publication_date"] == ["2026/02/03"]
    assert one["citation_inbook_title"] == one["og:site_name"] == ["A Book & more"]
    assert one["description"] == one["og:description"] == ["Some text."]
    assert one["og:type"] == ["article"] and of[FRONT]["og:type"] == ["book"]
    assert of[FRONT]["citation_title"] == ["A Book & more"]
    assert of["book/31_evidence"]["description"] == ["Text of its own."]
    absolute = ("citation_public_url", "citation_pdf_url", "og:url", "og:image")
    if not base:
        assert not any(name in page for page in of.values() for name in absolute)
    else:
        assert one["citation_public_url"] == one["og:url"] == [f"{HOME}{CHAPTER}.html"]
        assert one["citation_pdf_url"] == [f"{HOME}false-structures.pdf"]
        image = one["og:image"][0].removeprefix(HOME)
        assert image.endswith("one-line.png") and (built / image).exists()

    # Linked data.
    found = {name: data_of(built / f"{name}.html") for name in of}
    assert all(len(documents) == 1 for documents in found.values())
    graphs = {name: graph(found[name][0], f"{HOME}{name}.html") for name in of}
    for name, triples in graphs.items():
        assert broken(triples) == "", name
    chapter, here = graphs[CHAPTER], f"{HOME}{CHAPTER}.html"
    assert [str(thing) for thing in typed(chapter, "Claim")] == [f"{here}#claim-one-holds"]
    [claim] = typed(chapter, "Claim")
    number = [value(chapter, claim, "mainEntity", n) for n in ("value", "minValue", "maxValue")]
    assert number == [3, 3, 3] and value(chapter, claim, "mentions", "value") == 0
    assert value(chapter, claim, "review", "reviewRating", "alternateName") == "supported"
    shown = {str(o) for o in chapter.objects(claim, metadata_iri("subjectOf"))}
    assert shown == {f"{here}#fig-one-line", f"{here}#data-one-line"}
    [data] = typed(chapter, "Dataset")
    assert {str(o) for o in chapter.objects(data, metadata_iri("variableMeasured"))} == {"x", "y"}
    assert str(typed(graphs[FRONT], "Book")[0]) == f"{HOME}{FRONT}.html"
    assert len(typed(graphs["book/31_evidence"], "Dataset")) == 1

    # Every address leads somewhere: to a file, and to an anchor on it.
    for triples in graphs.values():
        for address in filter(lambda a: a.startswith(HOME), map(str, triples.all_nodes())):
            parts = urlsplit(address)
            file = built / unquote(parts.path).lstrip("/")
            assert file.exists(), address
            if parts.fragment.startswith(("claim-", "fig-", "data-", "ledger-")):
                assert f'id="{parts.fragment}"' in file.read_text(), address
    # Nothing is invented: without an address, none is absolute but the licences and the book's own.
    if not base:
        own = (HOME, "https://schema.org", "https://creativecommons.org", "https://opensource.org",
               "https://example.org/book", "http://www.w3.org")  # fmt: skip
        nodes_ = [str(n) for g in graphs.values() for n in g.all_nodes()]
        assert [n for n in nodes_ if n.startswith("http") and not n.startswith(own)] == []
        assert HOME not in str(found)

    # A sitemap, with the pages and nothing else.
    assert (built / "sitemap.xml").exists() is bool(base)
    if base:
        listed = re.findall("<loc>(.*)</loc>", (built / "sitemap.xml").read_text())
        assert listed == [f"{HOME}{name}.html" for name in sorted(of)]


def metadata_iri(name: str):
    import rdflib

    return rdflib.URIRef(f"https://schema.org/{name}")


# ---- without a build ----


class Here:
    def page(self, name: str, anchor: str = "") -> str:
        return f"{name}.html#{anchor}" if anchor else f"{name}.html"

    def file(self, path: str) -> str | None:
        return path


@pytest.fixture(scope="module")
def real():
    from falsestruct.press.paths import Book

    book = Book(REPOSITORY)
    return book, ledger.read(book, book.published)


def test_every_claim_of_the_book_fits_the_shapes(real):
    """At once, and with a claim that has no record and one for which nobody qualifies."""
    _, entries = real
    nobody = {**entries[0].record, "reason": "no network captured it", "n": 0}
    without = replace(entries[1], record=None)
    some = [*entries[2:], replace(entries[0], record=nobody), without]
    found = graph(linked.document(linked.claim(entry, Here()) for entry in some))
    assert broken(found) == ""
    assert len(typed(found, "Claim")) == len(entries)
    amended = [entry.claim for entry in some if entry.claim.amended]
    corrected = {linked.claim(entry, Here()).get("correction") for entry in some} - {None}
    assert len(amended) > 100 and corrected == {claim.amended for claim in amended}
    said = [linked.result(entry) for entry in some[-2:]]
    assert "value" not in said[0] and "no network captured it" in said[0]["description"]
    assert "value" not in said[1]
    assert isinstance(some[-2].estimate, Nobody)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"txet": "A misspelt name."}, "txet"),
        ({"review": {"reviewRating": {"alternateName": "true"}}}, "review"),
        ({"mainEntity": {"@type": "Observation", "name": "n", "measurementTechnique": "m"}}, "ain"),
        ({"text": None}, "text"),
        ({"@id": "page.html#other"}, "#claim-"),
    ],
)
def test_the_shapes_see_what_is_wrong(real, change, what):
    said = linked.claim(real[1][0], Here())
    assert broken(graph(linked.document([said]))) == ""
    assert what in broken(graph(linked.document([linked.pruned(said | change)])))


def test_no_text_ends_the_script(real):
    """A claim's sentence may hold any text; its script ends where it should."""
    text = metadata.as_script([{"@type": "Claim", "text": "</script><b>"}])
    script = BeautifulSoup(text, "html.parser").find("script")
    assert "</script><b>" in str(script.string).replace("\\u003c", "<")


def test_a_claim_has_the_figure_before_it_or_the_next_one():
    """In its own part of the page: the card of a later part has that part's figure."""
    body = nodes.document(None, None)
    page = nodes.section(ids=["page"])
    body += page
    for part in (["claim-a", "fig-x", "claim-b", "fig-y", "claim-c"], ["claim-d"], ["fig-z"]):
        section = nodes.section()
        page += section
        inner = nodes.section()
        section += inner
        for id in part:
            inner += nodes.container(ids=[id])
    assert metadata.beside(body) == {"a": "x", "b": "x", "c": "y"}


@pytest.mark.parametrize(
    ("person", "name"),
    [
        ({"name": "A Group", "website": "https://a.example"}, "A Group"),
        ({"family-names": "Beethoven", "name-particle": "van", "given-names": "Ludwig"},
         "Ludwig van Beethoven"),
    ],
)  # fmt: skip
def test_authors(person, name):
    assert linked.author(person)["name"] == name
