"""Shares of files, and of chimeras, as estimates: the unit is a file, and sealed files decide."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from falsestruct import evidence
from falsestruct.deployed import chimeras
from falsestruct.deployed.chimeras import Rule
from falsestruct.evidence import Claims, Found, mean, too_few, where
from falsestruct.statistics import Estimate, Nobody

FEWEST = 10  # files that a share needs
UNNAMED = "none of these"  # what the search says where it names nothing


def share(outcomes: pd.Series | np.ndarray | list[float]) -> Found:
    """Share of files, of those that admit the change; nobody's with fewer than FEWEST."""
    known = pd.Series(outcomes, dtype=float).dropna()
    if len(known) < FEWEST:
        return too_few(len(known), "files")
    return evidence.share(known.to_numpy())


def each(table: pd.DataFrame, values: pd.Series, low: float = 0.0) -> Found:
    """Mean over files of a file's mean, then over types, which are all that there are."""
    own = values.groupby([table["kind"], table["file"]]).mean().dropna()
    if len(own) < FEWEST:
        return too_few(len(own), "files")
    kinds = own.index.get_level_values("kind").to_series(index=own.index)
    enough = kinds.groupby(kinds).transform("size") >= 2
    return mean(own[enough], strata=kinds[enough], bounds=(low, 1.0))


def columns(own: Found) -> dict[str, object]:
    """A share and its interval as columns of a table, none where there are too few files."""
    if not isinstance(own, Estimate):
        return {}
    return {"share": own.value, "low": own.low, "high": own.high, "files": own.n}


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
    """What the search names for the network, beside what it names for the reader by hand.

    Where it names nothing, no chimera was judged: one search is one event, and no share of any.
    """
    found = []
    for who in ("network", "words"):
        own = where(named, reader=who)
        judged = own.dropna(subset=["heads", "right"])["right"]
        unnamed = own["verdict"].iloc[0] == UNNAMED
        found.append(Nobody("the one search names no rule", 1) if unnamed else share(judged))
    return {"files-chimeras-searched": (found[0], found[1])}


def searched(named: pd.DataFrame) -> dict[str, float | str]:
    """For the prose: what the search said of either reader, and on how many pairs it was judged."""
    found: dict[str, float | str] = {}
    for who, own in named.groupby("reader"):
        first = own.iloc[0]
        for column in ("verdict", "sentence", "foretold", "foretold_low", "foretold_high",
                       "answer", "over", "all_foretold", "all_foretold_low",
                       "all_foretold_high", "queries"):  # fmt: skip
            found[f"{column}_{who}"] = first[column]
        judged = own.dropna(subset=["heads", "right"])["right"]
        if first["verdict"] != UNNAMED:
            found |= _ended(f"right_{who}", judged.to_numpy()) | {f"judged_{who}": len(judged)}
    return found


def said(halves: pd.DataFrame) -> dict[str, float]:
    """For the prose: who decides sealed chimeras, and what the two types alone say of that.

    The types were looked at after the claim had been judged: numbers, and no claim.
    """
    sealed = where(halves, half="sealed")
    known = sealed.dropna(subset="heads")
    best = rule(halves)
    right = best(_statistics(known)) == (known["heads"] == 1)
    found = {"on_open": best.share, "pairs": len(sealed), "neither": len(sealed) - len(known),
             "decided": len(known)}  # fmt: skip
    found |= _ended("on_sealed", right.to_numpy(dtype=float))
    found |= _ended("by_head", known["heads"].to_numpy())
    found |= _ended("others", others(known))
    orders = ordered(halves)
    return found | {"orders": len(orders), "orders_low": min(orders), "orders_high": max(orders)}


def _ended(name: str, outcomes: np.ndarray) -> dict[str, float]:
    """A share with its interval, none where there are too few."""
    own = share(outcomes)
    ends = (own.value, own.low, own.high) if isinstance(own, Estimate) else (np.nan,) * 3
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))


def ordered(halves: pd.DataFrame) -> list[float]:
    """Shares of sealed chimeras that an order of the types foretells: the stronger type decides.

    One for each of the orders that foretell most open ones.
    """
    known = halves.dropna(subset="heads")
    types = sorted({*known["first"], *known["second"]})
    best, shares = -1.0, list[float]()
    for order in itertools.permutations(types):
        place = {kind: i for i, kind in enumerate(order)}
        said = known["first"].map(place) < known["second"].map(place)
        right = said == (known["heads"] == 1)
        opened, sealed = (float(right[known["half"] == half].mean()) for half in ("open", "sealed"))
        if opened > best:
            best, shares = opened, []
        shares += [sealed] if opened == best else []
    return shares


def others(known: pd.DataFrame) -> np.ndarray:
    """Whether most other chimeras of the same two types, in the same order, say who decides.

    Chimeras without another one are left out; where the others are in balance, the head's half.
    """
    found = []
    for _, own in known.groupby(["first", "second"]):
        heads = own["heads"].to_numpy()
        if len(heads) > 1:
            rest = (heads.sum() - heads) / (len(heads) - 1)
            found += list((rest >= 0.5) == (heads == 1))
    return np.array(found, dtype=float)


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
