"""Chapter 21: from verdicts to estimates; the unit is a file, and sealed files decide."""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct.chapters.deployed.measure import FULL, LONG, SHORT
from falsestruct.deployed.destroyed import CONTROL
from falsestruct.deployed.examples import SAID, example, head
from falsestruct.deployed.filetypes import called
from falsestruct.deployed.judged import chosen, worst
from falsestruct.deployed.meant import FILLINGS
from falsestruct.deployed.parsers import REJECTING
from falsestruct.deployed.shares import columns, share
from falsestruct.evidence import Claims, Found, Pair, Part, mean, summary, too_few, where
from falsestruct.names import slug
from falsestruct.statistics import exact

OUTCOMES = ("kept", "declined", "another type")  # of a verdict


def lost(table: pd.DataFrame) -> Found:
    """Share of files whose verdict a change takes."""
    return share(1 - table["kept"])


def read_claims(court: pd.DataFrame) -> Claims:
    """Files read rightly, beside the files of other kinds that are called so, too."""
    sealed = where(court, half="sealed", arm="plain", kind=list(REJECTING))
    found: Claims = {}
    for kind in REJECTING:
        names = sealed["label"].map(lambda label, kind=kind: called(kind, label)).astype(float)
        own = sealed["kind"] == kind
        found[slug(kind, "files-read")] = share(names[own]), share(names[~own])
    return found


def grammar_claims(court: pd.DataFrame) -> Claims:
    """Verdicts that survive without the grammar, for the way that was worst on open files."""
    found: Claims = {}
    for kind in REJECTING:
        own = where(court, half="sealed", arm="destroyed", kind=kind)
        way = worst(court, kind)
        kept = too_few(0, "open files") if way is None else share(where(own, way=way)["kept"])
        found[slug(kind, "files-grammar")] = kept, share(where(own, way=CONTROL)["kept"])
    return found


def meaning_claims(court: pd.DataFrame) -> Claims:
    """The change that was chosen on open files, on sealed ones, beside as many letters replaced."""
    found: Claims = {}
    for kind in dict.fromkeys(court["kind"]):
        sealed = where(court, half="sealed", kind=kind)
        change = chosen(court, str(kind))
        if change is None:
            nobody = too_few(0, "open files")
            found[slug(kind, "files-meaning")] = nobody, nobody
            continue
        way, amount = change
        found[slug(kind, "files-meaning")] = (
            lost(where(sealed, arm="small", way=way, amount=amount)),
            lost(where(sealed, arm="inside", amount=amount)),
        )
    return found


def length_claim(lengths: pd.DataFrame) -> Claims:
    """Made files: short ones less long ones, beside words less random letters."""
    words = where(lengths, words=True)
    return {
        "made-files-length": (
            _less(where(words, size=SHORT), where(words, size=LONG)),
            _less(words, where(lengths, words=False)),
        )
    }


def _less(left: pd.DataFrame, right: pd.DataFrame) -> Found:
    """Share lost on the left less that on the right, by kind and seed: both had the same seeds."""
    keys = ["kind", "file"]
    own = [1 - part.groupby(keys)["kept"].mean() for part in (left, right)]
    differences = (own[0] - own[1]).dropna().reset_index()
    return mean(differences["kept"], strata=differences["kind"], bounds=(-1.0, 1.0))


def windows_claim(outside: np.ndarray, inside: np.ndarray) -> Claims:
    """Inputs that change with bytes beyond both blocks, and with bytes inside of the windows.

    Args:
        outside, inside: Whether each changed file has another input, (files,).
    """
    pair: Pair = exact(float(np.mean(outside))), exact(float(np.mean(inside)))
    return {"files-windows": pair}


def made_numbers(made: pd.DataFrame) -> dict[str, float]:
    """For the prose: how many files by grammars there are, are read rightly, and lose it."""
    plain = where(made, arm="plain")
    full = where(made, arm="filled", way=FILLINGS[0], amount=FULL)
    return {"made_files": float(len(plain)), "made_read": float(plain["kept"].mean()),
            "made_lost": float(1 - full["kept"].mean())}  # fmt: skip


def curves(court: pd.DataFrame) -> pd.DataFrame:
    """What the figure of filled windows draws: kind, way, amount, value (share lost), low, high."""
    own = where(court, half=["sealed", "made"], arm="filled")
    return summary(own, ["half", "kind", "way", "amount"], None, measure=lost)


def outcomes(court: pd.DataFrame) -> pd.DataFrame:
    """What becomes of verdicts without the grammar: kind, way, outcome, share, low, high, files;
    each outcome has a row, those that never came, too."""
    own, rows = where(court, half="sealed", arm="destroyed"), list[dict[str, object]]()
    for kind in REJECTING:
        for way, part in where(own, kind=kind).dropna(subset="outcome").groupby("way"):
            for outcome in OUTCOMES:
                ends = columns(share(part["outcome"] == outcome))
                rows.append({"kind": kind, "way": way, "outcome": outcome} | ends)
    return pd.DataFrame(rows)


CASES: dict[str, Part] = {  # of the figure at a glance, as the court names them
    "plain": {"arm": "plain"},
    "destroyed": {"arm": "destroyed", "way": "lines"},
    "same": {"arm": "filled", "way": FILLINGS[0], "amount": FULL},
}


def glance(court: pd.DataFrame) -> pd.DataFrame:
    """Sealed files still called their type: case, kind, share, low, high, files, and example, the
    head of a made JSON file in that case, with said, what the network calls it."""
    sealed, rows = where(court, half="sealed"), list[dict[str, object]]()
    for case, part in CASES.items():
        for kind in REJECTING:
            ends = columns(share(where(sealed, kind=kind, **part)["kept"]))
            shown = {"example": head(example(case)), "said": SAID[case]}
            rows.append({"case": case, "kind": kind} | shown | ends)
    names = ["case", "kind", "share", "low", "high", "files", "example", "said"]
    return pd.DataFrame(rows, columns=names)
