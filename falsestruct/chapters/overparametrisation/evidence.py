"""Claims, figures and numbers of chapter 17, from the tables of `measure`.

What is sampled are seeds: of first weights, or random features, and of training images. Differences
and quotients are between networks of one seed. Held-out images are taken as given.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from falsestruct import evidence
from falsestruct.chapters.overparametrisation import measure as experiment
from falsestruct.chapters.overparametrisation.measure import AT_TIMES, FLIPPED, NEVER, PAIRS
from falsestruct.evidence import Claims, Found, mean, most, ratio, share, summary, where
from falsestruct.problems.bright import PIXELS, STRENGTH
from falsestruct.statistics import exact
from falsestruct.theory import overparametrisation as theory

RIDGE, SAMPLES = experiment.RIDGE, experiment.SAMPLES
FAINT = experiment.FAINT
FITS = 0.99  # of the training labels: who gives fewer back has not learnt them
ALL, NOISE = 1000, 0.1  # features that the truth has, in closed form, and variance of its noise
SHARE = partial(mean, bounds=(0.0, 1.0))
MIXED, SAME, _, LOOSE = PAIRS


def proved(cases: int) -> Claims:
    """Claims in exact arithmetic, on so many random cases each."""
    return {
        f"over-{name}": (exact(float(value), cases), exact(float(control), cases))
        for name, (value, control) in theory.evidence(cases).items()
    }


def _of(table: pd.DataFrame, column: str, **who: object) -> pd.Series:
    """A column of some networks, by seed."""
    return where(table, **who).set_index("seed")[column]


def _less(one: pd.Series, other: pd.Series, *, reach: float = 1.0) -> Found:
    """Mean difference, seed by seed, of numbers that are at most `reach` apart."""
    return most(one - other, partial(mean, bounds=(-reach, reach)))


def _finished(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The table, without the column's numbers of networks that have not reached their loss."""
    return table.assign(**{column: table[column].where(table["reached"].astype(bool))})


def fit_claims(table: pd.DataFrame) -> Claims:
    """Claims on networks that could learn any labels."""
    own, partly, shuffled = (
        where(table, width=experiment.WIDTH, shuffled=s).set_index("seed")
        for s in (0.0, experiment.PARTLY, 1.0)
    )
    narrowest = where(table, width=table["width"].min())["right"]
    able = own["correct"].where(shuffled["right"] >= FITS)
    paying = partly["correct"].where(partly["right"] >= FITS)
    return {
        "over-success": (SHARE(able), SHARE(paying)),
        "over-starts": (share(shuffled["right"] == 1), share(narrowest == 1)),
    }


def peak_claims(table: pd.DataFrame) -> Claims:
    """Claims on random features: the peak, and what is followed on either side of it."""
    best, last = best_below(table), table["count"].max()

    def falls(ridge: float) -> Found:
        own = where(table, arm=FLIPPED, ridge=ridge)
        return _less(*(_of(own, "wrong", count=count) for count in (SAMPLES, last)))

    def gains(arm: str) -> Found:
        own = where(table, arm=arm, ridge=0.0)
        return _less(*(_of(own, "captured", count=count) for count in (best, last)))

    return {
        "over-peak": (falls(0.0), falls(RIDGE)),
        "over-across": (gains(AT_TIMES), gains(NEVER)),
    }


def best_below(table: pd.DataFrame) -> int:
    """The number of features, fewer than images, whose fits side least with a brightness at times
    wrong."""
    own = where(table, arm=AT_TIMES, ridge=0.0, count=lambda count: count < SAMPLES)
    return int(own.groupby("count")["captured"].mean().idxmin())


def room_claims(table: pd.DataFrame) -> Claims:
    """The claim on noise that names each image, at its largest energy."""
    seen, strong = _finished(table, "turned"), float(table["energy"].max())
    none = _of(seen, "turned", energy=0.0)
    own, shared = (_of(seen, "turned", kind=k, energy=strong) for k in ("own", "shared"))
    return {"over-room": (_less(own, none, reach=2), _less(shared, none, reach=2))}


def wide_claims(table: pd.DataFrame) -> Claims:
    """The claim on width, and its control on samples: means over both learning rates."""
    both = _finished(table, "turned").groupby(["width", "samples", "seed"], as_index=False)
    seen = both["turned"].agg(partial(pd.Series.mean, skipna=False))
    few, many = seen["samples"].min(), seen["samples"].max()
    middle = where(seen, samples=many)["width"].iloc[0]
    cases = ((seen["width"].max(), few), (seen["width"].min(), few), (middle, few), (middle, many))
    own = [_of(seen, "turned", width=width, samples=samples) for width, samples in cases]
    return {"over-wider": (_less(*own[:2], reach=2), _less(*own[2:], reach=2))}


def flat_claims(table: pd.DataFrame) -> Claims:
    """The claim on noise on the weights: parity over brightness, usual and faint."""
    own, faint = (most(quotients(table, strength), ratio) for strength in (STRENGTH, FAINT))
    return {"over-flat": (own, faint)}


def quotients(table: pd.DataFrame, strength: float) -> np.ndarray:
    """Rise of the loss of readers of the parity over that of readers of the brightness, by seed.

    NaN where one has not reached its training loss, or where its loss did not rise.
    """
    seen = _finished(table.assign(rise=table["rise"].where(table["rise"] > 0)), "rise")
    parity, brightness = (_of(seen, "rise", strength=strength, parity=p) for p in (True, False))
    return (parity / brightness).to_numpy()


def line_claims(table: pd.DataFrame) -> Claims:
    """The claim on barriers between readers of different structures."""
    mixed, same, loose = (barriers(table, pair) for pair in (MIXED, SAME, LOOSE))
    return {"over-barrier": (most(mixed - same), most(loose))}


def barriers(table: pd.DataFrame, pair: str) -> pd.Series:
    """Largest excess of the loss on the line between two networks, by seed."""
    return where(table, pair=pair).groupby("seed")["excess"].max()


def chance_claims(table: pd.DataFrame) -> Claims:
    """The claim on random perturbations, with whole pixels and with split ones."""
    whole, split, alike = (
        _of(table, "flipped", parts=parts, alike=alike)
        for parts, alike in ((1, False), (experiment.PARTS, False), (experiment.PARTS, True))
    )
    return {"over-chance": (_less(whole, split), _less(whole, alike))}


# Tables for the figures


def peak(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.peak` draws: panel, line, count, value, low, high."""
    panels = {"wrong": "wrong, both agree", "captured": "capture of the brightness"}
    parts = [
        summary(_named(table), ["arm", "count"], column, measure=SHARE).assign(panel=panel)
        for column, panel in panels.items()
    ]
    drawn = pd.concat(parts).rename(columns={"arm": "line"})
    return pd.concat([closed_form(), drawn], ignore_index=True)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Arms with a ridge by a name of their own."""
    ridge = table["arm"] + ", with a ridge"
    return table.assign(arm=table["arm"].where(table["ridge"] == 0, ridge))


def closed_form() -> pd.DataFrame:
    """The squared error of the theorem, as many samples: panel, line, count, value."""
    values = theory.descent(SAMPLES, ALL, noise=NOISE)
    columns = {"panel": "squared error, in closed form", "line": "Gaussian features"}
    return pd.DataFrame(values, columns=["count", "value"]).assign(**columns)


def turns(rooms: pd.DataFrame, wide: pd.DataFrame) -> pd.DataFrame:
    """What `figures.turns` draws: panel, line, x, value, low, high."""
    names = {"own": "noise of its own", "shared": "noise of a group"}
    bare = where(rooms, energy=0.0).assign(kind="shared")  # one point begins both lines
    seen = pd.concat([rooms, bare]).sort_values("energy", kind="stable")
    few = where(wide, samples=wide["samples"].min())
    parts = {
        "energy of the noise": seen.assign(line=seen["kind"].map(names), x=seen["energy"]),
        "hidden units": few.assign(line=few["rate"].map("rate {:g}".format), x=few["width"]),
    }
    measure = partial(mean, bounds=(-1.0, 1.0))
    return pd.concat([
        summary(_finished(part, "turned"), ["line", "x"], "turned", measure=measure)
        .assign(panel=panel) for panel, part in parts.items()
    ], ignore_index=True)  # fmt: skip


def lines(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.lines` draws: pair, t, value, low, high."""
    return summary(table, ["pair", "t"], "excess")


# Numbers for the prose: COLUMN_GROUP, groups by their part in the design, not by their size


def said(fits: pd.DataFrame, features: pd.DataFrame) -> dict[str, float]:
    """Means over seeds of what fits and of features; `right`, the least."""
    labels = fits["shuffled"].map({0.0: "true", experiment.PARTLY: "partly", 1.0: "shuffled"})
    narrow = np.where(fits["width"] == fits["width"].min(), "narrowest", "narrow")
    who = labels.where(fits["width"] == experiment.WIDTH, narrow)
    seen = fits.assign(who=who, learnt=fits["right"] == 1)
    found = evidence.said(seen, "who", ["correct", "steps", "learnt"])
    found |= evidence.said(seen, "who", "right", measure=pd.Series.min)
    counts, best = features["count"], best_below(features)
    places = {"fewest": counts.min(), "best": best, "peak": SAMPLES, "most": counts.max()}
    for place, count in places.items():
        part = where(_named(features), count=count).assign(place=place)
        found |= evidence.said(part, ["arm", "place"], ["wrong", "captured"])
        found |= evidence.said(part, ["arm", "place"], "right", measure=pd.Series.min)
    inputs, units = PIXELS, experiment.WIDTH
    return found | {
        "wide": units, "parameters": (inputs + 2) * units + 1, "images": experiment.IMAGES,
        "feature_images": SAMPLES, "noise_inputs": experiment.INPUTS, "groups": experiment.GROUPS,
        "best": best,
    }  # fmt: skip


def said_of_room(rooms: pd.DataFrame, wide: pd.DataFrame) -> dict[str, float]:
    """Means over seeds of noise and of widths; `right` and `exceptions`, the least."""
    found: dict[str, float] = {}
    strong = where(rooms, energy=[0.0, rooms["energy"].max()])
    strong = strong.assign(kind=strong["kind"].where(strong["energy"] > 0, "none"))
    few, many = wide["samples"].min(), wide["samples"].max()
    middle = where(wide, samples=many)["width"].iloc[0]
    units = {wide["width"].min(): "narrowest", middle: "middle", wide["width"].max(): "widest"}
    sizes = wide["samples"].map({few: "few", many: "many"})
    named = wide.assign(width=wide["width"].map(units), samples=sizes).dropna(subset="width")
    for table, by in ((strong, ["kind"]), (named, ["width", "samples"])):
        found |= evidence.said(table, by, ["turned", "captured", "wrong", "reached"])
        found |= evidence.said(table, by, ["right", "exceptions"], measure=pd.Series.min)
    return found


def said_of_valleys(flat: pd.DataFrame, line: pd.DataFrame) -> dict[str, float]:
    """Geometric mean quotients and how many there are, losses and steps before, mean barriers."""
    reads = flat["parity"].map({True: "parity", False: "brightness"})
    usual = where(flat.assign(reads=reads), strength=STRENGTH)
    found = evidence.said(usual, "reads", ["before", "steps"])
    for name, strength in (("usual", STRENGTH), ("faint", FAINT)):
        logs = np.log(quotients(flat, strength))
        found[f"quotient_{name}"] = float(np.exp(np.nanmean(logs)))
        found[f"known_{name}"] = float((~np.isnan(logs)).sum())
    names = zip(("mixed", "same", "bright", "loose"), PAIRS, strict=True)
    return found | {f"barrier_{name}": float(barriers(line, pair).mean()) for name, pair in names}


def said_of_chance(table: pd.DataFrame) -> dict[str, float]:
    """Shares flipped by chance, lengths that flip, and the bound of the proposition."""
    split = np.where(table["alike"], "alike", "split")
    seen = table.assign(who=np.where(table["parts"] == 1, "whole", split))
    found = evidence.said(seen, "who", ["flipped", "shortest"])
    found |= evidence.said(seen, "who", "right", measure=pd.Series.min)
    times, inputs = experiment.TIMES, PIXELS
    bounds = {"whole": inputs, "split": inputs * experiment.PARTS}
    return found | {"times": times, "asked": experiment.ASKED} | {
        f"bound_{name}": times**2 / (2 * d) for name, d in bounds.items()
    }  # fmt: skip
