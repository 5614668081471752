"""Networks and random features with more parameters than samples, on digits (chapter 17).

The original structure is the parity of a digit, the other one a planted brightness. Every function
gives a table with a row a network. Each network draws its own training images, and its own noise;
the held-out images are the same for all.
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
from falsestruct.instability.chance import beside_shortest
from falsestruct.learning import ensembles, features, landscape
from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.networks import shallow
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems import room
from falsestruct.problems.bright import PIXELS, STRENGTH, TEST_SEED, held_out, images, said
from falsestruct.problems.digits import HELD_OUT
from falsestruct.sweep.grid import sweep

FIRST = 1000  # seed of the first network; smaller ones were for trials
# Added to a network's seed (for its images see `bright`): of its noise, its shuffled or flipped
# labels, the noise on its weights, and of the other start of a pair.
NOISE, LABELS, WEIGHTS, OTHER = 200_000, 300_000, 400_000, 500_000
FEATURES = 7  # beside the seed, of random features
FAINT = 0.01  # brightness, ten times less than usual
WRONG = 0.1  # share of images whose brightness is wrong, or whose label is flipped
RATE, RATES = 3e-3, (1e-3, 3e-3)  # of Adam
LEARNT, EQUAL = 1e-2, 5e-3  # training losses at which networks stop; the second for the landscape
MOST = 6000  # steps, of networks that have not stopped
SHUFFLING, PARTLY = 3000, 0.3  # steps that shuffled labels may take; the share, where not all are
IMAGES, WIDTH = 300, 128  # of networks that learn shuffled labels
CROWD, UNITS, INPUTS, GROUPS = 160, 64, 320, 8  # images, units, inputs of noise, their groups
ALONE = 120  # images of networks that learn one structure alone, each in both brightnesses
SHAKE, DRAWS = 0.5, 20  # noise on the weights, relative to their norm, and how often
LINE = tuple(k / 10 for k in range(1, 10))  # places on a straight line, its ends left out
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
PARTS, TIMES, ASKED = 4, 8.0, 100  # of a pixel; random over shortest length; images of that


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _seeds(count: int) -> list[int]:
    return list(range(FIRST, FIRST + count))


def _swept(
    point: Callable[..., pd.DataFrame], grid: Sequence[Mapping[str, Any]], seeds: int
) -> pd.DataFrame:
    return sweep(point, [{**one, "seeds": seeds} for one in grid]).drop(columns="seeds")


def _trained(width: int, sets: Sequence[Set], start: int | None = None, **options: Any) -> Ensemble:
    """Networks with one hidden layer, one a set, the seeds from `start` on; None: from FIRST."""
    first = FIRST if start is None else start
    settings: dict[str, Any] = {"target": LEARNT, "learning_rate": RATE, "steps": MOST}
    schedule = Schedule(**(settings | options))
    architecture = shallow(sets[0][0].shape[1], width)
    return ensembles.train(architecture, sets, range(first, first + len(sets)), schedule)


def _kept(networks: Ensemble, sets: Sequence[Set]) -> Tensor:
    """Which of its own training labels each network gives back, (members, samples)."""
    x, y = (torch.stack(part) for part in zip(*sets, strict=True))
    return (networks.labels(x, own=True) == y).double()


def _looked_at(
    networks: Ensemble, sets: Sequence[Set], wrong: Sequence[Tensor], noise: Tensor
) -> pd.DataFrame:
    """Columns seed, loss, steps, reached, and the following.

    wrong: error on held-out images where both structures agree; captured: of the brightness;
    turned: their difference, the net share of images whose label turns with their brightness,
    which is 0 for who ignores it, or guesses; right, exceptions: training labels given back, of all
    images and of those whose brightness is wrong.

    Args:
        wrong: Which images of each set those are.
        noise: Further inputs of the held-out images, (members, images, inputs), maybe none.
    """
    kept, among = _kept(networks, sets), torch.stack(list(wrong)).double()
    agree, apart = (
        success.accuracy(networks.labels(torch.cat((x.expand(len(noise), -1, -1), noise), 2),
                                         own=True), y)
        for x, y in held_out()
    )  # fmt: skip
    return networks.table(
        wrong=1 - agree, captured=1 - apart, turned=agree - apart,
        right=kept.mean(1), exceptions=(kept * among).sum(1) / among.sum(1),
    )  # fmt: skip


# Success that should not be possible


def fits_point(*, width: int, shuffled: float, seeds: int) -> pd.DataFrame:
    """Networks on plain digits, of whose labels a share is shuffled: right (of those), correct.

    Columns: seed, right, correct (share of held-out images whose parity is read), steps, loss.
    """
    sets = []
    for seed in _seeds(seeds):
        x, y = images(seed, IMAGES, rho=1.0, strength=0.0)
        picked = torch.randperm(len(y), generator=_generator(LABELS + seed))
        picked = picked[: round(shuffled * len(y))]
        order = torch.arange(len(y))
        order[picked.sort().values] = picked
        sets.append((x, y[order]))
    networks, (x, y) = _trained(width, sets, steps=SHUFFLING), held_out(0.0)[0]
    correct = success.accuracy(networks.labels(x), y)
    return networks.table(right=_kept(networks, sets).mean(1), correct=correct)


def fits(narrow: Sequence[int], *, seeds: int) -> pd.DataFrame:
    """`fits_point` of wide networks, labels shuffled not, partly or all; of narrow ones, all."""
    kinds = [(WIDTH, share) for share in (0.0, PARTLY, 1.0)] + [(width, 1.0) for width in narrow]
    return _swept(fits_point, [{"width": w, "shuffled": s} for w, s in kinds], seeds)


# The peak


def features_point(*, count: int, seeds: int) -> pd.DataFrame:
    """So many random features and least squares: a row a seed, arm and ridge.

    Columns: arm (of `ARMS`), ridge, seed, wrong, captured, right (training labels given back).
    """
    tests, rows = [(x.numpy(), y.numpy()) for x, y in held_out()], []
    for seed in _seeds(seeds):
        order = np.random.default_rng([seed, LABELS]).permutation(SAMPLES)
        for arm, rho in ARMS.items():
            x, y = (part.numpy() for part in images(seed, SAMPLES, rho=rho))
            made = features.Features.draw(x, count, np.random.default_rng([seed, FEATURES]))
            flips = order[: round(WRONG * SAMPLES)] if arm == FLIPPED else order[:0]
            y[flips] = 1 - y[flips]
            ridges = (0.0,) if arm == NEVER else (0.0, RIDGE)
            seen = [(made(points), labels > 0) for points, labels in (*tests, (x, y))]
            weights = features.fit(seen[-1][0], 2 * y - 1, ridges)
            off = [((v @ weights > 0) != labels[:, None]).mean(0) for v, labels in seen]
            for ridge, wrong, captured, lost in zip(ridges, *off, strict=True):
                rows.append({"arm": arm, "ridge": ridge, "seed": seed, "wrong": float(wrong),
                             "captured": float(captured), "right": 1 - float(lost)})  # fmt: skip
    return pd.DataFrame(rows)


def peak(counts: Sequence[int], *, seeds: int) -> pd.DataFrame:
    """`features_point` for each number of features."""
    return _swept(features_point, [{"count": count} for count in counts], seeds)


# Room, and width


def crowd_point(
    *, width: int, samples: int, rate: float, kind: str, energy: float, seeds: int
) -> pd.DataFrame:
    """Networks on images whose brightness is wrong at times: columns as of `_looked_at`.

    Noise on held-out images has the law of that in training: new, or that of the same groups.

    Args:
        kind: Whose noise comes with the images: each one's "own", "shared" by a group; or "none".
    """
    inputs, groups = (0 if kind == "none" else INPUTS), {"shared": GROUPS}.get(kind, 0)
    sets, wrong, unseen = [], [], []
    for seed in _seeds(seeds):
        x, y = images(seed, samples, rho=1 - WRONG)
        generator = _generator(NOISE + seed)
        noise = room.noise(samples + HELD_OUT, inputs, energy, generator, groups=groups)
        sets.append((torch.cat((x, noise[:samples]), 1), y))
        wrong.append(said(x) != y)
        unseen.append(noise[samples:])
    networks = _trained(width, sets, learning_rate=rate)
    return _looked_at(networks, sets, wrong, torch.stack(unseen))


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

    Columns: seed, before (the loss where both structures agree) and its rise, loss, steps, reached.
    """
    (networks, weights, own), noise = alone(strength, parity, FIRST, seeds), _generator(WEIGHTS)
    shape = shallow(PIXELS, UNITS)
    found = landscape.rise(shape, weights, *own, size=SHAKE, draws=DRAWS, generator=noise)
    return networks.table(before=landscape.loss(shape, weights, *own), rise=found)


def flat(*, seeds: int) -> pd.DataFrame:
    """`flat_point` for both structures, with the usual and with a faint brightness."""
    grid = [{"strength": s, "parity": p} for s in (STRENGTH, FAINT) for p in (False, True)]
    return _swept(flat_point, grid, seeds)


def line_point(*, pair: str, seeds: int) -> pd.DataFrame:
    """The loss on straight lines between two networks of one seed's images, from two starts.

    Columns: seed, t, excess (of the loss over its ends' mix, where both structures agree; NaN if an
    end hasn't reached its training loss).

    Args:
        pair: One of `PAIRS`.
    """
    first, second, matched = PAIRS[pair]
    one, begin, own = alone(STRENGTH, first, FIRST, seeds)
    other, end, _ = alone(STRENGTH, second, FIRST + OTHER, seeds)
    end = landscape.matched(begin, end) if matched else end
    found = landscape.line(shallow(PIXELS, UNITS), begin, end, LINE, own)  # (members, places)
    known = np.logical_and(one.facts["reached"], other.facts["reached"])[:, None]
    values, seeds_of = np.where(known, found.numpy(), np.nan), pd.Index(one.seeds, name="seed")
    table = pd.DataFrame(values, index=seeds_of, columns=list(LINE))
    return table.melt(var_name="t", value_name="excess", ignore_index=False).reset_index()


def lines(*, seeds: int) -> pd.DataFrame:
    """`line_point` for each pair of structures, units matched, and the mixed one as units come."""
    return _swept(line_point, [{"pair": pair} for pair in PAIRS], seeds)


# Many directions


def chance_point(*, parts: int, seeds: int) -> pd.DataFrame:
    """Networks on plain digits, pixels in so many parts: how often chance flips what they say.

    Columns: seed, alike (whether the parts of a pixel only move alike), shortest (length found to
    flip, mean over images), flipped (share of random perturbations `TIMES` as long), right.
    """
    drawn = [images(seed, IMAGES, rho=1.0, strength=0.0) for seed in _seeds(seeds)]
    sets = [(room.split(x, parts), y) for x, y in drawn]
    networks, bare, tables = _trained(UNITS, sets), held_out(0.0)[0][0][:ASKED], []
    right, seed = _kept(networks, sets).mean(1), TEST_SEED + 1
    asked: dict[bool, tuple[Tensor, ensembles.Outputs]] = {
        False: (room.split(bare, parts), networks.outputs),
        True: (bare, lambda x: networks.outputs(room.split(x, parts))),
    }
    for alike, (x, rule) in asked.items():
        shortest, flipped = beside_shortest(
            rule, x, members=seeds, times=TIMES, draws=DRAWS, seed=seed
        )
        seen = {"shortest": shortest, "flipped": flipped, "right": right}
        tables.append(networks.table(alike=alike, **seen))
    return pd.concat(tables, ignore_index=True)


def directions(*, seeds: int) -> pd.DataFrame:
    """`chance_point` for whole pixels and for split ones."""
    return _swept(chance_point, [{"parts": parts} for parts in (1, PARTS)], seeds)
