"""Explanations of networks whose structure is known (chapter 18).

Digits with a planted pattern: who took it, and what seven methods name. Binary images: exact masks.
Every function gives a table with a row a network and method, or a row a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from falsestruct import success
from falsestruct.characterise import explanations as explain
from falsestruct.characterise import masks as exact
from falsestruct.characterise.explanations import Effort, Outputs, Question
from falsestruct.characterise.judged import fooled, judged
from falsestruct.learning.ensembles import Ensemble, Learner, train
from falsestruct.learning.networks import Architecture, by_name, for_images
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems import binary
from falsestruct.problems.planted import Planted, followers
from falsestruct.problems.planted import digits as patterns
from falsestruct.sweep.grid import sweep

FIRST = 1000  # seed of the first network; smaller ones were for trials
# Added to a network's seed: of its training data, of the images that are explained.
DATA_SEED, IMAGE_SEED = 30_000, 40_000
# Shared by all networks: images for capture, donors, and the methods' own draws (noise, orders).
TEST_SEED, DONOR_SEED, DRAW_SEED = 50_000, 60_000, 70_000
DICTIONARIES = {"brightness": "Walsh", "pixel": "pixels", "sinusoid": "Walsh"}  # by pattern
# The pixel is twice as strong as in chapter 08, where an MLP has captured less than three quarters.
STRENGTHS = patterns.STRENGTHS | {"digits-pixel": 2.0}
SIDE, SAMPLES, BATCH, RATE = 8, 600, 50, 2e-3
CONFLICT, DONORS = 300, 100  # inputs that capture is read off; images that donate coordinates
COIN, OFTEN, ALWAYS = 0.5, 0.95, 1.0  # share of the training data on which the pattern is right
HEIGHT, STEEPER, FLATTER = 0.05, 10.0, 100.0  # of the wave; times the longest gradient; its control
EFFORT = Effort()
# On bits: the best of 30 settings for masks and of 7 for noise, on networks with other seeds.
BITS = Effort(points=240, noise=0.5, steps=120, draws=2, rate=0.3)
EPSILON = 0.05  # distortion that a mask may have
WIDTH, ROWS = 64, 1_500  # of the networks on binary images, and of their training data


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@cache
def plant(kind: str) -> Planted:
    """Digits with this pattern."""
    return patterns.digits(kind, STRENGTHS[f"digits-{kind}"])  # type: ignore[arg-type]


# Digits


def maps_point(
    *, kind: str, rho: float, seeds: int, images: int, steps: int, learn: Learner = train
) -> pd.DataFrame:
    """Networks on digits where a pattern is right on a share rho, and what their maps name.

    Columns: seed, captured (of the pattern, on held-out conflicts), right (share of the training
    labels), arm ("plain", or which decoy a wave runs along: "bright", "faint", of
    `explain.decoys`), and those of `asked`; with a wave those of `waved`.

    Args:
        steps: Of training; 0: the networks as they were drawn.
        images: Explained, for each network its own, on half of which the pattern is right.
    """
    given, names = plant(kind), list(range(FIRST, FIRST + seeds))
    sets = [given.draw(SAMPLES, generator(DATA_SEED + seed), rho=rho) for seed in names]
    network = by_name("MLP", for_images(SIDE))
    own = learn(network, sets, names, Schedule(steps, BATCH, learning_rate=RATE))
    facts = own.table(**known(given, own, sets))[["seed", "captured", "right"]]
    shown = [
        given.draw(images, generator(IMAGE_SEED + seed), rho=COIN, held_out=True)[0]
        for seed in names
    ]
    ask = question(given, DICTIONARIES[kind], own.outputs, torch.stack(shown))
    false = explain.decoys(ask, place(given, kind))
    tables = [asked(given, kind, ask, false["bright"]).assign(arm="plain")]
    if kind == "brightness" and rho == ALWAYS and steps:
        for arm, decoy in false.items():
            bent, hits = waved(ask, decoy)
            seen = asked(given, kind, bent, decoy).assign(arm=arm)
            tables.append(seen.merge(hits, on="member"))
    both = pd.concat(tables, ignore_index=True)
    return both.merge(facts.assign(member=range(seeds)), on="member").drop(columns="member")


def known(given: Planted, own: Ensemble, sets: Sequence[Set]) -> dict[str, Tensor]:
    """What is known of networks without any map: `captured` and `right`, (members,) each."""
    x, _ = given.conflict_set(CONFLICT, generator(TEST_SEED))
    seen, y = (torch.stack(parts) for parts in zip(*sets, strict=True))
    return {
        "captured": success.capture(own.labels(x), given.false, given.original, x),
        "right": (own.labels(seen, own=True) == y.long()).double().mean(1),
    }


def question(given: Planted, words: str, outputs: Outputs, x: Tensor) -> Question:
    """These images (members, samples, side, side) in the words of a dictionary."""
    basis = explain.dictionary(words, SIDE)
    donors, _ = given.draw(DONORS, generator(DONOR_SEED), rho=COIN)
    return Question(
        explain.seen_through(outputs, basis, SIDE),
        (x.flatten(2) @ basis.T).float(),
        (donors.flatten(1) @ basis.T).float(),
        generator(DRAW_SEED),
    )


def place(given: Planted, kind: str) -> int:
    """Which coordinate of its dictionary a pattern is."""
    return explain.coordinate(given.direction, explain.dictionary(DICTIONARIES[kind], SIDE))


def asked(given: Planted, kind: str, ask: Question, decoy: int) -> pd.DataFrame:
    """What maps name, and which answers they tell: columns of `judged`, of the pattern."""
    return judged(ask, place(given, kind), given.level, decoy, EFFORT)


def waved(ask: Question, decoy: int) -> tuple[Question, pd.DataFrame]:
    """The same networks with a wave along a decoy; columns member, fooled, flat (flatter wave)."""
    found = {}
    for name, steeper in (("flat", STEEPER / FLATTER), ("fooled", STEEPER)):
        other = explain.with_wave(ask, decoy, height=HEIGHT, steeper=steeper)
        found[name] = fooled(ask, other, decoy, HEIGHT).tolist()
    return other, pd.DataFrame(found).assign(member=range(len(ask.x)))


def maps(shares: Sequence[float], *, seeds: int, images: int, steps: int) -> pd.DataFrame:
    """`maps_point` for each pattern and share, and for networks before training (steps 0)."""
    rest: dict[str, Any] = {"seeds": seeds, "images": images}
    grid = [
        {"kind": kind, "rho": rho, "steps": steps} | rest
        for kind in DICTIONARIES for rho in shares
    ]  # fmt: skip
    grid += [{"kind": kind, "rho": ALWAYS, "steps": 0} | rest for kind in DICTIONARIES]
    return sweep(maps_point, grid).drop(columns=[*rest])


def built(images: int) -> pd.DataFrame:
    """What maps name for two networks built by hand: columns kind, follows, and those of `asked`.

    One follows the pattern, the other the parity of the nearest image, seen without the pattern.
    """
    tables = []
    for kind, words in DICTIONARIES.items():
        given = plant(kind)
        x = given.draw(images, generator(IMAGE_SEED), rho=COIN, held_out=True)[0][None]
        hands = {"pattern": followers.of_pattern, "original": followers.of_original}
        for name, outputs in hands.items():
            ask = question(given, words, outputs(given), x)
            seen = asked(given, kind, ask, explain.decoys(ask, place(given, kind))["bright"])
            tables.append(seen.assign(kind=kind, follows=name))
    return pd.concat(tables, ignore_index=True)


# Binary images


def _layers() -> nn.Module:
    return nn.Sequential(
        nn.Linear(binary.PIXELS, WIDTH), nn.ReLU(),
        nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1),
    )  # fmt: skip


TINY = Architecture("16-64-64-1", _layers, engine="dense")


def masks_point(
    *, beside: str, seeds: int, images: int, steps: int, learn: Learner = train
) -> pd.DataFrame:
    """Networks on binary images where a rule agrees with the original, and their exact masks.

    Columns: seed, learnt (share of its training labels that a network has right), right (share of
    all images with the original's label), for each rule `sides_RULE` (its share of the images on
    which it and the original disagree), mask (mean size of the smallest mask), off_RULE (mean
    difference of that size to the rule's own, whichever is larger; of the rule beside, or of all).
    For networks trained on all images also `kept_NAME`, mean number of pixels that must be kept.
    All train on as many images (`ROWS`), which may come twice.

    Args:
        beside: The rule; "original": data are drawn from all images.
        images: Whose masks are looked for, for each seed the same with every rule.
    """
    names, x = list(range(FIRST, FIRST + seeds)), torch.from_numpy(binary.images())
    truth = binary.labels("original")
    drawn = [binary.draw(ROWS, beside, np.random.default_rng([seed, 1])) for seed in names]
    sets = [(x[which], torch.from_numpy(truth[which]).double()) for which in drawn]
    own = learn(TINY, sets, names, Schedule(steps, BATCH))
    values = exact.everywhere(own, x)
    shown = [np.random.default_rng([seed, 2]).integers(len(x), size=images) for seed in names]
    maps = _maps(own, x, shown) if beside == "original" else None
    rows = []
    for member, seed in enumerate(names):
        labels, seen = (values[member] > 0).astype(np.int64), drawn[member]
        row = {"seed": seed, "right": (labels == truth).mean()}
        row["learnt"] = (labels[seen] == truth[seen]).mean()
        sizes = exact.sizes(labels, shown[member], EPSILON)
        row["mask"] = sizes.mean()
        for rule in binary.RULES:
            apart = binary.labels(rule) != truth
            row[f"sides_{rule}"] = (labels == binary.labels(rule))[apart].mean()
            if beside in (rule, "original"):
                rules = [_size(rule, int(n)) for n in shown[member]]
                row[f"off_{rule}"] = np.abs(sizes - rules).mean()
        if maps:
            own_maps = {name: every[member] for name, every in maps.items()}
            kept = exact.mean_kept(values[member], shown[member], own_maps, EPSILON, seed)
            row |= {f"kept_{name}": number for name, number in kept.items()}
        rows.append(row)
    return pd.DataFrame(rows)


@cache
def _size(rule: str, n: int) -> int:
    """Of the smallest masks of a rule, for one image."""
    return int(exact.sizes(binary.labels(rule), [n], EPSILON)[0])


def _maps(own: Ensemble, x: Tensor, shown: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Maps of each member's own images, donors shared; averages have as many passes as masks."""
    which = np.random.default_rng(DONOR_SEED).integers(len(x), size=DONORS)
    inputs = torch.stack([x[own_images] for own_images in shown])
    return exact.sampled(own, inputs, x[which], generator(DRAW_SEED), BITS)


def exact_masks(*, seeds: int, images: int, steps: int) -> pd.DataFrame:
    """`masks_point` beside each rule, and for data drawn from all images (beside "original")."""
    rest = {"seeds": seeds, "images": images, "steps": steps}
    grid = [{"beside": rule} | rest for rule in ("original", *binary.RULES)]
    return sweep(masks_point, grid).drop(columns=[*rest])


def of_rules() -> dict[str, float]:
    """Mean size of the smallest masks of the rules themselves, over all images.

    "original 0" and "original 1": over those to which the original gives this label.
    """
    found = {rule: _mean_size(rule) for rule in ("original", *binary.RULES)}
    return found | {f"original {label}": _mean_size("original", label) for label in (0, 1)}


def _mean_size(rule: str, *given: int) -> float:
    """Over all images that have one of these labels by a rule; none given: over all."""
    which, counts = binary.classes(rule)
    own = np.isin(binary.labels(rule)[which], given or (0, 1))
    return float(np.average([_size(rule, int(n)) for n in which[own]], weights=counts[own]))
