"""Smallest perturbations that must not use some directions, and what these directions hold."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.instability.attacks import Attack
from falsestruct.learning.ensembles import Ensemble


def basis(directions: Tensor) -> Tensor:
    """Orthonormal columns (pixels, q) with the span of independent rows (q, pixels), float64."""
    return torch.linalg.qr(directions.double().T).Q


def across(asked: Ensemble, x: Tensor, bases: Tensor, *, starts: int) -> Attack:
    """The smallest perturbations found (Euclidean norm) without any part along some directions.

    The usual attack, on outputs that see a perturbation only after its projection. So it takes as
    many starts and steps as without.

    Args:
        x: Inputs (samples, *shape) that all members share.
        bases: Orthonormal columns, (pixels, q) or each member's own (members, pixels, q).

    Raises:
        ValueError: there are so many inputs that the attack takes them in parts.
    """
    own = x.float().expand(len(asked), *x.shape)
    b = bases.float().expand(len(asked), *bases.shape[-2:])

    def kept(change: Tensor) -> Tensor:
        flat = change.flatten(2)
        return (flat - (flat @ b) @ b.transpose(1, 2)).view(change.shape)

    def outputs(moved: Tensor) -> Tensor:
        if moved.shape != own.shape:
            raise ValueError(
                f"inputs of shape {tuple(moved.shape)}; expected {tuple(own.shape)}: "
                "attack fewer at once"
            )
        return asked.outputs(own + kept(moved - own))

    found = attacks.smallest_perturbations(
        outputs, x.float(), norm="l2", members=len(asked), starts=starts
    )
    change = kept(found.perturbation)
    size = change.double().flatten(2).norm(dim=2)
    return Attack("l2", torch.where(found.size.isfinite(), size, torch.inf), change)


def held(change: Tensor, bases: Tensor) -> Tensor:
    """Share (members,) of the square of perturbations (members, samples, …) in subspaces.

    Args:
        bases: As for `across`.
    """
    flat = change.double().flatten(2)
    return (flat @ bases.double()).square().sum((1, 2)) / flat.square().sum((1, 2))


def turned(change: Tensor, wanted: Tensor, count: int, *, seed: int) -> Tensor:
    """Other subspaces of `count` dimensions that hold a wanted share of perturbations.

    The main directions of a member's perturbations, each turned by one angle towards a random
    direction at right angles to all of them, as in `lessons.arms`. Where the random ones hold more
    than wanted, they are taken as they are; the main ones where not even these hold as much.

    Args:
        change: (members, samples, …).
        wanted: Shares (members,).

    Returns:
        Bases (members, pixels, count), float64.
    """
    generator = torch.Generator().manual_seed(seed)
    flat, found = change.double().flatten(2), []
    for own, share in zip(flat, wanted.double(), strict=True):
        drawn = torch.randn(own.shape[1], count, generator=generator, dtype=own.dtype)
        main = torch.linalg.eigh(own.T @ own).eigenvectors[:, -count:]
        aside = torch.linalg.qr(drawn - main @ (main.T @ drawn)).Q
        most, least = (held(own[None], one)[0] for one in (main, aside))
        part = ((share - least) / (most - least)).clamp(0, 1)
        found.append(part.sqrt() * main + (1 - part).sqrt() * aside)
    return torch.stack(found)


def at_random(members: int, pixels: int, count: int, *, seed: int) -> Tensor:
    """A random subspace for each member: bases (members, pixels, count), float64."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(members, pixels, count, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(drawn).Q
