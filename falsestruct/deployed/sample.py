"""A fixed sample of real files by a rule: one file a source and kind, licence named, hashed.

Sources are Python distributions, Debian's source packages, and the folders of a folder that the
reader names (unpacked source distributions, say). A third of the sources, by the hash of their
names, are open: rules are chosen on them. The others are sealed, for the verdicts.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
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
    "JSON": (".json",), "XML": (".xml",), "Python": (".py",), "TOML": (".toml",),
    "INI": (".ini", ".cfg", ".service", ".desktop"), "C": (".c", ".h"),
    "HTML": (".html", ".htm"), "CSV": (".csv",),
}  # fmt: skip
SMALLEST, LARGEST = 256, 32_768  # bytes
LOOKED_AT = 12  # of a source's files of a kind, at most
CODE = 10  # lines of C that are neither comments nor directives, at least
DEBIAN = Path("/var/lib/dpkg")
COLUMNS = ("type", "source", "version", "licence", "path", "sha256", "size", "half")
_LICENCE = re.compile(r"^License: *(\S[^\n]*)", re.M)


@dataclass(frozen=True)
class Source:
    """Where files come from: one maker, one licence.

    Attributes:
        name: With what it is of in front: pypi:, debian: or folder:.
        licence: As the source names it; "" if it doesn't.
        files: That it brought, with their names inside of it.
    """

    name: str
    version: str
    licence: str
    files: tuple[tuple[str, Path], ...]


def manifest(sources: Iterable[Source], kinds: Sequence[str] = KINDS) -> pd.DataFrame:
    """The sample: of each source and kind, the first file that fits, in the order of hashed names.

    A file fits if it has SMALLEST to LARGEST bytes, no earlier source has the same bytes, and its
    parser takes it; of C, if it has at least CODE lines of code. Sources without a named licence
    are left out.

    Returns:
        Columns COLUMNS; half is open or sealed.
    """
    rows, seen = [], set[str]()
    for source in sorted(sources, key=lambda one: _hash(one.name.encode())):
        if not source.licence:
            continue
        for kind in filter(installed, kinds):
            row = _first(source, kind, seen)
            if row is not None:
                seen.add(str(row["sha256"]))
                rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def half(source: str) -> str:
    """Of a source, by its name: a third is open."""
    return "open" if int(_hash(source.encode()), 16) % 3 == 0 else "sealed"


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
        yield Source(f"pypi:{name}", one.version, _licence(one.metadata), files)


def packages(folder: Path = DEBIAN, root: Path = Path("/")) -> Iterator[Source]:
    """Debian's source packages that are installed here, all their packages together."""
    status = folder / "status"
    if not status.is_file():
        return
    together: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    for entry in status.read_text(errors="replace").split("\n\n"):
        fields = dict(re.findall(r"^([A-Z]\S*): (.*)$", entry, re.M))
        if "Package" in fields:
            source = str(fields.get("Source", fields["Package"])).split(" ")[0]
            own = together.setdefault(source, (fields.get("Version", ""), []))[1]
            own.append((fields["Package"], fields.get("Architecture", "")))
    for source, (version, own) in together.items():
        listed = sorted({path for package in own for path in _listed(folder / "info", *package)})
        files = tuple((path, root / path.lstrip("/")) for path in listed)
        yield Source(f"debian:{source}", version, _copyright(root, own[0][0]), files)


def folders(folder: Path) -> Iterator[Source]:
    """Each folder in a folder, with the licence that its LICENCE or LICENSE begins with.

    A `PKG-INFO`, `pyproject.toml` or `debian/copyright` that names one counts first.
    """
    for own in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = tuple((str(path.relative_to(own)), path) for path in sorted(own.rglob("*"))
                      if path.is_file() and _kind(path.name) is not None)  # fmt: skip
        name, _, version = own.name.rpartition("-")
        yield Source(f"folder:{name or own.name}", version, _named(own), files)


def _first(source: Source, kind: str, seen: set[str]) -> dict[str, object] | None:
    fitting = [(name, path) for name, path in source.files if _kind(name) == kind]
    ordered = sorted(fitting, key=lambda one: _hash(f"{source.name}/{one[0]}".encode()))
    for _, path in ordered[:LOOKED_AT]:
        try:
            if path.is_symlink() or not SMALLEST <= path.stat().st_size <= LARGEST:
                continue
            data = path.read_bytes()
        except OSError:  # listed, but gone or not ours to read
            continue
        digest = _hash(data)
        if digest not in seen and accepted(kind, data) and _has_code(kind, data):
            return {
                "type": kind, "source": source.name, "version": source.version,
                "licence": source.licence, "path": str(path), "sha256": digest,
                "size": len(data), "half": half(source.name),
            }  # fmt: skip
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


def _named(folder: Path) -> str:
    for name in ("PKG-INFO", "pyproject.toml"):
        path = folder / name
        if path.is_file():
            text = path.read_text(errors="replace")
            said = re.search(
                r"^License(?:-Expression)?: (\S.*)$|^license = [\"'](.+?)[\"']$", text, re.M
            )
            if said:
                return (said[1] or said[2]).strip()[:60]
    if own := _licences(folder / "debian" / "copyright"):
        return own
    for path in sorted(folder.glob("LICEN[CS]E*")):
        return path.read_text(errors="replace").strip().split("\n")[0].strip()[:60]
    return ""


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
