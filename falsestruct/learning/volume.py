"""Volume among random weights: which labels have most of it, given those of the training set.

A network with random weights says something of every input. Among those that are right on all
training inputs, what share gives a test input the one label, and what the other? Drawing networks
and keeping the right ones hardly ever keeps one where there are sixty labels. In the limit of wide
layers the outputs are jointly normal, with a covariance in closed form (Neal, 1996; Lee et al.,
arXiv:1711.00165), and normal vectors with given signs can be drawn without rejection.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.optimize import linprog
from torch import Tensor

RANK = 1e-10  # relative to the largest eigenvalue: what counts as zero


def covariance(x: Tensor, hidden: int) -> Tensor:
    """Covariance (samples, samples) of the outputs of a wide dense ReLU network, up to a factor.

    Weights independent with mean zero, biases zero, as `networks.initialise` draws them. From layer
    to layer C becomes the mean of R(u)R(v) for normal u, v with covariance C, which is
    √(C_uu C_vv) (sin φ + (π − φ) cos φ) / 2π with cos φ their correlation (Cho and Saul, 2009). The
    factor of each layer changes no sign of an output.

    Args:
        x: Inputs (samples, …), none of them zero.
        hidden: Number of hidden layers, 0 for a linear network.
    """
    flat = x.double().flatten(1)
    found = flat @ flat.T / flat.shape[1]
    for _ in range(hidden):
        size = found.diagonal().sqrt()
        scale = size[:, None] * size
        cosine = (found / scale).clamp(-1, 1)
        angle = cosine.arccos()
        found = scale * (angle.sin() + (math.pi - angle) * cosine) / math.pi
    return found


def conditioned(
    covariance: Tensor, y: Tensor, *, chains: int, steps: int, generator: torch.Generator
) -> Tensor:
    """Shares (chains, tests) of networks that say label 1, among those right on the training set.

    Each chain is a walk on normal vectors f whose first signs are the labels': from z it draws a
    normal ν and moves to z cos θ + ν sin θ, θ uniform among the angles that keep all signs. Each
    such sign holds on a half circle, so the angles are one interval (the sampler of Gessner,
    Kanjilal and Hennig, arXiv:1910.09328, for cones). The first fifth of the steps is left out.

    Args:
        covariance: Of training inputs, then tests, (samples + tests, samples + tests).
        y: Labels (samples,) of the training inputs, 0 or 1.
        chains: Independent walks, from one start.

    Raises:
        ValueError: no vector of this covariance has these signs.
    """
    values, vectors = torch.linalg.eigh(covariance)
    kept = values > RANK * values[-1]
    root = vectors[:, kept] * values[kept].sqrt()  # (samples + tests, rank)
    signed, tests = (2 * y.double() - 1)[:, None] * root[: len(y)], root[len(y) :]
    z = _inside(signed).expand(chains, -1)
    says = torch.zeros(chains, len(tests), dtype=torch.float64)
    first = steps // 5
    for step in range(steps):
        other = torch.randn(z.shape, generator=generator, dtype=torch.float64)
        here, there = z @ signed.T, other @ signed.T
        phase = torch.atan2(there, here)  # in (−π/2, π/2): all signs hold at the angle zero
        low, high = phase.amax(1) - math.pi / 2, phase.amin(1) + math.pi / 2
        angle = low + (high - low) * torch.rand(chains, generator=generator, dtype=torch.float64)
        moved = z * angle.cos()[:, None] + other * angle.sin()[:, None]
        # Rounding may leave the cone where the interval is short; such a step is not made.
        stays = ((moved @ signed.T) > 0).all(1)
        z = torch.where(stays[:, None], moved, z)
        if step >= first:
            says += z @ tests.T > 0
    return says / (steps - first)


def _inside(signed: Tensor) -> Tensor:
    """A vector with signed·z ≥ 1, of least 1-norm; of length about that of a normal vector."""
    n, rank = signed.shape
    both = np.concatenate((-signed.numpy(), signed.numpy()), axis=1)
    found = linprog(np.ones(2 * rank), A_ub=both, b_ub=-np.ones(n), method="highs")
    if not found.success:
        raise ValueError(
            f"no weights are right on all {n} training inputs ({found.message}); expected labels "
            "that this kind of network can have"
        )
    z = torch.from_numpy(found.x[:rank] - found.x[rank:])
    return z * math.sqrt(rank) / z.norm()
