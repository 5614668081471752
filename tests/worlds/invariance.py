"""Chapter 14's tables, made by hand, and its claims in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from falsestruct.chapters.invariance import evidence
from falsestruct.evidence import Claims

SEEDS = 40
SAMPLES = (100, 200, 400, 800)
SIZES = (0.5, 1.0, 2.0, 4.0)
NAMES = ("n0", "n1", "n2", "n3", "n4", "n5", "n6", "max pool")
GS = (1.0, 4.0, 7.0, 2.0, 5.0, 8.0, 3.0, 6.0)  # responses to noise, in no order
ARMS = (
    ("seeing", "mean"), ("blind", "mean"), ("seeing", "checkerboard"), ("blind", "checkerboard"),
    ("blind", "contrast"),
)  # fmt: skip
Curve = Callable[[float], float]


def wobble(seed: int) -> float:
    """A factor near one, so that seeds differ."""
    return 1 + 0.02 * (seed % 5 - 2)


def interpolants(constant: float, first: float) -> pd.DataFrame:
    """Errors of the sparse interpolant are so many times those of the spread one."""
    return pd.DataFrame([
        {"dimension": dimension, "seed": seed, "target": target, "solver": solver, "used": 10,
         "error": quotient * wobble(seed) if solver == "sparse" else 1.0}
        for dimension in (3, 5)
        for seed in range(SEEDS)
        for target, quotient in {"constant": constant, "first": first}.items()
        for solver in ("sparse", "spread")
    ])  # fmt: skip


def stabilities(follows: str) -> pd.DataFrame:
    """Errors in the order of R, or of D, the other one in the opposite order; or nearly both."""
    rows = []
    for seed in range(SEEDS):
        for i in range(8):
            up, down = (i + 1) * wobble(seed), 9.0 - i
            pair = {"R": up, "D": down} if follows == "R" else {"R": down, "D": up}
            if follows == "both":  # D has either half of them in the opposite order
                pair = {"R": up, "D": 4.0 * (i // 4) + (3 - i % 4) * wobble(seed)}
            elif seed % 4 == 0 and i in (3, 4):  # a neighbouring pair in the other order
                pair = {"R": pair["R"], "D": pair["D"] + (2 * i - 7) * 1.5}
            rows.append({"seed": seed, "architecture": NAMES[i], "G": GS[i], "error": (i + 1) / 10}
                        | pair)  # fmt: skip
    return pd.DataFrame(rows).assign(moment="after", accuracy=1.0)


def hierarchies(
    deep: Mapping[str, Curve], shallow: Mapping[str, Curve], *, seeds: int = SEEDS
) -> pd.DataFrame:
    """Shares by the size of the training set: error, synonym, other, worst; dense as shallow."""
    return pd.DataFrame([
        {"network": network, "samples": samples, "seed": seed, "accuracy": 1.0, "nothing": 0.5}
        | {name: min(1.0, curve(samples) * wobble(seed)) for name, curve in curves.items()}
        for network, curves in {"deep": deep, "shallow": shallow, "dense": shallow}.items()
        for samples in SAMPLES
        for seed in range(seeds)
    ])  # fmt: skip


def falling(start: float, half: float) -> Curve:
    """Half of the start at the size `half`, steeply."""
    return lambda samples: start / (1 + (samples / half) ** 6)


def colours(captures: Mapping[tuple[str, str], Curve]) -> pd.DataFrame:
    """Capture by the size of the colour, for each arm; zero where none is given."""
    return pd.DataFrame([
        {"sight": sight, "kind": kind, "size": size, "seed": seed, "accuracy": 1.0,
         "capture": min(1.0, captures.get((sight, kind), never)(size) * wobble(seed)),
         "horizontal": 0.5}
        for sight, kind in ARMS
        for size in SIZES
        for seed in range(SEEDS)
    ])  # fmt: skip


def never(_: float) -> float:
    """Nothing, whatever the size."""
    return 0.0


def rising(half: float) -> Curve:
    """One half at the size `half`, steeply."""
    return lambda size: 1 / (1 + (half / size) ** 6)


def original() -> Claims:
    """Everything follows the original: the target, the hierarchy once learnt, the direction."""
    learns = {"error": falling(0.8, 150), "synonym": falling(0.5, 160), "worst": falling(0.8, 160)}
    right = {**learns, "other": lambda _: 0.8}
    ordered = stabilities("D")
    return {
        **evidence.sparse_claim(interpolants(0.5, 0.5)),
        **evidence.ratio_claims(ordered, ordered),
        **evidence.synonym_claims(hierarchies(right, right)),
        **evidence.colour_claims(colours({})),
    }
