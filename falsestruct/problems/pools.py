"""A pool of stripes in either colour, and which of them one asks about."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from falsestruct.problems.stripes import Stripes

Set = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Pool:
    """Images without labels, until somebody asks.

    Attributes:
        x: Flattened images, (samples, pixels).
        y: What the answer would be, (samples,).
        stripe: Which stripe each shows, orientation and place, (samples,).
    """

    x: Tensor
    y: Tensor
    stripe: Tensor

    def chosen(self, order: Tensor, count: int, *, spread: bool) -> Tensor:
        """The first `count` of its images in this order; with `spread` no stripe twice.

        Args:
            order: Rows of the pool, all of them.
        """
        if not spread:
            return order[:count]
        seen: dict[int, int] = {}
        for image in order.tolist():
            seen.setdefault(int(self.stripe[image]), image)
        return torch.tensor(list(seen.values())[:count])

    def added(self, plain: Set, order: Tensor, count: int, *, spread: bool) -> Set:
        """A training set with the chosen images, and their answers, behind its own."""
        rows = self.chosen(order, count, spread=spread)
        return torch.cat((plain[0], self.x[rows])), torch.cat((plain[1], self.y[rows]))


def pool(stripes: Stripes, offset: float, samples: int, generator: torch.Generator) -> Pool:
    """Random stripes, half of them in the other colour; offsets are from half to one and a half."""
    horizontal = torch.rand(samples, generator=generator) < 0.5
    place = torch.randint(stripes.positions, (samples,), generator=generator)
    size = offset * (0.5 + torch.rand(samples, dtype=torch.float64, generator=generator))
    signed = torch.where(horizontal, -size, size)
    signed[samples // 2 :] *= -1
    x = stripes.images(horizontal, place, signed)
    return Pool(x.flatten(1), horizontal.double(), place + stripes.positions * horizontal)
