"""From the tables of chapter 06 to the estimates of its claims."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from falsestruct import statistics
from falsestruct.chapters.instability.measure import SWEPT, TEST_SEED
from falsestruct.chapters.instability.rules import STRIPE_RADIUS, follower_ratio, radii, stability
from falsestruct.problems.planted.registry import STRENGTHS, by_name
from falsestruct.statistics import Estimate, exact, proportion

Pair = tuple[Estimate, Estimate]  # estimate and control

READS = 0.9  # share of the conflict set from which a network counts as a reader of one structure
BAND = (0.5, 2.0)  # sizes between half and twice the structure's distance count as its own
TRAINED = {"ρ = 1": 1.0, "ρ = 1/2": 0.5}
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
        **of_readers(tables.networks, tables.rules),
        **of_directions(tables.networks, tables.universals),
        **of_adversaries(tables.adversaries),
    }


def slug(architecture: str) -> str:
    """An architecture's name as the end of a claim's id."""
    return architecture.lower().replace("'s", "").replace(" ", "-")


def usual(networks: pd.DataFrame, rho: float) -> pd.DataFrame:
    """The networks trained at the usual strength and this ρ."""
    strengths = networks["problem"].map(STRENGTHS).astype(float)  # a problem may be left out
    return networks[np.isclose(networks["strength"], strengths) & (networks["rho"] == rho)]


def in_band(table: pd.DataFrame) -> np.ndarray:
    """Which networks have perturbations of the false structure's size, for either label."""
    low, high = BAND
    both = [table[f"ratio_{label}"].between(low, high) for label in (0, 1)]
    return np.asarray(both[0] & both[1], dtype=bool)


def board(networks: pd.DataFrame) -> dict[str, Pair]:
    """One claim a problem and architecture: has the network the false structure's instability?"""
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
            exact(hinted["mirrored"].max(), hinted["seed"].nunique()),
            exact(free["other"].max(), free["seed"].nunique()),
        ),
    }  # fmt: skip


def of_readers(networks: pd.DataFrame, rules: pd.DataFrame) -> dict[str, Pair]:
    """Does the size follow the structure's? Slopes, pairs of readers, readers of the original."""
    found = {}
    for problem, name in SWEPT.items():
        own = networks[(networks["problem"] == problem) & (networks["architecture"] == name)]
        readers = own[(own["rho"] == 1.0) & (own["capture"] >= READS)]
        pair = (
            _mean(slopes(readers), nothing=(0.0, 2.0)),
            _mean(slopes(own[own["rho"] == 0.5]), nothing=(0.0, 1.0)),
        )
        found[f"instability-slope-{problem}"] = pair
    for id, (problem, names) in _PAIRED.items():
        own = networks[networks["problem"] == problem]
        pairs = quotients(own)
        faint = _faint_quotients(own[own["architecture"] == SWEPT[problem]])
        found[f"instability-readers-{id}"] = (
            _mean(pairs[pairs["architecture"].isin(names)]["quotient"], geometric=True),
            _mean(faint, geometric=True),
        )
    free = usual(networks[networks["problem"] == "stripes"], 0.5)
    originals = free[free["capture"] <= 1 - READS]["size"] / STRIPE_RADIUS
    rule = rules[(rules["problem"] == "stripes") & (rules["rule"] == "original")]
    found["instability-original-inherits"] = (
        _mean(originals, geometric=True),
        exact((rule["size"] / STRIPE_RADIUS).iloc[0]),
    )
    return found


_PAIRED = {
    "dense": ("stripes", ("linear", "MLP", "deep MLP")),
    "convolutions": ("stripes", ("pooled CNN", "paper's CNN")),
    "digits-brightness": ("digits-brightness", ("linear", "MLP", "deep MLP", "CNN", "attention")),
}


def slopes(table: pd.DataFrame) -> list[float]:
    """Slope of log size against log radius of each seed that has at least two strengths."""
    found = []
    for _, own in table.groupby("seed"):
        if own["radius"].nunique() > 1:
            found.append(float(np.polyfit(np.log(own["radius"]), np.log(own["size"]), 1)[0]))
    return found


def quotients(networks: pd.DataFrame) -> pd.DataFrame:
    """Size of each reader of the false structure over that of its pair, who reads the original.

    Of one problem at the usual strength. Columns: architecture, seed, quotient.
    """
    left, right = usual(networks, 1.0), usual(networks, 0.5)
    return _pairs(left[left["capture"] >= READS], right[right["capture"] <= 1 - READS])


def _faint_quotients(networks: pd.DataFrame) -> pd.Series:
    """The same quotient, whatever they read, where the false signal is weakest."""
    weakest = networks[networks["strength"] == networks["strength"].min()]
    return _pairs(weakest[weakest["rho"] == 1.0], weakest[weakest["rho"] == 0.5])["quotient"]


def _pairs(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    pairs = left.merge(right, on=["architecture", "seed"], suffixes=("_left", "_right"))
    quotient = pairs["size_left"] / pairs["size_right"]
    return pairs[["architecture", "seed"]].assign(quotient=quotient)


def of_directions(networks: pd.DataFrame, universals: pd.DataFrame) -> dict[str, Pair]:
    """Do perturbations point along the false structure's normal, one by one and for all inputs?"""
    found = {}
    for problem in SWEPT:
        own = networks[networks["problem"] == problem]
        readers = usual(own, 1.0)
        pair = (
            _mean(readers[readers["capture"] >= READS]["cosine"].dropna(), nothing=(0.0, 1.0)),
            _mean(usual(own, 0.5)["cosine"].dropna(), nothing=(0.0, 1.0)),
        )
        found[f"instability-cosine-{problem}"] = pair
    for name, own in universals.groupby("problem"):
        readers = own[(own["capture"] >= READS) & (own["found"] > 0)]
        pair = (
            _mean(readers["own"] / readers["found"], nothing=(0.0, 2.0)),
            _mean(readers["random"] / readers["found"], nothing=(0.0, 2.0)),
        )
        found[f"instability-universal-{name}"] = pair
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
        _paired(plain, adversary, "success"),
        _paired(plain, adversary, "conflict"),
    )
    found["instability-adversary-simplicity"] = (
        _mean(adversary["steps"] / plain["steps"], geometric=True),
        _mean(faint["steps"] / plain["steps"], geometric=True),
    )
    return found


def _paired(left: pd.DataFrame, right: pd.DataFrame, column: str) -> Estimate:
    return statistics.paired_difference(left[column].to_numpy(), right[column].to_numpy())


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


def size_table(networks: pd.DataFrame) -> pd.DataFrame:
    """What `plots.instability.sizes` draws, one row a network."""
    group = np.select(
        [networks["capture"] >= READS, networks["capture"] <= 1 - READS],
        ["reads the false structure", "reads the original"],
        "a mixture, or neither",
    )
    known = {"stripes": STRIPE_RADIUS, "oscillation": _oscillation_radius()}
    original = networks["problem"].map(known)
    return networks[["problem", "radius", "size"]].assign(group=group, original=original)


def _oscillation_radius() -> float:
    own = by_name("oscillation")
    x, _ = own.draw(100, torch.Generator().manual_seed(TEST_SEED))
    return float(radii(own, x)[0].quantile(0.5))


def ratio_table(networks: pd.DataFrame) -> pd.DataFrame:
    """What `plots.instability.ratios` draws: geometric means over networks, by label and ρ."""
    rows = []
    for trained, rho in TRAINED.items():
        for (problem, name), own in usual(networks, rho).groupby(
            ["problem", "architecture"], sort=False
        ):
            for label in (0, 1):
                value = _mean(own[f"ratio_{label}"], geometric=True)
                rows.append(
                    {"problem": problem, "architecture": name, "trained": trained, "label": label}
                    | {"value": value.value, "low": value.low, "high": value.high}
                )
    return pd.DataFrame(rows)


def cosine_table(networks: pd.DataFrame) -> pd.DataFrame:
    """What `plots.instability.cosines` draws, one row a network."""
    parts = []
    for trained, rho in TRAINED.items():
        own = usual(networks, rho)[["problem", "architecture", "cosine"]]
        parts.append(own.assign(trained=trained))
    table = pd.concat(parts, ignore_index=True).dropna()
    return table.assign(chance=table["problem"].map(chance))


def chance(problem: str) -> float:
    """Mean |cos| of a random direction in d inputs and a fixed one: Γ(d/2) / (√π Γ((d+1)/2))."""
    d = by_name(problem).direction.numel()
    return math.exp(math.lgamma(d / 2) - math.lgamma((d + 1) / 2)) / math.sqrt(math.pi)


def adversary_table(table: pd.DataFrame) -> pd.DataFrame:
    """What `plots.instability.adversaries` draws: means over seeds with intervals."""
    rows = []
    columns = {"original": "conflict", "accuracy": "success", "robust": "robust", "steps": "steps"}
    for (problem, variant), own in table.groupby(["problem", "variant"], sort=False):
        for what, column in columns.items():
            value = _mean(own[column])
            rows.append(
                {"problem": problem, "variant": variant, "what": what, "value": value.value}
                | {"low": value.low, "high": value.high}
            )
    return pd.DataFrame(rows)


def said_of_gaps(gaps: pd.DataFrame) -> dict[str, float]:
    """Numbers for the prose: excesses in percent, HiGHS against the list, the mirror's share.

    gap_hinted: Of networks trained with the hint. gap_near: where distances are below `LARGE`.
    """
    return {
        **{f"gap_{name}": 100 * gaps[name].max() for name in ("worst", "near")},
        "gap_hinted": 100 * max(gaps[gaps["rho"] == 1.0]["worst"].max(), 0.0),
        "solver": gaps["solver"].max(),
        "binaries": float(gaps["binaries"].max()),
        "mirrored": 2 * gaps["mirrored"].max(),
    }


def said_of_sizes(networks: pd.DataFrame, rules: pd.DataFrame) -> dict[str, float]:
    """Numbers for the prose: geometric means of sizes and quotients at the usual strength.

    Keys: `PROBLEM_SLUG_half` (size at ρ = 1/2), `PROBLEM_SLUG_quotient`, `rule_PROBLEM` (size of
    the original as a network), `linear_0`, `linear_1` (ratios of the stripes' linear network).
    """
    found = {}
    for problem, own in networks.groupby("problem"):
        for name, part in usual(own, 0.5).groupby("architecture"):
            found[f"{_key(problem, name)}_half"] = _geometric(part["size"])
        for name, part in quotients(own).groupby("architecture"):
            found[f"{_key(problem, name)}_quotient"] = _geometric(part["quotient"])
    for problem, own in rules[rules["rule"] == "original"].groupby("problem"):
        found[f"rule_{problem}"] = float(own["size"].iloc[0])
    strong = usual(networks[networks["problem"] == "stripes"], 1.0)
    linear = strong[strong["architecture"] == "linear"]
    if len(linear):
        found |= {f"linear_{i}": float(linear[f"ratio_{i}"].mean()) for i in (0, 1)}
    return found


def _key(problem: object, architecture: object) -> str:
    return f"{problem}_{slug(str(architecture))}".replace("-", "_")


def _geometric(values: pd.Series) -> float:
    return float(np.exp(np.log(values).mean()))


def said_of_shares(universals: pd.DataFrame) -> dict[str, float]:
    """Numbers for the prose: shares that a perturbation a label flips, `own_PROBLEM` and so on."""
    found = _means(universals, ("own", "found", "random"))
    return found | {"plane_chance": chance("oscillation")}


def said_of_adversaries(table: pd.DataFrame) -> dict[str, float]:
    """Numbers for the prose: means under the adversary, `size_PROBLEM` and so on.

    sane_else: share of all networks but those of the oscillation that pass the sanity checks.
    """
    columns = ("size", "success", "conflict", "robust", "surviving")
    found = _means(table[table["variant"] == "adversary"], columns)
    elsewhere = table[table["problem"] != "oscillation"]
    return found | {"sane_else": float(elsewhere["sane"].mean())}


def _means(table: pd.DataFrame, columns: Sequence[str]) -> dict[str, float]:
    return {
        f"{column}_{str(problem).split('-')[0]}": float(own[column].mean())
        for problem, own in table.groupby("problem")
        for column in columns
    }


def said_of_checks(networks: pd.DataFrame) -> dict[str, float]:
    """The sanity checks of the networks that read the false structure, and the worst numbers."""
    readers = networks[networks["capture"] >= READS]
    worst = readers[["surviving", "rise", "black_box", "gradients"]].max()
    found = {
        "networks": float(len(networks)),
        "unfinished": float((~networks["reached"]).sum()),
        "sane": float(readers["sane"].mean()),
    }
    return found | {str(name): float(value) for name, value in worst.items()}
