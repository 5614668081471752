"""Claims, figures and numbers of chapter 19, from the tables of `measure`.

What is sampled are seeds: of first weights, of noise, and, on grids and in pools, of what networks
see. Words of training are all that there are; long words are the same for all networks.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from falsestruct.evidence import Claims, Found, Part, mean, share, summary, where
from falsestruct.statistics import exact
from falsestruct.success import TAKES
from falsestruct.theory import concepts

QUIET = 0.0  # noise of the networks that a claim is about
FINE, COARSE = 32, 4  # centres
SHARE, DIFFERENCE = partial(mean, bounds=(0.0, 1.0)), partial(mean, bounds=(-1.0, 1.0))
PAIRS = ("joined", "apart")


def proved(cases: int) -> Claims:
    """Claims in exact arithmetic; `cases` random networks and pairs of automata."""
    return {
        f"concepts-{name}": (exact(float(value), cases), exact(float(control), cases))
        for name, (value, control) in concepts.evidence(cases).items()
    }


def lengths(table: pd.DataFrame) -> list[int]:
    """Lengths of words that networks were tested on, increasing."""
    return sorted(int(name[3:]) for name in table.columns if name.startswith("at "))


def solved(table: pd.DataFrame, *, quiet: bool) -> pd.DataFrame:
    """Networks that are right on all words of training, trained without noise, or with the most."""
    noise = QUIET if quiet else float(table["noise"].max())
    return where(table, noise=noise, known=lambda known: known == 1)


def word_claims(table: pd.DataFrame) -> Claims:
    """Claims on longer words, and on states that are rounded."""
    quiet, loud = (solved(table, quiet=kind) for kind in (True, False))
    last = f"at {lengths(table)[-1]}"
    fine, coarse = (share(quiet[f"rounded {count}"]) for count in (FINE, COARSE))
    return {
        "concepts-longer": (share(quiet[last] == 1), share(loud[last] == 1)),
        "concepts-certified": (fine, coarse),
    }


def difference(table: pd.DataFrame, column: str, left: Part, right: Part) -> Found:
    """Mean over seeds of a column for some networks, less that of others with the same seed."""
    one, other = (where(table, **part).set_index("seed")[column] for part in (left, right))
    return DIFFERENCE((one - other).to_numpy())


def hint_claims(table: pd.DataFrame) -> Claims:
    """Claims on who takes a hint: by network, and by which words have labels."""
    faint, loud = float(table["hint"].min()), float(table["hint"].max())

    def both(left: Part, right: Part) -> tuple[Found, Found]:
        return tuple(  # type: ignore[return-value]
            difference(table, "capture", {**left, "hint": size}, {**right, "hint": size})
            for size in (faint, loud)
        )

    networks = ({"network": name, "labels": "all"} for name in ("MLP", "recurrent"))
    found: Claims = {"concepts-hint": both(*networks)}
    for name in ("MLP", "recurrent"):
        full, every = ({"network": name, "labels": labels} for labels in ("full", "all"))
        found[f"concepts-labels-{name.lower()}"] = both(full, every)
    return found


def distance_claim(table: pd.DataFrame) -> Claims:
    """The claim on distance; control: networks whose training set says nothing by it."""
    more = table.assign(more=table["misled"] - table["led"])
    own, control = (DIFFERENCE(where(more, level=level)["more"]) for level in (False, True))
    return {"concepts-distance": (own, control)}


def asking_claims(table: pd.DataFrame) -> Claims:
    """Claims on who asks about what."""
    none, unsure, chance = ({"way": way, "spread": False} for way in ("none", "unsure", "random"))
    less = partial(difference, table, "capture")
    return {
        "concepts-asking": (less(chance, unsure), less(none, chance)),
        "concepts-spread": (
            less(unsure, {"way": "unsure", "spread": True}),
            less(chance, {"way": "random", "spread": True}),
        ),
    }


def synthetic_claim(table: pd.DataFrame) -> Claims:
    """The claim on images that were made: for networks that take the colour, or don't."""
    colour = where(table, what="colour", capture=lambda c: c >= TAKES)
    orientation = where(table, what="orientation", capture=lambda c: c <= 1 - TAKES)
    accepted = (SHARE(own["orientation"]) for own in (colour, orientation))
    return {"concepts-synthetic": tuple(accepted)}  # type: ignore[dict-item]


def right_by_length(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.lengths` draws: columns noise, length, value, low, high.

    Mean share of right labels over the networks that are right on all words of training.
    """
    own = pd.concat([solved(table, quiet=quiet) for quiet in (True, False)])
    known = [own.assign(length=n, right=own[f"at {n}"]) for n in lengths(table)]
    return summary(pd.concat(known), ["noise", "length"], "right", measure=SHARE)


def captures(table: pd.DataFrame, *by: str) -> pd.DataFrame:
    """What `figures.hints` and `figures.asked` draw: columns `by`, value, low, high."""
    return summary(table, by, "capture", measure=SHARE)


def by_distance(table: pd.DataFrame) -> pd.DataFrame:
    """What `figures.distances` draws: share called joined, by training, pair and distance.

    Columns level, pair, distance, value, low, high.
    """
    names = [name for name in table.columns if name.partition(" ")[0] in PAIRS]
    parts = [
        table.assign(pair=name.split()[0], distance=int(name.split()[1]), said=table[name])
        for name in names
        if table[name].notna().any()
    ]
    return summary(pd.concat(parts), ["level", "pair", "distance"], "said", measure=SHARE)


def said(table: pd.DataFrame, hints: pd.DataFrame) -> dict[str, float]:
    """Numbers of the words for the prose."""
    last = f"at {lengths(table)[-1]}"
    found: dict[str, float] = {"longest": float(lengths(table)[-1])}
    for name, quiet in (("quiet", True), ("loud", False)):
        own = solved(table, quiet=quiet)
        found |= {f"{name}_solved": float(len(own)), f"{name}_long": float((own[last] == 1).sum())}
        for count in (COARSE, 16, FINE):
            found[f"{name}_{count}"] = float(own[f"rounded {count}"].sum())
    for key, part in hints.groupby(["network", "labels", "hint"]):
        name = "_".join(str(word).replace(".", "") for word in key).lower()
        found[f"capture_{name}"] = float(part["capture"].mean())
    return found | {"least_hints": float(hints["accuracy"].min())}


def said_of_others(
    grids: pd.DataFrame, asking: pd.DataFrame, synthetic: pd.DataFrame
) -> dict[str, float]:
    """Numbers of grids and stripes for the prose."""
    found: dict[str, float] = {}
    for level, part in grids.groupby("level"):
        kind = "level" if level else "random"
        found |= {f"{name}_{kind}": float(part[name].mean()) for name in ("misled", "led")}
        found[f"accuracy_{kind}"] = float(part["accuracy"].min())
    for (way, spread), part in asking.groupby(["way", "spread"]):
        found[f"asked_{way}{'_spread' if spread else ''}"] = float(part["capture"].mean())
    for what, part in synthetic.groupby("what"):
        found[f"made_{what}"] = float(np.nanmean(part["orientation"]))
    found["unreached"] = float((~synthetic["reached"].astype(bool)).sum())
    left = 1 - float(synthetic["convinced"].mean())
    return found | {"least_asking": float(asking["accuracy"].min()), "unconvinced": left}
