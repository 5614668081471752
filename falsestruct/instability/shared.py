"""Are the perturbations of two networks the same, and what do they point at?"""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.instability.attacks import Attack
from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.training import Set


def towards(asked: Ensemble, attack: Attack, x: Tensor, known: Set) -> Tensor:
    """Cosine (members, samples) between each perturbation and the way to the nearest known image
    of the class that it leads to."""
    images, labels = known
    classes = range(int(labels.max()) + 1)
    nearest = torch.stack([_nearest(x, images[labels == c]) for c in classes], 1)
    led = asked.labels(x.float() + attack.perturbation, own=True)  # (members, samples)
    way = nearest[torch.arange(len(x)).expand(len(asked), -1), led] - x
    return _cosine(attack.perturbation, way)


def alike(perturbation: Tensor) -> Tensor:
    """Cosine (pairs, samples) of the perturbations (members, samples, …) of members 2k, 2k + 1."""
    pairs = len(perturbation) // 2
    return _cosine(perturbation[0 : 2 * pairs : 2], perturbation[1 : 2 * pairs : 2])


def same_label(asked: Ensemble, x: Tensor) -> Tensor:
    """Mask (pairs, samples): both members of a pair, 2k and 2k + 1, give the image one label."""
    left, right = _sides(asked.labels(x.float()))
    return left == right


def agreeing(asked: Ensemble, attack: Attack, x: Tensor) -> Tensor:
    """Mask (pairs, samples): both members of a pair give the image one label, and both of their
    smallest perturbations lead to the same other class. Elsewhere a cosine says little: the two set
    out for different places."""
    start, other = _sides(asked.labels(x.float()))
    left, right = _sides(asked.labels(x.float() + attack.perturbation, own=True))
    return (start == other) & (left == right) & (left != start)


def transfers(
    asked: Ensemble, attack: Attack, x: Tensor, *, factor: float, seed: int
) -> tuple[Tensor, Tensor]:
    """Does `factor` times a member's smallest perturbation change the other member's label?

    And a random perturbation of that norm? Both (pairs, samples), means over both directions of
    the pairs 2k, 2k + 1.

    Args:
        seed: Of the random perturbations.
    """
    generator = torch.Generator().manual_seed(seed)
    pairs = len(attack.size) // 2
    order = torch.arange(2 * pairs).view(pairs, 2).flip(1).flatten()  # each the other's
    own = attack.perturbation[: 2 * pairs]
    noise = torch.randn(own.shape[1:], generator=generator, dtype=own.dtype)
    length = own.flatten(2).norm(dim=2) / noise.flatten(1).norm(dim=1)
    before, found = asked.labels(x.float()), []
    for eta in (own, noise * length[..., None, None]):
        given = torch.zeros_like(attack.perturbation)
        given[: 2 * pairs] = factor * eta[order]
        flips = (asked.labels(x.float() + given, own=True) != before)[: 2 * pairs].double()
        found.append(flips.view(pairs, 2, -1).mean(1))
    return found[0], found[1]


def _nearest(x: Tensor, known: Tensor) -> Tensor:
    return known[torch.cdist(x.flatten(1), known.flatten(1)).argmin(1)]


def _cosine(left: Tensor, right: Tensor) -> Tensor:
    """(members, samples) of (members, samples, …); zero where one of them is zero."""
    return torch.cosine_similarity(left.double().flatten(2), right.double().flatten(2), dim=2)


def _sides(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Labels (members, samples) of the members 2k and of the members 2k + 1, (pairs, samples)."""
    pairs = len(labels) // 2
    return labels[0 : 2 * pairs : 2], labels[1 : 2 * pairs : 2]
