"""Claims, figures and numbers of chapter 10, from the tables of `experiments.stable_networks`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import pandas as pd

from falsestruct import statistics
from falsestruct.chapters.stable_networks.measure import (
    Points,
    by_hand,
    explicit,
    measure,
    on_one_scale,
    second_input,
    standardised,
    trained,
    where_possible,
)
from falsestruct.statistics import Estimate, exact
from falsestruct.theory import stable

Pair = tuple[Estimate, Estimate]
READS = 0.9  # share of the conflict set from which on a network reads x₂
TEN = 10  # points: below, a network may be right on all of them by chance
LESS, MORE = 0.25, 4.0  # δ over the smallest gap: x₂ is the less, the more stable structure


@dataclass(frozen=True)
class Tables:
    """What was measured, one row a network.

    Attributes:
        taken, without, coins: `phase` with x₂ by the label, at zero, and independent of the label.
        scaled: `scales`.
    """

    taken: pd.DataFrame
    without: pd.DataFrame
    coins: pd.DataFrame
    scaled: pd.DataFrame

    @property
    def all(self) -> tuple[pd.DataFrame, ...]:
        """Every table."""
        return self.taken, self.without, self.coins, self.scaled


def explicit_estimates(sizes: Sequence[int]) -> dict[str, Pair]:
    """The claim on the explicit networks, of these numbers of points, each at least 5."""
    right, spared = stable.explicit_evidence(sizes)
    return {
        "stable-explicit": (exact(float(right), len(sizes)), exact(float(spared), len(sizes))),
    }


def count_estimates(tables: Tables, *, cases: int = 120) -> dict[str, Pair]:
    """The claim on broken and wrong points: `cases` random networks, built and trained ones."""
    shallow, deep = stable.slacks(cases, Random(0))
    seen = [*shallow, *(int(s) for table in tables.all for s in table["slack"])]
    return {"stable-tradeoff": (exact(min(seen), len(seen)), exact(min(deep), len(deep)))}


def estimates(tables: Tables) -> dict[str, Pair]:
    """Claims that are measured: for each id the estimate and its control.

    Where fewer than two networks qualify, the interval is all that the measure could be.
    """
    return _of_phase(tables) | _of_scales(tables)


def _of_phase(tables: Tables) -> dict[str, Pair]:
    taken, without, coins = tables.taken, tables.without, tables.coins
    cells = taken[["width", "r"]].drop_duplicates()
    widths, cases = sorted(set(cells["width"])), [Points(r) for r in sorted(set(cells["r"]))]
    change = by_hand(where_possible, widths, cases)
    stands = by_hand(lambda _, case: explicit(case), [1], [case for case in cases if case.r >= 5])
    left = without[without["r"] >= without["width"] + 2]
    some, again = (t[within(t) & (t["r"] >= TEN)] for t in (without, taken))
    return {
        "stable-taken-within": (
            _share(taken[within(taken)]["reads"] >= READS),
            _share(coins[within(coins)]["reads"] >= READS),
        ),
        "stable-changeover": (_beyond(taken), exact(_step(change) or 0.0, len(change))),
        "stable-broken": (
            _mean(taken["broken"]),
            exact(stands["broken"].max(), len(stands)),
        ),
        "stable-unused": (
            _mean(left["crossings"] / (left["width"] + 1)),
            exact((stands["crossings"] / (stands["r"] - 1)).min(), len(stands)),
        ),
        "stable-not-found": (_share(some["follows"] == 1), _share(again["accuracy"] == 1)),
    }


def _of_scales(tables: Tables) -> dict[str, Pair]:
    scaled, without = tables.scaled, tables.without
    own = scaled[within(scaled) & (scaled["r"] >= TEN)]
    low, high = (own[own["ratio"] == ratio].set_index(["r", "seed"]) for ratio in (LESS, MORE))
    free = without[without["width"].isin(scaled["width"]) & without["r"].isin(own["r"])]
    far = scaled["ratio"].max()
    relative = {
        ratio: scaled[scaled["ratio"] == ratio]["relative"].dropna() for ratio in (LESS, far)
    }
    cases = [on_one_scale(r, ratio) for ratio in (LESS, MORE) for r in sorted(set(own["r"]))]
    judge = by_hand(
        lambda _, c: (second_input if 2 * c.strength > c.gap else explicit)(c), [1], cases
    )
    half = len(cases) // 2
    blind = judge["reads"][half:].mean() - judge["reads"][:half].mean() if cases else 0.0
    return {
        "stable-weaker": (_mean(low["reads"]), _mean(free["reads"])),
        "stable-blind": (
            _mean((high["reads"] - low["reads"]).dropna(), nothing=(-1.0, 1.0)),
            exact(blind, max(1, len(cases))),
        ),
        "stable-radius": (
            _mean(relative[LESS], geometric=True, nothing=(1e-3, 1e3)),
            _mean(relative[far], geometric=True, nothing=(1e-3, 1e3)),
        ),
    }


def start_estimates(
    with_second: pd.DataFrame, without: pd.DataFrame, faint: pd.DataFrame
) -> dict[str, Pair]:
    """Claims on training that starts at the stable network, each table as `from_stable` gives it.

    Args:
        with_second, without: Each input standardised, with x₂ by the label and at zero.
        faint: On one scale, x₂ by the label and smaller than the gap.
    """
    cases = [on_one_scale(r, LESS) for r in faint["r"]]
    rule = by_hand(lambda _, case: second_input(case), [1], cases)
    return {
        "stable-left": (_mean(with_second["broken"]), _mean(1 - without["follows"])),
        "stable-left-faint": (_mean(faint["broken"]), exact(rule["broken"].min(), len(rule))),
    }


def within(table: pd.DataFrame) -> pd.Series:
    """Rows whose width is enough to be right on all points without x₂."""
    return table["r"] <= table["width"] + 2


def _step(table: pd.DataFrame) -> float | None:
    """Mean of `reads` beyond the line less that within it; None if all networks are on one side."""
    enough = within(table)
    if enough.all() or not enough.any():
        return None
    return float(table[~enough]["reads"].mean() - table[enough]["reads"].mean())


def _beyond(table: pd.DataFrame) -> Estimate:
    """The same, one number a seed."""
    steps = [_step(own) for _, own in table.groupby("seed")]
    return _mean([step for step in steps if step is not None], nothing=(-1.0, 1.0))


def _share(outcomes: pd.Series) -> Estimate:
    if len(outcomes) == 0:
        return Estimate(0.5, 0.0, 1.0, 1, "no network qualifies")
    return statistics.proportion(outcomes.to_numpy())


def _mean(
    values: Sequence[float] | pd.Series,
    *,
    geometric: bool = False,
    nothing: tuple[float, float] = (0.0, 1.0),
) -> Estimate:
    numbers = np.asarray(values, dtype=float)
    if len(numbers) < 2:
        low, high = nothing
        middle = (low * high) ** 0.5 if geometric else (low + high) / 2
        return Estimate(middle, low, high, 1, "too few networks qualify")
    return statistics.geometric_mean(numbers) if geometric else statistics.mean(numbers)


# Tables for the figures, numbers for the prose


def cells(tables: Tables) -> pd.DataFrame:
    """What `plots.stable_networks.phase` draws: means over networks, a row a panel and cell."""
    taken = tables.taken
    sizes = [Points(r) for r in sorted(set(taken["r"]))]
    hand = by_hand(where_possible, sorted(set(taken["width"])), sizes)
    panels = {
        "by hand: reads x₂": (hand, "reads"),
        "trained: reads x₂": (taken, "reads"),
        "trained without x₂: right": (tables.without, "follows"),
    }
    parts = [
        table.groupby(["width", "r"])[column]
        .mean()
        .rename("value")
        .reset_index()
        .assign(panel=name)
        for name, (table, column) in panels.items()
    ]
    return pd.concat(parts, ignore_index=True)


def used(tables: Tables) -> pd.DataFrame:
    """What `plots.stable_networks.used` draws: pieces and crossings where r ≥ w + 2, by width.

    Of the largest number of points; columns width, what, value, low, high.
    """
    own = tables.without[tables.without["r"] == tables.without["r"].max()]
    rows = []
    for width, part in own.groupby("width"):
        for what in ("pieces", "crossings"):
            value = _mean(part[what], nothing=(0.0, float(width) + 1))
            rows.append((width, what, value.value, value.low, value.high))
    return pd.DataFrame(rows, columns=["width", "what", "value", "low", "high"])


def wrong_or_broken(tables: Tables, width: int) -> pd.DataFrame:
    """What `plots.stable_networks.tradeoff` draws: networks of one width on the most points.

    Columns: kind, wrong and broken (shares of the points), bound (1 − (w + 2)/r).
    """
    parts, r = [], int(tables.taken["r"].max())
    faint = tables.scaled[tables.scaled["ratio"] < LESS]
    kinds = {
        "hint": tables.taken,
        "faint hint": faint,
        "coin": tables.coins,
        "second input zero": tables.without,
    }
    for kind, table in kinds.items():
        own = table[(table["width"] == width) & (table["r"] == r)]
        parts.append(
            pd.DataFrame({"kind": kind, "wrong": 1 - own["accuracy"], "broken": own["broken"]})
        )
    stands = measure(explicit(Points(r)), Points(r), width)
    row = {"kind": ["built by hand"], "wrong": 1 - stands["accuracy"], "broken": stands["broken"]}
    parts.append(pd.DataFrame(row))
    return pd.concat(parts, ignore_index=True).assign(bound=1 - (width + 2) / r)


def shares(scaled: pd.DataFrame) -> pd.DataFrame:
    """What `plots.stable_networks.scales` draws: means over networks, with intervals."""
    rows = []
    for (r, ratio), own in scaled.groupby(["r", "ratio"]):
        for what in ("reads", "accuracy", "relative"):
            apart = what == "relative"
            value = _mean(own[what].dropna(), geometric=apart, nothing=(1e-3, 1e3))
            rows.append((r, ratio, what, value.value, value.low, value.high))
    return pd.DataFrame(rows, columns=["r", "ratio", "what", "value", "low", "high"])


def plane(r: int, width: int, ratio: float, steps: int) -> pd.DataFrame:
    """What `plots.stable_networks.plane` draws: networks on a grid of the plane, and the points.

    Columns: panel; what ("network" at a grid point, or "point" of the data); x1; x2 in units of δ;
    value (the network's output, label 1 above 0; or the point's label).
    """
    case = on_one_scale(r, ratio)
    _, mean, spread = standardised(r)
    panels = {
        f"explicit, {r - 2} ReLUs": explicit(case),
        f"trained, {width} ReLUs": trained(width, [case], [0], "label", steps)[0],
    }
    x1 = np.geomspace(0.8 * float(stable.first_inputs(r)[-1]), 0.8, 160)
    grid = np.array([(a, b) for a in x1 for b in np.linspace(-0.6, 1.6, 12)])
    inputs = np.stack(((grid[:, 0] - mean) / spread, case.strength * (2 * grid[:, 1] - 1)), 1)
    parts = []
    for name, network in panels.items():
        output = np.round(network(inputs), 5)
        for what, at, value in (
            ("network", grid, output),
            ("point", _data(r), case.labels.numpy()),
        ):
            frame = {"x1": at[:, 0].round(5), "x2": at[:, 1].round(5), "value": value}
            parts.append(pd.DataFrame({"panel": name, "what": what} | frame))
    return pd.concat(parts, ignore_index=True)


def _data(r: int) -> np.ndarray:
    pairs = zip(stable.first_inputs(r), stable.labels(r), strict=True)
    return np.array([(float(x1), y) for x1, y in pairs])


def said(tables: Tables) -> dict[str, float]:
    """Numbers for the prose."""
    taken, without, scaled = tables.taken, tables.without, tables.scaled
    top = without[without["r"] == without["r"].max()].groupby("width")["crossings"].mean()
    widest = without[without["width"] == without["width"].max()]
    solved = widest.assign(all=widest["follows"] == 1).groupby("r")["all"].mean()
    few, ratios = scaled["r"].min(), sorted(scaled["ratio"].unique())
    means = scaled.groupby(["r", "ratio"])[["reads", "accuracy"]].mean()
    own = taken[within(taken)]
    return {
        "networks": float(sum(map(len, tables.all))),
        "within_five": float((own[own["r"] < TEN]["reads"] >= READS).mean()),
        "within_more": float((own[own["r"] >= TEN]["reads"] >= READS).mean()),
        "taken_least": float(taken["reads"].min()),
        "crossings_widest": float(top.iloc[-1]),
        "widest": float(top.index[-1]),
        "solved_first": float(solved.iloc[0]),
        "solved_second": float(solved.iloc[1]),
        "first_points": float(solved.index[0]),
        "second_points": float(solved.index[1]),
        "most_points": float(without["r"].max()),
        "faint": 1 / ratios[0],
        "faint_points": float(few),
        "faint_reads": float(means.loc[(few, ratios[0]), "reads"]),
        "faint_accuracy": float(means.loc[(few, ratios[0]), "accuracy"]),
        "faint_lost": float(means.loc[(scaled["r"].max(), ratios[0]), "accuracy"]),
        "free_accuracy": float(_same(without, scaled)["follows"].mean()),
        "weak_few": float(means.loc[(few, LESS), "reads"]),
        "strong_few": float(means.loc[(few, MORE), "reads"]),
        "coins_broken": float(tables.coins["broken"].mean()),
    }


def said_of_starts(
    with_second: pd.DataFrame, without: pd.DataFrame, faint: pd.DataFrame
) -> dict[str, float]:
    """Numbers for the prose, from the tables of `start_estimates`."""
    return {
        "left_broken": float(with_second["broken"].mean()),
        "left_right": float(with_second["accuracy"].mean()),
        "kept_wrong": float(1 - without["follows"].mean()),
        "faint_broken": float(faint["broken"].mean()),
    }


def _same(without: pd.DataFrame, scaled: pd.DataFrame) -> pd.DataFrame:
    """Networks without x₂ of the width of `scaled` and its smallest number of points."""
    width, few = scaled["width"].iloc[0], scaled["r"].min()
    return without[(without["width"] == width) & (without["r"] == few)]
