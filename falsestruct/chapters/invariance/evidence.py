"""Chapter 14: from its tables to claims, figures and numbers in the text.

Seeds are drawn: of data, rules and first weights at once. Architectures and sizes are grids that
the claims name. So the unit of every interval is a seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pandas as pd
import torch

from falsestruct import success
from falsestruct.chapters.invariance import measure
from falsestruct.evidence import Claims, Found, mean, ratio, summary, where
from falsestruct.problems.hierarchy import Hierarchy
from falsestruct.statistics import exact
from falsestruct.theory import invariance as theory

SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)
SMALL = ((2, 2, 2), (3, 2, 3), (3, 3, 2), (4, 2, 3))  # symbols, synonyms, levels: all inputs listed
LOOK = {"error": "test error", "synonym": "a synonym", "other": "another meaning"}


# What is proved


def proved(cases: int, seed: int = 0) -> Claims:
    """The three theorems, checked without rounding on random cases."""
    right, spared = theory.linear_evidence(cases, Random(seed))
    units = [2 + i % 5 for i in range(cases)]
    fewest, most = theory.circle_evidence(units, Random(seed))
    kept, lost = (
        [Hierarchy(*sizes, seed=seed).keeps(synonym=synonym) for sizes in SMALL]
        for synonym in (True, False)
    )
    return {
        "invariance-linear": (exact(float(right), cases), exact(float(spared), cases)),
        "invariance-constant": (exact(fewest, cases), exact(most, cases)),
        "invariance-hierarchy": (
            exact(float(np.mean(kept)), len(kept)),
            exact(float(np.mean(lost)), len(lost)),
        ),
    }


# Sparse and spread interpolants


def sparse_claim(table: pd.DataFrame) -> Claims:
    """Error of the sparse interpolant over that of the spread one, in the largest dimension."""
    own = where(table, dimension=table["dimension"].max())
    pair = [_quotient(where(own, target=target)) for target in ("constant", "first")]
    return {"invariance-sparse": (pair[0], pair[1])}


def _quotient(table: pd.DataFrame) -> Found:
    wide = table.pivot(index="seed", columns="solver", values="error")
    return ratio(wide["sparse"] / wide["spread"])


def quotients(table: pd.DataFrame, dimension: int) -> dict[str, float]:
    """Numbers for the text: geometric means of the quotient, and the most ReLUs of a solver."""
    said = {}
    for target, part in where(table, dimension=dimension).groupby("target"):
        wide = part.pivot(index="seed", columns="solver", values="error")
        said[f"quotient_{target}"] = float(np.exp(np.log(wide["sparse"] / wide["spread"]).mean()))
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


def ratio_claim(table: pd.DataFrame) -> Claims:
    """Does R order the errors better than D?"""
    own = where(table, moment="after")
    better, told = (
        _correlation(own, "R", against) - _correlation(own, "D", against)
        for against in ("error", "R")
    )
    return {"invariance-ratio": (mean(better, bounds=(-2, 2)), mean(told, bounds=(-2, 2)))}


def _correlation(table: pd.DataFrame, column: str, against: str) -> np.ndarray:
    """Spearman's rank correlation over architectures, one a seed; NaN where one doesn't vary."""
    found = []
    for _, part in table.groupby("seed"):
        left, right = part[column].rank(), part[against].rank()
        found.append(1.0 if column == against else float(np.corrcoef(left, right)[0, 1]))
    return np.array(found)


def correlations(table: pd.DataFrame) -> dict[str, float]:
    """Numbers for the text: rank correlations, and how R changes in training."""
    own = where(table, moment="after")
    said = {f"rank_{name}": float(_correlation(own, name, "error").mean()) for name in "DGR"}
    better = [
        float(np.mean(_correlation(rest, "R", "error") - _correlation(rest, "D", "error")))
        for name in own["architecture"].unique()
        for rest in [own[own["architecture"] != name]]
    ]
    said |= {"without_low": min(better), "without_high": max(better)}
    for moment, part in table.groupby("moment"):
        by = np.exp(np.log(part["R"]).groupby(part["architecture"]).mean())
        said |= {f"R_{moment}_low": float(by.min()), f"R_{moment}_high": float(by.max())}
    errors = own.groupby("architecture")["error"].mean()
    return said | {"error_low": float(errors.min()), "error_high": float(errors.max())}


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.stability` draws: architecture, panel, value, low, high, error, below, above.

    Geometric means of D and R over seeds, and mean errors, with their intervals.
    """
    own = where(table, moment="after")
    errors = summary(own, "architecture", "error", name="error", measure=_shares)
    errors = errors.rename(columns={"low": "below", "high": "above"})
    parts = [
        summary(own, "architecture", column, measure=ratio).assign(panel=name)
        for column, name in {"D": "stability D", "R": "relative stability R"}.items()
    ]
    return pd.concat(parts, ignore_index=True).merge(errors, on="architecture")


def _shares(values: np.ndarray | pd.Series) -> Found:
    return mean(values, bounds=SHARE)


# Synonyms


def synonym_claims(table: pd.DataFrame) -> Claims:
    """The three claims on the random hierarchy."""
    deep = where(table, network="deep")
    most = where(deep, samples=int(deep["samples"].max()))
    together, beside = (
        ratio([_falls(part, column) / _falls(part, "error") for _, part in deep.groupby("seed")])
        for column in ("synonym", "other")
    )
    sizes = (int(table["samples"].max()), int(table["samples"].min()))
    at = [_shallower(where(table, samples=samples)) for samples in sizes]
    return {
        "invariance-synonyms": (_shares(most["synonym"]), _shares(most["other"])),
        "invariance-coincide": (together, beside),
        "invariance-depth": (at[0], at[1]),
    }


def _falls(part: pd.DataFrame, column: str) -> float:
    """Size of the training set at which a share is half of its first value; at most the largest."""
    own = part.sort_values("samples")
    first = own[column].iloc[0]
    if first == 0:
        return math.nan
    fallen = torch.tensor((1 - own[column] / first).to_numpy())
    return _reaches(torch.tensor(own["samples"].to_numpy()), fallen)


def _reaches(places: torch.Tensor, share: torch.Tensor) -> float:
    """Where a share first is one half; the first or the last place if not between them."""
    if share[0] >= success.SIDES:
        return float(places[0])
    if not (share >= success.SIDES).any():
        return float(places[-1])
    return success.crossover(places, share, level=success.SIDES)


def _shallower(table: pd.DataFrame) -> Found:
    """Labels that synonyms change in shallow networks, less those in deep ones."""
    wide = table.pivot(index="seed", columns="network", values="synonym")
    return mean(wide["shallow"] - wide["deep"], bounds=DIFFERENCE)


def learnt(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.hierarchy` draws: network, samples, what, value, low, high."""
    parts = [
        summary(table, ["network", "samples"], column, measure=_shares).assign(what=name)
        for column, name in LOOK.items()
    ]
    return pd.concat(parts, ignore_index=True)


def answered(table: pd.DataFrame) -> dict[str, float]:
    """Numbers for the text: means on the smallest and on the largest training set."""
    said: dict[str, float] = {}
    for word, samples in {"few": table["samples"].min(), "many": table["samples"].max()}.items():
        part = where(table, samples=int(samples)).groupby("network")[list(LOOK)].mean()
        said |= {f"{c}_{n}_{word}": float(part.loc[n, c]) for n in part.index for c in LOOK}
        said[f"samples_{word}"] = float(samples)
    return said


# Networks that can't see the mean


def colour_claims(table: pd.DataFrame) -> Claims:
    """The check and the two claims on networks that are blind to the mean."""
    largest = where(table, size=float(table["size"].max()))
    blind = {kind: where(largest, sight="blind", kind=kind) for kind in table["kind"].unique()}
    seeing = where(largest, sight="seeing", kind="mean")["capture"]
    took = blind["mean"]["capture"]
    usual = _half(where(table, sight="seeing", kind="mean"))
    pair = [
        ratio(_half(where(table, sight="blind", kind=kind)) / usual)
        for kind in ("checkerboard", "contrast")
    ]
    return {
        "invariance-blind": (exact(took.max(), len(took)), exact(seeing.min(), len(seeing))),
        "invariance-contrast": (
            _shares(blind["contrast"]["capture"]),
            _shares(blind["checkerboard"]["capture"]),
        ),
        "invariance-substitute": (pair[0], pair[1]),
    }


def _half(table: pd.DataFrame) -> np.ndarray:
    """Size at which each seed reads half of the conflict set; the ends if not between them."""
    found = []
    for _, part in table.sort_values("size").groupby("seed"):
        sizes, capture = (torch.tensor(part[c].to_numpy()) for c in ("size", "capture"))
        found.append(_reaches(sizes, capture))
    return np.array(found)


def captures(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.captures` draws: arm, size, value, low, high."""
    named = table.assign(arm=table["sight"] + ", " + table["kind"])
    return summary(named, ["arm", "size"], "capture", measure=_shares)


def read(table: pd.DataFrame, sizes: Sequence[float]) -> dict[str, float]:
    """Numbers for the text: captures at the largest size, and the sizes of one half."""
    said = {"size_most": float(max(sizes)), "fit_least": float(table["accuracy"].min())}
    for (sight, kind), part in table.groupby(["sight", "kind"]):
        largest = where(part, size=float(max(sizes)))
        said[f"capture_{sight}_{kind}"] = float(largest["capture"].mean())
        said[f"half_{sight}_{kind}"] = float(np.exp(np.log(_half(part)).mean()))
    return said
