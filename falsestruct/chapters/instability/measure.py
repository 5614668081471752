"""Is a network's instability that of the structure it captured? Sizes, directions, interventions.

Which networks these are, and how they are trained, says `instability.trained`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from falsestruct.instability import decay
from falsestruct.instability.certified import certificate_rows
from falsestruct.instability.gaps import gap_rows, in_plane
from falsestruct.instability.portrait import captures, portrait, universal_shares
from falsestruct.instability.thorough import convolutional
from falsestruct.instability.trained import (
    IMAGES,
    SWEPT,
    VARIANTS,
    cells_of,
    ensembles,
    fitted,
    training_set,
    variant_of,
)
from falsestruct.learning.ensembles import Ensemble, Seeds
from falsestruct.learning.networks import fitting
from falsestruct.problems.planted import registry
from falsestruct.sweep.grid import sweep

PROBLEMS = ("stripes", "oscillation", "digits-brightness")


# Networks


def networks(
    problems: Sequence[str],
    *,
    seeds: Seeds,
    factors: Sequence[float],
    points: int,
    architectures: Sequence[str] = (),
) -> pd.DataFrame:
    """Every architecture at the usual strength, one of them at multiples of it: a row a network.

    Where both structures agree on all labels, and on half of them (ρ). Columns: problem,
    architecture, strength, rho, seed, loss, steps, reached, fitted (accuracy on the own training
    set), and those of `portrait`.

    Args:
        factors: Multiples of the usual strength.
        architectures: Names; the one that `SWEPT` names comes in any case. None: all.
    """
    cells = {name: cells_of(name, (1.0, *factors)) for name in problems}
    grid = [
        {"problem": name, "architecture": own.name, "points": points, "seeds": seeds.of(own)}
        | {"cells": cells[name] if own.name == SWEPT[name] else cells[name][:2]}
        for name in problems
        for own in fitting(registry.by_name(name).direction.shape)
        if not architectures or own.name in (*architectures, SWEPT[name])
    ]
    return sweep(network_point, grid).drop(columns=["seeds", "points"])


def strengths(factors: Sequence[float], *, seeds: int, first: int, points: int) -> pd.DataFrame:
    """MLPs on digits at multiples of the brightness's usual strength: as `networks`, no directions.

    Args:
        first: The first of the seeds.
    """
    name = "digits-brightness"
    common = {"problem": name, "architecture": SWEPT[name], "seeds": seeds, "first": first}
    common |= {"points": points, "directions": False}
    grid = [common | {"cells": cells_of(name, [factor])} for factor in factors]
    return sweep(network_point, grid).drop(columns=["seeds", "first", "points", "directions"])


def network_point(
    *,
    problem: str,
    architecture: str,
    seeds: int,
    points: int,
    cells: list[list[float]],
    first: int = 0,
    directions: bool = True,
) -> pd.DataFrame:
    """One architecture in some cells (strength, ρ): the point of `networks`.

    Directions are looked at, if at all, where the strength is the usual one.
    """
    given, tables = [(strength, rho) for strength, rho in cells], []
    found = ensembles(problem, architecture, given, range(first, first + seeds))
    for (strength, rho), own in zip(given, found, strict=True):
        measured = portrait(
            registry.by_name(problem, strength), own,
            points=_points(own, points),
            directions=directions and strength == registry.STRENGTHS[problem],
        )  # fmt: skip
        sets = [training_set(problem, (strength, rho), seed) for seed in own.seeds]
        facts = own.table(strength=strength, rho=rho, fitted=fitted(own, sets))
        tables.append(facts.join(measured))
    return pd.concat(tables, ignore_index=True)


def _points(own: Ensemble, points: int) -> int:
    """Convolutions cost a hundred times what other networks do: a third of the points."""
    return max(6, points // 3) if convolutional(own) else points


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
    factor, own = variant_of(given, variant, range(seeds))
    found = portrait(given, own, points=points, directions=False)
    return own.table(factor=factor, conflict=(1 - found["capture"]).tolist()).join(found)


def universals(problems: Sequence[str], *, seeds: int, points: int) -> pd.DataFrame:
    """On images, a perturbation for each label: the structure's, the best found, random.

    All of one ℓ∞ size, 1.5 times the structure's median distance; the usual strength, ρ = 1.
    Columns, a row a network: problem, seed, capture, and those of `universal_shares`.
    """
    images = [name for name in problems if name in IMAGES]
    grid = [{"problem": name, "seeds": seeds, "points": points} for name in images]
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
    """Some networks of `gaps`."""
    return gap_rows(*in_plane(rho, range(seeds)), points=points, solved=solved)


def certificates(*, seeds: Seeds, first: int, points: int) -> pd.DataFrame:
    """What HiGHS proves of the digits' MLPs, at ρ = 1 and 1/2: rho, and `certificate_rows`.

    Of the first `seeds.slow` of those that `strengths` has at the usual strength.
    """
    common = {"seeds": seeds.slow, "trained": seeds.fast, "first": first, "points": points}
    table = sweep(certificate_point, [common | {"rho": rho} for rho in (1.0, 0.5)])
    return table.drop(columns=[*common])


def certificate_point(
    *, rho: float, seeds: int, trained: int, first: int, points: int
) -> pd.DataFrame:
    """Up to half of the brightness's distance where networks read it."""
    given = registry.by_name("digits-brightness")
    known = range(first, first + max(seeds, trained))  # as `strengths`: then they train once
    (own,) = ensembles(given.name, SWEPT[given.name], [(given.strength, rho)], known)
    own = own.select(range(seeds))
    return certificate_rows(given, own, points=points, half=rho == 1)


# Weight decay


def decays(values: Sequence[float], *, seeds: int, first: int, points: int) -> pd.DataFrame:
    """Readers of the orientation, trained with a weight decay: a row a network, of `decay.decayed`.

    The last row, without a decay, is the network that is built by hand.
    """
    grid = [{"value": v, "seeds": seeds, "first": first, "points": points} for v in values]
    table = sweep(decay_point, grid).drop(columns=["value", "seeds", "first", "points"])
    return pd.concat([table, decay.by_hand(points=points)], ignore_index=True)


def decay_point(*, value: float, seeds: int, first: int, points: int) -> pd.DataFrame:
    """One weight decay."""
    return decay.decayed(value, seeds=range(first, first + seeds), points=points)
