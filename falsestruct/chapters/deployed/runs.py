"""The recorded runs of chapter 21: real files, which no other machine has, and made ones.

The latter are asked live as well, where the network is installed.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from falsestruct.chapters.deployed import measure
from falsestruct.chapters.deployed.measure import File
from falsestruct.deployed import filetypes, made, sample

MOST = 60  # files of a kind


def files(kind: str, folder: str | None) -> tuple[pd.DataFrame, list[File]]:
    """The manifest of one kind, at most MOST of each half, and its files.

    Args:
        folder: Of unpacked source packages, each a source, beside what is installed; a name below
            the present folder.
    """
    sources = [*sample.distributions(), *sample.packages()]
    if folder is not None:
        if not Path(folder).is_dir():
            raise ValueError(f"{folder}: no such folder; unpack source packages there, or name "
                             "none in book/records.yml")  # fmt: skip
        sources += sample.folders(Path(folder))
    table = sample.manifest(sources, [kind]).groupby("half").head(MOST)
    return table, measure.real(table)


def real_court(*, kind: str, folder: str | None = None) -> pd.DataFrame:
    """`measure.court` on real files, with where they come from, and which network was asked.

    Columns: those of `measure.court`, and source, version, licence; model and hash of the network.
    """
    manifest, own = files(kind, folder)
    network = filetypes.FileTypes()
    return _named(measure.court(own, network.labels), manifest)


def real_flips(*, kind: str, folder: str | None = None) -> pd.DataFrame:
    """`measure.flips` on real files, likewise."""
    manifest, own = files(kind, folder)
    network = filetypes.FileTypes()
    return _named(measure.flips(own, network.labels), manifest)


def real_halves(*, kinds: list[str], seed: int, folder: str | None = None) -> pd.DataFrame:
    """`measure.halves` on real files."""
    own = [file for kind in kinds for file in files(kind, folder)[1]]
    network = filetypes.FileTypes()
    who = filetypes.identity()
    return measure.halves(own, network, seed=seed).assign(**_columns(who))


def made_court(*, count: int) -> pd.DataFrame:
    """`measure.court` on made files, so many of each kind."""
    own = measure.generated(count, made.Plan())
    return measure.court(own, filetypes.FileTypes().labels)


def made_lengths(*, count: int) -> pd.DataFrame:
    """`measure.lengths`."""
    return measure.lengths(count, filetypes.FileTypes().labels)


def _named(table: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    where = manifest.rename(columns={"sha256": "file"})[["file", "source", "version", "licence"]]
    return table.merge(where, on="file").assign(**_columns(filetypes.identity()))


def _columns(who: dict[str, str]) -> dict[str, str]:
    return {"model": f"{who['package']} {who['version']}, {who['model']}", "hash": who["sha256"]}
