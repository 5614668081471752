"""More inputs: noise that says nothing about the label and names the sample, and split pixels."""

from __future__ import annotations

import torch
from torch import Tensor


def noise(
    samples: int, inputs: int, energy: float, generator: torch.Generator, *, groups: int = 0
) -> Tensor:
    """Vectors (samples, inputs), float64, of normal entries with a mean square length `energy`.

    In many inputs two of them are almost at a right angle, so that a linear rule can give each
    sample a value of its own.

    Args:
        groups: So many different vectors, which samples take in turn; 0: each sample has its own.

    Raises:
        ValueError: a negative energy or number of groups.
    """
    if energy < 0 or groups < 0:
        raise ValueError(f"energy is {energy}, groups {groups}; expected none below 0")
    drawn = torch.randn(groups or samples, inputs, generator=generator, dtype=torch.float64)
    return (energy / max(inputs, 1)) ** 0.5 * drawn[torch.arange(samples) % len(drawn)]


def split(x: Tensor, parts: int) -> Tensor:
    """Each input as so many equal ones, (samples, parts · inputs); lengths stay as they are."""
    return x.repeat_interleave(parts, -1) / parts**0.5
