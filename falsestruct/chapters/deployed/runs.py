"""The recorded runs of chapter 21: real files, which no other machine has, and made ones.

The latter are asked live as well, where the network is installed.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd

from falsestruct.chapters.deployed import measure
from falsestruct.chapters.deployed.measure import File
from falsestruct.deployed import filetypes, made, readers, sample, verdicts
from falsestruct.deployed.parsers import KINDS

MOST = {"open": 30, "sealed": 60}  # files of a kind
FLIPPED = 30  # sealed files that the search for the fewest bytes gets
COLUMNS = ["file", "maker", "source", "version", "licence"]


def files(kind: str, folder: str | None) -> tuple[pd.DataFrame, list[File]]:
    """The manifest of one kind, at most MOST of a half, and its files.

    Args:
        folder: Of unpacked source packages, each a source, beside what is installed; a name below
            the present folder.
    """
    table = sample.manifest(_sources(folder), [kind])
    table = pd.concat([own.head(MOST[str(half)]) for half, own in table.groupby("half")])
    return table, measure.real(table)


def manifest(folder: str | None) -> pd.DataFrame:
    """What `files` takes of every kind, without where it lies here."""
    return pd.concat([files(kind, folder)[0] for kind in KINDS]).drop(columns="path")


def real_court(*, kind: str, folder: str | None = None) -> pd.DataFrame:
    """`measure.court` on real files, with where they come from, and who was asked.

    The bag of words learns from the open files of all kinds.

    Columns: those of `verdicts.wide`, and maker, source, version, licence; model and hash of the
    network; libmagic's version.
    """
    table, own = files(kind, folder)
    known = [file for other in KINDS for file in files(other, folder)[1] if file.half == "open"]
    bag = readers.Bag([file.data for file in known], [file.kind for file in known])
    magic = readers.LibMagic()
    others = {"libmagic": magic.labels, "words": bag.labels}
    verdict = measure.court(own, filetypes.FileTypes().labels, others=others)
    return _named(verdicts.wide(verdict), table).assign(magic=magic.version)


def real_flips(*, kind: str, folder: str | None = None) -> pd.DataFrame:
    """`measure.flips` on the first sealed files, likewise."""
    table, own = files(kind, folder)
    own = [file for file in own if file.half == "sealed"][:FLIPPED]
    return _named(measure.flips(own, filetypes.FileTypes().labels), table)


def made_court(*, count: int) -> pd.DataFrame:
    """`measure.court` on made files, so many of each kind, as `verdicts.wide` stores it."""
    own = measure.generated(count, made.Plan())
    return verdicts.wide(measure.court(own, filetypes.FileTypes().labels))


def made_lengths(*, count: int) -> pd.DataFrame:
    """`measure.lengths`."""
    return measure.lengths(count, filetypes.FileTypes().labels)


@lru_cache(maxsize=1)
def _sources(folder: str | None) -> list[sample.Source]:
    sources = [*sample.distributions(), *sample.packages()]
    if folder is not None:
        if not Path(folder).is_dir():
            raise ValueError(f"{folder}: no such folder; unpack source packages there, or name "
                             "none in book/records.yml")  # fmt: skip
        sources += sample.folders(Path(folder))
    return sources


def asked_who() -> dict[str, str]:
    """Columns that say which network of file types a record asked."""
    who = filetypes.identity()
    return {"model": f"{who['package']} {who['version']}, {who['model']}", "hash": who["sha256"]}


def _named(table: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    where = found.rename(columns={"sha256": "file"})[COLUMNS]
    return table.merge(where, on="file").assign(**asked_who())
