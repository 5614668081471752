"""A fixed sample of real files by a rule: one file a maker and kind, licence named, hashed.

Sources are Python distributions, Debian's source packages, and the folders of a folder that the
reader names (unpacked source distributions, say). Sources of one maker (the owner of a repository)
count as one, and near copies are left out: templates travel. A third of the makers, by the hash of
their names, are open: rules are chosen on them. The others are sealed, for the verdicts.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from falsestruct.deployed.parsers import (
    KINDS,
    accepted,
    installed,
    uncommented,
    without_directives,
)

SUFFIXES = {
    "JSON": (".json",), "XML": (".xml", ".xsd", ".pom", ".ui"), "Python": (".py",),
    "TOML": (".toml",), "INI": (".ini", ".cfg", ".service", ".desktop"),
    "C": (".c", ".h"), "HTML": (".html", ".htm"), "CSV": (".csv",),
}  # fmt: skip
SMALLEST, LARGEST = 256, 32_768  # bytes
LOOKED_AT = 40  # of a source's files of a kind, at most
CODE = 10  # lines of C that are neither comments nor directives, at least
NEAR = 0.5  # of a file's runs of words, at most so many in another file of the sample
RUN = 5  # words
DEBIAN = Path("/var/lib/dpkg")
OWN = ("magika", "falsestruct")  # sources that the network or the book is from
COLUMNS = (
    "type", "half", "maker", "source", "version", "licence", "name", "size", "sha256", "path",
)  # fmt: skip
# Whose first folder is an owner; elsewhere a maker has the name of its source.
_FORGE = re.compile(
    r"(?:www\.|[/@])((?:github|gitlab|bitbucket|codeberg|salsa|git)\.[\w.-]+)[/:](?!sponsors)([\w.~-]+)",
    re.I,
)
_LICENCE = re.compile(r"^License: *(\S[^\n]*)", re.M)


@dataclass(frozen=True)
class Source:
    """Where files come from: one maker, one licence.

    Attributes:
        name: With what it is of in front: pypi:, debian: or folder:.
        licence: As the source names it; "" if it doesn't.
        files: That it brought, with their names inside of it.
        maker: Who made it: owner of its repository, or the source's own name without what it is of.
    """

    name: str
    version: str
    licence: str
    files: tuple[tuple[str, Path], ...]
    maker: str


class Seen:
    """What the sample has: bytes, makers of a kind, and runs of words."""

    def __init__(self) -> None:
        self.digests, self.makers = set[str](), set[tuple[str, str]]()
        self.runs: dict[str, list[set[int]]] = {}

    def near(self, kind: str, data: bytes) -> bool:
        """Whether a file of this kind shares more than NEAR of this one's runs of words."""
        own = runs(data)
        return any(len(own & other) > NEAR * len(own) for other in self.runs.get(kind, []))

    def add(self, kind: str, maker: str, data: bytes) -> None:
        self.digests.add(_hash(data))
        self.makers.add((maker, kind))
        self.runs.setdefault(kind, []).append(runs(data))


def manifest(sources: Iterable[Source], kinds: Sequence[str] = KINDS) -> pd.DataFrame:
    """The sample: of each maker and kind, the first file that fits, in the order of hashed names.

    A file fits if it has SMALLEST to LARGEST bytes, its parser takes it, and the sample has neither
    its bytes nor, of its kind, a near copy; of C, if it has at least CODE lines of code. Sources
    without a named licence are left out, and OWN.

    Returns:
        Columns COLUMNS; half is open or sealed.
    """
    rows, seen = [], Seen()
    for source in sorted(sources, key=lambda one: _hash(one.name.encode())):
        if not source.licence or source.name.split(":", 1)[-1] in OWN:
            continue
        for kind in filter(installed, kinds):
            if (source.maker, kind) not in seen.makers:
                rows += _first(source, kind, seen)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def runs(data: bytes) -> set[int]:
    """Hashes of a file's runs of RUN words; of all its words, if it has fewer."""
    words = re.findall(r"\w+", data.decode("utf-8", "replace"))
    return {zlib.crc32(" ".join(words[i : i + RUN]).encode())
            for i in range(max(len(words) - RUN + 1, 1))}  # fmt: skip


def maker(name: str, links: Iterable[str]) -> str:
    """The owner of the first repository that is linked; else the source's name without its kind."""
    for link in links:
        if found := _FORGE.search(link):
            return f"{found[1]}/{found[2]}".lower()
    return name.split(":", 1)[-1].lower().replace("_", "-")


def half(maker: str) -> str:
    """Of a maker, by its name: a third is open."""
    return "open" if int(_hash(maker.encode()), 16) % 3 == 0 else "sealed"


def read(row: pd.Series, root: Path | None = None) -> bytes:
    """A file of a manifest.

    Args:
        root: Where files lie under their hashes, if not where they were found.

    Raises:
        ValueError: The file has changed since.
        OSError: It is gone.
    """
    data = (Path(row["path"]) if root is None else root / row["sha256"]).read_bytes()
    if (found := _hash(data)) != row["sha256"]:
        raise ValueError(f"{row['path']} has SHA-256 {found}; expected {row['sha256']}: make the "
                         "manifest again")  # fmt: skip
    return data


def distributions() -> Iterator[Source]:
    """Python distributions that are installed here."""
    known = set[str]()
    for one in importlib.metadata.distributions():
        name = (one.metadata["Name"] or "").lower()
        if not name or name in known:
            continue
        known.add(name)
        files = tuple((str(f), Path(str(one.locate_file(f)))) for f in one.files or ()
                      if _kind(str(f)) is not None)  # fmt: skip
        said = one.metadata
        links = [*(said.get_all("Home-page") or []), *(said.get_all("Project-URL") or [])]
        own = f"pypi:{name}"
        yield Source(own, one.version, _licence(said), files, maker(own, links))


def packages(folder: Path = DEBIAN, root: Path = Path("/")) -> Iterator[Source]:
    """Debian's source packages that are installed here, all their packages together."""
    status = folder / "status"
    if not status.is_file():
        return
    together: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {}
    for entry in status.read_text(errors="replace").split("\n\n"):
        fields = dict(re.findall(r"^([A-Z]\S*): (.*)$", entry, re.M))
        if "Package" in fields:
            source = str(fields.get("Source", fields["Package"])).split(" ")[0]
            own = together.setdefault(source, (fields, []))[1]
            own.append((fields["Package"], fields.get("Architecture", "")))
    for source, (fields, own) in together.items():
        listed = sorted({path for package in own for path in _listed(folder / "info", *package)})
        files = tuple((path, root / path.lstrip("/")) for path in listed)
        who = maker(f"debian:{source}", [fields.get("Homepage", "")])
        licence = _copyright(root, own[0][0])
        yield Source(f"debian:{source}", fields.get("Version", ""), licence, files, who)


def folders(folder: Path) -> Iterator[Source]:
    """Each folder in a folder, with the licence that its LICENCE, LICENSE or COPYING begins with.

    A `PKG-INFO`, `pyproject.toml`, `package.json` or `debian/copyright` that names one counts
    first. The first link to a repository in one of these names the maker.
    """
    for own in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = tuple((str(path.relative_to(own)), path) for path in sorted(own.rglob("*"))
                      if path.is_file() and _kind(path.name) is not None)  # fmt: skip
        name, _, version = own.name.rpartition("-")
        source = f"folder:{name or own.name}"
        yield Source(source, version, _named(own), files, maker(source, _texts(own).values()))


def _first(source: Source, kind: str, seen: Seen) -> list[dict[str, object]]:
    """The source's row of this kind, if it has one."""
    fitting = [(name, path) for name, path in source.files if _kind(name) == kind]
    ordered = sorted(fitting, key=lambda one: _hash(f"{source.name}/{one[0]}".encode()))
    for name, path in ordered[:LOOKED_AT]:
        data = _fitting(path)
        if data is None or _hash(data) in seen.digests or not accepted(kind, data):
            continue
        if _has_code(kind, data) and not seen.near(kind, data):
            seen.add(kind, source.maker, data)
            return [{
                "type": kind, "half": half(source.maker), "maker": source.maker,
                "source": source.name, "version": source.version, "licence": source.licence,
                "name": name, "size": len(data), "sha256": _hash(data), "path": str(path),
            }]  # fmt: skip
    return []


def _fitting(path: Path) -> bytes | None:
    """The bytes of a file of the right size."""
    try:
        if path.is_symlink() or not SMALLEST <= path.stat().st_size <= LARGEST:
            return None
        return path.read_bytes()
    except OSError:  # listed, but gone or not ours to read
        return None


def _has_code(kind: str, data: bytes) -> bool:
    """Of a C file, whether enough is left without directives for a grammar to be destroyed."""
    if kind != "C":
        return True
    code, _ = without_directives(uncommented(data.decode()))
    return sum(bool(line.strip()) for line in code.split("\n")) >= CODE


def _kind(name: str) -> str | None:
    suffix = Path(name).suffix.lower()
    return next((kind for kind, suffixes in SUFFIXES.items() if suffix in suffixes), None)


def _licence(metadata: importlib.metadata.PackageMetadata) -> str:
    """What a distribution says, in the order of the standard's fields."""
    for field in ("License-Expression", "License"):
        said = metadata.get(field, "")  # type: ignore[attr-defined]
        if said and said.strip() not in ("UNKNOWN", ""):
            return str(said).strip().split("\n")[0][:60]
    for line in metadata.get_all("Classifier", []):
        if line.startswith("License :: "):
            return str(line.rsplit(" :: ", 1)[1])
    return ""


def _listed(info: Path, package: str, architecture: str) -> list[str]:
    for name in (package, f"{package}:{architecture}"):
        path = info / f"{name}.list"
        if path.is_file():
            lines = path.read_text(errors="replace").splitlines()
            return [line for line in lines if _kind(line) is not None]
    return []


def _copyright(root: Path, package: str) -> str:
    """The licences that a Debian package's copyright file names, in its machine-readable form."""
    return _licences(root / "usr/share/doc" / package / "copyright")


def _licences(path: Path) -> str:
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return ""
    return ", ".join(dict.fromkeys(name.strip() for name in _LICENCE.findall(text)))[:60]


_WORDS = {
    "Permission is hereby granted, free of charge": "MIT or alike",
    "Redistribution and use in source and binary forms": "BSD or alike",
    "Permission to use, copy, modify": "ISC or alike",
}
_SAID = {  # where a source package names its licence
    "PKG-INFO": r"^License(?:-Expression)?: (\S.*)$",
    "pyproject.toml": r"^license = [\"'](.+?)[\"']$",
    "package.json": r"^\s*\"license\": *\"(.+?)\"",
}


def _texts(folder: Path) -> dict[str, str]:
    """Of the files of _SAID that a folder has."""
    return {name: (folder / name).read_text(errors="replace")
            for name in _SAID if (folder / name).is_file()}  # fmt: skip


def _named(folder: Path) -> str:
    for name, text in _texts(folder).items():
        if (said := re.search(_SAID[name], text, re.M)) and said[1].strip() != "UNKNOWN":
            return said[1].strip()[:60]
    if own := _licences(folder / "debian" / "copyright"):
        return own
    for path in sorted([*folder.glob("LICEN[CS]E*"), *folder.glob("COPYING*")]):
        if path.is_file():
            return _of_text(path.read_text(errors="replace"))
    return ""


def _of_text(text: str) -> str:
    """The name that a licence's text has: by its words, else its first line with a letter."""
    for words, name in _WORDS.items():
        if words in " ".join(text.split()):
            return name
    lines = [line.strip(" #*/=-.") for line in text.split("\n")]
    return next((line[:60] for line in lines if re.search("[A-Za-z]", line)), "")


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
