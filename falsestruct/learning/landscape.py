"""The loss around trained networks and between them: noise on weights, straight lines.

For networks with one hidden layer, many at once; parameters are those of `Trained`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from falsestruct.learning import engines
from falsestruct.learning.networks import Architecture

Parameters = Mapping[str, Tensor]
INTO, BIAS, OUT = "0.weight", "0.bias", "2.weight"  # of `networks.shallow`


def loss(architecture: Architecture, parameters: Parameters, x: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy (members,) of x (members, samples, inputs), y (members, samples), in nats.

    Computed in the precision of the parameters.
    """
    dtype = next(iter(parameters.values())).dtype
    with torch.no_grad():
        outputs = engines.forward(architecture)(parameters, x.to(dtype))
        return engines.cross_entropy(outputs, y.to(dtype))


def shaken(parameters: Parameters, size: float, generator: torch.Generator) -> dict[str, Tensor]:
    """Every tensor plus noise of a random direction, as long as `size` times the tensor itself.

    Relative to each tensor, so that a layer may be multiplied and the next one divided: what comes
    out has the same law (proposition in chapter 17).
    """
    found = {}
    for name, value in parameters.items():
        noise = torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value.dtype)
        own, given = (part.flatten(1).norm(dim=1) for part in (value, noise))
        scale = (size * own / given).view(-1, *[1] * (value.ndim - 1))
        found[name] = value + scale * noise
    return found


def rise(
    architecture: Architecture, parameters: Parameters, x: Tensor, y: Tensor, *,
    size: float, draws: int, generator: torch.Generator,
) -> Tensor:  # fmt: skip
    """By how much the loss rises with such noise, (members,): mean over so many draws."""
    before = loss(architecture, parameters, x, y)
    after = [loss(architecture, shaken(parameters, size, generator), x, y) for _ in range(draws)]
    return torch.stack(after).mean(0) - before


def mixed(first: Parameters, second: Parameters, t: float) -> dict[str, Tensor]:
    """The networks at t of the straight lines from the first to the second ones."""
    return {name: (1 - t) * value + t * second[name] for name, value in first.items()}


def matched(first: Parameters, second: Parameters) -> dict[str, Tensor]:
    """The second networks, units in the order in which they are most like those of the first.

    Most like: the largest sum of inner products of what enters and leaves a unit, over all orders,
    by linear assignment. The order of its units is no property of a network's function.
    """
    own, other = (
        torch.cat((p[INTO], p[BIAS][..., None], p[OUT].transpose(1, 2)), 2) for p in (first, second)
    )
    likeness = (own @ other.transpose(1, 2)).double().numpy()
    orders = [linear_sum_assignment(one, maximize=True)[1] for one in likeness]
    order = torch.from_numpy(np.stack(orders))  # (members, units)
    rows = torch.arange(len(order))[:, None]
    moved = {INTO: second[INTO][rows, order], BIAS: second[BIAS][rows, order],
             OUT: second[OUT][rows, :, order].transpose(1, 2)}  # fmt: skip
    return {name: moved.get(name, value) for name, value in second.items()}


def line(
    architecture: Architecture, first: Parameters, second: Parameters,
    places: Sequence[float], own: tuple[Tensor, Tensor],
) -> Tensor:  # fmt: skip
    """The loss on the straight line less the mix of the losses at its ends, (members, places).

    Args:
        places: Between 0, the first networks, and 1, the second ones.
        own: Inputs (members, samples, inputs) and labels (members, samples).
    """
    on = [loss(architecture, mixed(first, second, t), *own) for t in (0.0, *places, 1.0)]
    start, *between, end = on
    parts = [at - (1 - t) * start - t * end for t, at in zip(places, between, strict=True)]
    return torch.stack(parts, 1)
