"""What chapter 05 makes of its networks: predictions, tables for figures, evidence for claims.

Everything starts from the table of `measure`, one row a network, whoever trained it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch

from falsestruct import statistics, success
from falsestruct.chapters.success.measure import (
    CLAIMED,
    HALF,
    HELD_OUT_SEED,
    INTERVENTION_SEED,
    MIXTURES,
    SETTINGS,
    TENTH_WRONG,
    along_random,
    matrix,
    plant,
    usual,
)
from falsestruct.evidence import (
    Claims,
    Found,
    Pair,
    crossed,
    extreme,
    mean,
    said,
    share,
    summary,
    where,
)
from falsestruct.names import slug
from falsestruct.problems.planted import registry
from falsestruct.success import FOLLOWS, TAKES

TOLERANCE = 0.02
SHARES = (0.0, 1.0)
SHORT = {"stripes": "stripes", "oscillation": "oscillation", "digits-brightness": "digits"}
CURVE = ["problem", "architecture", "strength"]


# Predictions


def errors(table: pd.DataFrame, *, by: str) -> pd.Series:
    """|accuracy − prediction|, mean over the unseen mixtures: one number a network.

    Args:
        by: What predicts. "capture": ρ′ + (1 − ρ′)(1 − captured). "two numbers": with the accuracy
            where the structures agree instead of 1. "false", "original": P(g = f) and 1, which
            take no look at the network. "same": the accuracy on data like the training data.
    """
    captured, agreeing = table["captured"], table["agreeing"]
    given: dict[str, Callable[[float], Any]] = {
        "capture": lambda rho: _foretold(rho, captured),
        "two numbers": lambda rho: _foretold(rho, captured, agreeing),
        "false": lambda rho: rho,
        "original": lambda rho: 1.0,
        "same": lambda rho: table["same"],
    }
    if by not in given:
        raise ValueError(f"by is {by!r}; expected one of {', '.join(given)}")
    found = pd.concat([(table[f"at_{rho:g}"] - given[by](rho)).abs() for rho in MIXTURES], axis=1)
    return found.mean(axis=1)


def _foretold(rho: float, captured: pd.Series, agreeing: pd.Series | None = None) -> pd.Series:
    ones = np.ones(len(captured)) if agreeing is None else agreeing.to_numpy()
    found = success.foretold(rho, torch.tensor(captured.to_numpy()), torch.tensor(ones))
    return pd.Series(found.numpy(), captured.index)


def foretold_table(table: pd.DataFrame) -> pd.DataFrame:
    """Predicted and measured accuracy: a row a network, mixture and predictor.

    Columns: problem, by ("capture", "two numbers"), full (trained with full agreement), tested,
    predicted, measured.
    """
    about = {"problem": table["problem"], "full": table["rho"] == 1}
    parts = [
        pd.DataFrame(about | {"by": by, "tested": rho, "measured": table[f"at_{rho:g}"]}).assign(
            predicted=_foretold(rho, table["captured"], agreeing)
        )
        for by, agreeing in (("capture", None), ("two numbers", table["agreeing"]))
        for rho in MIXTURES
    ]
    return pd.concat(parts, ignore_index=True)


def at_usual(table: pd.DataFrame, rho: float) -> pd.DataFrame:
    """The networks trained at the usual strength with agreement ρ."""
    return table[(table["strength"] == _strengths(table)) & (table["rho"] == rho)]


def _strengths(table: pd.DataFrame) -> pd.Series:
    return table["problem"].map(registry.STRENGTHS)


def unseen_table(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on the unseen mixtures, trained with full agreement at the usual strength.

    Columns: problem, architecture, tested, accuracy, low, high (mean over networks, interval).
    """
    keys = ["problem", "architecture"]
    names = {f"at_{rho:g}": rho for rho in MIXTURES}
    long = at_usual(table, 1.0).melt(keys, list(names), "tested", "accuracy")
    return summary(
        long.assign(tested=long["tested"].map(names)), [*keys, "tested"], "accuracy",
        name="accuracy", measure=_of_shares,
    )  # fmt: skip


def _of_shares(values: Any) -> Found:
    return mean(values, bounds=SHARES)


def swept(table: pd.DataFrame) -> pd.DataFrame:
    """The networks of curves that were trained at all agreements that claims are about."""
    return table[table.groupby(CURVE)["rho"].transform("nunique") >= len(CLAIMED)]


def swept_table(table: pd.DataFrame) -> pd.DataFrame:
    """Capture against agreement in training: a row for each problem, architecture, strength and ρ.

    Columns: problem, architecture, strength, usual, rho, share, low, high (mean over networks with
    its interval), exceptions, familiar, agreeing (means).
    """
    own, keys = swept(table), [*CURVE, "rho"]
    means = own.groupby(keys, sort=False)[["exceptions", "familiar", "agreeing"]].mean()
    found = summary(own, keys, "captured", name="share", measure=_of_shares)
    found = found.merge(means.reset_index(), on=keys).sort_values("rho", kind="stable")
    order = own.drop_duplicates(CURVE)[CURVE].assign(order=lambda t: range(len(t)))
    found = found.merge(order, on=CURVE).sort_values("order", kind="stable", ignore_index=True)
    return found.drop(columns="order").assign(usual=found["strength"] == _strengths(found))


def comparable(table: pd.DataFrame) -> pd.DataFrame:
    """The networks at agreements that all strengths of their problem were trained with.

    A changeover is interpolated, so on different agreements strengths could not be compared.
    """
    own = swept(table)
    strengths = own.groupby("problem")["strength"].transform("nunique")
    return own[own.groupby(["problem", "rho"])["strength"].transform("nunique") == strengths]


def changeovers(table: pd.DataFrame) -> pd.DataFrame:
    """From which ρ in training networks take the false structure: a row a swept curve.

    Columns: problem, architecture, strength, changeover, low, high (median over seeds with its
    interval), never (share of seeds that don't even at ρ = 1; they count as 1), always (share that
    do at the smallest ρ already).
    """
    rows = []
    for group, curve in swept(table).groupby(CURVE, sort=False):
        wide = curve.pivot(index="seed", columns="rho", values="captured").dropna()
        values = torch.tensor(wide.columns.to_numpy(dtype=float))
        known = np.array([
            success.changeover(values, torch.tensor(row), level=TAKES) for row in wide.to_numpy()
        ])  # fmt: skip
        middle = statistics.median(np.minimum(known, 1.0))
        rows.append(
            dict(zip(CURVE, group, strict=True))
            | {"changeover": middle.value, "low": middle.low, "high": middle.high}
            | {"never": np.isinf(known).mean(), "always": (known <= wide.columns[0]).mean()}
        )
    return pd.DataFrame(rows)


# Evidence


def estimates(table: pd.DataFrame, small: pd.DataFrame) -> Claims:
    """Estimate and control of every claim of the chapter, by id.

    Args:
        table: Of all networks, as `networks_table` or built from `measure`.
        small: Of the networks trained with fewer images.
    """
    own = at_usual(table, 1.0)
    return {
        **cells(table),
        **_predictions(table),
        "success-exchange-flips": (
            worst(own, own["exchange"], min),
            worst(own, own["along"]),
        ),
        "success-exchange-is-capture": (
            worst(own, (own["exchange"] - own["captured"]).abs()),
            worst(own, (own["along"] - own["captured"]).abs(), min),
        ),
        **_wrong(table),
        "success-fewer-samples": _fewer_samples(table, small),
        "success-interventions-exact": exact_interventions(),
    }


def cells(table: pd.DataFrame) -> Claims:
    """One claim a problem and architecture: the false structure is taken, and explains success."""
    takes = (table["captured"] >= TAKES) & (errors(table, by="capture") <= TOLERANCE)
    full, half = (at_usual(table.assign(takes=takes), rho) for rho in (1.0, HALF))
    return {
        slug("success-agreement", SHORT[str(name)], architecture): (
            share(part["takes"]),
            share(where(half, problem=name, architecture=architecture)["takes"]),
        )
        for (name, architecture), part in full.groupby(["problem", "architecture"], sort=False)
    }


def _predictions(table: pd.DataFrame) -> Claims:
    full, less = where(table, rho=1.0), where(table, rho=lambda rho: rho < 1)
    fits = full["familiar"] >= FOLLOWS
    largest = full["problem"].map({name: max(s.strengths) for name, s in SETTINGS.items()})
    strongest = full[full["strength"] == largest]
    followers = where(full, captured=lambda share: share >= FOLLOWS)
    pairs = {
        "strongest-signal": (strongest, "false", strongest, "original"),
        "capture-foretells": (full, "capture", full, "same"),
        "capture-foretells-fitted": (full[fits], "capture", full[~fits], "capture"),
        "capture-below-one": (less, "capture", less, "false"),
        "two-numbers": (table, "two numbers", table, "same"),
    }
    found: Claims = {
        slug("success", id): (
            worst(own, errors(own, by=by)),
            worst(other, errors(other, by=to), min),
        )
        for id, (own, by, other, to) in pairs.items()
    }
    return found | {
        "success-other-strength": (
            worst(followers, followers["half_error"]),
            worst(followers, errors(followers, by="false")),
        )
    }


def _wrong(table: pd.DataFrame) -> Claims:
    """What networks do where the false structure no longer fits the training data."""
    own = swept(table).assign(takes=lambda t: t["captured"] >= TAKES)
    wrong, none = at_usual(own, TENTH_WRONG), at_usual(own, HALF)
    digits = where(wrong, problem="digits-brightness")
    return {
        **{
            slug("success-taken-though-wrong", short): (
                _each_kind(where(wrong, problem=name)),
                _each_kind(where(none, problem=name)),
            )
            for name, short in SHORT.items()
        },
        "success-exceptions-by-heart": (
            _more_than(digits["exceptions"], digits["at_0_each"]),
            _more_than(digits["familiar"], digits["agreeing_each"]),
        ),
    }


def _more_than(known: pd.Series, unseen: pd.Series) -> Found:
    """Accuracy on the training data less that on unseen inputs: networks × unseen inputs."""
    return crossed(known.to_numpy()[:, None] - matrix(unseen.tolist()), bounds=(-1.0, 1.0))


def _each_kind(part: pd.DataFrame) -> Found:
    several = part["architecture"].nunique() > 1
    return share(part["takes"], strata=part["architecture"] if several else None)


def _fewer_samples(table: pd.DataFrame, small: pd.DataFrame) -> Pair:
    """How much more success hangs on g with fewer images, paired by architecture and seed.

    Over networks × pairs of inputs: the probe's, where the structures agree, beside the test's.
    """
    both = small.merge(table, on=[*CURVE, "rho", "seed"], suffixes=("_small", "_usual"))
    wrong, none = (
        crossed(_hangs(part, "small") - _hangs(part, "usual"), bounds=(-2.0, 2.0))
        for part in (both[both["rho"] == rho] for rho in (TENTH_WRONG, HALF))
    )
    return wrong, none


def _hangs(both: pd.DataFrame, size: str) -> np.ndarray:
    names = (f"agreeing_each_{size}", f"at_0_each_{size}")
    agreeing, apart = (matrix(both[name].tolist()) for name in names)
    return agreeing - apart


def worst(
    table: pd.DataFrame,
    values: pd.Series,
    choose: Callable[..., statistics.Estimate] = max,
    *,
    bounds: statistics.Bounds = SHARES,
) -> Found:
    """Mean over networks in the problem where it is largest, or smallest with `min`.

    The architectures of a problem stand for others: they are the sample. Where there is only one,
    its networks are, at each of the strengths and agreements, which are chosen and count the same.
    """
    found = []
    for _, part in table.groupby("problem"):
        kinds, own = part["architecture"], values[part.index]
        if kinds.nunique() > 1:
            found.append(mean(own, within=kinds, bounds=bounds))
        else:
            cells = part["strength"].astype(str) + "/" + part["rho"].astype(str)
            found.append(mean(own, strata=cells, bounds=bounds))
    return extreme(found, choose)


def exact_interventions() -> Pair:
    """Largest deviation of the two structures from the proposition on interventions, and control.

    The control is the deviation of an exchange along a random direction.
    """
    right: list[float] = []
    wrong: list[float] = []
    for name in SETTINGS:
        given = plant(name)
        x, _ = given.draw(60, torch.Generator().manual_seed(HELD_OUT_SEED), held_out=True)
        for found, move in (
            (right, success.exchange), (right, success.randomise), (wrong, along_random(given)),
        ):  # fmt: skip
            generator = torch.Generator().manual_seed(INTERVENTION_SEED)
            found.append(success.deviation(given, x, move, generator))
    return statistics.exact(max(right)), statistics.exact(max(wrong))


# Numbers of the prose


def numbers(table: pd.DataFrame, small: pd.DataFrame) -> dict[str, float]:
    """The numbers that the chapter's prose shows, by name."""
    table = table.assign(short=table["problem"].map(SHORT))
    full, less = where(table, rho=1.0), where(table, rho=lambda rho: rho < 1)
    weakest = where(full, problem="oscillation", strength=lambda s: s < usual("oscillation"))
    common, paper = at_usual(table, 1.0), at_usual(where(table, architecture="paper's CNN"), 1.0)
    images, points = SETTINGS["stripes"].schedule, SETTINGS["oscillation"].schedule
    half = where(full, captured=lambda c: c >= FOLLOWS).assign(half=lambda t: t["half_captured"])
    changed = changeovers(table)
    changed = changed[changed["strength"] == _strengths(changed)]
    changed = changed.assign(
        short=changed["problem"].map(SHORT), first=changed["changeover"], last=changed["changeover"]
    )
    wrong = at_usual(table, TENTH_WRONG).assign(
        wrong=lambda t: t["captured"], known=lambda t: t["exceptions"], unseen=lambda t: t["at_0"]
    )
    return {
        "networks": float(len(table)),
        "least_success": common.groupby(["problem", "architecture"])["same"].mean().min(),
        "weak_agreeing": weakest["agreeing"].mean(),
        "weak_error": errors(weakest, by="capture").mean(),
        "small_captured": where(small, rho=TENTH_WRONG)["captured"].mean(),
        "paper_networks": float(len(paper)),
        "paper_taken": float((paper["captured"] >= TAKES).sum()),
        "most": float(images.steps),
        "steps": float(points.steps),
        "target": images.target or 0.0,
        **{f"samples_{SHORT[name]}": float(own.samples) for name, own in SETTINGS.items()},
        **{f"usual_{SHORT[name]}": usual(name) for name in SETTINGS},
        **said(less.assign(less=errors(less, by="capture")), "short", "less"),
        **said(half, "short", "half"),
        **said(common.assign(flipped=common["exchange"]), "short", "flipped"),
        **said(wrong, "short", ["wrong", "known", "unseen", "loss", "entropy"]),
        **said(where(wrong, problem="stripes"), "architecture", "wrong"),
        **said(changed, "short", "first", measure=pd.Series.min),
        **said(changed, "short", "last", measure=pd.Series.max),
    }
