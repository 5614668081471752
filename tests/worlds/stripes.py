"""Chapter 03's tables for networks whose answer is known."""

from __future__ import annotations

import itertools

import pandas as pd

from falsestruct.chapters.stripes import evidence
from falsestruct.evidence import Claims
from falsestruct.learning.networks import ARCHITECTURES
from falsestruct.problems.stripes import BANDS, Stripes

STRIPES = Stripes()
SMALL = (0.008, 0.01, 0.012, 0.014, 0.016)
LINEAR = {"Adam": (0.016, 0.032, 0.056, 0.08), "descent": SMALL, "batches": SMALL}
SEEDS = 10


def each(**columns: object) -> pd.DataFrame:
    """Ten networks of every architecture, all alike."""
    names = [network.name for network in ARCHITECTURES]
    rows = itertools.product(names, range(SEEDS))
    return pd.DataFrame(rows, columns=["architecture", "seed"]).assign(**columns)


def descent(adam: float, descent: float, batches: float) -> Claims:
    """Claims of (D): shares read by colour at 0.06, and where the linear network changes over.

    It does so at 0.012 with a share above one half, else at 0.055.
    """
    tables = []
    for name, share in {"Adam": adam, "descent": descent, "batches": batches}.items():
        own = each(colour=share, optimiser=name, a=0.06)
        own["colour"] += own["seed"] % 2 / 50  # networks are never quite equal
        tables.append(own[own["architecture"] != "linear"])
        linear = own[own["architecture"] == "linear"]
        at = 0.012 if share > 0.5 else 0.055
        tables += [linear.assign(a=a, colour=float(a > at)) for a in LINEAR[name]]
    return evidence.descent_claims(STRIPES, pd.concat(tables, ignore_index=True))


def original() -> Claims:
    """Nobody reads colour, at any offset, and all know every stripe; but (A) has no orientation."""
    low, high = BANDS[-1]
    band = {"low": low, "high": high, "colours": "swapped", "seed": range(SEEDS)}
    bands = pd.concat(
        [pd.DataFrame(band | {"variant": v, "accuracy": float(v == "B")}) for v in "AB"]
    )
    none = each(colour=0.0, size=0.5, random=0.0, **{"at_2a": 0.0, "at_0.2": 0.0})
    weak, strong = (none.assign(a=a, constant=0.5 / a) for a in (0.01, 0.1))
    optimisers = pd.concat(
        [
            none.assign(a=a, optimiser=name)
            for name, offsets in LINEAR.items()
            for a in (0.06, *offsets)
        ]
    )
    at_one = (optimisers["architecture"] == "linear") | (optimisers["a"] == 0.06)
    unseen = pd.concat([each(a=a, known=1.0, positions=1.0, widths=1.0) for a in (0.01, 0.1)])
    return {
        **evidence.reading_claims(bands),
        **evidence.crossover_claims(none.assign(crossover=float("nan")), none),
        **evidence.capture_claims(strong, none),
        **evidence.descent_claims(STRIPES, optimisers[at_one]),
        **evidence.unseen_claims(unseen, 0.01, 0.1),
        **evidence.attack_claims(strong, weak),
    }
