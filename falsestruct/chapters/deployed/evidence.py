"""Chapter 21: from verdicts to estimates; the unit is a file, and sealed files decide."""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct.chapters.deployed.measure import FULL, LONG, MANY, SHORT
from falsestruct.deployed import directions
from falsestruct.deployed.destroyed import CONTROL, WAYS
from falsestruct.deployed.examples import example, head
from falsestruct.deployed.filetypes import DECLINED, called
from falsestruct.deployed.meant import FILLINGS
from falsestruct.deployed.parsers import REJECTING
from falsestruct.deployed.shares import FEWEST, share
from falsestruct.evidence import Claims, Found, Pair, Part, mean, summary, too_few, where
from falsestruct.names import slug
from falsestruct.statistics import Estimate, exact


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


def worst(court: pd.DataFrame, kind: str) -> str | None:
    """The way of destroying grammar that takes most verdicts of the open files.

    The smallest of several shares is too small on the files that chose it; sealed ones are others.
    """
    own = where(court, half="open", arm="destroyed", kind=kind, way=list(WAYS))
    shares = own.dropna(subset="kept").groupby("way")["kept"].agg(["mean", "count"])
    shares = shares[shares["count"] >= FEWEST].sort_values("mean", kind="stable")
    return None if shares.empty else str(shares.index[0])


def grammar_claims(court: pd.DataFrame) -> Claims:
    """Verdicts that survive without the grammar, for the way that was worst on open files."""
    found: Claims = {}
    for kind in REJECTING:
        own = where(court, half="sealed", arm="destroyed", kind=kind)
        way = worst(court, kind)
        kept = too_few(0, "open files") if way is None else share(where(own, way=way)["kept"])
        found[slug(kind, "files-grammar")] = kept, share(where(own, way=CONTROL)["kept"])
    return found


def declined_claim(court: pd.DataFrame) -> Claims:
    """Of verdicts that fell with the grammar, those that the package declines to give."""
    sealed = where(court, half="sealed")
    fell = where(sealed, arm="destroyed", way=list(WAYS), kept=0.0)
    each = (fell["outcome"] == "declined").groupby(fell["file"]).mean()
    plain = where(sealed, arm="plain", kind=list(REJECTING))
    few = len(each) < FEWEST
    own = too_few(len(each), "files") if few else mean(each, bounds=(0.0, 1.0))
    return {"files-declined": (own, share(plain["label"].isin(DECLINED).astype(float)))}


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


def filled_claims(court: pd.DataFrame) -> Claims:
    """Windows filled with whitespace, and with comments, where a kind has them."""
    found: Claims = {}
    newlines, other, own = FILLINGS
    for kind in dict.fromkeys(court["kind"]):
        sealed = where(court, half="sealed", kind=kind)
        full = where(sealed, arm="filled", amount=FULL)
        if kind != "CSV":
            letters = where(sealed, arm="inside", amount=float(MANY))
            found[slug(kind, "files-whitespace")] = lost(where(full, way=newlines)), lost(letters)
        if kind not in ("JSON", "CSV"):
            found[slug(kind, "files-comments")] = (
                lost(where(full, way=other)), lost(where(full, way=own)),
            )  # fmt: skip
    return found


def smallest_claims(flips: pd.DataFrame, court: pd.DataFrame) -> Claims:
    """Files for which the search finds a change, beside one draw of as many bytes."""
    found: Claims = {}
    for kind in dict.fromkeys(flips["kind"]):
        own = where(flips, kind=kind, half="sealed")
        random = where(court, kind=kind, half="sealed", arm="random")
        pair = share(own["found"].notna().astype(float)), lost(random)
        found[slug(kind, "files-smallest")] = pair
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
    """Shares of what becomes of verdicts without the grammar: kind, way, outcome, share, files."""
    own = where(court, half="sealed", arm="destroyed").dropna(subset="outcome")
    counts = own.groupby(["kind", "way", "outcome"]).size().rename("count").reset_index()
    files = counts.groupby(["kind", "way"])["count"].transform("sum")
    order = counts["kind"].map(REJECTING.index)
    shares = counts.assign(share=counts["count"] / files, files=files)
    return shares.iloc[np.argsort(order, kind="stable")]


CASES: dict[str, Part] = {  # of the figure at a glance, as the court names them
    "plain": {"arm": "plain"},
    "destroyed": {"arm": "destroyed", "way": "lines"},
    "same": {"arm": "filled", "way": FILLINGS[0], "amount": FULL},
}


def glance(court: pd.DataFrame) -> pd.DataFrame:
    """Sealed files still called their type: case, kind, share, low, high, files, and example, the
    head of a made JSON file in that case."""
    sealed, rows = where(court, half="sealed"), list[dict[str, object]]()
    for case, part in CASES.items():
        for kind in REJECTING:
            own = share(where(sealed, kind=kind, **part)["kept"])
            ends: dict[str, object] = {}
            if isinstance(own, Estimate):
                ends = {"share": own.value, "low": own.low, "high": own.high, "files": own.n}
            rows.append({"case": case, "kind": kind, "example": head(example(case))} | ends)
    return pd.DataFrame(rows, columns=["case", "kind", "share", "low", "high", "files", "example"])


ROWS = {  # of the figure of lines: kind and change, and what a reader calls it
    ("words", "even"): "text",
    ("boxes", "even"): "a box for each sign",
    ("small", "even"): "letters a c e m n r u v w",
    ("alike", "even"): "signs alike when turned",
    ("hung", "even"): "letters hang from a line",
    ("words", "mirrored"): "mirrored text",
    ("words", "margin above"): "white above",
    ("words", "margin both"): "white above and below",
    ("words", "margin right"): "white at the end",
    ("words", "overline"): "a rule above",
    ("words", "rule right"): "a rule at the end",
}


def lines_read(asked: pd.DataFrame) -> pd.DataFrame:
    """What the figure of lines draws: script, row, turned, value, low, high, n over families."""
    parts = []
    for (kind, change), row in ROWS.items():
        own = where(asked, kind=kind, change=change)
        parts.append(
            summary(own, ["script", "turned"], None, measure=directions.share).assign(row=row)
        )
    return pd.concat(parts, ignore_index=True)
