"""What a page says to machines: read by a JSON-LD processor, checked against shapes."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
import rdflib
from bs4 import BeautifulSoup

from falsestruct.press.notebook.claims import MIME
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
    path = finished.file("notebooks/01_one.ipynb")
    notebook = json.loads(path.read_text())
    notebook["cells"][2]["source"] += "\n\n## A section"
    path.write_text(json.dumps(notebook))
    finished.file("book/31_evidence.md").write_text(PAGE)
    return build(finished, tmp_path, pages="book/31_evidence", base=base)


def test_the_address_comes_from_the_environment(monkeypatch):
    config = SimpleNamespace(html_baseurl="")
    monkeypatch.delenv(metadata.ADDRESS, raising=False)
    metadata.take_address(None, config)
    assert config.html_baseurl == ""
    monkeypatch.setenv(metadata.ADDRESS, HOME)
    metadata.take_address(None, config)
    assert config.html_baseurl == HOME


def test_a_build_passes_the_address_on(finished, invoke, monkeypatch):
    asked = []
    done = subprocess.CompletedProcess([], 1, "", "")
    monkeypatch.setattr(
        "falsestruct.cli.subprocess.run", lambda *_, env, **__: asked.append(env) or done
    )
    assert invoke(finished, "build", "--address", HOME)[0] == 1
    monkeypatch.setenv(metadata.ADDRESS, f"{HOME}b/")
    invoke(finished, "build")
    assert [env[metadata.ADDRESS] for env in asked] == [HOME, f"{HOME}b/"]
    code, _, err = invoke(finished, "build", "--address", "example.org")
    assert code == 2 and "example.org; expected https://" in err


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
    assert [*one["og:locale"], *one["og:type"]] == ["en_GB", "article"]
    assert of[FRONT]["og:type"] == ["book"]
    assert of[FRONT]["citation_title"] == ["A Book & more"]
    assert of["book/31_evidence"]["description"] == ["Text of its own."]
    absolute = ("citation_public_url", "citation_pdf_url", "og:url", "og:image")
    if not base:
        assert not any(name in page for page in of.values() for name in absolute)
    else:
        assert one["citation_public_url"] == one["og:url"] == [f"{HOME}{CHAPTER}.html"]
        whole = [page.get("citation_pdf_url") for page in of.values()]  # there is none of a chapter
        assert whole == [[f"{HOME}false-structures.pdf"], None, None]
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
    [section] = chapter.subjects(metadata_iri("name"), rdflib.Literal("A section"))
    shown = {str(o) for o in chapter.objects(section, metadata_iri("hasPart"))}
    assert shown == {f"{here}#{id}" for id in ("fig-one-line", "data-one-line", "claim-one-holds")}
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

    check_the_rest(built, base)


def check_the_rest(built: Path, base: str) -> None:
    """What nobody wrote: the page that leads to the front page, search, index; the sitemap."""
    root, front = tags(built / "index.html"), tags(built / f"{FRONT}.html")
    assert root.keys() >= {"citation_title", "citation_author", "og:type", "description"}
    assert all(said == root[name] for name, said in front.items() if name in root)
    page = BeautifulSoup((built / "index.html").read_text(), "html.parser")
    assert page.find("meta", {"http-equiv": "Refresh"})["content"] == f"0; url={FRONT}.html"
    address = f"{base}{FRONT}.html"
    assert page.find("link", rel="canonical")["href"] == address
    for name, title in {"search": "Search", "genindex": "Index"}.items():
        said = tags(built / f"{name}.html")
        assert said["og:title"] == [title] and said["og:site_name"] == ["A Book & more"]
        assert said["og:type"] == ["website"] and not any(n.startswith("citation") for n in said)
    # A sitemap, with the pages and nothing else.
    assert (built / "sitemap.xml").exists() is bool(base)
    if base:
        listed = re.findall("<loc>(.*)</loc>", (built / "sitemap.xml").read_text())
        names = sorted((FRONT, CHAPTER, "book/31_evidence"))
        assert listed == [f"{HOME}{name}.html" for name in names]


def metadata_iri(name: str):
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


def test_sections_have_the_figures_and_claims_that_they_show():
    def cell(text="", figure="", claims=()):
        data = (
            {"text/markdown": [":::{figure} x.svg\n", f":name: fig-{figure}\n"]} if figure else {}
        )
        outputs = [{"data": data | ({MIME: {"ids": list(claims)}} if claims else {})}]
        kind = "markdown" if text else "code"
        return {"cell_type": kind, "source": [text]} | ({} if text else {"outputs": outputs})

    page = [
        cell("# Page"), cell(figure="before"), cell("## First\n\nWords.\n\n### Below"),
        cell(figure="x", claims=["a"]), cell(claims=["b"]), cell("## Empty\n\n## Last"),
        cell(figure="y"),
    ]  # fmt: skip
    first, last = linked.sections({"cells": page})
    assert first == linked.Section("First", ["x"], ["a", "b"])
    assert last == linked.Section("Last", ["y"], [])
    assert linked.sections({}) == []


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
