"""Networks and random features with more parameters than samples, on digits (chapter 17).

The original structure is the parity of a digit, the false one a planted brightness. Every function
gives a table with a row a network. Each network draws its own training images; the held-out images,
and their noise, are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
PIXELS, SIDE = 64, 8
STRENGTH, FAINT = 0.1, 0.01  # of the brightness
WRONG = 0.1  # share of images whose brightness is wrong, or whose label is flipped
RATE, RATES = 3e-3, (1e-3, 3e-3)  # of Adam
LEARNT, EQUAL = 1e-2, 5e-3  # training losses at which networks stop; the second for the landscape
MOST = 6000  # steps, of networks that have not stopped
SHUFFLING = 3000  # steps that shuffled labels may take
IMAGES, WIDTH = 300, 128  # of networks that learn shuffled labels
CROWD, UNITS, INPUTS, GROUPS = 160, 64, 320, 8  # images, units, inputs of noise, their groups
ALONE = 120  # images of networks that learn one structure alone, each in both brightnesses
SHAKE, DRAWS = 0.5, 20  # noise on the weights, relative to their norm, and how often
LINE = tuple(k / 10 for k in range(11))  # places on a straight line
# From what to what a line leads: whether each end knows the parity, and units are matched.
PAIRS = {
    "brightness to parity": (False, True, True),
    "parity to parity": (True, True, True),
    "brightness to brightness": (False, False, True),
    "brightness to parity, units as they come": (False, True, False),
}
SAMPLES, RIDGE = 200, 0.1  # of random features; the ridge, over the mean square length of a sample
FLIPPED, NEVER, AT_TIMES = "flipped labels", "never wrong", "wrong at times"
ARMS = {FLIPPED: 1.0, NEVER: 1.0, AT_TIMES: 1 - WRONG}  # agreement


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _seeds(count: int) -> list[int]:
    return list(range(FIRST, FIRST + count))


def _swept(
    point: Callable[..., pd.DataFrame], grid: Sequence[Mapping[str, Any]], seeds: int
) -> pd.DataFrame:
    return sweep(point, [{**one, "seeds": seeds} for one in grid]).drop(columns="seeds")


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


def said(x: Tensor, strength: float) -> Tensor:
    """What the brightness says of flat images, (samples,)."""
    return problem(strength).false(x.view(-1, SIDE, SIDE)).double()


def _trained(width: int, sets: Sequence[Set], start: int = FIRST, **options: Any) -> Ensemble:
    """Networks with one hidden layer, one a set, the seeds from `start` on."""
    seeds = range(start, start + len(sets))
    settings: dict[str, Any] = {"target": LEARNT, "learning_rate": RATE, "steps": MOST}
    schedule = Schedule(**(settings | options))
    return ensembles.train(shallow(sets[0][0].shape[1], width), sets, seeds, schedule)


def _kept(networks: Ensemble, sets: Sequence[Set]) -> Tensor:
    """Which of its own training labels each network gives back, (members, samples)."""
    x, y = (torch.stack(part) for part in zip(*sets, strict=True))
    return (networks.labels(x, own=True) == y).double()


def _looked_at(
    networks: Ensemble, sets: Sequence[Set], wrong: Sequence[Tensor], noise: Tensor
) -> pd.DataFrame:
    """Columns seed, loss, steps, reached, and the following.

    wrong: error on held-out images where both structures agree; captured: of the brightness; right,
    exceptions: training labels given back, of all images and of those whose brightness is wrong.

    Args:
        wrong: Which images of each set those are.
        noise: Further inputs of the held-out images, (images, inputs), maybe none.
    """
    kept, among = _kept(networks, sets), torch.stack(list(wrong)).double()
    agree, apart = (
        success.accuracy(networks.labels(torch.cat((x, noise), 1)), y)
        for x, y in held_out(STRENGTH)
    )
    return networks.table(
        wrong=1 - agree, captured=1 - apart, right=kept.mean(1),
        exceptions=(kept * among).sum(1) / among.sum(1),
    )  # fmt: skip


# Success that should not be possible


def fits_point(*, width: int, shuffled: bool, seeds: int) -> pd.DataFrame:
    """Networks on plain digits, with their labels or shuffled ones: right (of those), correct.

    Columns: seed, right, correct (share of held-out images whose parity is read), steps, loss.
    """
    sets = []
    for seed in _seeds(seeds):
        x, y = images(seed, IMAGES, rho=1.0, strength=0.0)
        order = torch.randperm(len(y), generator=_generator(LABELS + seed))
        sets.append((x, y[order] if shuffled else y))
    networks, (x, y) = _trained(width, sets, steps=SHUFFLING), held_out(0.0)[0]
    correct = success.accuracy(networks.labels(x), y)
    return networks.table(right=_kept(networks, sets).mean(1), correct=correct)


def fits(narrow: int, *, seeds: int) -> pd.DataFrame:
    """`fits_point` of wide networks with either labels, and of narrow ones with shuffled labels."""
    kinds = [(WIDTH, False), (WIDTH, True), (narrow, True)]
    return _swept(fits_point, [{"width": w, "shuffled": s} for w, s in kinds], seeds)


# The peak


def features_point(*, count: int, most: int, seeds: int) -> pd.DataFrame:
    """Random features and least squares, the first `count` of `most`: a row a seed, arm and ridge.

    Columns: arm (of `ARMS`), ridge, seed, wrong, captured, right (training labels given back).
    """
    tests = [(x.numpy(), y.numpy()) for x, y in held_out(STRENGTH)]
    names, rows = ("wrong", "captured", "right"), []
    for seed in _seeds(seeds):
        order = np.random.default_rng([seed, LABELS]).permutation(SAMPLES)
        for arm, rho in ARMS.items():
            x, y = (part.numpy() for part in images(seed, SAMPLES, rho=rho))
            made = features.Features.draw(x, most, np.random.default_rng([seed, FEATURES]))
            flips = order[: round(WRONG * SAMPLES)] if arm == FLIPPED else order[:0]
            y[flips] = 1 - y[flips]
            seen = [(made(points, count), labels > 0) for points, labels in (*tests, (x, y))]
            for ridge in (0.0, RIDGE)[: 1 + (arm == FLIPPED)]:
                weights = features.fit(seen[-1][0], 2 * y - 1, ridge=ridge)
                off = [float(((v @ weights > 0) != labels).mean()) for v, labels in seen]
                named = dict(zip(names, off, strict=True))
                rows.append({"arm": arm, "ridge": ridge, "seed": seed} | named)
    return pd.DataFrame(rows).assign(right=lambda table: 1 - table["right"])


def peak(counts: Sequence[int], *, seeds: int) -> pd.DataFrame:
    """`features_point` for each number of features."""
    grid = [{"count": count, "most": max(counts)} for count in counts]
    return _swept(features_point, grid, seeds).drop(columns="most")


# Room, and width


def crowd_point(
    *, width: int, samples: int, rate: float, kind: str, energy: float, seeds: int
) -> pd.DataFrame:
    """Networks on images whose brightness is wrong at times: columns as of `_looked_at`.

    Args:
        kind: Whose noise comes with the images: each one's "own", "shared" by a group; or "none".
    """
    inputs, groups = (0 if kind == "none" else INPUTS), {"shared": GROUPS}.get(kind, 0)
    sets, wrong = [], []
    for seed in _seeds(seeds):
        x, y = images(seed, samples, rho=1 - WRONG)
        noise = room.noise(samples, inputs, energy, _generator(NOISE + seed), groups=groups)
        sets.append((torch.cat((x, noise), 1), y))
        wrong.append(said(x, STRENGTH) != y)
    unseen = room.noise(HELD_OUT, inputs, energy, _generator(TEST_SEED + 1))
    return _looked_at(_trained(width, sets, learning_rate=rate), sets, wrong, unseen)


def rooms(energies: Sequence[float], *, seeds: int) -> pd.DataFrame:
    """`crowd_point` for each energy of the noise, own and shared; without energy both are one."""
    points = [(kind, e) for kind in ("own", "shared") for e in energies if e or kind == "own"]
    rest = {"width": UNITS, "samples": CROWD, "rate": RATE}
    return _swept(crowd_point, [{"kind": kind, "energy": e} | rest for kind, e in points], seeds)


def wide(widths: Sequence[int], samples: Sequence[int], *, seeds: int) -> pd.DataFrame:
    """`crowd_point` for each width and the fewest samples, and for the middle one and the most."""
    points = [(width, min(samples)) for width in widths]
    points.append((sorted(widths)[len(widths) // 2], max(samples)))
    rest = {"kind": "none", "energy": 0.0}
    grid = [{"width": w, "samples": n, "rate": rate} | rest for rate in RATES for w, n in points]
    return _swept(crowd_point, grid, seeds)


# Valleys


@cache
def alone(
    strength: float, parity: bool, first: int, seeds: int
) -> tuple[Ensemble, dict[str, Tensor], Set]:
    """Networks that learn one structure alone, from images in both brightnesses; their weights.

    Also the images of each on which both structures agree, x (members, images, pixels) and y.

    Args:
        parity: Labels are the digit's parity; else what the brightness says.
        first: Seed of the first network's weights; the images don't depend on it.
    """
    sets = []
    for seed in _seeds(seeds):
        both = [images(seed, ALONE, rho=rho, strength=strength) for rho in (1.0, 0.0)]
        x, y = (torch.cat(part) for part in zip(*both, strict=True))
        sets.append((x, y if parity else said(x, strength)))
    x, y = (torch.stack(part)[:, :ALONE] for part in zip(*sets, strict=True))
    networks = _trained(UNITS, sets, first, target=EQUAL)
    assert networks.trained is not None
    return networks, networks.trained.parameters, (x, y)


def flat_point(*, strength: float, parity: bool, seeds: int) -> pd.DataFrame:
    """How much noise on the weights costs networks that know one structure alone.

    Columns: seed, rise (of the loss, where both structures agree), loss, steps, reached.
    """
    (networks, weights, own), noise = alone(strength, parity, FIRST, seeds), _generator(WEIGHTS)
    shape = shallow(PIXELS, UNITS)
    found = landscape.rise(shape, weights, *own, size=SHAKE, draws=DRAWS, generator=noise)
    return networks.table(rise=found)


def flat(*, seeds: int) -> pd.DataFrame:
    """`flat_point` for both structures, with the usual and with a faint brightness."""
    grid = [{"strength": s, "parity": p} for s in (STRENGTH, FAINT) for p in (False, True)]
    return _swept(flat_point, grid, seeds)


def line_point(*, pair: str, seeds: int) -> pd.DataFrame:
    """The loss on straight lines between two networks of one seed's images, from two starts.

    Columns: seed, t, excess (of the loss over its ends' mix, where both structures agree).

    Args:
        pair: One of `PAIRS`.
    """
    first, second, matched = PAIRS[pair]
    one, begin, own = alone(STRENGTH, first, FIRST, seeds)
    _, end, _ = alone(STRENGTH, second, FIRST + OTHER, seeds)
    end = landscape.matched(begin, end) if matched else end
    found = landscape.line(shallow(PIXELS, UNITS), begin, end, LINE, own)  # (members, places)
    table = pd.DataFrame(found.numpy(), index=pd.Index(one.seeds, name="seed"), columns=list(LINE))
    return table.melt(var_name="t", value_name="excess", ignore_index=False).reset_index()


def lines(*, seeds: int) -> pd.DataFrame:
    """`line_point` for each pair of structures, units matched, and the mixed one as units come."""
    return _swept(line_point, [{"pair": pair} for pair in PAIRS], seeds)
