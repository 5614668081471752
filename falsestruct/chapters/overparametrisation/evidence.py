"""Claims, figures and numbers of chapter 17, from the tables of `measure`.

What is sampled are seeds: of first weights, or random features, and of training images. Differences
and quotients are between networks of one seed. Held-out images are taken as given.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import beta

from falsestruct import evidence
from falsestruct.chapters.overparametrisation import measure as experiment
from falsestruct.chapters.overparametrisation.measure import AT_TIMES, FLIPPED, KINDS, PAIRS, RIDGED
from falsestruct.evidence import Claims, Found, mean, most, ratio, share, summary, where
from falsestruct.problems.bright import PIXELS, STRENGTH
from falsestruct.statistics import exact
from falsestruct.theory import overparametrisation as theory

SAMPLES, FAINT = experiment.SAMPLES, experiment.FAINT
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
    kinds = ("true", "partly", "shuffled", "tight")
    own, partly, shuffled, narrow = (where(table, who=who).set_index("seed") for who in kinds)
    able = own["correct"].where(shuffled["right"] >= FITS)
    paying = partly["correct"].where(partly["right"] >= FITS)
    return {
        "over-success": (SHARE(able), SHARE(paying)),
        "over-starts": (share(shuffled["right"] == 1), share(narrow["right"] == 1)),
    }


def peak_claims(table: pd.DataFrame) -> Claims:
    """Claims on random features: the peak, and what is followed on either side of it."""
    best, last = best_below(table), table["count"].max()

    def less(column: str, arm: str, count: int) -> Found:
        own = where(table, arm=arm)
        return _less(*(_of(own, column, count=features) for features in (count, last)))

    return {
        "over-peak": (less("wrong", FLIPPED, SAMPLES), less("wrong", FLIPPED + RIDGED, SAMPLES)),
        "over-across": (less("captured", AT_TIMES, best), less("captured", FLIPPED, best)),
    }


def best_below(table: pd.DataFrame) -> int:
    """Of the numbers of features below that of images, whose fits side least with a brightness
    that is wrong at times."""
    own = where(table, arm=AT_TIMES, count=lambda count: count < SAMPLES)
    return min(own["count"], key=lambda count: where(own, count=count)["captured"].mean())


def room_claims(table: pd.DataFrame) -> Claims:
    """The claim on noise that names each image, at its largest energy."""
    seen, strong = _finished(table, "turned"), float(table["energy"].max())
    none = _of(seen, "turned", energy=0.0)
    own, shared = (_of(seen, "turned", kind=k, energy=strong) for k in ("own", "shared"))
    return {"over-room": (_less(own, none, reach=2), _less(shared, none, reach=2))}


def wide_claims(table: pd.DataFrame) -> Claims:
    """The claim on width, and its control on samples: means over both learning rates."""
    own = {
        who: _finished(part, "turned").pivot(index="seed", columns="rate", values="turned")
        for who, part in cells(table).items()
    }
    seen = {who: rates.mean(axis=1, skipna=False) for who, rates in own.items()}
    wider = _less(seen["widest"], seen["thinnest"], reach=2)
    return {"over-wider": (wider, _less(seen["middle"], seen["more"], reach=2))}


def cells(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Networks of the least, the middle and the largest width, and middle ones with more images."""
    few, many = table["samples"].min(), table["samples"].max()
    middle = where(table, samples=many)["width"].iloc[0]
    sizes = {"thinnest": (table["width"].min(), few), "widest": (table["width"].max(), few)}
    sizes |= {"middle": (middle, few), "more": (middle, many)}
    return {who: where(table, width=width, samples=size) for who, (width, size) in sizes.items()}


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
    whole, split, alike = (_of(table, "flipped", kind=kind) for kind in KINDS)
    return {"over-chance": (_less(whole, split), _less(whole, alike))}


# Tables for the figures


def peak(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.peak` draws, first the closed form: panel, line, count, value, low, high."""
    formula = pd.DataFrame(theory.descent(SAMPLES, ALL, noise=NOISE), columns=["count", "value"])
    parts = [formula.assign(panel="squared error, in closed form", line="Gaussian features")]
    for column, panel, measure in (
        ("wrong", "wrong, both agree", SHARE), ("captured", "capture of the brightness", SHARE),
        ("turned", "label turns with the brightness", mean),
    ):  # fmt: skip
        seen = summary(table, ["arm", "count"], column, measure=measure).assign(panel=panel)
        parts.append(seen.rename(columns={"arm": "line"}))
    return pd.concat(parts, ignore_index=True)


def turns(rooms: pd.DataFrame, wide: pd.DataFrame) -> pd.DataFrame:
    """What `figures.turns` draws: panel, line, x, value, low, high."""
    names = {"own": "noise of its own", "shared": "noise of a group"}
    bare = where(rooms, energy=0.0).assign(kind="shared")  # one point begins both lines
    seen = pd.concat([rooms, bare]).sort_values("energy", kind="stable")
    few = where(wide, samples=wide["samples"].min())
    parts = [
        seen.assign(panel="energy of the noise", line=seen["kind"].map(names), x=seen["energy"]),
        few.assign(panel="hidden units", line=few["rate"].map("rate {:g}".format), x=few["width"]),
    ]
    both = _finished(pd.concat(parts), "turned")
    return summary(both, ["panel", "line", "x"], "turned")


def lines(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.lines` draws: pair, t, value, low, high."""
    return summary(table, ["pair", "t"], "excess")


# Numbers for the prose: COLUMN_GROUP, groups by their part in the design, not by their size


def said(fits: pd.DataFrame, features: pd.DataFrame) -> dict[str, float]:
    """Means over seeds of what fits and of features; `right`, the least."""
    learnt = fits.assign(learnt=fits["right"] == 1)
    found = _said(learnt, "who", ["correct", "steps", "learnt", "width"])
    counts, best = features["count"], best_below(features)
    places = {"fewest": counts.min(), "best": best, "peak": SAMPLES, "most": counts.max()}
    for place, count in places.items():
        part = where(features, count=count).assign(place=place)
        found |= _said(part, ["arm", "place"], ["wrong", "captured", "turned"])
    flipped = where(features, arm=FLIPPED, count=lambda count: count < SAMPLES)
    before = flipped.groupby("count")["captured"].mean().max()
    price = (1 - found["correct_partly"]) / (1 - found["correct_true"])
    return found | {
        "captured_flipped_labels_before": before, "price": price,
        "parameters": (PIXELS + 2) * experiment.WIDTH + 1, "images": experiment.IMAGES,
        "feature_images": SAMPLES, "noise_inputs": experiment.INPUTS, "groups": experiment.GROUPS,
        "best": best, "limit": experiment.SHUFFLING,
    }  # fmt: skip


def _said(table: pd.DataFrame, by: str | list[str], columns: list[str]) -> dict[str, float]:
    """`evidence.said`, and the least share of labels given back."""
    least = evidence.said(table, by, "right", measure=pd.Series.min)
    return least | evidence.said(table, by, columns)


def said_of_room(rooms: pd.DataFrame, wide: pd.DataFrame) -> dict[str, float]:
    """Means over seeds of noise and of widths; `right` and `exceptions`, the least."""
    strong = where(rooms, energy=[0.0, rooms["energy"].max()])
    strong = strong.assign(kind=strong["kind"].where(strong["energy"] > 0, "none"))
    named = [part.assign(kind=who) for who, part in cells(wide).items()]
    seen = pd.concat([strong, *named], ignore_index=True)
    found = evidence.said(seen, "kind", "exceptions", measure=pd.Series.min)
    found |= {f"units_{who}": part["width"].iloc[0] for who, part in cells(wide).items()}
    found |= {"few": wide["samples"].min(), "many": wide["samples"].max()}
    found |= _said(seen, "kind", ["turned", "captured", "wrong", "reached"])
    own, shared = (found[f"turned_{kind}"] - found["turned_none"] for kind in ("own", "shared"))
    return found | {"rise_own": own, "rise_shared": shared, "rise_named": own - shared}


def said_of_valleys(flat: pd.DataFrame, line: pd.DataFrame) -> dict[str, float]:
    """Geometric mean quotients and how many there are, losses and steps before, mean barriers."""
    reads = flat["parity"].map({True: "parity", False: "brightness"})
    strengths = {STRENGTH: "usual", FAINT: "faint"}
    named = flat.assign(reads=reads, how=flat["strength"].map(strengths))
    found = evidence.said(named, ["reads", "how"], ["before", "steps"]) | {"guess": math.log(2)}
    for strength, name in strengths.items():
        logs = np.log(quotients(flat, strength))
        found[f"quotient_{name}"] = float(np.exp(np.nanmean(logs)))
        found[f"known_{name}"] = float((~np.isnan(logs)).sum())
    names = zip(("mixed", "same", "bright", "loose"), PAIRS, strict=True)
    return found | {f"barrier_{name}": float(barriers(line, pair).mean()) for name, pair in names}


def said_of_chance(table: pd.DataFrame) -> dict[str, float]:
    """Shares flipped by chance, lengths that flip; the bound and the share behind a plane."""
    times, found = experiment.TIMES, _said(table, "kind", ["flipped", "shortest"])
    for kind, d in (("whole", PIXELS), ("split", PIXELS * experiment.PARTS)):
        found[f"bound_{kind}"] = times**2 / (2 * d)
        # the square of one coordinate of a uniformly random direction has this beta law
        found[f"plane_{kind}"] = float(beta.sf(times**-2, 0.5, (d - 1) / 2)) / 2
    return found | {"times": times, "asked": experiment.ASKED, "draws": experiment.DRAWS}
