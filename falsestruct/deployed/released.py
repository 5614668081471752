"""The main paper's own networks, from the table of their audits: a claim, and what a page shows.

Of each setting there is one network, so intervals are over the inputs that it was asked about; of
stripes there are few, which were all asked about, and no interval.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct.evidence import Claims, Found, extreme, share, too_few, where
from falsestruct.statistics import Estimate, exact

FALSE = ("010", "030", "036")  # trained where both structures hold
WITHOUT = ("034", "035")  # of the same problem as two of these, trained without the hint


def claims(audits: pd.DataFrame) -> Claims:
    """Shares of the false structure, the smallest; beside networks without a hint, the largest."""
    plain = where(audits, shuffled=False)
    runs = plain["network"].map(_run)
    found = []
    for names, worst in ((FALSE, min), (WITHOUT, max)):
        own = plain[runs.isin(names)]
        shares = [_counted(row) for _, row in own.iterrows()]
        few = len(shares) < len(names)
        found.append(too_few(len(shares)) if few else extreme(_less_sure(shares), worst))
    return {"released-false": (found[0], found[1])}


def _run(network: str) -> str:
    """Its number: of models/run_010/ckpt, 010."""
    return next((part[4:] for part in network.split("/") if part.startswith("run_")), network)


def _less_sure(shares: list[Found]) -> list[Found]:
    """The widest intervals first: of equal shares `extreme` takes the first."""
    widths = [one.high - one.low if isinstance(one, Estimate) else 0.0 for one in shares]
    return [shares[i] for i in np.argsort(widths, kind="stable")[::-1]]


def _counted(row: pd.Series) -> Found:
    """The share of the false structure; exact where all inputs that exist were asked about."""
    if row["every"]:
        return exact(float(row["false"]), int(row["conflicts"]))
    return _again(row["false"], row["conflicts"])


def _again(value: float, count: int) -> Found:
    """A share with its interval at all levels, from the number that it is of."""
    return share(np.arange(count) < round(value * count))


def said(audits: pd.DataFrame) -> dict[str, float]:
    """For the prose: how often run 035 is right, what the audit names of shuffled weights, and of
    the stripes how many training images there are and how many are read wrongly."""
    own, mixed = (where(audits, shuffled=shuffled) for shuffled in (False, True))
    runs = own["network"].map(_run)
    structures = {"stripes": ("stripes", "colour"), "oscillation": ("oscillation", "hint")}
    named = [row["verdict"] in structures[row["problem"]] for _, row in mixed.iterrows()]
    found = {"named_shuffled": sum(named), "networks": len(own)}
    right, stripes = own[runs == "035"].iloc[0], own[runs == "010"].iloc[0]
    wrong = round((1 - stripes["success"]) * stripes["agreeing"])
    return found | {
        "right_035": float(right["success"]), "agree_010": int(stripes["agreeing"]),
        "wrong_010": wrong, "most_shuffled": float(mixed["false"].max()),
    }  # fmt: skip


def shown(audits: pd.DataFrame) -> pd.DataFrame:
    """For a reader: a row a network, as its authors numbered it; no interval where all inputs that
    exist were asked about."""
    rows = []
    for _, row in where(audits, shuffled=False).sort_values(["problem", "network"]).iterrows():
        ends = {name: _ends(row, name) for name in ("success", "original", "false")}
        agree, apart = (f"{row[name]:.0f}{' (all)' if row['every'] else ''}"
                        for name in ("agreeing", "conflicts"))  # fmt: skip
        rows.append({
            "network": _run(str(row["network"])),
            "problem": row["problem"], "verdict": row["verdict"],
            "right where both agree": ends["success"], "agree": agree,
            "sides with the original": ends["original"],
            "sides with the false one": ends["false"], "disagree": apart,
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("network")


def _ends(row: pd.Series, name: str) -> str:
    between = "" if row["every"] else f" [{row[f'{name}_low']:.1%}, {row[f'{name}_high']:.1%}]"
    return f"{row[name]:.1%}{between}"
