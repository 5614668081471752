"""Many networks of one hidden ReLU layer on fixed batches, as the oscillation's paper trains them.

A step is the compiled one of `fused`. Members go side by side from one look at them to the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from falsestruct.learning import fused
from falsestruct.learning.members import DivergedError, spread

Observed = TypeVar("Observed")

# Batches are drawn in blocks: long enough that drawing costs nothing, short enough to notice soon
# that a member has diverged.
BLOCK = 1000


@dataclass(frozen=True)
class Ensemble:
    """Networks x ↦ c + Σ_h v_h·max(0, ⟨w_h, x⟩ + b_h), one a row.

    Attributes:
        flat: (members, (inputs + 2)·width + 1): hidden weights, hidden biases, v, c.
        inputs: Number of input coordinates.
        width: Number of hidden ReLUs.
    """

    flat: Tensor
    inputs: int
    width: int

    @property
    def hidden(self) -> Tensor:
        """Hidden weights, the last row the biases: a view (members, inputs + 1, width)."""
        rows = self.inputs + 1
        return self.flat[:, : rows * self.width].unflatten(1, (rows, self.width))

    @property
    def output(self) -> Tensor:
        """Output weights v: a view (members, width)."""
        return self.flat[:, (self.inputs + 1) * self.width : -1]

    @property
    def bias(self) -> Tensor:
        """Output bias c: a view (members,)."""
        return self.flat[:, -1]

    def clone(self) -> Ensemble:
        """A copy that shares no memory."""
        return Ensemble(self.flat.clone(), self.inputs, self.width)


@dataclass(frozen=True)
class Batches:
    """Every member's training set, cut into fixed batches of equal size.

    Attributes:
        x: (batches of all members, size, inputs + 1); the last column is 1.
        y: Labels 0 or 1, (batches of all members, size).
        counts: Number of batches of each member, in the order in which they are stored.
    """

    x: Tensor
    y: Tensor
    counts: tuple[int, ...]

    @property
    def starts(self) -> list[int]:
        """Index of each member's first batch."""
        return [sum(self.counts[:i]) for i in range(len(self.counts))]


def glorot(
    seeds: Sequence[int], inputs: int, width: int, *, dtype: torch.dtype = torch.float64
) -> Ensemble:
    """Glorot-uniform weights and zero biases, one member a seed.

    Drawn in float64 and rounded, so that a seed means the same network in both precisions.
    """
    flat = torch.zeros(len(seeds), (inputs + 2) * width + 1, dtype=torch.float64)
    ensemble = Ensemble(flat, inputs, width)
    for member, seed in enumerate(seeds):
        generator = torch.Generator().manual_seed(seed)
        for view, fans in ((ensemble.hidden[:, :-1], inputs + width), (ensemble.output, width + 1)):
            shape = view[member].shape
            draw = 2 * torch.rand(shape, dtype=torch.float64, generator=generator) - 1
            view[member] = draw * math.sqrt(6 / fans)
    return Ensemble(flat.to(dtype), inputs, width)


def logits(ensemble: Ensemble, x: Tensor) -> Tensor:
    """Outputs (members, samples) for inputs (samples, inputs) or (members, samples, inputs)."""
    x = x.to(ensemble.flat.dtype).expand(len(ensemble.flat), *x.shape[-2:])
    hidden = torch.baddbmm(ensemble.hidden[:, -1:], x, ensemble.hidden[:, :-1]).clamp_min_(0)
    return (hidden @ ensemble.output[:, :, None]).squeeze(2) + ensemble.bias[:, None]


def cross_entropy(outputs: Tensor, y: Tensor) -> Tensor:
    """Mean sigmoid cross-entropy (members,) of outputs (members, samples), labels 0 or 1."""
    y = y.to(outputs.dtype).expand_as(outputs)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(outputs, y, reduction="none")
    return loss.mean(1)


def make_batches(
    sets: Sequence[tuple[Tensor, Tensor]], size: int, *, dtype: torch.dtype = torch.float64
) -> Batches:
    """Cut one training set (x (samples, inputs), y (samples,)) a member into batches.

    The samples stay in their order; an incomplete last batch is left out, as in the released code.
    """
    xs, ys, counts = [], [], []
    for x, y in sets:
        count = len(x) // size
        if count == 0:
            raise ValueError(f"batch size is {size} but a member has {len(x)} samples")
        ones = torch.ones(len(x), 1, dtype=x.dtype)
        xs.append(torch.cat((x, ones), dim=1)[: count * size].unflatten(0, (count, size)))
        ys.append(y[: count * size].unflatten(0, (count, size)))
        counts.append(count)
    return Batches(torch.cat(xs).to(dtype), torch.cat(ys).to(dtype), tuple(counts))


def train(
    initial: Ensemble,
    batches: Batches,
    *,
    seeds: Sequence[int],
    steps: int,
    observe: Callable[[int, Ensemble], Observed],
    at: Sequence[int] = (),
    learning_rate: float = 1e-3,
) -> list[Observed]:
    """Train all members with Adam and give back what `observe` saw.

    At each step each member draws one of its own fixed batches, from its own generator, seeded by
    its entry in `seeds`: a member's result does not depend on the others.

    Args:
        initial: Is left as it is.
        observe: Called as observe(step, ensemble) at the steps in `at` and after the last one. It
            must copy what it wants to keep.

    Raises:
        DivergedError: a member's outputs or weights are no longer finite.
        ValueError: numbers of networks, sets and seeds that don't fit, or more than 64 inputs.
    """
    if not len(initial.flat) == len(batches.counts) == len(seeds):
        sizes = len(initial.flat), len(batches.counts), len(seeds)
        raise ValueError(f"networks, training sets and seeds number {sizes}; expected equal")
    ensemble = initial.clone()
    states = [
        fused.State.of(row.numpy(), initial.inputs, initial.width, 1) for row in ensemble.flat
    ]
    x = batches.x[..., :-1].flatten(0, 1).contiguous().numpy()
    y = batches.y.flatten().numpy()
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    rows, rule = np.arange(len(x)).reshape(len(batches.x), -1), fused.Rule(learning_rate)
    stops, seen = {*at, steps}, []
    for start in range(0, steps, BLOCK):
        table = _draw(batches, generators).numpy()
        stop = min(start + BLOCK, steps)
        cuts = sorted({step for step in stops if start < step < stop} | {stop})
        for first, last in pairwise((start, *cuts)):
            chosen = table[first - start : last - start]

            def advance(member: int, chosen: np.ndarray = chosen) -> int:
                order = rows[chosen[:, member]]
                return fused.advance(states[member], x, y, order, rule, steps=len(order))[0]

            _check(spread(advance, range(len(states))), ensemble, last)
            if last in stops:
                seen.append(observe(last, ensemble))
    return seen


def _draw(batches: Batches, generators: Sequence[torch.Generator]) -> Tensor:
    """Which batch each member sees in the next block of steps: (BLOCK, members)."""
    columns = [
        start + torch.randint(count, (BLOCK,), generator=generator)
        for start, count, generator in zip(batches.starts, batches.counts, generators, strict=True)
    ]
    return torch.stack(columns, dim=1)


def _check(statuses: Sequence[int], ensemble: Ensemble, step: int) -> None:
    finite = torch.isfinite(ensemble.flat).all(1).tolist()
    ends = enumerate(zip(statuses, finite, strict=True))
    bad = [i for i, (status, is_finite) in ends if status == fused.DIVERGED or not is_finite]
    if bad:
        raise DivergedError(
            f"members {bad} have outputs or weights that are NaN or infinite by step {step}; "
            "expected finite ones: lower the learning rate"
        )
