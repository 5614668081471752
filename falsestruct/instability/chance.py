"""How often chance finds what an attack finds: random perturbations beside the shortest one."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.instability.attacks import labels, random_directions
from falsestruct.learning.ensembles import Outputs


def flipped(
    outputs: Outputs, x: Tensor, length: Tensor, *, draws: int, generator: torch.Generator
) -> Tensor:
    """Share of random perturbations that change a member's label, (members, samples).

    Each is uniform on the ℓ2 sphere of its length; NaN where that is not finite. Directions are
    the same for all members.

    Args:
        x: Inputs (samples, inputs) that all members share.
        length: Of the perturbation of each member and sample, (members, samples).
        draws: Directions for each sample.
    """
    known = length.isfinite()
    size = torch.where(known, length, 0.0)[..., None]
    alike, found = x.expand(len(length), *x.shape), torch.zeros_like(length)
    with torch.no_grad():
        before = labels(outputs(alike))
        for _ in range(draws):
            moved = alike + size * random_directions(x, 1.0, generator)
            found += labels(outputs(moved)) != before
    return torch.where(known, found / draws, torch.nan)
