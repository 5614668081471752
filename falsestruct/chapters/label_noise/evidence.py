"""Claims, figures and numbers of chapter 13, from the tables of `measure`.

Errors on digits are means over networks and held-out images, both sampled; what is known of a
network as a whole is a mean over networks. Differences are between networks of one seed.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from random import Random

import numpy as np
import pandas as pd

from falsestruct import evidence
from falsestruct.chapters.label_noise import measure as experiment
from falsestruct.chapters.label_noise.measure import FAR, KINDS, LENGTHS, NEAR
from falsestruct.evidence import Claims, Found, cells, crossed, mean, ratio, summary, where
from falsestruct.statistics import exact
from falsestruct.theory import label_noise as theory

Who = tuple[str, float]  # a kind of network and its share of wrong labels
SHARES, DIFFERENCES = (0.0, 1.0), (-1.0, 1.0)
PORTION = partial(mean, bounds=SHARES)
SIZE = 0.05  # of a perturbation on the square, in the check
FITTED = 0.9  # of the wrong labels: who gives fewer back has not fitted them
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
    noisy, without = ("plain", share), ("wrong ones left out", share)
    fits = np.where(_of(table, noisy)["memorised"] >= FITTED, 1.0, np.nan)[:, None]
    right = 1 - _cells(table, CLEAN, "wrong")
    lost, chance = (
        crossed(right * _cells(table, CLEAN, name), bounds=SHARES) for name in ("fallen", "random")
    )
    found: Claims = {"noise-not-enough": (lost, chance)}
    for id, name in (("noise-robustness", "fallen"), ("noise-benign", "wrong")):
        rise = _rise(table, name, noisy, CLEAN, fits)
        found[id] = (rise, _rise(table, name, without, CLEAN))
    return found


def explained(table: pd.DataFrame, squares: pd.DataFrame, share: float) -> Claims:
    """Two checks: what a rule that fits may lose, and what the bound can explain."""
    own = _of(table, ("plain", share))
    fits = np.where(own["memorised"] >= FITTED, 1.0, np.nan)[:, None]
    fitting = exact(_mildest(own), len(own))
    networks = crossed(fits * cells(own, "fallen"), bounds=SHARES)
    (_, apart), beside = experiment.reaches(), where(squares, length=SIZE)
    ceiling = exact(float((apart <= FAR).mean()), len(apart))
    binds = PORTION(beside["infected"] / beside["fallen"])
    return {"noise-impossible": (fitting, networks), "noise-explained": (ceiling, binds)}


def _mildest(own: pd.DataFrame) -> float:
    """Share that a rule which fits may lose, largest over the draws of the wrong labels."""
    return float(cells(own, "fitting").mean(1).max())


def bounded(table: pd.DataFrame, share: float) -> Claims:
    """Claims on networks whose matrices or representations are bounded."""
    plain, ranked = ("plain", share), ("stable rank", share)
    learnt = [_less(table, name, plain, ranked) for name in ("memorised", "learnt")]
    more = {
        kind: _rise(table, "fallen", (kind, 0.0), CLEAN)
        for kind in ("stable rank", "size 2", "size 4", "four units", "hundred units")
    }
    shape = _rise(table, "fallen", ("rank and size 4", 0.0), ("size 4", 0.0))
    return {
        "noise-memorised": (learnt[0], learnt[1]),
        "noise-simple-unstable": (more["stable rank"], more["size 2"]),
        "noise-shape": (shape, more["size 4"]),
        "noise-representation": (more["four units"], more["hundred units"]),
    }


def sure(table: pd.DataFrame) -> Claims:
    """The claim on the focal loss."""
    one, two = (_less(table, n, ("focal loss", 0.0), CLEAN) for n in ("calibration", "confidence"))
    return {"noise-focal": (one, two)}


def earlier(table: pd.DataFrame, share: float) -> Claims:
    """Claims on where and how networks change over to colour, from `measure.stripes`."""
    both = ("labels", "left out")
    places = _by_seed(experiment.crossovers(table), share, "crossover")
    own, other = (ratio(places[what] / places["nothing"]) for what in both)

    def more(a: float, sign: int) -> tuple[Found, Found]:
        seen = _by_seed(where(table, a=a), share, "colour")
        one, two = (mean(sign * (seen[w] - seen["nothing"]), bounds=DIFFERENCES) for w in both)
        return one, two

    faint, strong = more(float(table["a"].min()), 1), more(float(table["a"].max()), -1)
    return {"noise-earlier": (own, other), "noise-faint": faint, "noise-strong": strong}


def _by_seed(table: pd.DataFrame, share: float, column: str) -> pd.DataFrame:
    """A column of the networks on stripes: a row a seed, a column for each of `what`."""
    return where(table, share=[0.0, share]).pivot(index="seed", columns="what", values=column)


def _of(table: pd.DataFrame, who: Who) -> pd.DataFrame:
    rows = where(table, kind=who[0], noise=float(who[1]))
    return rows.sort_values("seed", ignore_index=True)


def _cells(table: pd.DataFrame, who: Who, name: str) -> np.ndarray:
    return cells(_of(table, who), name)


def _rise(
    table: pd.DataFrame, name: str, one: Who, other: Who, among: np.ndarray | float = 1.0
) -> Found:
    """Mean over networks and images of one error less the other; among: NaN where none counts."""
    found = among * (_cells(table, one, name) - _cells(table, other, name))
    return crossed(found, bounds=DIFFERENCES)


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
    own = where(table, noise=[0.0, share])
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
    digits, square = "networks on digits", "nearest neighbour on a square"
    own, clean = _of(table, ("plain", share)), _of(table, CLEAN)
    lines = {"with wrong labels": (own, "error"), "without": (clean, "error"),
             "bound": (own, "infected")}  # fmt: skip
    parts = [
        pd.DataFrame({"panel": digits, "line": line, "length": at, "seen": rows[f"{name} {at}"]})
        for line, (rows, name) in lines.items()
        for at in LENGTHS
    ]
    for line, name in (("with wrong labels", "fallen"), ("bound", "infected")):
        own = squares[["length"]].assign(panel=square, line=line, seen=squares[name])
        parts.append(own)
    keys, long = ["panel", "line", "length"], pd.concat(parts)
    return summary(long, keys, "seen", measure=PORTION)


def by_offset(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.stripes` draws: what, a, value, low, high."""
    return summary(_named(table), ["what", "a"], "colour", measure=PORTION)


def said(table: pd.DataFrame, searched: pd.DataFrame, share: float) -> dict[str, float]:
    """Numbers for the prose, of the networks on digits: means over networks.

    Args:
        searched: `measure.checked`.
    """
    (half, near), own = experiment.reaches(), _of(table, ("plain", share))
    errors = {f"error {at}": name for name, at in (("wrong", 0.0), ("fallen", NEAR), ("far", FAR))}
    seen = where(table, noise=[0.0, share]).rename(columns=errors)
    seen = seen.assign(labels=np.where(seen["noise"] > 0, "noisy", "clean"))
    names = ["memorised", "learnt", "norm", "confidence", "shy", *errors.values()]
    found = evidence.said(seen, ["labels", "kind"], names)
    both = searched.merge(table, on=["kind", "noise", "seed"], suffixes=("", " before"))
    missed = both[f"error {NEAR}"] - both[f"error {NEAR} before"]
    found |= {f"truth_{gamma}": theory.truth(0.8, gamma) for gamma in (1, 3)}
    found |= {"reach_least": half.min(), "apart": np.median(near), "missed": missed.max(),
              "infected": own[f"infected {FAR}"].mean(), "fitting": _mildest(own),
    }  # fmt: skip
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def said_elsewhere(squares: pd.DataFrame, striped: pd.DataFrame, share: float) -> dict[str, float]:
    """The same of nearest neighbour on the square and of networks on stripes."""
    square = where(squares, length=SIZE)[["error", "fallen", "infected"]].mean()
    found = {f"square_{name}": float(value) for name, value in square.items()}
    found["square_expected"] = theory.scattered(1000, share, SIZE)
    places, seen = _named(experiment.crossovers(striped)), _named(striped)
    places = places.assign(place=np.log(places["crossover"]), nobody=places["crossover"].isna())
    found |= {n: math.exp(v) for n, v in evidence.said(places, "what", "place").items()}
    found |= evidence.said(places, "what", "nobody", measure=pd.Series.sum)
    found |= evidence.said(seen, "what", ["accuracy", "memorised"])
    for end, a in (("faint", seen["a"].min()), ("strong", seen["a"].max())):
        rows = where(seen, a=float(a)).rename(columns={"colour": end, "accuracy": f"right_{end}"})
        found |= evidence.said(rows, "what", [end, f"right_{end}"])
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Networks on stripes, those with wrong labels named after their share: "labels 0.2"."""
    wrong = table["share"].map("labels {:g}".format)
    return table.assign(what=table["what"].where(table["what"] != "labels", wrong))
