"""Claims, figures and numbers of chapter 15, from the tables of `measure`.

What is sampled are seeds: of first weights and of all that a network sees. The rest are grids.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from falsestruct.evidence import Claims, Found, mean, ratio, share, summary, where
from falsestruct.statistics import Nobody, exact
from falsestruct.success import FOLLOWS, SIDES, TAKES
from falsestruct.theory import gradients
from falsestruct.theory.information import fixed_bins, open_bins

OFTEN = 0.95  # q of a hint that is wrong on one in twenty
COIN, NEVER = 0.5, 1.0
PATIENCE = 10  # times the steps that are enough beside a coin
FOUR, TWO, SIX = 4, 2, 6  # bits of a parity
SPARED = 0.1  # share of networks that may have no slope
NETWORK = ["optimiser", "size", "arm", "q", "seed"]
SHARE = partial(mean, bounds=(0.0, 1.0))


def proved(cases: int) -> Claims:
    """Claims in exact arithmetic; `cases` random networks for each number of inputs."""
    return {
        f"failures-{name}": (exact(float(value), cases), exact(float(control), cases))
        for name, (value, control) in gradients.evidence(cases).items()
    }


def parity_claims(table: pd.DataFrame) -> Claims:
    """Claims on the parity of half of the bits: the most bits, and eight."""
    found: Claims = {}
    for optimiser, id in (("descent", "failures-parity"), ("Adam", "failures-parity-adam")):
        own = where(table, optimiser=optimiser)
        most, few = (where(own, bits=bits)["right"] for bits in (own["bits"].max(), 8))
        found[id] = (SHARE(most), share(few >= FOLLOWS))
    return found


def after(table: pd.DataFrame, step: int) -> pd.DataFrame:
    """The last look at each network up to a step; who is done stays as it was."""
    return table[table["step"] <= step].groupby(NETWORK, as_index=False).last()


def hint_claims(table: pd.DataFrame, budget: int) -> Claims:
    """Claims on who follows the hint, with descent; `budget` steps are enough beside a coin."""
    own = where(table, optimiser="descent", arm="hint")
    early, late = after(own, budget), after(own, PATIENCE * budget)
    hint, coin = (where(early, size=FOUR, q=q)["apart"] for q in (OFTEN, COIN))
    left, kept = (where(late, size=FOUR, q=q)["apart"] for q in (OFTEN, NEVER))
    always, beside = (where(late, size=TWO, q=q)["apart"] for q in (NEVER, OFTEN))
    unseen = where(table, arm="unseen").groupby(NETWORK, as_index=False).last()
    other, same = (where(unseen, q=q)["apart"] for q in (OFTEN, NEVER))
    return {
        "failures-unseen": (share(other >= TAKES), share(same >= TAKES)),
        "failures-taken": (share(hint <= 1 - FOLLOWS), share(coin < SIDES)),
        "failures-delay": (share(left >= TAKES), share(kept >= TAKES)),
        "failures-never": (share(always <= 1 - FOLLOWS), share(beside <= 1 - FOLLOWS)),
    }


def law_claims(table: pd.DataFrame) -> Claims:
    """Claims on how the delay grows with q, by optimiser, size of the parity and arm."""
    about = {
        "failures-law": ("descent", FOUR),
        "failures-law-six": ("descent", SIX),
        "failures-law-adam": ("Adam", FOUR),
    }
    found: Claims = {}
    for id, (optimiser, size) in about.items():
        own = where(table, optimiser=optimiser, size=size, arm=["hint", "label", "added"])
        slope = {arm: power(part) for arm, part in own.groupby("arm")}
        found[id] = (slope["hint"], slope["label"])
        if size == FOUR:
            found[f"{id}-added"] = (power(where(own, arm="added"), "alone"), slope["hint"])
    return found


def power(table: pd.DataFrame, clock: str = "learnt") -> Found:
    """Mean of `slopes`; no number if too many networks have none."""
    found = slopes(table, clock)
    none = np.isnan(found)
    return mean(found) if none.mean() <= SPARED else Nobody(f"{none.sum()} networks did not learn")


def slopes(table: pd.DataFrame, clock: str = "learnt") -> np.ndarray:
    """For each seed: slope of ln(steps) against ln(1/(4q(1 − q))), where q < 1.

    NaN for a network that did not learn for one of the q.
    """
    own = table[table["q"] < 1].drop_duplicates(NETWORK)
    steps = own[clock].where(own["reached"].astype(bool))
    at = own.assign(x=np.log(stretched(own["q"])), y=np.log(steps))
    return np.array([
        np.nan if part["y"].isna().any() else np.polyfit(part["x"], part["y"], 1)[0]
        for _, part in at.groupby("seed")
    ])  # fmt: skip


def stretched(q: pd.Series) -> pd.Series:
    """1/(4q(1 − q)): how much longer it takes, says the law."""
    return 1 / (4 * q * (1 - q))


def biased_claims(table: pd.DataFrame) -> Claims:
    """The claim on biased bits: who has learnt those of the largest mean, and fair ones."""
    own = where(table, when="learnt")
    lost = own.assign(lost=own["own"] - own["other"])
    means = (table["mean"].max(), 0.0)
    most, none = (mean(where(lost, mean=m)["lost"], bounds=(-1.0, 1.0)) for m in means)
    return {"failures-biased": (most, none)}


def layer_claims(table: pd.DataFrame) -> Claims:
    """Claims on the information in the last hidden layer of networks that learn."""
    real, shuffled = right_ones(table), where(table, shuffled=True)
    low, high = np.linspace(-3, -1.01, 200), np.array([1.5])
    wrong, right = ((bins(low) == bins(high)).mean() for bins in (fixed_bins, open_bins))
    follow, fine = (1 - fall(real, what) / fall(real, "fixed") for what in ("equal", "fine"))
    return {
        "failures-compression": (mean(fall(real, "fixed")), mean(fall(shuffled, "fixed"))),
        "failures-adaptive": (mean(follow), mean(fine)),
        "failures-information": (
            exact(table["exact"].min(), len(table)), exact(table["sign"].max(), len(table)),
        ),
        "failures-bins": (exact(wrong, len(low)), exact(right, len(low))),
    }  # fmt: skip


def right_ones(table: pd.DataFrame) -> pd.DataFrame:
    """The networks that have `FOLLOWS` of the labels right at the end."""
    own = where(table, shuffled=False)
    end = own[own["steps"] == own["steps"].max()]
    return where(own, seed=set(end[end["right"] >= FOLLOWS]["seed"]))


def fall(table: pd.DataFrame, what: str) -> np.ndarray:
    """For each seed: the information at the second look less that at the last."""
    own = table.sort_values("steps").groupby("seed")[what]
    return own.nth(1).to_numpy() - own.nth(-1).to_numpy()


def until_right(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.parities` draws, steps: columns optimiser, bits, value, low, high."""
    return summary(table, ["optimiser", "bits"], "step", measure=ratio)


def taken(table: pd.DataFrame, budget: int) -> pd.DataFrame:
    """What `figures.taken` draws: mean capture of the hint at the budget, by size and q.

    Columns row (size), column (q), value.
    """
    own = after(where(table, optimiser="descent", arm="hint"), budget)
    cells = own.groupby(["size", "q"])["apart"].mean().rsub(1).rename("value").reset_index()
    return cells.rename(columns={"size": "row", "q": "column"})


def courses(table: pd.DataFrame, shares: tuple[float, ...]) -> pd.DataFrame:
    """What `figures.courses` draws: capture of the hint on the way, four bits, by descent.

    Columns q, step, value, low, high. Who is done stays as it was.
    """
    own = where(table, optimiser="descent", arm="hint", size=FOUR, q=list(shares))
    steps = np.unique(np.geomspace(25, own["step"].max(), 40).astype(int))
    looks = pd.concat([after(own, int(step)).assign(step=step) for step in steps])
    return summary(looks.assign(hint=1 - looks["apart"]), ["q", "step"], "hint", measure=SHARE)


def delays(table: pd.DataFrame, clock: str = "alone") -> pd.DataFrame:
    """What `figures.delays` draws: steps until learnt over those beside a coin, seed by seed.

    Columns optimiser, arm, size, stretch, value, low, high. Two bits: too few looks.
    """
    own = where(table, arm=["hint", "added"], size=lambda k: k > TWO, q=lambda q: q < 1)
    own = own.drop_duplicates(NETWORK)
    same = ["optimiser", "arm", "size", "seed"]
    both = own.merge(where(own, q=COIN)[[*same, clock]], on=same, suffixes=("", "_coin"))
    both = both.assign(stretch=stretched(both["q"]), delay=both[clock] / both[f"{clock}_coin"])
    later = both[both["q"] > COIN]
    return summary(later, ["optimiser", "arm", "size", "stretch"], "delay", measure=ratio)


def bits_of(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.information` draws: columns steps, what, value, low, high."""
    own = right_ones(table)
    parts = [summary(own, "steps", what).assign(what=what) for what in ("exact", "equal", "fixed")]
    parts[0] = parts[0].assign(low=parts[0]["value"], high=parts[0]["value"])  # it is proved
    return pd.concat(parts, ignore_index=True)


def shape(table: pd.DataFrame) -> dict[str, float]:
    """How delays grow, for the prose: powers, and what no claim states.

    That is "inside", powers without the coin, and delays over what their law says: beside the
    least hint ("first"), the best ("last"), and how far they are "off".
    """
    found, split = {}, ["optimiser", "size"]
    for name, arm, clock in (
        ("slope", "hint", "learnt"), ("own", "added", "alone"), ("outvoted", "added", "learnt")
    ):  # fmt: skip
        lines = dict(list(where(delays(table, clock), arm=arm).groupby(split)))
        for (optimiser, size), part in where(table, arm=arm, size=lambda k: k > TWO).groupby(split):
            tag, line = f"{name}_{optimiser}_{size}", lines[optimiser, size]
            for place, own in ((tag, part), (f"inside_{tag}", part[part["q"] > COIN])):
                found[place] = float(pd.Series(slopes(own, clock)).mean())
            law = line["stretch"] ** (1.0 if optimiser == "descent" else 0.5)
            over = (line["value"] / law).to_numpy()
            ends = {"first": over[0], "last": over[-1], "off": np.abs(over - 1).max()}
            found |= {f"{end}_{tag}": float(value) for end, value in ends.items()}
    return found


def said(table: pd.DataFrame, budget: int) -> dict[str, float]:
    """Numbers of the hints for the prose: steps are medians, by descent, of four bits or two."""
    own = where(table, optimiser="descent", arm="hint").drop_duplicates(NETWORK)
    steps = own.groupby(["size", "q"])["learnt"].median()
    late = where(after(table, PATIENCE * budget), optimiser="descent", arm="hint")
    inside = where(table, q=lambda q: q < 1).drop_duplicates(NETWORK)
    last = where(delays(table), optimiser="descent", arm="hint", size=FOUR)["value"].iloc[-1]
    return shape(table) | {
        "coin_steps": steps[FOUR, COIN], "often_steps": steps[FOUR, OFTEN],
        "two_steps": steps[TWO, COIN], "first_q": inside["q"][inside["q"] > COIN].min(),
        "often_delay": last, "often_law": float(stretched(pd.Series([OFTEN]))[0]),
        "budget": float(budget), "patience": float(PATIENCE), "runs": float(len(inside)),
        "unfinished": float((~inside["reached"].astype(bool)).sum()),
        "never_right": float(where(late, size=TWO, q=NEVER)["apart"].mean()),
    }  # fmt: skip


def said_of_parities(table: pd.DataFrame) -> dict[str, float]:
    """Numbers of the parities for the prose: who got there, and what four bits more multiply."""
    found: dict[str, float] = {}
    most = where(table, bits=table["bits"].max())
    for name, own in until_right(table).sort_values("bits").groupby("optimiser"):
        right = where(most, optimiser=name)["right"]
        growth = np.exp(4 * np.diff(np.log(own["value"])) / np.diff(own["bits"]))
        found |= {f"there_{name}": float((right >= FOLLOWS).sum()), f"least_{name}": right.min()}
        found |= {f"slow_{name}": growth.min(), f"fast_{name}": growth.max()}
    return found


def said_of_others(biased: pd.DataFrame, layers: pd.DataFrame) -> dict[str, float]:
    """Numbers of the other experiments for the prose."""
    first, real = where(biased, mean=biased["mean"].max()), right_ones(layers)
    means = {when: part[["own", "other", "step"]].mean() for when, part in first.groupby("when")}
    fair = where(biased, mean=0.0, when="learnt")
    return {
        "biased_other": means["learnt"]["other"], "biased_step": means["learnt"]["step"],
        "biased_end": means["end"]["other"], "fair_step": fair["step"].mean(),
        "fair_other": fair["other"].mean(),
        **{f"fall_{what}": float(fall(real, what).mean()) for what in ("fixed", "equal", "fine")},
    }  # fmt: skip
