"""Claims, figures and numbers of chapter 16, from the tables of `measure`.

What is sampled are seeds, of first weights: training sets and conflict sets are complete. A
quotient is taken seed by seed, though networks of two arms have no weights in common.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import pandas as pd
import torch

from falsestruct import success
from falsestruct.chapters.depth_and_width.measure import ARMS, COMPARED, RATES
from falsestruct.evidence import Claims, Found, extreme, mean, ratio, share, summary, where
from falsestruct.names import slug
from falsestruct.statistics import Estimate, Nobody, exact
from falsestruct.success import FOLLOWS, SIDES
from falsestruct.theory import depth as theory

SPARED = 0.1  # share of networks of a kind that may have no number
CAPTURE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)
TWO, MORE, SIX = COMPARED
FINE = ("skip connections", "normalisation", "mean pooling", "max pooling")
LINES = {  # what `figures.depths` draws: arms by depth
    "Adam, about equal steps": ("1", "2", "4", "8"),
    "Adam, the rate of depth 8": ("1 slow", "8"),
    "Adam, the rate of depth 1": ("1", "8 fast"),
    "Adam, scaled ReLUs": ("1 scaled", "8 scaled"),
    "gradient descent": ("1 descent", "8 descent"),
}
ROWS = {  # what `figures.others` draws: panels, their rows, and the arms of these
    "width, one hidden layer": {"8": "8 units", "64": "1", "256": "256 units"},
    "movement, 64 ReLUs, descent": {"hardly": "lazy", "as usual": "1 descent", "far": "rich"},
    "fine architecture, four layers": {"plain": "4"} | {name: name for name in FINE},
}


def proved(cases: int) -> Claims:
    """Claims in exact arithmetic; `cases` random networks of each shape, and averages."""
    return {
        f"depth-{name}": (exact(float(value), cases), exact(float(control), cases))
        for name, (value, control) in theory.evidence(cases).items()
    }


def _all(found: Iterable[Found], choose: Callable[..., Estimate]) -> Found:
    """The largest or smallest estimate; no number if one of them has none."""
    known = list(found)
    return next((one for one in known if isinstance(one, Nobody)), extreme(known, choose))


# Alternating points


def tent_claims(table: pd.DataFrame) -> Claims:
    """Claims on networks that see alternating points."""
    loud, fitted = table["size"].max(), where(table, size=0.0)
    three, four = (where(fitted, shape="three", k=k) for k in (3, 4))
    hinted = where(table, shape="three", size=float(loud))
    least = where(fitted, shape="four of two")
    return {
        "depth-reachable": (share(hinted["capture"] >= FOLLOWS), share(three["accuracy"] == 1)),
        "depth-optimisation": (share(four["reached"]), share(least["reached"])),
        "depth-composition": (
            _all([_less(table, MORE, SIX, rate) for rate in RATES], min),
            _all([_less(table, TWO, MORE, rate) for rate in RATES], max),
        ),
    }


def _less(table: pd.DataFrame, one: str, other: str, rate: float) -> Found:
    """Mean capture of a faint hint by one shape less that by another, seed by seed."""
    faint = where(table, size=lambda c: c == c[c > 0].min(), rate=rate)
    own = faint.assign(capture=faint["capture"].where(faint["reached"].astype(bool)))
    left, right = (where(own, shape=name).set_index("seed")["capture"] for name in (one, other))
    if (lost := max(left.isna().mean(), right.isna().mean())) > SPARED:
        return Nobody(f"{lost:.0%} of the networks of a kind did not fit the points")
    return mean(left - right, bounds=DIFFERENCE)


def by_size(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.captures` draws: shape, size, value, low, high, of networks that fit."""
    own = where(table, shape=COMPARED, rate=RATES[0], reached=lambda c: c.astype(bool))
    return summary(own, ["shape", "size"], "capture", measure=partial(mean, bounds=CAPTURE))


# Stripes


def places(table: pd.DataFrame) -> pd.DataFrame:
    """The offset from which on each seed of an arm sides with colour: arm, seed, crossover.

    The last passage of one half. NaN where there is none between the offsets, or where a network
    has not reached the loss.
    """
    rows = []
    for (arm, seed), part in table.groupby(["arm", "seed"], sort=False):
        own = part.sort_values("a")
        logs, colour = (torch.tensor(own[name].to_numpy(dtype=float)) for name in ("a", "colour"))
        place = success.changeover(logs.log(), colour, level=SIDES)
        known = own["reached"].all() and logs.log()[0] < place < math.inf
        rows.append((arm, seed, math.exp(place) if known else math.nan))
    return pd.DataFrame(rows, columns=["arm", "seed", "crossover"])


def quotient(found: pd.DataFrame, one: str, other: str) -> np.ndarray | Nobody:
    """Crossover of one arm over that of another, for each seed that both have."""
    pairs = where(found, arm=one).merge(where(found, arm=other), on="seed")
    sides = pairs[["crossover_x", "crossover_y"]]
    if len(pairs) and (lost := float(sides.isna().mean().max())) > SPARED:
        return Nobody(f"{lost:.0%} of a kind don't change over between the offsets")
    return np.asarray(sides["crossover_x"] / sides["crossover_y"], dtype=float)


def over(found: pd.DataFrame, one: str, other: str) -> Found:
    """Geometric mean of `quotient`."""
    values = quotient(found, one, other)
    return values if isinstance(values, Nobody) else ratio(values)


def apart(found: pd.DataFrame, one: str, other: str) -> Found:
    """The same, the larger crossover over the smaller one."""
    return _all([over(found, one, other), over(found, other, one)], max)


def stripe_claims(table: pd.DataFrame) -> Claims:
    """Claims on where networks change over from the orientation to the colour."""
    at = places(table)
    deeper = over(at, "1", "8")
    rates = [over(at, *pair) for pair in (("1", "8 fast"), ("1 slow", "8"))]
    alone = [apart(at, *pair) for pair in (("1", "1 slow"), ("8", "8 fast"))]
    scales = [apart(at, depth, f"{depth} scaled") for depth in ("1", "8")]
    fine = {slug("depth-fine", name): (over(at, name, "4"), deeper) for name in FINE}
    return fine | {
        "depth-crossover": (deeper, over(at, "1 descent", "8 descent")),
        "depth-crossover-rate": (_all(rates, min), _all(alone, max)),
        "depth-crossover-scale": (over(at, "1 scaled", "8 scaled"), _all(scales, max)),
        "depth-width": (over(at, "8 units", "256 units"), over(at, "1", "1 descent")),
        "depth-lazy": (over(at, "lazy", "rich"), ratio(_moved(table, "rich", "lazy"))),
    }


def _moved(table: pd.DataFrame, one: str, other: str) -> pd.Series:
    """How far the first layer moves, mean over the offsets: one arm over another, by seed."""
    left, right = (where(table, arm=arm).groupby("seed")["moved"].mean() for arm in (one, other))
    return left / right


def depths(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.depths` draws: line, depth, value, low, high."""
    at = places(table)
    parts = [
        summary(where(at, arm=arm), "arm", "crossover", measure=ratio)
        .assign(line=line, depth=int(arm.split()[0]))
        for line, arms in LINES.items()
        for arm in arms
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True).drop(columns="arm")


def others(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.others` draws: panel, row, value, low, high."""
    at = places(table)
    parts = [
        summary(where(at, arm=arm), "arm", "crossover", measure=ratio).assign(panel=panel, row=row)
        for panel, arms in ROWS.items()
        for row, arm in arms.items()
    ]
    return pd.concat(parts, ignore_index=True).drop(columns="arm")


def said(table: pd.DataFrame) -> dict[str, float]:
    """Numbers on stripes for the prose, and by arm: crossover, median of the steps."""
    at, names = places(table), {arm: slug(arm).replace("-", "_") for arm in table["arm"].unique()}
    numbers: dict[str, float] = {
        "fitted": float(table["accuracy"].min()),
        "unfinished": float((~table["reached"].astype(bool)).sum()),
        "networks": float(len(table)), "outside": float(at["crossover"].isna().sum()),
        "bound_used": _bound_used(table),
    }  # fmt: skip
    for arm, name in names.items():
        numbers[f"steps_{name}"] = float(where(table, arm=arm)["steps"].median())
        own = where(at, arm=arm)["crossover"].dropna()
        numbers[f"place_{name}"] = float(np.exp(np.log(own).mean())) if len(own) else math.nan
    for arm in ("lazy", "rich"):
        numbers[f"moved_{arm}"] = float(where(table, arm=arm)["moved"].mean())
    return {name: value for name, value in numbers.items() if not math.isnan(value)}


def _bound_used(table: pd.DataFrame) -> float:
    """Largest movement of all weights over its bound √(t ln 2)/α, t the steps times the rate."""
    used = []
    for arm in ("lazy", "rich"):
        own, how = where(table, arm=arm), ARMS[arm]
        bound = np.sqrt(own["steps"] * how.rate * math.log(2)) / how.alpha
        used.append(float((own["travelled"] / bound).max()))
    return max(used)


def said_of_tents(table: pd.DataFrame) -> dict[str, float]:
    """Numbers on alternating points for the prose: of networks that fit."""
    every = where(table, shape=COMPARED)
    own = where(every, reached=lambda c: c.astype(bool))
    faint = where(own, size=float(own["size"].min()))
    numbers = {"points_unfinished": float(len(every) - len(own))}
    for shape, name in zip(COMPARED, ("two", "more", "six"), strict=True):
        for rate, which in zip(RATES, ("fast", "slow"), strict=True):
            part = where(faint, shape=shape, rate=rate)
            if len(part):
                numbers[f"capture_{name}_{which}"] = float(part["capture"].mean())
                numbers[f"steps_{name}_{which}"] = float(part["steps"].median())
    return numbers
