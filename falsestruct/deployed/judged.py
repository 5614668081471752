"""Which change is judged: chosen on open files, so that sealed ones decide."""

from __future__ import annotations

import pandas as pd

from falsestruct.deployed.destroyed import WAYS
from falsestruct.deployed.shares import FEWEST
from falsestruct.evidence import where

MOST_FIRST = ("words", "lines", "separators", "closer")  # ways, by how much they destroy


def worst(court: pd.DataFrame, kind: str) -> str | None:
    """The way of destroying grammar that takes most verdicts of the open files.

    The smallest of several shares is too small on the files that chose it; sealed ones are others.
    Of equal ones that which destroys most.
    """
    own = where(court, half="open", arm="destroyed", kind=kind, way=list(WAYS))
    shares = own.dropna(subset="kept").groupby("way")["kept"].agg(["mean", "count"])
    shares = shares[shares["count"] >= FEWEST]
    order = [way for way in MOST_FIRST if way in shares.index]
    return str(shares["mean"].reindex(order).idxmin()) if order else None


def chosen(court: pd.DataFrame, kind: str) -> tuple[str, float] | None:
    """The small change, its way and amount, that takes most verdicts of the open files.

    Of equal ones the smaller; None if no change fits FEWEST open files.
    """
    own = where(court, half="open", arm="small", kind=kind).dropna(subset="kept")
    shares = own.groupby(["way", "amount"])["kept"].agg(["mean", "count"])
    shares = shares[shares["count"] >= FEWEST].reset_index()
    if shares.empty:
        return None
    first = shares.sort_values(["mean", "amount", "way"]).iloc[0]
    return str(first["way"]), float(first["amount"])
