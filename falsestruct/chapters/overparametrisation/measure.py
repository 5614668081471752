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
from falsestruct.problems import bright, room
from falsestruct.problems.bright import PIXELS, STRENGTH, images
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
CROWD, UNITS, INPUTS, GROUPS = 160, 64, 1024, 8  # images, units, inputs of noise, their groups
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
RIDGED = ", with a ridge"  # after the name of an arm
PARTS, TIMES, ASKED = 4, 8.0, 100  # of a pixel; random over shortest length; images of that
KINDS = ("whole", "split", "alike")  # pixels: as they are, in parts, in parts that move alike


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
    """Error where both structures agree (wrong), capture of the brightness, and their difference.

    That is the net share of images whose label turns with their brightness: 0 for who ignores it,
    or guesses. Columns right, exceptions: training labels given back, of all and of those `wrong`.

    Args:
        wrong: Which images of each set those are.
        noise: Further inputs of the held-out images, (members, images, inputs), maybe none.
    """
    kept, among = _kept(networks, sets), torch.stack(list(wrong)).double()
    shown = [(torch.cat((x.expand(len(noise), -1, -1), noise), 2), y) for x, y in bright.held_out()]
    agree, apart = (success.accuracy(networks.labels(x, own=True), y) for x, y in shown)
    return networks.table(
        wrong=1 - agree, captured=1 - apart, turned=agree - apart,
        right=kept.mean(1), exceptions=(kept * among).sum(1) / among.sum(1),
    )  # fmt: skip


# Success that should not be possible


def fits_point(*, width: int, shuffled: float, seeds: int, **_: str) -> pd.DataFrame:
    """Networks on plain digits, of whose labels a share is shuffled.

    Columns: seed, right (share of these labels given back), correct (share of held-out images whose
    parity is read), steps, loss.
    """
    sets = []
    for seed in _seeds(seeds):
        x, y = images(seed, IMAGES, rho=1.0, strength=0.0)
        sets.append((x, room.shuffled(y, shuffled, torch.Generator().manual_seed(LABELS + seed))))
    networks, (x, y) = _trained(width, sets, steps=SHUFFLING), bright.held_out(0.0)[0]
    correct = success.accuracy(networks.labels(x), y)
    return networks.table(right=_kept(networks, sets).mean(1), correct=correct)


def fits(narrow: Sequence[int], *, seeds: int) -> pd.DataFrame:
    """Wide networks, labels shuffled not, partly or all; tight and narrow ones, all: who."""
    kinds = {"true": (WIDTH, 0.0), "partly": (WIDTH, PARTLY), "shuffled": (WIDTH, 1.0)}
    kinds |= {"tight": (min(narrow), 1.0), "narrow": (max(narrow), 1.0)}
    grid = [{"who": who, "width": w, "shuffled": share} for who, (w, share) in kinds.items()]
    return _swept(fits_point, grid, seeds)


# The peak


def features_point(*, count: int, seeds: int) -> pd.DataFrame:
    """So many random features and least squares: a row a seed and arm, with a ridge and without.

    Columns: arm, seed, right (training labels given back), wrong, captured.
    """
    tests, rows = [(x.numpy(), y.numpy()) for x, y in bright.held_out()], []
    for seed in _seeds(seeds):
        order = np.random.default_rng([seed, LABELS]).permutation(SAMPLES)
        for arm, rho in ARMS.items():
            x, y = (part.numpy() for part in images(seed, SAMPLES, rho=rho))
            flips = order[: round(WRONG * SAMPLES) * (arm == FLIPPED)]
            y[flips] = 1 - y[flips]
            ridges = {arm: 0.0} if arm == NEVER else {arm: 0.0, arm + RIDGED: RIDGE}
            rng = np.random.default_rng([seed, FEATURES])
            lost, *off = features.errors((x, y), tests, count, rng, ridges=[*ridges.values()])
            rows.append(pd.DataFrame(dict(zip(("wrong", "captured"), off, strict=True))).assign(
                arm=list(ridges), seed=seed, right=1 - lost
            ))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def peak(counts: Sequence[int], *, seeds: int) -> pd.DataFrame:
    """`features_point` for each number of features, and turned: captured less wrong."""
    table = _swept(features_point, [{"count": count} for count in counts], seeds)
    return table.assign(turned=table["captured"] - table["wrong"])


# Room, and width


def crowd_point(
    *, width: int, samples: int, rate: float, kind: str, energy: float, seeds: int
) -> pd.DataFrame:
    """Networks on images whose brightness is wrong at times: columns as of `_looked_at`.

    Args:
        kind: Whose noise comes with the images: each one's "own", "shared" by a group; or "none".
            On held-out images it is new, or that of the same groups.
    """
    inputs, groups = (0 if kind == "none" else INPUTS), {"shared": GROUPS}.get(kind, 0)
    sets, wrong, unseen = [], [], []
    for seed in _seeds(seeds):
        x, y = images(seed, samples, rho=1 - WRONG)
        generator = torch.Generator().manual_seed(NOISE + seed)
        noise = room.noise(samples + HELD_OUT, inputs, energy, generator, groups=groups)
        sets.append((torch.cat((x, noise[:samples]), 1), y))
        wrong.append(bright.said(x) != y)
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
    drawn = [bright.in_both(seed, ALONE, strength) for seed in _seeds(seeds)]
    sets = [(x, y if parity else bright.said(x, strength)) for x, y in drawn]
    x, y = (torch.stack(part)[:, :ALONE] for part in zip(*sets, strict=True))
    networks = _trained(UNITS, sets, first, target=EQUAL)
    assert networks.trained is not None
    return networks, networks.trained.parameters, (x, y)


def flat_point(*, strength: float, parity: bool, seeds: int) -> pd.DataFrame:
    """How much noise on the weights costs networks that know one structure alone.

    Columns: seed, before (the loss where both structures agree) and its rise, loss, steps, reached.
    """
    networks, weights, own = alone(strength, parity, FIRST, seeds)
    shape, noise = shallow(PIXELS, UNITS), torch.Generator().manual_seed(WEIGHTS)
    found = landscape.rise(shape, weights, *own, size=SHAKE, draws=DRAWS, generator=noise)
    return networks.table(before=landscape.loss(shape, weights, *own), rise=found)


def flat(*, seeds: int) -> pd.DataFrame:
    """`flat_point` for both structures, with the usual and with a faint brightness."""
    grid = [{"strength": s, "parity": p} for s in (STRENGTH, FAINT) for p in (False, True)]
    return _swept(flat_point, grid, seeds)


def line_point(*, pair: str, seeds: int) -> pd.DataFrame:
    """The loss on straight lines between two networks of one seed's images, from two starts.

    One of `PAIRS`. Columns: seed, t, excess (of the loss over its ends' mix, where both structures
    agree; NaN if an end hasn't reached its training loss).
    """
    first, second, matched = PAIRS[pair]
    one, begin, own = alone(STRENGTH, first, FIRST, seeds)
    other, end, _ = alone(STRENGTH, second, FIRST + OTHER, seeds)
    end = landscape.matched(begin, end) if matched else end
    found = landscape.line(shallow(PIXELS, UNITS), begin, end, LINE, own)  # (members, places)
    table = pd.DataFrame(found.numpy(), index=pd.Index(one.seeds, name="seed"), columns=list(LINE))
    table[~np.logical_and(one.facts["reached"], other.facts["reached"])] = np.nan
    return table.melt(var_name="t", value_name="excess", ignore_index=False).reset_index()


def lines(*, seeds: int) -> pd.DataFrame:
    """`line_point` for each pair of structures, units matched, and the mixed one as units come."""
    return _swept(line_point, [{"pair": pair} for pair in PAIRS], seeds)


# Many directions


def chance_point(*, kind: str, seeds: int) -> pd.DataFrame:
    """Networks on plain digits, pixels of one of `KINDS`: how often chance flips what they say.

    Columns: seed, shortest (length found to flip, mean over images), flipped (share of random
    perturbations `TIMES` as long), right.
    """
    parts = 1 if kind == "whole" else PARTS
    drawn = [images(seed, IMAGES, rho=1.0, strength=0.0) for seed in _seeds(seeds)]
    sets = [(room.split(x, parts), y) for x, y in drawn]
    networks, x = _trained(UNITS, sets), bright.held_out(0.0)[0][0][:ASKED]
    rule = room.on_whole(networks.outputs, parts)
    if kind == "split":  # otherwise attack and chance see whole pixels
        x, rule = room.split(x, parts), networks.outputs
    seed, right = bright.TEST_SEED + 1, _kept(networks, sets).mean(1)
    found = beside_shortest(rule, x, members=seeds, times=TIMES, draws=DRAWS, seed=seed)
    return networks.table(shortest=found[0], flipped=found[1], right=right)


def directions(*, seeds: int) -> pd.DataFrame:
    """`chance_point` for each kind of pixels."""
    return _swept(chance_point, [{"kind": kind} for kind in KINDS], seeds)
