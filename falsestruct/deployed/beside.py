"""The network beside readers that know words alone, or rules that people wrote.

Both are compared on the files that both first read rightly.
"""

from __future__ import annotations

import pandas as pd

from falsestruct.deployed.destroyed import CONTROL, WAYS
from falsestruct.deployed.meant import FILLINGS
from falsestruct.deployed.parsers import REJECTING
from falsestruct.deployed.shares import FEWEST
from falsestruct.evidence import Claims, Found, mean, too_few, where


def words_claims(court: pd.DataFrame, *, full: float) -> Claims:
    """The network beside a bag of words that is first right, too: without the grammar, and where
    the meaning is kept and the network errs.

    Args:
        court: As `verdicts.long` gives it.
        full: The share of both windows that claims about filled ones are about.
    """
    both = _also(where(court, half="sealed", kind=list(REJECTING)), "words")
    fell = where(both, arm="destroyed", way=list(WAYS)).dropna(subset="kept")
    agree = (fell["kept"] == fell["words"]).astype(float)
    noise = where(both, arm="destroyed", way=CONTROL)
    newlines, other, _ = FILLINGS
    lost = where(both, kept=0.0)
    small = where(lost, arm="small")
    full = where(lost, arm="filled", amount=full)
    kept = pd.concat([small, where(full, way=newlines)])
    comments = where(full, way=other)
    return {
        "files-words": (_each(fell, agree), _each(noise, noise["words"])),
        "files-words-meaning": (_each(kept, kept["words"]), _each(comments, comments["words"])),
    }


def libmagic_claim(court: pd.DataFrame) -> Claims:
    """Verdicts that libmagic keeps more often than the network, of types of which it is first
    right, too, about FEWEST files: where the meaning is kept; beside it without the grammar."""
    both = _also(where(court, half="sealed", kind=list(REJECTING)), "libmagic")
    files = both.groupby("kind")["file"].nunique()
    both = where(both, kind=list(files[files >= FEWEST].index))
    kept = pd.concat([where(both, arm="small"), where(both, arm="filled", way=FILLINGS[0])])
    fell = where(both, arm="destroyed", way=list(WAYS))
    pair = [_each(one, one["libmagic"] - one["kept"], low=-1.0) for one in (kept, fell)]
    return {"files-libmagic": (pair[0], pair[1])}


def _also(court: pd.DataFrame, reader: str) -> pd.DataFrame:
    """All rows of the files that another reader, too, first reads rightly."""
    right = where(court, arm="plain", kept=1.0)
    right = where(right, **{reader: 1.0})
    return where(court, file=list(right["file"]))


def _each(table: pd.DataFrame, values: pd.Series, low: float = 0.0) -> Found:
    """Mean over files of a file's mean; the types are all that there are."""
    own = values.groupby([table["kind"], table["file"]]).mean().dropna()
    if len(own) < FEWEST:
        return too_few(len(own), "files")
    kinds = own.index.get_level_values("kind").to_series(index=own.index)
    enough = kinds.groupby(kinds).transform("size") >= 2
    return mean(own[enough], strata=kinds[enough], bounds=(low, 1.0))
