"""Claims, figures and numbers of chapter 18, from the tables of `measure`.

What is sampled are networks: seeds of first weights, training data, and the images that are
explained. A claim about every method is judged by the one that does worst, a claim about some
method by the one that does best.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from falsestruct.chapters.explanations.measure import ALWAYS, COIN, DICTIONARIES, OFTEN
from falsestruct.evidence import Claims, Found, extreme, mean, share, summary, where
from falsestruct.statistics import Estimate, exact
from falsestruct.success import SIDES, TAKES
from falsestruct.theory import explanations as theory

SHARE = partial(mean, bounds=(0.0, 1.0))
AVERAGED = {"integrated-gradients": "integrated gradients", "smoothgrad": "SmoothGrad"}
TAKEN = ("corner", "brightness")
RIVALS = ("gradient times difference", "integrated gradients", "SmoothGrad", "occlusion", "shapley")
NAMES = {"occlusion": "exact occlusion", "shapley": "exact Shapley values"}


def proved(cases: int) -> Claims:
    """Claims in exact arithmetic, on so many random cases of each size."""
    return {
        f"explanations-{name}": (exact(float(value), cases), exact(float(control), cases))
        for name, (value, control) in theory.evidence(cases).items()
    }


def each(table: pd.DataFrame, measure: Callable[[pd.DataFrame], Found]) -> list[Found]:
    """Of each method."""
    return [measure(part) for _, part in table.groupby("method", sort=False)]


def taken(part: pd.DataFrame) -> Found:
    """Share of networks that take the pattern and whose mean map names it."""
    return share(part["named"].astype(bool) & (part["captured"] >= TAKES))


def named(part: pd.DataFrame) -> Found:
    """Share of networks whose mean map names the pattern, whatever they take."""
    return share(part["named"])


def taken_at_once(part: pd.DataFrame) -> Found:
    """Mean share of single maps that name the pattern, 0 for networks that don't take it."""
    return SHARE(part["one"].where(part["captured"] >= TAKES, 0.0))


def trained(table: pd.DataFrame, kind: str, rho: float) -> pd.DataFrame:
    """The rows of trained networks on a pattern that is right on a share rho, without the wave."""
    return where(table, kind=kind, rho=rho, arm="plain", steps=lambda steps: steps > 0)


def map_claims(table: pd.DataFrame) -> Claims:
    """Claims on who is named, by pattern."""
    found: Claims = {}
    for kind in DICTIONARIES:
        always, coin, often = (trained(table, kind, rho) for rho in (ALWAYS, COIN, OFTEN))
        before = where(table, kind=kind, steps=0)
        problem = f"digits-{kind}"
        found |= {
            f"explanations-named-{problem}": (
                extreme(each(always, taken), min), extreme(each(coin, named)),
            ),
            f"explanations-one-{problem}": (
                extreme(each(always, taken_at_once), min),
                extreme(each(coin, lambda part: SHARE(part["one"]))),
            ),
            f"explanations-single-{problem}": (
                extreme(each(often, lambda part: SHARE(part["auc"]))),
                SHARE(often.drop_duplicates("seed")["margin"]),
            ),
            f"explanations-untrained-{problem}": (
                extreme(each(before, named)), extreme(each(often, named), min),
            ),
        }  # fmt: skip
    return found


def wave_claims(table: pd.DataFrame) -> Claims:
    """Claims on networks with a wave added to their output."""
    own = where(table, arm="waved")
    alone = own.drop_duplicates("seed")
    value, flat = (exact(float(alone[name].mean()), len(alone)) for name in ("fooled", "flat"))
    found: Claims = {"explanations-manipulated": (value, flat)}
    control = taken(where(own, method="gradient times difference"))
    for id, method in AVERAGED.items():
        found[f"explanations-averaged-{id}"] = taken(where(own, method=method)), control
    return found


def built_claims(table: pd.DataFrame) -> Claims:
    """The check on networks built by hand."""
    parts = [where(table, follows=name) for name in ("pattern", "original")]
    value, control = (exact(float(own["named"].mean()), len(own)) for own in parts)
    return {"explanations-built": (value, control)}


def mask_claims(table: pd.DataFrame) -> Claims:
    """Claims on exact masks of binary images."""
    every = where(table, beside="original")
    found: Claims = {"explanations-sparse": (gained(every, "masks", max), gained(every, "random"))}
    for rule in TAKEN:
        found[f"explanations-rate-binary-{rule}"] = saved(table, rule), saved(table, "parity")
    for rule in (*TAKEN, "parity"):
        own = where(table, beside=rule)
        pair = share(own[f"sides_{rule}"] > SIDES), share(every[f"sides_{rule}"] > SIDES)
        found[f"explanations-smaller-binary-{rule}"] = pair
    return found


def saved(table: pd.DataFrame, rule: str) -> Found:
    """Mask of networks trained on all images less that beside the rule, seed by seed."""
    every, own = (where(table, beside=b).set_index("seed")["mask"] for b in ("original", rule))
    return mean((every - own).to_numpy())


def gained(table: pd.DataFrame, name: str, choose: Callable[..., Estimate] = min) -> Found:
    """Pixels that an order needs more than a rival's, for the rival that is chosen."""
    off = [mean(table[f"kept_{name}"] - table[f"kept_{rival}"]) for rival in RIVALS]
    return extreme(off, choose)


# Figures


def names_of(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.maps` draws: columns kind, group, method, value, low, high.

    Groups: networks trained where the pattern is always right, where it is a coin, before training.
    """
    parts = []
    for kind in DICTIONARIES:
        groups = {
            "tells the label": trained(table, kind, ALWAYS),
            "a coin": trained(table, kind, COIN),
            "before training": where(table, kind=kind, steps=0),
        }
        for group, own in groups.items():
            seen = summary(own, "method", "one", measure=SHARE)
            parts.append(seen.assign(kind=kind, group=group))
    return pd.concat(parts, ignore_index=True)


def single_of(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.single` draws: columns kind, reading, method, value, low, high.

    Readings: of the map alone, of the pattern's value over the output, and of the output alone.
    """
    parts = []
    for kind in DICTIONARIES:
        own = trained(table, kind, OFTEN)
        for reading, column in (("the map alone", "auc"), ("over the output", "beside")):
            seen = summary(own, "method", column, measure=SHARE)
            parts.append(seen.assign(kind=kind, reading=reading))
        alone = own.drop_duplicates("seed").assign(method="no map, output alone")
        seen = summary(alone, "method", "margin", measure=SHARE)
        parts.append(seen.assign(kind=kind, reading="the output alone"))
    return pd.concat(parts, ignore_index=True)


def sizes_of(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.sizes` draws: columns panel, name, value, low, high.

    Panels: exact masks by what networks were trained beside; orders, of those trained on all.
    """
    masks = summary(table, "beside", "mask").rename(columns={"beside": "name"})
    every = where(table, beside="original")
    kept = {name: f"kept_{name}" for name in ("exact", "masks", *RIVALS, "random")}
    orders = [
        summary(every, "beside", column).assign(name=NAMES.get(name, name))
        for name, column in kept.items()
    ]
    both = [masks.assign(panel="smallest masks"), *(part.assign(panel="orders") for part in orders)]
    return pd.concat(both, ignore_index=True)[["panel", "name", "value", "low", "high"]]


# Numbers for the prose


def said(table: pd.DataFrame) -> dict[str, float]:
    """Of digits: by pattern, who takes it; least accuracy in training by its share."""
    found: dict[str, float] = {}
    for kind in DICTIONARIES:
        for name, rho in (("always", ALWAYS), ("often", OFTEN), ("coin", COIN)):
            own = trained(table, kind, rho).drop_duplicates("seed")
            found[f"captured_{name}_{kind}"] = own["captured"].mean()
            found[f"fitted_{name}"] = min(found.get(f"fitted_{name}", 1.0), own["right"].min())
        alone = trained(table, kind, OFTEN).drop_duplicates("seed")
        always = trained(table, kind, ALWAYS).drop_duplicates("seed")["captured"]
        found[f"takers_{kind}"] = float((always >= TAKES).sum())
        found[f"changes_{kind}"] = alone["changes"].mean()
        found[f"known_{kind}"] = float(alone["margin"].notna().sum())
    return found


def said_of_masks(table: pd.DataFrame, rules: dict[str, float]) -> dict[str, float]:
    """Of binary images: mean masks of networks and of the rules, and least accuracies."""
    found = {f"rule_{name}": size for name, size in rules.items()}
    for beside, part in table.groupby("beside"):
        found[f"mask_{beside}"] = part["mask"].mean()
        found[f"learnt_{beside}"] = part["learnt"].min()
    every = where(table, beside="original")
    kept = ["exact", "masks", "occlusion", "shapley", "random"]
    return found | {"right_original": every["right"].min()} | {
        f"kept_{name}": every[f"kept_{name}"].mean() for name in kept
    }  # fmt: skip
