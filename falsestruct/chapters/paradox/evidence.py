"""Estimates of the chapter's claims, its prose and its figures: networks × images, both sampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from falsestruct import statistics
from falsestruct.chapters.paradox.measure import CERTIFICATE, NEIGHBOUR, SHUFFLED, Measured, whole
from falsestruct.evidence import Claims, Found, Pair, crossed, extreme, where
from falsestruct.names import slug
from falsestruct.problems.digits import Digits
from falsestruct.statistics import Estimate
from falsestruct.theory import nearest

SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)
Cells = NDArray[np.float64]


def cells(table: pd.DataFrame, column: str, **part: Any) -> Cells:
    """A column of some rows as (networks, images)."""
    wide = where(table, **part).pivot(index="seed", columns="image", values=column)
    return wide.to_numpy(dtype=float)


def names(table: pd.DataFrame) -> list[str]:
    """The networks in a table, without the rules beside them."""
    return [n for n in table["architecture"].unique() if n not in (NEIGHBOUR, CERTIFICATE)]


def stable_rule(data: Digits) -> Pair:
    """The proposition, checked: see `nearest.kept`."""
    points, digits = whole(data)
    own, other = (statistics.exact(share, len(points)) for share in nearest.kept(points, digits))
    return own, other


def estimates(found: Measured) -> Claims:
    """Estimate and control of every claim on the networks, by id."""
    one, every = found.overturned, found.universally
    claims = {
        "paradox-neighbour": _beside(one, read=True),
        "paradox-neighbour-universal": _beside(every),
    }
    # A perturbation that overturns nearest neighbour is never shorter than its certificate.
    none = statistics.exact(float(where(one, architecture=NEIGHBOUR)["shorter"].mean()))
    for name in (known := names(one)):
        others = [other for other in known if other != name]
        for word, pair in {
            "success": (_share(every, "right", name), _share(found.shuffled, "right", name)),
            "overturned": (_share(one, "overturned", name), _share(one, "random", name)),
            "size": (_share(one, "shorter", name), none),
            "universal": (_share(every, "overturned", name), _share(every, "random", name)),
            "seeds": _transferred(found.transfers, name, [name]),
            "across": _transferred(found.transfers, name, others),
        }.items():
            claims[slug("paradox", word, name)] = pair
    return claims


def about(claims: Claims, word: str) -> Claims:
    """The claims whose id starts with this word after the chapter's name."""
    return {id: pair for id, pair in claims.items() if id.startswith(f"paradox-{word}-")}


def _share(table: pd.DataFrame, column: str, name: str) -> Found:
    return crossed(cells(table, column, architecture=name), bounds=SHARE)


def _beside(table: pd.DataFrame, *, read: bool = False) -> Pair:
    """Networks' shares less those of nearest neighbour, image by image, the smallest difference.

    Beside it the largest one for noise. With `read`, only images that both read rightly count.
    """
    known = (table["right"] > 0) | (not read)

    def less(column: str) -> list[Found]:
        own = table.assign(shown=table[column].where(known))
        other = cells(own, "shown", architecture=NEIGHBOUR)
        parts = [cells(own, "shown", architecture=name) - other for name in names(own)]
        return [crossed(values, bounds=DIFFERENCE) for values in parts]

    return extreme(less("overturned"), min), extreme(less("random"), max)


def _transferred(table: pd.DataFrame, source: str, targets: Sequence[str]) -> Pair:
    """Mean ratio over targets, and that of networks of the source's kind on shuffled labels."""
    pair = [
        crossed(
            np.mean([cells(table, "ratio", architecture=one, target=to) for to in targets], axis=0)
        )
        for one in (source, source + SHUFFLED)
    ]
    return pair[0], pair[1]


def outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """Share of images read rightly, a row a network and condition, for the figure.

    Columns: architecture, condition, seed, share; mean over networks, low, high. Under noise and
    attack, what was read rightly and not overturned.
    """
    table = where(table, architecture=lambda c: c != CERTIFICATE)
    lost = {"as they are": None, "random noise": "random", "attack": "overturned"}
    rows = []
    for condition, gone in lost.items():
        left = table.assign(share=table["right"] - (table[gone] if gone else 0.0))
        for name in left["architecture"].unique():
            values = cells(left, "share", architecture=name)
            mean, low, high = _ends(values)
            own = {"architecture": name, "condition": condition, "seed": range(len(values))}
            own |= {"share": values.mean(1), "mean": mean, "low": low, "high": high}
            rows.append(pd.DataFrame(own))
    return pd.concat(rows, ignore_index=True)


def curves(table: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """Share of images read rightly and overturned below level·reach, from `measure.overturned`.

    Columns: architecture, level, share, low, high.
    """
    rows = []
    for name in table["architecture"].unique():
        relative = cells(table, "relative", architecture=name)
        for level in levels:
            found = _ends((relative < level).astype(float))
            share, low, high = found if level else (0.0, 0.0, 0.0)  # no size is below 0
            row = {"architecture": name, "level": level, "share": share}
            rows.append(row | {"low": low, "high": high})
    return pd.DataFrame(rows)


def matrix(transfers: pd.DataFrame) -> pd.DataFrame:
    """Mean of `measure.transfers`, a row a source and target: source, target, ratio, low, high."""
    rows = []
    for (source, to), own in transfers.groupby(["architecture", "target"], sort=False):
        ratio, low, high = _ends(cells(own, "ratio"), None)
        rows.append({"source": source, "target": to, "ratio": ratio, "low": low, "high": high})
    return pd.DataFrame(rows)


def _ends(values: Cells, bounds: statistics.Bounds | None = SHARE) -> tuple[float, float, float]:
    """Mean and interval; one network alone has no interval."""
    found = crossed(values, bounds=bounds)
    if isinstance(found, Estimate):
        return found.value, found.low, found.high
    return float(values.mean()), np.nan, np.nan


def numbers(found: Measured) -> dict[str, float]:
    """What the prose quotes of the networks and of nearest neighbour, means over networks."""
    one, every = (
        table.groupby("architecture", sort=False).mean(numeric_only=True)
        for table in (found.overturned, found.universally)
    )
    # The median image of each network, not of all together.
    medians = found.overturned.groupby(["architecture", "seed"], sort=False)["relative"].median()
    one["median"], own = medians.groupby("architecture").mean(), names(found.overturned)
    said = {
        "worst": every.loc[own, "right"].min(),
        "best": every.loc[own, "right"].max(),
        "neighbour": every.loc[NEIGHBOUR, "right"],
        "linear_all": every.loc["linear", "right"],
        "linear_attacked": one.loc["linear", "right"],
        "one_nn": every.loc[NEIGHBOUR, "overturned"],
        "most": every.loc[own, "most"].min(),
    }
    said |= {f"one_{name[:3]}": every.loc[name, "overturned"] for name in own}
    one["lost"] = one["overturned"] / one["right"]  # of the images read rightly
    stood = where(found.overturned, architecture=NEIGHBOUR, right=1.0)["overturned"]
    said["withstood_nn"] = (1 - stood).sum()
    for column in ("overturned", "lost", "random", "cut", "median"):
        said[f"{column}_low"], said[f"{column}_high"] = one.loc[own, column].agg(["min", "max"])
        said[f"{column}_nn"] = one.loc[NEIGHBOUR, column]
    noise = cells(found.universally, "mean_random", architecture="attention")
    said |= dict(zip(("noise_att", "noise_low", "noise_high"), _ends(noise), strict=True))
    worst = found.checks.groupby("check")["value"].max()  # over the attacks on all rules
    return {str(key): float(value) for key, value in [*said.items(), *worst.items()]}
