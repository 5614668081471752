"""The book as an RO-Crate, and what archives read of it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict

import pytest
from pybtex.database import parse_string
from swh.model import hashutil
from swh.model.model import Content

from falsestruct.press.deposit import crate, files, swhid
from falsestruct.press.notebook.claims import MIME
from falsestruct.press.paths import Book
from falsestruct.press.site import citing
from falsestruct.statistics import exact
from tests.conftest import REPOSITORY, Desk, commit_all

REAL = Book(REPOSITORY)
RECORD = {
    "id": "one-holds", "chapter": "01_one", "value": 0.25, "low": 0.125, "high": 0.5, "n": 20,
    "method": "wilson", "commit": "abc123", "control": asdict(exact(0)),
}  # fmt: skip


def fill(desk: Desk) -> Desk:
    """A figure, a notebook and a record, without a run."""
    folder = desk.book.published.figures
    folder.mkdir(parents=True)
    figure = {"id": "one-line", "chapter": "01_one", "plot": "plots:line", "options": {}}
    figure |= {"caption": "A caption.", "alt": "A line.", "about": {"commit": "fedcba"}}
    (folder / "one-line.json").write_text(json.dumps(figure))
    for kind in ("svg", "pdf", "png", "csv"):
        (folder / f"one-line.{kind}").write_text(f"a picture as {kind}\n")
    desk.file("notebooks").mkdir()
    figure = {"data": {"text/markdown": [":name: fig-one-line\n"]}}
    recorded = {"data": {MIME: {"ids": ["one-holds"]}}}
    cells = [{"cell_type": "markdown", "source": "## A section"},
             {"cell_type": "code", "source": "", "outputs": [figure, recorded]}]  # fmt: skip
    desk.file("notebooks/01_one.ipynb").write_text(json.dumps({"cells": cells}))
    desk.book.published.evidence.write_text(json.dumps({"claims": {"one-holds": RECORD}}))
    desk.file(".secret").write_text("not for others")
    return desk


@pytest.fixture
def shelf(desk) -> Desk:
    return fill(desk)


@pytest.fixture
def made(shelf, tmp_path):
    """The crate of a small book: its folder and its things by identifier."""
    folder = tmp_path / "crate"
    crate.export(shelf.book, folder)
    document = json.loads((folder / crate.METADATA).read_text())
    return folder, {node["@id"]: node for node in document["@graph"]}


def test_identifiers_are_those_of_software_heritage_and_of_git(tmp_path):
    for data in (b"", b"a\n", bytes(range(256)) * 50):
        path = tmp_path / "file"
        path.write_bytes(data)
        assert swhid.of(path) == str(Content.from_data(data).swhid())
        blob = ["git", "hash-object", str(path)]
        done = subprocess.run(blob, capture_output=True, text=True, check=True)
        assert swhid.of(path) == f"swh:1:cnt:{done.stdout.strip()}"
    assert len(hashutil.hash_to_bytes(swhid.of(path).rpartition(":")[2])) == 20


def test_a_crate_has_the_whole_book_and_names_the_bytes(made, shelf):
    folder, things = made
    figure = things["book/figures/one-line.svg"]
    assert figure["identifier"] == swhid.of(folder / "book/figures/one-line.svg")
    assert figure["isBasedOn"] == {"@id": "book/figures/one-line.csv"}
    assert "isBasedOn" not in things["book/figures/one-line.csv"]
    for name in crate.contents(shelf.book):
        assert (folder / name).read_bytes() == shelf.file(name).read_bytes()
    assert "falsestruct/cli.py" in crate.contents(shelf.book)
    assert not (folder / ".secret").exists() and (folder / ".zenodo.json").exists()


def test_what_git_does_not_track_stays_at_home(shelf, tmp_path):
    """A clone holds more than the book: notes, drafts, keys."""
    shelf.file(".ci").mkdir()
    for name in (".ci/run", ".gitattributes", "book/ü.md", "gone.txt"):
        shelf.file(name).write_text("of the book")
    commit_all(shelf.root)
    shelf.file("gone.txt").unlink()
    private = ("notes-private.txt", "book/drafts/secret.md", "falsestruct/key.py", ".env")
    for name in private:
        shelf.file(name).parent.mkdir(exist_ok=True)
        shelf.file(name).write_text("a password")
    folder = tmp_path / "crate"
    crate.export(shelf.book, folder)
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert not there & {*private, "gone.txt"} and not [p for p in there if p.startswith(".git/")]
    assert {".ci/run", ".gitattributes", "book/ü.md", "notebooks/01_one.ipynb"} <= there
    assert "a password" not in "".join((folder / name).read_text() for name in there)


def test_a_figures_bibtex_names_the_bytes(shelf):
    exact = swhid.of(shelf.file("book/figures/one-line.svg"))
    entry = citing.cite(shelf.book, "one-line")
    assert parse_string(entry, "bibtex").entries["falsestruct:one-line"].fields["swhid"] == exact
    assert f"SVG file {exact}" in entry.partition("note ")[2]
    shelf.file("book/figures/one-line.svg").write_text("redrawn")
    assert exact not in citing.cite(shelf.book, "one-line")


def test_everything_is_flat_and_every_reference_leads_somewhere(made):
    folder, things = made
    root = things["./"]
    assert things[crate.METADATA]["about"] == {"@id": "./"} and root["name"] == "A Book & more"
    for thing in things.values():
        for value in thing.values():
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict):
                    known = {*things, crate.SPECIFICATION}
                    assert set(part) == {"@id"} and part["@id"] in known, (thing["@id"], part)
        if thing["@type"] in ("File", "Dataset"):
            assert (folder / thing["@id"]).exists()
    reached, waiting = set(), ["./"]
    while waiting:
        id = waiting.pop()
        reached.add(id)
        waiting += [part["@id"] for part in things[id].get("hasPart", [])]
    assert {id for id, t in things.items() if t["@type"] in ("File", "Dataset")} == reached


def test_claims_are_data(made):
    claim = made[1]["#claim-one-holds"]
    result = made[1][claim["mainEntity"]["@id"]]
    assert (claim["text"], result["value"]) == ("It holds.", 0.25)
    rating = made[1][made[1][claim["review"]["@id"]]["reviewRating"]["@id"]]
    assert rating["alternateName"] == "refuted"
    assert claim["appearance"] == {"@id": "notebooks/01_one.ipynb"}
    section = made[1]["#section-01_one-1"]
    shown = [part["@id"] for part in section["hasPart"]]
    figure = [f"book/figures/one-line.{end}" for end in ("svg", "csv")]
    assert shown == [*figure, "#claim-one-holds"] and section["name"] == "A section"


@pytest.mark.parametrize(
    ("folder", "message"),
    [("book/figures", "belongs to the book"), (".", "belongs to the book"),
     ("full", "is not empty"), ("requirements.txt", "is not empty"),
     ("requirements.txt/below", "can't write to")],
)  # fmt: skip
def test_where_no_crate_can_be(shelf, invoke, folder, message):
    shelf.file("full").mkdir()
    shelf.file("full/file").write_text("")
    before = shelf.digest()
    code, _, said = invoke(shelf, "export", "--ro-crate", folder)
    assert code == 2 and message in said and said.count("\n") == 1
    assert shelf.digest() == before
    assert invoke(shelf, "export")[0] == 2


# ---- what archives read in the repository itself ----


def test_the_repositorys_files_say_what_citation_cff_says():
    for name, text in files.written(REAL).items():
        mend = "run `falsestruct export --metadata`"
        assert (REPOSITORY / name).read_text() == text, f"{name} is not CITATION.cff's: {mend}"


def test_the_command_writes_them(shelf, invoke):
    shelf.file("codemeta.json").write_text("old")
    assert invoke(shelf, "export", "--metadata")[0] == 0
    said = json.loads(shelf.file("codemeta.json").read_text())
    assert [one["name"] for one in said["author"]] == ["Marie Curie", "The Book Group"]
    assert said["codeRepository"] == "https://example.org/book"
    zenodo = json.loads(shelf.file(".zenodo.json").read_text())
    assert [one["name"] for one in zenodo["creators"]] == ["Curie, Marie", "The Book Group"]


def test_zenodo_takes_it():
    """The fields and words of Zenodo's deposit API that we use; it refuses others."""
    said = files.zenodo(citing.citation(REAL))
    assert {"title", "description", "creators", "upload_type", "license"} <= said.keys()
    assert said["upload_type"] == "software" and said["access_right"] == "open"
    assert said["license"] == "cc-by-4.0" and len(said["language"]) == 3
    for work in said["related_identifiers"]:
        assert work.keys() == {"identifier", "scheme", "relation", "resource_type"}


def test_codemeta_has_no_other_terms():
    """Of CodeMeta 3.0; `id`, `type` and the rest are schema.org's."""
    said = files.codemeta(citing.citation(REAL))
    known = {
        "@context", "type", "name", "description", "author", "version", "dateModified", "license",
        "keywords", "programmingLanguage", "runtimePlatform", "operatingSystem", "codeRepository",
        "referencePublication",
    }  # fmt: skip
    assert said.keys() <= known and said["@context"] == "https://w3id.org/codemeta/3.0"
