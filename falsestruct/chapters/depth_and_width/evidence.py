"""Claims, figures and numbers of chapter 16, from the tables of `measure`.

What is sampled are seeds, of first weights: training sets and conflict sets are complete. A
quotient is taken seed by seed, though networks of two arms have no weights in common.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import pandas as pd

from falsestruct.chapters.depth_and_width.measure import ARMS, COMPARED, EVEN, NAMES, RATES
from falsestruct.evidence import Claims, Found, mean, ratio, said, share, summary, where
from falsestruct.learning.halving import apart, over, places, spared, uneven, worst
from falsestruct.names import slug
from falsestruct.statistics import Estimate, Nobody, exact
from falsestruct.success import FOLLOWS
from falsestruct.theory import depth as theory

FAR = 10  # times as far the first layer moves in the regime where it moves
CAPTURE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)
TWO, MORE, SIX = COMPARED
FINE = ("skip connections", "normalisation", "mean-pooled images", "max-pooled images")
PAIRS = ((RATES[0], RATES[0]), (RATES[1], RATES[1]), (RATES[0], EVEN))  # of rates, compared
DEEPER = {"Adam": "", "gradient descent": " descent", "half of the set": " half"}  # ends of arms
LINES = {  # what `figures.depths` draws: panels, their lines, and the arms of these by depth
    "Adam": {
        "equal weights": ("1", "2", "4", "8"),
        "equal width": ("1", "8 wide"),
        "scaled ReLUs": ("1 scaled", "8 scaled"),
        "half of the set": ("1 half", "8 half"),
    },
    "gradient descent": {
        "equal weights": ("1 descent", "2 descent", "4 descent", "8 descent"),
        "equal width": ("1 descent", "8 wide descent"),
    },
}
ROWS = {  # what `figures.others` draws: panels, their rows, and the arms of these
    "width, one hidden layer": {"16 ReLUs": "16 units", "64 ReLUs": "1", "256 ReLUs": "256 units"},
    "movement, 64 ReLUs, descent": {"hardly": "lazy", "no factor": "1 descent", "far": "rich"},
    "fine architecture, four layers": {"plain": "4"} | {name: name for name in FINE},
}


def proved(cases: int) -> Claims:
    """Claims in exact arithmetic; `cases` random networks of each shape, and averages."""
    return {
        f"depth-{name}": (exact(float(value), cases), exact(float(control), cases))
        for name, (value, control) in theory.evidence(cases).items()
    }


# Alternating points


def tent_claims(table: pd.DataFrame) -> Claims:
    """Claims on networks that see alternating points."""
    loud, fitted = table["size"].max(), where(table, size=0.0)
    hinted = where(table, shape="three", size=float(loud))
    reached = {name: where(fitted, shape=name)["reached"] for name in ("four", "four of two")}
    solved = where(fitted, shape="three")["accuracy"] == 1
    return {
        "depth-reachable": (share(hinted["capture"] >= FOLLOWS), share(solved)),
        "depth-optimisation": (share(reached["four"]), share(reached["four of two"])),
        "depth-composition": (
            worst([_less(table, MORE, SIX, rates) for rates in PAIRS], min, "low"),
            worst([_less(table, TWO, MORE, rates) for rates in PAIRS[:2]], max, "high"),
        ),
    }


def _less(table: pd.DataFrame, one: str, other: str, rates: tuple[float, float]) -> Found:
    """Mean capture of the faintest hint by one shape less that by another, seed by seed.

    At two rates, only if these make steps about equal.
    """
    faint = where(table, size=lambda c: c == c[c > 0].min())
    own = faint.assign(capture=faint["capture"].where(faint["reached"].astype(bool)))
    left, right = (
        where(own, shape=shape, rate=rate).set_index("seed")
        for shape, rate in zip((one, other), rates, strict=True)
    )
    apart = rates[0] != rates[1] and uneven(left["steps"], right["steps"])
    lost = apart or spared(left["capture"].isna()) or spared(right["capture"].isna())
    return lost or mean(left["capture"] - right["capture"], bounds=DIFFERENCE)


def captured(own: pd.DataFrame) -> Found:
    """Mean capture by networks that fit."""
    fit = own["reached"].astype(bool)
    return spared(~fit) or mean(own["capture"][fit], bounds=CAPTURE)


def by_size(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.captures` draws: shape, size, value, low, high, of networks that fit."""
    own = where(table, shape=COMPARED, rate=RATES[0])
    return summary(own, ["shape", "size"], None, measure=captured)


def said_of_tents(table: pd.DataFrame) -> dict[str, float]:
    """Numbers on alternating points for the prose: of networks that fit."""
    every = where(table, shape=COMPARED)
    faint, numbers = where(every, size=float(every["size"].min())), _lost(every, "points_")
    for shape, name in NAMES.items():
        for rate, which in zip(RATES, ("fast", "slow"), strict=True):
            numbers |= _of_part(where(faint, shape=shape, rate=rate), f"{name}_{which}")
    return _known(numbers | _of_part(where(faint, shape=SIX, rate=EVEN), "six_even"))


def _of_part(part: pd.DataFrame, name: str) -> dict[str, float]:
    steps = float(part["steps"].median())
    return {f"capture_{name}": _value(captured(part)), f"steps_{name}": steps}


def _value(found: Found) -> float:
    return found.value if isinstance(found, Estimate) else math.nan


def _known(numbers: dict[str, float]) -> dict[str, float]:
    return {name: n for name, n in numbers.items() if not math.isnan(n)}


def _lost(table: pd.DataFrame, stem: str = "") -> dict[str, float]:
    """How many networks there are, and how many didn't reach the loss."""
    lost = (~table["reached"].astype(bool)).sum()
    return {f"{stem}networks": float(len(table)), f"{stem}unfinished": float(lost)}


# Stripes


def crossovers(table: pd.DataFrame) -> pd.DataFrame:
    """The offset from which on each seed of an arm takes the colour, or as much as its level says.

    Columns as of `places`.
    """
    parts = [
        places(own, strength="a", share="colour", level=ARMS[str(arm)].level)
        for arm, own in table.groupby("arm", sort=False)
    ]
    return pd.concat(parts, ignore_index=True)


def stripe_claims(table: pd.DataFrame) -> Claims:
    """Claims on where networks change over from the orientation to the colour."""
    at = crossovers(table)
    tenth = over(at, "1", "1 descent")
    rates = [over(at, *pair) for pair in (("1", "8 fast"), ("1 slow", "8"))]
    alone = [apart(at, *pair) for pair in (("1", "1 slow"), ("8", "8 fast"))]
    deeper = {
        slug("depth-crossover", name): (
            over(at, f"1{end}", f"8{end}", even=True),
            over(at, f"1{end}", f"8 wide{end}", even=True),
        )
        for name, end in DEEPER.items()
    }
    fine = {slug("depth-fine", name): (over(at, name, "4", even=True), tenth) for name in FINE}
    return (
        deeper
        | fine
        | {
            "depth-crossover-rate": (worst(rates, min, "low"), worst(alone, max, "high")),
            "depth-crossover-scale": (
                over(at, "1 scaled", "8 scaled", even=True),
                apart(at, "1", "1 scaled", even=True),
            ),
            "depth-width": (over(at, "16 units", "256 units", even=True), tenth),
            "depth-lazy": (_regimes(table, over(at, "lazy", "rich")), tenth),
        }
    )


def _regimes(table: pd.DataFrame, found: Found) -> Found:
    """What was found, if the first layer moves `FAR` times as far with a small factor."""
    far, near = (
        where(table, arm=arm).groupby("seed")["moved"].mean() for arm in ("rich", "lazy")
    )  # fmt: skip
    further = ratio(far / near)
    known = isinstance(further, Estimate) and further.low > FAR
    return found if known else Nobody(f"the first layer doesn't move {FAR} times as far")


def place(own: pd.Series) -> Found:
    """Geometric mean of the crossovers of an arm."""
    return spared(own.isna()) or ratio(own)


def depths(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.depths` draws: panel, line, depth, value, low, high."""
    wanted = [
        (arm, panel, line, int(arm.split()[0]))
        for panel, lines in LINES.items()
        for line, arms in lines.items()
        for arm in arms
    ]
    return _drawn(table, wanted, ["panel", "line", "depth"])


def others(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.others` draws: panel, row, value, low, high."""
    wanted = [(arm, panel, row) for panel, arms in ROWS.items() for row, arm in arms.items()]
    return _drawn(table, wanted, ["panel", "row"])


def _drawn(
    table: pd.DataFrame, wanted: Sequence[tuple[Any, ...]], names: list[str]
) -> pd.DataFrame:
    """The crossovers of some arms, each with its place in a figure: rows arm, names."""
    found = summary(crossovers(table), "arm", None, measure=lambda own: place(own["crossover"]))
    chosen = pd.DataFrame(list(wanted), columns=["arm", *names])
    return chosen.merge(found, on="arm", how="left").drop(columns="arm")


def stripe_numbers(table: pd.DataFrame) -> dict[str, float]:
    """Numbers on stripes for the prose, and by arm: crossover, median of the steps."""
    at, moving = crossovers(table), where(table, arm=["lazy", "rich"])
    return _known(
        _lost(table)
        | said(at, "arm", "crossover", measure=lambda own: _value(place(own)))
        | said(table, "arm", "steps", measure=pd.Series.median)
        | said(moving, "arm", "moved")
        | {"outside": float(at["crossover"].isna().sum()), "bound_used": _bound_used(moving)}
    )


def _bound_used(moving: pd.DataFrame) -> float:
    """Largest movement of all weights over its bound √(t ln 2)/α, t the steps times the rate."""
    arms = moving["arm"].map(ARMS.get)
    time = moving["steps"] * arms.map(attrgetter("rate"))
    bound = (time * math.log(2)) ** 0.5 / arms.map(attrgetter("alpha"))
    return float((moving["travelled"] / bound).max())
