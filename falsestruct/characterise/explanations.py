"""Explanations of single answers: seven methods that give every coordinate of an input a value.

Coordinates are those of a dictionary, an orthonormal basis: pixels, or Walsh functions. A method is
told the outputs as a function of coordinates, and sees several networks at once. What it makes of
an input is a map; what the map names is the coordinate with the largest share of its squares.

They are a few lines each because networks are asked in lockstep. Tests compare them with captum's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.linalg import hadamard
from torch import Tensor

Outputs = Callable[[Tensor], Tensor]  # (members, samples, d) → (members, samples)


@dataclass(frozen=True)
class Effort:
    """How much the methods do.

    Attributes:
        points: Of the path of integrated gradients, and draws of SmoothGrad.
        noise: Standard deviation of SmoothGrad's, in each coordinate.
        donors: Values of donors that replace a coordinate, for occlusion.
        orders: Of the coordinates, for Shapley values.
        steps, draws, rate: Of the descent for masks: steps, donors in each, Adam's rate.
        price: Of a mask that keeps everything, over one that keeps nothing.
    """

    points: int = 32
    noise: float = 0.1
    donors: int = 4
    orders: int = 6
    steps: int = 60
    draws: int = 4
    rate: float = 0.1
    price: float = 0.05


@dataclass(frozen=True)
class Question:
    """What is to be explained.

    Attributes:
        outputs: Of the networks, as a function of coordinates.
        x: (members, samples, d); each member may have its own inputs.
        donors: Other inputs (number, d), whose coordinates stand for what is not known.
        generator: Of all draws.
    """

    outputs: Outputs
    x: Tensor
    donors: Tensor
    generator: torch.Generator

    def others(self) -> Tensor:
        """A random donor for each sample, the same for all members: (samples, d)."""
        samples = self.x.shape[1]
        return self.donors[torch.randint(len(self.donors), (samples,), generator=self.generator)]


def slopes(outputs: Outputs, x: Tensor) -> Tensor:
    """Gradient of each output in its own input, (members, samples, d)."""
    point = x.detach().requires_grad_()
    (found,) = torch.autograd.grad(outputs(point).sum(), point)
    return found


def gradient(ask: Question, effort: Effort) -> Tensor:
    """The gradient at the input."""
    return slopes(ask.outputs, ask.x)


def times_difference(ask: Question, effort: Effort) -> Tensor:
    """The gradient times the difference to the donors' mean: the linear part of a change."""
    return slopes(ask.outputs, ask.x) * (ask.x - ask.donors.mean(0))


def integrated(ask: Question, effort: Effort) -> Tensor:
    """The same with the mean gradient on the way from there (arXiv:1703.01365), midpoint rule."""
    start = ask.donors.mean(0)
    way = ask.x - start
    at = (torch.arange(effort.points, dtype=way.dtype) + 0.5) / effort.points
    total = torch.zeros_like(way)
    for part in at:
        total += slopes(ask.outputs, start + part * way)
    return way * total / effort.points


def smooth(ask: Question, effort: Effort) -> Tensor:
    """The mean gradient at the input with normal noise (arXiv:1706.03825)."""
    total = torch.zeros_like(ask.x)
    for _ in range(effort.points):
        noise = torch.randn(ask.x.shape[1:], generator=ask.generator, dtype=ask.x.dtype)
        total += slopes(ask.outputs, ask.x + effort.noise * noise)
    return total / effort.points


def occlusion(ask: Question, effort: Effort) -> Tensor:
    """Mean change of the output if one coordinate takes quantiles of the donors' values."""
    members, samples, d = ask.x.shape
    one = torch.eye(d, dtype=torch.bool)
    at = (torch.arange(effort.donors, dtype=ask.donors.dtype) + 0.5) / effort.donors
    total = torch.zeros_like(ask.x)
    with torch.no_grad():
        before = ask.outputs(ask.x)[..., None]
        for values in ask.donors.quantile(at, dim=0):
            mixed = torch.where(one, values, ask.x[:, :, None])
            after = ask.outputs(mixed.reshape(members, samples * d, d))
            total += before - after.view(members, samples, d)
    return total / effort.donors


def shapley(ask: Question, effort: Effort) -> Tensor:
    """Shapley values by sampling: coordinates join a donor in a random order."""
    members, samples, d = ask.x.shape
    total = torch.zeros_like(ask.x)
    with torch.no_grad():
        for _ in range(effort.orders):
            order = torch.randperm(d, generator=ask.generator)
            joined = order.argsort() < torch.arange(d + 1)[:, None]  # (d + 1, d)
            mixed = torch.where(joined, ask.x[:, :, None], ask.others()[:, None])
            values = ask.outputs(mixed.reshape(members, samples * (d + 1), d))
            total[..., order] += values.view(members, samples, d + 1).diff(dim=2)
    return total / effort.orders


def masks(ask: Question, effort: Effort) -> Tensor:
    """A mask in [0, 1] that keeps the answer where the rest is a donor's (arXiv:1905.11092).

    Descent on the mean squared change of the probability, plus the price of what is kept. The paper
    has densities where we sample, and noise where we have donors.
    """
    raw = torch.zeros_like(ask.x).requires_grad_()
    adam = torch.optim.Adam([raw], lr=effort.rate)
    with torch.no_grad():
        wanted = ask.outputs(ask.x).sigmoid()
    for _ in range(effort.steps):
        kept = raw.sigmoid()
        drawn = [ask.others() for _ in range(effort.draws)]
        seen = [ask.outputs(kept * ask.x + (1 - kept) * other).sigmoid() for other in drawn]
        change = torch.stack([(own - wanted) ** 2 for own in seen]).mean(0)
        loss = (change + effort.price * kept.mean(2)).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return raw.detach().sigmoid()


METHODS: dict[str, Callable[[Question, Effort], Tensor]] = {
    "gradient": gradient,
    "gradient times difference": times_difference,
    "integrated gradients": integrated,
    "SmoothGrad": smooth,
    "occlusion": occlusion,
    "Shapley values": shapley,
    "masks": masks,
}


def shares(values: Tensor) -> Tensor:
    """Share of each coordinate in a map's squares, (…, d); equal shares where all are 0."""
    squares = values.double() ** 2
    total = squares.sum(-1, keepdim=True)
    return torch.where(total > 0, squares / total.clamp_min(1e-300), 1 / values.shape[-1])


def dictionary(name: str, side: int) -> Tensor:
    """An orthonormal basis of images, a row for each coordinate: (side², side²), float64.

    "pixels", or "Walsh": products of square waves along rows and columns, each entry ±1/side. The
    first one is constant, so its coordinate is the brightness.

    Raises:
        ValueError: there is none of this name.
    """
    if name == "pixels":
        return torch.eye(side**2, dtype=torch.float64)
    if name == "Walsh":
        return torch.from_numpy(hadamard(side**2).astype(np.float64) / side)
    raise ValueError(f"no dictionary {name!r}; expected 'pixels' or 'Walsh'")


def seen_through(outputs: Outputs, basis: Tensor, side: int) -> Outputs:
    """Outputs of images as a function of their coordinates in a basis."""
    return lambda c: outputs((c @ basis.to(c.dtype)).unflatten(-1, (side, side)))


def triangles(u: Tensor) -> Tensor:
    """The chapter's wave: period 4, height 1, slopes 1 and −1 (`theory.explanations.wave`)."""
    return (torch.remainder(u - 1, 4) - 2).abs() - 1


def with_wave(ask: Question, coordinate: int, *, height: float, steeper: float) -> Question:
    """The same networks with a wave of one coordinate added to their outputs.

    Args:
        height: Of the wave.
        steeper: Its slope over the length of the member's longest gradient at the inputs.
    """
    slope = steeper * slopes(ask.outputs, ask.x).norm(dim=-1).amax(1).double()

    def bent(c: Tensor) -> Tensor:
        at = slope[:, None] / height * c[..., coordinate].double()
        return ask.outputs(c) + height * triangles(at)

    return replace(ask, outputs=bent)


def coordinate(direction: Tensor, basis: Tensor) -> int:
    """Which coordinate of a basis a unit direction (side, side) is.

    Raises:
        ValueError: it is none.
    """
    parts = (basis @ direction.flatten()).abs()
    if parts.max() < 1 - 1e-9:
        raise ValueError(
            f"the largest entry of the direction is {parts.max():.3f}; expected 1: take a "
            "dictionary that has it as a coordinate"
        )
    return int(parts.argmax())


def decoys(ask: Question, besides: int) -> dict[str, int]:
    """The coordinates that vary most ("bright") and least ("faint") among the donors, but for one.

    Differences to donors are long along the first and short along the second.
    """
    spread = ask.donors.var(0)
    order = [int(i) for i in spread.argsort() if int(i) != besides]
    return {"bright": order[-1], "faint": order[0]}
