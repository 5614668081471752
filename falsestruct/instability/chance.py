"""How often chance finds what an attack finds: random perturbations beside the shortest one."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.instability.attacks import labels, random_directions, smallest_perturbations
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


def beside_shortest(
    outputs: Outputs, x: Tensor, *, members: int, times: float, draws: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Shortest length found to flip, and the share that chance flips at `times` that: (members,).

    Means over inputs for which a flip was found.

    Args:
        x: Inputs (samples, inputs) that all members share.
    """
    size = smallest_perturbations(outputs, x, norm="l2", members=members).size
    generator = torch.Generator().manual_seed(seed)
    found = flipped(outputs, x, times * size, draws=draws, generator=generator)
    return torch.where(size.isfinite(), size, torch.nan).nanmean(1), found.nanmean(1)
