"""Tables of verdicts: a row a file and change to compute with, a row a file to store.

Stored, a change is a column "READER|ARM|WAY|AMOUNT": of the network its verdict, of other readers
whether theirs is right.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct.deployed.filetypes import called, outcome

NETWORK = "network"
CHANGE = ["arm", "way", "amount"]
FILE = ["file", "kind", "half", "size"]


def judged(kind: str, label: str | None) -> dict[str, object]:
    """A verdict with what it means: label, kept (1, 0 or missing), outcome."""
    if label is None:
        return {"label": None, "kept": np.nan, "outcome": None}
    return {"label": label, "kept": float(called(kind, label)), "outcome": outcome(kind, label)}


def wide(table: pd.DataFrame) -> pd.DataFrame:
    """A row a file: FILE, then the changes' columns.

    Args:
        table: Columns FILE, CHANGE, label, kept, outcome; others are of other readers.
    """
    known = (*FILE, *CHANGE, "label", "kept", "outcome")
    others = [str(name) for name in table if name not in known]
    parts = []
    for name in ("label", *others):
        cells = table.dropna(subset=name)
        reader = NETWORK if name == "label" else name
        keys = [f"{reader}|{arm}|{way}|{amount:g}"
                for arm, way, amount in cells[CHANGE].itertuples(index=False)]  # fmt: skip
        pivot = cells.assign(key=keys).pivot(index=FILE, columns="key", values=name)
        parts.append(pivot[list(dict.fromkeys(keys))])
    order = pd.MultiIndex.from_frame(table[FILE].drop_duplicates())
    return pd.concat(parts, axis=1).reindex(order).reset_index()


def long(table: pd.DataFrame) -> pd.DataFrame:
    """A row a file and change that it was asked about; the inverse of `wide`.

    Columns: all of `wide` that are no changes, CHANGE, label, kept, outcome, and of each other
    reader whether its verdict is right (1, 0 or missing).
    """
    names = [str(name) for name in table]
    changes = [name for name in names if "|" in name]
    own = [name for name in names if "|" not in name]
    others = list(dict.fromkeys(name.split("|")[0] for name in changes))[1:]
    rows = []
    for file in table.to_dict("records"):
        for name in changes:
            reader, arm, way, amount = name.split("|")
            if reader != NETWORK or not isinstance(file[name], str):
                continue
            said = {o: file.get(f"{o}|{arm}|{way}|{amount}", np.nan) for o in others}
            rows.append({key: file[key] for key in own}
                        | {"arm": arm, "way": way, "amount": float(amount)}
                        | judged(file["kind"], file[name]) | said)  # fmt: skip
    return pd.DataFrame(rows)
