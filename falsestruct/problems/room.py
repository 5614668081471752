"""More room: noise that names the sample, pixels split into many, labels that trade places."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Outputs = Callable[[Tensor], Tensor]


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


def on_whole(outputs: Outputs, parts: int) -> Outputs:
    """What says something of split inputs, as a function of the whole ones: parts move alike."""
    return lambda x: outputs(split(x, parts))


def shuffled(y: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Labels (samples,) of which this share, rounded, trade places; as many of each as before."""
    picked = torch.randperm(len(y), generator=generator)[: round(share * len(y))]
    order = torch.arange(len(y))
    order[picked.sort().values] = picked
    return y[order]
