"""Claims, figures and numbers of chapter 18, from the tables of `measure`.

What is sampled are networks: seeds of first weights, training data, and the images that are
explained. A claim about every method is judged by the one that does worst, a claim about some
method by the one that does best; no interval is corrected for that choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pandas as pd

from falsestruct.chapters.explanations import measure as experiment
from falsestruct.chapters.explanations.measure import ALWAYS, COIN, DICTIONARIES, OFTEN
from falsestruct.characterise.explanations import METHODS
from falsestruct.evidence import Claims, Found, extreme, mean, share, summary, where
from falsestruct.problems import binary
from falsestruct.statistics import Estimate, Nobody, exact
from falsestruct.success import SIDES, TAKES
from falsestruct.theory import explanations as theory

Measure = Callable[[pd.DataFrame], Found]
SHARE = partial(mean, bounds=(0.0, 1.0))
SLOPES = ["gradient", "SmoothGrad"]  # of the methods, those that don't see how large an input is
GROUPS = {"slopes": SLOPES, "sizes": [name for name in METHODS if name not in SLOPES]}
MINOR = [name for name in GROUPS["sizes"] if name != "masks"]
AVERAGED = {"integrated-gradients": "integrated gradients", "masks": "masks"}
TAKEN = ("corner", "brightness")
RIVALS = ("gradient times difference", "integrated gradients", "SmoothGrad")
LABELS = {"parity": "parity of three", "seven": "parity of seven", "middle": "middle brightness"}
NAMERS = {"masked": "masks", "sloped": "gradient", "smoothed": "SmoothGrad"}  # without a claim
EXACT = {"occlusion": "exact occlusion", "shapley": "exact Shapley values"}  # ask all images


def proved(cases: int) -> Claims:
    """Claims in exact arithmetic, on so many random cases of each size."""
    return {
        f"explanations-{name}": (exact(float(value), cases), exact(float(control), cases))
        for name, (value, control) in theory.evidence(cases).items()
    }


def each(table: pd.DataFrame, measure: Measure) -> list[Found]:
    """Of each method."""
    return [measure(part) for _, part in table.groupby("method", sort=False)]


def those(part: pd.DataFrame, mask: pd.Series, measure: Measure, what: str) -> Found:
    """A measure of some of the networks; nobody, unless they are more than half of them."""
    if 2 * mask.sum() <= len(part):
        return Nobody(f"{mask.sum()} of {len(part)} networks {what}", int(mask.sum()))
    return measure(part[mask])


def named(part: pd.DataFrame) -> Found:
    """Share of networks whose mean map names the pattern, whatever they take."""
    return share(part["named"])


def at_once(part: pd.DataFrame) -> Found:
    """Mean share of single maps that name it."""
    return SHARE(part["one"])


def takes(part: pd.DataFrame) -> Found:
    """Share of networks that take the pattern."""
    return share(part.drop_duplicates("seed")["captured"] >= TAKES)


def of_takers(measure: Measure) -> Measure:
    """The same of those networks that take the pattern."""
    return lambda part: those(part, part["captured"] >= TAKES, measure, "take the pattern")


def named_aside(part: pd.DataFrame) -> Found:
    """Share of those that side with the digit whose mean map names the pattern nevertheless."""
    return those(part, part["captured"] <= SIDES, named, "side with the digit")


def told(part: pd.DataFrame, column: str = "auc") -> Found:
    """Mean probability of telling the answers apart."""
    seen = part[column].notna()
    return those(part, seen, lambda own: SHARE(own[column]), "have enough answers of either kind")


def trained(table: pd.DataFrame, kind: str, rho: float) -> pd.DataFrame:
    """The rows of trained networks on a pattern that is right on a share rho, without the wave."""
    return where(table, kind=kind, rho=rho, arm="plain", steps=lambda steps: steps > 0)


def map_claims(table: pd.DataFrame) -> Claims:
    """Claims on who is named, by pattern."""
    found: Claims = {}
    for kind in DICTIONARIES:
        always, coin, often = (trained(table, kind, rho) for rho in (ALWAYS, COIN, OFTEN))
        before = where(table, kind=kind, steps=0)
        innocent = {"slopes": pd.concat([coin.assign(steps=1), before]), "sizes": coin}
        found[f"explanations-taken-digits-{kind}"] = takes(always), takes(coin)
        for group, methods in GROUPS.items():
            own = each(where(always, method=methods), of_takers(named))
            apart = where(innocent[group], method=methods).groupby("steps")
            other = [one for _, part in apart for one in each(part, named)]
            found[f"explanations-named-{group}-digits-{kind}"] = extreme(own, min), extreme(other)
        sizes, later = (where(part, method=GROUPS["sizes"]) for part in (before, always))
        aside, none = (where(part, method=MINOR) for part in (often, coin))
        found |= {
            f"explanations-untrained-digits-{kind}": (
                extreme(each(sizes, named)), extreme(each(later, named), min),
            ),
            f"explanations-minor-digits-{kind}": (
                extreme(each(aside, named_aside), min), extreme(each(none, named)),
            ),
            f"explanations-one-digits-{kind}": (
                extreme(each(always, of_takers(at_once)), min), extreme(each(coin, at_once)),
            ),
            f"explanations-single-digits-{kind}": (
                extreme(each(often, told)), told(often.drop_duplicates("seed"), "margin"),
            ),
        }  # fmt: skip
    return found


def wave_claims(table: pd.DataFrame) -> Claims:
    """Claims on networks with a wave added to their output."""
    both = where(table, arm=["bright", "faint"]).drop_duplicates(["arm", "seed"])
    value, flat = (exact(float(both[name].mean()), len(both)) for name in ("fooled", "flat"))
    found: Claims = {"explanations-manipulated": (value, flat)}
    own, bare = where(table, arm="bright"), trained(table, "brightness", ALWAYS)
    smooth = [where(part, method="SmoothGrad")["decoy"] for part in (own, bare)]
    seen, without = (exact(float(part.mean()), len(part)) for part in smooth)
    found["explanations-smoothed"] = seen, without
    control = of_takers(named)(where(own, method="gradient times difference"))
    for id, method in AVERAGED.items():
        found[f"explanations-averaged-{id}"] = of_takers(named)(where(own, method=method)), control
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
    for rule in binary.RULES:
        own = where(table, beside=rule)
        sides, other = own[f"sides_{rule}"] > SIDES, every[f"sides_{rule}"] > SIDES
        found[f"explanations-sided-binary-{rule}"] = share(sides), share(other)
        if rule in TAKEN:
            off = partial(_off, rule=rule)
            pair = those(own, sides, off, "side with the rule"), off(every)
            found[f"explanations-rate-binary-{rule}"] = pair
    return found


def _off(part: pd.DataFrame, rule: str) -> Found:
    """Mean difference of networks' smallest masks to the rule's."""
    return mean(part[f"off_{rule}"])


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


def sizes_of(table: pd.DataFrame, rules: dict[str, float]) -> pd.DataFrame:
    """What `figures.sizes` draws: columns panel, who, name, value, low, high.

    Panels: exact masks by what networks were trained beside, and of the rules themselves; orders,
    of networks trained on all images.
    """
    masks = summary(table, "beside", "mask")
    masks = masks.assign(name=masks["beside"].replace(LABELS))
    exactly = masks.drop(columns=["low", "high"]).assign(value=masks["beside"].map(rules))
    masks = pd.concat([masks.assign(who="networks"), exactly.assign(who="rule")])
    every = where(table, beside="original")
    orders = [
        summary(every, "beside", f"kept_{name}").assign(name=EXACT.get(name, name))
        for name in ("exact", "masks", *RIVALS, *EXACT, "random")
    ]
    below = pd.concat(orders).assign(panel="orders", who="networks")
    both = pd.concat([masks.assign(panel="smallest masks"), below], ignore_index=True)
    return both[["panel", "who", "name", "value", "low", "high"]]


# Numbers for the prose


def said(table: pd.DataFrame) -> dict[str, float]:
    """Of digits: by pattern, who takes it and answers by it; least accuracies; with waves."""
    found = {"left": experiment.STEEPER / math.sqrt(experiment.EFFORT.points)}
    for kind in DICTIONARIES:
        for name, rho in (("always", ALWAYS), ("often", OFTEN), ("coin", COIN)):
            own = trained(table, kind, rho).drop_duplicates("seed")
            found[f"captured_{name}_{kind}"] = own["captured"].mean()
            found[f"fitted_{name}"] = min(found.get(f"fitted_{name}", 1.0), own["right"].min())
            if rho == ALWAYS:
                found[f"takers_{kind}"] = float((own["captured"] >= TAKES).sum())
            if rho == OFTEN:
                seen = said_of_aside(trained(table, kind, rho))
                found |= {f"{key}_{kind}": value for key, value in seen.items()}
    for arm in ("bright", "faint"):
        for name, method in (("product", "gradient times difference"), *AVERAGED.items()):
            part = where(table, arm=arm, method=method)
            found[f"{arm}_{name.replace('-', '_')}"] = part["named"].mean()
    return found


def said_of_aside(part: pd.DataFrame) -> dict[str, float]:
    """Of networks on a pattern that errs now and then: who is named, which answers are told.

    `back`: how well the masks' share tells if it is read in reverse, with its interval's ends.
    """
    own, methods = part.drop_duplicates("seed"), part.groupby("method")
    found = {key: float(own[key].mean()) for key in ("asks", "changes")}
    found["known"] = float(own["margin"].notna().sum())
    found |= {key: float(methods["named"].mean()[name]) for key, name in NAMERS.items()}
    found["by_masks"] = float(methods["auc"].mean()["masks"])
    back = SHARE(1 - methods["auc"].get_group("masks"))
    ends = (back.value, back.low, back.high) if isinstance(back, Estimate) else (math.nan,) * 3
    return found | dict(zip(("back", "back_low", "back_high"), ends, strict=True))


def said_of_masks(table: pd.DataFrame, rules: dict[str, float]) -> dict[str, float]:
    """Of binary images: mean masks of networks and of the rules, and least accuracies."""
    found = {f"rule_{name.replace(' ', '_')}": size for name, size in rules.items()}
    found |= {f"mask_{beside}": part["mask"].mean() for beside, part in table.groupby("beside")}
    found["learnt"] = table["learnt"].min()
    for rule in binary.RULES:
        found[f"sides_{rule}"] = where(table, beside=rule)[f"sides_{rule}"].mean()
    alike = binary.labels("brightness") == binary.labels("original")
    found["ones_brightness"] = binary.labels("brightness")[alike].mean()
    every = where(table, beside="original")
    says = binary.labels("original").mean()
    found |= {"constant": max(says, 1 - says), "right_original": every["right"].min()}
    kept = ("exact", "masks", *EXACT, "random")
    return found | {f"kept_{name}": every[f"kept_{name}"].mean() for name in kept}
