"""Networks and random features with more parameters than samples, on digits (chapter 17).

The original structure is the parity of a digit, the false one a planted brightness. Every function
gives a table with a row a network. Each network draws its own training images; the held-out images,
and their noise, are the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import success
from falsestruct.learning import ensembles, features, landscape
from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.networks import shallow
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems import room
from falsestruct.problems.digits import HELD_OUT
from falsestruct.problems.planted import Planted
from falsestruct.problems.planted.digits import digits
from falsestruct.sweep.grid import sweep

FIRST = 1000  # seed of the first network; smaller ones were for trials
# Added to a network's seed: of its images, its noise, its shuffled or flipped labels, the noise on
# its weights, and of the other start of a pair.
DATA, NOISE, LABELS, WEIGHTS, OTHER = 100_000, 200_000, 300_000, 400_000, 500_000
FEATURES = 7  # beside the seed, of random features
TEST_SEED = 90_000
PIXELS = 64
STRENGTH, FAINT = 0.1, 0.01  # of the brightness
WRONG = 0.1  # share of images whose brightness is wrong, or whose label is flipped
RATE, RATES = 3e-3, (1e-3, 3e-3)  # of Adam
LEARNT, EQUAL = 1e-2, 5e-3  # training losses at which networks stop; the second for the landscape
MOST = 3000  # steps
IMAGES, WIDTH = 300, 128  # of networks that learn shuffled labels
CROWD, UNITS, INPUTS, GROUPS = 160, 64, 320, 8  # images, units, inputs of noise, their groups
ALONE = 120  # images of networks that learn one structure alone, each in both brightnesses
SHAKE, DRAWS = 0.5, 20  # noise on the weights, relative to their norm, and how often
LINE = tuple(k / 10 for k in range(11))  # places on a straight line
SAMPLES, RIDGE = 200, 0.1  # of random features; the ridge, over the mean square length of a sample
ARMS = {"flipped labels": 1.0, "never wrong": 1.0, "wrong at times": 1 - WRONG}  # agreement


def _seeds(count: int) -> list[int]:
    return list(range(FIRST, FIRST + count))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@cache
def problem(strength: float) -> Planted:
    """Digits with a brightness that tells the parity; 0 plants nothing."""
    return digits("brightness", strength)


@cache
def held_out(strength: float) -> tuple[Set, Set]:
    """All held-out images, flat, where both structures agree and where they don't: x and parity."""
    both = []
    for rho in (1.0, 0.0):  # the same seed draws the same images in the same order
        x, y = problem(strength).draw(HELD_OUT, _generator(TEST_SEED), rho=rho, held_out=True)
        both.append((x.flatten(1), y))
    return both[0], both[1]


def images(seed: int, samples: int, *, rho: float, strength: float = STRENGTH) -> Set:
    """Training images of a seed, flat, with their parity; for each rho the same images."""
    x, y = problem(strength).draw(samples, _generator(DATA + seed), rho=rho)
    return x.flatten(1), y


def _asked(networks: Ensemble, noise: Tensor | None = None) -> dict[str, list[float]]:
    """Error where both structures agree, and capture of the brightness; noise for both."""
    (x, y), (other, parity) = held_out(STRENGTH)
    if noise is not None:
        x, other = (torch.cat((part, noise), 1) for part in (x, other))
    captured = 1 - success.accuracy(networks.labels(other), parity)
    return {
        "wrong": (1 - success.accuracy(networks.labels(x), y)).tolist(),
        "captured": captured.tolist(),
    }


def _kept(networks: Ensemble, sets: Sequence[Set]) -> Tensor:
    """Which of its own training labels each network gives back, (members, samples)."""
    x, y = (torch.stack(part) for part in zip(*sets, strict=True))
    return networks.labels(x, own=True) == y


def _exceptions(x: Tensor, y: Tensor) -> Tensor:
    """Where the brightness of flat images is wrong, (samples,)."""
    return problem(STRENGTH).false(x.view(-1, 8, 8)) != y


def _shares(right: Tensor, among: Tensor) -> list[float]:
    """Share of the samples among these that are right, for each member."""
    return ((right & among).sum(1) / among.sum(1)).tolist()


# Success that should not be possible


def fits_point(*, width: int, shuffled: bool, seeds: int) -> pd.DataFrame:
    """Networks on plain digits, with their labels or shuffled ones: right (of those), correct.

    Columns: seed, right, correct (share of held-out images whose parity is read), steps.
    """
    sets = []
    for seed in _seeds(seeds):
        x, y = images(seed, IMAGES, rho=1.0, strength=0.0)
        order = torch.randperm(len(y), generator=_generator(LABELS + seed))
        sets.append((x, y[order] if shuffled else y))
    schedule = Schedule(MOST, target=LEARNT, learning_rate=RATE)
    networks = ensembles.train(shallow(PIXELS, width), sets, _seeds(seeds), schedule)
    x, y = held_out(0.0)[0]
    right = _kept(networks, sets).double().mean(1)
    table = networks.table(right=right, correct=success.accuracy(networks.labels(x), y))
    return table[["seed", "right", "correct", "steps"]]


def fits(narrow: int, *, seeds: int) -> pd.DataFrame:
    """`fits_point` of wide networks with either labels, and of narrow ones with shuffled labels."""
    kinds = [(WIDTH, False), (WIDTH, True), (narrow, True)]
    grid = [{"width": w, "shuffled": s, "seeds": seeds} for w, s in kinds]
    return sweep(fits_point, grid).drop(columns="seeds")


# The peak


def features_point(*, count: int, most: int, seeds: int) -> pd.DataFrame:
    """Random features and least squares: a row a seed, arm and ridge.

    Columns: arm (of `ARMS`), ridge, seed, wrong, captured, right (training labels given back).
    """
    (x, y), (other, parity) = ((x.numpy(), y.numpy()) for x, y in held_out(STRENGTH))
    rows = []
    for seed in _seeds(seeds):
        for rho in sorted(set(ARMS.values())):
            points, given = (part.numpy() for part in images(seed, SAMPLES, rho=rho))
            made = features.Features.draw(points, most, np.random.default_rng([seed, FEATURES]))
            seen, agree, apart = (made(part, count) for part in (points, x, other))
            for arm, ridge in _fitted(rho):
                targets = 2 * given - 1
                if arm == "flipped labels":
                    targets[_flipped(seed)] *= -1
                weights = features.fit(seen, targets, ridge=ridge)
                told = [part @ weights > 0 for part in (agree, apart, seen)]
                rows.append({
                    "arm": arm, "ridge": ridge, "seed": seed,
                    "wrong": float((told[0] != (y > 0)).mean()),
                    "captured": float((told[1] != (parity > 0)).mean()),
                    "right": float((told[2] == (targets > 0)).mean()),
                })  # fmt: skip
    return pd.DataFrame(rows)


def _fitted(rho: float) -> list[tuple[str, float]]:
    """The arms of an agreement, and with which ridge."""
    arms = [(arm, 0.0) for arm, own in ARMS.items() if own == rho]
    return arms + [(arm, RIDGE) for arm, _ in arms if arm == "flipped labels"]


def _flipped(seed: int) -> np.ndarray:
    """Which training labels of a seed are flipped."""
    rng = np.random.default_rng([seed, LABELS])
    return rng.permutation(SAMPLES)[: round(WRONG * SAMPLES)]


def peak(counts: Sequence[int], *, seeds: int) -> pd.DataFrame:
    """`features_point` for each number of features."""
    rest = {"most": max(counts), "seeds": seeds}
    return sweep(features_point, [{"count": n, **rest} for n in counts]).drop(columns=[*rest])


# Room, and width


def room_point(*, kind: str, energy: float, seeds: int) -> pd.DataFrame:
    """Networks whose images come with noise, the brightness wrong at times.

    Columns: seed, wrong, captured, right and exceptions (training labels given back, of all images
    and of those whose brightness is wrong), loss, steps.

    Args:
        kind: "own": each image has its noise; "shared": a group of images has.
    """
    sets, wrong = [], []
    for seed in _seeds(seeds):
        x, y = images(seed, CROWD, rho=1 - WRONG)
        groups = {"own": 0, "shared": GROUPS}[kind]
        noise = room.noise(CROWD, INPUTS, energy, _generator(NOISE + seed), groups=groups)
        sets.append((torch.cat((x, noise), 1), y))
        wrong.append(_exceptions(x, y))
    schedule = Schedule(MOST, target=LEARNT, learning_rate=RATE)
    networks = ensembles.train(shallow(PIXELS + INPUTS, UNITS), sets, _seeds(seeds), schedule)
    unseen = room.noise(HELD_OUT, INPUTS, energy, _generator(TEST_SEED + 1))
    return _looked_at(networks, sets, torch.stack(wrong), unseen)


def _looked_at(
    networks: Ensemble, sets: Sequence[Set], wrong: Tensor, noise: Tensor | None = None
) -> pd.DataFrame:
    kept = _kept(networks, sets)
    columns: dict[str, Any] = {
        **_asked(networks, noise), "right": kept.double().mean(1).tolist(),
        "exceptions": _shares(kept, wrong),
    }  # fmt: skip
    return networks.table(**columns).drop(columns="reached")


def rooms(energies: Sequence[float], *, seeds: int) -> pd.DataFrame:
    """`room_point` for each energy of the noise, own and shared; without energy both are one."""
    points = [(kind, e) for kind in ("own", "shared") for e in energies if e or kind == "own"]
    grid = [{"kind": kind, "energy": e, "seeds": seeds} for kind, e in points]
    return sweep(room_point, grid).drop(columns="seeds")


def wide_point(*, width: int, samples: int, rate: float, seeds: int) -> pd.DataFrame:
    """Networks of a width, the brightness wrong at times: columns as of `room_point`."""
    sets = [images(seed, samples, rho=1 - WRONG) for seed in _seeds(seeds)]
    wrong = torch.stack([_exceptions(x, y) for x, y in sets])
    schedule = Schedule(2 * MOST, target=LEARNT, learning_rate=rate)
    networks = ensembles.train(shallow(PIXELS, width), sets, _seeds(seeds), schedule)
    return _looked_at(networks, sets, wrong)


def wide(widths: Sequence[int], samples: Sequence[int], *, seeds: int) -> pd.DataFrame:
    """`wide_point` for each width and the fewest samples, and for the middle one and the most."""
    few, many = min(samples), max(samples)
    points = [(w, few) for w in widths] + [(sorted(widths)[len(widths) // 2], many)]
    grid = [
        {"width": w, "samples": n, "rate": rate, "seeds": seeds}
        for rate in RATES
        for w, n in points
    ]
    return sweep(wide_point, grid).drop(columns="seeds")


# Valleys


@cache
def alone(strength: float, parity: bool, start: int, seeds: int) -> tuple[Ensemble, list[Set]]:
    """Networks that learn one structure alone, from images in both brightnesses; their sets.

    The first half of each set are the images on which both structures agree.

    Args:
        parity: Labels are the digit's parity; else what the brightness says.
        start: Added to the seed of the first weights, not to that of the images.
    """
    sets = []
    for seed in _seeds(seeds):
        both = [images(seed, ALONE, rho=rho, strength=strength) for rho in (1.0, 0.0)]
        x, y = (torch.cat(part) for part in zip(*both, strict=True))
        said = problem(strength).false(x.view(-1, 8, 8)).double()
        sets.append((x, y if parity else said))
    schedule = Schedule(2 * MOST, target=EQUAL, learning_rate=RATE)
    starts = [start + seed for seed in _seeds(seeds)]
    return ensembles.train(shallow(PIXELS, UNITS), sets, starts, schedule), sets


def _agreed(sets: Sequence[Set]) -> Set:
    """Of each set the images on which both structures agree, (members, samples, inputs)."""
    x, y = (torch.stack(part) for part in zip(*sets, strict=True))
    return x[:, :ALONE], y[:, :ALONE]


def flat_point(*, strength: float, parity: bool, seeds: int) -> pd.DataFrame:
    """How much noise on the weights costs networks that know one structure alone.

    Columns: seed, rise (of the loss, where both structures agree), right, loss, steps.
    """
    networks, sets = alone(strength, parity, 0, seeds)
    assert networks.trained is not None
    found = landscape.rise(
        shallow(PIXELS, UNITS), networks.trained.parameters, *_agreed(sets),
        size=SHAKE, draws=DRAWS, generator=_generator(WEIGHTS),
    )  # fmt: skip
    right = _kept(networks, sets).double().mean(1)
    return networks.table(rise=found, right=right).drop(columns="reached")


def flat(*, seeds: int) -> pd.DataFrame:
    """`flat_point` for both structures, with the usual and with a faint brightness."""
    grid = {"strength": [STRENGTH, FAINT], "parity": [False, True], "seeds": [seeds]}
    return sweep(flat_point, grid).drop(columns="seeds")


def line_point(*, first: bool, second: bool, matched: bool, seeds: int) -> pd.DataFrame:
    """The loss on straight lines between two networks of one seed's images, from two starts.

    Columns: seed, t, loss (where both structures agree).

    Args:
        first, second: Whether each end knows the parity; else it knows the brightness.
        matched: Put the units of the second one in the order of the first.
    """
    (one, sets), (two, _) = alone(STRENGTH, first, 0, seeds), alone(STRENGTH, second, OTHER, seeds)
    assert one.trained is not None and two.trained is not None
    begin, end = one.trained.parameters, two.trained.parameters
    end = landscape.matched(begin, end) if matched else end
    network, rows = shallow(PIXELS, UNITS), _agreed(sets)
    parts = [
        pd.DataFrame({"seed": one.seeds, "t": t})
        .assign(loss=landscape.loss(network, landscape.mixed(begin, end, t), *rows).tolist())
        for t in LINE
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def lines(*, seeds: int) -> pd.DataFrame:
    """`line_point` for each pair of structures, units matched, and the mixed one as units come."""
    ends = [(False, True, True), (True, True, True), (False, False, True), (False, True, False)]
    names = ("first", "second", "matched")
    grid = [dict(zip(names, one, strict=True)) | {"seeds": seeds} for one in ends]
    return sweep(line_point, grid).drop(columns="seeds")
