"""Stripes with a colour that tells the direction: orientation against colour."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from falsestruct.problems.planted import Planted, Set, linear
from falsestruct.problems.stripes import Stripes


def stripes(a: float = 0.1, *, shape: Stripes | None = None) -> Planted:
    """The stripes problem: orientation against colour, at offset a."""
    own = shape or Stripes()
    direction = torch.full((own.size, own.size), -1 / own.size, dtype=torch.float64)
    level = -float(own.width)  # the pixels add up to n·w, each counts −1/n

    def make(samples: int, generator: torch.Generator, agrees: Tensor, held_out: bool) -> Set:
        # Every stripe once before one comes twice: a training set of 60 is the paper's.
        places = 2 * own.positions
        repeats = math.ceil(samples / places)
        order = [torch.randperm(places, generator=generator) for _ in range(repeats)]
        which = torch.cat(order)[:samples]
        horizontal, position = which < own.positions, which % own.positions
        offset = a * torch.where(horizontal == agrees, -1.0, 1.0).double()
        return own.images(horizontal, position, offset), horizontal.double()

    return Planted(
        "stripes", a, own.orientation, linear("colour", direction, level), direction, level,
        2 * own.positions, make,
    )  # fmt: skip
