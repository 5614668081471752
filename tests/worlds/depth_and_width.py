"""Chapter 16's tables for networks whose answer is known: where they change over is set by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from falsestruct.chapters.depth_and_width import evidence
from falsestruct.chapters.depth_and_width.measure import ARMS, COMPARED, EVEN, RATES
from falsestruct.evidence import Claims
from falsestruct.learning.halving import halved

COUNTS = {"few": 20, "seeds": 40, "many": 60}  # as on the page
BETWEEN, HALVINGS = (0.05, 0.4), 5
FAINT, LOUD = 0.003, 0.1
Captures = Callable[[str, float], float]  # shape and size of the hint → capture of it
FORETOLD = {  # what the claims predict, arm by arm
    "1": 0.180, "2": 0.150, "4": 0.130, "8": 0.125, "8 wide": 0.125,
    "1 descent": 0.135, "2 descent": 0.120, "4 descent": 0.110, "8 descent": 0.105,
    "8 wide descent": 0.105, "1 half": 0.130, "8 half": 0.100, "8 wide half": 0.100,
    "1 slow": 0.180, "8 fast": 0.125, "1 scaled": 0.180, "8 scaled": 0.140,
    "16 units": 0.180, "256 units": 0.180, "lazy": 0.130, "rich": 0.135,
    "skip connections": 0.135, "normalisation": 0.150,
    "mean-pooled images": 0.130, "max-pooled images": 0.160,
}  # fmt: skip
SAME = dict.fromkeys(ARMS, 0.2)  # a strong colour is needed, whatever the network
MOVED = {"lazy": 0.004, "rich": 0.5}


def tents(
    captures: Captures, *, learnt: float = 1.0, fitted: float = 1.0, least: float = 0.0
) -> pd.DataFrame:
    """What `measure.tents` gives: shares of networks without a hint that learn, or fit."""
    rows = [
        row
        for shape in COMPARED
        for size in (FAINT, LOUD)
        for rate in ((*RATES, EVEN) if size == FAINT else RATES[:1])
        for row in _networks(shape, 3, size, rate, captures(shape, size))
    ]
    rows += _networks("three", 3, LOUD, RATES[0], captures("three", LOUD))
    for shape, k, part in (("three", 3, learnt), ("four", 4, fitted), ("four of two", 4, least)):
        rows += _networks(shape, k, 0.0, RATES[0], 0.0, part)
    return pd.DataFrame(rows)


def _networks(
    shape: str, k: int, size: float, rate: float, capture: float, part: float = 1.0
) -> list[dict[str, object]]:
    own = {"shape": shape, "k": k, "size": size, "rate": rate}
    seeds = COUNTS["seeds" if size == FAINT else "few"]
    count = round(part * seeds)
    return [
        own
        | {"seed": seed, "steps": 100, "reached": seed < count}
        | {"accuracy": 1.0 if seed < count else 0.5}
        | {"capture": float(np.clip(capture + 0.02 * (seed % 3 - 1), 0, 1))}
        for seed in range(seeds)
    ]


def stripes(
    places: Mapping[str, float],
    *,
    moved: Mapping[str, float] | None = None,
    steps: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """What `measure.stripes` gives, of networks that change over within a few per cent.

    At an infinite place a network never reads the colour.
    """
    far, taken = {**MOVED, **(moved or {})}, steps or {}
    return pd.concat(
        [
            _arm(arm, index, places[arm], taken.get(arm, 200), far.get(arm, math.nan))
            for index, arm in enumerate(ARMS)
        ],
        ignore_index=True,
    )


def _arm(arm: str, index: int, where: float, steps: int, moved: float) -> pd.DataFrame:
    seeds, level = range(COUNTS[ARMS[arm].count]), ARMS[arm].level
    wobble = np.random.default_rng([7, index]).normal(1, 0.02, len(seeds))

    def trained(offsets: Sequence[float]) -> pd.DataFrame:
        odds = level / (1 - level) * (np.asarray(offsets) / (where * wobble)) ** 20
        colour = odds / (1 + odds)
        own = {"seed": seeds, "a": offsets, "colour": colour, "reached": True, "accuracy": 1.0}
        walk = moved * wobble
        return pd.DataFrame(own | {"arm": arm, "steps": steps, "moved": walk, "travelled": walk})

    return halved(trained, seeds, BETWEEN, HALVINGS, share="colour", level=level)


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
    """Everything follows the original, up to a strong colour."""
    return claims(never, SAME)
