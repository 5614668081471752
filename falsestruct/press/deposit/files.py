"""`.zenodo.json` and `codemeta.json`, as CITATION.cff has it.

Both are kept in the repository, since archives look for them there: `falsestruct export --metadata`
writes them, and a test holds that they say what CITATION.cff says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from falsestruct.press.paths import Book
from falsestruct.press.site import citing, linked

CODEMETA = "https://w3id.org/codemeta/3.0"
SPDX = "https://spdx.org/licenses/"
IDS = {"doi": "doi", "url": "url", "swh": "swh"}  # schemes of CITATION.cff that Zenodo has, too


def written(book: Book) -> dict[str, str]:
    """Both files' texts by name.

    Raises:
        UserError: there is no CITATION.cff, or it lacks what they need.
    """
    cited = citing.citation(book)
    made = {".zenodo.json": zenodo(cited), "codemeta.json": codemeta(cited)}
    return {
        name: json.dumps(said, indent=2, ensure_ascii=False) + "\n" for name, said in made.items()
    }


def licences(cited: Mapping[str, Any]) -> list[str]:
    """The licences by their SPDX names; the last is that of text and figures."""
    given = cited.get("license", [])
    return [given] if isinstance(given, str) else list(given)


def zenodo(cited: Mapping[str, Any]) -> dict[str, Any]:
    """What Zenodo takes for a deposit. It knows one licence: that of text and figures."""
    return linked.pruned({
        "upload_type": "software",
        "access_right": "open",
        "title": cited["title"],
        "description": cited.get("abstract"),
        "creators": [_creator(person) for person in cited["authors"]],
        "version": str(cited["version"]),
        "publication_date": str(cited.get("date-released", "")),
        "license": next(iter(reversed(licences(cited))), "").lower(),
        "language": "eng",
        "keywords": list(cited.get("keywords", [])),
        "related_identifiers": list(_related(cited)),
    })  # fmt: skip


def _creator(person: Mapping[str, str]) -> dict[str, Any]:
    """Zenodo writes the family name first."""
    said = linked.author(person)
    ordered = ", ".join(filter(None, (said.get("familyName"), said.get("givenName"))))
    orcid = str(person.get("orcid", "")).rpartition("/")[2]
    named = {"name": ordered or said["name"], "affiliation": person.get("affiliation")}
    return linked.pruned(named | {"orcid": orcid})


def _related(cited: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The works that the book is about."""
    found = []
    for work in cited.get("references", []):
        for id in work.get("identifiers", []):
            scheme = IDS.get(id["type"]) or ("arxiv" if id["value"].startswith("arXiv:") else "")
            if scheme:
                said = {"identifier": id["value"], "scheme": scheme, "relation": "references"}
                found.append(said | {"resource_type": "publication-article"})
    return found


def codemeta(cited: Mapping[str, Any]) -> dict[str, Any]:
    """CodeMeta, as archives of software and `codemetapy` read it."""
    return linked.pruned({
        "@context": CODEMETA,
        "type": "SoftwareSourceCode",
        "name": cited["title"],
        "description": cited.get("abstract"),
        "author": [_person(person) for person in cited["authors"]],
        "version": str(cited["version"]),
        "dateModified": str(cited.get("date-released", "")),
        "license": [SPDX + name for name in licences(cited)],
        "keywords": list(cited.get("keywords", [])),
        "programmingLanguage": "Python",
        "runtimePlatform": "CPython",
        "operatingSystem": "Linux",
        "codeRepository": cited.get("repository-code"),
        "referencePublication": [_publication(work) for work in cited.get("references", [])],
    })  # fmt: skip


def _person(person: Mapping[str, str]) -> dict[str, Any]:
    """In CodeMeta `type` and `id` have no sign before them."""
    said = linked.author(person)
    return {name.removeprefix("@"): value for name, value in said.items()}


def _publication(work: Mapping[str, Any]) -> dict[str, Any]:
    ids = [id["value"] for id in work.get("identifiers", [])]
    authors = [_person(person) for person in work.get("authors", [])]
    said = {"type": "ScholarlyArticle", "name": work["title"], "author": authors}
    return linked.pruned(said | {"identifier": ids[0] if ids else None})
