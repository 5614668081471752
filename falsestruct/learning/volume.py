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
from scipy.optimize import linprog
from torch import Tensor

RANK = 1e-10  # relative to the largest eigenvalue: what counts as zero


def covariance(x: Tensor, hidden: int) -> Tensor:
    """Covariance (samples, samples) of the outputs of a wide dense ReLU network, up to a factor.

    Weights independent with mean zero, of one variance in a layer. The biases of the first layer
    count as weights of an input that is one; those of later layers are lost beside a wide layer's
    many weights. (Training starts with biases of zero; but with all of them zero, linear rules on
    stripes as wide as eight pixels could not be right.) From layer to layer C becomes the mean of
    R(u)R(v) for normal u, v with covariance C, which is √(C_uu C_vv) (sin φ + (π − φ) cos φ) / 2π
    with cos φ their correlation (Cho and Saul, 2009). A layer's factor changes no output's sign.

    Args:
        x: Inputs (samples, …).
        hidden: Number of hidden layers, 0 for a linear network.
    """
    flat = x.double().flatten(1)
    found = (flat @ flat.T + 1) / flat.shape[1]
    for _ in range(hidden):
        size = found.diagonal().sqrt()
        scale = size[:, None] * size
        cosine = (found / scale).clamp(-1, 1)
        angle = cosine.arccos()
        found = scale * (angle.sin() + (math.pi - angle) * cosine) / math.pi
    return found


def conditioned(
    covariance: Tensor, y: Tensor, *, chains: int, steps: int, rng: np.random.Generator
) -> np.ndarray:
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
    values, vectors = np.linalg.eigh(covariance.numpy())
    kept = values > RANK * values[-1]
    root = vectors[:, kept] * np.sqrt(values[kept])  # (samples + tests, rank)
    signed, tests = (2 * y.numpy()[:, None] - 1) * root[: len(y)], root[len(y) :]
    z = np.tile(_inside(signed), (chains, 1))
    says, first = np.zeros((chains, len(tests))), steps // 5
    for step in range(steps):
        other = rng.normal(size=z.shape)
        here, there = z @ signed.T, other @ signed.T
        phase = np.arctan2(there, here)  # in (−π/2, π/2): all signs hold at the angle zero
        low, high = phase.max(1) - math.pi / 2, phase.min(1) + math.pi / 2
        angle = (low + (high - low) * rng.random(chains))[:, None]
        # Rounding may leave the cone where the interval is short; such a step is not made.
        stays = (here * np.cos(angle) + there * np.sin(angle) > 0).all(1, keepdims=True)
        z = np.where(stays, z * np.cos(angle) + other * np.sin(angle), z)
        if step >= first:
            says += z @ tests.T > 0
    return says / (steps - first)


def _inside(signed: np.ndarray) -> np.ndarray:
    """A vector with signed·z ≥ 1 of least 1-norm, scaled to about a normal vector's length."""
    n, rank = signed.shape
    both = np.concatenate((-signed, signed), axis=1)
    found = linprog(np.ones(2 * rank), A_ub=both, b_ub=-np.ones(n), method="highs")
    if not found.success:
        raise ValueError(
            f"no weights are right on all {n} training inputs ({found.message}); expected labels "
            "that this kind of network can have"
        )
    z: np.ndarray = found.x[:rank] - found.x[rank:]
    return z * math.sqrt(rank) / np.linalg.norm(z)
