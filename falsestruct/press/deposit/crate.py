"""The whole book as an RO-Crate: a folder with everything, and a file that says what is what.

Figures, data, notebooks and records are named one by one, each with the identifier of its bytes
(`swhid`); claims stand there as data, with their rules, numbers and verdicts. The specification is
https://w3id.org/ro/crate/1.3; `make crate` has it checked by another program.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from falsestruct.press.deposit import files, swhid
from falsestruct.press.notebook import environment, figures
from falsestruct.press.paths import Book, UserError, make_folder, read_json, write_atomically
from falsestruct.press.site import citing, ledger, linked
from falsestruct.press.site.linked import Node

SPECIFICATION = "https://w3id.org/ro/crate/1.3"
METADATA = "ro-crate-metadata.json"
# What a reader of the crate finds, and what it is. Without git, nothing else of a folder is copied.
FOLDERS = {
    "book": "The chapters' texts, and what runs wrote.",
    "book/certificates": "Certificates of re-executions, as their makers wrote them.",
    "book/claims": "The claims, with their rules, and why a rule was amended.",
    "book/figures": "Every figure, its data and its record.",
    "book/networks": "Weights of the networks that answer on the front page.",
    "book/records": "Recorded runs: long computations that chapters only load.",
    "book/reports": "Reports of findings to those whom they concern.",
    "notebooks": "The executed chapters.",
    "falsestruct": "The package that computes, draws, builds and checks.",
    "tests": "Tests of the package and the book.",
    "benchmarks": "Measurements of speed.",
}
# Whose files are named each.
NAMED = (
    "book/certificates", "book/claims", "book/figures", "book/networks", "book/records",
    "book/reports", "notebooks",
)  # fmt: skip
LISTED = ("book", *NAMED)
CODE = ("falsestruct", "tests", "benchmarks")
# Not by `mimetypes`: what that knows of .md, .yml, .ipynb or .bib depends on the machine.
TYPES = {
    ".svg": "image/svg+xml", ".pdf": "application/pdf", ".png": "image/png", ".csv": "text/csv",
    ".json": "application/json", ".ipynb": "application/x-ipynb+json", ".md": "text/markdown",
    ".yml": "application/yaml", ".toml": "application/toml", ".txt": "text/plain",
    ".bib": "application/x-bibtex", ".f16": "application/octet-stream", ".cff": "application/yaml",
}  # fmt: skip
LICENCES = {linked.TEXT: "CC BY 4.0, of text and figures", linked.CODE: "MIT, of the code"}


@dataclass(frozen=True)
class Addresses:
    """Where things are in a crate: pages by the notebook or text that they are made of."""

    root: Path

    def page(self, name: str, anchor: str = "") -> str:
        """Of a notebook or a text; what it shows has an identifier of its own."""
        if anchor:
            return f"#{anchor}"
        ends = (end for end in (".ipynb", ".md") if (self.root / f"{name}{end}").exists())
        return name + next(ends, "")

    def file(self, path: str) -> str | None:
        """Of a file of the crate."""
        return path if (self.root / path).exists() else None


def export(book: Book, folder: Path) -> int:
    """Write a crate into a folder that is new or empty; the metadata comes last.

    Returns:
        How many files the crate names.

    Raises:
        UserError: the folder isn't empty, or belongs to the book, or can't be written to; or there
            is no CITATION.cff.
    """
    folder = folder.resolve()
    _check(book, folder)
    graph = described(book)
    make_folder(folder)
    try:
        for path in contents(book):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(book.root / path, target)
    except OSError as error:
        raise UserError(f"can't write to {folder}: {error.strerror or error}") from None
    for name, text in files.written(book).items():
        write_atomically(folder / name, text)
    document = {"@context": f"{SPECIFICATION}/context", "@graph": graph}
    write_atomically(folder / METADATA, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return sum(node["@type"] == "File" for node in graph)


def _check(book: Book, folder: Path) -> None:
    kept = [book.root / name for name in FOLDERS]
    if folder == book.root or any(folder.is_relative_to(place) for place in kept):
        raise UserError(f"can't write to {folder}: it belongs to the book; choose another one")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not empty: choose a new folder, or empty it")


def contents(book: Book) -> list[str]:
    """The files of the crate, by their paths below the book's root: those that git tracks.

    Whatever else lies in a clone may be private. Where there is no git, it can't be told apart:
    then it is the files of the root and of `FOLDERS`, but for hidden ones.
    """
    if not environment.why_unknown(book.root):
        tracked = environment.git(book.root, "ls-files", "-z").stdout.split("\0")
        return sorted({name for name in tracked if name and (book.root / name).is_file()})
    found = [path for path in book.root.iterdir() if path.is_file()]
    for folder in FOLDERS:
        if "/" not in folder:
            found += [path for path in (book.root / folder).rglob("*") if path.is_file()]
    names = (path.relative_to(book.root) for path in found)
    return sorted(name.as_posix() for name in names if not _is_left_out(name))


def _is_left_out(name: Path) -> bool:
    """Caches, and what no reader sees."""
    return any(part.startswith(".") or part == "__pycache__" for part in name.parts)


# ---- the metadata ----


def described(book: Book) -> list[Node]:
    """What the crate's files are, flat: every thing with an identifier, and no thing in another."""
    cited = citing.citation(book)
    at = Addresses(book.root)
    names = contents(book)
    authors = [linked.author(person) for person in cited["authors"]]
    for number, author in enumerate(authors, 1):
        author.setdefault("@id", f"#author-{number}")
    nodes = [
        _descriptor(),
        _root(book, cited, names, authors),
        *({"@id": id, "@type": "CreativeWork", "name": name} for id, name in LICENCES.items()),
        *authors,
        *_folders(names),
        *_files(book, [name for name in names if _is_named(name)]),
        *_claims(book, at),
        *_sections(book, names),
    ]
    flat: dict[str, Node] = {}
    for node in nodes:
        _flatten(node, flat)
    return list(flat.values())


def _descriptor() -> Node:
    about = {"about": {"@id": "./"}, "conformsTo": {"@id": SPECIFICATION}}
    return {"@id": METADATA, "@type": "CreativeWork", **about}


def _root(book: Book, cited: Mapping[str, Any], names: list[str], authors: list[Node]) -> Node:
    here = [f"{name}/" for name in FOLDERS if "/" not in name and _has(names, name)]
    here += [name for name in names if "/" not in name]
    said = linked.work(cited) | {
        "@id": "./", "@type": "Dataset", "name": cited["title"],
        "description": cited.get("abstract") or f"The executable book {cited['title']}.",
        "license": {"@id": linked.TEXT}, "keywords": list(cited.get("keywords", [])),
        "identifier": cited.get("doi"), "author": [{"@id": one["@id"]} for one in authors],
        "hasPart": [{"@id": name} for name in here],
        "mentions": [{"@id": f"#claim-{id}"} for id in _ids(book)],
        "version": f"{cited['version']}, commit {environment.commit(book.root)}",
    }  # fmt: skip
    return linked.pruned(said)


def _ids(book: Book) -> list[str]:
    return [entry.claim.id for entry in ledger.read(book, book.published)]


def _has(names: list[str], folder: str) -> bool:
    return any(name.startswith(f"{folder}/") for name in names)


def _folders(names: list[str]) -> Iterator[Node]:
    """The folders that there are, with what is named in each."""
    for folder, what in FOLDERS.items():
        if not _has(names, folder):
            continue
        inside = [f"{other}/" for other in FOLDERS if os.path.dirname(other) == folder]
        inside = [other for other in inside if _has(names, other.rstrip("/"))]
        inside += [name for name in names if os.path.dirname(name) == folder and _is_named(name)]
        licence = linked.CODE if folder in CODE else linked.TEXT
        yield linked.pruned({
            "@id": f"{folder}/", "@type": "Dataset", "name": folder, "description": what,
            "license": {"@id": licence}, "hasPart": [{"@id": name} for name in inside],
        })  # fmt: skip


def _is_named(name: str) -> bool:
    folder = os.path.dirname(name)
    return folder in ("", *LISTED)


def _files(book: Book, names: list[str]) -> Iterator[Node]:
    """Files, each with the identifier of its bytes; a figure's with what it is drawn from."""
    shown = {record.id: record for record in figures.all_figures(book.published)}
    for name in names:
        path = book.root / name
        said: Node = {
            "@id": name, "@type": "File", "name": path.name, "identifier": swhid.of(path),
            "encodingFormat": TYPES.get(path.suffix, "text/plain"),
            "contentSize": str(path.stat().st_size),
        }  # fmt: skip
        figure = shown.get(path.stem) if os.path.dirname(name) == "book/figures" else None
        if figure and path.suffix != ".json":
            said["description"] = figure.caption
        if figure and path.suffix.removeprefix(".") in figures.FORMATS:
            said |= {"isBasedOn": {"@id": f"book/figures/{path.stem}.csv"}}
        yield said


def _claims(book: Book, at: Addresses) -> Iterator[Node]:
    for entry in ledger.read(book, book.published):
        said = linked.claim(entry, at)
        yield {name: part for name, part in said.items() if name not in ("url", "isPartOf")} | {
            "name": entry.claim.id
        }


def _sections(book: Book, names: list[str]) -> Iterator[Node]:
    """The figures, their data and the claims that each section of a chapter shows."""
    known = {*names, *(f"#claim-{id}" for id in _ids(book))}
    for notebook in names:
        if not notebook.endswith(".ipynb"):
            continue
        for number, one in enumerate(linked.sections(read_json(book.root / notebook)), 1):
            files = [f"book/figures/{id}.{end}" for id in one.figures for end in ("svg", "csv")]
            parts = [id for id in (*files, *(f"#claim-{c}" for c in one.claims)) if id in known]
            id = f"#section-{Path(notebook).stem}-{number}"
            yield {"@id": id} | linked.section(one.name, notebook, parts)


def _flatten(node: Node, into: dict[str, Node]) -> None:
    """A node and those in it, each by its identifier."""
    into[node["@id"]] = {
        name: _reference(value, f"{node['@id']}-{name}", into) for name, value in node.items()
    }


def _reference(value: Any, id: str, into: dict[str, Node]) -> Any:
    """What is said of a thing stands elsewhere; here it is only named."""
    if isinstance(value, list):
        return [_reference(part, f"{id}-{number}", into) for number, part in enumerate(value)]
    if not isinstance(value, dict) or set(value) == {"@id"}:
        return value
    own = value.get("@id", id if id.startswith("#") else f"#{id}")
    _flatten(value | {"@id": own}, into)
    return {"@id": own}
