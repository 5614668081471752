"""Chapter 12: aliases that networks take for features, and what lessons of perturbations teach.

Teachers are attacked, pupils learn from what comes of it; a `Learner` makes both, so that rules
built by hand can stand in for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from falsestruct.evidence import spread
from falsestruct.instability import attacks, targeted
from falsestruct.learning.ensembles import Ensemble, Learner, train
from falsestruct.learning.networks import Architecture, by_name, for_images, shallow
from falsestruct.learning.training import Adversary, Schedule, Set
from falsestruct.problems import digits as bundled
from falsestruct.problems.digits import CLASSES, Digits
from falsestruct.problems.planted import digits as patterns
from falsestruct.problems.waves import WORLDS, Waves
from falsestruct.sweep.grid import sweep

FIRST = 1_000  # seed of the first teacher; the others follow
# Added to a teacher's seed: of its pupils, of its targets, of its patterns and noise.
FRESH_SEED, TARGET_SEED, NOISE_SEED = 30_000, 40_000, 50_000
TEST_SEED = 10_000  # of test signals, the same for all networks
BATCH, FASTER = 50, 3.0  # samples a step; times the architecture's learning rate
SIGNALS = 1_000  # of a test
EARLY = 40  # steps of a teacher that makes mistakes on its training images
# From how the targets are drawn to the lessons: which targets are kept, and what is shown.
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


def seeds_of(count: int) -> list[int]:
    """Seeds of so many teachers."""
    return list(range(FIRST, FIRST + count))


@dataclass(frozen=True)
class School:
    """How teachers and pupils train.

    Attributes:
        images: Of training, the same for all.
        teach, learn: Steps of a teacher and of a pupil.
        ascent: Steps of an attack.
    """

    images: int = 1_200
    teach: int = 300
    learn: int = 600
    ascent: int = 20

    def train(self) -> Set:
        """Training images and labels."""
        x, y = handwriting().train
        return x[: self.images], y[: self.images]

    def network(self, name: str = "MLP", classes: int = CLASSES) -> Architecture:
        """An architecture for these images."""
        return by_name(name, for_images(handwriting().side, classes))


def schedule(network: Architecture, steps: int, samples: int, **options: Any) -> Schedule:
    """Of all networks on images."""
    rate = FASTER * network.learning_rate
    return Schedule(steps, batch=min(BATCH, samples), learning_rate=rate, **options)


# Waves


def wave_point(
    *, steps: int, samples: int, rates: list[float], seeds: list[int], learn: Learner = train
) -> pd.DataFrame:
    """Networks trained on fast waves at the usual rate, asked in both worlds at other rates.

    Columns: seed, world, rate, accuracy (on fresh signals, the same for all networks).
    """
    waves = Waves()
    network = shallow(waves.samples, 100)
    sets = [waves.draw(samples, waves.samples, "fast", generator(seed)) for seed in seeds]
    asked = learn(network, sets, seeds, schedule(network, steps, samples))
    tables = []
    for world in WORLDS:
        for rate in rates:
            x, y = waves.draw(SIGNALS, rate, world, generator(TEST_SEED))
            right = (asked.labels(x) == y).double().mean(1).tolist()
            tables.append(
                pd.DataFrame({"seed": seeds, "world": world, "rate": rate, "accuracy": right})
            )
    return pd.concat(tables, ignore_index=True)


def waves(*, steps: int, samples: int, rates: Sequence[float], seeds: int) -> pd.DataFrame:
    """As `wave_point`."""
    fixed = {"steps": steps, "samples": samples, "rates": list(rates), "seeds": seeds_of(seeds)}
    return sweep(wave_point, [fixed]).drop(columns=["steps", "samples"], errors="ignore")


def pictures(rates: Sequence[float], *, until: float = 0.22) -> pd.DataFrame:
    """A fast and a slow wave and their samples: panel, world, what (wave, sample), time, value."""
    rows = []
    for rate in rates:
        for world in WORLDS:
            silent = Waves(offset=0.0, noise=0.0)
            frequency = silent.frequencies(world)[0]
            sign = 1 if world == "fast" else -1
            fine = torch.linspace(0, until, 1_200, dtype=torch.float64)
            seen = torch.arange(int(until * rate) + 1, dtype=torch.float64) / rate
            for what, time in (("wave", fine), ("sample", seen)):
                value = torch.cos(2 * torch.pi * (frequency * time + sign / 8))
                own = {"time": time.tolist(), "value": value.tolist()}
                rows.append(pd.DataFrame(own).assign(panel=f"{rate:g}", world=world, what=what))
    return pd.concat(rows, ignore_index=True)


def moved_by(rate: float) -> float:
    """How far a fast wave's samples move when the rate changes, over their norm: mean of many."""
    silent = Waves(offset=0.0, noise=0.0)
    before, after = (
        silent.draw(SIGNALS, r, "fast", generator(TEST_SEED))[0] for r in (silent.samples, rate)
    )
    return float(((after - before).norm(dim=1) / before.norm(dim=1)).mean())


# Lessons


@cache
def teachers(
    how: School,
    seeds: tuple[int, ...],
    learn: Learner,
    name: str = "MLP",
    adversary: Adversary | None = None,
) -> Ensemble:
    """Networks that train on the digits as they are."""
    network = how.network(name)
    usual = schedule(network, how.teach, how.images, adversary=adversary)
    return learn(network, how.train(), list(seeds), usual)


@cache
def attacked(
    how: School, seeds: tuple[int, ...], aim: str, size: float, learn: Learner
) -> tuple[Tensor, Tensor]:
    """Targets (members, images), and perturbations (members, images, side, side) towards them.

    Args:
        aim: "next": label + 1. "any": all ten, as many of each distance from the label.
    """
    x, y = how.train()
    if aim == "next":
        targets = ((y + 1) % CLASSES).expand(len(seeds), -1)
    else:
        shifts = torch.arange(len(y)) % CLASSES
        orders = [torch.randperm(len(y), generator=generator(TARGET_SEED + s)) for s in seeds]
        targets = (y + torch.stack([shifts[order] for order in orders])) % CLASSES
    asked = teachers(how, seeds, learn)
    return targets, targeted.towards(asked.outputs, x, targets, size, steps=how.ascent)


def shown(
    lesson: str, x: Tensor, targets: Tensor, eta: Tensor, size: float, seeds: Sequence[int]
) -> Tensor:
    """The images of a lesson, (members, images, side, side).

    "attack": perturbed towards the target. "swapped": by a perturbation for another image with this
    target. "noise": by random ones of norm `size`. "leak only": by a pattern of norm `size` for
    each target, drawn once, unless the teacher gives the target already.
    """
    if lesson in ("attack", "kept"):
        return x + eta
    if lesson == "swapped":
        return x + targeted.swapped(eta, targets)
    draws = [generator(NOISE_SEED + seed) for seed in seeds]
    if lesson == "noise":
        return torch.stack([x + attacks.random_directions(x, size, own) for own in draws])
    if lesson != "leak only":
        raise ValueError(f"lesson is {lesson!r}; expected attack, kept, swapped, noise, leak only")
    for_each = [attacks.random_directions(x[:CLASSES], size, own) for own in draws]
    given = torch.stack([p[own] for p, own in zip(for_each, targets, strict=True)])
    return x + torch.where(targeted.kept(eta)[..., None, None], 0.0, given)


def chosen(images: Tensor, labels: Tensor, rows: Tensor) -> list[Set]:
    """A set for each member: the images in the mask (members, images), as many for each.

    Raises:
        ValueError: a member has fewer than two.
    """
    least = int(rows.sum(1).min())
    if least < 2:
        raise ValueError(f"{least} images for some member; expected at least 2")
    places = [own.nonzero().flatten()[:least] for own in rows]
    return [(x[own], y[own]) for x, y, own in zip(images, labels, places, strict=True)]


def pupils(
    given: list[Set], how: School, seeds: Sequence[int], learn: Learner, view: Tensor | None = None
) -> pd.DataFrame:
    """Fresh networks, one for each set: seed (of the teacher), images, accuracy, right (`cells`).

    Args:
        view: What they see of images, (members, pixels, pixels), also in the test; None: all.
    """
    x, y = handwriting().test
    count, network = len(given[0][1]), how.network()
    usual = schedule(network, how.learn, count)
    fresh = learn(network, given, [FRESH_SEED + seed for seed in seeds], usual)
    if view is None:
        said = fresh.labels(x)
    else:
        said = fresh.labels(seen(x.expand(len(seeds), *x.shape), view), own=True)
    right = (said == y).double()
    table = pd.DataFrame({"seed": list(seeds), "images": count, "accuracy": right.mean(1).tolist()})
    return table.join(spread("right", right))


def lesson_point(
    *, aim: str, size: float, seeds: list[int], school: dict[str, Any], learn: Learner = train
) -> pd.DataFrame:
    """All lessons whose targets are drawn in one way: those of `pupils`, targets, lesson, arrived.

    arrived: Share of the images that the teacher takes for their target in the end.
    """
    how, own = School(**school), tuple(seeds)
    x, y = how.train()
    targets, eta = attacked(how, own, aim, size, learn)
    there = teachers(how, own, learn).labels(x + eta, own=True) == targets
    tables = []
    for which, lesson in ARMS[aim]:
        rows = targets != y if which == "wrong only" else torch.ones_like(targets, dtype=torch.bool)
        rows = targeted.kept(eta) if lesson == "kept" else rows
        images = shown(lesson, x, targets, eta, size, seeds)
        table = pupils(chosen(images, targets, rows), how, seeds, learn)
        tables.append(
            table.assign(
                targets=which, lesson=lesson, size=size, arrived=there.double().mean(1).tolist()
            )
        )
    return pd.concat(tables, ignore_index=True)


def lessons(how: School, sizes: Sequence[float], *, seeds: int) -> pd.DataFrame:
    """All lessons at perturbations of all sizes, as `lesson_point`."""
    fixed = {"seeds": seeds_of(seeds), "school": asdict(how)}
    return sweep(lesson_point, [{"aim": a, "size": s} | fixed for a in ARMS for s in sizes])


# What a pupil sees


def seen(images: Tensor, view: Tensor) -> Tensor:
    """Images (members, samples, …) without what lies outside of each member's view."""
    return (images.flatten(2).to(view) @ view).view(images.shape)


def linear(kind: str, how: School, seeds: Sequence[int], size: float) -> Ensemble:
    """Linear classifiers: "ordinary", or "robust", trained against perturbations of this size."""
    adversary = Adversary("l2", size, steps=3) if kind == "robust" else None
    return teachers(how, tuple(seeds), train, "linear", adversary)


def weights(asked: Ensemble) -> Tensor:
    """Of linear classifiers, (members, classes, pixels)."""
    assert asked.trained is not None
    return asked.trained.parameters["1.weight"].double()


def view_of(kind: str, how: School, seeds: Sequence[int], size: float) -> Tensor:
    """Projections (members, pixels, pixels) onto nine directions.

    Those in which the ten outputs of a linear classifier differ, or random ones ("random").
    """
    if kind == "random":
        shape = CLASSES, handwriting().side ** 2
        draws = [torch.randn(shape, generator=generator(NOISE_SEED + s)).double() for s in seeds]
        rows = torch.stack(draws)
    else:
        rows = weights(linear(kind, how, seeds, size))
    axes = torch.linalg.svd(rows - rows.mean(1, keepdim=True), full_matrices=False).Vh
    axes = axes[:, : CLASSES - 1]
    return axes.transpose(1, 2) @ axes


def view_point(
    *, view: str, lesson: str, size: float, seeds: list[int], school: dict[str, Any],
    learn: Learner = train,
) -> pd.DataFrame:  # fmt: skip
    """Pupils that see nine directions only, of a lesson with targets other than the label."""
    how = School(**school)
    x, y = how.train()
    targets, eta = attacked(how, tuple(seeds), "any", size, learn)
    own = view_of(view, how, seeds, size)
    images = seen(shown(lesson, x, targets, eta, size, seeds), own)
    return pupils(chosen(images, targets, targets != y), how, seeds, learn, own)


def views(how: School, size: float, *, seeds: int) -> pd.DataFrame:
    """All of `VIEWS`, as `pupils`, with view and lesson."""
    fixed = {"size": size, "seeds": seeds_of(seeds), "school": asdict(how)}
    return sweep(view_point, [{"view": v, "lesson": lesson} | fixed for v, lesson in VIEWS])


def certified(how: School, size: float, *, seeds: int) -> pd.DataFrame:
    """Linear classifiers: view, seed, accuracy, certified (right under every change of this size).

    Exact: the nearest boundary of a linear classifier is a plane.
    """
    x, y = handwriting().test
    truth, tables = y.expand(seeds, -1)[..., None], []
    for kind in ("robust", "ordinary"):
        asked = linear(kind, how, seeds_of(seeds), size)
        w, f = weights(asked), asked.outputs(x.float().expand(seeds, *x.shape)).detach().double()
        apart = torch.cdist(w[:, y], w).scatter(2, truth, 1.0)  # (members, images, classes)
        distance = ((f.gather(2, truth) - f) / apart).scatter(2, truth, torch.inf).amin(2)
        shares = {"accuracy": distance > 0, "certified": distance >= size}
        own = {name: mask.double().mean(1).tolist() for name, mask in shares.items()}
        tables.append(pd.DataFrame({"view": kind, "seed": seeds_of(seeds)} | own))
    return pd.concat(tables, ignore_index=True)


# Features that are known: planted ones, a teacher's mistakes, linear ones


def planted_point(
    *, norm: float, size: float, lesson: str, seeds: list[int], school: dict[str, Any],
    learn: Learner = train,
) -> pd.DataFrame:  # fmt: skip
    """Pupils of images with a sinusoid that tells the parity, led to and labelled with the other.

    Columns: seed, accuracy (on held-out images with the sinusoid), right (`cells`).

    Args:
        norm: Of the sinusoid; 0 plants nothing.
        size: Of the perturbations, at most.
        lesson: "attack" or "noise".
    """
    how, side = School(**school), handwriting().side
    network = how.network(classes=1)
    problem = patterns.digits("sinusoid", norm / side)  # its pixels are 1 and −1
    x, y = problem.draw(how.images, generator(TARGET_SEED))
    asked = learn(network, (x, y), seeds, schedule(network, how.teach, how.images))
    targets = (1 - y).long().expand(len(seeds), -1)
    eta = targeted.towards(asked.outputs, x, targets, size, steps=how.ascent)
    images = shown(lesson, x, targets, eta, size, seeds)
    given = chosen(images, targets.double(), torch.ones_like(targets, dtype=torch.bool))
    usual = schedule(network, how.learn, how.images)
    fresh = learn(network, given, [FRESH_SEED + seed for seed in seeds], usual)
    held, truth = problem.draw(bundled.HELD_OUT, generator(TEST_SEED), held_out=True)
    right = (fresh.labels(held) == truth).double()
    table = pd.DataFrame({"seed": seeds, "accuracy": right.mean(1).tolist()})
    return table.join(spread("right", right))


def planted(how: School, cases: Iterable[tuple[float, float, str]], *, seeds: int) -> pd.DataFrame:
    """As `planted_point` for each norm, size and lesson, which lead as columns."""
    fixed = {"seeds": seeds_of(seeds), "school": asdict(how)}
    grid = [{"norm": n, "size": s, "lesson": lesson} | fixed for n, s, lesson in cases]
    return sweep(planted_point, grid)


def mistake_point(
    *, seeds: list[int], school: dict[str, Any], learn: Learner = train
) -> pd.DataFrame:
    """Pupils of the unperturbed images that a hasty teacher misreads: as `pupils`, with labels.

    labels: "the teacher's", or "random": any other than the image's own.
    """
    how = School(**school)
    x, y = how.train()
    said = teachers(replace(how, teach=EARLY), tuple(seeds), learn).labels(x)
    shifts = [
        torch.randint(1, CLASSES, y.shape, generator=generator(TARGET_SEED + s)) for s in seeds
    ]
    tables = []
    for name, labels in (("the teacher's", said), ("random", (y + torch.stack(shifts)) % CLASSES)):
        given = chosen(x.expand(len(seeds), *x.shape), labels, said != y)
        tables.append(pupils(given, how, seeds, learn).assign(labels=name))
    return pd.concat(tables, ignore_index=True)


def mistakes(how: School, *, seeds: int) -> pd.DataFrame:
    """As `mistake_point`."""
    return sweep(mistake_point, [{"seeds": seeds_of(seeds), "school": asdict(how)}])


def parity_features(*, ridge: float = 10.0) -> pd.DataFrame:
    """Linear features of a digit's parity: feature, accuracy, breaks (both on held-out images).

    "mean difference": E[yx]. "least squares": with a ridge, the more accurate one. "best pixel":
    the pixel with the largest |E[yx]|. breaks: the size of attack, Euclidean, at which nothing is
    left of the feature's usefulness, ⟨a, E yx⟩/‖a‖.
    """
    (x, digit), (held, shown_digit) = handwriting().train, handwriting().test
    centre = x.flatten(1).mean(0)
    x, held = x.flatten(1) - centre, held.flatten(1) - centre
    y, truth = (2.0 * (labels % 2) - 1 for labels in (digit, shown_digit))
    mean = y.double() @ x / len(x)
    gram = x.T @ x + ridge * torch.eye(x.shape[1], dtype=x.dtype)
    pixel = torch.zeros_like(mean)
    pixel[mean.abs().argmax()] = mean[mean.abs().argmax()].sign()
    features = {
        "mean difference": mean,
        "least squares": torch.linalg.solve(gram, x.T @ y.double()),
        "best pixel": pixel,
    }
    tested = truth.double() @ held / len(held)
    return pd.DataFrame([
        {"feature": name, "accuracy": float(((held @ a > 0) == (truth > 0)).double().mean()),
         "breaks": float(a @ tested / a.norm())}
        for name, a in features.items()
    ])  # fmt: skip
