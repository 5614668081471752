"""Chapter 08's tables of planted patterns for networks built by hand."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import torch

from falsestruct.chapters.images.measure import KINDS, Sweep, captured, problem_of
from falsestruct.learning.networks import for_images
from falsestruct.problems.planted import Planted
from falsestruct.problems.planted.registry import STRENGTHS

HOW = Sweep(samples=100, steps=60, images=100)
NORMS = [0.1, 0.8, 3.2]
NAMES = [network.name for network in for_images(8)]
RADIUS = {kind: 0.96 for kind in KINDS}

# A network built by hand: the problem it was trained on to labels (samples,) of inputs.
Hand = Callable[[Planted, torch.Tensor], torch.Tensor]


def original(problem: Planted, x: torch.Tensor) -> torch.Tensor:
    return problem.original(x)


def false(problem: Planted, x: torch.Tensor) -> torch.Tensor:
    return problem.false(x)


def mixture(share: float) -> Hand:
    """Follows the pattern on the first part of the inputs."""

    def rule(problem: Planted, x: torch.Tensor) -> torch.Tensor:
        first = torch.arange(len(x)) < share * len(x)
        return torch.where(first, problem.false(x), problem.original(x))

    return rule


def share(problem: Planted, hand: Hand) -> float:
    """Of the conflict set that the network reads by the pattern."""
    return captured(lambda x: hand(problem, x)[None], problem, HOW.images).item()


def world(hand: Callable[[str, float, float], Hand]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of `swept` and `usual` if every network were hand(kind, norm, rho)."""

    def rows(kind: str, norm: float, rho: float) -> pd.DataFrame:
        problem = problem_of("digits", kind, norm / HOW.norm(kind))
        columns = {"kind": kind, "norm": norm, "strength": problem.strength, "rho": rho}
        capture = share(problem, hand(kind, norm, rho))
        return pd.DataFrame(
            [
                columns | {"architecture": name, "seed": seed, "capture": capture}
                for name in NAMES
                for seed in range(20)
            ]
        )

    swept = [rows(kind, norm, 1.0) for kind in KINDS for norm in NORMS]
    usual = [
        rows(kind, STRENGTHS[f"digits-{kind}"] * HOW.norm(kind), rho)
        for kind in KINDS[1:]
        for rho in (1.0, 0.5)
    ]
    return pd.concat(swept), pd.concat(usual)
