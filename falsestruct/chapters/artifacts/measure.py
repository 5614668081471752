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
from falsestruct.instability.targeted import chosen, material, nearest, shown, towards
from falsestruct.learning.ensembles import Ensemble, Learner, train
from falsestruct.learning.networks import Architecture, by_name, for_images, shallow
from falsestruct.learning.training import Adversary, Schedule, Set
from falsestruct.problems import digits as bundled
from falsestruct.problems.digits import CLASSES, HELD_OUT, Digits
from falsestruct.problems.planted import Planted
from falsestruct.problems.planted import digits as patterns
from falsestruct.problems.waves import WORLDS, Waves

FIRST = 1_000  # seed of the first teacher; the others follow
# Added to a teacher's seed: of its pupils, of its targets, of its patterns and noise.
FRESH_SEED, TARGET_SEED, NOISE_SEED = 30_000, 40_000, 50_000
TEST_SEED = 10_000  # of test images; added to a network's seed, of its test signals
BATCH, FASTER = 50, 3.0  # samples a step; times the architecture's learning rate
SIGNALS = 1_000  # of a test
EARLY = 40  # steps of a teacher that makes mistakes on its training images
# From how targets are drawn to the lessons: which of them are left in, and what is shown.
ARMS = {
    "any": (
        ("all ten", "attack"), ("all ten", "leak only"), ("all ten", "kept"),
        ("wrong only", "attack"), ("wrong only", "leak only"), ("wrong only", "swapped"),
        ("wrong only", "twin"), ("wrong only", "noise"),
    ),
    "next": (("next", "attack"), ("next", "leak only"), ("next", "twin"), ("next", "noise")),
}  # fmt: skip
# What a picture shows, with the norm.
STRIP = (("clean", 1.0), ("attack", 0.5), ("attack", 1.0), ("swapped", 1.0), ("leak only", 1.0))
# What pupils see of an image, nine directions or ten outputs, and of which lesson.
VIEWS = (
    ("robust", "attack"), ("robust outputs", "attack"), ("ordinary", "attack"),
    ("random", "attack"), ("robust", "noise"), ("robust", "truth"), ("robust outputs", "truth"),
    ("ordinary", "truth"),
)  # fmt: skip


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

    Columns: seed, world, rate, accuracy (on fresh signals, its own for each network).

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
            drawn = [problem.draw(SIGNALS, rate, world, generator(TEST_SEED + s)) for s in seeds]
            x, y = (torch.stack(parts) for parts in zip(*drawn, strict=True))
            right = (asked.labels(x, own=True) == y).double().mean(1).tolist()
            names = {"seed": seeds, "world": world, "rate": rate, "accuracy": right}
            tables.append(pd.DataFrame(names))
    return pd.concat(tables, ignore_index=True)


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


def pupils(
    how: School, given: list[Set], view: Tensor | None = None, teacher: Tensor | None = None
) -> pd.DataFrame:
    """Fresh networks, one for each set: seed (of the teacher), images, accuracy, right (`cells`).

    Args:
        view: What they see of images, (members, pixels, pixels), also in the test; None: all.
        teacher: Its labels of the held-out images, (members, images); then also copied, the share
            of those that it misreads to which the pupil gives its label; foreign: of another's.
    """
    x, y = handwriting().test
    count, network = len(given[0][1]), how.network()
    seeds = [FRESH_SEED + seed for seed in how.seeds]
    fresh = how.learner(network, given, seeds, schedule(network, how.learn, count))
    everybody = x.expand(len(seeds), *x.shape)
    said = fresh.labels(x) if view is None else fresh.labels(linear.seen(everybody, view), own=True)
    names: dict[str, Any] = {"images": count}
    if teacher is not None:
        for name, heard in (("copied", teacher), ("foreign", teacher.roll(1, 0))):
            wrong = heard != y
            names[name] = (((said == heard) & wrong).sum(1) / wrong.sum(1)).tolist()
    return examined(how, said == y, **names)


def examined(how: School, right: Tensor, **names: Any) -> pd.DataFrame:
    """A row a network: seed (of the teacher), these columns, accuracy, right (`cells`)."""
    own = {"seed": how.seeds, **names, "accuracy": right.double().mean(1).tolist()}
    return pd.DataFrame(own).join(spread("right", right.double()))


def lessons(how: School, sizes: Iterable[float]) -> pd.DataFrame:
    """All lessons at perturbations of all sizes: as `pupils`, with targets, lesson, size, and

    arrived, inside, norm: shares of the images so aimed at that the teacher takes for their target
    in the end, and whose nearest clean image has their digit; mean norm of their perturbations.
    """
    x, y = how.train()
    tables = []
    for aim, size in ((aim, size) for aim in ARMS for size in sizes):
        targets, eta = attacked(how, aim, size)
        there = teachers(how).labels(x + eta, own=True) == targets
        same, norm = nearest(x + eta, (x, y)) == y, eta.flatten(2).norm(dim=2)
        facts = {"arrived": there, "inside": same, "norm": norm}
        for which, lesson in ARMS[aim]:
            wrong = which == "wrong only"
            rows = ((targets != y) | (not wrong)).double()
            means = {n: ((v * rows).sum(1) / rows.sum(1)).tolist() for n, v in facts.items()}
            given = material(lesson, (x, y), targets, eta, size, how.noise, wrong=wrong)
            table = pupils(how, given).assign(targets=which, lesson=lesson, size=size)
            tables.append(table.assign(**means))
    return pd.concat(tables, ignore_index=True)


def strip(how: School, *, which: int = 0) -> pd.DataFrame:
    """A training image as lessons on the next digit show it: panel, row, column, value."""
    x, parts = how.train()[0], list[pd.DataFrame]()
    for lesson, size in STRIP:
        targets, eta = attacked(how, "next", size)
        clean = lesson == "clean"
        image = (x if clean else shown(lesson, x, targets, eta, size, how.noise)[0])[which]
        row, column = (place.tolist() for place in image.isfinite().nonzero().T)
        table = pd.DataFrame({"row": row, "column": column, "value": image.flatten().tolist()})
        parts.append(table.assign(panel=lesson if clean else f"{lesson}, {size:g}"))
    return pd.concat(parts, ignore_index=True)


# What a pupil sees


def classifiers(kind: str, how: School, size: float) -> Ensemble:
    """Linear ones, trained: "ordinary", or "robust" against perturbations of this size."""
    adversary = Adversary("l2", size, steps=3) if kind == "robust" else None
    return teachers(replace(how, learner=train), "linear", adversary)


def view_of(kind: str, how: School, size: float) -> Tensor:
    """Maps of images, (members, pixels, pixels): projections onto nine directions.

    Those in which the ten outputs of `classifiers` differ; or "random". With "outputs" after it:
    these outputs themselves in ten of the pixels, nothing in the others.
    """
    name, _, outputs = kind.partition(" ")
    if name == "random":
        shape = CLASSES, handwriting().side ** 2
        rows = torch.stack([torch.randn(shape, generator=own) for own in map(generator, how.noise)])
    else:
        rows = linear.weights(classifiers(name, how, size))
    return (
        linear.outputs(rows.double(), how.train()[0])
        if outputs
        else linear.projection(rows.double())
    )


def views(how: School, size: float) -> pd.DataFrame:
    """Pupils that see little of an image, of a lesson with targets other than the label.

    As `pupils`, with view and lesson: all of `VIEWS`, "truth" being clean images with their labels;
    and passes, the share of the perturbations' square that passes the view.
    """
    x, y = how.train()
    targets, eta = attacked(how, "any", size)
    rows, tables = targets != y, []
    eta = eta * rows[..., None, None]  # nobody is shown the others
    for kind, lesson in VIEWS:
        view = view_of(kind, how, size)
        true = lesson == "truth"
        images = x.expand_as(eta) if true else shown(lesson, x, targets, eta, size, how.noise)
        labels = y.expand_as(targets) if true else targets
        table = pupils(how, chosen(linear.seen(images, view), labels, rows), view)
        passes = linear.seen(eta, view).square().flatten(1).sum(1) / eta.square().flatten(1).sum(1)
        tables.append(table.assign(view=kind, lesson=lesson, passes=passes.tolist()))
    return pd.concat(tables, ignore_index=True)


def certified(how: School, size: float) -> pd.DataFrame:
    """Of `classifiers`: view, seed, certified (right under every change of this size)."""
    tables = []
    for kind in ("robust", "ordinary"):
        radius = linear.radius(classifiers(kind, how, size), *handwriting().test)
        own = {"seed": how.seeds, "certified": (radius >= size).double().mean(1).tolist()}
        tables.append(pd.DataFrame(own).assign(view=kind))
    return pd.concat(tables, ignore_index=True)


# Features that are known: planted ones, a teacher's mistakes, linear ones


@cache
def parity(how: School, norm: float) -> tuple[Planted, Set, Ensemble]:
    """Digits with a sinusoid of this norm that tells the parity, a training set, and teachers."""
    problem = patterns.digits("sinusoid", norm / handwriting().side)  # pixels are 1 and −1
    data, network = problem.draw(how.images, generator(TARGET_SEED)), how.network(classes=1)
    usual = schedule(network, how.teach, how.images)
    return problem, data, how.learner(network, data, how.seeds, usual)


def planted(how: School, kinds: Iterable[tuple[float, float, str]]) -> pd.DataFrame:
    """Pupils of images with a sinusoid that tells the parity, led to and labelled with the other.

    Columns: seed, norm, size, lesson, accuracy (on held-out images with the sinusoid), right; sides
    (`cells`: held-out images on which the pupil says what a sinusoid of the wrong sign tells), and
    reads (and with the right sign, too); shares of sides, sided, and the teacher's, captured; of
    training images that show the other sign, exchanged, and by how much, component (mean).

    Args:
        kinds: Norm of the sinusoid, 0 plants nothing; most that perturbations may have; lesson:
            "onward" is an attack that goes on to this size.
    """
    network, tables = how.network(classes=1), []
    seeds = [FRESH_SEED + seed for seed in how.seeds]
    for norm, size, lesson in kinds:
        problem, (x, y), asked = parity(how, norm)
        targets = (1 - y).long().expand(len(seeds), -1)
        onward = lesson == "onward"
        eta = towards(asked.outputs, x, targets, size, steps=how.ascent, onward=onward)
        what = "attack" if onward else lesson
        given = material(what, (x, y), targets, eta, size, how.noise)
        given = [(images, labels.double()) for images, labels in given]
        fresh = how.learner(network, given, seeds, schedule(network, how.learn, how.images))
        held, truth = problem.draw(HELD_OUT, generator(TEST_SEED), held_out=True)
        other, unlike = problem.conflict_set(HELD_OUT, generator(TEST_SEED))
        sides, right = fresh.labels(other) != unlike, fresh.labels(held) == truth
        score = torch.stack([(own * problem.direction).sum((1, 2)) for own, _ in given])
        towards_it = (score - problem.level) * (2 * targets - 1)
        facts = {"sided": sides, "captured": asked.labels(other) != unlike}
        facts |= {"exchanged": towards_it > 0, "component": towards_it}
        names = {name: shares.double().mean(1).tolist() for name, shares in facts.items()}
        table = examined(how, right, norm=norm, size=size, lesson=lesson, **names)
        both = spread("reads", (sides & right).double())  # the same digits, in the same order
        tables.append(table.join(spread("sides", sides.double())).join(both))
    return pd.concat(tables, ignore_index=True)


def mistakes(how: School) -> pd.DataFrame:
    """Pupils of the unperturbed images that a hasty teacher misreads: as `pupils`, with copied and

    labels: "the teacher's", or "random": any other than the image's own.
    teacher: Its accuracy on held-out images.
    """
    (x, y), (held, truth) = how.train(), handwriting().test
    hasty = teachers(replace(how, teach=EARLY))
    said, heard = hasty.labels(x), hasty.labels(held)
    able = (heard == truth).double().mean(1).tolist()
    shifts = [torch.randint(1, CLASSES, y.shape, generator=own) for own in how.draws()]
    tables = []
    for name, labels in (("the teacher's", said), ("random", (y + torch.stack(shifts)) % CLASSES)):
        given = chosen(x.expand(len(how.seeds), *x.shape), labels, said != y)
        tables.append(pupils(how, given, teacher=heard).assign(labels=name, teacher=able))
    return pd.concat(tables, ignore_index=True)


def parity_features() -> pd.DataFrame:
    """Linear features of a digit's parity: feature, accuracy, breaks (`linear.features`)."""
    (x, digit), (held, other) = handwriting().train, handwriting().test
    centre = x.mean(0)
    known, tested = ((u - centre, 2.0 * (v % 2) - 1) for u, v in ((x, digit), (held, other)))
    return pd.DataFrame(linear.features(known, tested))
