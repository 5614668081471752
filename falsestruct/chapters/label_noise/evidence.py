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

from falsestruct.chapters.label_noise import measure as experiment
from falsestruct.chapters.label_noise.measure import FAR, KINDS, LENGTHS, NEAR
from falsestruct.evidence import Claims, Found, cells, crossed, mean, ratio, summary, where
from falsestruct.statistics import Estimate, exact
from falsestruct.theory import label_noise as theory

Who = tuple[str, float]  # a kind of network and its share of wrong labels
SHARES, DIFFERENCES = (0.0, 1.0), (-1.0, 1.0)
PORTION = partial(mean, bounds=SHARES)
SIZE = 0.05  # of a perturbation on the square, in the claim
CLEAN: Who = ("plain", 0.0)


def proved(cases: int) -> Claims:
    """The claims on what is proved: `cases` random ones of the first two."""
    confidences = [Fraction(k, 100) for k in range(51, 100, 4)]
    found = {
        "noise-infection-bound": theory.infection_evidence(cases, Random(0)),
        "noise-projection": theory.projection_evidence(cases, Random(0)),
        "noise-focal-improper": theory.focal_evidence(confidences, range(1, 6)),
    }
    return {id: (exact(float(own)), exact(float(other))) for id, (own, other) in found.items()}


def robust(table: pd.DataFrame, share: float) -> Claims:
    """Claims on what wrong labels do to success and robustness, from `measure.networks`."""
    plain, early, early_clean = ("plain", share), ("stopped early", share), ("stopped early", 0.0)
    right = 1 - _cells(table, CLEAN, "wrong")
    lost, chance = (
        crossed(right * _cells(table, CLEAN, name), bounds=SHARES) for name in ("fallen", "random")
    )
    rises = [_rise(table, name, plain, CLEAN) for name in ("fallen", "wrong", "neighbour")]
    return {
        "noise-robustness": (rises[0], _rise(table, "fallen", early, early_clean)),
        "noise-benign": (rises[1], rises[2]),
        "noise-not-enough": (lost, chance),
    }


def explained(table: pd.DataFrame, squares: pd.DataFrame, share: float) -> Claims:
    """The claim on how much the bound explains, from `measure.networks` and `measure.squares`."""
    own, beside = _of(table, ("plain", share)), where(squares, length=SIZE)
    networks = PORTION(own[f"infected {FAR}"] / own[f"error {FAR}"])
    return {"noise-explained": (networks, PORTION(beside["infected"] / beside["fallen"]))}


def bounded(table: pd.DataFrame, share: float) -> Claims:
    """Claims on networks whose matrices or representations are bounded."""
    plain, ranked = ("plain", share), ("stable rank", share)
    learnt = [_less(table, name, plain, ranked) for name in ("memorised", "learnt")]
    low, narrow = (
        _rise(table, "fallen", (kind, 0.0), CLEAN) for kind in ("stable rank", "representation")
    )
    normed = _rise(table, "fallen", ("largest singular value", share), plain)
    return {
        "noise-memorised": (learnt[0], learnt[1]),
        "noise-simple-unstable": (low, normed),
        "noise-representation": (narrow, low),
    }


def sure(table: pd.DataFrame) -> Claims:
    """The claim on the focal loss."""
    focal = ("focal loss", 0.0)
    error, confidence = (_less(table, n, focal, CLEAN) for n in ("calibration", "confidence"))
    return {"noise-focal": (error, confidence)}


def earlier(table: pd.DataFrame) -> Claims:
    """The claim on where networks change over to colour, from `measure.stripes`."""
    found = experiment.crossovers(table)
    wide = found.pivot(index="seed", columns="what", values="crossover")
    own, other = (ratio(wide[what] / wide["nothing"]) for what in ("labels", "colours"))
    return {"noise-earlier": (own, other)}


def _of(table: pd.DataFrame, who: Who) -> pd.DataFrame:
    rows = where(table, kind=who[0], noise=float(who[1]))
    return rows.sort_values("seed", ignore_index=True)


def _cells(table: pd.DataFrame, who: Who, name: str) -> np.ndarray:
    return cells(_of(table, who), name)


def _rise(table: pd.DataFrame, name: str, one: Who, other: Who) -> Found:
    """Mean over networks and images of one error less the other, network by network."""
    return crossed(_cells(table, one, name) - _cells(table, other, name), bounds=DIFFERENCES)


def _less(table: pd.DataFrame, column: str, one: Who, other: Who) -> Found:
    """Mean over networks of one number less the other, network by network."""
    return mean(_of(table, one)[column] - _of(table, other)[column], bounds=DIFFERENCES)


# Tables for the figures, numbers for the prose


def by_share(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.shares` draws: kind, noise, what, value, low, high."""
    own = where(table, kind=experiment.SWEPT)
    return _melted(own, {"images as they are": "wrong", "perturbed by a quarter": "fallen"})


def by_kind(table: pd.DataFrame, share: float) -> pd.DataFrame:
    """What `figures.kinds` draws, kinds in their order: kind, noise, what, value, low, high."""
    own = where(table, kind=lambda kind: kind != "stopped early", noise=[0.0, share])
    learnt = summary(own, ["kind", "noise"], "memorised", measure=PORTION)
    errors = _melted(own, {"misread": "wrong", "misread or perturbed by a quarter": "fallen"})
    found = pd.concat([learnt.assign(what="wrong labels learnt by heart"), errors])
    return found.dropna(subset="value").sort_values(
        "kind", key=lambda kind: kind.map([*KINDS].index), kind="stable", ignore_index=True
    )


def _melted(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Means over networks and images of some columns, their names in the column `what`."""

    def both(rows: pd.DataFrame, name: str) -> Found:
        return crossed(cells(rows, name), bounds=SHARES)

    keys = ["kind", "noise"]
    parts = [
        summary(table, keys, None, measure=partial(both, name=name)).assign(what=what)
        for what, name in columns.items()
    ]
    return pd.concat(parts, ignore_index=True)


def by_length(table: pd.DataFrame, squares: pd.DataFrame, share: float) -> pd.DataFrame:
    """What `figures.lengths` draws: panel, line, length, value, low, high."""
    own, clean = _of(table, ("plain", share)), _of(table, CLEAN)
    lines = {"with wrong labels": (own, "error"), "without": (clean, "error"),
             "bound": (own, "infected")}  # fmt: skip
    found = [
        ("networks on digits", line, at, PORTION(part[f"{name} {at}"]))
        for line, (part, name) in lines.items()
        for at in LENGTHS
    ]
    found += [
        ("nearest neighbour on a square", line, at, PORTION(part[name]))
        for line, name in (("with wrong labels", "fallen"), ("bound", "infected"))
        for at, part in squares.groupby("length")
    ]
    ends = ("value", "low", "high")
    return pd.DataFrame([
        {"panel": panel, "line": line, "length": at} | {end: getattr(one, end) for end in ends}
        for panel, line, at, one in found
        if isinstance(one, Estimate)
    ])  # fmt: skip


def by_confidence(table: pd.DataFrame, exponents: Sequence[float]) -> pd.DataFrame:
    """What `figures.sure` draws: line, confidence, value.

    For each exponent what a confidence means if the loss is minimal; for each network its accuracy.
    """
    grid = np.linspace(0.5, 0.995, 100)
    lines = [(f"exponent {g:g}", grid, [theory.truth(p, g) for p in grid]) for g in exponents]
    for name, kind in (("cross-entropy", "plain"), ("focal loss", "focal loss")):
        own = _of(table, (kind, 0.0))
        right = (1 - own["error 0.0"]).tolist()
        lines.append((f"networks, {name}", own["confidence"].to_numpy(), right))
    return pd.concat(
        [pd.DataFrame({"line": line, "confidence": x, "value": y}) for line, x, y in lines],
        ignore_index=True,
    )


def by_offset(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.stripes` draws: what, a, value, low, high."""
    return summary(table, ["what", "a"], "colour", measure=PORTION)


def said(table: pd.DataFrame, share: float) -> dict[str, float]:
    """Numbers for the prose, of the networks on digits: means over networks."""
    reach, short = experiment.reaches(), {"plain": "", "stopped early": "early_"}
    short |= {"stable rank": "rank_", "largest singular value": "norm_"}
    short |= {"representation": "narrow_", "focal loss": "focal_"}
    columns = {"error 0.0": "wrong", f"error {NEAR}": "fallen", f"error {FAR}": "far",
               f"infected {FAR}": "infected"}  # fmt: skip
    columns |= {n: n for n in ("memorised", "learnt", "rank", "norm", "confidence", "calibration")}
    found = {"networks": float(len(table)), "reach": float(np.median(reach)),
             "reach_below": float((reach < FAR).mean())}  # fmt: skip
    for (kind, noise), own in where(table, noise=[0.0, share]).groupby(["kind", "noise"]):
        stem = short[str(kind)] + ("noisy" if noise else "clean")
        means = own[[*columns]].mean().dropna()
        found |= {f"{stem}_{columns[name]}": float(value) for name, value in means.items()}
    return found


def said_elsewhere(squares: pd.DataFrame, striped: pd.DataFrame, share: float) -> dict[str, float]:
    """The same of nearest neighbour on the square and of networks on stripes."""
    own = where(squares, length=SIZE)[["error", "fallen", "infected"]].mean()
    found = experiment.crossovers(striped)
    places = np.exp(np.log(found["crossover"]).groupby(found["what"]).mean())
    return {
        **{f"square_{name}": float(value) for name, value in own.items()},
        "square_expected": theory.scattered(1000, share, SIZE),
        **{f"stripes_{what}": float(a) for what, a in places.items()},
        "stripes_right": float(striped["accuracy"].min()),
        "stripes_beyond": float((found["beyond"] != 0).sum()),
    }
