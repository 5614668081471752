"""Chapter 12: aliases that networks take for features, and what lessons of perturbations teach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from falsestruct.evidence import spread
from falsestruct.instability import linear
from falsestruct.instability.targeted import chosen, kept, shown, towards
from falsestruct.learning.ensembles import Ensemble, Learner, train
from falsestruct.learning.networks import Architecture, by_name, for_images, shallow
from falsestruct.learning.training import Adversary, Schedule, Set
from falsestruct.problems import digits as bundled
from falsestruct.problems.digits import CLASSES, HELD_OUT, Digits
from falsestruct.problems.planted import digits as patterns
from falsestruct.problems.waves import WORLDS, Waves

FIRST = 1_000  # seed of the first teacher; the others follow
# Added to a teacher's seed: of its pupils, of its targets, of its patterns and noise.
FRESH_SEED, TARGET_SEED, NOISE_SEED = 30_000, 40_000, 50_000
TEST_SEED = 10_000  # of test signals, the same for all networks
BATCH, FASTER = 50, 3.0  # samples a step; times the architecture's learning rate
SIGNALS = 1_000  # of a test
EARLY = 40  # steps of a teacher that makes mistakes on its training images
# From how targets are drawn to the lessons: which of them are left in, and what is shown.
ARMS = {
    "any": (
        ("all ten", "attack"), ("all ten", "leak only"), ("all ten", "kept"),
        ("wrong only", "attack"), ("wrong only", "leak only"), ("wrong only", "noise"),
    ),
    "next": (("next", "attack"), ("next", "leak only"), ("next", "swapped"), ("next", "noise")),
}  # fmt: skip
VIEWS = (("robust", "attack"), ("ordinary", "attack"), ("random", "attack"), ("robust", "noise"))


@cache
def handwriting() -> Digits:
    """The digits."""
    return bundled.digits()


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@dataclass(frozen=True)
class School:
    """Who teaches and who learns.

    Attributes:
        seeds: Of the teachers; each has a pupil for every lesson.
        images: Of training, the same for all.
        teach, learn: Steps of a teacher and of a pupil.
        ascent: Steps of an attack.
        learner: Makes teachers and pupils.
    """

    seeds: tuple[int, ...]
    images: int = 1_200
    teach: int = 300
    learn: int = 600
    ascent: int = 20
    learner: Learner = train

    @property
    def noise(self) -> list[int]:
        """Seeds of patterns and noise."""
        return [NOISE_SEED + seed for seed in self.seeds]

    def train(self) -> Set:
        """Training images and labels."""
        x, y = handwriting().train
        return x[: self.images], y[: self.images]

    def network(self, name: str = "MLP", classes: int = CLASSES) -> Architecture:
        """An architecture for these images."""
        return by_name(name, for_images(handwriting().side, classes))

    def draws(self) -> list[torch.Generator]:
        """One generator a teacher, of its targets."""
        return [generator(TARGET_SEED + seed) for seed in self.seeds]


def school(count: int, **options: Any) -> School:
    """With so many teachers, and what else differs."""
    return School(tuple(range(FIRST, FIRST + count)), **options)


def schedule(network: Architecture, steps: int, samples: int, **options: Any) -> Schedule:
    """Of all networks of this chapter."""
    rate = FASTER * network.learning_rate
    return Schedule(steps, batch=min(BATCH, samples), learning_rate=rate, **options)


# Waves


def waves(
    how: School, *, samples: int, rates: Sequence[float], instruments: Sequence[float] = (64.0,)
) -> pd.DataFrame:
    """Networks trained on fast waves, asked in both worlds at other rates.

    Columns: seed, world, rate, accuracy (on fresh signals, the same for all networks).

    Args:
        samples: Signals of a training set; each network has its own.
        rates, instruments: Samples a unit of time, in the test and in training.
    """
    problem, seeds = Waves(), list(how.seeds)
    network = shallow(problem.samples, 100)
    sets = [problem.draw(samples, instruments, "fast", generator(s)) for s in seeds]
    asked = how.learner(network, sets, seeds, schedule(network, how.learn, samples))
    tables = []
    for world in WORLDS:
        for rate in rates:
            x, y = problem.draw(SIGNALS, rate, world, generator(TEST_SEED))
            right = (asked.labels(x) == y).double().mean(1).tolist()
            names = {"seed": seeds, "world": world, "rate": rate, "accuracy": right}
            tables.append(pd.DataFrame(names))
    return pd.concat(tables, ignore_index=True)


def pictures(rates: Sequence[float], *, until: float = 0.22) -> pd.DataFrame:
    """A wave of each world, label 0: panel (the rate), world, what (wave, sample), time, value."""
    problem, parts = Waves(), list[pd.DataFrame]()
    for rate in rates:
        for world, phase in zip(WORLDS, (0.125, -0.125), strict=True):
            fine = torch.linspace(0, until, 800).double()
            for what, time in (("wave", fine), ("sample", torch.arange(0, until, 1 / rate))):
                turns = problem.frequencies(world)[0] * time.double() + phase
                own = {"time": time.tolist(), "value": torch.cos(2 * torch.pi * turns).tolist()}
                parts.append(pd.DataFrame(own).assign(panel=f"{rate:g}", world=world, what=what))
    return pd.concat(parts, ignore_index=True)


def moved_by(rate: float) -> float:
    """How far a fast wave's samples move when the rate changes, over their norm: mean of many."""
    silent = Waves(offset=0.0, noise=0.0)
    before, after = (
        silent.draw(SIGNALS, r, "fast", generator(TEST_SEED))[0] for r in (silent.samples, rate)
    )
    return float(((after - before).norm(dim=1) / before.norm(dim=1)).mean())


# Lessons


@cache
def teachers(how: School, name: str = "MLP", adversary: Adversary | None = None) -> Ensemble:
    """Networks that train on the digits as they are."""
    network = how.network(name)
    usual = schedule(network, how.teach, how.images, adversary=adversary)
    return how.learner(network, how.train(), how.seeds, usual)


@cache
def attacked(how: School, aim: str, size: float) -> tuple[Tensor, Tensor]:
    """Targets (members, images), and perturbations (members, images, side, side) towards them.

    Args:
        aim: "next": label + 1. "any": all ten, as many of each distance from the label.
    """
    x, y = how.train()
    if aim == "next":
        targets = ((y + 1) % CLASSES).expand(len(how.seeds), -1)
    else:
        orders = torch.stack([torch.randperm(len(y), generator=own) for own in how.draws()])
        targets = (y + orders) % CLASSES
    return targets, towards(teachers(how).outputs, x, targets, size, steps=how.ascent)


def pupils(how: School, given: list[Set], view: Tensor | None = None) -> pd.DataFrame:
    """Fresh networks, one for each set: seed (of the teacher), images, accuracy, right (`cells`).

    Args:
        view: What they see of images, (members, pixels, pixels), also in the test; None: all.
    """
    x, y = handwriting().test
    count, network = len(given[0][1]), how.network()
    seeds = [FRESH_SEED + seed for seed in how.seeds]
    fresh = how.learner(network, given, seeds, schedule(network, how.learn, count))
    everybody = x.expand(len(seeds), *x.shape)
    said = fresh.labels(x) if view is None else fresh.labels(seen(everybody, view), own=True)
    return examined(how, said == y, images=count)


def examined(how: School, right: Tensor, **names: Any) -> pd.DataFrame:
    """A row a network: seed (of the teacher), these columns, accuracy, right (`cells`)."""
    own = {"seed": how.seeds, **names, "accuracy": right.double().mean(1).tolist()}
    return pd.DataFrame(own).join(spread("right", right.double()))


def lessons(how: School, sizes: Iterable[float]) -> pd.DataFrame:
    """All lessons at perturbations of all sizes: as `pupils`, with targets, lesson, size, arrived.

    arrived: Share of the images that the teacher takes for their target in the end.
    """
    x, y = how.train()
    tables = []
    for aim, size in ((aim, size) for aim in ARMS for size in sizes):
        targets, eta = attacked(how, aim, size)
        there = teachers(how).labels(x + eta, own=True) == targets
        names = {"size": size, "arrived": there.double().mean(1).tolist()}
        masks = {"wrong only": targets != y, "kept": kept(eta)}
        for which, lesson in ARMS[aim]:
            rows = masks.get(lesson, masks.get(which, torch.ones_like(there)))
            what = "attack" if lesson == "kept" else lesson  # those that are kept aren't perturbed
            images = shown(what, x, targets, eta, size, how.noise)
            table = pupils(how, chosen(images, targets, rows))
            tables.append(table.assign(targets=which, lesson=lesson, **names))
    return pd.concat(tables, ignore_index=True)


# What a pupil sees


def seen(images: Tensor, view: Tensor) -> Tensor:
    """Images (members, samples, …) without what lies outside of each member's view."""
    return (images.flatten(2).to(view) @ view).view(images.shape)


def classifiers(kind: str, how: School, size: float) -> Ensemble:
    """Linear ones, trained: "ordinary", or "robust" against perturbations of this size."""
    adversary = Adversary("l2", size, steps=3) if kind == "robust" else None
    return teachers(replace(how, learner=train), "linear", adversary)


def view_of(kind: str, how: School, size: float) -> Tensor:
    """Projections (members, pixels, pixels) onto nine directions.

    Those in which the ten outputs of `classifiers` differ; or "random".
    """
    if kind == "random":
        shape = CLASSES, handwriting().side ** 2
        rows = [torch.randn(shape, generator=generator(seed)).double() for seed in how.noise]
        return linear.projection(torch.stack(rows))
    return linear.projection(linear.weights(classifiers(kind, how, size)))


def views(how: School, size: float) -> pd.DataFrame:
    """Pupils that see nine directions, of a lesson with targets other than the label.

    As `pupils`, with view and lesson: all of `VIEWS`.
    """
    x, y = how.train()
    targets, eta = attacked(how, "any", size)
    tables = []
    for kind, lesson in VIEWS:
        view = view_of(kind, how, size)
        images = seen(shown(lesson, x, targets, eta, size, how.noise), view)
        table = pupils(how, chosen(images, targets, targets != y), view)
        tables.append(table.assign(view=kind, lesson=lesson))
    return pd.concat(tables, ignore_index=True)


def certified(how: School, size: float) -> pd.DataFrame:
    """Of `classifiers`: view, seed, accuracy, certified (right under every change of this size)."""
    x, y = handwriting().test
    tables = []
    for kind in ("robust", "ordinary"):
        asked = classifiers(kind, how, size)
        outputs = asked.outputs(x.float().expand(len(asked), *x.shape)).double()
        radius = linear.distance(linear.weights(asked), outputs, y)
        shares = {"accuracy": radius > 0, "certified": radius >= size}
        own = {name: mask.double().mean(1).tolist() for name, mask in shares.items()}
        tables.append(pd.DataFrame({"view": kind, "seed": how.seeds} | own))
    return pd.concat(tables, ignore_index=True)


# Features that are known: planted ones, a teacher's mistakes, linear ones


def planted(how: School, kinds: Iterable[tuple[float, float, str]]) -> pd.DataFrame:
    """Pupils of images with a sinusoid that tells the parity, led to and labelled with the other.

    Columns: seed, norm, size, lesson, accuracy (on held-out images with the sinusoid), right.

    Args:
        kinds: Norm of the sinusoid, 0 plants nothing; most that perturbations may have; lesson.
    """
    network, tables = how.network(classes=1), []
    seeds = [FRESH_SEED + seed for seed in how.seeds]
    for norm, size, lesson in kinds:
        problem = patterns.digits("sinusoid", norm / handwriting().side)  # pixels are 1 and −1
        x, y = problem.draw(how.images, generator(TARGET_SEED))
        asked = how.learner(network, (x, y), how.seeds, schedule(network, how.teach, how.images))
        targets = (1 - y).long().expand(len(seeds), -1)
        eta = towards(asked.outputs, x, targets, size, steps=how.ascent)
        images = shown(lesson, x, targets, eta, size, how.noise)
        given = chosen(images, targets.double(), torch.ones_like(targets).bool())
        fresh = how.learner(network, given, seeds, schedule(network, how.learn, how.images))
        held, truth = problem.draw(HELD_OUT, generator(TEST_SEED), held_out=True)
        right = fresh.labels(held) == truth
        tables.append(examined(how, right, norm=norm, size=size, lesson=lesson))
    return pd.concat(tables, ignore_index=True)


def mistakes(how: School) -> pd.DataFrame:
    """Pupils of the unperturbed images that a hasty teacher misreads: as `pupils`, with labels.

    labels: "the teacher's", or "random": any other than the image's own.
    """
    x, y = how.train()
    said = teachers(replace(how, teach=EARLY)).labels(x)
    shifts = [torch.randint(1, CLASSES, y.shape, generator=own) for own in how.draws()]
    tables = []
    for name, labels in (("the teacher's", said), ("random", (y + torch.stack(shifts)) % CLASSES)):
        given = chosen(x.expand(len(how.seeds), *x.shape), labels, said != y)
        tables.append(pupils(how, given).assign(labels=name))
    return pd.concat(tables, ignore_index=True)


def parity_features(*, ridge: float = 10.0) -> pd.DataFrame:
    """Linear features of a digit's parity: feature, accuracy, breaks (on held-out images).

    breaks: The size of attack, Euclidean, at which nothing is left of the feature's usefulness,
    ⟨a, E yx⟩/‖a‖: for "mean difference", a = E yx, the largest one; for "least squares", with a
    ridge; and for "best pixel", the one with the largest entry of E yx.
    """
    (x, digit), (held, other) = handwriting().train, handwriting().test
    centre = x.flatten(1).mean(0)
    x, held = x.flatten(1) - centre, held.flatten(1) - centre
    y, truth = (2.0 * (labels % 2).double() - 1 for labels in (digit, other))
    mean, tested = y @ x / len(x), truth @ held / len(held)
    best = torch.where(mean.abs() == mean.abs().max(), mean, 0.0)
    square = x.T @ x + ridge * torch.eye(x.shape[1], dtype=x.dtype)
    solved = torch.linalg.solve(square, x.T @ y)
    features = {"mean difference": mean, "least squares": solved, "best pixel": best}
    right = [((held @ a > 0) == (truth > 0)).double().mean().item() for a in features.values()]
    breaks = [(a @ tested / a.norm()).item() for a in features.values()]
    return pd.DataFrame({"feature": list(features), "accuracy": right, "breaks": breaks})
