"""Is a network's instability that of the structure it captured? Sizes, directions, interventions.

Training and measuring are apart: `portrait` asks an `Ensemble`, trained or built by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pandas as pd
import torch

from falsestruct.instability import rules
from falsestruct.instability.gaps import gap_rows, plane_table
from falsestruct.instability.portrait import captures, portrait, universal_shares
from falsestruct.instability.rules import SEED
from falsestruct.learning import training
from falsestruct.learning.ensembles import Ensemble, Seeds, ensemble, train
from falsestruct.learning.networks import by_name, fitting
from falsestruct.learning.training import Adversary, Schedule
from falsestruct.problems.planted import Planted, registry
from falsestruct.sweep.grid import sweep

PROBLEMS = ("stripes", "oscillation", "digits-brightness")
# One architecture a problem trains at every strength; the others at the usual one only.
SWEPT = {"stripes": "MLP", "oscillation": "2-104-1", "digits-brightness": "MLP"}
SAMPLES = {"stripes": 60, "oscillation": 500, "digits-brightness": 240}
SCHEDULES = {
    "stripes": Schedule(1_500, target=1e-3),
    "oscillation": Schedule(2_500, batch=50, target=1e-2, learning_rate=5e-3),
    "digits-brightness": Schedule(700, target=1e-2),
}
VARIANTS = ("plain", "faint", "noise", "adversary")  # ways of training
ADVERSARY = {"stripes": 2.0, "oscillation": 1.5, "digits-brightness": 1.5}  # sizes in radii
ASCENT = {"stripes": 4, "oscillation": 2, "digits-brightness": 3}  # steps of the adversary
FAINT = 0.1  # the control's adversary, in radii
COPIES = 5  # of each sample, each with its own noise

Cell = tuple[float, float]  # strength, ρ


# Networks


def ensembles(
    problem: str, architecture: str, cells: Sequence[Cell], seeds: Sequence[int]
) -> list[Ensemble]:
    """Networks trained at each cell (strength, ρ), all in lockstep: one ensemble a cell.

    Those that most measurements share are trained once a process: the architecture that `SWEPT`
    names, at the usual strength and ρ = 1.
    """
    common = registry.STRENGTHS[problem], 1.0
    found = {}
    if architecture == SWEPT[problem] and common in cells:
        found[common] = _shared(problem, tuple(seeds))
    rest = [cell for cell in cells if cell not in found]
    if rest:
        found |= zip(rest, _lockstep(problem, architecture, rest, seeds), strict=True)
    return [found[cell] for cell in cells]


@cache
def _shared(problem: str, seeds: tuple[int, ...]) -> Ensemble:
    return _lockstep(problem, SWEPT[problem], [(registry.STRENGTHS[problem], 1.0)], seeds)[0]


def _lockstep(
    problem: str, architecture: str, cells: Sequence[Cell], seeds: Sequence[int]
) -> list[Ensemble]:
    sets = [training_set(problem, cell, seed) for cell in cells for seed in seeds]
    network = by_name(architecture, fitting(registry.by_name(problem).direction.shape))
    trained = train(network, sets, [*seeds] * len(cells), SCHEDULES[problem])
    n = len(seeds)
    return [trained.select(range(i * n, (i + 1) * n)) for i in range(len(cells))]


def training_set(problem: str, cell: Cell, seed: int) -> training.Set:
    """The training set of one seed at a strength and ρ."""
    strength, rho = cell
    generator = torch.Generator().manual_seed(seed)
    return registry.by_name(problem, strength).draw(SAMPLES[problem], generator, rho=rho)


def networks(
    problems: Sequence[str],
    *,
    seeds: Seeds,
    factors: Sequence[float],
    points: int,
    architectures: Sequence[str] = (),
) -> pd.DataFrame:
    """Every architecture at the usual strength, one of them at multiples of it: a row a network.

    ρ is 1 and 1/2, for that one at the usual strength 0.9 too. Columns: problem, architecture,
    strength, rho, seed, loss, steps, reached, and those of `portrait`.

    Args:
        architectures: Names; the one that `SWEPT` names comes in any case. None: all.
    """
    cells = [(1.0, 1.0), (1.0, 0.5)]
    more = [(1.0, 0.9), *((f, rho) for f in factors if f != 1 for rho in (1.0, 0.5))]
    grid = [
        {"problem": name, "architecture": own.name, "points": points, "seeds": seeds.of(own)}
        | {"cells": [[f * registry.STRENGTHS[name], rho] for f, rho in cells + swept * more]}
        for name in problems
        for own in fitting(registry.by_name(name).direction.shape)
        for swept in [own.name == SWEPT[name]]
        if not architectures or own.name in (*architectures, SWEPT[name])
    ]
    return sweep(network_point, grid).drop(columns=["seeds", "points"])


def network_point(
    *, problem: str, architecture: str, seeds: int, points: int, cells: list[list[float]]
) -> pd.DataFrame:
    """One architecture in some cells (strength, ρ): the point of `networks`.

    Directions are looked at where the strength is the usual one.
    """
    given, tables = [(strength, rho) for strength, rho in cells], []
    found = ensembles(problem, architecture, given, range(seeds))
    for (strength, rho), own in zip(given, found, strict=True):
        measured = portrait(
            registry.by_name(problem, strength), own,
            points=_points(own, points), directions=strength == registry.STRENGTHS[problem],
        )  # fmt: skip
        tables.append(own.table(strength=strength, rho=rho).join(measured))
    return pd.concat(tables, ignore_index=True)


def _points(own: Ensemble, points: int) -> int:
    """Large convolutions cost a hundred times what other networks do: a third of the points."""
    assert own.trained is not None
    large = own.trained.architecture.engine == "looped" and len(own.trained.parameters) > 4
    return max(6, points // 3) if large else points


# Interventions: training against an adversary, and perturbations that are the same for all inputs


def adversaries(problems: Sequence[str], *, seeds: int, points: int) -> pd.DataFrame:
    """Training plain, against an adversary, against a faint one, with noise: a row a network.

    Columns: problem, variant (of `VARIANTS`), factor (size by radius), seed, loss, steps, reached,
    conflict (accuracy on the conflict set), and those of `portrait`.
    """
    grid = [
        {"problem": name, "variant": variant, "seeds": seeds, "points": points}
        for name in problems
        for variant in VARIANTS
    ]
    return sweep(adversary_point, grid).drop(columns=["seeds", "points"])


def adversary_point(*, problem: str, variant: str, seeds: int, points: int) -> pd.DataFrame:
    """The networks of one way of training at the usual strength: the point of `adversaries`."""
    given = registry.by_name(problem)
    factor, own = _variant(given, variant, range(seeds))
    found = portrait(given, own, points=points, directions=False)
    return own.table(factor=factor, conflict=(1 - found["capture"]).tolist()).join(found)


def _variant(problem: Planted, variant: str, seeds: Sequence[int]) -> tuple[float, Ensemble]:
    """Size by radius of what is added in training, and networks trained so.

    All use the architecture that `SWEPT` names. Noise: each sample several times, each time with
    random signs of the adversary's size on all inputs.
    """
    name, cell = problem.name, (problem.strength, 1.0)
    if variant == "plain":
        return 0.0, ensembles(name, SWEPT[name], [cell], seeds)[0]
    factor = FAINT if variant == "faint" else ADVERSARY[name]
    sets = [training_set(name, cell, seed) for seed in seeds]
    size = factor * problem.distance(training_set(name, cell, 0)[0], "linf").median().item()
    schedule = SCHEDULES[name]
    if variant == "noise":
        sets = [_noisy(pair, size, seed) for seed, pair in zip(seeds, sets, strict=True)]
    else:
        schedule = replace(schedule, adversary=Adversary("linf", size, ASCENT[name]))
    network = by_name(SWEPT[name], fitting(problem.direction.shape))
    return factor, train(network, sets, seeds, schedule)


def _noisy(pair: training.Set, size: float, seed: int) -> training.Set:
    generator = torch.Generator().manual_seed(SEED + seed)
    x, y = pair[0].repeat(COPIES, *[1] * (pair[0].ndim - 1)), pair[1].repeat(COPIES)
    return x + size * torch.randn(x.shape, dtype=x.dtype, generator=generator).sign(), y


def universals(problems: Sequence[str], *, seeds: int, points: int) -> pd.DataFrame:
    """A perturbation for each label: the structure's, the best found, random; a row a network.

    All of one ℓ∞ size, 1.5 times the structure's median distance; the usual strength, ρ = 1.
    Columns: problem, seed, capture, and those of `universal_shares`.
    """
    grid = [{"problem": name, "seeds": seeds, "points": points} for name in problems]
    return sweep(universal_point, grid).drop(columns=["seeds", "points"])


def universal_point(*, problem: str, seeds: int, points: int) -> pd.DataFrame:
    """The networks of one problem: the point of `universals`."""
    given = registry.by_name(problem)
    (own,) = ensembles(problem, SWEPT[problem], [(given.strength, 1.0)], range(seeds))
    table = universal_shares(given, own, points=points)
    return table.assign(seed=own.seeds, capture=captures(given, own).numpy())


# The attack against exact distances


def gaps(*, seeds: Seeds, points: int, solved: int) -> pd.DataFrame:
    """The attack against exact distances on the oscillation networks: a row a network and norm.

    Those trained at ρ = 1; and `seeds.slow` at ρ = 1/2, on two points, as their distances are large
    and so take long. Columns: rho, seed, norm, and those of `gap_rows`.

    Args:
        solved: Points at which HiGHS solves the ℓ∞ problem too.
    """
    grid = [
        {"rho": 1.0, "seeds": seeds.fast, "points": points, "solved": solved},
        {"rho": 0.5, "seeds": seeds.slow, "points": 2, "solved": 0},
    ]
    return sweep(gap_point, grid).drop(columns=["seeds", "points", "solved"])


def gap_point(*, rho: float, seeds: int, points: int, solved: int) -> pd.DataFrame:
    """Some networks of `gaps`, in double precision."""
    given, own = _in_plane(rho, range(seeds))
    assert own.trained is not None
    values = {key: value.double() for key, value in own.trained.parameters.items()}
    precise = ensemble(replace(own.trained, parameters=values))
    return gap_rows(given, precise, points=points, solved=solved)


def _in_plane(rho: float, seeds: Sequence[int]) -> tuple[Planted, Ensemble]:
    given = registry.by_name("oscillation")
    return given, ensembles(given.name, SWEPT[given.name], [(given.strength, rho)], seeds)[0]


def plane(*, points: int, cells: int) -> pd.DataFrame:
    """`gaps.plane_table` of the network of seed 0 at the usual strength and ρ = 1."""
    return plane_table(*_in_plane(1.0, [0]), points=points, cells=cells)


# The structures themselves


def by_hand(*, points: int) -> pd.DataFrame:
    """The structures measured as if they were networks: problem, rule, and those of `portrait`.

    For the original parity of the digits there is no network: it compares with all images.
    """
    tables = []
    for name in PROBLEMS:
        problem = registry.by_name(name)
        known = {"false": rules.false_rule(problem), "original": rules.ORIGINALS.get(name)}
        for rule, outputs in known.items():
            if outputs is not None:
                found = portrait(problem, Ensemble(outputs, (0,)), points=points)
                tables.append(found.assign(problem=name, rule=rule, strength=problem.strength))
    return pd.concat(tables, ignore_index=True)
