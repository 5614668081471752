"""Digits in two brightnesses, flat, for networks that each have their own training images.

The original structure is the parity of a digit; the brightness tells it where rho is 1, and says
the opposite where rho is 0. Images of a seed are the same for each rho.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from falsestruct.problems.digits import HELD_OUT
from falsestruct.problems.planted import Planted
from falsestruct.problems.planted.digits import digits

DATA = 100_000  # added to a seed, of its training images
TEST_SEED = 90_000
PIXELS, SIDE = 64, 8
STRENGTH = 0.1  # of the brightness, as usual

Set = tuple[Tensor, Tensor]


@cache
def problem(strength: float) -> Planted:
    """Digits with a brightness that tells the parity; 0 plants nothing."""
    return digits("brightness", strength)


@cache
def held_out(strength: float = STRENGTH) -> tuple[Set, Set]:
    """All held-out images where both structures agree and where they don't: x and parity."""
    both = []
    for rho in (1.0, 0.0):  # the same seed draws the same images in the same order
        generator = torch.Generator().manual_seed(TEST_SEED)
        x, y = problem(strength).draw(HELD_OUT, generator, rho=rho, held_out=True)
        both.append((x.flatten(1), y))
    return both[0], both[1]


def images(seed: int, samples: int, *, rho: float, strength: float = STRENGTH) -> Set:
    """Training images of a seed (samples, pixels), with their parity (samples,)."""
    generator = torch.Generator().manual_seed(DATA + seed)
    x, y = problem(strength).draw(samples, generator, rho=rho)
    return x.flatten(1), y


def in_both(seed: int, samples: int, strength: float) -> Set:
    """A seed's images with their own brightness, and all of them again with the other one."""
    both = [images(seed, samples, rho=rho, strength=strength) for rho in (1.0, 0.0)]
    x, y = (torch.cat(part) for part in zip(*both, strict=True))
    return x, y


def said(x: Tensor, strength: float = STRENGTH) -> Tensor:
    """What the brightness says of flat images, (samples,)."""
    return problem(strength).false(x.view(-1, SIDE, SIDE)).double()
