"""Claims, figures and numbers of chapter 10, from the tables of `measure`.

Widths, numbers of points and sizes of x₂ are grids that the claims name; seeds are drawn, and the
networks of one seed begin alike. So the unit of every interval is a seed, over its whole grid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import pandas as pd

from falsestruct.chapters.stable_networks.measure import LESS, MORE, RATES, trained
from falsestruct.evidence import Claims, Found, extreme, mean, ratio, share, summary, where
from falsestruct.instability import alternating as hand
from falsestruct.problems.alternating import Points, on_one_scale
from falsestruct.statistics import Nobody, exact
from falsestruct.success import SIDES
from falsestruct.theory import stable

READS = 0.9  # share of the conflict set from which on a network reads x₂
TEN = 10  # points: below, a network may be right on all of them by chance
SHARES = (0.0, 1.0)


@dataclass(frozen=True)
class Tables:
    """What was measured, one row a network.

    Attributes:
        taken, without, coins: `phase` with x₂ by the label, at zero, and independent of the label.
        scaled: `scales`.
        apart: `apart`.
        able: `scales`, evenly spaced.
    """

    taken: pd.DataFrame
    without: pd.DataFrame
    coins: pd.DataFrame
    scaled: pd.DataFrame
    apart: pd.DataFrame
    able: pd.DataFrame

    @property
    def all(self) -> tuple[pd.DataFrame, ...]:
        """Every table."""
        return self.taken, self.without, self.coins, self.scaled, self.apart, self.able


def explicit_estimates(sizes: Sequence[int]) -> Claims:
    """The claim on the explicit networks, of these numbers of points, each at least 5."""
    right, spared = stable.explicit_evidence(sizes)
    pair = exact(float(right), len(sizes)), exact(float(spared), len(sizes))
    return {"stable-explicit": pair}


def count_estimates(tables: Tables, *, cases: int = 120) -> Claims:
    """The claim on broken and wrong points: `cases` random networks, built and trained ones."""
    shallow, deep = stable.slacks(cases, Random(0))
    seen = [*shallow, *(int(s) for table in tables.all for s in table["slack"])]
    return {"stable-tradeoff": (exact(min(seen), len(seen)), exact(min(deep), len(deep)))}


def estimates(tables: Tables) -> Claims:
    """Claims that are measured: for each id the estimate and its control."""
    return _of_phase(tables) | _of_scales(tables) | _of_even_points(tables)


def _of_phase(tables: Tables) -> Claims:
    taken, without = tables.taken, tables.without
    enough, known = taken[within(taken)], tables.coins[within(tables.coins)]
    widths, cases = sorted(set(taken["width"])), [Points(r) for r in sorted(set(taken["r"]))]
    change = hand.by_hand(hand.where_possible, widths, cases)
    stands = hand.by_hand(
        lambda _, case: hand.explicit(case), [1], [case for case in cases if case.r >= 5]
    )
    left = without[without["r"] >= without["width"] + 2]
    some, again = (t[within(t) & (t["r"] >= TEN)] for t in (without, taken))
    used = (stands["crossings"] / (stands["r"] - 1)).min()
    both = hand.by_hand(lambda _, case: hand.bump(case), [2], cases)
    return {
        "stable-taken-within": (_part(enough, "reads", READS), _part(known, "reads", READS)),
        "stable-changeover": (_beyond(taken), _beyond(change, built=True)),
        "stable-broken": (_drawn(taken["broken"], taken), _mean(tables.coins, "broken")),
        "stable-single": (_drawn(taken["single"], taken), exact(both["single"].min(), len(both))),
        "stable-unused": (
            mean(left["crossings"] / (left["width"] + 1), within=left["seed"]),
            exact(used, len(stands)),
        ),
        "stable-not-found": (
            _drawn(some["follows"] >= 1, some),
            _drawn(again["accuracy"] >= 1, again),
        ),
    }


def _of_scales(tables: Tables) -> Claims:
    scaled = tables.scaled
    own = scaled[within(scaled) & (scaled["r"] >= TEN)]
    far = where(scaled, ratio=scaled["ratio"].max())
    return {
        "stable-blind": (_turned(own, "turns"), _turned(own, "turns", 0.0)),
        "stable-weaker": (
            _mean(where(own, ratio=LESS), "reads"),
            _mean(where(own, ratio=0.0), "reads"),
        ),
        "stable-radius": (_distance(where(scaled, ratio=LESS)), _distance(far)),
    }


def _of_even_points(tables: Tables) -> Claims:
    apart, able = tables.apart, tables.able
    more = apart[apart["even"] & (apart["r"] > TEN) & within(apart)]
    left, taken = (where(more, second=second) for second in ("zero", "label"))
    faint, alone = (where(able, ratio=ratio) for ratio in (LESS, 0.0))
    return {
        "stable-crowding": _uncrowded(apart),
        "stable-even-not-found": (
            _drawn(left["follows"] >= 1, left),
            _drawn(taken["accuracy"] >= 1, taken),
        ),
        "stable-able": (share(faint["reads"] > SIDES), _mean(alone, "reads")),
        "stable-blind-even": (_turned(able, "reads"), _turned(able, "reads", 0.0)),
    }


def _turned(table: pd.DataFrame, column: str, least: float = LESS) -> Found:
    """How much more is read by x₂ where it is the more stable structure: pairs of one seed.

    Args:
        least: The size of x₂ that it is compared with; 0 where it was at zero in training.
    """
    low, high = (where(table, ratio=ratio) for ratio in (least, MORE))
    pairs = low.merge(high, on=["r", "seed"], suffixes=("", "_high"))
    return mean(pairs[f"{column}_high"] - pairs[column], within=pairs["seed"], bounds=(-1.0, 1.0))


def _uncrowded(apart: pd.DataFrame) -> tuple[Found, Found]:
    """Right on all of ten points without x₂: evenly spaced less crowded, widest networks of a seed.

    And what chance makes: crowded ones of even seeds less those of the odd ones after them.
    """
    own = where(apart, second="zero", width=apart["width"].max(), r=TEN)
    solved = own.assign(right=1.0 * (own["follows"] >= 1)).pivot(
        index="seed", columns="even", values="right"
    )
    crowded = solved[False].to_numpy()[: len(solved) // 2 * 2]
    pairs = solved[True] - solved[False], crowded[::2] - crowded[1::2]
    found, chance = (mean(pair, bounds=(-1.0, 1.0)) for pair in pairs)
    return found, chance


def start_estimates(table: pd.DataFrame) -> Claims:
    """Claims on where training starts, from the table of `measure.started`."""
    slow, fast = RATES
    table = table.assign(wrong=1 - table["follows"])

    def of(column: str, start: str, rate: float, ratio: float = 0.0) -> Found:
        return _mean(where(table, start=start, rate=rate, ratio=ratio), column)

    left = [of("broken", "explicit", rate) for rate in RATES]
    kept = [of("wrong", "alone", rate) for rate in RATES]
    faint = {rate: of("broken", "explicit", rate, LESS) for rate in RATES}
    return {
        "stable-left": (extreme(left, min), extreme(kept, max)),
        "stable-left-faint": (faint[fast], of("wrong", "alone", fast, LESS)),
        "stable-left-faint-slow": (faint[slow], left[0]),
        "stable-start": (_begun(table, LESS), _begun(table, 0.0)),
    }


def _begun(table: pd.DataFrame, ratio: float) -> Found:
    """Broken points: from random weights less from the explicit network, at the faster rate."""
    own = where(table, rate=RATES[1], ratio=ratio)
    own = own.pivot(index=["r", "seed"], columns="start", values="broken")
    seeds = own.index.get_level_values("seed").to_numpy()
    return mean(own["random"] - own["explicit"], within=seeds, bounds=(-1.0, 1.0))


def within(table: pd.DataFrame) -> pd.Series:
    """Rows whose width is enough to be right on all points without x₂."""
    return table["r"] <= table["width"] + 2


def _mean(table: pd.DataFrame, column: str) -> Found:
    return mean(table[column], within=table["seed"], bounds=SHARES)


def _drawn(values: pd.Series, table: pd.DataFrame) -> Found:
    """Mean over networks whose start was drawn for a seed and width; numbers of points share it."""
    starts = table["seed"].astype(str) + "/" + table["width"].astype(str)
    return mean(values.astype(float), within=starts, bounds=SHARES)


def _part(table: pd.DataFrame, column: str, least: float) -> Found:
    """Share of networks whose value is at least so large."""
    return share(table[column] >= least, within=table["seed"])


def _distance(table: pd.DataFrame) -> Found:
    return ratio(table["relative"], within=table["seed"])


def _beyond(table: pd.DataFrame, *, built: bool = False) -> Found:
    """Mean of `reads` beyond the line less that within it, one number a seed; or exact."""
    steps = [
        float(own[~within(own)]["reads"].mean() - own[within(own)]["reads"].mean())
        for _, own in table.groupby("seed")
    ]
    if np.isnan(steps).any():
        return Nobody("all networks are on one side of the line")
    return exact(steps[0], len(table)) if built else mean(steps, bounds=(-1.0, 1.0))


# Tables for the figures, numbers for the prose


def cells(tables: Tables) -> pd.DataFrame:
    """What `figures.phase` draws: means over networks, a row a panel and cell."""
    taken = tables.taken
    sizes = [Points(r) for r in sorted(set(taken["r"]))]
    made = hand.by_hand(hand.where_possible, sorted(set(taken["width"])), sizes)
    panels = {
        "by hand: reads x₂": (made, "reads"),
        "trained: reads x₂": (taken, "reads"),
        "trained without x₂: right": (tables.without, "follows"),
    }
    return pd.concat(
        [
            table.groupby(["width", "r"])[column].mean().rename("value").reset_index()
            .assign(panel=name)
            for name, (table, column) in panels.items()
        ],
        ignore_index=True,
    )  # fmt: skip


def used(tables: Tables) -> pd.DataFrame:
    """What `figures.used` draws: pieces and crossings where there are most points, by width.

    Columns width, what, value, low, high.
    """
    own = where(tables.without, r=tables.without["r"].max())
    return _melted(own, "width", {"pieces": mean, "crossings": mean})


def shares(tables: Tables) -> pd.DataFrame:
    """What `figures.scales` draws: means over networks, with intervals.

    Columns points, ratio, what, value, low, high.
    """
    named = pd.concat([
        tables.scaled.assign(points=tables.scaled["r"].map("{} points".format)),
        tables.able.assign(points=tables.able["r"].map("{}, evenly spaced".format)),
    ]).query("ratio > 0")  # fmt: skip
    measures = {"reads": _shares, "accuracy": _shares, "relative": ratio}
    return _melted(named, ["points", "ratio"], measures)


def _shares(values: np.ndarray) -> Found:
    return mean(values, bounds=SHARES)


def _melted(
    table: pd.DataFrame, by: str | list[str], columns: dict[str, Callable[..., Found]]
) -> pd.DataFrame:
    """`summary` of each column, its name in the column `what`."""
    parts = [
        summary(table, by, what, measure=measure).assign(what=what)
        for what, measure in columns.items()
    ]
    names = [by] if isinstance(by, str) else by
    return pd.concat(parts)[[*names, "what", "value", "low", "high"]].sort_values(
        names, kind="stable", ignore_index=True
    )


def wrong_or_broken(tables: Tables, width: int) -> pd.DataFrame:
    """What `figures.tradeoff` draws: networks of one width on the most points.

    Columns: kind, wrong and broken (shares of the points), bound (1 − (w + 2)/r).
    """
    r = int(tables.taken["r"].max())
    stands = pd.DataFrame([hand.measure(hand.explicit(Points(r)), Points(r), width)])
    kinds = {
        "hint": tables.taken,
        "faint hint": where(tables.scaled, ratio=lambda ratio: (ratio > 0) & (ratio < LESS)),
        "coin": tables.coins,
        "second input zero": tables.without,
        "built by hand": stands.assign(width=width, r=r),
    }
    parts = [
        where(table, width=width, r=r).assign(kind=kind, wrong=lambda t: 1 - t["accuracy"])
        for kind, table in kinds.items()
    ]
    table = pd.concat(parts, ignore_index=True)[["kind", "wrong", "broken"]]
    return table.assign(bound=1 - (width + 2) / r)


def plane(r: int, width: int, ratio: float, steps: int) -> pd.DataFrame:
    """What `figures.plane` draws, `pictured`: the explicit network and a trained one."""
    case = on_one_scale(r, ratio)
    networks = {
        f"explicit, {r - 2} ReLUs": hand.explicit(case),
        f"trained, {width} ReLUs": trained(width, [case], [0], "label", steps)[0],
    }
    return hand.pictured(networks, case)


def said(tables: Tables) -> dict[str, float]:
    """Numbers for the prose."""
    taken, without, scaled = tables.taken, tables.without, tables.scaled
    top = where(without, r=without["r"].max()).groupby("width")["crossings"].mean()
    widest = where(without, width=without["width"].max())
    solved = widest.assign(all=widest["follows"] == 1).groupby("r")["all"].mean()
    few, faint = scaled["r"].min(), scaled["ratio"][scaled["ratio"] > 0].min()
    means = scaled.groupby(["r", "ratio"])[["reads", "accuracy"]].mean()
    own = taken[within(taken)]
    takes = (own["reads"] >= READS).groupby(own["r"] >= TEN).mean()
    alone = where(scaled[within(scaled) & (scaled["r"] >= TEN)], ratio=0.0)
    return {
        "within_five": takes[False], "within_more": takes[True],
        "taken_least": taken["reads"].min(), "single": taken["single"].mean(),
        "crossings_widest": top.iloc[-1], "widest": float(top.index[-1]),
        "solved_first": solved.iloc[0], "solved_second": solved.iloc[1],
        "first_points": float(solved.index[0]), "second_points": float(solved.index[1]),
        "most_points": float(without["r"].max()),
        "faint": 1 / faint, "faint_points": float(few),
        "faint_reads": means.loc[(few, faint), "reads"],
        "faint_accuracy": means.loc[(few, faint), "accuracy"],
        "faint_lost": means.loc[(scaled["r"].max(), faint), "accuracy"],
        "free_accuracy": means.loc[(few, 0.0), "accuracy"],
        "weak_few": means.loc[(few, LESS), "reads"],
        "strong_few": means.loc[(few, MORE), "reads"], "tight_alone": 1 - alone["turns"].mean(),
        "coins_broken": tables.coins["broken"].mean(), "rate": RATES[1],
    } | _said_apart(tables)  # fmt: skip


def _said_apart(tables: Tables) -> dict[str, float]:
    """Right on all points without x₂, by width; read by x₂ on even points."""
    zero = where(tables.apart, second="zero")
    zero = zero.assign(all=zero["follows"] == 1)
    right = zero.groupby(["width", "even", "r"])["all"].mean()
    narrow, wide = zero["width"].min(), zero["width"].max()
    more = where(zero, even=True, r=2 * TEN)["all"]
    reads = where(tables.able, ratio=lambda ratio: ratio > 0).groupby("ratio")["reads"].mean()
    return {
        "narrow_spaced": narrow, "widest_spaced": wide,
        "even_right": right[wide, True, TEN], "crowded_right": right[wide, False, TEN],
        "even_narrow": right[narrow, True, TEN], "crowded_narrow": right[narrow, False, TEN],
        "even_more_right": more.sum(), "even_more_tried": len(more),
        "even_faint": reads.iloc[0], "even_weak": reads[LESS], "even_strong": reads[MORE],
        "able_right": (where(tables.able, ratio=0.0)["follows"] == 1).mean(),
    }  # fmt: skip


def said_of_starts(table: pd.DataFrame) -> dict[str, float]:
    """Numbers for the prose, as broken_random_faint_slow, from the table of `measure.started`."""
    found = {"start_seeds": float(table["seed"].nunique())} | dict(
        zip(("rate_slow", "rate_fast"), RATES, strict=True)
    )
    kinds = table.assign(wrong=1 - table["follows"]).groupby(["start", "ratio", "rate"])
    for (start, size, rate), own in kinds:
        what = "wrong" if start == "alone" else "broken"
        scale, pace = "faint" if size else "usual", "slow" if rate == RATES[0] else "fast"
        found[f"{what}_{start}_{scale}_{pace}"] = own[what].mean()
    return found
