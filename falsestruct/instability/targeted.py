"""Perturbations of bounded size that lead to a target, and what else can stand in their place.

The attack is projected gradient descent on the loss of the target (Madry et al., arXiv:1706.06083)
that stops at success, so an image that has its target already stays as it is: `kept`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.learning import engines
from falsestruct.learning.ensembles import Outputs
from falsestruct.learning.training import Set

LENGTH = 2.5  # of all steps together, in units of the size
LESSONS = ("attack", "leak only", "swapped", "noise")


def towards(
    outputs: Outputs, x: Tensor, targets: Tensor, size: float, *, steps: int, onward: bool = False
) -> Tensor:
    """Perturbations (members, samples, *shape) of Euclidean norm at most `size`.

    An input stays where it is as soon as it has its target, unless the attack goes `onward`.

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
        there = (attacks.labels(found.detach()) == targets) & (not onward)
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


def shown(
    lesson: str, x: Tensor, targets: Tensor, eta: Tensor, size: float, seeds: Sequence[int]
) -> Tensor:
    """The images of a lesson, (members, samples, *shape).

    "attack": perturbed towards the target. "swapped": by a perturbation for another image with this
    target. "noise": by random ones of norm `size`. "leak only": by a pattern of norm `size` for
    each target, drawn once, unless the image has its target already.

    Args:
        x: (samples, *shape), at least as many as there are targets.
        targets, eta: Of `towards`.
        seeds: One a member, of patterns and noise.

    Raises:
        ValueError: there is no such lesson.
    """
    if lesson == "attack":
        return x + eta
    if lesson == "swapped":
        return x + swapped(eta, targets)
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    if lesson == "noise":
        return torch.stack([x + attacks.random_directions(x, size, own) for own in draws])
    if lesson != "leak only":
        raise ValueError(f"lesson is {lesson!r}; expected one of {', '.join(LESSONS)}")
    few = x[: int(targets.max()) + 1]
    patterns = [attacks.random_directions(few, size, own) for own in draws]
    given = torch.stack([p[own] for p, own in zip(patterns, targets, strict=True)])
    return x + torch.where(_wide(kept(eta), eta), 0.0, given)


def material(
    lesson: str,
    known: Set,
    targets: Tensor,
    eta: Tensor,
    size: float,
    seeds: Sequence[int],
    *,
    wrong: bool = False,
) -> list[Set]:
    """A set for each member: images as `shown`, labelled with their targets.

    And two lessons more. "kept": the images that needed no attack, alone. "twin": as "swapped", by
    a perturbation for another image that has the same label, too.

    Args:
        known: Images (samples, *shape) and labels.
        targets, eta, size, seeds: As for `shown`.
        wrong: Only images whose target isn't their label; those left out hand on nothing.
    """
    x, y = known
    everybody = torch.ones_like(targets).bool()
    rows = kept(eta) if lesson == "kept" else (targets != y if wrong else everybody)
    twins = targets.max() + 1
    groups = {"twin": twins * y + targets, "swapped": torch.where(rows, targets, -1)}
    what = {"kept": "attack", "twin": "swapped"}.get(lesson, lesson)
    images = shown(what, x, groups.get(lesson, targets), eta, size, seeds)
    return chosen(images, targets, rows)


def nearest(images: Tensor, known: Set) -> Tensor:
    """Label of the known image that is nearest to each, (members, samples).

    Args:
        images: (members, samples, *shape).
        known: Images (images, *shape) and labels.
    """
    x, y = known
    places = [torch.cdist(own.flatten(1), x.flatten(1).to(own)).argmin(1) for own in images]
    return y[torch.stack(places)]


def chosen(images: Tensor, labels: Tensor, rows: Tensor) -> list[Set]:
    """A set for each member: of the images in the mask (members, samples), as many for each.

    Args:
        images: (members, samples, *shape).
        labels: (members, samples).

    Raises:
        ValueError: for some member there are fewer than two.
    """
    least = int(rows.sum(1).min())
    if least < 2:
        raise ValueError(f"{least} images for some member; expected at least 2")
    places = [own.nonzero().flatten()[:least] for own in rows]
    return [(x[own], y[own]) for x, y, own in zip(images, labels, places, strict=True)]


def _length(eta: Tensor) -> Tensor:
    """Euclidean norms, that broadcast against (members, samples, *shape)."""
    return _wide(eta.flatten(2).norm(dim=2).clamp_min(torch.finfo(eta.dtype).tiny), eta)


def _wide(values: Tensor, like: Tensor) -> Tensor:
    return values.view(*values.shape, *[1] * (like.ndim - values.ndim))
