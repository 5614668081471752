"""Claims that the court's record settles only together with what was asked `again`.

The unit is a file; sealed files decide.
"""

from __future__ import annotations

import pandas as pd

from falsestruct.deployed.again import CUT, LETTERS
from falsestruct.deployed.destroyed import WAYS
from falsestruct.deployed.filetypes import DECLINED, called
from falsestruct.deployed.meant import FILLINGS
from falsestruct.deployed.parsers import REJECTING
from falsestruct.deployed.shares import each, share
from falsestruct.evidence import Claims, Found, where
from falsestruct.names import slug

TEXT = (*DECLINED, "randomtxt", "randombytes", "undefined")  # the network's own: no type


def itself(again: pd.DataFrame) -> pd.Series:
    """Who speaks where a verdict fell: "another type"; of txt and unknown, "text" where that was
    the network's own largest answer, and else "declined": the answer was below its threshold."""
    apart, own = again["label"].isin(DECLINED), again["raw"].isin(TEXT)
    named = pd.Series("another type", index=again.index).mask(apart, "declined")
    return named.mask(apart & own, "text")


def declined_claim(court: pd.DataFrame, again: pd.DataFrame) -> Claims:
    """Of verdicts that fell with the grammar, those for want of a threshold."""
    fell = where(again, arm="destroyed", way=list(WAYS))
    plain = where(court, half="sealed", arm="plain", kind=list(REJECTING))
    own = each(fell, (itself(fell) == "declined").astype(float))
    return {"files-declined": (own, share(plain["label"].isin(DECLINED).astype(float)))}


def filled_claims(court: pd.DataFrame, again: pd.DataFrame, *, full: float) -> Claims:
    """Windows filled with whitespace, beside the two ends that it leaves; and with comments."""
    found: Claims = {}
    newlines, other, own = FILLINGS
    for kind in dict.fromkeys(court["kind"]):
        filled = where(court, half="sealed", kind=kind, arm="filled", amount=full)
        if kind != "CSV":
            ends = where(again, kind=kind, arm=CUT)
            found[slug(kind, "files-whitespace")] = _lost(filled, newlines), _fell(ends)
        if kind not in ("JSON", "CSV"):
            found[slug(kind, "files-comments")] = _lost(filled, other), _lost(filled, own)
    return found


def _lost(filled: pd.DataFrame, way: str) -> Found:
    return share(1 - where(filled, way=way)["kept"])


def _fell(again: pd.DataFrame) -> Found:
    """Share of rows in which another type is named than the file's."""
    named = zip(again["kind"], again["label"], strict=True)
    return share([float(not called(kind, label)) for kind, label in named])


def smallest_claims(flips: pd.DataFrame, again: pd.DataFrame) -> Claims:
    """Files for which the search finds new lines, beside as many draws of as many letters."""
    found: Claims = {}
    for kind in dict.fromkeys(flips["kind"]):
        own = where(flips, kind=kind, half="sealed")
        letters = where(again, kind=kind, arm=LETTERS, file=list(own["file"]))
        found[slug(kind, "files-smallest")] = share(own["found"].notna()), _fell(letters)
    return found
