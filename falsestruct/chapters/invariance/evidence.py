"""Chapter 14: from its tables to claims, figures and numbers in the text.

Seeds are drawn: of data, rules and first weights at once. Architectures and sizes are grids that
the claims name. So the unit of every interval is a seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pandas as pd
import torch

from falsestruct import success
from falsestruct.chapters.invariance import measure
from falsestruct.evidence import Claims, Found, crossed, mean, ratio, summary, where
from falsestruct.problems.hierarchy import Hierarchy
from falsestruct.statistics import Estimate, exact
from falsestruct.theory import invariance as theory

SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)
SMALL = ((2, 2, 2), (3, 2, 3), (3, 3, 2), (4, 2, 3))  # symbols, synonyms, levels: all inputs listed
LOOK = {
    "error": "test error",
    "synonym": "a synonym",
    "other": "another meaning",
    "worst": "the worst synonym",
}


# What is proved


def proved(cases: int, seed: int = 0) -> Claims:
    """The three theorems, checked without rounding on random cases."""
    right, spared = theory.linear_evidence(cases, Random(seed))
    units = [2 + i % 5 for i in range(cases)]
    fewest, most = theory.circle_evidence(units, Random(seed))
    all_of = [Hierarchy(*sizes, seed=seed) for sizes in SMALL]
    kept, lost = (
        exact(float(np.mean([one.keeps(synonym=synonym) for one in all_of])), len(all_of))
        for synonym in (True, False)
    )
    return {
        "invariance-linear": (exact(float(right), cases), exact(float(spared), cases)),
        "invariance-constant": (exact(fewest, cases), exact(most, cases)),
        "invariance-hierarchy": (kept, lost),
    }


# Sparse and spread interpolants


def sparse_claim(table: pd.DataFrame) -> Claims:
    """Error of the sparse interpolant over that of the spread one, in the largest dimension."""
    own = where(table, dimension=table["dimension"].max())
    pair = [ratio(_quotients(own, target)) for target in ("constant", "first")]
    return {"invariance-sparse": (pair[0], pair[1])}


def _quotients(table: pd.DataFrame, target: str) -> pd.Series:
    wide = where(table, target=target).pivot(index="seed", columns="solver", values="error")
    return wide["sparse"] / wide["spread"]


def quotients(table: pd.DataFrame) -> dict[str, float]:
    """Numbers for the text: quotients in the fewest and in most dimensions; the most ReLUs."""
    said = {}
    for word, dimension in {"few": min, "many": max}.items():
        own = where(table, dimension=dimension(table["dimension"]))
        for target in measure.TARGETS:
            logs = np.log(_quotients(own, target))
            said[f"quotient_{target}_{word}"] = float(np.exp(logs.mean()))
    used = table.groupby("solver")["used"].max()
    return said | {f"used_{solver}": float(count) for solver, count in used.items()}


def circle(seed: int, *, samples: int = 12, atoms: int = 400) -> pd.DataFrame:
    """What `figures.circle` draws: both interpolants around the circle, less their target.

    Columns: target, what (a solver, or "data"), angle in degrees, value.
    """
    rng = np.random.default_rng(seed)
    known, weights = (np.sort(rng.uniform(0, 2 * math.pi, n)) for n in (samples, atoms))
    fine = np.linspace(0, 2 * math.pi, 721)
    rows = []
    for target, rule in measure.TARGETS.items():
        data = _around(known)
        features = theory.relus(data, _around(weights))
        for solver, solve in measure.SOLVERS.items():
            outputs = solve(features, rule(data))
            off = theory.relus(_around(fine), _around(weights)) @ outputs - rule(_around(fine))
            rows += [(target, solver, math.degrees(a), v) for a, v in zip(fine, off, strict=True)]
        rows += [(target, "data", math.degrees(a), 0.0) for a in known]
    return pd.DataFrame(rows, columns=["target", "what", "angle", "value"]).round(7)


def _around(angles: np.ndarray) -> np.ndarray:
    return np.stack((np.cos(angles), np.sin(angles)), 1)


# Relative stability


def ratio_claims(table: pd.DataFrame, quiet: pd.DataFrame) -> Claims:
    """Does R order the errors better than D: of these networks, of others, and without noise?"""
    own, still = (where(part, moment="after") for part in (table, quiet))
    other = _beyond(own, lambda part: _correlation(part, "D", "error"), most=1)
    return {
        "invariance-ratio": _told(own),
        "invariance-ratio-quiet": _told(still),
        "invariance-ratio-architectures": (_beyond(own, _better, most=2), other),
    }


def _told(table: pd.DataFrame) -> tuple[Found, Found]:
    """How much better R orders the errors than D, and than D orders R."""
    told = 1 - _correlation(table, "D", "R")
    return mean(_better(table), bounds=(-2, 2)), mean(told, bounds=(-2, 2))


def _better(table: pd.DataFrame) -> np.ndarray:
    return _correlation(table, "R", "error") - _correlation(table, "D", "error")


def _beyond(
    table: pd.DataFrame, number: Callable[[pd.DataFrame], np.ndarray], *, most: float
) -> Found:
    """A number a seed, over seeds and architectures: mean of the jackknife's pseudo-values.

    Pseudo-values may be of any size, the number is from `-most` to `most`, so ends are cut there.
    """
    names = table["architecture"].unique()
    rest = [number(table[table["architecture"] != name]) for name in names]
    whole, count = number(table), len(names)
    found = crossed(np.stack([count * whole - (count - 1) * part for part in rest], 1))
    if not isinstance(found, Estimate):
        return found
    cut = np.clip([(found.low, found.high), *found.ends], -most, most).tolist()
    words = found.method.replace("inputs", "architectures")
    return replace(found, low=cut[0][0], high=cut[0][1], ends=tuple(cut[1:]), method=words)


def _correlation(table: pd.DataFrame, column: str, against: str) -> np.ndarray:
    """Spearman's rank correlation over architectures, one a seed; NaN where one doesn't vary."""
    ranked = (part[[column, against]].rank() for _, part in table.groupby("seed"))
    return np.array([float(np.corrcoef(part.T)[0, 1]) for part in ranked])


def correlations(table: pd.DataFrame, stem: str = "") -> dict[str, float | str]:
    """For the text: rank correlations, how R changes in training, and who has the extremes."""
    own = where(table, moment="after")
    said: dict[str, float | str] = {"better": float(_better(own).mean())}
    for name in "DGR":
        ranked = _correlation(own, name, "error")
        said[f"rank_{name}"], found = float(ranked.mean()), mean(ranked, bounds=(-1, 1))
        if isinstance(found, Estimate):
            said |= {f"low_{name}": found.low, f"high_{name}": found.high}
    without = {n: _better(own[own["architecture"] != n]).mean() for n in set(own["architecture"])}
    said["without_max"] = without.pop("max pool")
    said |= {"without_low": min(without.values()), "without_high": max(without.values())}
    for moment, part in table.groupby("moment"):
        by = np.exp(np.log(part["R"]).groupby(part["architecture"]).mean())
        said |= {f"R_{moment}_low": float(by.min()), f"R_{moment}_high": float(by.max())}
        said |= {f"who_{moment}_low": str(by.idxmin()), f"who_{moment}_high": str(by.idxmax())}
    errors = own.groupby("architecture")["error"].mean()
    said |= {"error_low": float(errors.min()), "error_high": float(errors.max())}
    said |= {"who_right": str(errors.idxmin()), "fitted_signals": _fitted(own, "architecture")}
    return {f"{stem}{name}": value for name, value in said.items()}


def _fitted(table: pd.DataFrame, by: str | list[str]) -> float:
    """Share of their training sets that networks label rightly, in the group with the least."""
    return float(table.groupby(by)["accuracy"].mean().min())


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.stability` draws: architecture, panel, value, low, high, error, below, above.

    Geometric means of D and R over seeds, and mean errors, with their intervals.
    """
    own = where(table, moment="after")
    errors = summary(own, "architecture", "error", name="error", measure=_shares)
    errors = errors.rename(columns={"low": "below", "high": "above"})
    parts = [
        summary(own, "architecture", column, measure=ratio).assign(panel=name)
        for column, name in {"D": "D (small: stable)", "R": "R (small: stable)"}.items()
    ]
    return pd.concat(parts, ignore_index=True).merge(errors, on="architecture")


def _shares(values: np.ndarray | pd.Series) -> Found:
    return mean(values, bounds=SHARE)


# Synonyms


def synonym_claims(table: pd.DataFrame) -> Claims:
    """The claims on the random hierarchy."""
    most = where(table, samples=int(table["samples"].max()))
    deep, shallow = (where(most, network=name) for name in ("deep", "shallow"))
    learners = [part for _, part in where(table, network="deep").groupby("seed")]
    together, beside = (
        ratio([_falls(part, column) / _falls(part, "error") for part in learners])
        for column in ("synonym", "other")
    )
    return {
        "invariance-synonyms": (_shares(deep["synonym"]), _shares(deep["other"])),
        "invariance-coincide": (together, beside),
        "invariance-depth": _more(table, "shallow"),
        "invariance-form": _more(table, "dense"),
        "invariance-worst": (_shares(shallow["worst"]), _shares(deep["worst"])),
    }


def _falls(part: pd.DataFrame, column: str) -> float:
    """Size of the training set at which a share is half of its first value; at most the largest."""
    own = part.sort_values("samples")
    return _reaches(own["samples"], 1 - own[column] / own[column].iloc[0])


def _reaches(places: pd.Series, share: pd.Series) -> float:
    """Where a share first is one half; the first or the last place if not between them."""
    at, known = (torch.tensor(column.to_numpy()) for column in (places, share))
    if known.isnan().any():
        return math.nan
    if known[0] >= success.SIDES or not (known >= success.SIDES).any():
        return float(at[0 if known[0] >= success.SIDES else -1])
    return success.crossover(at, known, level=success.SIDES)


def _more(table: pd.DataFrame, network: str) -> tuple[Found, Found]:
    """Labels that synonyms change, less those in deep networks: most examples, then fewest."""
    wide = table.pivot(index=["samples", "seed"], columns="network", values="synonym")
    more, sizes = wide[network] - wide["deep"], table["samples"]
    most, least = (mean(more.loc[at], bounds=DIFFERENCE) for at in (sizes.max(), sizes.min()))
    return most, least


def learnt(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.hierarchy` draws: network, samples, what, value, low, high."""
    parts = [
        summary(table, ["network", "samples"], column, measure=_shares).assign(what=name)
        for column, name in LOOK.items()
    ]
    return pd.concat(parts, ignore_index=True)


def answered(table: pd.DataFrame) -> dict[str, float]:
    """For the text: means by size; `strewn` is what errors at random cost shallow networks."""
    said: dict[str, float] = {}
    for word, samples in {"few": table["samples"].min(), "many": table["samples"].max()}.items():
        part = where(table, samples=int(samples)).groupby("network")[list(LOOK)].mean()
        said |= {f"{c}_{n}_{word}": float(part.loc[n, c]) for n in part.index for c in LOOK}
        said[f"samples_{word}"] = float(samples)
    error = where(table, network="shallow", samples=int(table["samples"].max()))["error"]
    said |= {"strewn": (1 - (1 - error) ** 8).mean(), "nothing": table["nothing"].mean()}
    return said | {"fitted_trees": _fitted(table, ["network", "samples"])}


# Networks that can't see the mean


def colour_claims(table: pd.DataFrame) -> Claims:
    """The check and the claims on networks that are blind to the mean."""
    arms = {arm: part for arm, part in table.groupby(["sight", "kind"])}
    halves = {arm: _half(part) for arm, part in arms.items()}
    most = float(table["size"].max())
    took = {arm: where(part, size=most)["capture"] for arm, part in arms.items()}
    usual, board, seen = ("seeing", "mean"), ("blind", "checkerboard"), ("seeing", "checkerboard")
    hidden, contrast, count = ("blind", "mean"), ("blind", "contrast"), table["seed"].nunique()
    quotients = [(board, usual), (contrast, usual), (board, seen), (seen, usual)]
    swapped, missed, sight, kind = (ratio(halves[a] / halves[b]) for a, b in quotients)
    return {
        "invariance-blind": (exact(took[hidden].max(), count), exact(took[usual].min(), count)),
        "invariance-contrast": (_shares(took[contrast]), _shares(took[board])),
        "invariance-substitute": (swapped, missed),
        "invariance-sight": (sight, kind),
    }


def _half(table: pd.DataFrame) -> np.ndarray:
    """Size at which each seed reads half of the conflict set; the ends if not between them."""
    curves = table.sort_values("size").groupby("seed")
    return np.array([_reaches(own["size"], own["capture"]) for _, own in curves])


def captures(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.captures` draws: kind, sight, size, value, low, high."""
    return summary(table, ["kind", "sight", "size"], "capture", measure=_shares)


def read(table: pd.DataFrame) -> dict[str, float]:
    """Numbers for the text: captures at the largest size, and the sizes of one half."""
    said = {
        "size_most": float(table["size"].max()),
        "fitted_stripes": _fitted(table, ["kind", "size"]),
    }
    for (sight, kind), part in table.groupby(["sight", "kind"]):
        largest = where(part, size=said["size_most"])
        for column in ("capture", "horizontal"):
            said[f"{column}_{sight}_{kind}"] = float(largest[column].mean())
        said[f"half_{sight}_{kind}"] = float(np.exp(np.log(_half(part)).mean()))
    return said
