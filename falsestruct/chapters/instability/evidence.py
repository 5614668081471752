"""From the tables of chapter 06 to the estimates of its claims.

The tables are those of `measure`, all problems in one: `networks`, `adversaries`, `universals`,
`gaps`, `certificates`, `decays`, and `by_hand`, the structures as if they were networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from falsestruct.evidence import (
    Claims,
    Found,
    contrast,
    extreme,
    mean,
    ratio,
    said,
    share,
    summary,
    where,
)
from falsestruct.instability import decay
from falsestruct.instability.compared import (
    FAINT,
    READS,
    faint,
    faint_quotients,
    in_band,
    originals,
    quotients,
    readers,
    slopes,
    swept,
    usual,
    weakest_pairs,
)
from falsestruct.instability.portrait import CHECKS, chance
from falsestruct.instability.rules import (
    STRIPE_RADIUS,
    follower_ratio,
    original_distance,
    stability,
)
from falsestruct.instability.trained import IMAGES, training_set
from falsestruct.names import slug
from falsestruct.problems.planted.registry import STRENGTHS, by_name
from falsestruct.statistics import Estimate, Nobody, exact
from falsestruct.success import TAKES

TRAINED = {"ρ = 1": 1.0, "ρ = 1/2": 0.5}
GOOD = 0.9  # of what the best found perturbation flips, from which on another is as good
DECAY = 10.0  # the weight decay that claims look at; its hundredth is the control's
LOST = 0.02  # of accuracy, up to which it counts as kept
BEHIND = 99.0  # how much longer the follower's hidden weights are than those it shows
STRONGER = {"stripes": 10.0, "oscillation": 10.0, "digits-brightness": 0.1}  # the controls'
PAIRED = {  # where some networks read the original, too: the problem and whom we put together
    "dense": ("stripes", ["linear", "MLP", "deep MLP"]),
    "convolutions": ("stripes", ["pooled CNN", "paper's CNN"]),
    "digits-brightness": ("digits-brightness", ["linear", "MLP", "deep MLP", "CNN", "attention"]),
}


def pooled(part: pd.DataFrame, column: str, measure: Callable[..., Found]) -> Found:
    """Over the architectures, where there are several: they stand for others like them."""
    several = part["architecture"].nunique() > 1
    return measure(part[column], within=part["architecture"] if several else None)


# Evidence


def board(networks: pd.DataFrame) -> Claims:
    """One claim a problem and architecture: has the network the false structure's instability?"""
    own, free = usual(networks, 1.0), usual(networks, 0.5)
    own = own.assign(inherits=in_band(own) & (own["capture"] >= READS))
    return contrast(
        "instability", own, ["problem", "architecture"], lambda part: share(part["inherits"]),
        of=own, against=free.assign(inherits=in_band(free)),
    )  # fmt: skip


def of_structures(*, points: int) -> Claims:
    """The structures' own radii, and the network that agrees with one on the data only."""
    found: Claims = {
        slug("instability-structure", name): (
            stability(by_name(name), points=points),
            stability(by_name(name, factor * STRENGTHS[name]), points=points),
        )
        for name, factor in STRONGER.items()
    }
    far, near = (exact(follower(size)[0]) for size in (BEHIND, 0.0))
    return found | {"instability-nothing-follows": (far, near)}


def follower(size: float) -> tuple[float, float]:
    """`rules.follower_ratio` on the training images of the stripes: distance, gap of outputs."""
    x, _ = training_set("stripes", (STRENGTHS["stripes"], 1.0), 0)
    return follower_ratio(by_name("stripes"), x, size=size)


def of_attack(gaps: pd.DataFrame) -> Claims:
    """How close the attack comes to the exact distance, and what the mirror image bounds."""
    own = gaps.groupby(["rho", "seed"])[["worst", "weak"]].max().clip(lower=0)
    hinted, free = where(gaps, rho=1.0), where(gaps, rho=0.5)
    return {
        "instability-attack-gap": (mean(own["worst"]), mean(own["weak"])),
        "instability-reflection": (
            exact(hinted["mirrored"].max(), hinted["seed"].nunique()),
            exact(free["other"].max(), free["seed"].nunique()),
        ),
    }


def of_readers(networks: pd.DataFrame, rules: pd.DataFrame) -> Claims:
    """Does the size follow the structure's? Slopes, pairs of readers, readers of the original."""
    own, pairs, faint = swept(networks), quotients(networks), weakest_pairs(networks)
    rule = where(rules, problem="stripes", rule="original")
    return {
        **contrast(
            "instability-slope", own, "problem", lambda part: mean(slopes(part)),
            of=readers(where(own, rho=1.0)), against=where(own, rho=0.5),
        ),
        **{
            slug("instability-readers", id): (
                pooled(where(pairs, problem=problem, architecture=kinds), "quotient", ratio),
                ratio(where(faint, problem=problem)["quotient"]),
            )
            for id, (problem, kinds) in PAIRED.items()
            if problem in set(networks["problem"])
        },
        "instability-original-inherits": (
            pooled(originals(networks), "inherited", ratio),
            exact(rule["size"].iloc[0] / STRIPE_RADIUS),
        ),
        "instability-false-by-letter": (
            exact(_by_letter(where(originals(networks), fitted=1.0, capture=0.0))),
            exact(_by_letter(rule)),
        ),
    }  # fmt: skip


def _by_letter(table: pd.DataFrame) -> float:
    """Share of networks that change a label where the orientation is proved not to."""
    return float((table["size"] < STRIPE_RADIUS).mean()) if len(table) else 0.0


def of_faint(networks: pd.DataFrame, *, points: int) -> Claims:
    """The digits' brightness at a strength at which it is less stable than parity."""
    name, free = "digits-brightness", faint(networks, 0.5)
    weak = where(weakest_pairs(networks), problem=name)
    return {
        "instability-structure-faint": (
            stability(by_name(name, FAINT * STRENGTHS[name]), points=points),
            stability(by_name(name), points=points),
        ),
        "instability-taken-faint": (
            share(faint(networks, 1.0)["capture"] >= TAKES), share(free["capture"] >= TAKES)
        ),
        "instability-readers-faint": (
            ratio(faint_quotients(networks)["quotient"]), ratio(weak["quotient"])
        ),
    }  # fmt: skip


def of_effort(networks: pd.DataFrame) -> Claims:
    """What a stronger attack gains, for the architecture and training where it gains most.

    The upper end is the largest of all: ten networks tell less than twenty, however alike.
    """
    own = usual(networks, 1.0), usual(networks, 0.5)
    table = pd.concat([where(part, problem=IMAGES) for part in own])
    names = {"gain": "excess"}, {"gain": "weak"}
    of, against = (table.rename(columns={new: old for old, new in one.items()}) for one in names)

    def worst(part: pd.DataFrame) -> Found:
        kinds = part.groupby(["architecture", "rho"])["gain"]
        found = [mean(gains, bounds=(0.0, 1.0)) for _, gains in kinds]
        known, most = [one for one in found if isinstance(one, Estimate)], extreme(found)
        if isinstance(most, Nobody):
            return most
        high = np.max([[end for _, end in one.ends] for one in known], axis=0).tolist()
        ends = tuple((low, end) for (low, _), end in zip(most.ends, high, strict=True))
        return replace(most, high=max(one.high for one in known), ends=ends)

    return contrast("instability-attack-effort", table, "problem", worst, of=of, against=against)


def of_certificates(table: pd.DataFrame) -> Claims:
    """What HiGHS proves of the digits' MLPs, and what the attack only suggests."""
    own, free = where(table, rho=1.0), where(table, rho=0.5)
    half, stays = (
        (part[[f"{name}_0", f"{name}_1"]] >= 0.5).all(axis=1)
        for part, name in ((own, "half"), (free, "kept"))
    )
    within, beyond = (mean(v, bounds=(0.0, 1.0)) for v in (table["within"], free["beyond"]))
    return {
        "instability-certified-digits-brightness": (
            share(half & (own["capture"] >= READS)), share(stays)
        ),
        "instability-attack-certified": (within, beyond),
    }  # fmt: skip


def of_decay(decays: pd.DataFrame) -> Claims:
    """Orientation readers: what weight decay does to their radius, and what a network can have."""
    own, hand = (decays[mask] for mask in (decays["decay"].notna(), decays["decay"].isna()))
    fits = where(own, right=1.0, capture=lambda c: c <= 1 - READS)
    wide = fits.pivot(index="seed", columns="decay", values="size")
    wide = wide.reindex(columns=own["decay"].unique())  # none fits: nobody qualifies
    return {
        "instability-bands": (exact(decay.bound()), exact(decay.bound(4))),
        "instability-decay-enough": (
            ratio(wide.max(axis=1) / STRIPE_RADIUS), exact(hand["size"].iloc[0] / STRIPE_RADIUS)
        ),
        "instability-decay-helps": (
            ratio(wide[DECAY] / wide[0.0]), ratio(wide[DECAY / 100] / wide[0.0])
        ),
    }  # fmt: skip


def of_directions(networks: pd.DataFrame, universals: pd.DataFrame) -> Claims:
    """Do perturbations point along the false structure's normal, one by one and for all inputs?"""
    own = where(readers(universals), found=lambda share: share > 0)
    of, against = (own.assign(good=own[name] >= GOOD * own["found"]) for name in ("own", "random"))
    return {
        **contrast(
            "instability-cosine", networks, "problem",
            lambda part: pooled(part, "cosine", partial(mean, bounds=(0.0, 1.0))),
            of=readers(usual(networks, 1.0)), against=usual(networks, 0.5),
        ),
        **contrast(
            "instability-universal", universals, "problem", lambda part: share(part["good"]),
            of=of, against=against,
        ),
    }  # fmt: skip


def of_adversaries(table: pd.DataFrame) -> Claims:
    """What adversarial training changes: the structure captured, success, steps."""
    turned = table.assign(turned=table["capture"] <= 1 - READS)
    found: Claims = {}
    for problem, part in turned.groupby("problem"):
        adversary, *others = (
            share(where(part, variant=name)["turned"]) for name in ("adversary", "faint", "noise")
        )
        found[slug("instability-adversary", problem)] = adversary, extreme(others)
    wide = where(table, problem="stripes").pivot(index="seed", columns="variant")
    steps = wide["steps"].div(wide["steps"]["plain"], axis=0)
    kept = {
        name: (wide[name]["plain"] - wide[name]["adversary"]).abs() <= LOST
        for name in ("success", "conflict")  # where both structures agree, and where they don't
    }
    return found | {
        "instability-adversary-success": (share(kept["success"]), share(kept["conflict"])),
        "instability-adversary-simplicity": (ratio(steps["adversary"]), ratio(steps["faint"])),
    }


# Tables of the figures


def by_training(networks: pd.DataFrame) -> pd.DataFrame:
    """The networks at the usual strength, with a column `trained` of the names in `TRAINED`."""
    parts = [usual(networks, rho).assign(trained=name) for name, rho in TRAINED.items()]
    return pd.concat(parts, ignore_index=True)


def ratio_table(networks: pd.DataFrame) -> pd.DataFrame:
    """What `figures.ratios` draws: geometric means over networks, by label and ρ."""
    keys = ["problem", "architecture", "trained"]
    long = by_training(networks).melt(keys, ["ratio_0", "ratio_1"], "label")
    long["label"] = long["label"].str[-1].astype(int)
    return summary(long, [*keys, "label"], "value", measure=ratio)


def cosine_table(networks: pd.DataFrame) -> pd.DataFrame:
    """What `figures.cosines` draws, one row a network."""
    table = by_training(networks)[["problem", "architecture", "cosine", "trained"]].dropna()
    return table.assign(chance=[chance(by_name(name)) for name in table["problem"]])


def strength_table(networks: pd.DataFrame) -> pd.DataFrame:
    """What `figures.strengths` draws: MLPs on digits by strength, capture and size; means."""
    own = where(swept(networks), problem="digits-brightness")
    own = own.assign(trained=own["rho"].map({rho: name for name, rho in TRAINED.items()}))
    parts = [
        summary(own, ["strength", "trained"], column, measure=measure).assign(what=column)
        for column, measure in (("capture", partial(mean, bounds=(0.0, 1.0))), ("size", ratio))
    ]
    least = original_distance("digits-brightness")
    return pd.concat(parts, ignore_index=True).assign(parity=least)


def adversary_table(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.adversaries` draws: means over seeds with intervals."""
    shares = {"conflict": "original", "success": "accuracy", "robust": "robust"}
    keys, parts = ["problem", "variant"], []
    for names, measure in ((shares, partial(mean, bounds=(0.0, 1.0))), ({"steps": "steps"}, mean)):
        long = table[[*keys, *names]].rename(columns=names).melt(keys, var_name="what")
        parts.append(summary(long, [*keys, "what"], "value", measure=measure))
    return pd.concat(parts, ignore_index=True)


# Numbers of the prose


def said_of_sizes(networks: pd.DataFrame, rules: pd.DataFrame) -> dict[str, float]:
    """Geometric means over networks of sizes and quotients at the usual strength.

    Keys: `size_PROBLEM_ARCHITECTURE` (at ρ = 1/2), `quotient_PROBLEM_ARCHITECTURE`,
    `rule_PROBLEM` (of the original as a network), `ratio_0_…`, `ratio_1_…` (at ρ = 1), and
    `inherited_least`, `inherited_most`: of the orientation's radius, by architecture.
    """
    keys, inherited = ["problem", "architecture"], originals(networks).groupby("architecture")
    shares, own = inherited["inherited"].agg(_geometric), where(rules, rule="original")
    return {
        "inherited_least": float(shares.min()),
        "inherited_most": float(shares.max()),
        **said(usual(networks, 0.5), keys, "size", measure=_geometric),
        **said(quotients(networks), keys, "quotient", measure=_geometric),
        **said(own.assign(rule=own["size"]), "problem", "rule"),
        **said(usual(networks, 1.0), keys, ["ratio_0", "ratio_1"]),
    }


def _geometric(values: pd.Series) -> float:
    return float(np.exp(np.log(values).mean()))


def said_of_adversaries(table: pd.DataFrame) -> dict[str, float]:
    """Means under the adversary, `size_PROBLEM` and so on.

    sane_else: share of all networks but those of the oscillation that pass the sanity checks.
    """
    columns = ["size", "success", "conflict", "robust", "surviving"]
    elsewhere = table[table["problem"] != "oscillation"]
    found = said(where(table, variant="adversary"), "problem", columns)
    return found | {"sane_else": float(elsewhere["sane"].mean())}


def said_of_checks(networks: pd.DataFrame) -> dict[str, float]:
    """The sanity checks of the networks that read the false structure, and the worst numbers.

    gain_PROBLEM: what a stronger attack gains, the mean of the group where it gains most.
    """
    own, kinds = readers(networks), ["problem", "architecture", "rho"]
    gains = where(by_training(networks), problem=IMAGES).groupby(kinds)["excess"].mean()
    most = gains.rename("gain").reset_index()
    return {
        **said(most, "problem", "gain", measure=pd.Series.max),
        "networks": float(len(networks)),
        "unfinished": float((~networks["reached"]).sum()),
        "sane": float(own["sane"].mean()),
        **{name: float(own[name].max()) for name in CHECKS},
    }
