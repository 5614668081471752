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
from falsestruct.evidence import Claims, Found, extreme, mean, ratio, share, summary, where
from falsestruct.statistics import exact
from falsestruct.success import SIDES
from falsestruct.theory import overparametrisation as theory

RIDGE, SAMPLES = experiment.RIDGE, experiment.SAMPLES
STRENGTH, FAINT = experiment.STRENGTH, experiment.FAINT
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


def _less(one: pd.Series, other: pd.Series) -> Found:
    """Mean difference of shares, seed by seed."""
    return mean((one - other).to_numpy(), bounds=(-1.0, 1.0))


def fit_claims(table: pd.DataFrame) -> Claims:
    """Claims on networks that could learn any labels."""
    wide = experiment.WIDTH
    correct, other = (_of(table, "correct", width=wide, shuffled=s) for s in (False, True))
    right = _of(table, "right", width=wide, shuffled=True)
    narrow = where(table, width=lambda width: width != wide)["right"]
    return {
        "over-success": (SHARE(correct.where(right >= FITS)), SHARE(other)),
        "over-starts": (share(right == 1), share(narrow == 1)),
    }


def peak_claims(table: pd.DataFrame) -> Claims:
    """Claims on few and many random features: the peak, and what is followed on either side."""
    few, most = table["count"].min(), table["count"].max()

    def falls(ridge: float) -> Found:
        own = where(table, arm=FLIPPED, ridge=ridge)
        return _less(*(_of(own, "wrong", count=count) for count in (SAMPLES, most)))

    def changes(arm: str) -> Found:
        taken = [_of(table, "captured", arm=arm, ridge=0.0, count=count) for count in (few, most)]
        sides = (taken[0] - SIDES, SIDES - taken[1])
        return extreme((mean(side, bounds=(-0.5, 0.5)) for side in sides), min)

    return {
        "over-peak": (falls(0.0), falls(RIDGE)),
        "over-across": (changes(AT_TIMES), changes(NEVER)),
    }


def room_claims(table: pd.DataFrame) -> Claims:
    """The claim on noise that names each image, at its largest energy."""
    none, most = _of(table, "captured", energy=0.0), float(table["energy"].max())
    own, shared = (_of(table, "captured", kind=k, energy=most) for k in ("own", "shared"))
    return {"over-room": (_less(own, none), _less(shared, none))}


def wide_claims(table: pd.DataFrame) -> Claims:
    """The claim on width, and its control on samples: means over both learning rates."""
    seen = table.groupby(["width", "samples", "seed"], as_index=False)["captured"].mean()
    few, many = seen["samples"].min(), seen["samples"].max()
    middle = where(seen, samples=many)["width"].iloc[0]
    cases = ((seen["width"].max(), few), (seen["width"].min(), few), (middle, few), (middle, many))
    own = [_of(seen, "captured", width=width, samples=samples) for width, samples in cases]
    return {"over-wider": (_less(*own[:2]), _less(*own[2:]))}


def flat_claims(table: pd.DataFrame) -> Claims:
    """The claim on noise on the weights: parity over brightness, usual and faint."""
    own, faint = (ratio(quotients(table, strength)) for strength in (STRENGTH, FAINT))
    return {"over-flat": (own, faint)}


def quotients(table: pd.DataFrame, strength: float) -> np.ndarray:
    """Rise of the loss of readers of the parity over that of readers of the brightness, by seed.

    NaN where one has not reached its training loss, or where its loss did not rise.
    """
    known = table["reached"].astype(bool) & (table["rise"] > 0)
    seen = table.assign(rise=table["rise"].where(known))
    parity, brightness = (_of(seen, "rise", strength=strength, parity=p) for p in (True, False))
    return (parity / brightness).to_numpy()


def line_claims(table: pd.DataFrame) -> Claims:
    """The claim on barriers between readers of different structures."""
    mixed, same, loose = (barriers(table, pair) for pair in (MIXED, SAME, LOOSE))
    return {"over-barrier": (mean((mixed - same).to_numpy()), mean(loose.to_numpy()))}


def barriers(table: pd.DataFrame, pair: str) -> pd.Series:
    """Largest excess of the loss on the line between two networks, by seed."""
    return where(table, pair=pair).groupby("seed")["excess"].max()


# Tables for the figures, numbers for the prose


def peak(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.peak` draws: panel, line, count, value, low, high."""
    ridge = table["arm"] + ", with a ridge"
    named = table.assign(line=table["arm"].where(table["ridge"] == 0, ridge))
    panels = {"wrong": "wrong, both agree", "captured": "capture of the brightness"}
    parts = [
        summary(named, ["line", "count"], column, measure=SHARE).assign(panel=panel)
        for column, panel in panels.items()
    ]
    return pd.concat([closed_form(), *parts], ignore_index=True)


def closed_form() -> pd.DataFrame:
    """The squared error of the proposition, as many samples: panel, line, count, value."""
    values = theory.descent(SAMPLES, ALL, noise=NOISE)
    columns = {"panel": "squared error, in closed form", "line": "Gaussian features"}
    return pd.DataFrame(values, columns=["count", "value"]).assign(**columns)


def captures(rooms: pd.DataFrame, wide: pd.DataFrame) -> pd.DataFrame:
    """What `figures.captures` draws: panel, line, x, value, low, high."""
    names = {"own": "noise of its own", "shared": "noise of a group"}
    seen = pd.concat([rooms, where(rooms, energy=0.0).assign(kind="shared")])
    few = where(wide, samples=wide["samples"].min())
    parts = {
        "energy of the noise": seen.assign(line=seen["kind"].map(names), x=seen["energy"]),
        "hidden units": few.assign(line=few["rate"].map("rate {:g}".format), x=few["width"]),
    }
    return pd.concat([
        summary(part, ["line", "x"], "captured", measure=SHARE).assign(panel=panel)
        for panel, part in parts.items()
    ], ignore_index=True)  # fmt: skip


def lines(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.lines` draws: pair, t, value, low, high."""
    return summary(table, ["pair", "t"], "excess")


def said(fits: pd.DataFrame, features: pd.DataFrame) -> dict[str, float]:
    """Means over seeds of what fits and of features; `right`, the least: COLUMN_GROUP."""
    ends = [features["count"].min(), SAMPLES, features["count"].max()]
    seen = features.assign(arm=features["arm"].where(features["ridge"] == 0, "ridge"))
    kinds = ["width", "shuffled"]
    found = evidence.said(fits, kinds, ["correct", "steps"])
    found |= evidence.said(fits, kinds, "right", measure=pd.Series.min)
    found |= evidence.said(where(seen, count=ends), ["arm", "count"], ["wrong", "captured"])
    inputs, units = experiment.PIXELS, experiment.WIDTH
    return found | {
        "wide": units, "parameters": (inputs + 2) * units + 1, "images": experiment.IMAGES,
        "feature_images": SAMPLES, "noise_inputs": experiment.INPUTS, "groups": experiment.GROUPS,
    }  # fmt: skip


def said_of_room(rooms: pd.DataFrame, wide: pd.DataFrame) -> dict[str, float]:
    """Means over seeds of noise and of widths; `right` and `exceptions`, the least."""
    found: dict[str, float] = {}
    for table, by in ((rooms, ["kind", "energy"]), (wide, ["width", "samples"])):
        found |= evidence.said(table, by, ["captured", "wrong"])
        found |= evidence.said(table, by, ["right", "exceptions"], measure=pd.Series.min)
    return found


def said_of_valleys(flat: pd.DataFrame, line: pd.DataFrame) -> dict[str, float]:
    """Geometric mean quotients and how many there are, and mean barriers."""
    found: dict[str, float] = {}
    for name, strength in (("usual", STRENGTH), ("faint", FAINT)):
        logs = np.log(quotients(flat, strength))
        found[f"quotient_{name}"] = float(np.exp(np.nanmean(logs)))
        found[f"known_{name}"] = float((~np.isnan(logs)).sum())
    names = zip(("mixed", "same", "bright", "loose"), PAIRS, strict=True)
    return found | {f"barrier_{name}": float(barriers(line, pair).mean()) for name, pair in names}
