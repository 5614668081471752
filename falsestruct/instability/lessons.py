"""Can one learn from perturbations alone? Teaching material after arXiv:1905.02175."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.learning.ensembles import Ensemble, Outputs
from falsestruct.learning.training import Set

BEYOND = 1.1  # how much longer a perturbation is than the smallest, not to end on the boundary
LESSONS = ("perturbation", "random", "perturbation inside", "random inside")


def targeted(outputs: Outputs, targets: Tensor) -> Outputs:
    """One output a member and sample, positive where the target (members, samples) leads."""

    def lead(x: Tensor) -> Tensor:
        f = outputs(x)
        if f.shape[:2] != targets.shape:
            raise ValueError(
                f"outputs for {tuple(f.shape[:2])} points, targets for {tuple(targets.shape)}; "
                "expected equal: attack all points at once"
            )
        own = f.gather(-1, targets[..., None])
        return own[..., 0] - f.scatter(-1, targets[..., None], -torch.inf).amax(-1)

    return lead


@dataclass(frozen=True)
class Lessons:
    """What fresh networks are taught.

    Attributes:
        sets: For each of `LESSONS` a set of images and labels for each network that was attacked.
        size: Mean Euclidean norm of the perturbations in them, by lesson, (members,).
    """

    sets: dict[str, list[Set]]
    size: dict[str, Tensor]


def lessons(asked: Ensemble, known: Set, *, seed: int) -> Lessons:
    """Teaching material out of perturbations (after Ilyas et al., arXiv:1905.02175).

    Each image gets a random target other than its label, and `BEYOND` times the smallest
    perturbation found that leads there. Kept, with the target as label, are the images that the
    network then takes for the target, and whose nearest known image still has the old label: a rule
    that sees only which image is nearest is right about none of them. "inside": of these, the
    images that moved by less than half of their distance to the nearest image of another class.
    "random": the same images and labels, moved by random perturbations of the same norms.

    Args:
        known: Images and labels.
        seed: Of targets and noise; each member's own seed is added.

    Raises:
        ValueError: fewer than two images are left for some member.
    """
    x, y = known
    classes = int(y.max()) + 1
    generators = [torch.Generator().manual_seed(seed + own) for own in asked.seeds]
    shift = [torch.randint(1, classes, y.shape, generator=g) for g in generators]
    targets = (y + torch.stack(shift)) % classes  # (members, samples)
    eta = BEYOND * _aimed(asked, x, targets)
    noise = torch.stack([torch.randn(x.shape, generator=g) for g in generators])
    length = eta.flatten(2).norm(dim=2)
    noise = noise * (length / noise.flatten(2).norm(dim=2))[..., None, None]
    sees = asked.labels(x.float() + eta, own=True)
    nearest = torch.stack([y[_distances(x + e, x).argmin(1)] for e in eta])
    kept = (sees == targets) & (nearest == y) & (length > 0)
    other = _distances(x, x).masked_fill(y[:, None] == y, torch.inf).amin(1)
    sets, sizes = {}, {}
    for where, rows in (("", kept), (" inside", kept & (length < other / 2))):
        for lesson, moved in (("perturbation", x + eta), ("random", x + noise)):
            sets[lesson + where] = _material(moved, targets, rows)
            sizes[lesson + where] = (length * rows).sum(1) / rows.sum(1)
    return Lessons(sets, sizes)


def _material(moved: Tensor, targets: Tensor, kept: Tensor) -> list[Set]:
    """The kept images of each member, as many of each."""
    least = int(kept.sum(1).min())
    if least < 2:
        raise ValueError(f"{least} images are left for a member; expected at least 2")
    rows = [own.nonzero().flatten()[:least] for own in kept]
    return [(moved[i, own], targets[i, own]) for i, own in enumerate(rows)]


def _aimed(asked: Ensemble, x: Tensor, targets: Tensor) -> Tensor:
    """Perturbations (members, samples, …) that lead to the targets, or nearly so; zero if none."""
    parts = []
    step = max(1, 2**20 // (len(asked) * x[0].numel()))  # so that the attack takes each at once
    for first in range(0, len(x), step):
        rows = slice(first, first + step)
        lead = targeted(asked.outputs, targets[:, rows])
        attack = attacks.smallest_perturbations(
            lead, x[rows].float(), norm="l2", members=len(asked)
        )
        parts.append(attack.perturbation)
    return torch.cat(parts, 1)


def _distances(x: Tensor, known: Tensor) -> Tensor:
    """(samples, known)."""
    return torch.cdist(x.flatten(1), known.flatten(1))
