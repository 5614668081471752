"""Real images with nothing planted: what adversarial training costs, and whose perturbations are
whose. Measures take any `Ensemble`, so that rules built by hand can stand in for networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import evidence
from falsestruct.evidence import cells, spread
from falsestruct.instability import attacks, lessons, shared
from falsestruct.instability.attacks import Attack, Norm
from falsestruct.learning.ensembles import Ensemble, train
from falsestruct.learning.networks import Architecture, by_name, for_images
from falsestruct.learning.training import Adversary, Schedule, Set
from falsestruct.problems import idx
from falsestruct.problems.digits import CLASSES
from falsestruct.problems.pictures import pixel_table
from falsestruct.sweep.grid import sweep

BATCH = 50
TEST_SEED = 10_000
TARGETS_SEED = 20_000
PAIR_SEED = 40_000  # of the images of a pair that is trained apart
FRESH_SEED = 30_000  # of networks that learn from perturbations
FACTOR = 2.0  # how much longer than the smallest a perturbation is that must work elsewhere
TREATMENTS = (
    "standard", "adversary l2", "adversary linf", "noise l2", "noise linf", "one shuffle",
    "own shuffles", "apart", "apart, own shuffles", "longer",
)  # fmt: skip
COPIES = 5  # of the training images, each with noise of its own, when training adds noise
ASCENT = 3  # steps of the adversary
RATE = 3.0  # times the architecture's learning rate, but for shuffled labels
# Shuffled labels are learnt by heart, which takes longer: until the loss is about the one that true
# labels come to, at a learning rate that is the same for all architectures.
BY_HEART = Schedule(steps=350, batch=BATCH, target=0.3, learning_rate=1e-2)
# Of two networks, 2k and 2k + 1; QUALIFIED are cosines over the images that fulfil a condition.
QUALIFIED = ("same way", "same label")
PAIRED = ("cosine", *QUALIFIED, "transfer", "random")
MEASURES = ("accuracy", "robust_l2", "robust_linf", "look", *PAIRED)
COSINES = ("look", "cosine", *QUALIFIED)  # others are shares
LESSON = ["architecture", "seed", "accuracy", "size", "lesson", "images"]  # what is published


@dataclass(frozen=True)
class Plain:
    """How networks train and are attacked.

    Attributes:
        dataset: As `idx.load` names it.
        samples: Training images, the same for all networks but those that are trained apart.
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
        x, y = idx.pool(self.dataset).train
        return x[: self.samples], y[: self.samples]

    def apart(self, seed: int) -> Set:
        """Training images and labels of a network that shares none with the other of its pair.

        Members 2k and 2k + 1 get two parts of the data in an order that the pair draws.
        """
        x, y = idx.pool(self.dataset).train
        order = torch.randperm(len(y), generator=generator(PAIR_SEED + seed // 2))
        own = order[seed % 2 * self.samples : (seed % 2 + 1) * self.samples]
        return x[own], y[own]

    @property
    def pool(self) -> int:
        """Images and labels of the data that networks may train on."""
        return len(idx.pool(self.dataset).train[1])

    def others(self, seed: int) -> Set:
        """All images and labels of the data that `apart` leaves out for this network."""
        x, y = idx.pool(self.dataset).train
        order = torch.randperm(len(y), generator=generator(PAIR_SEED + seed // 2))
        own = slice(seed % 2 * self.samples, (seed % 2 + 1) * self.samples)
        left = torch.ones(len(y), dtype=torch.bool)
        left[order[own]] = False
        return x[left], y[left]

    def half_way(self) -> float:
        """Half of the distance from a training image to the nearest of another class, median."""
        x, y = self.train()
        gaps = torch.cdist(x.flatten(1), x.flatten(1)).masked_fill(y[:, None] == y, torch.inf)
        return gaps.amin(1).median().item() / 2

    def attacked(self) -> Set:
        """Held-out images and labels that are attacked."""
        x, y = idx.pool(self.dataset).test
        return x[: self.images], y[: self.images]

    def network(self, name: str) -> Architecture:
        """An architecture for ten classes of these images."""
        return by_name(name, for_images(idx.pool(self.dataset).side, CLASSES))

    def schedule(self, architecture: Architecture, **options: Any) -> Schedule:
        """Of training, with other options of `Schedule`."""
        rate = RATE * architecture.learning_rate
        return Schedule(self.steps, learning_rate=rate, **{"batch": BATCH, **options})


def plain_networks(how: Plain, name: str, treatment: str, seeds: Sequence[int]) -> Ensemble:
    """Networks of ten classes, trained in one of the ways in `TREATMENTS`.

    "noise": on `COPIES` of each image plus random perturbations of the adversary's size (l2: of
    this norm; linf: every pixel up or down by it). "one shuffle": true images, labels shuffled once
    for all. "own shuffles": once for each network. "apart": on images that the two networks of a
    pair don't share, with true labels or "own shuffles" of them. "longer": true labels, at the rate
    of `BY_HEART` and for all of its steps, so at least as long as networks with shuffled labels.
    """
    x, y = how.train()
    network = how.network(name)
    kind, _, norm = treatment.partition(" ")
    sets: Set | list[Set] = (x, y)
    schedule = BY_HEART if "shuffle" in treatment else how.schedule(network)
    if kind == "adversary":
        adversary = Adversary(norm, {"l2": how.l2, "linf": how.linf}[norm], ASCENT)  # type: ignore[arg-type]
        schedule = how.schedule(network, adversary=adversary)
    elif kind == "noise":
        sets = [_noisy(x, y, norm, how, seed) for seed in seeds]
    elif treatment == "one shuffle":
        sets = (x, y[torch.randperm(len(y), generator=generator(TARGETS_SEED))])
    elif treatment == "own shuffles":
        sets = [_shuffled((x, y), seed) for seed in seeds]
    elif treatment == "apart":
        sets = [how.apart(seed) for seed in seeds]
    elif treatment == "apart, own shuffles":
        sets = [_shuffled(how.apart(seed), seed) for seed in seeds]
    elif treatment == "longer":
        schedule = replace(BY_HEART, target=None)
    elif treatment != "standard":
        raise ValueError(f"treatment is {treatment!r}; expected one of {', '.join(TREATMENTS)}")
    return train(network, sets, seeds, schedule)


def _shuffled(given: Set, seed: int) -> Set:
    """The images with their labels in a random order."""
    x, y = given
    return x, y[torch.randperm(len(y), generator=generator(seed))]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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
    *, plain: dict[str, Any], architecture: str, treatment: str, seeds: list[int]
) -> pd.DataFrame:
    """Networks of one architecture trained in one way, as `measures`."""
    how = Plain(**plain)
    return measures(plain_networks(how, architecture, treatment, seeds), how)


def plain(how: Plain, names: Sequence[str], *, seeds: int, others: int) -> pd.DataFrame:
    """All treatments: a row a network; `seeds` of standard training, `others` of every other."""
    grid = [
        {"plain": asdict(how), "architecture": name, "treatment": treatment}
        | {"seeds": list(range(seeds if treatment == "standard" else others))}
        for name in names
        for treatment in TREATMENTS
    ]
    return sweep(plain_point, grid)


def measures(asked: Ensemble, how: Plain) -> pd.DataFrame:
    """A row a member; each measure is a column an image (`cells`), of held-out images.

    Columns: those of `Ensemble.table`; accuracy (all images); of the images that are attacked, by
    the smallest perturbations found: robust_l2, robust_linf (read rightly, and still so at the
    adversaries' sizes), look (`shared.towards`, l2), and for the members 2k and 2k + 1 as a pair:
    cosine (`shared.alike`), same way (it where `shared.agreeing`, else NaN), same label (it where
    `shared.same_label`, else NaN), transfer, random (`shared.transfers`); sane: all checks hold.

    Raises:
        ValueError: the number of members is odd.
    """
    members = len(asked)
    if members % 2:
        raise ValueError(f"{members} members; expected an even number, for they are paired")
    everything, truth = idx.pool(how.dataset).test
    found = {"accuracy": asked.labels(everything) == truth}
    x, y = how.attacked()
    right, sane = asked.labels(x) == y, True
    sizes: dict[Norm, float] = {"linf": how.linf, "l2": how.l2}
    for norm, size in sizes.items():
        attack = _attacked(asked, x, norm, how)
        found[f"robust_{norm}"] = right & (attack.size > size)
        large = 2 * x.flatten(1).norm(dim=1).max().item() if norm == "l2" else 1.0
        sane &= attacks.sanity(asked.outputs, x.float(), y, attack=attack, large=large).holds
    found["look"] = shared.towards(asked, attack, x, how.train())  # of the last attack, l2
    carried = shared.transfers(asked, attack, x, factor=FACTOR, seed=TEST_SEED)
    cosine = shared.alike(attack.perturbation)
    alike = shared.agreeing(asked, attack, x), shared.same_label(asked, x)
    qualified = [cosine.masked_fill(~mask, torch.nan) for mask in alike]
    of_pairs = cosine, *qualified, *carried
    found |= {k: v.repeat_interleave(2, 0) for k, v in zip(PAIRED, of_pairs, strict=True)}
    columns = [spread(name, values.double()) for name, values in found.items()]
    return asked.table(sane=sane).join(pd.concat(columns, axis=1))


def _attacked(asked: Ensemble, x: Tensor, norm: Norm, how: Plain) -> Attack:
    return attacks.smallest_perturbations(
        asked.outputs, x.float(), norm=norm, members=len(asked), starts=how.starts
    )


def units(part: pd.DataFrame, measure: str) -> np.ndarray:
    """One of `MEASURES`: (networks, images), or (pairs, images)."""
    return cells(part, measure)[:: 2 if measure in PAIRED else 1]


def mean_of(measure: str) -> Callable[[pd.DataFrame], evidence.Found]:
    """From networks to the mean of one of `MEASURES`, over networks and images."""
    bounds = (-1, 1) if measure in COSINES else (0, 1)
    return lambda part: evidence.crossed(units(part, measure), bounds=bounds)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Means with intervals: architecture, treatment, value, low, high, measure."""
    keys = ["architecture", "treatment"]
    parts = [
        evidence.summary(table, keys, None, measure=mean_of(name)).assign(measure=name)
        for name in MEASURES
    ]
    return pd.concat(parts, ignore_index=True)


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """How many pairs of two networks and an image qualify for the cosines with a condition.

    Columns: architecture, treatment, all (of them), same_way, same_label.
    """
    rows = []
    for (name, treatment), part in table.groupby(["architecture", "treatment"], sort=False):
        found = {
            what.replace(" ", "_"): int(np.isfinite(units(part, what)).sum()) for what in QUALIFIED
        }
        names = {"architecture": name, "treatment": treatment, "all": units(part, "cosine").size}
        rows.append(names | found)
    return pd.DataFrame(rows)


# What perturbations teach


def taught_point(*, plain: dict[str, Any], architecture: str, seeds: list[int]) -> pd.DataFrame:
    """Networks that learnt from the perturbations of standard ones, as `pupils`."""
    how = Plain(**plain)
    teachers = plain_networks(how, architecture, "standard", seeds)
    return pupils(teachers, how, architecture)


def pupils(teachers: Ensemble, how: Plain, architecture: str) -> pd.DataFrame:
    """A fresh network for each teacher and lesson: a row a network.

    Columns: seed (of the teacher), lesson, images (so many), size (of perturbations, mean),
    accuracy (on clean held-out images), right (of each image, `cells`).
    """
    given = lessons.lessons(teachers, how.train(), seed=TARGETS_SEED)
    network = how.network(architecture)
    x, y = idx.pool(how.dataset).test
    tables = []
    for lesson, sets in given.sets.items():
        images = len(sets[0][1])
        schedule = how.schedule(network, batch=min(BATCH, images))
        fresh = train(network, sets, [FRESH_SEED + seed for seed in teachers.seeds], schedule)
        right = (fresh.labels(x) == y).double()
        table = fresh.table(
            seed=teachers.seeds, lesson=lesson, images=images, size=given.size[lesson],
            accuracy=right.mean(1),
        )  # fmt: skip
        tables.append(table.join(spread("right", right)))
    return pd.concat(tables, ignore_index=True)


def taught(how: Plain, names: Sequence[str], *, seeds: int) -> pd.DataFrame:
    """All architectures: the columns of `pupils` and architecture."""
    grid = [
        {"plain": asdict(how), "architecture": name, "seeds": list(range(seeds))} for name in names
    ]
    return sweep(taught_point, grid)


def told_point(*, plain: dict[str, Any], architecture: str, seeds: list[int]) -> pd.DataFrame:
    """Networks that learnt one lesson told in several ways: a row a network and arm.

    Teachers train apart on `samples` images; the lesson is made of all others of the data.
    Columns: seed, arm, images, size (of what moved them), within, overlap (as in `Lessons`, of the
    arm; NaN if it takes nothing away), accuracy, right (`cells`).
    """
    how = Plain(**plain)
    teachers = plain_networks(how, architecture, "apart", seeds)
    tables = []
    for member, seed in enumerate(seeds):
        given = lessons.arms(
            teachers.select([member]), how.apart(seed), how.others(seed), seed=TARGETS_SEED
        )
        tables.append(_told(given, how, architecture, seed))
    return pd.concat(tables, ignore_index=True)


def _told(given: lessons.Lessons, how: Plain, architecture: str, seed: int) -> pd.DataFrame:
    network, (x, y) = how.network(architecture), idx.pool(how.dataset).test
    sets = [own for (own,) in given.sets.values()]
    schedule = how.schedule(network, batch=min(BATCH, len(sets[0][1])))
    pupils = train(network, sets, [FRESH_SEED + seed] * len(sets), schedule)
    right = (pupils.labels(x) == y).double()
    table = pupils.table(
        seed=seed, arm=list(given.sets), images=len(sets[0][1]), accuracy=right.mean(1),
        size=[float(own) for (own,) in given.size.values()],
        **{what: [float(getattr(given, what).get(arm, torch.nan)) for arm in given.sets]
           for what in ("within", "overlap")},
    )  # fmt: skip
    return table.join(spread("right", right))


def told(how: Plain, names: Sequence[str], *, seeds: int) -> pd.DataFrame:
    """All architectures: the columns of `told_point` and architecture."""
    grid = [
        {"plain": asdict(how), "architecture": name, "seeds": list(range(seeds))} for name in names
    ]
    return sweep(told_point, grid)


def gallery(how: Plain, architecture: str, *, images: int, seed: int = 0) -> pd.DataFrame:
    """Smallest perturbations (l2) of one network after standard and after adversarial training.

    Of the first digits of different classes that both networks read rightly.

    Columns: image, panel (image; standard: perturbation, perturbed; adversary l2: the same), row,
    column, value, says (the label that the network gives there, or the true one).
    """
    x, y = idx.pool(how.dataset).test
    ways = {t: plain_networks(how, architecture, t, [seed]) for t in ("standard", "adversary l2")}
    right = torch.stack([asked.labels(x)[0] == y for asked in ways.values()]).all(0)
    rows = [int(((y == c) & right).nonzero()[0, 0]) for c in range(images)]
    x, y = x[rows], y[rows]
    tables = [pixel_table(x[i], image=i, panel="image", says=int(y[i])) for i in range(images)]
    for treatment, asked in ways.items():
        eta = _attacked(asked, x, "l2", how).perturbation
        says = asked.labels(x.float() + eta, own=True)[0].tolist()
        for i in range(images):
            for name, picture in (("perturbation", eta[0, i]), ("perturbed", x[i] + eta[0, i])):
                own = pixel_table(picture, image=i, panel=f"{treatment}: {name}", says=says[i])
                tables.append(own)
    return pd.concat(tables, ignore_index=True)
