"""Chapter 16's tables for networks whose answer is known: where they change over is set by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from falsestruct.chapters.depth_and_width import evidence
from falsestruct.chapters.depth_and_width.measure import ARMS, COMPARED, RATES
from falsestruct.evidence import Claims

SEEDS = 20
FAINT, LOUD = 0.003, 0.1
OFFSETS = tuple(np.geomspace(0.02, 0.5, 12).tolist())
Captures = Callable[[str, float], float]  # shape and size of the hint → capture of it
FORETOLD = {  # what the claims predict, arm by arm
    "1": 0.070, "2": 0.063, "4": 0.060, "8": 0.055, "1 slow": 0.070, "8 fast": 0.055,
    "1 scaled": 0.070, "8 scaled": 0.055, "1 descent": 0.056, "8 descent": 0.056,
    "8 units": 0.072, "256 units": 0.070, "lazy": 0.055, "rich": 0.056,
    "skip connections": 0.060, "normalisation": 0.080, "mean pooling": 0.060, "max pooling": 0.090,
}  # fmt: skip
SAME = dict.fromkeys(ARMS, 0.3)  # nearly as strong as the stripe itself, whatever the network
MOVED = {"lazy": 0.004, "rich": 0.5}


def tents(
    captures: Captures, *, learnt: float = 1.0, fitted: float = 1.0, least: float = 0.0
) -> pd.DataFrame:
    """What `measure.tents` gives: shares of networks without a hint that learn, or fit."""
    rows = [
        row
        for shape in COMPARED
        for size in (FAINT, LOUD)
        for rate in (RATES if size == FAINT else RATES[:1])
        for row in _networks(shape, 3, size, rate, captures(shape, size))
    ]
    rows += _networks("three", 3, LOUD, RATES[0], captures("three", LOUD))
    for shape, k, part in (("three", 3, learnt), ("three", 4, fitted), ("four of two", 4, least)):
        rows += _networks(shape, k, 0.0, RATES[0], 0.0, part)
    return pd.DataFrame(rows)


def _networks(
    shape: str, k: int, size: float, rate: float, capture: float, part: float = 1.0
) -> list[dict[str, object]]:
    own = {"shape": shape, "k": k, "size": size, "rate": rate}
    count = round(part * SEEDS)
    return [
        own
        | {"seed": seed, "steps": 100, "reached": seed < count}
        | {"accuracy": 1.0 if seed < count else 0.5}
        | {"capture": float(np.clip(capture + 0.02 * (seed % 3 - 1), 0, 1))}
        for seed in range(SEEDS)
    ]


def stripes(
    places: Mapping[str, float], *, moved: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """What `measure.stripes` gives; at an infinite place a network never reads the colour."""
    far, rows = {**MOVED, **(moved or {})}, []
    for index, arm in enumerate(ARMS):
        for seed in range(SEEDS):
            wobble = float(np.random.default_rng([seed, index]).normal(1, 0.02))
            for a in OFFSETS:
                colour = 1 / (1 + (places[arm] * wobble / a) ** 6)
                own = {"arm": arm, "seed": seed, "a": a, "colour": colour}
                own |= {"accuracy": 1.0, "steps": 200, "reached": True}
                walk = far.get(arm, math.nan) * wobble
                rows.append(own | {"moved": walk, "travelled": walk})
    return pd.DataFrame(rows)


def follow(shape: str, size: float) -> float:
    """The world that is foretold: depth takes a faint hint away, and nothing a loud one."""
    return {"six": 0.1}.get(shape, 0.7) if size == FAINT else 1.0


def never(shape: str, size: float) -> float:
    """Networks follow the original, whatever the hint."""
    return 0.0


def claims(captures: Captures, places: Mapping[str, float]) -> Claims:
    """All claims on trained networks."""
    return evidence.tent_claims(tents(captures)) | evidence.stripe_claims(stripes(places))


def original() -> Claims:
    """Everything follows the original, up to a colour that is as strong as the stripe."""
    return claims(never, SAME)
