"""Chapter 14: interpolants, glyphs that are bent, hierarchies, and stripes for blind networks.

Every table has a row a network. Seeds are drawn; each has data of its own where data are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import success
from falsestruct.instability import deformations
from falsestruct.learning import ensembles
from falsestruct.learning.ensembles import Learner
from falsestruct.learning.networks import shallow
from falsestruct.learning.sequences import flat, for_signals, tree
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.coloured import Coloured, Kind, without_mean
from falsestruct.problems.glyphs import Glyphs
from falsestruct.problems.hierarchy import Hierarchy
from falsestruct.theory import invariance as theory

FIRST = 1000  # the claims' first seed
TARGETS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "constant": lambda x: np.ones(len(x)),
    "first": lambda x: np.abs(x[:, 0]),
}
SOLVERS = {"sparse": theory.least_sum, "spread": theory.least_squares}
SIGHTS: dict[str, Callable[[Tensor], Tensor]] = {
    "seeing": lambda x: x,
    "blind": without_mean,
    "levelled": lambda x: x - Coloured("mean", 1.0).brightness,  # what all stripes share, taken off
}
TEST = 500  # held-out inputs of a network
ROOT = 1.0  # root mean square displacement of the middle of a signal, in samples


def seeds_from(count: int, first: int = FIRST) -> list[int]:
    """So many seeds, from the claims' first one on."""
    return list(range(first, first + count))


def interpolants(
    dimensions: Sequence[int], seeds: Sequence[int], *, samples: int, atoms: int, test: int = 2000
) -> pd.DataFrame:
    """A row a dimension, seed, target and solver: its mean squared `error`, and `used` atoms."""
    rows = []
    for dimension in dimensions:
        for seed in seeds:
            rng = np.random.default_rng([seed, dimension])
            train, weights, fresh = (_sphere(n, dimension, rng) for n in (samples, atoms, test))
            known, asked = theory.relus(train, weights), theory.relus(fresh, weights)
            for target, rule in TARGETS.items():
                for solver, solve in SOLVERS.items():
                    outputs = solve(known, rule(train))
                    error = np.square(asked @ outputs - rule(fresh)).mean()
                    used = (np.abs(outputs) > 1e-9 * np.abs(outputs).max()).sum()
                    rows.append((dimension, seed, target, solver, float(error), int(used)))
    return pd.DataFrame(rows, columns=["dimension", "seed", "target", "solver", "error", "used"])


def _sphere(count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
    points = rng.standard_normal((count, dimension))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


def stabilities(
    seeds: Sequence[int],
    *,
    samples: int,
    steps: int,
    noise: float = 0.2,
    learner: Learner = ensembles.train,
) -> pd.DataFrame:
    """A row an architecture, seed and moment ("before" or "after" training): `error`, D, G, R.

    And `accuracy`, the share of the training set that is labelled rightly.

    Args:
        noise: Standard deviation of what is added to each sample; a glyph's is about 1.
    """
    problems = [Glyphs(seed, noise=noise) for seed in seeds]
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    pairs = list(zip(problems, draws, strict=True))
    sets = [own.draw(samples, draw)[::2] for own, draw in pairs]
    known, answers = (torch.stack(part) for part in zip(*sets, strict=True))
    asked = [own.draw(TEST, draw, root=ROOT) for own, draw in pairs]
    x, bent, y = (torch.stack([one[i] for one in asked]) for i in range(3))
    tables = []
    for network in for_signals(problems[0].length, problems[0].classes):
        for moment, count in {"before": 0, "after": steps}.items():
            schedule = Schedule(count, batch=min(50, samples), target=0.01)
            ensemble = learner(network, sets, seeds, schedule)
            shaken = torch.Generator().manual_seed(seeds[0])
            columns = deformations.stabilities(ensemble.outputs, x, bent, shaken)
            error = (ensemble.labels(x.float(), own=True) != y).double().mean(1)
            right = success.accuracy(ensemble.labels(known.float(), own=True), answers)
            about = {"architecture": network.name, "moment": moment, "error": error}
            tables.append(ensemble.table(**about, **columns, accuracy=right))
    return pd.concat(tables, ignore_index=True)


def hierarchies(
    sizes: Sequence[int],
    seeds: Sequence[int],
    *,
    symbols: int,
    synonyms: int,
    steps: int,
    learner: Learner = ensembles.train,
) -> pd.DataFrame:
    """A row a network ("deep", "shallow" or "dense"), training set's size and seed.

    Columns: `error` on held-out inputs; shares of labels that change when a pair becomes a
    `synonym`, or one of another meaning (`other`); share of the latter that spell `nothing`; share
    of the inputs with the right label that lose it by some exchange of one synonym (`worst`); and
    `accuracy` on the training set.
    """
    problems = [Hierarchy(symbols, synonyms, seed=seed) for seed in seeds]
    length, tables = problems[0].length, []
    for samples in sizes:
        drawn = [_examples(problem, samples) for problem in problems]
        sets = [train for train, _ in drawn]
        answers = torch.stack([y for _, y in sets])
        asked = {name: torch.stack([own[name] for _, own in drawn]) for name in drawn[0][1]}
        shapes = ((128,), (58, 58, 58))  # the latter with about as many weights as the tree
        networks = (tree(length, symbols, 48), *(flat(length, symbols, *own) for own in shapes))
        for network in networks:
            schedule = Schedule(steps, batch=min(64, samples), target=0.005)
            ensemble = learner(network, sets, seeds, schedule)
            inputs = [name for name in asked if name not in ("y", "nothing")]
            said = {name: ensemble.labels(asked[name], own=True) for name in inputs}
            right = said["x"] == asked["y"]
            lost = (said["any"].unflatten(1, (-1, TEST)) != asked["y"][:, None]).any(1)
            columns = {n: (said[n] != said["x"]).double().mean(1) for n in ("synonym", "other")}
            columns["error"] = (~right).double().mean(1)
            columns["worst"] = (lost & right).sum(1) / right.sum(1)
            columns["accuracy"] = success.accuracy(said["known"], answers)
            columns["nothing"] = asked["nothing"].double().mean(1)
            tables.append(ensemble.table(network=network.name, samples=samples, **columns))
    return pd.concat(tables, ignore_index=True)


def _examples(problem: Hierarchy, samples: int) -> tuple[Set, dict[str, Tensor]]:
    """A training set; and what is asked: held-out inputs x, their labels y, and exchanges."""
    rng = np.random.default_rng(problem.seed)
    x, labels = problem.draw(samples + TEST, rng)
    held, y = x[samples:], torch.as_tensor(labels)
    asked = {name: problem.encode(part) for name, part in {"x": held, "known": x[:samples]}.items()}
    asked["y"] = y[samples:]
    changed = {n: problem.exchange(held, rng, synonym=n == "synonym") for n in ("synonym", "other")}
    asked |= {name: problem.encode(x) for name, x in changed.items()}
    asked["nothing"] = torch.as_tensor(problem.look_up(changed["other"]) < 0)
    every = problem.exchanges(held, synonym=True)
    asked["any"] = problem.encode(every.reshape(-1, problem.length))
    return (asked["known"], y[:samples]), asked


def coloured(
    sizes: Sequence[float],
    seeds: Sequence[int],
    arms: Sequence[tuple[str, Kind]],
    *,
    steps: int,
    learner: Learner = ensembles.train,
) -> pd.DataFrame:
    """A row a sight, kind of colour, its size and a seed: `capture` of the colour, `accuracy`.

    And `horizontal`, the share of the conflict set that is called so; half of it is.
    Networks with 64 ReLUs train on every stripe once. All of one place share their images.

    Args:
        arms: Sights with kinds of colour.
        sizes: Euclidean norms.
    """
    places = [(sight, Coloured(kind, size)) for sight, kind in arms for size in sizes]
    sets = []
    for sight, problem in places:
        x, y = problem.described()
        sets += [(SIGHTS[sight](x).flatten(1), y)] * len(seeds)
    network = shallow(sets[0][0].shape[1], 64)
    members = learner(network, sets, list(seeds) * len(places), Schedule(steps, target=0.05))
    tables = []
    for place, (sight, problem) in enumerate(places):
        first = place * len(seeds)
        own = members.select(range(first, first + len(seeds)))
        x, (right, y) = problem.swapped(), sets[first]
        labels = own.labels(SIGHTS[sight](x).flatten(1).float())
        about = {"sight": sight, "kind": problem.kind, "size": problem.size}
        about["capture"] = success.capture(labels, problem.colour, problem.orientation, x)
        about["horizontal"] = labels.double().mean(1)
        about["accuracy"] = success.accuracy(own.labels(right.float()), y)
        tables.append(own.table(**about))
    return pd.concat(tables, ignore_index=True)
