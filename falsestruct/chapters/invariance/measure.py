"""Chapter 14: interpolants, glyphs that are bent, hierarchies, and stripes for blind networks.

Every table has a row a network. Seeds are drawn; each has data of its own where data are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from falsestruct import success
from falsestruct.learning import ensembles
from falsestruct.learning.ensembles import Ensemble, Learner
from falsestruct.learning.networks import Architecture
from falsestruct.learning.sequences import flat, for_signals, tree
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.coloured import Coloured, Kind, without_mean
from falsestruct.problems.glyphs import Glyphs
from falsestruct.problems.hierarchy import Hierarchy
from falsestruct.theory import invariance as theory

FIRST = 1000  # the claims' first seed
TARGETS = {"constant": lambda x: np.ones(len(x)), "first": lambda x: np.abs(x[:, 0])}
SOLVERS = {"sparse": theory.least_sum, "spread": theory.least_squares}


def seeds_from(count: int, first: int = FIRST) -> list[int]:
    """So many seeds."""
    return list(range(first, first + count))


# Sparse and spread interpolants


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
                    used = int((np.abs(outputs) > 1e-9 * np.abs(outputs).max()).sum())
                    rows.append(
                        {"dimension": dimension, "seed": seed, "target": target, "solver": solver}
                        | {"error": float(error), "used": used}
                    )
    return pd.DataFrame(rows)


def _sphere(count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
    points = rng.standard_normal((count, dimension))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


# Relative stability to deformations


def stabilities(
    seeds: Sequence[int],
    *,
    samples: int,
    steps: int,
    test: int = 500,
    root: float = 1.0,
    learner: Learner = ensembles.train,
) -> pd.DataFrame:
    """A row an architecture, seed and moment: test `error`, stability D, noise G, relative R.

    Args:
        root: Root mean square displacement of the middle of a signal, in samples.
    """
    problems = [Glyphs(seed) for seed in seeds]
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    sets, asked = [], []
    for glyphs, draw in zip(problems, draws, strict=True):
        x, _, y = glyphs.draw(samples, draw)
        sets.append((x, y))
        asked.append((*glyphs.draw(test, draw, root=root), draw))
    tables = []
    for network in for_signals(problems[0].length, problems[0].classes):
        for moment, count in {"before": 0, "after": steps}.items():
            schedule = Schedule(count, batch=min(50, samples), target=0.01)
            ensemble = learner(network, sets, seeds, schedule)
            columns = stability(ensemble, asked)
            tables.append(ensemble.table(architecture=network.name, moment=moment, **columns))
    return pd.concat(tables, ignore_index=True)


def stability(
    ensemble: Ensemble, asked: Sequence[tuple[Tensor, Tensor, Tensor, torch.Generator]]
) -> dict[str, list[float]]:
    """Test error, D, G and R of each member on its own signals.

    D and G are mean squared changes of the outputs, under the deformation and under noise of the
    same mean square, over the mean squared difference between two signals (arXiv:2105.02468).

    Args:
        asked: Signals, the same deformed, labels, and a generator; one a member.
    """
    plain, bent, y = (torch.stack([one[i] for one in asked]) for i in range(3))
    noise = torch.stack([_noise(one[1] - one[0], one[3]) for one in asked])
    with torch.no_grad():
        at, moved, shaken = (
            ensemble.outputs(x.float()).double() for x in (plain, bent, plain + noise)
        )
    others = _square(at - at.roll(1, 1))
    smooth, rough = _square(moved - at), _square(shaken - at)
    error = (at.argmax(-1) != y).double().mean(1)
    columns = {"error": error, "D": smooth / others, "G": rough / others, "R": smooth / rough}
    return {name: values.tolist() for name, values in columns.items()}


def _noise(moves: Tensor, generator: torch.Generator) -> Tensor:
    """Vectors of random direction, all as long as the root mean square of these moves."""
    drawn = torch.randn(moves.shape, generator=generator, dtype=torch.float64)
    return drawn / drawn.norm(dim=1, keepdim=True) * moves.square().sum(1).mean().sqrt()


def _square(changes: Tensor) -> Tensor:
    """Mean over signals of the squared length, (members,)."""
    return changes.square().sum(-1).mean(1)


# Synonyms of the random hierarchy


def hierarchies(
    sizes: Sequence[int],
    seeds: Sequence[int],
    *,
    symbols: int,
    synonyms: int,
    steps: int,
    learner: Learner = ensembles.train,
) -> pd.DataFrame:
    """A row a network ("deep" or "shallow"), training set's size and seed.

    Columns: `error` on held-out inputs; shares of labels that change when a pair becomes a
    `synonym`, or one of another meaning (`other`).
    """
    tables = []
    for samples in sizes:
        sets, asked = zip(
            *(_hierarchy(Hierarchy(symbols, synonyms, seed=seed), samples) for seed in seeds),
            strict=True,
        )
        length = asked[0]["x"].shape[1]
        for network in (tree(length, symbols, 48), flat(length, symbols, 128)):
            schedule = Schedule(steps, batch=min(64, samples), target=0.005)
            ensemble = learner(network, sets, seeds, schedule)
            columns = answers(ensemble, asked)
            tables.append(ensemble.table(network=network.name, samples=samples, **columns))
    return pd.concat(tables, ignore_index=True)


def _hierarchy(problem: Hierarchy, samples: int, test: int = 500) -> tuple[Set, dict[str, Tensor]]:
    """A training set, and what is asked: held-out inputs, their labels and exchanges."""
    rng = np.random.default_rng(problem.seed)
    x, y = problem.draw(samples + test, rng)
    held = x[samples:]
    exchanged = {
        name: problem.encode(problem.exchange(held, rng, synonym=name == "synonym"))
        for name in ("synonym", "other")
    }
    asked = {"x": problem.encode(held), "y": torch.as_tensor(y[samples:])} | exchanged
    return (problem.encode(x[:samples]), torch.as_tensor(y[:samples])), asked


def answers(ensemble: Ensemble, asked: Sequence[dict[str, Tensor]]) -> dict[str, list[float]]:
    """Error of each member on its own inputs, and how often exchanges change its label."""
    own = {name: torch.stack([one[name] for one in asked]) for name in asked[0]}
    before = ensemble.labels(own["x"], own=True)
    shares = {"error": before != own["y"]}
    for name in ("synonym", "other"):
        shares[name] = ensemble.labels(own[name], own=True) != before
    return {name: mask.double().mean(1).tolist() for name, mask in shares.items()}


# Networks that can't see the mean

SIGHTS: dict[str, Callable[[Tensor], Tensor]] = {"seeing": lambda x: x, "blind": without_mean}


def coloured(
    sizes: Sequence[float],
    seeds: Sequence[int],
    arms: Sequence[tuple[str, Kind]],
    *,
    steps: int,
    learner: Learner = ensembles.train,
) -> pd.DataFrame:
    """A row a sight, kind of colour, its size and a seed: its `capture` of the colour.

    Args:
        arms: Sights with kinds of colour.
        sizes: Euclidean norms.
    """
    places = list(_places(arms, sizes))
    sets = {(sight, p): _seen(sight, p) for sight, p in places}
    members = [(place, seed) for place in places for seed in seeds]
    given = [sets[place] for place, _ in members]
    schedule = Schedule(steps, target=0.05)
    ensemble = learner(_perceptron(places[0][1]), given, [s for _, s in members], schedule)
    rows = []
    for start, (sight, problem) in zip(range(0, len(members), len(seeds)), places, strict=True):
        own = ensemble.select(range(start, start + len(seeds)))
        x, (right, y) = problem.swapped(), sets[sight, problem]
        labels = own.labels(SIGHTS[sight](x).float())
        read = success.capture(labels, problem.colour, problem.orientation, x)
        fit = success.accuracy(own.labels(right), y)
        about = {"sight": sight, "kind": problem.kind, "size": problem.size}
        rows.append(own.table(**about, capture=read, accuracy=fit))
    return pd.concat(rows, ignore_index=True)


def _places(
    arms: Sequence[tuple[str, Kind]], sizes: Sequence[float]
) -> Iterator[tuple[str, Coloured]]:
    for sight, kind in arms:
        for size in sizes:
            yield sight, Coloured(kind, size)


def _seen(sight: str, problem: Coloured) -> Set:
    x, y = problem.described()
    return SIGHTS[sight](x).float(), y


def _perceptron(problem: Coloured) -> Architecture:
    """64 hidden ReLUs on the pixels."""
    pixels = problem.shape.size**2

    def build() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(pixels, 64), nn.ReLU(), nn.Linear(64, 1))

    return Architecture("MLP", build, "dense")
