"""Networks on digits and on stripes with wrong labels (chapter 13).

Networks are asked as an `Ensemble`, trained or built by hand. Those of one seed begin alike, see
batches in the same order and, where both have wrong labels, the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from falsestruct import success
from falsestruct.evidence import spread
from falsestruct.instability import attacks, infection
from falsestruct.learning import calibration, ensembles, projected
from falsestruct.learning.ensembles import Ensemble, Learner
from falsestruct.learning.networks import Architecture, shallow
from falsestruct.learning.projected import Variant
from falsestruct.learning.schedule import Schedule
from falsestruct.problems.digits import CLASSES, Digits, digits, few
from falsestruct.problems.noisy import mislabelled, striped
from falsestruct.problems.stripes import Stripes
from falsestruct.sweep.grid import sweep
from falsestruct.theory import nearest

FIRST = 1000  # the first network's seed
IMAGES, ATTACKED = 600, 300  # of the digits: in training, and held out
BATCH, RATE = 100, 3e-3
NEAR, FAR = 0.25, 0.5  # Euclidean lengths of perturbations that claims are about
SIDES = (0.0125, 0.025, 0.05, 0.1)  # the same on the unit square
STRIPED = (0.1, 0.2, 0.3)  # shares of wrong labels on stripes
LENGTHS = (0.0, 0.125, NEAR, FAR, 1.0, 1.5, 2.0)
STARTS = 2  # of the attack
RANDOM_SEED = 40_000
RANK, NORM, LARGE = 1.3, 2.0, 4.0  # bounds of the stable rank and of the largest singular value
EARLY = 0.1  # share of the steps after which training stops early
DECAY = 1.0  # of the weights, decoupled: times the rate a step
SMALL, COPIES, HIDDEN = Stripes(size=16), 8, 32  # stripes, images of each, ReLUs of the networks


def _layers(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _stacked(units: int) -> nn.Module:
    """Before its last layer a linear one: its outputs see so many numbers."""
    body = _layers(64, 100, 100)
    return nn.Sequential(body, nn.ReLU(), nn.Linear(100, units), nn.Linear(units, CLASSES))


def _architecture(units: int) -> Architecture:
    build, name = partial(_stacked, units), f"64-100-100-{units}-10"
    return Architecture(name, build, "stacked", RATE, CLASSES)


WIDTHS = (64, 100, 100, CLASSES)
NETWORK = Architecture("64-100-100-10", partial(_layers, *WIDTHS), "dense", RATE, CLASSES)


@dataclass(frozen=True)
class Kind:
    """A way of training.

    Attributes:
        learner: What trains.
        part: Share of the steps that it takes.
        right: Whether it leaves out the images with wrong labels.
        decay: Of the weights; only `ensembles.train` takes it.
    """

    learner: Learner = ensembles.train
    network: Architecture = NETWORK
    part: float = 1.0
    right: bool = False
    decay: float = 0.0


def _both(weight: Tensor) -> Tensor:
    """Smaller first: a bound on the size leaves the stable rank as it is, and the next keeps it."""
    return projected.stable_rank(projected.spectral_norm(weight, most=LARGE), most=RANK)


def _bounded(bound: projected.Bound) -> Kind:
    return Kind(projected.learner(Variant(bound=bound)))


KINDS = {
    "plain": Kind(),
    "stopped early": Kind(part=EARLY),
    "wrong ones left out": Kind(right=True),
    "stable rank": _bounded(partial(projected.stable_rank, most=RANK)),
    "size 2": _bounded(partial(projected.spectral_norm, most=NORM)),
    "weight decay": Kind(decay=DECAY),
    "size 4": _bounded(partial(projected.spectral_norm, most=LARGE)),
    "rank and size 4": _bounded(_both),
    "four units": Kind(projected.learner(Variant()), _architecture(4)),
    "hundred units": Kind(projected.learner(Variant()), _architecture(100)),
    "focal loss": Kind(projected.learner(Variant(loss=projected.focal))),
}
SWEPT, BOTH, NONE = tuple(KINDS)[:2], tuple(KINDS)[3:6], tuple(KINDS)[6:]
CHECKED = ("plain", "stable rank", "rank and size 4", "four units")  # with more starts


@cache
def images() -> Digits:
    """The digits that networks train on, and those held out, which are attacked."""
    return few(digits(), IMAGES, ATTACKED)


def networks(shares: Sequence[float], share: float, *, seeds: int, steps: int) -> pd.DataFrame:
    """All networks on digits, a row each: columns as `point`.

    Args:
        shares: Of wrong labels, for the kinds in `SWEPT`.
        share: For those in `BOTH`, which see none, too, and those that leave the wrong ones out.
    """
    fixed: dict[str, Any] = {"steps": steps, "seeds": list(range(FIRST, FIRST + seeds))}
    seen = {k: sorted({0.0, share, *shares}) for k in SWEPT} | {k: [0.0, share] for k in BOTH}
    seen |= {kind: [0.0] for kind in NONE} | {"wrong ones left out": [share]}
    return sweep(point, [{"kind": k, "noise": n, **fixed} for k in seen for n in seen[k]])


def checked(*, steps: int) -> pd.DataFrame:
    """The first two networks of `CHECKED`, no label wrong, with a start of the attack a class."""
    fixed: dict[str, Any] = {"steps": steps, "seeds": [FIRST, FIRST + 1], "starts": CLASSES}
    return sweep(point, [{"kind": kind, "noise": 0.0, **fixed} for kind in CHECKED])


def point(
    *, kind: str, noise: float, steps: int, seeds: list[int], starts: int = STARTS,
    learn: Learner | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Train some networks of one kind on labels of which a share is wrong: one row a network.

    Columns: kind, noise, seed and those of `measure`.

    Args:
        starts: Of the attack.
        learn: In place of the kind's own.
    """
    own, data = KINDS[kind], images()
    x, y = data.train
    given = torch.stack([mislabelled(y, noise, CLASSES, seed=seed) for seed in seeds])
    schedule = Schedule(max(1, round(own.part * steps)), batch=BATCH, weight_decay=own.decay)
    kept = [(labels == y) | (not own.right) for labels in given]
    sets = [(x[few], labels[few]) for few, labels in zip(kept, given, strict=True)]
    asked = (learn or own.learner)(own.network, sets, seeds, schedule)
    about = pd.DataFrame({"kind": kind, "noise": noise, "seed": seeds})
    return about.join(measure(asked, data, given, starts))


def measure(asked: Ensemble, data: Digits, given: Tensor, starts: int = STARTS) -> pd.DataFrame:
    """What networks do on the digits, a row each; shares are of the held-out images.

    Columns: `error L` and `infected L` for each length L: misread or misread within reach of L, and
    within L of a training image of the own digit that the network misreads. memorised, learnt:
    shares of the wrong and of the right labels in training that it gives (NaN where there are
    none). Those of `projected.sizes` and `calibration.sureness`. By image: `wrong i`; `fallen i`
    within `NEAR`; `random i`, if perturbed at random by as much; `fitting i`: `infection.mildest`.

    Args:
        given: Labels in training, (members, samples).
    """
    (points, truth), (x, y) = data.train, data.test
    found = attacks.smallest_perturbations(
        asked.outputs, x.float(), norm="l2", members=len(asked), starts=starts
    )
    wrong, said = asked.labels(x) != y, asked.labels(points)
    reach = infection.distances(x, y, points, truth, said != truth)
    noise = attacks.random_directions(x, NEAR, torch.Generator().manual_seed(RANDOM_SEED))
    table = pd.DataFrame({
        **{f"error {at}": _share(wrong | (found.size <= at)) for at in LENGTHS},
        **{f"infected {at}": _share(reach <= at) for at in LENGTHS},
        "memorised": _share(said == given, given != truth),
        "learnt": _share(said == given, given == truth),
        **calibration.sureness(asked, *digits().test), **projected.sizes(asked),
    })  # fmt: skip
    cells = {
        "wrong": wrong, "fallen": wrong | (found.size <= NEAR),
        "random": asked.labels(x + noise) != y,
        "fitting": infection.mildest(_safe(), x, points, given != truth, length=NEAR),
    }  # fmt: skip
    return table.join([spread(name, values.double()) for name, values in cells.items()])


def _share(mask: Tensor, among: Tensor | None = None) -> list[float]:
    """Share (members,) in a mask, or of those `among`; NaN where there are none."""
    base = torch.ones_like(mask) if among is None else among
    shares: list[float] = ((mask & base).sum(1) / base.sum(1)).tolist()
    return shares


@cache
def _safe() -> Tensor:
    """Which held-out images nearest neighbour on the right labels reads rightly within `NEAR`."""
    (points, truth), (x, y) = images().train, images().test
    return (nearest.rule(points, truth, x) == y) & (nearest.certificate(points, truth, x) > NEAR)


def reaches() -> tuple[np.ndarray, np.ndarray]:
    """Of each held-out image half the distance to the nearest training image of another digit, and
    the distance to the nearest of its own: what a wrong label of any of them can infect.
    """
    (points, truth), (x, y) = images().train, images().test
    own = infection.distances(x, y, points, truth, torch.ones(1, len(truth), dtype=torch.bool))[0]
    return nearest.half_distances(points, truth, x, y)[0].numpy(), own.numpy()


def squares(share: float, *, seeds: int) -> pd.DataFrame:
    """`infection.square` with a thousand points: nearest neighbour where the bound can bind."""
    return infection.square(SIDES, share, range(FIRST, FIRST + seeds), points=1000)


# Stripes


def stripes(offsets: Sequence[float], share: float, *, seeds: int, steps: int) -> pd.DataFrame:
    """Networks on stripes, with wrong labels on a share of the images or without these images.

    Args:
        share: Beside those of `STRIPED`, for wrong labels alone.
    """
    fixed: dict[str, Any] = {"steps": steps, "seeds": list(range(FIRST, FIRST + seeds))}
    kinds = [("nothing", 0.0), ("left out", share)]
    kinds += [("labels", s) for s in sorted({share, *STRIPED})]
    points = [{"what": w, "share": s, "a": a, **fixed} for w, s in kinds for a in offsets]
    return sweep(stripes_point, points)


def stripes_point(
    *, what: str, a: float, share: float, steps: int, seeds: list[int], learn: Learner | None = None
) -> pd.DataFrame:
    """Train some networks on `noisy.striped`, a row each: what, share, a, seed and three shares.

    colour: of the conflict set at a, read by colour; accuracy: on every stripe once; memorised: of
    the wrong labels, given back (NaN where there are none).
    """
    drawn = [striped(SMALL, what, a, share, copies=COPIES, seed=seed) for seed in seeds]
    network, sets = shallow(SMALL.size**2, HIDDEN), [(x.flatten(1), y) for x, y in drawn]
    points, given = (torch.stack(part) for part in zip(*sets, strict=True))
    truth = torch.stack([SMALL.orientation(x) for x, _ in drawn])
    asked = (learn or ensembles.train)(network, sets, seeds, Schedule(steps, learning_rate=RATE))
    (x, _), (plain, y) = SMALL.conflict_set(a), SMALL.described(a)
    predicted = asked.labels(x.flatten(1))
    return pd.DataFrame({
        "what": what, "share": share, "a": a, "seed": seeds,
        "accuracy": success.accuracy(asked.labels(plain.flatten(1)), y).tolist(),
        "colour": success.capture(predicted, SMALL.colour, SMALL.orientation, x).tolist(),
        "memorised": _share(asked.labels(points, own=True) == given, given != truth),
    })  # fmt: skip


def crossovers(table: pd.DataFrame) -> pd.DataFrame:
    """The offset from which on each seed sides with colour: what, share, seed, crossover.

    The last passage of one half, so that chance at faint offsets doesn't count. NaN where there is
    none between the offsets, or where the network reads less than `TAKES` of the plain stripes at
    the faintest: it has not learnt the orientation that it could change from.
    """
    rows = []
    for key, part in table.groupby(["what", "share", "seed"], sort=False):
        points = part.sort_values("a")
        logs, share = (torch.tensor(points[n].to_numpy()) for n in ("a", "colour"))
        place = success.changeover(logs.log(), share, level=0.5)
        known = points["accuracy"].iloc[0] >= success.TAKES and logs.log()[0] < place < math.inf
        rows.append((*key, math.exp(place) if known else math.nan))
    return pd.DataFrame(rows, columns=["what", "share", "seed", "crossover"])
