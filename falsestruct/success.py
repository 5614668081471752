"""Success: which structure did a network capture, and how well does it do?

Capture is read off the conflict set, where structures disagree. Interventions look at the same
thing from the other side: they change the feature that the false structure reads, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from falsestruct import statistics
from falsestruct.problems.planted import Planted
from falsestruct.statistics import Estimate
from falsestruct.structures import Rule, Structure, conflict

NEITHER = "neither"
SIDES, TAKES, FOLLOWS = 0.5, 0.75, 0.95  # captures: chapter 02 has the words
Predict = Callable[[Tensor], Tensor]  # (samples, …) → labels (members, samples)


def labels(outputs: Tensor) -> Tensor:
    """Labels 0 or 1 from outputs of any shape: 1 where the output is positive."""
    return (outputs > 0).long()


def accuracy(predicted: Tensor, y: Tensor) -> Tensor:
    """Share of correct labels (members,) of predictions (members, samples), labels (samples,)."""
    return (predicted == y.long()).double().mean(1)


def capture(predicted: Tensor, structure: Rule, other: Rule, x: Tensor) -> Tensor:
    """Share of the conflict set on which each member sides with `structure`: (members,).

    Where two labels are possible, a member that doesn't side with `structure` sides with `other`.

    Args:
        predicted: Labels (members, samples) for x (samples, ...).

    Raises:
        ValueError: the two structures agree on all of x, so that x can't tell them apart.
    """
    apart = conflict(structure, other, x)
    if not apart.any():
        raise ValueError(f"the structures agree on all {len(x)} inputs: give some of the conflict")
    return (predicted[:, apart] == structure(x[apart])).double().mean(1)


@dataclass(frozen=True)
class Sides:
    """With which of several structures each member sides, on the inputs where they disagree.

    Attributes:
        names: Of the structures, and "neither" last.
        shares: (members, names), in [0, 1]. With two structures a row adds up to 1. Of more, two
            can give an input the same label: then both count.
        inputs: How many of the inputs the structures disagree on.
    """

    names: tuple[str, ...]
    shares: Tensor
    inputs: int

    def of(self, name: str) -> Tensor:
        """Share of each member, (members,).

        Raises:
            ValueError: no structure has this name.
        """
        if name not in self.names:
            raise ValueError(f"no structure {name!r}; expected one of {', '.join(self.names)}")
        return self.shares[:, self.names.index(name)]

    def estimate(self, name: str) -> Estimate:
        """Mean share, with an interval over the members."""
        return statistics.mean(self.of(name).numpy())


def sides(predicted: Tensor, structures: Sequence[Structure], x: Tensor) -> Sides:
    """Capture with any number of structures and classes; a label of none of them is "neither".

    Args:
        predicted: Labels (members, samples) for x (samples, ...).
        structures: At least two, with different names.

    Raises:
        ValueError: too few structures, names that repeat, or no input on which they disagree.
    """
    names = tuple(structure.name for structure in structures)
    if len(names) < 2 or len({*names, NEITHER}) <= len(names):
        raise ValueError(f"structures are named {names}; expected two or more different names")
    given = torch.stack([structure(x) for structure in structures])  # (structures, samples)
    apart = (given != given[0]).any(0)
    if not apart.any():
        raise ValueError(f"the structures agree on all {len(x)} inputs: give some of the conflict")
    same = predicted[:, None, apart] == given[:, apart]  # (members, structures, samples)
    followed = torch.cat((same, ~same.any(1, keepdim=True)), 1)
    return Sides((*names, NEITHER), followed.double().mean(2), int(apart.sum()))


def foretold(agreement: float, captured: Tensor, agreeing: float | Tensor = 1.0) -> Tensor:
    """Accuracy (members,) on data with P(g = f) = `agreement`.

    ρ·A₁ + (1 − ρ)·A₀ with A₀ = 1 − captured (chapter 05).

    Args:
        agreement: ρ of the data, in [0, 1].
        captured: Share of the conflict set on which each member sides with g, (members,).
        agreeing: A₁, the accuracy where both structures agree. 1 is what capture alone suggests.
    """
    if not 0 <= agreement <= 1:
        raise ValueError(f"agreement is {agreement}; expected a share in [0, 1]")
    return agreement * agreeing + (1 - agreement) * (1 - captured)


# Interventions: the component along the false structure's direction, and nothing else


def component(problem: Planted, x: Tensor, *, along: Tensor | None = None) -> Tensor:
    """The component (samples,) of inputs along the false structure's direction, or another one.

    Args:
        along: A direction of unit length in the shape of an input.
    """
    direction = problem.direction if along is None else along
    return x.double().flatten(1) @ direction.flatten()


def with_component(
    problem: Planted, x: Tensor, values: Tensor, *, along: Tensor | None = None
) -> Tensor:
    """The inputs (samples, …) with these components (samples,) instead of their own."""
    direction = problem.direction if along is None else along
    change = values - component(problem, x, along=along)
    return x + change.view(-1, *[1] * (x.ndim - 1)) * direction


def reflect(problem: Planted, x: Tensor) -> Tensor:
    """The inputs on the other side of the false structure's boundary, as far away from it."""
    return rescale(problem, x, -1.0)


def rescale(problem: Planted, x: Tensor, factor: float) -> Tensor:
    """The inputs with the false signal, the distance from its level, times a factor."""
    own = component(problem, x)
    return with_component(problem, x, problem.level + factor * (own - problem.level))


def exchange(
    problem: Planted, x: Tensor, generator: torch.Generator, *, along: Tensor | None = None
) -> Tensor:
    """Give each input the false feature of a random other one, which has the other feature value.

    Args:
        x: Inputs (samples, …) on both sides of the false structure's boundary.
        along: The control: exchange the component along this direction, between the same inputs.

    Raises:
        ValueError: all inputs have the same feature value.
    """
    side = problem.false(x)
    if side.min() == side.max():
        raise ValueError(f"all {len(x)} inputs have the false label {int(side[0])}; give both")
    donor = torch.empty(len(x), dtype=torch.long)
    for value in (0, 1):
        others = (side != value).nonzero().flatten()
        receivers = side == value
        draw = torch.randint(len(others), (int(receivers.sum()),), generator=generator)
        donor[receivers] = others[draw]
    return with_component(problem, x, component(problem, x, along=along)[donor], along=along)


def randomise(problem: Planted, x: Tensor, generator: torch.Generator) -> Tensor:
    """Give each input the false feature of a random input of x, whichever it has."""
    donor = torch.randint(len(x), (len(x),), generator=generator)
    return with_component(problem, x, component(problem, x)[donor])


Intervention = Callable[[Planted, Tensor, torch.Generator], Tensor]


def changed(
    predict: Predict,
    problem: Planted,
    x: Tensor,
    intervention: Intervention,
    *,
    seed: int,
    repeats: int = 1,
) -> Tensor:
    """Share of labels that each member changes under an intervention: (members,).

    A follower of the false structure changes every label under `exchange` and about half of them
    under `randomise`; a follower of the original none (proposition in chapter 05). For an
    interval over members, `statistics.mean`.

    Args:
        seed: Of the draws.
        repeats: Draws that are averaged.

    Raises:
        ValueError: repeats < 1.
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; expected at least 1")
    generator = torch.Generator().manual_seed(seed)
    before = predict(x)
    shares = [
        (predict(intervention(problem, x, generator)) != before).double().mean(1)
        for _ in range(repeats)
    ]
    return torch.stack(shares).mean(0)


# Where a network changes over


def crossover(offsets: Tensor, share: Tensor, *, level: float = 0.5) -> float:
    """Where a rising share first reaches a level, interpolated in the logarithm of the offset.

    Args:
        offsets: Increasing and positive, (points,).
        share: In [0, 1], (points,).

    Raises:
        ValueError: the share is not below the level first and above it later.
    """
    above = (share >= level).nonzero().flatten()
    if len(above) == 0 or above[0] == 0:
        raise ValueError(f"shares {share.tolist()} don't pass {level} within {offsets.tolist()}")
    i = int(above[0])
    left, right = share[i - 1], share[i]
    part = (level - left) / (right - left)
    logs = offsets.double().log()
    return torch.exp(logs[i - 1] + part * (logs[i] - logs[i - 1])).item()


def crossover_by_input(
    offsets: np.ndarray, sides: np.ndarray, *, level: float = 0.5
) -> tuple[np.ndarray, int]:
    """Logarithm of the offset at which a share of inputs first reaches a level, input by input.

    The mean over inputs is the logarithm of `crossover`. An input is off it by its influence, to
    first order, so that the spread over inputs is that of the crossover: for `evidence.crossed`.

    Args:
        offsets: Increasing and positive, (points,).
        sides: 1 where an input counts, else 0, (points, inputs).

    Returns:
        (inputs,); and 0, or where the crossover lies beyond the offsets −1 (below) or 1 (above):
        then it is the logarithm of that end for every input.
    """
    shares = sides.mean(1)
    above = np.flatnonzero(shares >= level)
    if not len(above) or not above[0]:
        end, beyond = (0, -1) if len(above) else (-1, 1)
        return np.full(sides.shape[1], np.log(offsets[end])), beyond
    i = above[0]
    low, high = shares[i - 1], shares[i]
    part, width = (level - low) / (high - low), np.log(offsets[i] / offsets[i - 1])
    off = (1 - part) * (sides[i - 1] - low) + part * (sides[i] - high)
    return np.log(offsets[i - 1]) + width * (part - off / (high - low)), 0


def changeover(values: Tensor, share: Tensor, *, level: float) -> float:
    """The value from which on a share stays at or above a level, interpolated linearly.

    Unlike `crossover` it asks for the last passage, so that chance at small values doesn't count,
    and it answers at the ends: the first value if the share never is below, infinity if it is
    below at the last.

    Args:
        values: Increasing, (points,).
        share: In [0, 1], (points,).
    """
    below = (share < level).nonzero().flatten()
    if len(below) == 0:
        return values[0].item()
    i = int(below[-1])
    if i == len(values) - 1:
        return float("inf")
    left, right = share[i].item(), share[i + 1].item()
    return (values[i] + (level - left) / (right - left) * (values[i + 1] - values[i])).item()


def random_direction(problem: Planted, generator: torch.Generator) -> Tensor:
    """A random direction of unit length at a right angle to the false structure's."""
    noise = torch.randn(problem.direction.shape, generator=generator, dtype=torch.float64)
    noise -= (noise * problem.direction).sum() * problem.direction
    return noise / noise.norm()


def deviation(
    problem: Planted, x: Tensor, intervention: Intervention, generator: torch.Generator
) -> float:
    """How far an intervention is from what the proposition of chapter 05 says of both structures.

    Larger share of inputs: those where g does not change exactly where it should, or where f
    changes at all. An exchange should change every g; `randomise` where the new component lies on
    the other side of the level.
    """
    moved = intervention(problem, x, generator)
    before, after = (component(problem, inputs) > problem.level for inputs in (x, moved))
    due = before != after if intervention is randomise else torch.ones_like(before)
    wrong = (problem.false(moved) != problem.false(x)) != due
    original = problem.original(moved) != problem.original(x)
    return max(part.double().mean().item() for part in (wrong, original))


def conditional_entropy(y: Tensor, given: Tensor) -> float:
    """H(y | given) in nats: labels (samples,) 0 or 1, and what is known of each (samples,).

    No predictor that sees nothing else has a smaller cross-entropy (proposition in chapter 05).
    """
    total = 0.0
    for value in given.unique():
        part = y[given == value]
        shares = torch.stack([(part == label).double().mean() for label in (0, 1)])
        total -= torch.xlogy(shares, shares).sum().item() * len(part) / len(y)
    return total
