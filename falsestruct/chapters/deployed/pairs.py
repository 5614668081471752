"""Made files whose verdict flips, side by side with the same files changed, and what both mean.

Made files may be shown; of real ones the record has hashes alone.
"""

from __future__ import annotations

import hashlib

import pandas as pd

from falsestruct.chapters.deployed import measure, runs
from falsestruct.chapters.deployed.measure import SHARES, SHOWN, Ask, File
from falsestruct.deployed import filetypes, meant
from falsestruct.deployed.destroyed import UnfitError
from falsestruct.deployed.filetypes import called
from falsestruct.deployed.made import Plan
from falsestruct.deployed.parsers import meaning

DATA = ("JSON", "TOML")  # minimised: whitespace
CODE = ("Python", "C")  # filled: comments that look like another language
CHANGED = {kind: "new lines" for kind in DATA} | {kind: "comments" for kind in CODE}


def commented(files: list[File], ask: Ask) -> pd.DataFrame:
    """Files whose verdict falls when comments fill a share of both windows, the smallest of SHARES.

    Columns: those of `measure.side_by_side`; the heads are those of both files.
    """
    rows = []
    for file in files:
        before = ask([file.data])[0]
        if not called(file.kind, before):
            continue
        for share in SHARES:
            try:
                after = meant.filled(file.kind, file.data, meant.FILLINGS[1], share)
            except UnfitError:
                continue
            label = ask([after])[0]
            if not called(file.kind, label):
                rows.append(_row(file, before, after, label))
                break
    return pd.DataFrame(rows)


def _row(file: File, before: str, after: bytes, label: str) -> dict[str, object]:
    first, second = (repr(one[:SHOWN])[2:-1] for one in (file.data, after))
    digest = hashlib.sha256(repr(meaning(file.kind, after)).encode()).hexdigest()
    return {"kind": file.kind, "file": file.name, "before": before, "after": label,
            "put_in": len(after) - len(file.data), "first": first, "second": second,
            "meaning": digest}  # fmt: skip


def shown(*, count: int) -> pd.DataFrame:
    """The first file of each type, of so many made ones, whose verdict flips; a column `change`.

    The digest is of the value (JSON, TOML) or the syntax tree (Python, C) that parsers read from
    either file.
    """
    ask = filetypes.FileTypes().labels
    found = [
        measure.side_by_side(measure.generated(count, Plan(), DATA), ask),
        commented(measure.generated(count, Plan(), CODE), ask),
    ]
    table = pd.concat([part for part in found if len(part)], ignore_index=True)
    first = table.drop_duplicates("kind")
    return first.assign(change=first["kind"].map(CHANGED), **runs.asked_who())
