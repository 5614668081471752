"""Reads a page's JSON-LD as a machine would, without a network, and checks it against shapes.

PyLD expands it with a part of schema.org's own context; pySHACL compares the triples with
`shapes.ttl`. Both are in requirements.txt for this alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyshacl
import rdflib
from bs4 import BeautifulSoup
from pyld import jsonld

HOME = "https://book.example/"
SHAPES = Path(__file__).with_name("shapes.ttl")
SCHEMA = "https://schema.org/"
# As schema.org's context has them: addresses, and not texts.
ADDRESSES = ("url", "contentUrl", "license", "codeRepository", "image")
CONTEXT = {"@vocab": SCHEMA, **{name: {"@type": "@id"} for name in ADDRESSES}}


def data_of(page: Path) -> list[dict[str, Any]]:
    """The JSON-LD documents of a page."""
    soup = BeautifulSoup(page.read_text(), "html.parser")
    found = soup.find_all("script", type="application/ld+json")
    return [json.loads(script.string) for script in found]


def graph(document: dict[str, Any], base: str = HOME) -> rdflib.Graph:
    """The triples of a JSON-LD document at this address."""
    options = {"base": base, "documentLoader": _offline}
    quads = jsonld.to_rdf(document, options | {"format": "application/n-quads"})
    return rdflib.Graph().parse(data=quads, format="nt")


def _offline(address: str, _options: dict[str, Any]) -> dict[str, Any]:
    if address.rstrip("/") != "https://schema.org":
        raise ValueError(f"{address}: a page's data must need no other context")
    return {
        "contentType": "application/ld+json", "contextUrl": None, "documentUrl": address,
        "document": {"@context": CONTEXT},
    }  # fmt: skip


def broken(found: rdflib.Graph) -> str:
    """What the shapes say against it; empty if nothing."""
    conforms, _, text = pyshacl.validate(found, shacl_graph=str(SHAPES), advanced=True)
    return "" if conforms else str(text)


def typed(found: rdflib.Graph, kind: str) -> list[rdflib.term.Node]:
    """Everything of a type of schema.org."""
    return sorted(found.subjects(rdflib.RDF.type, rdflib.URIRef(SCHEMA + kind)))


def value(found: rdflib.Graph, thing: rdflib.term.Node, *names: str) -> Any:
    """What a chain of properties leads to; None if there is nothing."""
    for name in names:
        thing = found.value(thing, rdflib.URIRef(SCHEMA + name))  # type: ignore[assignment]
    return thing.toPython() if thing is not None else None
