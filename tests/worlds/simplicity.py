"""Chapter 07's tables for learners built by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import simplicity
from falsestruct.evidence import spread
from falsestruct.learning.training import Set
from falsestruct.problems.planted import Planted, registry
from falsestruct.simplicity import Learn, Learnt, Trial

SPREAD = {  # crossovers
    ("linear", 3): 0.04, ("linear", 8): 0.025, ("MLP", 3): 0.06, ("deep MLP", 1): 0.25,
    ("deep MLP", 3): 0.1, ("deep MLP", 8): 0.4, ("pooled CNN", 3): 0.15,
}  # fmt: skip


def follower(which: str, problem: Planted, share: float = 1.0) -> Learn:
    """Sides with a structure on a share of the inputs, and with the other on the rest."""
    rules = {"original": problem.original, "false": problem.false}
    rule = rules[which]
    other = rules["false" if which == "original" else "original"]

    def learn(sets: Sequence[Set], seeds: Sequence[int], test: Set | None) -> Learnt:
        def outputs(x: Tensor) -> Tensor:
            flat = x.flatten(0, 1).double()
            chosen = torch.arange(len(flat)) % 10 < 10 * share
            labels = torch.where(chosen, rule(flat), other(flat)).view(x.shape[:2])
            return 20.0 * labels - 10

        return Learnt(outputs)

    return learn


def board_of(learners: dict[float, Learn | None], name: str, architecture: str) -> pd.DataFrame:
    """A board's table of one cell: a learner a factor of the strength; None knows nothing."""
    tables = []
    for factor, learn in learners.items():
        problem = registry.by_name(name, factor * registry.STRENGTHS[name])
        for which in simplicity.WHICH:
            bits = (
                torch.randn(6, generator=torch.Generator().manual_seed(len(which))) + 60
                if learn is None
                else simplicity.bits(problem, which, learn, Trial([8], 40, range(6)))
            )
            table = {"seed": range(6), "bits": bits, "structure": which, "a": problem.strength}
            tables.append(pd.DataFrame(table))
    return pd.concat(tables).assign(problem=name, architecture=architecture)


def world(
    cross: dict[tuple[str, int], float], shift: float = 1.0, seeds: int = 4
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Tables in which all measures cross at `shift` times the measured crossover."""
    ambiguous, isolated, kernels = [], [], []
    for (name, width), at in cross.items():
        for a in np.geomspace(0.01, 1, 9):
            for seed in range(seeds):
                key = {"architecture": name, "width": width, "a": a, "seed": seed}
                share = 1 / (1 + at / a)
                ambiguous.append(key | {"step": 5, "accuracy": 1.0, "colour": share, "last": True})
                predicted = 1 / (1 + shift * at / a)
                for which, value in (("original", 10.0), ("false", 10 * shift * at / a)):
                    isolated.append(
                        key | {"structure": which}
                        | dict.fromkeys(("samples", "steps", "bits"), value)
                    )  # fmt: skip
                    own = {"norm": value, "alignment": value, "colour": predicted}
                    kernels.append(key | {"structure": which} | own)
    ambiguous_, isolated_, kernels_ = map(pd.DataFrame, (ambiguous, isolated, kernels))
    volumes = kernels_[kernels_["architecture"] != "pooled CNN"]
    return ambiguous_, isolated_, kernels_, volumes[["architecture", "width", "a", "colour"]]


def readings(fit: Sequence[float], end: Sequence[float], start: float = 0.4) -> pd.DataFrame:
    """What MLPs read by colour at first, when they first fit, and in the end."""
    rows = []
    for seed, (middle, last) in enumerate(zip(fit, end, strict=True)):
        for step, accuracy, colour in ((0, 0.5, start), (3, 1.0, middle), (9, 1.0, last)):
            rows.append({"seed": seed, "step": step, "accuracy": accuracy, "colour": colour})
    table = pd.DataFrame(rows).assign(architecture="MLP", width=3, a=0.1)
    return table.assign(last=table["step"] == 9)


def widths(a: float, original: float, false: float) -> pd.DataFrame:
    """The widths that the two structures need at an offset."""
    values = {"original": original, "false": false}
    return pd.DataFrame(
        [
            {"structure": which, "seed": seed, "needs": value, "a": a, "largest": 16}
            for which, value in values.items()
            for seed in range(4)
        ]
    )


def hints(usual: tuple[float, float], faint: tuple[float, float]) -> pd.DataFrame:
    """Samples that the oscillation and the hint need, at the usual and at the smallest δ."""
    return pd.DataFrame([
        {"a": a, "structure": which, "seed": seed, "samples": value}
        for a, pair in ((0.01, usual), (1e-4, faint))
        for which, value in zip(simplicity.WHICH, pair, strict=True)
        for seed in range(20)
    ])  # fmt: skip


def linear_readings(colour: float) -> pd.DataFrame:
    """What linear networks read by colour in the end, offset 0.02: of `descent`, or of Adam."""
    table = pd.DataFrame({"seed": range(10), "colour": colour})
    return table.assign(architecture="linear", width=3, a=0.02, last=True)


def last_layers(
    trained: float, *, untrained: float = 0.6, shuffled: float = 0.6, before: float = 0.0
) -> pd.DataFrame:
    """Shares of the conflict set read by the original, on stripes, of networks × 100 inputs."""
    after = {"untrained": untrained, "trained": trained, "shuffled": shuffled}
    seeds, tables = np.arange(20), []
    level = (7 * np.arange(100) + 13 * seeds[:, None]) % 100  # each of 0 … 99 once a network
    for arm, value in after.items():
        table = pd.DataFrame({"seed": seeds, "arm": arm, "before": before, "after": value})
        tables.append(table.join(spread("right", (level < 100 * value).astype(float))))
    return pd.concat(tables, ignore_index=True).assign(problem="stripes", accuracy=1.0, one=False)
