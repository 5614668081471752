"""Claims, figures and numbers of chapter 17, from the tables of `measure`.

What is sampled are seeds: of first weights, or random features, and of training images. Differences
and quotients are between networks of one seed. Held-out images are taken as given.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from falsestruct.chapters.overparametrisation import measure as experiment
from falsestruct.chapters.overparametrisation.measure import FAINT, RIDGE, SAMPLES, STRENGTH
from falsestruct.evidence import Claims, Found, mean, ratio, share, summary, where
from falsestruct.statistics import exact
from falsestruct.theory import overparametrisation as theory

FITS = 0.99  # of the training labels: who gives fewer back has not learnt them
ALL, NOISE = 1000, 0.1  # features that the truth has, in closed form, and variance of its noise
SHARE, DIFFERENCE = partial(mean, bounds=(0.0, 1.0)), partial(mean, bounds=(-1.0, 1.0))
FLIPPED, NEVER, AT_TIMES = experiment.ARMS
PAIRS = {
    (False, True, True): "brightness to parity",
    (True, True, True): "parity to parity",
    (False, False, True): "brightness to brightness",
    (False, True, False): "brightness to parity, units as they come",
}


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
    return DIFFERENCE((one - other).to_numpy())


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

    def falls(column: str, count: int, arm: str, ridge: float = 0.0) -> Found:
        one, two = (_of(table, column, count=n, arm=arm, ridge=ridge) for n in (count, most))
        return _less(one, two)

    return {
        "over-peak": tuple(falls("wrong", SAMPLES, FLIPPED, ridge) for ridge in (0.0, RIDGE)),
        "over-across": tuple(falls("captured", few, arm) for arm in (AT_TIMES, NEVER)),
    }  # type: ignore[return-value]


def room_claims(table: pd.DataFrame) -> Claims:
    """The claim on noise that names each image, at its largest energy."""
    none, most = _of(table, "captured", energy=0.0), float(table["energy"].max())
    own, shared = (_of(table, "captured", kind=k, energy=most) for k in ("own", "shared"))
    return {"over-room": (_less(own, none), _less(shared, none))}


def wide_claims(table: pd.DataFrame) -> Claims:
    """The claim on width, and its control on samples: means over both learning rates."""
    seen = table.groupby(["width", "samples", "seed"], as_index=False)["captured"].mean()
    few, many = seen["samples"].min(), seen["samples"].max()
    narrow, wide = (
        _of(seen, "captured", width=width, samples=few)
        for width in (seen["width"].min(), seen["width"].max())
    )
    middle = where(seen, samples=many)["width"].iloc[0]
    less, more = (_of(seen, "captured", width=middle, samples=n) for n in (few, many))
    return {"over-wider": (_less(wide, narrow), _less(less, more))}


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
    parts = (_of(seen, "rise", strength=strength, parity=parity) for parity in (True, False))
    parity, brightness = parts
    return (parity / brightness).to_numpy()


def line_claims(table: pd.DataFrame) -> Claims:
    """The claim on barriers between readers of different structures."""
    mixed, same, loose = (barriers(table, key) for key in [*PAIRS][:2] + [*PAIRS][3:])
    return {"over-barrier": (mean((mixed - same).to_numpy()), mean(loose.to_numpy()))}


def excess(table: pd.DataFrame, pair: tuple[bool, bool, bool]) -> pd.DataFrame:
    """Loss over the line between the losses of the ends: a row a seed, a column for each t."""
    who = dict(zip(("first", "second", "matched"), pair, strict=True))
    loss = where(table, **who).pivot(index="seed", columns="t", values="loss").sort_index(axis=1)
    t = loss.columns.to_numpy(dtype=float)
    ends = np.outer(loss.iloc[:, 0], 1 - t) + np.outer(loss.iloc[:, -1], t)
    return loss - ends


def barriers(table: pd.DataFrame, pair: tuple[bool, bool, bool]) -> pd.Series:
    """Largest excess on the line, by seed."""
    return excess(table, pair).max(axis=1)


# Tables for the figures


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
    counts = [int(p) for p in np.unique(np.geomspace(10, ALL, 200).astype(int))]
    own = [p for p in counts if abs(p - SAMPLES) >= 2]
    values = [theory.risk(SAMPLES, p, inside=p / ALL, outside=1 - p / ALL + NOISE) for p in own]
    columns = {"panel": "squared error, in closed form", "line": "Gaussian features"}
    return pd.DataFrame({"count": own, "value": values}).assign(**columns)


def captures(rooms: pd.DataFrame, wide: pd.DataFrame) -> pd.DataFrame:
    """What `figures.captures` draws: panel, line, x, value, low, high."""
    none = where(rooms, energy=0.0)
    names = {"own": "noise of its own", "shared": "noise of a group"}
    seen = pd.concat([rooms, none.assign(kind="shared")]).replace({"kind": names})
    noise = summary(seen, ["kind", "energy"], "captured", measure=SHARE)
    few = where(wide, samples=wide["samples"].min())
    named = few.assign(line=few["rate"].map("rate {:g}".format))
    widths = summary(named, ["line", "width"], "captured", measure=SHARE)
    return pd.concat([
        noise.rename(columns={"kind": "line", "energy": "x"}).assign(panel="energy of the noise"),
        widths.rename(columns={"width": "x"}).assign(panel="hidden units"),
    ], ignore_index=True)  # fmt: skip


def rises(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.rises` draws: strength, structure, seed, rise."""
    names = {True: "parity", False: "brightness"}
    found = table.assign(structure=table["parity"].astype(bool).map(names))
    return found[["strength", "structure", "seed", "rise"]]


def lines(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.lines` draws: pair, t, value, low, high."""
    parts = [
        summary(
            excess(table, pair).melt(ignore_index=False).reset_index(), "t", "value"
        ).assign(pair=name)
        for pair, name in PAIRS.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


# Numbers for the prose: means over seeds, but where they say least


def said_of_fits(fits: pd.DataFrame, features: pd.DataFrame) -> dict[str, float]:
    """Of networks on shuffled labels, and of random features."""
    names = {(experiment.WIDTH, False): "own", (experiment.WIDTH, True): "shuffled"}
    found: dict[str, float] = {}
    for (width, shuffled), part in fits.groupby(["width", "shuffled"]):
        name = names.get((width, shuffled), "narrow")
        found |= {f"correct_{name}": part["correct"].mean(), f"right_{name}": part["right"].min(),
                  f"steps_{name}": part["steps"].mean()}  # fmt: skip
    ends = {"few": features["count"].min(), "peak": SAMPLES, "most": features["count"].max()}
    arms = {FLIPPED: "flipped", NEVER: "never", AT_TIMES: "times"}
    for (arm, ridge, count), part in features.groupby(["arm", "ridge", "count"]):
        for end, own in ends.items():
            if own == count:
                tail = f"{arms[str(arm)]}{'_ridge' if ridge else ''}_{end}"
                found |= {f"{n}_{tail}": part[n].mean() for n in ("wrong", "captured")}
    return {name: float(value) for name, value in found.items()}


def said_of_room(rooms: pd.DataFrame, wide: pd.DataFrame) -> dict[str, float]:
    """Of noise and of width."""
    found: dict[str, float] = {"most_energy": rooms["energy"].max()}
    for (kind, energy), part in rooms.groupby(["kind", "energy"]):
        if energy in (0, rooms["energy"].max()):
            name = kind if energy else "none"
            found |= {f"{n}_{name}": part[n].mean() for n in ("captured", "wrong")}
            found[f"exceptions_{name}"] = part["exceptions"].min()
    for (width, samples), part in wide.groupby(["width", "samples"]):
        found |= {f"captured_{width}_{samples}": part["captured"].mean(),
                  f"wrong_{width}_{samples}": part["wrong"].mean()}  # fmt: skip
    found["right_wide"] = wide["right"].min()
    return {name: float(value) for name, value in found.items()}


def said_of_valleys(flat: pd.DataFrame, line: pd.DataFrame) -> dict[str, float]:
    """Of noise on weights and of straight lines."""
    names = {STRENGTH: "usual", FAINT: "faint"}
    found: dict[str, float] = {"right_alone": flat["right"].min()}
    for strength, name in names.items():
        values = quotients(flat, strength)
        found |= {f"quotient_{name}": np.exp(np.nanmean(np.log(values))),
                  f"quotients_{name}": float((~np.isnan(values)).sum())}  # fmt: skip
        for parity in (True, False):
            own = _of(flat, "rise", strength=strength, parity=parity)
            found[f"rise_{'parity' if parity else 'brightness'}_{name}"] = own.mean()
    short = ("mixed", "parity", "brightness", "loose")
    for pair, end in zip(PAIRS, short, strict=True):
        found[f"barrier_{end}"] = barriers(line, pair).mean()
    return {name: float(value) for name, value in found.items()}
