"""Chapter 05's table for networks built by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import pandas as pd
import torch
from torch import Tensor

from falsestruct import success as measures
from falsestruct.chapters.success import measure as experiment
from falsestruct.learning.ensembles import Ensemble
from falsestruct.problems.planted import Planted

SEEDS = 6  # the interval of six of six lies above one half
BOTH = ("linear", "2-104-1")
GRID = experiment.grid(
    experiment.Seeds(SEEDS, SEEDS, SEEDS), swept=BOTH, agreements=(), varied=BOTH, coarse=()
)
Rule = Callable[[Planted, Tensor, float], Tensor]  # problem, inputs, ρ in training → labels


def follow_original(given: Planted, x: Tensor, rho: float) -> Tensor:
    return given.original(x)


def follow_false(given: Planted, x: Tensor, rho: float) -> Tensor:
    return given.false(x)


def conjecture(given: Planted, x: Tensor, rho: float) -> Tensor:
    """The world that the chapter's claims describe: false where it fits, else the original."""
    return given.false(x) if rho == 1 else given.original(x)


def constant(given: Planted, x: Tensor, rho: float) -> Tensor:
    return torch.zeros(len(x), dtype=torch.long)


def mixture(share: float) -> Rule:
    """False on a share of the inputs, chosen by a component that interventions don't touch."""

    def rule(given: Planted, x: Tensor, rho: float) -> Tensor:
        return torch.where(_low(given, x, share), given.false(x), given.original(x))

    return rule


def _low(given: Planted, x: Tensor, share: float) -> Tensor:
    noise = torch.randn(given.direction.shape, generator=torch.Generator().manual_seed(9)).double()
    noise -= (noise * given.direction).sum() * given.direction
    value = measures.component(given, x, along=noise) * 1e4
    return value - value.floor() < share  # a hash: the same share in every part of the data


@cache
def original_world() -> pd.DataFrame:
    """The world in which the chapter's claims are false; don't change the table."""
    return world(follow_original)


def by_hand(given: Planted, rule: Rule, rho: float, seeds: Sequence[int]) -> Ensemble:
    """Networks that follow a rule."""

    def outputs(x: Tensor) -> Tensor:
        if x.stride(0) == 0:  # the same inputs for all members
            labels = rule(given, x[0], rho).expand(len(x), -1)
        else:
            labels = torch.stack([rule(given, own, rho) for own in x])
        return labels - 0.5

    return Ensemble(outputs, tuple(seeds))


def world(rule: Rule, grid: list[dict] = GRID) -> pd.DataFrame:
    """The chapter's table, with networks built by hand; architectures differ in name only."""
    tables, found = [], {}
    for point, rho in ((p, rho) for p in grid for rho in p["rhos"]):
        name, strength, seeds = (point[k] for k in ("problem", "strength", "seeds"))
        key = (name, strength, rho)
        if key not in found:
            given = experiment.plant(name, strength)
            sets = experiment.training_sets(name, given, rho, seeds)
            own = by_hand(given, rule, rho, seeds)
            found[key] = experiment.measure(name, given, own, sets, rho=rho)
        about = {k: point[k] for k in ("problem", "architecture", "strength")}
        about = pd.DataFrame(about | {"rho": rho, "seed": seeds, "loss": 0.0})
        tables.append(about.join(found[key]))
    return pd.concat(tables, ignore_index=True)
