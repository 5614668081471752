"""Instability: perturbations that flip a network's label, and the random ones that don't."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Predict = Callable[[Tensor], Tensor]


def flipped(predict: Predict, x: Tensor, eta: Tensor) -> Tensor:
    """Mask (members, samples): where adding eta changes the label.

    Args:
        predict: Maps inputs (samples, ...) to labels (members, samples).
        eta: Broadcasts against x (samples, ...).
    """
    return predict(x + eta) != predict(x)


def random_directions(x: Tensor, norm: float, generator: torch.Generator) -> Tensor:
    """Random perturbations of x (samples, ...), uniform on the ℓ2 sphere of this radius."""
    noise = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    size = noise.flatten(1).norm(dim=1)
    return noise * (norm / size).view(-1, *[1] * (x.ndim - 1))


def smallest_step(
    predict: Predict,
    x: Tensor,
    direction: Tensor,
    *,
    largest: float,
    points: int = 20,
    halvings: int = 5,
) -> Tensor:
    """Smallest t in (0, largest] at which one network gives x + t·direction another label.

    The first flip on a grid of `points`, made finer by bisection: a flip that is undone within one
    step of the grid is missed.

    Args:
        predict: One network: inputs (samples, ...) to labels (1, samples).
        direction: Broadcasts against x (samples, ...).

    Returns:
        (samples,), float64; infinite where no t of the grid flips the label.
    """
    before, step = predict(x)[0], largest / points
    shape = (-1, *[1] * (x.ndim - 1))

    def flips(t: Tensor) -> Tensor:
        return predict(x + t.view(shape) * direction)[0] != before

    found = torch.full(before.shape, torch.inf, dtype=torch.float64)
    for i in range(1, points + 1):
        t = torch.full_like(found, i * step)
        found = torch.where(flips(t) & found.isinf(), t, found)
    low, high = (found - step).nan_to_num(posinf=0.0), found.nan_to_num(posinf=0.0)
    for _ in range(halvings):
        middle = (low + high) / 2
        past = flips(middle)
        low, high = torch.where(past, low, middle), torch.where(past, middle, high)
    return torch.where(found.isinf(), found, high)
