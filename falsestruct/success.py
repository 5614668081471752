"""Success: which structure did a network capture, and how well does it do?"""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.structures import Rule, conflict


def labels(outputs: Tensor) -> Tensor:
    """Labels 0 or 1 from outputs of any shape: 1 where the output is positive."""
    return (outputs > 0).long()


def accuracy(predicted: Tensor, y: Tensor) -> Tensor:
    """Share of correct labels (members,) of predictions (members, samples), labels (samples,)."""
    return (predicted == y.long()).double().mean(1)


def capture(predicted: Tensor, structure: Rule, other: Rule, x: Tensor) -> Tensor:
    """Share of the conflict set on which each member sides with `structure`: (members,).

    Where two labels are possible, a member that doesn't side with `structure` sides with `other`.

    Args:
        predicted: Labels (members, samples) for x (samples, ...).

    Raises:
        ValueError: the two structures agree on all of x, so that x can't tell them apart.
    """
    apart = conflict(structure, other, x)
    if not apart.any():
        raise ValueError(f"the structures agree on all {len(x)} inputs: give some of the conflict")
    return (predicted[:, apart] == structure(x[apart])).double().mean(1)


def crossover(offsets: Tensor, share: Tensor, *, level: float = 0.5) -> float:
    """Where a rising share first reaches a level, interpolated in the logarithm of the offset.

    Args:
        offsets: Increasing and positive, (points,).
        share: In [0, 1], (points,).

    Raises:
        ValueError: the share is not below the level first and above it later.
    """
    above = (share >= level).nonzero().flatten()
    if len(above) == 0 or above[0] == 0:
        raise ValueError(f"shares {share.tolist()} don't pass {level} within {offsets.tolist()}")
    i = int(above[0])
    left, right = share[i - 1], share[i]
    part = (level - left) / (right - left)
    logs = offsets.double().log()
    return torch.exp(logs[i - 1] + part * (logs[i] - logs[i - 1])).item()
