"""Decoders: networks that learn to map measurements back to signals, all members in lockstep."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

BATCH, HIDDEN, STEPS, RATE = 100, 64, 400, 2e-2
DROPPED = 1e-9  # directions of the inputs with a smaller share of the largest variance


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


def amplification(decode: Callable[[Tensor], Tensor], y: Tensor) -> Tensor:
    """How much a decoder amplifies the worst small perturbation of measurements.

    The largest singular value of the Jacobian, the derivatives of the answer in the measurements.
    Other than an attack it misses no direction. It says nothing of large perturbations.

    Args:
        decode: Measurements (members, samples, rows) to signals, differentiable; each answer
            depends on its own measurements only.
        y: Where, (members, samples, rows).

    Returns:
        (members, samples).
    """
    y = y.detach().requires_grad_()
    answer = decode(y)
    unit = torch.eye(answer.shape[-1], dtype=y.dtype)[:, None, None]
    each = unit.expand(-1, *answer.shape[:2], -1)
    (jacobian,) = torch.autograd.grad(answer, y, each, is_grads_batched=True)
    return torch.linalg.matrix_norm(jacobian.permute(1, 2, 0, 3), ord=2)
