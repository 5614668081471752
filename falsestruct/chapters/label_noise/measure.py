"""Networks on digits and on stripes with wrong labels (chapter 13).

Networks are asked as an `Ensemble`, trained or built by hand. Those of one seed begin alike, see
batches in the same order and, where both have wrong labels, the same ones.
"""

from __future__ import annotations

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
from falsestruct.learning import ensembles, projected
from falsestruct.learning.ensembles import Ensemble, Learner
from falsestruct.learning.networks import Architecture, shallow
from falsestruct.learning.projected import Variant
from falsestruct.learning.schedule import Schedule
from falsestruct.problems.digits import CLASSES, Digits, digits, few
from falsestruct.problems.noisy import mislabelled, striped
from falsestruct.problems.stripes import Stripes
from falsestruct.sweep.grid import sweep
from falsestruct.theory import nearest
from falsestruct.theory.label_noise import calibration_error

FIRST = 1000  # the first network's seed
IMAGES, ATTACKED = 600, 300  # of the digits: in training, and held out
BATCH, RATE = 100, 3e-3
NEAR, FAR = 0.25, 0.5  # Euclidean lengths of perturbations that claims are about
LENGTHS = (0.0, 0.125, NEAR, FAR, 1.0, 1.5, 2.0)
STARTS = 2  # of the attack
RANDOM_SEED = 40_000
RANK, NORM = 1.3, 2.0  # bounds of the stable rank and of the largest singular value
EARLY = 0.1  # share of the steps after which training stops early
SMALL, COPIES, HIDDEN = Stripes(size=16), 8, 32  # stripes, images of each, ReLUs of the networks


def _layers(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _narrow() -> nn.Module:
    """Its last layer sees four numbers: a representation of rank four."""
    return nn.Sequential(_layers(64, 100, 100), nn.ReLU(), nn.Linear(100, 4), nn.Linear(4, CLASSES))


def _wide() -> nn.Module:
    return _layers(64, 100, 100, CLASSES)


NETWORK = Architecture("64-100-100-10", _wide, "dense", RATE, CLASSES)
NARROW = Architecture("64-100-100-4-10", _narrow, "stacked", RATE, CLASSES)


@dataclass(frozen=True)
class Kind:
    """A way of training.

    Attributes:
        learner: What trains.
        part: Share of the steps that it takes.
    """

    learner: Learner = ensembles.train
    network: Architecture = NETWORK
    part: float = 1.0


RANKED = Variant(bound=partial(projected.stable_rank, most=RANK))
NORMED = Variant(bound=partial(projected.spectral_norm, most=NORM))
KINDS = {
    "plain": Kind(),
    "stopped early": Kind(part=EARLY),
    "stable rank": Kind(projected.learner(RANKED)),
    "largest singular value": Kind(projected.learner(NORMED)),
    "representation": Kind(projected.learner(Variant()), NARROW),
    "focal loss": Kind(projected.learner(Variant(loss=projected.focal))),
}
SWEPT, BOTH, NONE = ("plain", "stopped early"), tuple(KINDS)[2:4], tuple(KINDS)[4:]


@cache
def images() -> Digits:
    """The digits that networks train on, and those held out, which are attacked."""
    return few(digits(), IMAGES, ATTACKED)


def networks(shares: Sequence[float], share: float, *, seeds: int, steps: int) -> pd.DataFrame:
    """All networks on digits, a row each: columns as `point`.

    Args:
        shares: Of wrong labels, for the kinds in `SWEPT`; those in `BOTH` see none and `share`.
    """
    fixed: dict[str, Any] = {"steps": steps, "seeds": list(range(FIRST, FIRST + seeds))}
    seen = {k: sorted({0.0, share, *shares}) for k in SWEPT} | {k: [0.0, share] for k in BOTH}
    seen |= {kind: [0.0] for kind in NONE}
    return sweep(point, [{"kind": k, "noise": n, **fixed} for k in seen for n in seen[k]])


def point(
    *, kind: str, noise: float, steps: int, seeds: list[int], learn: Learner | None = None
) -> pd.DataFrame:
    """Train some networks of one kind on labels of which a share is wrong: one row a network.

    Columns: kind, noise, seed and those of `measure`.

    Args:
        learn: In place of the kind's own.
    """
    own, data = KINDS[kind], images()
    x, y = data.train
    given = torch.stack([mislabelled(y, noise, CLASSES, seed=seed) for seed in seeds])
    schedule = Schedule(max(1, round(own.part * steps)), batch=BATCH)
    asked = (learn or own.learner)(own.network, [(x, labels) for labels in given], seeds, schedule)
    about = pd.DataFrame({"kind": kind, "noise": noise, "seed": seeds})
    return about.join(measure(asked, data, given))


def measure(asked: Ensemble, data: Digits, given: Tensor) -> pd.DataFrame:
    """What networks do on the digits, a row each; shares are of the held-out images.

    Columns: `error L` and `infected L` for each length L: misread or misread within reach of L, and
    within L of a training image of the own digit that the network misreads. memorised, learnt:
    shares of the wrong and of the right labels in training that it gives (NaN where there are
    none). confidence, calibration: the mean one and its expected error. rank, norm: as
    `projected.sizes`. By image: `wrong i`; `fallen i` within `NEAR`; `random i`, under a random
    perturbation of that length; `neighbour i`, misread by nearest neighbour on the same labels.

    Args:
        given: Labels in training, (members, samples).
    """
    (points, truth), (x, y) = data.train, data.test
    found = attacks.smallest_perturbations(
        asked.outputs, x.float(), norm="l2", members=len(asked), starts=STARTS
    )
    wrong, said = asked.labels(x) != y, asked.labels(points)
    reach = infection.distances(x, y, points, truth, said != truth)
    noise = attacks.random_directions(x, NEAR, torch.Generator().manual_seed(RANDOM_SEED))
    table = pd.DataFrame({
        **{f"error {at}": _share(wrong | (found.size <= at)) for at in LENGTHS},
        **{f"infected {at}": _share(reach <= at) for at in LENGTHS},
        "memorised": _share(said == given, given != truth),
        "learnt": _share(said == given, given == truth),
        **_sureness(asked, x, ~wrong), **projected.sizes(asked),
    })  # fmt: skip
    neighbour = torch.stack([nearest.rule(points, labels, x) for labels in given])
    cells = {
        "wrong": wrong, "fallen": wrong | (found.size <= NEAR),
        "random": asked.labels(x + noise) != y, "neighbour": neighbour != y,
    }  # fmt: skip
    return table.join([spread(name, values.double()) for name, values in cells.items()])


def _share(mask: Tensor, among: Tensor | None = None) -> list[float]:
    """Share (members,) in a mask, or of those `among`; NaN where there are none."""
    base = torch.ones_like(mask) if among is None else among
    shares: list[float] = ((mask & base).sum(1) / base.sum(1)).tolist()
    return shares


def _sureness(asked: Ensemble, x: Tensor, right: Tensor) -> dict[str, list[float]]:
    with torch.no_grad():
        outputs = asked.outputs(x.expand(len(asked), *x.shape))
    sure, hits = outputs.softmax(-1).amax(-1).double().numpy(), right.numpy()
    errors = [calibration_error(*pair) for pair in zip(sure, hits, strict=True)]
    return {"confidence": sure.mean(1).tolist(), "calibration": errors}


def reaches() -> np.ndarray:
    """Half the distance from each held-out image to the nearest training one of another digit."""
    data = images()
    return np.asarray(nearest.half_distances(*data.train, *data.test)[0])


def squares(lengths: Sequence[float], share: float, *, seeds: int) -> pd.DataFrame:
    """`infection.square` with a thousand points: nearest neighbour where the bound can bind."""
    return infection.square(lengths, share, range(FIRST, FIRST + seeds), points=1000)


# Stripes


def stripes(offsets: Sequence[float], share: float, *, seeds: int, steps: int) -> pd.DataFrame:
    """Networks on stripes with nothing, labels or colours wrong on a share of the images."""
    fixed: dict[str, Any] = {"share": share, "steps": steps}
    fixed["seeds"] = list(range(FIRST, FIRST + seeds))
    kinds = ("nothing", "labels", "colours")
    return sweep(stripes_point, [{"what": w, "a": a, **fixed} for w in kinds for a in offsets])


def stripes_point(
    *, what: str, a: float, share: float, steps: int, seeds: list[int], learn: Learner | None = None
) -> pd.DataFrame:
    """Train some networks on `noisy.striped`, a row each: what, a, seed, colour, accuracy.

    colour: share of the conflict set at a that is read by colour; accuracy: on every stripe once.
    """
    drawn = [striped(SMALL, what, a, share, copies=COPIES, seed=seed) for seed in seeds]
    network, sets = shallow(SMALL.size**2, HIDDEN), [(x.flatten(1), y) for x, y in drawn]
    asked = (learn or ensembles.train)(network, sets, seeds, Schedule(steps, learning_rate=RATE))
    (x, _), (plain, y) = SMALL.conflict_set(a), SMALL.described(a)
    predicted = asked.labels(x.flatten(1))
    return pd.DataFrame({
        "what": what, "a": a, "seed": seeds,
        "accuracy": success.accuracy(asked.labels(plain.flatten(1)), y).tolist(),
        "colour": success.capture(predicted, SMALL.colour, SMALL.orientation, x).tolist(),
    })  # fmt: skip


def crossovers(table: pd.DataFrame) -> pd.DataFrame:
    """The offset at which each seed changes over to colour: what, seed, crossover, beyond.

    beyond: −1 or 1 where that lies below or above all offsets; the crossover is the nearest one.
    """
    rows = []
    for key, part in table.groupby(["what", "seed"], sort=False):
        points = part.sort_values("a")
        shares = points[["colour"]].to_numpy()
        logs, beyond = success.crossover_by_input(points["a"].to_numpy(), shares)
        rows.append((*key, float(np.exp(logs.mean())), beyond))
    return pd.DataFrame(rows, columns=["what", "seed", "crossover", "beyond"])
