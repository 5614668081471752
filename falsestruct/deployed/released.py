"""The main paper's own networks, from the table of their audits: a claim, and what a page shows.

Of each setting there is one network, so intervals are over the inputs that it was asked about.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct.evidence import Claims, Found, extreme, share, too_few, where

FALSE = ("run_010", "run_030", "run_036")  # trained where both structures hold


def claims(audits: pd.DataFrame) -> Claims:
    """Shares of the false structure, the smallest; beside shuffled weights, the largest."""
    own = audits[audits["network"].str.contains("|".join(FALSE))]
    found = []
    for shuffled, worst in ((False, min), (True, max)):
        part = where(own, shuffled=shuffled)
        shares = [_again(row["false"], row["conflicts"]) for _, row in part.iterrows()]
        few = len(shares) < len(FALSE)
        found.append(too_few(len(shares)) if few else extreme(_less_sure(shares), worst))
    return {"released-false": (found[0], found[1])}


def _less_sure(shares: list[Found]) -> list[Found]:
    """The widest intervals first: of equal shares `extreme` takes the first."""
    return sorted(shares, key=lambda one: one.n)


def _again(value: float, count: int) -> Found:
    """A share with its interval at all levels, from the number that it is of."""
    return share(np.arange(count) < round(value * count))


def said(audits: pd.DataFrame) -> dict[str, float]:
    """For the prose: how often run 035 is right, and what the audit names of shuffled weights."""
    own, mixed = (where(audits, shuffled=shuffled) for shuffled in (False, True))
    named = ~mixed["verdict"].isin(["none", "undecided", "mixture"])
    right = own.loc[own["network"].str.contains("run_035"), "success"]
    return {"right_035": float(right.iloc[0]), "named_shuffled": int(named.sum()),
            "networks": len(own)}  # fmt: skip


def shown(audits: pd.DataFrame) -> pd.DataFrame:
    """For a reader: a row a network, as its authors numbered it."""
    rows = []
    for _, row in where(audits, shuffled=False).sort_values(["problem", "network"]).iterrows():
        ends = {name: f"{row[name]:.1%} [{row[f'{name}_low']:.1%}, {row[f'{name}_high']:.1%}]"
                for name in ("success", "original", "false")}  # fmt: skip
        rows.append({
            "network": str(row["network"]).rpartition("/run_")[2].partition("/")[0],
            "problem": row["problem"], "verdict": row["verdict"],
            "right where both agree": ends["success"], "agree": int(row["agreeing"]),
            "sides with the original": ends["original"],
            "sides with the false one": ends["false"], "disagree": int(row["conflicts"]),
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("network")
