"""The structures themselves: as networks, by their radii; and a network that only agrees."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.chapters.instability import measure as experiment
from falsestruct.instability import attacks
from falsestruct.instability.attacks import Outputs
from falsestruct.instability.exact import Dense, smallest_in_plane
from falsestruct.problems.oscillation import Oscillation
from falsestruct.problems.planted import Planted, registry
from falsestruct.problems.stripes import Stripes
from falsestruct.statistics import Estimate, exact
from falsestruct.theory.oscillation import exact_network

STRIPE_RADIUS = 0.5  # of the orientation rule, ℓ∞, proved in chapter 03
POOL = 1_200  # digits among which the nearest one of the other parity is looked for


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
    network = oscillation_network()
    (first, second), (bias, last) = (
        [torch.from_numpy(v) for v in values] for values in (network.weights, network.biases)
    )
    return (torch.relu(x.double() @ first.T + bias) @ second[0] + last).to(x.dtype)


ORIGINALS: dict[str, Outputs] = {"stripes": orientation_rule, "oscillation": oscillation_rule}


def by_hand(*, points: int) -> pd.DataFrame:
    """The structures measured as if they were networks: problem, rule, and those of `measure`.

    For the original parity of the digits there is no network: it compares with all images.
    """
    tables = []
    for name in experiment.PROBLEMS:
        problem = registry.by_name(name)
        rules = {"false": false_rule(problem)}
        if name in ORIGINALS:
            rules["original"] = ORIGINALS[name]
        for rule, outputs in rules.items():
            found = experiment.measure(problem, outputs, 1, points=points)
            tables.append(found.assign(problem=name, rule=rule, strength=problem.strength))
    return pd.concat(tables, ignore_index=True)


def masked(*, points: int) -> dict[str, float]:
    """An attack on `oscillation_network`, without gradient on the data, and the exact distances.

    Shares of points: missed_one, missed_many, where the attack finds nothing from one start and
    from 24; flat_masked, without a gradient, as the sanity check sees it. And ratio_masked, the
    median of the exact distance by the hint's. All ℓ2.
    """
    problem, network = registry.by_name("oscillation"), oscillation_network()
    x, y = problem.draw(100, torch.Generator().manual_seed(experiment.TEST_SEED))
    x, y = x[:points], y[:points]
    one, many = (
        attacks.smallest_perturbations(oscillation_rule, x, norm="l2", members=1, starts=starts)
        for starts in (1, 24)
    )
    check = attacks.sanity(oscillation_rule, x, y, attack=many, large=experiment.LARGE)
    found = [smallest_in_plane(network, p, norm="l2", radius=1.0).size for p in x.numpy()]
    return {
        "missed_one": one.size.isinf().double().mean().item(),
        "missed_many": many.size.isinf().double().mean().item(),
        "flat_masked": check.gradients.value,
        "ratio_masked": float(np.median(found / problem.distance(x, "l2").numpy())),
    }


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


def _towards_the_nearest(problem: Planted, x: Tensor) -> Tensor:
    """How far one must go towards the nearest image of the other label until the label changes."""
    generator = torch.Generator().manual_seed(experiment.TEST_SEED)
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


def stability(name: str, *, factor: float = 1.0, points: int) -> Estimate:
    """Radius of the original over that of the false structure, median over data.

    Low and high are medians of the bounds.

    Args:
        factor: Times the usual strength.
    """
    problem = registry.by_name(name, factor * registry.STRENGTHS[name])
    generator = torch.Generator().manual_seed(experiment.TEST_SEED)
    x, _ = problem.draw(points, generator, held_out=True)
    own = problem.distance(x, "l2" if name.startswith("digits") else "linf")
    low, high = ((bound / own).quantile(0.5).item() for bound in radii(problem, x))
    return Estimate((low + high) / 2, low, high, points, "proved bounds")


def follower(problem: Planted, x: Tensor, size: float) -> Tensor:
    """Weights, in x's shape, of a linear network that equals the false score on all of x.

    The direction plus `size` times a unit vector that is orthogonal to it and to every x.

    Raises:
        ValueError: the inputs span the whole space.
    """
    flat, generator = x.double().flatten(1), torch.Generator().manual_seed(experiment.TEST_SEED)
    known = torch.cat([flat, problem.direction.flatten()[None]])
    unit = torch.randn(flat.shape[1], dtype=torch.float64, generator=generator)
    basis = torch.linalg.svd(known, full_matrices=False)
    span = basis.Vh[: int((basis.S / basis.S[0] > 1e-9).sum())]
    unit = unit - span.T @ (span @ unit)
    if unit.norm() < 1e-6 or len(span) >= flat.shape[1]:
        raise ValueError(f"{len(x)} inputs span all {flat.shape[1]} dimensions; give fewer")
    weights = problem.direction.flatten() + size * unit / unit.norm()
    return weights.view(problem.direction.shape)


def follower_ratio(*, size: float) -> tuple[Estimate, float]:
    """Largest ℓ2 distance of the `follower` over the colour's, and the largest gap of outputs.

    On the training images of the stripes.
    """
    problem = registry.by_name("stripes")
    x, _ = experiment.training_set("stripes", (problem.strength, 1.0), 0)
    weights = follower(problem, x, size).flatten()
    score = x.flatten(1) @ weights - problem.level
    gap = (score - (x.flatten(1) @ problem.direction.flatten() - problem.level)).abs().max()
    ratio = score.abs() / weights.norm() / problem.distance(x, "l2")
    return exact(ratio.max().item()), gap.item()
