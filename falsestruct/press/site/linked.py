"""The book as linked data: schema.org's types as plain dictionaries, ready for JSON-LD.

Nothing here knows of Sphinx. An `Addresses` says where a page, an anchor or a file is; it gives
absolute addresses only where the book has one. `@id` of a claim or figure is its anchor's address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from falsestruct.press.notebook.claims import MIME, Found
from falsestruct.press.notebook.figures import Published
from falsestruct.press.notebook.stated import Rule
from falsestruct.press.site.evidence import predicted, rule
from falsestruct.press.site.ledger import Entry
from falsestruct.statistics import Nobody

CONTEXT = "https://schema.org"
TEXT, CODE = "https://creativecommons.org/licenses/by/4.0/", "https://opensource.org/license/mit"
FRONT = "book/index"  # the book's own page
_HEADING = re.compile(r"^## +(.+?) *$", re.MULTILINE)
_FIGURE = re.compile(r"^:name: fig-([a-z0-9-]+)$", re.MULTILINE)  # as display of figures writes it

Node = dict[str, Any]
Cited = Mapping[str, Any]  # what CITATION.cff says


class Addresses(Protocol):
    """Where things are, as one page has to say it."""

    def page(self, name: str, anchor: str = "") -> str:
        """Of a page such as "notebooks/03_stripes", or of an anchor on it."""

    def file(self, path: str) -> str | None:
        """Of a downloaded file or picture by its path below the book's root; None if none is."""


@dataclass(frozen=True)
class Shown:
    """What a chapter's page shows.

    Attributes:
        entries: Its claims.
        figures: Its figures' records, in the order of the page.
        columns: The columns of each figure's data, by the figure's id.
        sections: What each of its sections shows.
    """

    entries: Sequence[Entry]
    figures: Sequence[Published]
    columns: Mapping[str, Sequence[str]]
    sections: Sequence[Section]


@dataclass(frozen=True)
class Section:
    """A section of a chapter: its heading, and the ids of the figures and claims that it shows.

    Which figure shows a claim's number, nobody states; that both stand in a section, the text does.
    """

    name: str
    figures: list[str]
    claims: list[str]


def sections(notebook: Mapping[str, Any]) -> list[Section]:
    """The sections of an executed chapter, by its headings of the second level."""
    found: list[Section] = []
    for cell in notebook.get("cells", ()):
        if cell["cell_type"] == "markdown":
            headings = _HEADING.findall("".join(cell["source"]))
            found += [Section(" ".join(name.split()), [], []) for name in headings]
        for output in cell.get("outputs", ()) if found else ():
            shown = output.get("data", {})
            found[-1].figures.extend(_FIGURE.findall("".join(shown.get("text/markdown", ""))))
            found[-1].claims.extend(shown.get(MIME, {}).get("ids", ()))
    return [one for one in found if one.figures or one.claims]


def pruned(node: Mapping[str, Any]) -> Node:
    """Without what is empty: nothing is said of what nobody knows."""
    return {name: value for name, value in node.items() if value not in (None, "", [], {})}


def author(person: Mapping[str, str]) -> Node:
    """An author of CITATION.cff: a person, or a group that has one name."""
    if "name" in person:
        return pruned(
            {"@type": "Organization", "name": person["name"], "url": person.get("website")}
        )
    family = " ".join(filter(None, (person.get("name-particle"), person["family-names"])))
    given = person.get("given-names", "")
    whole = " ".join(filter(None, (given, family, person.get("name-suffix"))))
    named = {"@type": "Person", "name": whole, "familyName": family, "givenName": given}
    return pruned(named | {"@id": person.get("orcid"), "affiliation": person.get("affiliation")})


def work(cited: Cited) -> Node:
    """What is the same for the book and its parts: authors, date, version, licence, language."""
    return {
        "author": [author(person) for person in cited["authors"]],
        "datePublished": str(cited.get("date-released", "")),
        "version": str(cited["version"]),
        "license": TEXT,
        "inLanguage": "en",
    }


def book(cited: Cited, at: Addresses, parts: Iterable[str]) -> list[Node]:
    """The book, with its parts by name, and its package."""
    whole = {
        "@type": "Book", "@id": at.page(FRONT), "name": cited["title"], **work(cited),
        "abstract": cited.get("abstract"), "keywords": cited.get("keywords"),
        "identifier": cited.get("doi"),
        "citation": [_cited(one) for one in cited.get("references", [])],
        "hasPart": [{"@id": at.page(part)} for part in parts],
    }  # fmt: skip
    package = {
        "@type": "SoftwareSourceCode", "@id": at.page(FRONT, "falsestruct"), "name": "falsestruct",
        "programmingLanguage": "Python", **work(cited), "license": CODE,
        "codeRepository": cited.get("repository-code"), "isPartOf": {"@id": at.page(FRONT)},
    }  # fmt: skip
    return [pruned(whole), pruned(package)]


def _cited(reference: Mapping[str, Any]) -> Node:
    ids = [id["value"] for id in reference.get("identifiers", []) if "value" in id]
    return pruned({
        "@type": "ScholarlyArticle" if reference.get("type") == "article" else "CreativeWork",
        "name": reference["title"],
        "author": [author(person) for person in reference.get("authors", [])],
        "datePublished": str(reference.get("year", "")),
        "identifier": ids,
    })  # fmt: skip


def article(cited: Cited, at: Addresses, name: str, facts: Mapping[str, Any]) -> Node:
    """A chapter, or a page with a number.

    Args:
        facts: Of its own: `name`, `description`, `position`, `hasPart`, ….
    """
    own = {"@type": "ScholarlyArticle", "@id": at.page(name), **work(cited)}
    return pruned(
        own | {"headline": facts.get("name"), "isPartOf": {"@id": at.page(FRONT)}, **facts}
    )


# ---- a chapter's figures and claims ----


def parts(cited: Cited, at: Addresses, name: str, shown: Shown) -> list[Node]:
    """A chapter's figures, their data, its claims, and which of them each section shows."""
    found = []
    for record in shown.figures:
        found += [picture(record, at, name), data(cited, record, at, shown.columns[record.id])]
    found += [claim(entry, at) for entry in shown.entries]
    known = {part["@id"] for part in found}
    for one in shown.sections:
        anchors = [f"{kind}-{id}" for id in one.figures for kind in ("fig", "data")]
        here = [at.page(name, anchor) for anchor in [*anchors, *(f"claim-{c}" for c in one.claims)]]
        found.append(section(one.name, at.page(name), [id for id in here if id in known]))
    return found


def section(name: str, whole: str, parts: Iterable[str]) -> Node:
    """A section of a chapter, with the addresses of what it shows."""
    return {
        "@type": "CreativeWork", "name": name, "isPartOf": {"@id": whole},
        "hasPart": [{"@id": part} for part in parts],
    }  # fmt: skip


def picture(record: Published, at: Addresses, name: str) -> Node:
    """A figure."""
    return pruned({
        "@type": "ImageObject",
        "@id": at.page(name, f"fig-{record.id}"),
        "identifier": record.id,
        "caption": record.caption,
        "description": " ".join(record.alt.split()),
        "contentUrl": at.file(f"book/figures/{record.id}.svg"),
        "encodingFormat": "image/svg+xml",
        "license": TEXT,
        "version": record.about.get("commit"),
        "isBasedOn": {"@id": at.page(name, f"data-{record.id}")},
    })  # fmt: skip


def data(cited: Cited, record: Published, at: Addresses, columns: Sequence[str]) -> Node:
    """The table that a figure is drawn from."""
    csv = {"@type": "DataDownload", "encodingFormat": "text/csv"}
    return pruned({
        "@type": "Dataset",
        "@id": at.page(record_page(record), f"data-{record.id}"),
        "name": f"Data of figure {record.id}",
        "description": f"Every number that figure {record.id} shows. {record.caption}",
        "variableMeasured": list(columns),
        "distribution": csv | {"contentUrl": at.file(f"book/figures/{record.id}.csv")},
        "isPartOf": {"@id": at.page(record_page(record))},
        **work(cited),
    })  # fmt: skip


def record_page(record: Published) -> str:
    """The page that shows a figure."""
    return f"notebooks/{record.chapter}"


def claim(entry: Entry, at: Addresses) -> Node:
    """A claim with its rules, what the run found, its control, and the verdict."""
    stated, page = entry.claim, f"notebooks/{entry.claim.chapter}"
    return pruned({
        "@type": "Claim",
        "@id": at.page(page, f"claim-{stated.id}"),
        "identifier": stated.id,
        "text": stated.sentence,
        "citation": stated.source,
        "appearance": {"@id": at.page(page)},
        "isPartOf": {"@id": at.page(page)},
        "genre": stated.kind,
        "mainEntity": result(entry),
        "mentions": control(entry),
        "review": _review(entry),
        "correction": stated.amended,
        "url": at.page("book/31_evidence", f"ledger-{stated.id}"),
        "version": (entry.record or {}).get("commit"),
    })  # fmt: skip


def result(entry: Entry) -> Node:
    """What the measure came to, its rules, and what was predicted."""
    rules = {"supported": entry.claim.supported, "refuted": entry.claim.refuted}
    return _observation(entry.estimate, f"result of {entry.claim.id}", entry.claim.measure) | {
        "additionalProperty": [
            *_units(entry.estimate),
            *(_rule(f"rule for {name}", said) for name, said in rules.items()),
            _property("predicted", predicted(entry).replace("**", "")),
        ]
    }  # fmt: skip


def control(entry: Entry) -> Node:
    """What the control came to, and what it must come to."""
    said = entry.claim.control
    return _observation(entry.control, f"control of {entry.claim.id}", said.sentence) | {
        "additionalProperty": [*_units(entry.control), _rule("rule", said.rule)]
    }


def _observation(found: Found | None, name: str, what: str) -> Node:
    """A number with its interval; where nobody qualifies, why there is none."""
    about = {"@type": "Observation", "name": name, "measurementTechnique": what}
    if found is None:
        return about
    if isinstance(found, Nobody):
        return about | {"description": f"no number, because nobody qualifies: {found.reason}"}
    ends = {"value": found.value, "minValue": found.low, "maxValue": found.high}
    return about | ends | {"measurementMethod": found.method}


def _units(found: Found | None) -> list[Node]:
    return [] if found is None else [_property("n", found.n)]


def _property(name: str, value: object) -> Node:
    return {"@type": "PropertyValue", "name": name, "value": value}


def _rule(name: str, said: Rule) -> Node:
    return _property(name, rule(said).replace("`", ""))


def _review(entry: Entry) -> Node:
    """The verdict, which follows from the rules; nobody typed it."""
    return {
        "@type": "Review",
        "reviewAspect": "the claim's rules, which its page dates and whose amendments it names",
        "reviewRating": {"@type": "Rating", "alternateName": entry.verdict},
    }


def ledger(cited: Cited, at: Addresses, name: str, files: Mapping[str, str]) -> Node:
    """The table of all claims, and the records, as data.

    Args:
        files: Media types by path.
    """
    downloads = [
        {"@type": "DataDownload", "encodingFormat": kind, "contentUrl": where}
        for path, kind in files.items()
        if (where := at.file(path)) is not None
    ]
    return pruned({
        "@type": "Dataset",
        "@id": at.page(name, "ledger"),
        "name": "The ledger of claims",
        "description": "Every claim with its rules, number, interval, control and verdict.",
        "distribution": downloads,
        "isPartOf": {"@id": at.page(name)},
        **work(cited),
    })  # fmt: skip


def document(nodes: Iterable[Node]) -> Node:
    """A JSON-LD document of these nodes."""
    return {"@context": CONTEXT, "@graph": list(nodes)}
