"""Many one-hidden-layer ReLU networks trained in lockstep, with gradients written by hand.

One network this small leaves a processor idle: a step is a few microseconds of arithmetic in a
hundred microseconds of calls. Here all members take a step at once, in buffers that are allocated
once. `benchmarks/` has the measurement and `tests/learning/test_shallow.py` compares each gradient
with automatic differentiation and each step with `torch.optim.Adam`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

Observed = TypeVar("Observed")

# Batches are drawn in blocks: long enough that drawing costs nothing, short enough to notice soon
# that a member has diverged.
BLOCK = 1000


class DivergedError(ArithmeticError):
    """A weight became NaN or infinite: such a run is an error, never evidence."""


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


class _Workspace:
    """The buffers of one training run, and the two halves of a step."""

    def __init__(self, ensemble: Ensemble, size: int) -> None:
        members, dtype = len(ensemble.flat), ensemble.flat.dtype
        self.ensemble = ensemble
        self.gradient = Ensemble(torch.zeros_like(ensemble.flat), ensemble.inputs, ensemble.width)
        self.first = torch.zeros_like(ensemble.flat)
        self.second = torch.zeros_like(ensemble.flat)
        self.scratch = torch.zeros_like(ensemble.flat)
        self.active = torch.empty(members, size, ensemble.width, dtype=dtype)
        self.mask = torch.empty_like(self.active)
        self.out = torch.empty(members, size, dtype=dtype)
        self.row = torch.empty(members, 1, ensemble.width, dtype=dtype)
        self.rows = torch.empty(members, ensemble.inputs + 1, ensemble.width, dtype=dtype)

    def differentiate(self, x: Tensor, y: Tensor) -> None:
        """Gradient of the mean cross-entropy for x (members, size, inputs + 1), y (members, size).

        With e = (σ(out) − y)/size: ∂v = eᵀ·active, ∂c = Σe, ∂W = v ⊙ (x·e)ᵀ·1{active > 0}.
        """
        net, gradient = self.ensemble, self.gradient
        torch.bmm(x, net.hidden, out=self.active)
        self.active.clamp_min_(0)
        torch.mul(self.active, net.output[:, None, :], out=self.mask)
        torch.sum(self.mask, 2, out=self.out)
        error = self.out.add_(net.bias[:, None]).sigmoid_().sub_(y).div_(x.shape[1])
        torch.bmm(error[:, None, :], self.active, out=self.row)
        gradient.output.copy_(self.row[:, 0])
        torch.sum(error, 1, out=gradient.bias)
        torch.sign(self.active, out=self.mask)
        torch.bmm((x * error[:, :, None]).transpose(1, 2), self.mask, out=self.rows)
        torch.mul(self.rows, net.output[:, None, :], out=gradient.hidden)

    def adam(self, step: int, learning_rate: float) -> None:
        """One step of Adam (Kingma and Ba, arXiv:1412.6980) with its usual constants."""
        gradient = self.gradient.flat
        self.first.lerp_(gradient, 0.1)
        self.second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        torch.sqrt(self.second, out=self.scratch)
        self.scratch.mul_(1 / math.sqrt(1 - 0.999**step)).add_(1e-8)
        scale = learning_rate / (1 - 0.9**step)
        self.ensemble.flat.addcdiv_(self.first, self.scratch, value=-scale)


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
        DivergedError: a member's weights are no longer finite.
    """
    if not len(initial.flat) == len(batches.counts) == len(seeds):
        sizes = len(initial.flat), len(batches.counts), len(seeds)
        raise ValueError(f"networks, training sets and seeds number {sizes}; expected equal")
    ensemble = initial.clone()
    space = _Workspace(ensemble, batches.x.shape[1])
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    stops, seen = {*at, steps}, []
    for start in range(0, steps, BLOCK):
        table = _draw(batches, generators)
        for offset in range(min(BLOCK, steps - start)):
            step = start + offset + 1
            chosen = table[offset]
            space.differentiate(batches.x[chosen], batches.y[chosen])
            space.adam(step, learning_rate)
            if step in stops:
                _check_finite(ensemble, step)
                seen.append(observe(step, ensemble))
        _check_finite(ensemble, start + BLOCK)
    return seen


def _draw(batches: Batches, generators: Sequence[torch.Generator]) -> Tensor:
    """Which batch each member sees in the next block of steps: (BLOCK, members)."""
    columns = [
        start + torch.randint(count, (BLOCK,), generator=generator)
        for start, count, generator in zip(batches.starts, batches.counts, generators, strict=True)
    ]
    return torch.stack(columns, dim=1)


def _check_finite(ensemble: Ensemble, step: int) -> None:
    bad = (~torch.isfinite(ensemble.flat).all(1)).nonzero().flatten().tolist()
    if bad:
        raise DivergedError(
            f"members {bad} have weights that are NaN or infinite by step {step}; "
            "expected finite weights: lower the learning rate"
        )
