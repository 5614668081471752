"""From the tables of chapter 06 to the estimates of its claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from falsestruct import statistics
from falsestruct.experiments.instability import SWEPT
from falsestruct.experiments.instability_rules import STRIPE_RADIUS, follower_ratio, stability
from falsestruct.problems.planted import STRENGTHS
from falsestruct.statistics import Estimate, exact, proportion

Pair = tuple[Estimate, Estimate]  # estimate and control

READS = 0.9  # share of the conflict set from which a network counts as a reader of one structure
BAND = (0.5, 2.0)  # sizes between half and twice the structure's distance count as its own
CONVOLUTIONS = ("pooled CNN", "paper's CNN")
BEHIND = 99.0  # how much longer the follower's hidden weights are than those it shows


@dataclass(frozen=True)
class Tables:
    """What the chapter measured: tables of `experiments.instability`, all problems in one.

    Attributes:
        networks: Of `networks`. adversaries: of `adversaries`. universals: of `universals`.
        gaps: Of `gaps`. rules: of `instability_rules.by_hand`.
    """

    networks: pd.DataFrame
    adversaries: pd.DataFrame
    universals: pd.DataFrame
    gaps: pd.DataFrame
    rules: pd.DataFrame


def estimates(tables: Tables, *, points: int) -> dict[str, Pair]:
    """Estimate and control of every claim of the chapter, by id."""
    return {
        **board(tables.networks),
        **of_structures(points=points),
        **of_attack(tables.gaps),
        **of_readers(tables),
        **of_directions(tables),
        **of_adversaries(tables.adversaries),
    }


def slug(architecture: str) -> str:
    """An architecture's name as the end of a claim's id."""
    return architecture.lower().replace("'s", "").replace(" ", "-")


def usual(networks: pd.DataFrame, rho: float) -> pd.DataFrame:
    """The networks trained at the usual strength and this ρ."""
    strengths = networks["problem"].map(STRENGTHS)
    return networks[np.isclose(networks["strength"], strengths) & (networks["rho"] == rho)]


def in_band(table: pd.DataFrame) -> np.ndarray:
    """Which networks have perturbations of the false structure's size, for either label."""
    low, high = BAND
    both = [table[f"ratio_{label}"].between(low, high) for label in (0, 1)]
    return np.asarray(both[0] & both[1], dtype=bool)


def board(networks: pd.DataFrame) -> dict[str, Pair]:
    """One claim a problem and architecture: does the network have the false structure's instability?"""
    found = {}
    free = usual(networks, 0.5)
    for (problem, name), own in usual(networks, 1.0).groupby(["problem", "architecture"]):
        other = free[(free["problem"] == problem) & (free["architecture"] == name)]
        inherits = in_band(own) & (own["capture"] >= READS).to_numpy()
        pair = proportion(inherits), proportion(in_band(other))
        found[f"instability-{problem}-{slug(str(name))}"] = pair
    return found


def of_structures(*, points: int) -> dict[str, Pair]:
    """The structures' own radii, and the network that agrees with one on the data only."""
    factors = {"stripes": 10.0, "oscillation": 10.0, "digits-brightness": 0.1}
    found = {
        f"instability-structure-{name}": (
            stability(name, points=points),
            stability(name, factor=factor, points=points),
        )
        for name, factor in factors.items()
    }
    pair = follower_ratio(size=BEHIND)[0], follower_ratio(size=0.0)[0]
    return found | {"instability-nothing-follows": pair}


def of_attack(gaps: pd.DataFrame) -> dict[str, Pair]:
    """How close the attack comes to the exact distance, and what the mirror image bounds."""
    worst = gaps.groupby(["rho", "seed"])["worst"].max().to_numpy()
    hinted, free = gaps[gaps["rho"] == 1.0], gaps[gaps["rho"] == 0.5]
    return {
        "instability-attack-gap": (
            statistics.mean(np.maximum(worst, 0.0)), exact(gaps["weak"].max(), len(worst)),
        ),
        "instability-reflection": (
            exact(hinted["mirrored"].max(), len(hinted)), exact(free["other"].max(), len(free)),
        ),
    }  # fmt: skip


def of_readers(tables: Tables) -> dict[str, Pair]:
    """Does the size follow the structure's? Slopes, pairs of readers, readers of the original."""
    networks, found = tables.networks, {}
    for problem, name in SWEPT.items():
        own = networks[(networks["problem"] == problem) & (networks["architecture"] == name)]
        readers = own[(own["rho"] == 1.0) & (own["capture"] >= READS)]
        pair = (
            _mean(slopes(readers), nothing=(0.0, 2.0)),
            _mean(slopes(own[own["rho"] == 0.5]), nothing=(0.0, 1.0)),
        )
        found[f"instability-slope-{problem}"] = pair
    for id, names in _PAIRED.items():
        problem = "digits-brightness" if id.startswith("digits") else "stripes"
        own = networks[networks["problem"] == problem]
        own = own[own["architecture"].isin(names)] if names else own
        pair = (
            _mean(quotients(usual(own, 1.0), usual(own, 0.5)), geometric=True),
            _mean(_faint_quotients(networks, problem), geometric=True),
        )
        found[f"instability-readers-{id}"] = pair
    free = usual(networks[networks["problem"] == "stripes"], 0.5)
    originals = free[free["capture"] <= 1 - READS]["size"] / STRIPE_RADIUS
    rule = tables.rules[(tables.rules["problem"] == "stripes") & (tables.rules["rule"] == "original")]
    found["instability-original-inherits"] = (
        _mean(originals, geometric=True), exact((rule["size"] / STRIPE_RADIUS).iloc[0]),
    )  # fmt: skip
    return found


_PAIRED: dict[str, Sequence[str]] = {
    "dense": ("linear", "MLP", "deep MLP"),
    "convolutions": CONVOLUTIONS,
    "digits-brightness": (),
}


def slopes(table: pd.DataFrame) -> list[float]:
    """Slope of log size against log radius of each seed that has at least two strengths."""
    found = []
    for _, own in table.groupby("seed"):
        if own["radius"].nunique() > 1:
            found.append(float(np.polyfit(np.log(own["radius"]), np.log(own["size"]), 1)[0]))
    return found


def quotients(false: pd.DataFrame, original: pd.DataFrame) -> pd.Series:
    """Size of each reader of the false structure over that of its pair, who reads the original."""
    left, right = false[false["capture"] >= READS], original[original["capture"] <= 1 - READS]
    pairs = left.merge(right, on=["architecture", "seed"], suffixes=("_false", "_original"))
    return pairs["size_false"] / pairs["size_original"]


def _faint_quotients(networks: pd.DataFrame, problem: str) -> pd.Series:
    """The same quotient, whatever they read, where the false signal is weakest."""
    own = networks[(networks["problem"] == problem) & (networks["architecture"] == SWEPT[problem])]
    weakest = own[own["strength"] == own["strength"].min()]
    left, right = weakest[weakest["rho"] == 1.0], weakest[weakest["rho"] == 0.5]
    pairs = left.merge(right, on=["architecture", "seed"], suffixes=("_false", "_original"))
    return pairs["size_false"] / pairs["size_original"]


def of_directions(tables: Tables) -> dict[str, Pair]:
    """Do perturbations point along the false structure's normal, one by one and for all inputs?"""
    found = {}
    for problem in SWEPT:
        own = tables.networks[tables.networks["problem"] == problem]
        readers = usual(own, 1.0)
        pair = (
            _mean(readers[readers["capture"] >= READS]["cosine"], nothing=(0.0, 1.0)),
            _mean(usual(own, 0.5)["cosine"], nothing=(0.0, 1.0)),
        )
        found[f"instability-cosine-{problem}"] = pair
    for problem, own in tables.universals.groupby("problem"):
        readers = own[(own["capture"] >= READS) & (own["found"] > 0)]
        pair = (
            _mean(readers["own"] / readers["found"], nothing=(0.0, 2.0)),
            _mean(readers["random"] / readers["found"], nothing=(0.0, 2.0)),
        )
        found[f"instability-universal-{problem}"] = pair
    return found


def of_adversaries(table: pd.DataFrame) -> dict[str, Pair]:
    """What adversarial training changes: the structure captured, success, steps."""
    found = {}
    for problem, own in table.groupby("problem"):
        shares = {
            str(variant): proportion((part["capture"] <= 1 - READS).to_numpy())
            for variant, part in own.groupby("variant")
        }
        control = max((shares["faint"], shares["noise"]), key=lambda share: share.value)
        found[f"instability-adversary-{problem}"] = shares["adversary"], control
    own = table[table["problem"] == "stripes"]
    part = {str(v): rows.set_index("seed") for v, rows in own.groupby("variant")}
    plain, adversary, faint = part["plain"], part["adversary"], part["faint"]
    found["instability-adversary-success"] = (
        statistics.paired_difference(plain["success"], adversary["success"]),
        statistics.paired_difference(plain["conflict"], adversary["conflict"]),
    )
    found["instability-adversary-simplicity"] = (
        statistics.geometric_mean(adversary["steps"] / plain["steps"]),
        statistics.geometric_mean(faint["steps"] / plain["steps"]),
    )
    return found


def _mean(
    values: Sequence[float] | pd.Series,
    *,
    geometric: bool = False,
    nothing: tuple[float, float] = (1e-3, 1e3),
) -> Estimate:
    """Mean over networks; the whole range `nothing` where fewer than two networks qualify.

    No rule is fulfilled by such a range, so that a claim about networks that don't exist is
    inconclusive.
    """
    numbers = np.asarray(values, dtype=float)
    if len(numbers) < 2:
        low, high = nothing
        middle = (low * high) ** 0.5 if geometric else (low + high) / 2
        return Estimate(middle, low, high, 1, "too few networks qualify")
    average: Callable[..., Estimate] = statistics.geometric_mean if geometric else statistics.mean
    return average(numbers)


def summary(found: Mapping[str, Pair]) -> pd.DataFrame:
    """Estimates and controls as a table: id, value, low, high, n, control."""
    return pd.DataFrame([
        {"id": id, "value": e.value, "low": e.low, "high": e.high, "n": e.n, "control": c.value}
        for id, (e, c) in found.items()
    ])  # fmt: skip
