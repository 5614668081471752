"""Chapter 17's tables for networks whose answer is known: what they take is decided by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from falsestruct.chapters.overparametrisation import evidence
from falsestruct.chapters.overparametrisation import measure as experiment
from falsestruct.evidence import Claims
from falsestruct.problems.bright import STRENGTH

SEEDS = 20
FEW, BELOW, MOST = 10, 140, 2000  # features
COUNTS = (FEW, BELOW, experiment.SAMPLES, MOST)
WIDTHS, SAMPLES = (8, 64, 256), (200, 800)
NARROW = (5, 8)


def _near(value: float, *salt: int) -> float:
    """About this share; networks differ a little, and by salt."""
    off = np.random.default_rng(salt).uniform(-0.005, 0.005)
    return min(max(value + off, 0.0), 1.0)


def fits(
    correct: float, *, right: float = 1.0, paying: float = 0.8, narrow: float = 0.8
) -> pd.DataFrame:
    """Right on held-out images after own labels and partly shuffled ones, and labels given back."""
    kinds = [("true", 1.0, correct), ("partly", 1.0, paying), ("shuffled", right, 0.5)]
    kinds += [("tight", narrow, 0.5), ("narrow", narrow, 0.5)]
    return pd.DataFrame(
        {"who": who, "width": NARROW[who == "narrow"], "seed": seed, "right": kept, "steps": 100}
        | {"correct": _near(read, seed, len(who))}
        for who, kept, read in kinds
        for seed in range(SEEDS)
    )


def features(
    *, peak: float, ridge: float = 0.1, at_times: tuple[float, float, float],
    flipped: tuple[float, float, float] = (0.6, 0.6, 0.9),
) -> pd.DataFrame:  # fmt: skip
    """Errors at as many features as samples; captures with few features, with more, and the most.

    Args:
        ridge: Such errors of fits with a ridge.
        at_times, flipped: Captures where the brightness is wrong at times, and where labels are.
    """
    arms = {experiment.FLIPPED: (peak, flipped), experiment.AT_TIMES: (0.1, at_times)}
    arms |= {arm + experiment.RIDGED: (ridge, captured) for arm, (_, captured) in arms.items()}
    arms[experiment.NEVER] = (0.1, (0.9, 0.9, 0.9))
    rows = []
    for arm, (error, shares) in arms.items():
        for count in COUNTS:
            share = dict(zip((FEW, BELOW, MOST), shares, strict=True)).get(count, 0.5)
            wrong = error if count == experiment.SAMPLES else 0.1
            for seed in range(SEEDS):
                rows.append({"count": count, "arm": arm, "seed": seed, "right": 1.0}
                            | {"wrong": _near(wrong, seed, count, len(arm))}
                            | {"captured": _near(share, seed, count)})  # fmt: skip
    table = pd.DataFrame(rows)
    return table.assign(turned=table["captured"] - table["wrong"])


def follower(turned: float, *, deaf: float = 0.0) -> dict[str, float]:
    """A network whose label turns with the brightness on this share, and that guesses on another.

    It reads the parity of all other images.
    """
    wrong = deaf / 2
    return {"wrong": wrong, "captured": wrong + turned, "turned": turned, "reached": True,
            "right": 1.0, "exceptions": 1.0}  # fmt: skip


def rooms(none: float, own: float, shared: float, *, deaf: float = 0.0) -> pd.DataFrame:
    """Who turns without noise, and with each image's own or a group's; noise makes some deaf."""
    kinds = (("own", 0.0, none), ("own", 4.0, own), ("shared", 4.0, shared))
    return pd.DataFrame(
        {"kind": kind, "energy": energy, "seed": seed}
        | follower(_near(share, seed, len(kind), int(energy)), deaf=deaf * (kind == "own") * energy)
        for kind, energy, share in kinds
        for seed in range(SEEDS)
    )


def wide(
    narrow: float, widest: float, *, more: float = 0.1, fewer: float = 0.3, lost: int = 0
) -> pd.DataFrame:
    """Who turns among the narrowest, the widest, and the middle ones with more samples.

    So many of the first seeds have not reached their loss at the first rate.
    """
    few, many = SAMPLES
    cells = [(WIDTHS[0], few, narrow), (WIDTHS[1], few, fewer), (WIDTHS[2], few, widest)]
    cells.append((WIDTHS[1], many, more))
    return pd.DataFrame(
        {"width": width, "samples": samples, "rate": rate, "seed": seed}
        | follower(_near(share, seed, width, samples))
        | {"reached": seed >= lost or rate != experiment.RATES[0]}
        for width, samples, share in cells
        for rate in experiment.RATES
        for seed in range(SEEDS)
    )


def flat(usual: float, faint: float, *, lost: int = 0) -> pd.DataFrame:
    """How much more readers of the parity lose; so many of the first did not reach their loss."""
    rows = []
    for strength, quotient in ((STRENGTH, usual), (experiment.FAINT, faint)):
        for parity in (True, False):
            for seed in range(SEEDS):
                rise = (quotient if parity else 1.0) * 0.01 * (1 + (seed % 3 * parity) / 50)
                known = {"rise": rise, "reached": seed >= lost or not parity}
                known |= {"before": 0.005, "steps": 100 if strength == STRENGTH else 300}
                rows.append({"strength": strength, "parity": parity, "seed": seed} | known)
    return pd.DataFrame(rows)


def lines(mixed: float, same: float, loose: float, *, lost: int = 0) -> pd.DataFrame:
    """Barriers between readers of both structures, of one, and with units as they come.

    So many of the first pairs have an end that has not reached its loss.
    """
    heights = dict(zip(experiment.PAIRS, (mixed, same, same, loose), strict=True))
    table = pd.DataFrame(
        {"pair": pair, "seed": seed, "t": t}
        | {"excess": 4 * t * (1 - t) * _near(heights[pair], seed, len(pair))}
        for pair in heights
        for seed in range(SEEDS)
        for t in experiment.LINE
    )
    return table.assign(excess=table["excess"].where(table["seed"] >= lost))


def directions(whole: float, split: float, alike: float) -> pd.DataFrame:
    """Shares that chance flips: of whole pixels, of split ones, and of parts that move alike."""
    return pd.DataFrame(
        {"kind": kind, "seed": seed, "shortest": 0.5, "right": 1.0}
        | {"flipped": _near(share, seed, i)}
        for i, (kind, share) in enumerate(
            zip(experiment.KINDS, (whole, split, alike), strict=True)
        )
        for seed in range(SEEDS)
    )  # fmt: skip


def original() -> Claims:
    """Networks follow the parity, whatever the brightness says, however many parameters they have.

    Fits with the most features err a little more. Readers of the parity are as flat as others, but
    for a brightness that is too faint to be read.
    """
    errors = (0.3, 0.05, 0.1)
    across = evidence.peak_claims(features(peak=0.4, at_times=errors))
    return {
        **{id: pair for id, pair in evidence.proved(5).items() if id == "over-ridge"},
        "over-across": across["over-across"],
        **evidence.room_claims(rooms(0.0, 0.0, 0.0)),
        **evidence.wide_claims(wide(0.0, 0.0, more=0.0, fewer=0.0)),
        **evidence.flat_claims(flat(1.0, 0.5)),
        **evidence.line_claims(lines(0.001, 0.001, 0.05)),
    }
