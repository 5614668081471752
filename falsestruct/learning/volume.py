"""Volume among random weights: which labels have most of it, given those of the training set.

A network with random weights says something of every input. Among those that are right on all
training inputs, what share gives a test input the one label, and what the other? Drawing networks
and keeping the right ones hardly ever keeps one where there are sixty labels. In the limit of wide
layers the outputs are jointly normal, with a covariance in closed form (Neal, 1996; Lee et al.,
arXiv:1711.00165), and normal vectors with given signs can be drawn without rejection.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linprog
from torch import Tensor

from falsestruct.learning import fused

RANK = 1e-10  # relative to the largest eigenvalue: what counts as zero
SMALL = 1e-6  # beside the shortfall of a start: the weight of its 1-norm, which keeps it bounded
BLOCK, EVERY = 500, 5  # steps whose noise is drawn at once; steps between two looks at the tests


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
    covariance: Tensor,
    y: Tensor,
    *,
    ends: Sequence[Tensor],
    walks: int,
    steps: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Shares (ends, walks, tests) of networks that say label 1, among those right in training.

    And what the first network of the walks says from each end, (ends, tests), 0 or 1.

    Each walk is one on normal vectors f whose first signs are the labels': from z it draws a normal
    ν and moves to z cos θ + ν sin θ, θ uniform among the angles that keep all signs. Each such sign
    holds on a half circle, so the angles are one interval (the sampler of Gessner, Kanjilal and
    Hennig, arXiv:1910.09328, for cones). The first half of the steps is left out. Walks that begin
    at one vector may agree long before they have arrived; compare those from opposite ends.

    Args:
        covariance: Of training inputs, then tests, (samples + tests, samples + tests).
        y: Labels (samples,) of the training inputs, 0 or 1.
        ends: Labels (tests,) of the tests. Walks begin at a vector that has them too, or, where no
            vector does, at one near to that: see `_start`.
        walks: Independent ones from each end.
        steps: Of each walk, a multiple of 2 × `BLOCK`.

    Raises:
        ValueError: no vector of this covariance has the labels y, or `steps` is no such multiple.
    """
    if steps < 2 * BLOCK or steps % (2 * BLOCK):
        raise ValueError(f"steps is {steps}; expected a multiple of {2 * BLOCK}")
    values, vectors = np.linalg.eigh(covariance.numpy())
    kept = values > RANK * values[-1]
    root = vectors[:, kept] * np.sqrt(values[kept])  # (samples + tests, rank)
    signed, tests = _signs(y) * root[: len(y)], root[len(y) :]
    starts = np.stack([_start(signed, _signs(end) * tests) for end in ends])
    says = [[_says(z.copy(), signed, tests, steps, rng) for _ in range(walks)] for z in starts]
    return np.array(says), (starts @ tests.T > 0).astype(float)


def agreeing(
    matrix: Tensor,
    y: Tensor,
    toward: Tensor,
    *,
    walks: int,
    steps: Sequence[int],
    agree: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Shares (2, walks) of `toward`'s labels by walks that begin at them and at their opposites.

    `conditioned` with as few of `steps` as it takes until the two kinds, on average, are no further
    apart than `agree`. Also the share of these labels at each start, (2,), and the number of steps.

    Args:
        matrix: Of training inputs, then tests, (samples + tests, samples + tests).
        y: Labels (samples,) of the training inputs, 0 or 1.
        toward: Labels (tests,) of the tests.

    Raises:
        RuntimeError: they don't agree after the most steps.
        ValueError: as `conditioned`.
    """
    for number in steps:
        ends = toward, 1 - toward
        found = conditioned(matrix, y, ends=ends, walks=walks, steps=number, rng=rng)
        shares, start = ((1 - np.abs(says - toward.numpy())).mean(-1) for says in found)
        if (apart := float(np.ptp(shares.mean(1)))) <= agree:
            return shares, start, number
    raise RuntimeError(
        f"walks of {number} steps are {apart:.3f} apart when they begin at opposite ends; expected "
        f"at most {agree}: allow for longer ones"
    )


def _signs(labels: Tensor) -> np.ndarray:
    """1 for the label 1, −1 for 0: a column (labels, 1)."""
    signs: np.ndarray = 2.0 * labels.numpy()[:, None] - 1
    return signs


def _start(signed: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """A vector z with signed·z > 0, as long as normal ones, as near to asked·z > 0 as can be.

    Under signed·z ≥ 1 it falls short of asked·z ≥ 1 by the least sum, which is zero where some
    vector has all of the signs.
    """
    (n, rank), m = signed.shape, len(asked)
    above = np.block([[-signed, signed, np.zeros((n, m))], [-asked, asked, -np.eye(m)]])
    cost = np.concatenate((np.full(2 * rank, SMALL), np.ones(m)))
    found = linprog(cost, A_ub=above, b_ub=-np.ones(n + m), method="highs")
    z: np.ndarray = found.x[:rank] - found.x[rank : 2 * rank] if found.success else np.zeros(rank)
    # The solver keeps to its bounds but for a tolerance; the walk needs the signs themselves.
    if not (signed @ z > 0).all():
        raise ValueError(
            f"no weights are right on all {n} training inputs; expected labels that this kind of "
            "network can have"
        )
    return z * math.sqrt(rank) / np.linalg.norm(z)


def _says(
    z: np.ndarray, signed: np.ndarray, tests: np.ndarray, steps: int, rng: np.random.Generator
) -> np.ndarray:
    """Shares (tests,) of label 1 on the second half of one walk from z, which is changed."""
    here, says = signed @ z, np.zeros(len(tests))
    for first in range(0, steps, BLOCK):
        noise = rng.standard_normal((BLOCK, len(z)))
        seen = advance((z, here), (noise, noise @ signed.T), rng.random(BLOCK))
        if first >= steps // 2:
            says += (seen @ tests.T > 0).sum(0)
    return says / (steps // 2 // EVERY)


@fused._compiled
def advance(
    state: tuple[np.ndarray, np.ndarray], noise: tuple[np.ndarray, np.ndarray], free: np.ndarray
) -> np.ndarray:
    """Walk a block of steps; returns where it was after each `EVERY` of them, (looks, rank).

    Args:
        state: z (rank,) and signed·z (samples,), above 0; both are changed.
        noise: Normal vectors (steps, rank), and signed·ν of each, (steps, samples).
        free: Where in its interval each angle lies, (steps,), in [0, 1).
    """
    (z, here), (other, there) = state, noise
    seen = np.empty((len(free) // EVERY, len(z)), z.dtype)
    for step in range(len(free)):
        least, most = np.inf, -np.inf
        for i in range(len(here)):
            ratio = there[step, i] / here[i]  # a tangent: all signs hold at the angle zero
            least, most = min(least, ratio), max(most, ratio)
        low, high = math.atan(most) - math.pi / 2, math.atan(least) + math.pi / 2
        angle = low + (high - low) * free[step]
        along, across = math.cos(angle), math.sin(angle)
        # Rounding may leave the cone where the interval is short; such a step is not made.
        stays = True
        for i in range(len(here)):
            if not here[i] * along + there[step, i] * across > 0:
                stays = False
        if stays:
            for i in range(len(here)):
                here[i] = here[i] * along + there[step, i] * across
            for k in range(len(z)):
                z[k] = z[k] * along + other[step, k] * across
        if step % EVERY == EVERY - 1:
            seen[step // EVERY] = z
    return seen
