"""Shares of files, and of chimeras, as estimates: the unit is a file, and sealed files decide."""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct import evidence
from falsestruct.deployed import chimeras
from falsestruct.deployed.chimeras import Rule
from falsestruct.evidence import Claims, Found, too_few, where

FEWEST = 10  # files that a share needs


def share(outcomes: pd.Series | np.ndarray) -> Found:
    """Share of files, of those that admit the change; nobody's with fewer than FEWEST."""
    known = pd.Series(outcomes, dtype=float).dropna()
    if len(known) < FEWEST:
        return too_few(len(known), "files")
    return evidence.share(known.to_numpy())


def rule(halves: pd.DataFrame) -> Rule:
    """The rule that foretold most chimeras of open files."""
    own = where(halves, half="open").dropna(subset="heads")
    return chimeras.best(_statistics(own), own["heads"].to_numpy() == 1)


def chimera_claim(halves: pd.DataFrame) -> Claims:
    """That rule on chimeras of sealed files, beside the answers to others of the same two kinds."""
    sealed = where(halves, half="sealed").dropna(subset="heads")
    said = rule(halves)(_statistics(sealed))
    right = (said == (sealed["heads"] == 1)).astype(float)
    return {"files-chimeras": (share(right), share(_another(sealed, said)))}


def searched_claim(named: pd.DataFrame) -> Claims:
    """What the search names for the network, beside what it names for the reader by hand."""
    decided = named.dropna(subset=["heads", "right"])
    own, control = (share(where(decided, reader=who)["right"]) for who in ("network", "words"))
    return {"files-chimeras-searched": (own, control)}


def searched(named: pd.DataFrame) -> dict[str, float | str]:
    """For the prose: what the search said of either reader, and who decided."""
    found: dict[str, float | str] = {}
    for who, own in named.groupby("reader"):
        for column in ("verdict", "foretold"):
            found[f"{column}_{who}"] = own[column].iloc[0]
    heads = where(named, reader="network")["heads"].dropna()
    return found | {"decided": len(heads), "by_head": float(heads.mean())}


def _another(sealed: pd.DataFrame, said: np.ndarray) -> np.ndarray:
    """Whether the rule's answer to a chimera is right about the next one of the same two kinds."""
    right = []
    for _, places in sealed.reset_index(drop=True).groupby(["first", "second"]).groups.items():
        own, heads = list(places), sealed["heads"].to_numpy()
        pairs = zip(own, own[1:] + own[:1], strict=True)
        right += [float(said[a] == (heads[b] == 1)) for a, b in pairs if a != b]
    return np.array(right)


def _statistics(halves: pd.DataFrame) -> pd.DataFrame:
    return halves.drop(columns=["half", "first", "second", "label", "heads"]).select_dtypes(
        "number"
    )
