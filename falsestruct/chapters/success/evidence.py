"""What chapter 05 makes of its networks: predictions, tables for figures, evidence for claims.

Everything starts from the table of `experiments.success`, one row a network, whoever trained it.
"""

from __future__ import annotations

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
    plant,
    random_direction,
    usual,
)
from falsestruct.problems.planted import Planted, registry
from falsestruct.statistics import Estimate

Evidence = dict[str, tuple[Estimate, Estimate]]  # by claim: estimate and control

TAKES = 0.75  # "sides with": on at least this share of a conflict set; a constant answer doesn't
FOLLOWS = 0.95
TOLERANCE = 0.02
SHORT = {"stripes": "stripes", "oscillation": "oscillation", "digits-brightness": "digits"}
CURVE = ["problem", "architecture", "strength"]


# Predictions


def errors(table: pd.DataFrame, *, by: str) -> pd.Series[float]:
    """|accuracy − prediction|, mean over the unseen mixtures: one number a network.

    Args:
        by: What predicts. "capture": ρ′ + (1 − ρ′)(1 − captured). "two numbers": with the accuracy
            where the structures agree instead of 1. "false", "original": P(g = f) and 1, which
            take no look at the network. "same": the accuracy on data like the training data.
    """
    captured, ones = torch.tensor(table["captured"].to_numpy()), torch.ones(len(table)).double()
    agreeing = torch.tensor(table["agreeing"].to_numpy())
    given: dict[str, Any] = {
        "capture": lambda share: success.foretold(share, captured),
        "two numbers": lambda share: success.foretold(share, captured, agreeing),
        "false": lambda share: success.foretold(share, ones),
        "original": lambda share: success.foretold(share, 0 * ones),
        "same": lambda share: torch.tensor(table["same"].to_numpy()),
    }
    if by not in given:
        raise ValueError(f"by is {by!r}; expected one of {', '.join(given)}")
    found = [
        np.abs(table[f"at_{share:g}"].to_numpy() - given[by](share).numpy()) for share in MIXTURES
    ]
    return pd.Series(np.mean(found, axis=0), index=table.index, dtype=float)


def foretold_table(table: pd.DataFrame) -> pd.DataFrame:
    """Predicted and measured accuracy: a row a network, mixture and predictor.

    Columns: problem, by ("capture", "two numbers"), full (trained with full agreement), tested,
    predicted, measured.
    """
    parts = []
    for by, agreeing in (("capture", 1.0), ("two numbers", table["agreeing"])):
        for share in MIXTURES:
            predicted = share * agreeing + (1 - share) * (1 - table["captured"])
            columns = {"problem": table["problem"], "by": by, "full": table["rho"] == 1}
            measured = {"predicted": predicted, "measured": table[f"at_{share:g}"]}
            parts.append(pd.DataFrame(columns | {"tested": share} | measured))
    return pd.concat(parts, ignore_index=True)


def unseen_table(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on the unseen mixtures, trained with full agreement at the usual strength.

    Columns: problem, architecture, tested, accuracy, low, high (mean over networks, interval).
    """
    rows = []
    for (name, architecture), own in at_usual(table, 1.0).groupby(
        ["problem", "architecture"], sort=False
    ):
        for share in MIXTURES:
            found = statistics.mean(own[f"at_{share:g}"].to_numpy())
            rows.append(
                {"problem": name, "architecture": architecture, "tested": share}
                | {"accuracy": found.value, "low": found.low, "high": found.high}
            )
    return pd.DataFrame(rows)


def at_usual(table: pd.DataFrame, rho: float) -> pd.DataFrame:
    """The networks trained at the usual strength with agreement ρ."""
    strength = table["problem"].map(registry.STRENGTHS)
    return table[(table["strength"] == strength) & (table["rho"] == rho)]


def swept_table(table: pd.DataFrame) -> pd.DataFrame:
    """Capture against agreement in training: a row for each problem, architecture, strength and ρ.

    Columns: problem, architecture, strength, usual, rho, share, low, high (mean over networks with
    its interval), exceptions, familiar, agreeing (means).
    """
    rows = []
    for (name, architecture, strength), curve in table.groupby(CURVE, sort=False):
        if curve["rho"].nunique() < len(CLAIMED):  # not swept
            continue
        for rho, own in curve.groupby("rho"):
            found = statistics.mean(own["captured"].to_numpy())
            means = own[["exceptions", "familiar", "agreeing"]].mean().to_dict()
            rows.append(
                dict(zip(CURVE, (name, architecture, strength), strict=True))
                | {"usual": strength == registry.STRENGTHS[str(name)], "rho": rho}
                | {"share": found.value, "low": found.low, "high": found.high, **means}
            )
    return pd.DataFrame(rows)


def comparable(table: pd.DataFrame) -> pd.DataFrame:
    """The networks at agreements that all strengths of their problem were trained with.

    A changeover is interpolated, so on different agreements strengths could not be compared.
    """
    swept = table[table.groupby(CURVE)["rho"].transform("nunique") >= len(CLAIMED)]
    strengths = swept.groupby("problem")["strength"].transform("nunique")
    present = swept.groupby(["problem", "rho"])["strength"].transform("nunique")
    return swept[present == strengths]


def changeovers(table: pd.DataFrame) -> pd.DataFrame:
    """From which ρ in training networks take the false structure: a row a swept curve.

    Columns: problem, architecture, strength, changeover, low, high (median over seeds with its
    interval), never (share of seeds that don't even at ρ = 1; they count as 1), always (share that
    do at the smallest ρ already).
    """
    rows = []
    for group, curve in table.groupby(CURVE, sort=False):
        if curve["rho"].nunique() < len(CLAIMED):
            continue
        found = []
        complete = curve.groupby("seed")["rho"].transform("size") == curve["rho"].nunique()
        for _, own in curve[complete].groupby("seed"):
            points = own.sort_values("rho")
            values, share = (torch.tensor(points[c].to_numpy()) for c in ("rho", "captured"))
            found.append(success.changeover(values, share, level=TAKES))
        known = np.array(found)
        middle = statistics.median(np.minimum(known, 1.0))
        rows.append(
            dict(zip(CURVE, group, strict=True))
            | {"changeover": middle.value, "low": middle.low, "high": middle.high}
            | {"never": np.isinf(known).mean(), "always": (known <= curve["rho"].min()).mean()}
        )
    return pd.DataFrame(rows)


# Evidence


def estimates(table: pd.DataFrame, small: pd.DataFrame) -> Evidence:
    """Estimate and control of every claim of the chapter, by id.

    Args:
        table: Of all networks, as `networks_table` or built from `measure`.
        small: Of the networks trained with fewer images.
    """
    return (
        cells(table)
        | _predictions(table)
        | _interventions_evidence(table)
        | _wrong_evidence(table)
        | {"success-fewer-samples": _fewer_samples(table, small)}
        | {"success-interventions-exact": exact_interventions()}
    )


def cells(table: pd.DataFrame) -> Evidence:
    """One claim a problem and architecture: the false structure is taken, and explains success."""
    found = {}
    explained = (table["captured"] >= TAKES) & (errors(table, by="capture") <= TOLERANCE)
    for (name, architecture), own in table.groupby(["problem", "architecture"], sort=False):
        both = [
            statistics.proportion(explained[at_usual(own, rho).index].to_numpy())
            for rho in (1.0, HALF)
        ]
        id = f"success-agreement-{SHORT[str(name)]}-{slug(str(architecture))}"
        found[id] = (both[0], both[1])
    return found


def slug(architecture: str) -> str:
    """An architecture's name in the id of a claim: paper's CNN, paper-cnn."""
    return architecture.lower().replace("'s", "").replace(" ", "-")


def _predictions(table: pd.DataFrame) -> Evidence:
    full, less = table[table["rho"] == 1], table[table["rho"] < 1]
    fits = full["familiar"] >= FOLLOWS
    largest = full["problem"].map({name: max(s.strengths) for name, s in SETTINGS.items()})
    strongest = full[full["strength"] == largest]
    followers = full[full["captured"] >= FOLLOWS]
    pairs = {
        "success-strongest-signal": (strongest, "false", strongest, "original"),
        "success-capture-foretells": (full, "capture", full, "same"),
        "success-capture-foretells-fitted": (full[fits], "capture", full[~fits], "capture"),
        "success-capture-below-one": (less, "capture", less, "false"),
        "success-two-numbers": (table, "two numbers", table, "same"),
    }
    found = {
        id: (worst(own, errors(own, by=by)), worst(other, errors(other, by=to), smallest=True))
        for id, (own, by, other, to) in pairs.items()
    }
    follow = (
        worst(followers, followers["half_error"]),
        worst(followers, errors(followers, by="false")),
    )
    return found | {"success-other-strength": follow}


def _interventions_evidence(table: pd.DataFrame) -> Evidence:
    own = at_usual(table, 1.0)
    return {
        "success-exchange-flips": (
            worst(own, own["exchange"], smallest=True),
            worst(own, own["along"]),
        ),
        "success-exchange-is-capture": (
            worst(own, (own["exchange"] - own["captured"]).abs()),
            worst(own, (own["along"] - own["captured"]).abs(), smallest=True),
        ),
    }


def _wrong_evidence(table: pd.DataFrame) -> Evidence:
    """What networks do where the false structure no longer fits the training data."""
    swept = table[table.groupby(CURVE)["rho"].transform("nunique") >= len(CLAIMED)]
    wrong, none = at_usual(swept, TENTH_WRONG), at_usual(swept, HALF)
    found = {}
    for name, short in SHORT.items():
        shares = [
            statistics.proportion((part["captured"] >= TAKES)[part["problem"] == name].to_numpy())
            for part in (wrong, none)
        ]
        found[f"success-taken-though-wrong-{short}"] = (shares[0], shares[1])
    own = wrong[wrong["problem"] == "digits-brightness"]
    found["success-exceptions-by-heart"] = (
        statistics.paired_difference(*own[["exceptions", "at_0"]].to_numpy().T),
        statistics.paired_difference(*own[["familiar", "agreeing"]].to_numpy().T),
    )
    return found


def _fewer_samples(table: pd.DataFrame, small: pd.DataFrame) -> tuple[Estimate, Estimate]:
    """How much more success hangs on g with fewer images, paired by architecture and seed."""
    found = []
    keys = ["problem", "architecture", "strength", "rho", "seed"]
    both = small.merge(table, on=keys, suffixes=("_small", "_usual"))
    for rho in (TENTH_WRONG, HALF):
        own = both[both["rho"] == rho]
        hangs = [own[f"agreeing_{size}"] - own[f"at_0_{size}"] for size in ("small", "usual")]
        found.append(statistics.paired_difference(*(part.to_numpy() for part in hangs)))
    return found[0], found[1]


def worst(table: pd.DataFrame, values: pd.Series[float], *, smallest: bool = False) -> Estimate:
    """Mean over networks in the problem where it is largest, or smallest.

    Problems with fewer than two networks are left out. If none is left, nothing was shown: 1 where
    the largest error is asked for, 0 where the smallest.
    """
    parts = [part for _, part in values.groupby(table["problem"]) if len(part) >= 2]
    if not parts:
        return statistics.exact(0.0 if smallest else 1.0)
    means = [statistics.mean(part.to_numpy()) for part in parts]
    choose = min if smallest else max
    return choose(means, key=lambda estimate: estimate.value)


def exact_interventions() -> tuple[Estimate, Estimate]:
    """Largest deviation of the two structures from the proposition on interventions, and control.

    The control is the deviation of an exchange along a random direction.
    """
    deviations, controls = [], []
    for name in SETTINGS:
        given = plant(name)
        x, _ = given.draw(60, torch.Generator().manual_seed(HELD_OUT_SEED), held_out=True)
        exchanged, random, along = (
            _moved(given, x, move)
            for move in (success.exchange, success.randomise, _exchange_along)
        )
        everywhere = torch.ones(len(x), dtype=torch.bool)
        deviations.append(_deviation(given, x, exchanged, everywhere))
        deviations.append(_deviation(given, x, random, _crossed(given, x, random)))
        controls.append(_deviation(given, x, along, everywhere))
    return statistics.exact(max(deviations)), statistics.exact(max(controls))


def _moved(given: Planted, x: torch.Tensor, move: success.Intervention) -> torch.Tensor:
    return move(given, x, torch.Generator().manual_seed(INTERVENTION_SEED))


def _exchange_along(given: Planted, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return success.exchange(given, x, generator, along=random_direction(given))


def _crossed(given: Planted, x: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """Which inputs got a component on the other side of the level, (samples,)."""
    before, after = (success.component(given, inputs) > given.level for inputs in (x, moved))
    return before != after


def _deviation(
    given: Planted, x: torch.Tensor, moved: torch.Tensor, crossed: torch.Tensor
) -> float:
    """Share of inputs where g does not change exactly where it should, or f changes at all."""
    false = (given.false(moved) != given.false(x)) != crossed
    original = given.original(moved) != given.original(x)
    return max(false.double().mean().item(), original.double().mean().item())


def numbers(table: pd.DataFrame, small: pd.DataFrame) -> dict[str, float]:
    """The numbers that the chapter's prose shows, by name."""
    full, less = table[table["rho"] == 1], table[table["rho"] < 1]
    weakest = full[(full["problem"] == "oscillation") & (full["strength"] < usual("oscillation"))]
    paper = at_usual(table[table["architecture"] == "paper's CNN"], 1.0)
    found = {
        "networks": float(len(table)),
        "least_success": at_usual(table, 1.0)
        .groupby(["problem", "architecture"])["same"]
        .mean()
        .min(),
        "weak_agreeing": weakest["agreeing"].mean(),
        "weak_error": errors(weakest, by="capture").mean(),
        "small_captured": small.loc[small["rho"] == TENTH_WRONG, "captured"].mean(),
        "paper_networks": float(len(paper)),
        "paper_taken": float((paper["captured"] >= TAKES).sum()),
    }
    missed = errors(less, by="capture").groupby(less["problem"]).mean()
    found |= {f"less_{SHORT[str(name)]}": error for name, error in missed.items()}
    followers = full[full["captured"] >= FOLLOWS]
    halves = followers.groupby("problem")["half_captured"].mean()
    found |= {f"half_{SHORT[str(name)]}": share for name, share in halves.items()}
    found |= {f"samples_{SHORT[name]}": float(own.samples) for name, own in SETTINGS.items()}
    found |= {f"usual_{SHORT[name]}": usual(name) for name in SETTINGS}
    images, points = SETTINGS["stripes"].schedule, SETTINGS["oscillation"].schedule
    found |= {"most": float(images.steps), "steps": float(points.steps)}
    found["target"] = images.target or 0.0
    return found | _wrong_numbers(table) | _passages(table)


def _wrong_numbers(table: pd.DataFrame) -> dict[str, float]:
    """Means over the networks for which one example in ten is an exception."""
    wrong, found = at_usual(table, TENTH_WRONG), {}
    columns = {
        "wrong": "captured", "known": "exceptions", "unseen": "at_0", "loss": "loss",
        "entropy": "entropy",
    }  # fmt: skip
    for name, part in wrong.groupby("problem"):
        for short, column in columns.items():
            found[f"{short}_{SHORT[str(name)]}"] = part[column].mean()
    stripes = wrong[wrong["problem"] == "stripes"].groupby("architecture")["captured"].mean()
    return found | {"wrong_" + str(k).replace(" ", "_"): v for k, v in stripes.items()}


def _passages(table: pd.DataFrame) -> dict[str, float]:
    """Where networks change over at the usual strength: the first and last architecture."""
    changed = changeovers(table)
    common = changed[changed["strength"] == changed["problem"].map(registry.STRENGTHS)]
    found = {}
    for name, part in common.groupby("problem"):
        found[f"first_{SHORT[str(name)]}"] = part["changeover"].min()
        found[f"last_{SHORT[str(name)]}"] = part["changeover"].max()
    return found
