"""Claims, figures and numbers of chapter 13, from the tables of `measure`.

Errors on digits are means over networks and held-out images, both sampled; what is known of a
network as a whole is a mean over networks. Differences are between networks of one seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from random import Random

import numpy as np
import pandas as pd

from falsestruct.chapters.label_noise.measure import (
    FAR,
    KINDS,
    LENGTHS,
    NEAR,
    crossovers,
    reaches,
)
from falsestruct.evidence import Claims, Found, cells, crossed, mean, ratio, summary, where
from falsestruct.statistics import exact
from falsestruct.theory import label_noise as theory

SHARES, DIFFERENCES = (0.0, 1.0), (-1.0, 1.0)
SIZE = 0.05  # of a perturbation on the square, in the claim
CLEAN = ("plain", 0.0)
PORTION = partial(mean, bounds=SHARES)

Who = tuple[str, float]  # a kind of network and its share of wrong labels


def proved(cases: int) -> Claims:
    """The claims on what is proved: `cases` random ones of the first two."""
    confidences = [Fraction(k, 100) for k in range(51, 100, 4)]
    found = {
        "noise-infection-bound": theory.infection_evidence(cases, Random(0)),
        "noise-projection": theory.projection_evidence(cases, Random(0)),
        "noise-focal-improper": theory.focal_evidence(confidences, range(1, 6)),
    }
    return {id: (exact(own), exact(other)) for id, (own, other) in found.items()}


def robust(table: pd.DataFrame, share: float) -> Claims:
    """Claims on what wrong labels do to success and robustness, from `measure.networks`."""
    plain, early = ("plain", share), "stopped early"
    right = 1 - _cells(table, CLEAN, "wrong")
    lost = [right * _cells(table, CLEAN, name) for name in ("fallen", "random")]
    return {
        "noise-robustness": (
            _rise(table, "fallen", plain, CLEAN),
            _rise(table, "fallen", (early, share), (early, 0.0)),
        ),
        "noise-benign": (
            _rise(table, "wrong", plain, CLEAN),
            _rise(table, "neighbour", plain, CLEAN),
        ),
        "noise-not-enough": (crossed(lost[0], bounds=SHARES), crossed(lost[1], bounds=SHARES)),
    }


def explained(table: pd.DataFrame, squares: pd.DataFrame, share: float) -> Claims:
    """The claim on how much the bound explains, from `measure.networks` and `measure.square`."""
    own, beside = _of(table, ("plain", share)), where(squares, size=SIZE)
    return {
        "noise-explained": (
            PORTION(own[f"infected {FAR}"] / own[f"error {FAR}"]),
            PORTION(beside["infected"] / beside["fallen"]),
        )
    }


def bounded(table: pd.DataFrame, share: float) -> Claims:
    """Claims on networks whose matrices or representations are bounded."""
    rank, plain = "stable rank", ("plain", share)
    risen = _rise(table, "fallen", (rank, 0.0), CLEAN)
    return {
        "noise-memorised": (
            _less(table, "memorised", plain, (rank, share)),
            _less(table, "learnt", plain, (rank, share)),
        ),
        "noise-simple-unstable": (
            risen,
            _rise(table, "fallen", ("largest singular value", share), plain),
        ),
        "noise-representation": (_rise(table, "fallen", ("representation", 0.0), CLEAN), risen),
    }


def sure(table: pd.DataFrame) -> Claims:
    """The claim on the focal loss."""
    focal = ("focal loss", 0.0)
    names = ("calibration", "confidence")
    error, confidence = (_less(table, name, focal, CLEAN) for name in names)
    return {"noise-focal": (error, confidence)}


def earlier(table: pd.DataFrame) -> Claims:
    """The claim on where networks change over to colour, from `measure.stripes`."""
    found = crossovers(table).pivot(index="seed", columns="what", values="crossover")
    own, other = (ratio(found[what] / found["nothing"]) for what in ("labels", "colours"))
    return {"noise-earlier": (own, other)}


def _of(table: pd.DataFrame, who: Who) -> pd.DataFrame:
    kind, noise = who
    return where(table, kind=kind, noise=float(noise)).sort_values("seed", ignore_index=True)


def _cells(table: pd.DataFrame, who: Who, name: str) -> np.ndarray:
    return cells(_of(table, who), name)


def _rise(table: pd.DataFrame, name: str, one: Who, other: Who) -> Found:
    """Mean over networks and images of one error less the other, network by network."""
    return crossed(_cells(table, one, name) - _cells(table, other, name), bounds=DIFFERENCES)


def _less(table: pd.DataFrame, column: str, one: Who, other: Who) -> Found:
    """Mean over networks of one number less the other, network by network."""
    left, right = (_of(table, who)[column] for who in (one, other))
    return mean(left - right, bounds=DIFFERENCES)


# Tables for the figures, numbers for the prose


def by_share(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.shares` draws: kind, noise, what, value, low, high."""
    own = where(table, kind=["plain", "stopped early"])
    return _melted(own, {"as they are": "wrong", "perturbed": "fallen"})


def by_kind(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.kinds` draws, in the order of the kinds: kind, noise, what, value, low, high."""
    own = where(table, kind=lambda kind: kind != "stopped early")
    learnt = summary(own, ["kind", "noise"], "memorised", measure=PORTION)
    errors = _melted(own, {"misread": "wrong", "misread when perturbed": "fallen"})
    found = pd.concat([learnt.assign(what="wrong labels learnt by heart"), errors])
    return found.dropna(subset="value").sort_values(
        "kind", key=lambda kind: kind.map([*KINDS].index), kind="stable", ignore_index=True
    )


def _melted(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Means over networks and images of some columns, their names in the column `what`."""
    parts = []
    for what, name in columns.items():
        own = partial(_both, name=name)
        parts.append(summary(table, ["kind", "noise"], None, measure=own).assign(what=what))
    return pd.concat(parts, ignore_index=True)


def _both(rows: pd.DataFrame, *, name: str) -> Found:
    return crossed(cells(rows, name), bounds=SHARES)


def by_length(table: pd.DataFrame, squares: pd.DataFrame, share: float) -> pd.DataFrame:
    """What `figures.lengths` draws: panel, line, length, value, low, high.

    Lines: what is seen with wrong labels, without them, and the bound.
    """
    own, clean = _of(table, ("plain", share)), _of(table, CLEAN)
    lines = [
        ("networks on digits", line, length, PORTION(part[f"{name} {length}"]))
        for line, part, name in (
            ("error, wrong labels", own, "error"),
            ("error, none wrong", clean, "error"),
            ("bound", own, "infected"),
        )
        for length in LENGTHS
    ]
    lines += [
        ("nearest neighbour on a square", line, size, PORTION(part[name]))
        for line, name in (("error, wrong labels", "fallen"), ("bound", "infected"))
        for size, part in squares.groupby("size")
    ]
    columns = ["panel", "line", "length", "value", "low", "high"]
    rows = [(*names, *_ends(found)) for *names, found in lines]
    return pd.DataFrame(rows, columns=columns)


def _ends(found: Found) -> tuple[float, float, float]:
    known = (getattr(found, end, np.nan) for end in ("value", "low", "high"))
    value, low, high = known
    return value, low, high


def by_confidence(table: pd.DataFrame, exponents: Sequence[float]) -> pd.DataFrame:
    """What `figures.sure` draws: line, confidence, value.

    For each exponent what a confidence means, and for each network its accuracy.
    """
    grid = np.linspace(0.5, 0.995, 100)
    parts = [
        pd.DataFrame({"confidence": grid, "value": [theory.truth(p, gamma) for p in grid]})
        .assign(line=f"exponent {gamma:g}")
        for gamma in exponents
    ]  # fmt: skip
    for line, kind in (
        ("networks, cross-entropy", "plain"),
        ("networks, focal loss", "focal loss"),
    ):
        own = _of(table, (kind, 0.0))
        value = 1 - own["error 0.0"]
        parts.append(pd.DataFrame({"confidence": own["confidence"], "value": value, "line": line}))
    return pd.concat(parts, ignore_index=True)


def by_offset(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.stripes` draws: what, a, value, low, high."""
    return summary(table, ["what", "a"], "colour", measure=PORTION)


def said(table: pd.DataFrame, share: float) -> dict[str, float]:
    """Numbers for the prose, of the networks on digits: means over networks."""
    reach = reaches()
    found = {"networks": float(len(table)), "reach": float(np.median(reach)),
             "reach_below": float((reach < FAR).mean())}  # fmt: skip
    named = {
        "clean": CLEAN, "noisy": ("plain", share), "early": ("stopped early", share),
        "early_clean": ("stopped early", 0.0), "rank": ("stable rank", share),
        "rank_clean": ("stable rank", 0.0), "norm": ("largest singular value", share),
        "norm_clean": ("largest singular value", 0.0),
        "narrow": ("representation", 0.0), "focal": ("focal loss", 0.0),
    }  # fmt: skip
    columns = {
        "wrong": "error 0.0", "fallen": f"error {NEAR}", "far": f"error {FAR}",
        "memorised": "memorised", "learnt": "learnt", "infected": f"infected {FAR}",
        "rank": "rank", "norm": "norm", "sure": "confidence", "calibration": "calibration",
    }  # fmt: skip
    for name, who in named.items():
        means = _of(table, who)[list(columns.values())].mean()
        found |= {f"{name}_{key}": float(means[column]) for key, column in columns.items()}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def said_of_squares(squares: pd.DataFrame, noise: float) -> dict[str, float]:
    """The same of nearest neighbour on the square, with what the formula expects."""
    own = where(squares, size=SIZE)[["error", "fallen", "infected"]].mean()
    expected = theory.scattered(1000, noise, SIZE)
    return {f"square_{name}": float(value) for name, value in own.items()} | {
        "square_expected": expected
    }


def said_of_stripes(table: pd.DataFrame) -> dict[str, float]:
    """The same of the networks on stripes."""
    found = crossovers(table)
    places = found.groupby("what")["crossover"].apply(lambda a: float(np.exp(np.log(a).mean())))
    right = table.groupby("what")["accuracy"].mean()
    return {
        **{f"stripes_{what}": float(a) for what, a in places.items()},
        **{f"stripes_{what}_right": float(share) for what, share in right.items()},
        "stripes_beyond": float((found["beyond"] != 0).sum()),
    }
