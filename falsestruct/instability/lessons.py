"""Can one learn from perturbations alone? Teaching material after arXiv:1905.02175."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.learning.ensembles import Ensemble, Outputs
from falsestruct.learning.training import Set

BEYOND = 1.1  # how much longer a perturbation is than the smallest, not to end on the boundary
ARMS = (
    "perturbation", "nearest", "mean", "across means", "across others", "across random", "random",
)  # fmt: skip
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
        sets: For each of `LESSONS`, or of `ARMS`, a set of images and labels for each network that
            was attacked.
        size: Mean Euclidean norm of the perturbations in them, by lesson, (members,).
        within: Share of the square of the network's kept perturbations in the subspace that an arm
            takes away, by arm, (members,).
        overlap: Share of that subspace in the span of the class means: the mean square of the
            cosines between the two; 1 where they are one, by arm, (members,).
    """

    sets: dict[str, list[Set]]
    size: dict[str, Tensor]
    within: dict[str, Tensor] = field(default_factory=dict)
    overlap: dict[str, Tensor] = field(default_factory=dict)


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


def arms(asked: Ensemble, known: Set, given: Set, *, seed: int) -> Lessons:
    """The same lesson told in several ways of equal length, with and without a network.

    As in `lessons`, each image of `given` gets a target. Kept are images that the network then
    takes for the target and that moved by less than half of their distance to the nearest image of
    another class in `known` and `given`: the rule "label of the nearest image" keeps its answer,
    whatever the direction of so short a way. In each of `ARMS` the same images are moved by the
    same lengths, under the same labels: by the network's "perturbation"; towards the "nearest"
    known image of the target class; along the difference of the two classes' means in `known`
    ("mean"); by the perturbation without its part in the span of such differences ("across means"),
    in another subspace of as many dimensions that holds as much of the perturbations' square
    ("across others"), or in a random one ("across random"); or at "random".

    Args:
        known: Images and labels that the networks were trained on, all that any arm knows.
        given: Others.
        seed: Of targets, noise and subspaces; each member's own seed is added.

    Raises:
        ValueError: fewer than two images are left for some member, or `known` lacks a class.
    """
    (x, y), generators = given, [torch.Generator().manual_seed(seed + own) for own in asked.seeds]
    classes = int(y.max()) + 1
    if missing := set(range(classes)) - set(known[1].tolist()):
        raise ValueError(f"no known image of class {min(missing)}; expected {classes} classes")
    shift = [torch.randint(1, classes, y.shape, generator=g) for g in generators]
    targets = (y + torch.stack(shift)) % classes
    eta, kept = _inside(asked, known, given, targets)
    length, change = eta.flatten(2).norm(dim=2), eta.flatten(2).to(x.dtype)
    bases = _subspaces(change, kept, _means(known, classes), generators)
    ways = _ways(x, (y, targets), known, generators) | {"perturbation": change}
    ways |= {arm: change - change @ basis @ basis.transpose(1, 2) for arm, basis in bases.items()}
    sets = {}
    for arm in ARMS:
        way = ways[arm] * (length / ways[arm].norm(dim=2))[..., None]
        sets[arm] = _material(x + way.view(eta.shape), targets, kept)
    own = [every[rows] for every, rows in zip(change, kept, strict=True)]
    within = {arm: torch.stack(list(map(_held, own, basis))) for arm, basis in bases.items()}
    means = bases["across means"].transpose(1, 2)
    overlap = {arm: (means @ basis).square().sum(1).mean(1) for arm, basis in bases.items()}
    return Lessons(sets, dict.fromkeys(ARMS, (length * kept).sum(1) / kept.sum(1)), within, overlap)


def _inside(asked: Ensemble, known: Set, given: Set, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Perturbations of the given images, and which of them `arms` keeps, (members, samples)."""
    x, y = given
    eta = BEYOND * _aimed(asked, x, targets)
    length = eta.flatten(2).norm(dim=2)
    sees = asked.labels(x.float() + eta, own=True)
    every, labels = torch.cat((x, known[0])), torch.cat((y, known[1]))
    other = _distances(x, every).masked_fill(y[:, None] == labels, torch.inf).amin(1)
    return eta, (sees == targets) & (length > 0) & (length < other / 2)


def _means(known: Set, classes: int) -> Tensor:
    """The mean of each class of the known images, (classes, pixels)."""
    x, y = known
    return torch.stack([x[y == c].flatten(1).mean(0) for c in range(classes)])


def _ways(
    x: Tensor, labels: tuple[Tensor, Tensor], known: Set, generators: list[torch.Generator]
) -> dict[str, Tensor]:
    """Directions (members, samples, pixels) of the arms that need no network, of any length.

    Args:
        labels: Of the images (samples,), and their targets (members, samples).
    """
    (y, targets), (seen, classes) = labels, known
    many, flat, shown = int(y.max()) + 1, x.flatten(1), seen.flatten(1)
    means, gaps = _means(known, many), _distances(x, seen)
    to = [gaps.masked_fill(classes != c, torch.inf).argmin(1) for c in range(many)]
    nearest = torch.stack(to, 1)[torch.arange(len(x)), targets]  # (members, samples)
    noise = [torch.randn(flat.shape, generator=g, dtype=x.dtype) for g in generators]
    return {
        "nearest": shown[nearest] - flat,
        "mean": means[targets] - means[y],
        "random": torch.stack(noise),
    }


def _subspaces(
    change: Tensor, kept: Tensor, means: Tensor, generators: list[torch.Generator]
) -> dict[str, Tensor]:
    """Bases (members, pixels, classes − 1) of what the arms "across …" take away.

    "across others": the main directions of a member's kept perturbations, each turned by one angle
    towards a random direction at right angles to all of them. Turning trades what the main
    directions hold for what the random ones hold, and nothing else, since main directions are
    uncorrelated. The angle is such that as much is held as by the span of the means; where the
    random ones hold more than that already, they are taken as they are.
    """
    spanned = torch.linalg.qr((means[1:] - means[0]).T).Q
    found: dict[str, list[Tensor]] = {arm: [] for arm in ARMS if arm.startswith("across")}
    for every, rows, generator in zip(change, kept, generators, strict=True):
        own = every[rows]
        drawn = [
            torch.randn(spanned.shape, generator=generator, dtype=change.dtype) for _ in range(2)
        ]
        main = torch.linalg.eigh(own.T @ own).eigenvectors[:, -spanned.shape[1] :]
        aside = torch.linalg.qr(drawn[0] - main @ (main.T @ drawn[0])).Q
        most, least, wanted = (_held(own, basis) for basis in (main, aside, spanned))
        part = ((wanted - least) / (most - least)).clamp(0, 1)
        found["across means"].append(spanned)
        found["across others"].append(part.sqrt() * main + (1 - part).sqrt() * aside)
        found["across random"].append(torch.linalg.qr(drawn[1]).Q)
    return {arm: torch.stack(bases) for arm, bases in found.items()}


def _held(change: Tensor, basis: Tensor) -> Tensor:
    """Share of the square of perturbations (samples, pixels) in a subspace, by its basis."""
    return (change @ basis).square().sum() / change.square().sum()


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
