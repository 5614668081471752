"""Chapter 11: networks that learn to decode, FIRENET beside them, and the attack on both."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.theory import barrier, firenet, operators
from falsestruct.theory.barrier import Cell
from falsestruct.theory.firenet import Plan
from falsestruct.theory.operators import Dense

ROWS, UNKNOWNS, SUPPORT, SPARSITY = 32, 64, 12, 3
SAMPLES, BATCH, HIDDEN, STEPS, RATE = 1000, 100, 64, 400, 2e-2
NOISES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)  # in units of what the matrix sees of the detail
MOVE = 0.5  # how far an answer is to be moved, in units of the detail's norm
PLAN = Plan(lam=0.05, restarts=6, inner=40)
DROPPED = 1e-9  # directions of the inputs with a smaller share of the largest variance

# Measurements (members, samples, rows) to signals (members, samples, unknowns).
Decode = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Decoder:
    """One-hidden-layer ReLU networks behind a whitening of their inputs, one a member.

    Attributes:
        centre, whiten: (members, 1, rows) and (members, rows, rows), from the training set.
        layers: Weights and biases of both layers, each with members first.
    """

    centre: Tensor
    whiten: Tensor
    layers: tuple[Tensor, Tensor, Tensor, Tensor]

    def __call__(self, y: Tensor) -> Tensor:
        """Signals (members, samples, unknowns) of measurements (members, samples, rows)."""
        first, offset, second, shift = self.layers
        hidden = torch.baddbmm(offset, (y - self.centre) @ self.whiten, first).relu()
        return torch.baddbmm(shift, hidden, second)


def fit(
    y: Tensor, x: Tensor, seeds: Sequence[int], *, noise: Tensor | None = None, steps: int = STEPS
) -> Decoder:
    """Train a decoder a member by Adam on the squared error, with fresh noise in every step.

    Args:
        y, x: Measurements (members, samples, rows) and signals (members, samples, unknowns).
        seeds: Of each member: its weights, batches and noise.
        noise: Expected norm of each member's noise, (members,); None: none.

    Raises:
        ValueError: sizes don't fit.
    """
    if y.shape[:2] != x.shape[:2] or len(seeds) != len(y):
        raise ValueError(
            f"y has shape {tuple(y.shape)}, x {tuple(x.shape)}, with {len(seeds)} seeds; "
            "expected as many members and samples in each"
        )
    level = torch.zeros(len(y), dtype=y.dtype) if noise is None else noise.to(y.dtype)
    level = level[:, None, None] / math.sqrt(y.shape[-1])
    centre, whiten = _whitening(y, level)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    layers = _initial(generators, y.shape[-1], x.shape[-1], y.dtype)
    decoder = Decoder(centre, whiten, layers)
    optimiser = torch.optim.Adam(layers, lr=RATE)
    members = torch.arange(len(y))[:, None]
    batch = min(BATCH, y.shape[1])
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = RATE * (1 - step / steps)
        chosen = torch.stack([torch.randint(y.shape[1], (batch,), generator=g) for g in generators])
        seen = y[members, chosen]
        if noise is not None:
            draws = [torch.randn(seen.shape[1:], dtype=y.dtype, generator=g) for g in generators]
            seen = seen + level * torch.stack(draws)
        loss = (decoder(seen) - x[members, chosen]).square().sum(-1).mean(-1).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return Decoder(centre, whiten, tuple(layer.detach() for layer in layers))  # type: ignore[arg-type]


def _whitening(y: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Means, and the map after which the inputs' covariance is one on all directions that vary."""
    centre = y.mean(1, keepdim=True)
    away = y - centre
    covariance = away.mT @ away / y.shape[1]
    covariance = covariance + level**2 * torch.eye(y.shape[-1], dtype=y.dtype)
    values, vectors = torch.linalg.eigh(covariance)
    kept = values > DROPPED * values[:, -1:]
    factors = torch.where(kept, values.clamp_min(torch.finfo(y.dtype).tiny).rsqrt(), 0.0)
    return centre, (vectors * factors[:, None]) @ vectors.mT


def _initial(
    generators: Sequence[torch.Generator], rows: int, unknowns: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Glorot-uniform weights and zero biases, one draw a member."""

    def weights(before: int, after: int) -> Tensor:
        reach = math.sqrt(6 / (before + after))
        draws = [torch.rand(before, after, dtype=dtype, generator=g) for g in generators]
        return ((2 * torch.stack(draws) - 1) * reach).requires_grad_()

    def zeros(size: int) -> Tensor:
        return torch.zeros(len(generators), 1, size, dtype=dtype, requires_grad=True)

    return weights(rows, HIDDEN), zeros(HIDDEN), weights(HIDDEN, unknowns), zeros(unknowns)


def inexact(cells: Sequence[Cell], *, seeds: int, steps: int = STEPS) -> list[list[list[float]]]:
    """Answers of trained decoders to the measurements of the table, by cell and seed.

    As in the paper, a decoder sees sparse signals that minimise for one matrix of the pair, here
    the one with the second entry larger, at the cell's precision. It works in units of 1/‖A‖.
    """
    sets, sizes, asked = [], [], []
    for cell in cells:
        operator, y = barrier.problem(barrier.row(cell, 1))
        size = float(operator.norm)
        best = torch.tensor(barrier.minimiser(barrier.row(cell, 1)), dtype=torch.float64)
        for seed in range(seeds):
            generator = torch.Generator().manual_seed(seed)
            rest = barrier.REST
            order = torch.rand(SAMPLES, rest, generator=generator).argsort(-1).argsort(-1)
            values = torch.randn(SAMPLES, rest, dtype=torch.float64, generator=generator) / size
            below = torch.where(order < 5, values, 0.0)
            x = torch.cat((best.expand(SAMPLES, barrier.BLOCK), below), dim=1)
            sets.append((operator.forward(x), x * size))
            sizes.append(size)
            asked.append(y)
    y, x = (torch.stack(part) for part in zip(*sets, strict=True))
    decoder = fit(y, x, [seed for _ in cells for seed in range(seeds)], steps=steps)
    answers = decoder(torch.stack(asked)[:, None])[:, 0] / torch.tensor(sizes)[:, None]
    return answers.reshape(len(cells), seeds, -1).tolist()


@dataclass(frozen=True, eq=False)
class World:
    """Matrices that hardly see a detail, one a seed, and signals with and without it.

    Signals are sparse on the first twelve unknowns; the detail is a vector on the others.

    Attributes:
        operator: Matrices (seeds, rows, unknowns).
        detail: (seeds, 1, unknowns), of norm one.
        trace: What the matrix makes of the detail, in norm.
        plain: Signals without the detail, (seeds, samples, unknowns).
    """

    operator: Dense
    detail: Tensor
    trace: float
    plain: Tensor

    def signals(self, present: Tensor) -> Tensor:
        """The plain signals, with the detail where `present`, (seeds, samples)."""
        return self.plain + present[..., None] * self.detail


def world(*, seeds: int, trace: float, samples: int, offset: int = 0) -> World:
    """Gaussian matrices with one vector of their kernel made visible, at the norm `trace`.

    Args:
        offset: Added to the seed of the signals, not of the matrices: other signals, same world.

    Raises:
        ValueError: trace is not positive.
    """
    if not trace > 0:
        raise ValueError(f"trace is {trace}; expected more than 0")
    matrices, details, plain = [], [], []
    for seed in range(seeds):
        generator = torch.Generator().manual_seed(seed)
        matrix = operators.gaussian(ROWS, UNKNOWNS, generator).matrix
        kernel = torch.linalg.svd(matrix[:, SUPPORT:]).Vh[ROWS:]
        mix = torch.randn(len(kernel), dtype=torch.float64, generator=generator)
        detail = torch.cat((torch.zeros(SUPPORT, dtype=torch.float64), mix @ kernel))
        detail = detail / detail.norm()
        seen = torch.randn(ROWS, dtype=torch.float64, generator=generator)
        matrices.append(matrix + trace * torch.outer(seen / seen.norm(), detail))
        details.append(detail[None])
        draws = torch.Generator().manual_seed(2**32 + offset + seed)
        order = torch.rand(samples, SUPPORT, generator=draws).argsort(-1).argsort(-1)
        values = torch.randn(samples, SUPPORT, dtype=torch.float64, generator=draws)
        head = torch.where(order < SPARSITY, values, 0.0)
        plain.append(torch.nn.functional.pad(head, (0, UNKNOWNS - SUPPORT)))
    return World(Dense(torch.stack(matrices)), torch.stack(details), trace, torch.stack(plain))


def present(given: World) -> Tensor:
    """Every other signal has the detail, (seeds, samples), 0 or 1."""
    return (torch.arange(given.plain.shape[1]) % 2).double().expand(given.plain.shape[:2])


def train(given: World, *, noise: float = 0.0, absent: bool = False, steps: int = STEPS) -> Decoder:
    """A network a seed on the world's signals, half of them with the detail, or none.

    Args:
        noise: Of the measurements in training, in units of the trace.
    """
    have = present(given) * (0 if absent else 1)
    x = given.signals(have)
    seeds = range(len(x))
    level = torch.full((len(x),), noise * given.trace) if noise else None
    return fit(given.operator.forward(x), x, seeds, noise=level, steps=steps)


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
    found = []
    for have in (torch.zeros(given.plain.shape[:2]), torch.ones(given.plain.shape[:2])):
        x = given.signals(have.double())
        found.append((decode(given.operator.forward(x)) - x).norm(dim=-1))
    return torch.maximum(*found)


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
        without and with the detail), size (of the smallest perturbation found, over the trace).
    """
    few = replace(given, plain=given.plain[:, :points])
    share, error = told(decode, given), errors(decode, few)
    size = smallest(decode, few) / given.trace
    seeds, points = error.shape
    return pd.DataFrame(
        {
            "kind": kind,
            "noise": noise,
            "trace": given.trace,
            "seed": np.repeat(np.arange(seeds), points),
            "point": np.tile(np.arange(points), seeds),
            "told": np.repeat(share.numpy(), points),
            "error": error.flatten().numpy(),
            "size": size.flatten().numpy(),
        }
    )
