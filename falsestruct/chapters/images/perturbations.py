"""Real images with nothing planted: what adversarial training costs, and whose perturbations are
whose.

Training, measuring and estimating are apart: measures take any function from inputs to outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import statistics
from falsestruct.chapters.images.measure import (
    BATCH,
    TEST_SEED,
    Found,
    cells,
    claim_id,
    generator,
    images_of,
)
from falsestruct.instability import attacks
from falsestruct.instability.attacks import Attack, Norm, Outputs
from falsestruct.learning import training
from falsestruct.learning.networks import Architecture, by_name, for_images
from falsestruct.learning.training import Adversary, Schedule, Set, Trained
from falsestruct.problems.digits import CLASSES
from falsestruct.statistics import Estimate
from falsestruct.sweep.grid import sweep

TARGETS_SEED = 20_000
FRESH_SEED = 30_000  # of networks that learn from perturbations
FACTOR = 2.0  # how much longer than the smallest a perturbation is that must work elsewhere
BEYOND = 1.1  # how much longer it is in a lesson, so that it does not end on the boundary


@dataclass(frozen=True)
class Plain:
    """How networks train and are attacked.

    Attributes:
        dataset: As `idx.load` names it.
        samples: The same training images for all networks.
        steps: Of `BATCH` samples each.
        images: Held-out images that are attacked.
        l2, linf: Sizes of the adversaries.
        starts: Of the attack.
    """

    dataset: str = "digits"
    samples: int = 300
    steps: int = 150
    images: int = 60
    l2: float = 0.5
    linf: float = 0.1
    starts: int = 2

    def train(self) -> Set:
        """Training images and labels."""
        x, y = images_of(self.dataset).train
        return x[: self.samples], y[: self.samples]

    def attacked(self) -> Set:
        """Held-out images and labels that are attacked."""
        x, y = images_of(self.dataset).test
        return x[: self.images], y[: self.images]


TREATMENTS = (
    "standard", "adversary l2", "adversary linf", "noise l2", "noise linf", "one shuffle",
    "own shuffles",
)  # fmt: skip
COPIES = 5  # of the training images, each with noise of its own, when training adds noise
ASCENT = 3  # steps of the adversary
RATE = 3.0  # times the architecture's learning rate, in part two
# Shuffled labels are learnt by heart, which takes longer: until the loss is about the one that true
# labels come to, at a learning rate that is the same for all architectures.
BY_HEART = Schedule(steps=350, batch=BATCH, target=0.3, learning_rate=1e-2)


def plain_networks(
    how: Plain, architecture: Architecture, treatment: str, seeds: Sequence[int]
) -> Trained:
    """Networks of ten classes, trained in one of the ways in `TREATMENTS`.

    "noise": on `COPIES` of each image plus random perturbations of the adversary's size (l2: of
    this norm; linf: every pixel up or down by it). "one shuffle": true images, labels shuffled once
    for all. "own shuffles": once for each network.
    """
    x, y = how.train()
    kind, _, norm = treatment.partition(" ")
    sets: Set | list[Set] = (x, y)
    adversary = None
    if kind == "adversary":
        adversary = Adversary(norm, {"l2": how.l2, "linf": how.linf}[norm], ASCENT)  # type: ignore[arg-type]
    elif kind == "noise":
        sets = [_noisy(x, y, norm, how, seed) for seed in seeds]
    elif treatment == "one shuffle":
        sets = (x, y[torch.randperm(len(y), generator=generator(TARGETS_SEED))])
    elif treatment == "own shuffles":
        sets = [(x, y[torch.randperm(len(y), generator=generator(seed))]) for seed in seeds]
    elif treatment != "standard":
        raise ValueError(f"treatment is {treatment!r}; expected one of {', '.join(TREATMENTS)}")
    schedule = _schedule(how, architecture, adversary=adversary)
    if "shuffle" in treatment:
        schedule = BY_HEART
    return training.train(architecture, sets, seeds, schedule)


def _schedule(how: Plain, architecture: Architecture, **options: Any) -> Schedule:
    rate = RATE * architecture.learning_rate
    return Schedule(how.steps, learning_rate=rate, **{"batch": BATCH, **options})


def _ten_classes(how: Plain, architecture: str) -> Architecture:
    return by_name(architecture, for_images(images_of(how.dataset).side, CLASSES))


def _noisy(x: Tensor, y: Tensor, norm: str, how: Plain, seed: int) -> Set:
    own = generator(seed)
    many = x.repeat(COPIES, 1, 1)
    if norm == "l2":
        noise = attacks.random_directions(many, how.l2, own)
    else:
        up = torch.rand(many.shape, generator=own, dtype=many.dtype) < 0.5
        noise = torch.where(up, how.linf, -how.linf)
    return many + noise, y.repeat(COPIES)


def plain_point(
    *, plain: dict[str, object], architecture: str, treatment: str, seeds: list[int]
) -> pd.DataFrame:
    """Networks of one architecture trained in one way: the columns of `measures` and seed."""
    how = Plain(**plain)  # type: ignore[arg-type]
    network = _ten_classes(how, architecture)
    trained = plain_networks(how, network, treatment, seeds)
    x, y = images_of(how.dataset).test
    columns = {
        "seed": seeds,
        "loss": trained.loss.tolist(),
        "accuracy": _right(training.outputs(trained, x), y).tolist(),
    }
    return pd.DataFrame(columns).join(measures(training.as_function(trained), len(seeds), how))


def measures(outputs: Outputs, members: int, how: Plain) -> pd.DataFrame:
    """A row a member, about the smallest perturbations of held-out images.

    Columns: size_l2, size_linf (medians), robust_l2, robust_linf (accuracy at the adversaries'
    sizes), sane (all sanity checks hold), look (`towards`, l2), and for the members 2k and 2k + 1
    as a pair: cosine (`alike`), transfer, random (`transfers`).

    Raises:
        ValueError: the number of members is odd.
    """
    if members % 2:
        raise ValueError(f"{members} members; expected an even number, for they are paired")
    x, y = how.attacked()
    columns: dict[str, list[float]] = {}
    sane = True
    sizes: dict[Norm, float] = {"l2": how.l2, "linf": how.linf}
    for norm, size in sizes.items():
        attack = attacks.smallest_perturbations(
            outputs,
            x.float(),
            norm=norm,
            members=members,
            starts=how.starts,
        )
        with torch.no_grad():
            right = outputs(x.expand(members, *x.shape)).argmax(-1) == y
        columns[f"size_{norm}"] = attack.size.median(1).values.tolist()
        columns[f"robust_{norm}"] = attacks.robust_accuracy(attack, right, size).tolist()
        large = 2 * x.flatten(1).norm(dim=1).max().item() if norm == "l2" else 1.0
        sane &= attacks.sanity(outputs, x.float(), y, attack=attack, large=large).holds
        if norm == "l2":
            columns["look"] = towards(outputs, attack, x, how.train()).tolist()
            columns["cosine"] = _both(alike(attack.perturbation))
            columns["transfer"], columns["random"] = map(_both, transfers(outputs, attack, x))
    return pd.DataFrame(columns).assign(sane=sane)


def towards(outputs: Outputs, attack: Attack, x: Tensor, known: Set) -> Tensor:
    """Mean cosine (members,) between each perturbation and the way to the nearest known image of
    the class that it leads to."""
    images, labels = known
    members = len(attack.size)
    nearest = torch.stack([_nearest(x, images[labels == c]) for c in range(CLASSES)], 1)
    with torch.no_grad():
        led = outputs(x.float() + attack.perturbation).argmax(-1)  # (members, samples)
    rows = torch.arange(len(x)).expand(members, -1)
    way = nearest[rows, led] - x
    return _cosine(attack.perturbation, way).mean(1)


def alike(perturbation: Tensor) -> Tensor:
    """Mean cosine (pairs,) of the perturbations (members, samples, …) of members 2k and 2k + 1."""
    pairs = len(perturbation) // 2
    return _cosine(perturbation[0 : 2 * pairs : 2], perturbation[1 : 2 * pairs : 2]).mean(1)


def transfers(outputs: Outputs, attack: Attack, x: Tensor) -> tuple[Tensor, Tensor]:
    """Share of images (pairs,) for which `FACTOR` times a member's smallest perturbation changes
    the other member's label; and the same for random perturbations of that norm.

    Means over both directions of the pairs 2k, 2k + 1.
    """
    pairs = len(attack.size) // 2
    order = torch.arange(2 * pairs).view(pairs, 2).flip(1).flatten()  # each the other's
    own = attack.perturbation[: 2 * pairs]
    noise = torch.randn(own.shape[1:], generator=generator(TEST_SEED), dtype=own.dtype)
    length = own.flatten(2).norm(dim=2) / noise.flatten(1).norm(dim=1)
    random = noise * length[..., None, None]
    shares = []
    for eta in (own, random):
        given = torch.zeros_like(attack.perturbation)
        given[: 2 * pairs] = FACTOR * eta[order]
        with torch.no_grad():
            before = outputs(x.float().expand_as(given)).argmax(-1)
            after = outputs(x.float() + given).argmax(-1)
        flips = (before != after)[: 2 * pairs].double().mean(1)
        shares.append(flips.view(pairs, 2).mean(1))
    return shares[0], shares[1]


def _both(of_pairs: Tensor) -> list[float]:
    """Each pair's value for both of its members."""
    return of_pairs.repeat_interleave(2).tolist()


def plain(how: Plain, names: Sequence[str], *, seeds: int, others: int) -> pd.DataFrame:
    """All treatments: a row a network; `seeds` of standard training, `others` of every other."""
    grid = [
        {"plain": asdict(how), "architecture": name, "treatment": treatment}
        | {"seeds": list(range(seeds if treatment == "standard" else others))}
        for name in names
        for treatment in TREATMENTS
    ]
    return sweep(plain_point, grid)


MEASURES = ("accuracy", "robust_l2", "robust_linf", "look", "cosine", "transfer", "random")


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Means with intervals: architecture, treatment, measure, value, low, high.

    Over networks; those of pairs (cosine, transfer, random) over disjoint pairs.
    """
    rows = []
    for (name, treatment), part in table.groupby(["architecture", "treatment"], sort=False):
        for measure in MEASURES:
            step = 2 if measure in ("cosine", "transfer", "random") else 1
            mean = statistics.mean(part.sort_values("seed")[measure].to_numpy()[::step])
            rows.append(
                {"architecture": name, "treatment": treatment, "measure": measure}
                | {"value": mean.value, "low": mean.low, "high": mean.high}
            )
    return pd.DataFrame(rows)


def plain_estimates(table: pd.DataFrame) -> Found:
    """The claims about adversarial training and about shared perturbations, from `plain`."""
    found: Found = {}
    for name, part in table.groupby("architecture", sort=False):
        ways = {str(t): own.sort_values("seed") for t, own in part.groupby("treatment")}
        found |= {claim_id(id, str(name)): pair for id, pair in _robust(ways).items()}
        found |= {claim_id(id, str(name)): pair for id, pair in _shared(ways).items()}
    return found


def _robust(ways: Mapping[str, pd.DataFrame]) -> Found:
    def change(kind: str, column: str, norm: str) -> Estimate:
        after = ways[f"{kind} {norm}"]
        before = ways["standard"].iloc[: len(after)]
        name = column.format(norm=norm)
        return statistics.paired_difference(after[name].to_numpy(), before[name].to_numpy())

    def least(kind: str, column: str) -> Estimate:
        return min((change(kind, column, n) for n in ("l2", "linf")), key=lambda e: e.value)

    def most(kind: str, column: str) -> Estimate:
        return max((change(kind, column, n) for n in ("l2", "linf")), key=lambda e: e.value)

    gain = "robust_{norm}"
    return {
        "digits-robust-gain": (least("adversary", gain), most("noise", gain)),
        # A cost is a change downwards.
        "digits-robust-cost": (
            _negative(most("adversary", "accuracy")), _negative(least("noise", "accuracy"))
        ),
        "digits-robust-look": (change("adversary", "look", "l2"), change("noise", "look", "l2")),
    }  # fmt: skip


def _shared(ways: Mapping[str, pd.DataFrame]) -> Found:
    def pairs(treatment: str, column: str) -> np.ndarray:
        return ways[treatment][column].to_numpy()[::2]

    def less(treatment: str) -> Estimate:
        right = pairs("one shuffle", "cosine")
        return statistics.paired_difference(pairs(treatment, "cosine")[: len(right)], right)

    true, own = pairs("standard", "cosine"), pairs("own shuffles", "cosine")
    return {
        "digits-shared-direction": (statistics.mean(true), statistics.mean(own)),
        "digits-shared-transfer": (
            statistics.mean(pairs("standard", "transfer")),
            statistics.mean(pairs("standard", "random")),
        ),
        "digits-shared-beyond-labels": (less("standard"), less("own shuffles")),
    }


def _negative(estimate: Estimate) -> Estimate:
    return Estimate(-estimate.value, -estimate.high, -estimate.low, estimate.n, estimate.method)


# What perturbations teach


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


LESSONS = ("perturbation", "random", "perturbation inside", "random inside")


@dataclass(frozen=True)
class Lessons:
    """What fresh networks are taught.

    Attributes:
        sets: For each of `LESSONS` a set of images and labels for each network that was attacked.
        size: Mean Euclidean norm of the perturbations in them, by lesson, (members,).
    """

    sets: dict[str, list[Set]]
    size: dict[str, Tensor]


def lessons(outputs: Outputs, members: int, known: Set, seeds: Sequence[int]) -> Lessons:
    """Teaching material out of perturbations (after Ilyas et al., arXiv:1905.02175).

    Each image gets a random target other than its label, and `BEYOND` times the smallest
    perturbation found that leads there. Kept, with the target as label, are the images that the
    network then takes for the target, and whose nearest known image still has the old label: a rule
    that sees only which image is nearest is right about none of them. "inside": of these, the
    images that moved by less than half of their distance to the nearest image of another class.
    "random": the same images and labels, moved by random perturbations of the same norms.

    Raises:
        ValueError: fewer than two images are left for some member.
    """
    x, y = known
    generators = [generator(TARGETS_SEED + seed) for seed in seeds]
    shift = [torch.randint(1, CLASSES, y.shape, generator=g) for g in generators]
    targets = (y + torch.stack(shift)) % CLASSES  # (members, samples)
    eta = BEYOND * _aimed(outputs, x, targets, members)
    noise = torch.stack([torch.randn(x.shape, generator=g) for g in generators])
    length = eta.flatten(2).norm(dim=2)
    noise = noise * (length / noise.flatten(2).norm(dim=2))[..., None, None]
    with torch.no_grad():
        sees = outputs(x.float() + eta).argmax(-1)
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


def _aimed(outputs: Outputs, x: Tensor, targets: Tensor, members: int) -> Tensor:
    """Perturbations (members, samples, …) that lead to the targets, or nearly so; zero if none."""
    parts = []
    step = max(1, 2**20 // (members * x[0].numel()))  # so that the attack takes each at once
    for first in range(0, len(x), step):
        rows = slice(first, first + step)
        lead = targeted(outputs, targets[:, rows])
        attack = attacks.smallest_perturbations(lead, x[rows].float(), norm="l2", members=members)
        parts.append(attack.perturbation)
    return torch.cat(parts, 1)


def taught_point(*, plain: dict[str, object], architecture: str, seeds: list[int]) -> pd.DataFrame:
    """Networks that learnt from the perturbations of others, a row a seed and lesson: seed, lesson,
    images (so many), size, accuracy (on clean held-out images)."""
    how = Plain(**plain)  # type: ignore[arg-type]
    network = _ten_classes(how, architecture)
    trained = plain_networks(how, network, "standard", seeds)
    given = lessons(training.as_function(trained), len(seeds), how.train(), seeds)
    x, y = images_of(how.dataset).test
    tables = []
    for lesson, sets in given.sets.items():
        images = len(sets[0][1])
        schedule = _schedule(how, network, batch=min(BATCH, images))
        fresh = training.train(network, sets, [FRESH_SEED + seed for seed in seeds], schedule)
        accuracy = _right(training.outputs(fresh, x), y).tolist()
        columns = {"seed": seeds, "accuracy": accuracy, "size": given.size[lesson].tolist()}
        tables.append(pd.DataFrame(columns).assign(lesson=lesson, images=images))
    return pd.concat(tables, ignore_index=True)


def taught(how: Plain, names: Sequence[str], *, seeds: int) -> pd.DataFrame:
    """All architectures: the columns of `taught_point` and architecture."""
    grid = [
        {"plain": asdict(how), "architecture": name, "seeds": list(range(seeds))} for name in names
    ]
    return sweep(taught_point, grid)


def taught_estimates(table: pd.DataFrame) -> Found:
    """The claims about what perturbations teach, from `taught`."""
    found: Found = {}
    for name, part in table.groupby("architecture", sort=False):
        accuracy = {lesson: own["accuracy"].to_numpy() for lesson, own in part.groupby("lesson")}
        found[claim_id("digits-perturbations-teach", str(name))] = (
            statistics.mean(accuracy["perturbation"]), statistics.mean(accuracy["random"])
        )  # fmt: skip
    return found


def gallery(how: Plain, architecture: str, *, images: int, seed: int = 0) -> pd.DataFrame:
    """Smallest perturbations (l2) of one network after standard and after adversarial training.

    Of the first digits of different classes that both networks read rightly.

    Columns: image, panel (image; standard: perturbation, perturbed; adversary l2: the same), row,
    column, value, says (the label that the network gives there, or the true one).
    """
    network = _ten_classes(how, architecture)
    x, y = images_of(how.dataset).test
    ways = {
        treatment: training.as_function(plain_networks(how, network, treatment, [seed]))
        for treatment in ("standard", "adversary l2")
    }
    with torch.no_grad():
        right = [outputs(x[None]).argmax(-1)[0] == y for outputs in ways.values()]
    rows = [int(((y == c) & right[0] & right[1]).nonzero()[0, 0]) for c in range(images)]
    x, y = x[rows], y[rows]
    tables = [cells(x[i], image=i, panel="image", says=int(y[i])) for i in range(images)]
    for treatment, outputs in ways.items():
        eta = attacks.smallest_perturbations(
            outputs, x.float(), norm="l2", members=1, starts=how.starts
        ).perturbation
        with torch.no_grad():
            says = outputs(x.float() + eta).argmax(-1)[0]
        for i in range(images):
            pictures = {"perturbation": eta[0, i], "perturbed": x[i] + eta[0, i]}
            tables += [
                cells(picture, image=i, panel=f"{treatment}: {name}", says=int(says[i]))
                for name, picture in pictures.items()
            ]
    return pd.concat(tables, ignore_index=True)


def _right(outputs: Tensor, y: Tensor) -> Tensor:
    return (outputs.argmax(-1) == y).double().mean(1)


def _distances(x: Tensor, known: Tensor) -> Tensor:
    """(samples, known)."""
    return torch.cdist(x.flatten(1), known.flatten(1))


def _nearest(x: Tensor, known: Tensor) -> Tensor:
    return known[_distances(x, known).argmin(1)]


def _cosine(left: Tensor, right: Tensor) -> Tensor:
    """(members, samples) of (members, samples, …); zero where one of them is zero."""
    return torch.cosine_similarity(left.double().flatten(2), right.double().flatten(2), dim=2)
