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
    predict: Predict, x: Tensor, direction: Tensor, *, largest: float, points: int = 40
) -> Tensor:
    """Smallest t on a grid over (0, largest] at which x + t·direction has another label.

    Returns (members, samples); infinite where no t of the grid flips the label.
    """
    before = predict(x)
    found = torch.full(before.shape, torch.inf, dtype=torch.float64)
    for t in torch.linspace(largest / points, largest, points, dtype=torch.float64).tolist():
        changed = predict(x + t * direction) != before
        found[changed & found.isinf()] = t
    return found
