"""Chapter 08's tables of planted patterns for networks built by hand."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import torch

from falsestruct.chapters.images import measure
from falsestruct.chapters.images.measure import KINDS, Point, Sweep, problem_of
from falsestruct.learning.ensembles import Learner, Seeds, by_hand
from falsestruct.problems.planted import Planted

HOW = Sweep(samples=100, steps=60, images=100)
NORMS = [0.1, 0.8, 3.2]
SEEDS = Seeds(20, 20)
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


def learner(problem: Planted, hand: Hand) -> Learner:
    """Networks that all answer as the hand does: they are asked about the same inputs."""
    return by_hand(lambda x: (2.0 * hand(problem, x[0]) - 1).expand(len(x), -1))


def asked(hand: Hand, point: Point) -> pd.DataFrame:
    """What `planted_point` says of networks built by hand."""
    how = Sweep(**point["sweep"])
    problem = problem_of(how.dataset, point["kind"], point["norm"] / how.norm(point["kind"]))
    return measure.planted_point(**point, learn=learner(problem, hand))


def world(hand: Callable[[str, float, float], Hand]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of both grids if every network were hand(kind, norm, rho)."""

    def table(grid: list[Point]) -> pd.DataFrame:
        hands = (hand(p["kind"], p["norm"], p.get("rho", 1.0)) for p in grid)
        parts = [asked(own, point) for own, point in zip(hands, grid, strict=True)]
        return pd.concat(parts, ignore_index=True)

    swept = measure.sweep_grid(HOW, NORMS, seeds=SEEDS)
    return table(swept), table(measure.usual_grid(HOW, seeds=SEEDS))
