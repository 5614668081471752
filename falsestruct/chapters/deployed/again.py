"""Recorded runs of chapter 21 after a referee: which files count, and what is asked again."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from falsestruct.chapters.deployed import measure, runs
from falsestruct.deployed import again, filetypes, twins
from falsestruct.deployed.parsers import KINDS


def listed(*, folder: str | None = None) -> pd.DataFrame:
    """`twins.listed` of all that the court took."""
    tables, files = zip(*(runs.files(kind, folder) for kind in KINDS), strict=True)
    return twins.listed(pd.concat(tables), [file.data for own in files for file in own])


def asked(*, kind: str, folder: str | None = None) -> pd.DataFrame:
    """`again.said` of the sealed files of one kind; the bag learns from all open files."""
    network, rows = filetypes.FileTypes(), list[dict[str, object]]()
    known = [one for other in KINDS for one in runs.files(other, folder)[1]
             if one.half == "open"]  # fmt: skip
    bag = again.White([one.data for one in known], [one.kind for one in known])
    own = [file for file in runs.files(kind, folder)[1] if file.half == "sealed"]
    for i, file in enumerate(own):
        changed = [
            (asdict(change), measure.changed(file, change))
            for change in measure.changes(kind)
            if change.arm in again.ARMS
        ]
        fit = [(name, data) for name, data in changed if data is not None]
        said = again.said(kind, file.data, fit, network=network, bag=bag, search=i < runs.FLIPPED)
        rows += [{"file": file.name, "kind": kind} | row for row in said]
    return pd.DataFrame(rows).assign(**runs.asked_who())
