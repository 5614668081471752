"""Inputs made to convince a network: along the gradient until it is sure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from falsestruct.instability.attacks import Outputs


def convince(
    outputs: Outputs,
    x: Tensor,
    wanted: Tensor,
    *,
    sure: float = 0.99,
    stride: float = 0.1,
    patience: int = 300,
) -> tuple[Tensor, Tensor]:
    """Move inputs until each network gives the wanted label at least the probability `sure`.

    Each step goes along the gradient of the network's own output and has a Euclidean length of
    `stride`. An input that convinces is not moved any more.

    Args:
        outputs: Inputs (members, samples, features) to logits of label 1 (members, samples).
        x: Where to begin, (members, samples, features).
        wanted: Labels 0 or 1, (samples,).
        patience: Steps at most.

    Returns:
        The inputs; and which of them convince, (members, samples).
    """
    sign, enough = 2.0 * wanted - 1, math.log(sure / (1 - sure))
    for _ in range(patience):
        point = x.clone().requires_grad_()
        values = sign * outputs(point)
        (slope,) = torch.autograd.grad(values.sum(), point)
        going = (values.detach() < enough)[..., None]
        if not going.any():
            break
        size = slope.norm(dim=2, keepdim=True).clamp_min(torch.finfo(slope.dtype).tiny)
        x = x + stride * going * slope / size
    with torch.no_grad():
        return x, sign * outputs(x) >= enough


def from_noise(
    outputs: Outputs,
    draws: Sequence[torch.Generator],
    shape: tuple[int, int],
    *,
    level: float,
    spread: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs that convince, from a level with normal noise: label 1 is wanted of every second one.

    Args:
        draws: Of the noise, one a network.
        shape: Samples and features.
        spread: Standard deviation of the noise.

    Returns:
        Inputs (members, samples, features), wanted labels (samples,), and who is convinced
        (members, samples).
    """
    noise = torch.stack([torch.randn(shape, generator=generator) for generator in draws])
    wanted = torch.arange(shape[0]) % 2
    x, convinced = convince(outputs, level + spread * noise, wanted)
    return x, wanted, convinced
