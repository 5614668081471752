"""Stability to deformations of the input, absolute and relative to noise (arXiv:2105.02468)."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.learning.ensembles import Outputs


def stabilities(
    outputs: Outputs, x: Tensor, bent: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """D, G and R = D/G of each member, (members,).

    D and G are mean squared changes of the outputs, under the deformation and under noise of random
    direction with the same mean square, over the mean squared difference of two inputs' outputs.

    Args:
        outputs: One a class.
        x, bent: Inputs of each member and the same deformed, (members, samples, *shape).
    """
    noise = isotropic(bent - x, generator)
    with torch.no_grad():
        at, moved, shaken = (outputs(z.float()).double() for z in (x, bent, x + noise))
    others, smooth, rough = (_square(to - at) for to in (at.roll(1, 1), moved, shaken))
    return {"D": smooth / others, "G": rough / others, "R": smooth / rough}


def isotropic(moves: Tensor, generator: torch.Generator) -> Tensor:
    """Vectors of random direction, each as long as the root mean square of a member's moves.

    Args:
        moves: (members, samples, *shape).
    """
    drawn = torch.randn(moves.shape, generator=generator, dtype=moves.dtype).flatten(2)
    length = moves.flatten(2).square().sum(2, keepdim=True).mean(1, keepdim=True).sqrt()
    return (drawn / drawn.norm(dim=2, keepdim=True) * length).view(moves.shape)


def _square(changes: Tensor) -> Tensor:
    """Mean over inputs of the squared length, (members,)."""
    return changes.square().sum(-1).mean(1)
