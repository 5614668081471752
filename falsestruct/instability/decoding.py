"""Networks that learn to decode, FIRENET beside them, and the attack on both (chapter 11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.learning.decoders import STEPS, Decoder, amplification, fit
from falsestruct.problems.sparse import World, present, world
from falsestruct.problems.undecided import lesson
from falsestruct.theory import firenet
from falsestruct.theory.barrier import Cell
from falsestruct.theory.firenet import Plan

SAMPLES = 1000
NOISES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)  # in units of what the matrix sees of the detail
MOVE = 0.5  # how far an answer is to be moved, in units of the detail's norm
PLAN = Plan(lam=0.05, restarts=6, inner=40)

# Measurements (members, samples, rows) to signals (members, samples, unknowns).
Decode = Callable[[Tensor], Tensor]


def inexact(cells: Sequence[Cell], *, seeds: int, steps: int = STEPS) -> list[list[list[float]]]:
    """Answers of trained decoders to the measurements of the table, by cell and seed."""
    each = [lesson(cell, seed, samples=SAMPLES) for cell in cells for seed in range(seeds)]
    y, x, asked = (torch.stack([getattr(o, part) for o in each]) for part in ("y", "x", "asked"))
    decoder = fit(y, x, [seed for _ in cells for seed in range(seeds)], steps=steps)
    norms = torch.tensor([own.norm for own in each], dtype=torch.float64)[:, None]
    answers = decoder(asked[:, None])[:, 0] / norms
    return answers.reshape(len(cells), seeds, -1).tolist()


def train(given: World, *, noise: float = 0.0, absent: bool = False, steps: int = STEPS) -> Decoder:
    """A network a seed on the world's signals, half of them with the detail, or none.

    Args:
        noise: Of the measurements in training, in units of the trace.
    """
    x = given.signals(present(given) * (0 if absent else 1))
    level = torch.full((len(x),), noise * given.trace) if noise else None
    return fit(given.operator.forward(x), x, range(len(x)), noise=level, steps=steps)


def unrolled(given: World, plan: Plan = PLAN) -> Decode:
    """FIRENET for the world's matrices."""
    return lambda y: firenet.firenet(given.operator, y, plan)


def told(decode: Decode, given: World) -> Tensor:
    """Share of signals on which the decoder tells rightly whether the detail is there, (seeds,).

    It says so if its answer has more than half of the detail.
    """
    have = present(given)
    answers = decode(given.operator.forward(given.signals(have)))
    says = (answers * given.detail).sum(-1) > MOVE
    return (says == (have > 0)).double().mean(1)


def errors(decode: Decode, given: World) -> Tensor:
    """The larger error of each signal and the same with the detail, (seeds, samples)."""
    both = [given.signals(torch.full(given.plain.shape[:2], have)) for have in (0.0, 1.0)]
    return torch.maximum(*((decode(given.operator.forward(x)) - x).norm(dim=-1) for x in both))


def smallest(decode: Decode, given: World, *, starts: int = 2, steps: int = 12) -> Tensor:
    """Norm of the smallest perturbation found that moves the answer by half the detail's norm.

    The attack of `instability`, on the distance from the answer to the unperturbed measurements.
    That has no gradient where it starts, so it is taken from a point a thousandth away.

    Returns:
        (seeds, samples); of the signals, every other one with the detail.
    """
    y = given.operator.forward(given.signals(present(given)))
    with torch.no_grad():
        answer = decode(y)
    nudge = torch.randn(answer.shape, dtype=y.dtype, generator=torch.Generator().manual_seed(0))
    answer = answer + 1e-3 * MOVE * nudge / nudge.norm(dim=-1, keepdim=True)

    def moved(point: Tensor) -> Tensor:
        return (decode(point) - answer).norm(dim=-1) - MOVE

    found = attacks.smallest_perturbations(moved, y, norm="l2", starts=starts, steps=steps)
    return found.size


def decoding(
    *, seeds: int, trace: float, noises: Sequence[float] = NOISES, points: int = 6
) -> pd.DataFrame:
    """Networks trained with several levels of noise, networks without the detail, and FIRENET.

    Returns:
        The rows of `measure` for each of them.
    """
    given = world(seeds=seeds, trace=trace, samples=SAMPLES)
    decoders: list[tuple[str, float, Decode]] = [
        ("network", noise, train(given, noise=noise)) for noise in noises
    ]
    decoders.append(("network, no detail", 0.0, train(given, absent=True)))
    decoders.append(("FIRENET", 0.0, unrolled(given)))
    new = world(seeds=seeds, trace=trace, samples=200, offset=2**20)
    tables = [measure(*decoder, new, points=points) for decoder in decoders]
    return pd.concat(tables, ignore_index=True)


def measure(kind: str, noise: float, decode: Decode, given: World, *, points: int) -> pd.DataFrame:
    """What a decoder restores and how far it can be moved: a row a seed and attacked signal.

    Args:
        given: New signals; the detail is told from all, the first `points` are attacked.

    Returns:
        kind, noise, trace, seed, point, told (share of the seed's signals), error (the larger one,
        without and with the detail), size (of the smallest perturbation found, over the trace),
        steep (the most that a small perturbation is amplified).
    """
    few = replace(given, plain=given.plain[:, :points])
    error, size = errors(decode, few), smallest(decode, few) / given.trace
    steep = amplification(decode, few.operator.forward(few.signals(present(few))))
    grid = pd.MultiIndex.from_product(
        [range(side) for side in error.shape], names=["seed", "point"]
    )
    return grid.to_frame(index=False).assign(
        kind=kind, noise=noise, trace=given.trace,
        told=np.repeat(told(decode, given).numpy(), error.shape[1]),
        error=error.flatten().numpy(), size=size.flatten().numpy(), steep=steep.flatten().numpy(),
    )  # fmt: skip
