"""The structures themselves: as networks, by their radii; and a network that only agrees.

What is known without training: an attack on these has known answers.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
import torch
from torch import Tensor

from falsestruct import statistics
from falsestruct.instability.attacks import Outputs
from falsestruct.instability.exact import Dense
from falsestruct.problems.oscillation import Oscillation
from falsestruct.problems.planted import Planted, registry
from falsestruct.problems.stripes import Stripes
from falsestruct.statistics import TINY, Estimate
from falsestruct.theory import bands
from falsestruct.theory.oscillation import exact_network

STRIPE_RADIUS = 0.5  # of the orientation rule, ℓ∞, proved in chapter 03
POOL = 1_200  # digits among which the nearest one of the other parity is looked for
SEED = 20_000  # of what is drawn here


def false_rule(problem: Planted) -> Outputs:
    """The false structure as a network: ⟨v, x⟩ − t for inputs (members, samples, …)."""
    flat, level = problem.direction.flatten(), problem.level
    return lambda x: (x.double().flatten(2) @ flat - level).to(x.dtype)


def orientation_rule(x: Tensor) -> Tensor:
    """The original of the stripes as a network: largest row band less largest column band."""
    shape = Stripes()

    def largest(means: Tensor) -> Tensor:
        return means.unfold(2, shape.width, 1).mean(3).amax(2)

    return largest(x.mean(3)) - largest(x.mean(2))


@cache
def oscillation_network() -> Dense:
    """The original of the oscillation as a network of one hidden layer (chapter 02), less 1/2.

    Its ramps are half as wide as the gaps in the data, so its distances are those of the structure.
    """
    shape = Oscillation()
    network = exact_network(shape.a, shape.K, Fraction(shape.epsilon) / 2)
    weights = np.array([[float(w) for w in row] for row in network.weights])
    biases = np.array([float(b) for b in network.biases])
    outputs = np.array([[float(v) for v in network.outputs]])
    return Dense((weights, outputs), (biases, np.array([float(network.bias) - 0.5])))


def oscillation_rule(x: Tensor) -> Tensor:
    """`oscillation_network` for inputs (members, samples, 2)."""
    return outputs_of(oscillation_network())(x)


@cache
def bands_network() -> Dense:
    """`theory.bands` for the book's stripes: sixty ReLUs that read the orientation."""
    shape = Stripes()
    weights = bands.means(shape.size, shape.width)
    half = len(weights) // 2
    shift = np.full(len(weights), -float(bands.threshold(shape.size, shape.width)))
    sides = np.repeat([[1.0, -1.0]], half, axis=1)
    return Dense((weights, sides), (shift, np.zeros(1)))


def outputs_of(network: Dense) -> Outputs:
    """A network of one hidden layer, asked at inputs (members, samples, …)."""
    (first, second), (bias, last) = (
        [torch.from_numpy(v) for v in values] for values in (network.weights, network.biases)
    )

    def outputs(x: Tensor) -> Tensor:
        hidden = torch.relu(x.double().flatten(2) @ first.T + bias)
        return (hidden @ second[0] + last).to(x.dtype)

    return outputs


ORIGINALS: dict[str, Outputs] = {"stripes": orientation_rule, "oscillation": oscillation_rule}


def towards(problem: Planted, x: Tensor) -> Tensor:
    """The false structure's smallest ℓ∞ perturbation of each input, like x, up to its boundary."""
    sign = torch.where(problem.false(x) > 0, -1.0, 1.0).double()
    step = sign * problem.distance(x, "linf")
    return step.view(-1, *[1] * (x.ndim - 1)) * problem.direction.sign()


def radii(problem: Planted, x: Tensor) -> tuple[Tensor, Tensor]:
    """Proved lower and upper bounds of the original structure's distance (samples,) at x.

    ℓ∞ on the stripes and the oscillation, where they are equal; ℓ2 on the digits.
    """
    if problem.name == "stripes":
        half = torch.full((len(x),), STRIPE_RADIUS, dtype=torch.float64)
        return half, half
    assert problem.original.radius is not None
    low = problem.original.radius(x)
    if problem.name == "oscillation":
        return low, low
    return low, _towards_the_nearest(problem, x)


@cache
def original_distance(name: str) -> float:
    """Median ℓ∞ distance of the original over a hundred samples; of parity a proved lower bound.

    No perturbation of n pixels has an ℓ∞ norm below 1/√n of its Euclidean one.
    """
    problem = registry.by_name(name)
    x, _ = problem.draw(100, torch.Generator().manual_seed(SEED))
    low = radii(problem, x)[0].quantile(0.5).item()
    return low / problem.direction.numel() ** 0.5 if name.startswith("digits") else low


def _towards_the_nearest(problem: Planted, x: Tensor) -> Tensor:
    """How far one must go towards the nearest image of the other label until the label changes."""
    generator = torch.Generator().manual_seed(SEED)
    pool, _ = problem.draw(POOL, generator)
    direction = problem.direction.flatten()

    def bare(images: Tensor) -> Tensor:
        flat = images.flatten(1)
        return flat - (flat @ direction)[:, None] * direction

    distance = torch.cdist(bare(x), bare(pool))
    own, other = problem.original(x), problem.original(pool)
    distance[own[:, None] == other] = torch.inf
    nearest, index = distance.min(1)
    step = (bare(pool)[index] - bare(x)).view_as(x)
    return nearest * _first(lambda t: problem.original(x + t[:, None, None] * step) != own, x)


def _first(flips: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """A t in (0, 1] at which each label has flipped, by bisection from t = 1."""
    low, high = (torch.full((len(x),), t, dtype=torch.float64) for t in (0.0, 1.0))
    for _ in range(30):
        middle = (low + high) / 2
        past = flips(middle)
        low, high = torch.where(past, low, middle), torch.where(past, middle, high)
    return high


def follower(problem: Planted, x: Tensor, size: float) -> Tensor:
    """Weights, in x's shape, of a linear network that equals the false score on all of x.

    The direction plus `size` times a unit vector that is orthogonal to it and to every x.

    Raises:
        ValueError: the inputs span the whole space.
    """
    flat, generator = x.double().flatten(1), torch.Generator().manual_seed(SEED)
    known = torch.cat([flat, problem.direction.flatten()[None]])
    unit = torch.randn(flat.shape[1], dtype=torch.float64, generator=generator)
    basis = torch.linalg.svd(known, full_matrices=False)
    span = basis.Vh[: int((basis.S / basis.S[0] > 1e-9).sum())]
    unit = unit - span.T @ (span @ unit)
    if unit.norm() < 1e-6 or len(span) >= flat.shape[1]:
        raise ValueError(f"{len(x)} inputs span all {flat.shape[1]} dimensions; give fewer")
    weights = problem.direction.flatten() + size * unit / unit.norm()
    return weights.view(problem.direction.shape)


def stability(problem: Planted, *, points: int) -> Estimate:
    """Radius of the original over that of the false structure, median over held-out data.

    The interval is that of the median of what was drawn; where the radius is only bounded, it
    reaches from the lower bounds' to the upper bounds', and the value lies between their medians.
    Exact if the proof gives the same ratio for each input.
    """
    x, _ = problem.draw(points, torch.Generator().manual_seed(SEED), held_out=True)
    own = problem.distance(x, "l2" if problem.name.startswith("digits") else "linf")
    low, high = ((bound / own).numpy() for bound in radii(problem, x))
    if np.ptp([low, high]) <= TINY * high.max():
        return statistics.exact(low.mean(), points)
    below, above = statistics.median(low), statistics.median(high)
    ends = tuple((b[0], a[1]) for b, a in zip(below.ends, above.ends, strict=True))
    return Estimate(
        (below.value + above.value) / 2, below.low, above.high, points,
        "order statistics of proved bounds", ends,
    )  # fmt: skip


def follower_ratio(problem: Planted, x: Tensor, *, size: float) -> tuple[float, float]:
    """Largest ℓ2 distance of the `follower` over the false structure's, and largest gap of outputs.

    Over inputs x, on which the two agree.
    """
    weights = follower(problem, x, size).flatten()
    score = x.flatten(1) @ weights - problem.level
    gap = (score - (x.flatten(1) @ problem.direction.flatten() - problem.level)).abs().max()
    ratio = score.abs() / weights.norm() / problem.distance(x, "l2")
    return ratio.max().item(), gap.item()
