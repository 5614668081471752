"""Chapter 17's tables for networks whose answer is known: what they take is decided by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct.chapters.overparametrisation import evidence
from falsestruct.chapters.overparametrisation import measure as experiment
from falsestruct.evidence import Claims

SEEDS = 20
FEW, MOST = 10, 2000  # features
COUNTS = (FEW, experiment.SAMPLES, MOST)
WIDTHS, SAMPLES = (8, 64, 256), (200, 800)


def _near(value: float, *salt: int) -> float:
    """About this share; networks differ a little, and by salt."""
    off = np.random.default_rng(salt).uniform(-0.005, 0.005)
    return min(max(value + off, 0.0), 1.0)


def fits(
    correct: float, *, right: float = 1.0, other: float = 0.5, narrow: float = 0.8
) -> pd.DataFrame:
    """Right on held-out images after own labels and shuffled ones, and labels given back."""
    wide = experiment.WIDTH
    kinds = ((wide, False, 1.0, correct), (wide, True, right, other), (2, True, narrow, other))
    return pd.DataFrame(
        {"width": width, "shuffled": shuffled, "seed": seed, "right": kept, "steps": 100}
        | {"correct": _near(read, seed, shuffled)}
        for width, shuffled, kept, read in kinds
        for seed in range(SEEDS)
    )


def features(
    *, peak: float, ridge: float = 0.1, few: float, most: float, never: float = 0.9
) -> pd.DataFrame:
    """Errors at as many features as samples, and captures with few and most where it errs."""
    rows = []
    for count in COUNTS:
        for seed in range(SEEDS):
            own = {"count": count, "seed": seed, "right": 1.0}
            wrong = {0.0: peak if count == experiment.SAMPLES else 0.1, experiment.RIDGE: ridge}
            for size, error in wrong.items():
                rows.append(own | {"arm": experiment.FLIPPED, "ridge": size, "captured": 0.9}
                            | {"wrong": _near(error, seed, count)})  # fmt: skip
            taken = few if count == FEW else most
            for arm, share in ((experiment.AT_TIMES, taken), (experiment.NEVER, never)):
                rows.append(own | {"arm": arm, "ridge": 0.0, "captured": _near(share, seed, count)}
                            | {"wrong": 0.1})  # fmt: skip
    return pd.DataFrame(rows)


def rooms(none: float, own: float, shared: float) -> pd.DataFrame:
    """Captures without noise, and with each image's own or a group's."""
    kinds = (("own", 0.0, none), ("own", 4.0, own), ("shared", 4.0, shared))
    return pd.DataFrame(
        {
            "kind": kind,
            "energy": energy,
            "seed": seed,
            "captured": _near(share, seed, len(kind), int(energy)),
        }
        | {"wrong": 0.0, "right": 1.0, "exceptions": 1.0}
        for kind, energy, share in kinds
        for seed in range(SEEDS)
    )


def wide(narrow: float, widest: float, *, more: float = 0.1, fewer: float = 0.3) -> pd.DataFrame:
    """Captures of the narrowest and widest networks, and of the middle ones with more samples."""
    few, many = SAMPLES
    cells = [(WIDTHS[0], few, narrow), (WIDTHS[1], few, fewer), (WIDTHS[2], few, widest)]
    cells.append((WIDTHS[1], many, more))
    return pd.DataFrame(
        {"width": width, "samples": samples, "rate": rate, "seed": seed}
        | {
            "captured": _near(share, seed, width, samples),
            "wrong": 0.0,
            "right": 1.0,
            "exceptions": 1.0,
        }
        for width, samples, share in cells
        for rate in experiment.RATES
        for seed in range(SEEDS)
    )


def flat(usual: float, faint: float, *, lost: int = 0) -> pd.DataFrame:
    """How much more readers of the parity lose; so many of the first did not reach their loss."""
    rows = []
    for strength, quotient in ((experiment.STRENGTH, usual), (experiment.FAINT, faint)):
        for parity in (True, False):
            for seed in range(SEEDS):
                rise = (quotient if parity else 1.0) * 0.01 * (1 + (seed % 3 * parity) / 50)
                known = {"rise": rise, "reached": seed >= lost or not parity}
                rows.append({"strength": strength, "parity": parity, "seed": seed} | known)
    return pd.DataFrame(rows)


def lines(mixed: float, same: float, loose: float) -> pd.DataFrame:
    """Barriers between readers of both structures, of one, and with units as they come."""
    heights = dict(zip(experiment.PAIRS, (mixed, same, same, loose), strict=True))
    return pd.DataFrame(
        {"pair": pair, "seed": seed, "t": t}
        | {"excess": 4 * t * (1 - t) * _near(heights[pair], seed, len(pair))}
        for pair in heights
        for seed in range(SEEDS)
        for t in experiment.LINE
    )


def original() -> Claims:
    """Networks follow the parity, whatever the brightness says, however many parameters they have.

    Its readers are as flat as others, but for a brightness that is too faint to be read.
    """
    return {
        **{id: pair for id, pair in evidence.proved(5).items() if id == "over-ridge"},
        **{id: pair for id, pair in evidence.peak_claims(
            features(peak=0.4, few=0.0, most=0.0, never=0.0)
        ).items() if id == "over-across"},
        **evidence.room_claims(rooms(0.0, 0.0, 0.0)),
        **evidence.wide_claims(wide(0.0, 0.0, more=0.0, fewer=0.0)),
        **evidence.flat_claims(flat(1.0, 0.5)),
        **evidence.line_claims(lines(0.001, 0.001, 0.05)),
    }  # fmt: skip
