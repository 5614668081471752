"""The claims of chapter 04 and what its figures draw. The grid is fixed; networks were sampled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd
import torch

from falsestruct import evidence, statistics, success
from falsestruct.chapters.oscillation.measure import at_steps, final
from falsestruct.chapters.oscillation.runs import RUNS, steps_of
from falsestruct.evidence import Claims, Found, mean, ratio, share, where

RELEASED_ACCURACY = {"034": 1.0, "035": 6 / 7}  # of the released networks on S_ε, without hint
LEARNT = 0.99  # accuracy from which we say that a structure is learnt
portion = partial(mean, bounds=(0, 1))  # of shares of a grid


def reaches(table: pd.DataFrame, run: str, column: str, least: float) -> Found:
    """Share of the networks of a run in which a column is at least so much."""
    return share(where(table, run=run)[column] >= least)


def live_claims(last: pd.DataFrame) -> Claims:
    """About the ends of the live runs: which structure they took, and how soon."""
    sides = {
        run: reaches(last, run, "captured", success.TAKES) for run in dict.fromkeys(last["run"])
    }
    original, hint = (
        reaches(last, run, c, LEARNT) for run, c in (("034", "zero"), ("030", "hint"))
    )
    return {
        "oscillation-hint-5000": (sides["030"], sides["035"]),
        "oscillation-hint-7": (sides["036"], sides["036 without hint"]),
        "oscillation-original-later": (original, hint),
    }


def flip_claims(last: pd.DataFrame) -> Claims:
    """One perturbation for all points of a label, and the same away from the boundary."""
    hinted = where(last, run=["030", "036"])
    flips, away = (
        portion(hinted[column], strata=hinted["run"]) for column in ("flip_hint", "flip_away")
    )
    return {"oscillation-universal-flip": (flips, away)}


def delta_crossovers(table: pd.DataFrame) -> list[float]:
    """The δ at which each seed begins to take the hint, from the rows of one step."""
    values = []
    for _, part in table.groupby("seed"):
        points = part.sort_values("delta")
        sizes, captured = (torch.tensor(points[name].to_numpy()) for name in ("delta", "captured"))
        values.append(success.crossover(sizes, captured, level=success.TAKES))
    return values


def delta_claims(swept: pd.DataFrame, independent: pd.DataFrame) -> Claims:
    """How quiet the hint may be, from `measure.sweep_delta`."""
    pair = ratio(delta_crossovers(swept)), portion(independent["captured"])
    return {"oscillation-smallest-delta": pair}


def record_claims(live: pd.DataFrame, paper: pd.DataFrame) -> Claims:
    """Live runs 030 and 035 beside the recorded ones, at the same step and at the record's end."""
    end, steps = final(paper), steps_of(RUNS[0], 800)
    then = {run: at_steps(paper, run, steps) for run in ("030", "035")}
    first = where(live, run="030")
    repeats, differs = _paired(first, then["030"]), _paired(then["035"], first)
    return {
        "oscillation-live-is-record": (
            statistics.exact((repeats["left"] - repeats["right"]).mean(), len(repeats)),
            difference(differs),
        ),
        "oscillation-live-ends-alike": (
            _same_side(first, where(end, run="030")), _same_side(first, where(end, run="035")),
        ),
    }  # fmt: skip


def _paired(left: pd.DataFrame, right: pd.DataFrame, column: str = "captured") -> pd.DataFrame:
    """A column of both tables by seed: left, right."""
    columns = {"left": left.set_index("seed")[column], "right": right.set_index("seed")[column]}
    return pd.DataFrame(columns).dropna()


def difference(pairs: pd.DataFrame) -> Found:
    """Mean of left − right over seeds."""
    if len(pairs) < evidence.LEAST:
        return evidence.too_few(len(pairs))
    left, right = (pairs[side].to_numpy() for side in ("left", "right"))
    return statistics.paired_difference(left, right, bounds=(0, 1))


def _same_side(left: pd.DataFrame, right: pd.DataFrame) -> Found:
    """Share of seeds that are on the same side of `success.TAKES` of the conflict set."""
    sides = _paired(left, right) >= success.TAKES
    return share(sides["left"] == sides["right"])


def paper_claims(paper: pd.DataFrame) -> Claims:
    """About the ends of the recorded runs at the paper's schedule."""
    end = final(paper)
    hint = {run: reaches(end, run, "captured", 0.9) for run in ("030", "035", "036")}
    learnt = {run: reaches(end, run, "zero", LEARNT) for run in ("030", "034", "035")}
    return {
        "oscillation-paper-hint": (hint["030"], hint["035"]),
        "oscillation-paper-7": (hint["036"], hint["035"]),
        "oscillation-paper-10000-enough": (learnt["034"], learnt["030"]),
        "oscillation-paper-5000-not-enough": (learnt["035"], reaches(end, "030", "hint", LEARNT)),
    }


def counts(paper: pd.DataFrame) -> dict[str, float]:
    """For the prose: how many networks of the recorded runs learnt f_a, or took the hint."""
    end = final(paper)
    good = {f"learnt_{run}": where(end, run=run)["zero"] >= LEARNT for run in ("034", "035")}
    good["took_036"] = where(end, run="036")["captured"] >= 0.9
    return {name: float(mask.sum()) for name, mask in good.items()}


def sample_claims(paper: pd.DataFrame, *, steps: int = 2_000_000) -> Claims:
    """Whether the larger set helps, at equal numbers of steps."""
    then = {run: at_steps(paper, run, steps) for run in ("030", "034", "035")}
    gains = [difference(_paired(then[run], then["035"], "zero")) for run in ("034", "030")]
    return {"oscillation-samples-matter": (gains[0], gains[1])}


def change_claims(live: pd.DataFrame, paper: pd.DataFrame) -> Claims:
    """Sign changes along x₁: live with the hint, recorded without it."""
    tables = where(live, run="030"), where(final(paper), run="035")
    few = [share(table["changes"] <= 1) for table in tables]
    return {"oscillation-too-few-changes": (few[0], few[1])}


# What figures draw


def history_summary(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Accuracies on the way: run, step, test, mean, low and high (5 % and 95 % of the networks).

    Args:
        names: Titles of the runs to keep, in order.
    """
    tests = ["hint", "zero", "swapped"]
    long = table.melt(["run", "step"], tests, var_name="test")
    parts = long.groupby(["run", "step", "test"], sort=False)["value"]
    ends = parts.agg(
        mean="mean", low=lambda v: v.quantile(0.05), high=lambda v: v.quantile(0.95)
    ).reset_index()
    return pd.concat([where(ends, run=r).assign(run=t) for r, t in names.items()])


def delta_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean share of the conflict set that sides with the hint: delta, share, low, high."""
    return evidence.summary(table, "delta", "captured", name="share", measure=portion)


def change_table(live: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """Pieces and sign changes, one row a network: label, changes, pieces."""
    rows = [(live, "030", "live"), (live, "036", "live")]
    rows += [(recorded, run, "recorded") for run in ("030", "035", "034")]
    parts = [where(table, run=run).assign(label=f"{run}, {when}") for table, run, when in rows]
    return pd.concat(parts, ignore_index=True)[["label", "changes", "pieces"]]


def beside_released(recorded: pd.DataFrame) -> pd.DataFrame:
    """Runs 034 and 035, and where the released network ended: training, seed, step, zero, paper."""
    sizes = {run.name: f"{run.samples:,} samples" for run in RUNS}
    rows = where(recorded, run=list(RELEASED_ACCURACY))
    rows = rows.assign(paper=rows["run"].map(RELEASED_ACCURACY), training=rows["run"].map(sizes))
    return rows[["training", "seed", "step", "zero", "paper"]]
