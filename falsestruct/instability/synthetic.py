"""Inputs made to convince a network: along the gradient until it is sure."""

from __future__ import annotations

import math

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
