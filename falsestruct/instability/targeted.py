"""Perturbations of bounded size that lead to a target, and what else can stand in their place.

The attack is projected gradient descent on the loss of the target (Madry et al., arXiv:1706.06083)
that stops at success, so an image that has its target already stays as it is: `kept`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.learning import engines
from falsestruct.learning.ensembles import Outputs

LENGTH = 2.5  # of all steps together, in units of the size


def towards(outputs: Outputs, x: Tensor, targets: Tensor, size: float, *, steps: int) -> Tensor:
    """Perturbations (members, samples, *shape) of Euclidean norm at most `size`.

    An input stays where it is as soon as it has its target.

    Args:
        x: Inputs (samples, *shape) that all members share.
        targets: Labels (members, samples) to lead to: classes, or 0 and 1 for one output.
        size: Above 0, in the inputs' unit.
        steps: Of the descent, at least 1.

    Raises:
        ValueError: numbers of inputs and targets that don't fit, a size or steps out of range.
    """
    if targets.ndim != 2 or targets.shape[1] != len(x) or not size > 0 or steps < 1:
        raise ValueError(
            f"targets {tuple(targets.shape)} for {len(x)} inputs, size {size}, {steps} steps; "
            "expected (members, inputs), a positive size, at least 1 step"
        )
    eta = torch.zeros(len(targets), *x.shape, dtype=torch.float32)
    for _ in range(steps):
        point = (x + eta).float().requires_grad_()
        found = outputs(point)
        loss = engines.cross_entropy(found, targets.to(found.dtype)).sum()
        (slope,) = torch.autograd.grad(loss, point)
        moved = eta - LENGTH * size / steps * slope / _length(slope)
        moved = moved * (size / _length(moved)).clamp(max=1)
        there = attacks.labels(found.detach()) == targets
        eta = torch.where(_wide(there, eta), eta, moved)
    return eta


def kept(eta: Tensor) -> Tensor:
    """Which inputs needed no attack, (members, samples)."""
    return (eta == 0).flatten(2).all(2)


def swapped(eta: Tensor, targets: Tensor) -> Tensor:
    """The perturbations, each handed on to the next input with the same target.

    Args:
        eta: (members, samples, *shape).
        targets: (members, samples).
    """
    given = torch.empty_like(eta)
    for member, own in enumerate(targets):
        for target in own.unique():
            rows = (own == target).nonzero().flatten()
            given[member, rows] = eta[member, rows.roll(1)]
    return given


def _length(eta: Tensor) -> Tensor:
    """Euclidean norms, that broadcast against (members, samples, *shape)."""
    return _wide(eta.flatten(2).norm(dim=2).clamp_min(torch.finfo(eta.dtype).tiny), eta)


def _wide(values: Tensor, like: Tensor) -> Tensor:
    return values.view(*values.shape, *[1] * (like.ndim - values.ndim))
