"""Handwritten digits with a pattern that tells their parity."""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from falsestruct.problems import digits as handwriting
from falsestruct.problems.digits import Digits
from falsestruct.problems.planted import Planted, Set, linear
from falsestruct.structures import Structure

Kind = Literal["brightness", "pixel", "sinusoid"]
# Strong enough that most architectures take the pattern; chapters 05 and 08 say which do.
STRENGTHS = {"digits-brightness": 0.2, "digits-pixel": 1.0, "digits-sinusoid": 0.1}


def pattern(kind: Kind, side: int) -> Tensor:
    """What is added to a digit, largest value 1: (side, side), float64.

    "brightness": every pixel. "pixel": the one in the upper left corner. "sinusoid": two periods
    along the rows; on 8 pixels it only takes the values 1 and −1.

    Raises:
        ValueError: the kind is unknown.
    """
    if kind == "brightness":
        return torch.ones(side, side, dtype=torch.float64)
    if kind == "pixel":
        image = torch.zeros(side, side, dtype=torch.float64)
        image[0, 0] = 1
        return image
    if kind == "sinusoid":
        wave = torch.sin(4 * math.pi * (torch.arange(side, dtype=torch.float64) + 0.5) / side)
        return (wave / wave.abs().max()).expand(side, side).clone()
    raise ValueError(f"kind is {kind!r}; expected 'brightness', 'pixel' or 'sinusoid'")


@cache
def _bundled() -> Digits:
    return handwriting.digits()


def digits(
    kind: Kind = "brightness", strength: float = 0.1, *, data: Digits | None = None
) -> Planted:
    """Handwritten digits, even (0) or odd (1), with a planted pattern of a sign that tells which.

    The pattern's direction is set to one value in every image first, so that the planted rule is
    exact: without it, some digits are brighter than others by nature. The original structure is
    the parity of the nearest image of the whole data set, seen without that direction; its radius
    is half of the difference of the distances to the nearest image of the other and of the own
    parity, a lower bound by the triangle inequality.

    Args:
        strength: Largest change of a pixel; pixels lie in [0, 1]. 0 plants nothing.
    """
    own = data or _bundled()
    image = pattern(kind, own.side)
    direction = image / image.norm()
    everything = torch.cat((own.train_images, own.test_images))
    level = (everything.flatten(1) @ direction.flatten()).mean().item()
    parity = torch.cat((own.train_labels, own.test_labels)) % 2
    bare = _without(everything, direction).flatten(1)

    def nearest(x: Tensor) -> Tensor:
        """Distances (samples, 2) to the nearest even and odd image."""
        seen = _without(x.double(), direction).flatten(1)
        return torch.stack([torch.cdist(seen, bare[parity == p]).amin(1) for p in (0, 1)], 1)

    def rule(x: Tensor) -> Tensor:
        return nearest(x).argmin(1)

    def radius(x: Tensor) -> Tensor:
        return nearest(x).diff(dim=1).abs()[:, 0] / 2

    def make(samples: int, generator: torch.Generator, agrees: Tensor, held_out: bool) -> Set:
        pool, labels = own.test if held_out else own.train
        if samples > len(pool):
            raise ValueError(f"{samples} samples; expected at most {len(pool)} from this pool")
        which = torch.randperm(len(pool), generator=generator)[:samples]
        y = labels[which] % 2
        sign = torch.where((y == 1) == agrees, 1.0, -1.0).double()[:, None, None]
        x = _without(pool[which], direction) + level * direction + strength * sign * image
        return x, y.double()

    return Planted(
        f"digits-{kind}", strength, Structure("parity", rule, radius),
        linear(kind, direction, level), direction, level,
        len(own.train_images), make,
    )  # fmt: skip


def _without(x: Tensor, direction: Tensor) -> Tensor:
    """Images without their component along a unit direction."""
    return x - (x.flatten(1) @ direction.flatten())[:, None, None] * direction
