"""Chapter 06's tables for networks built by hand.

Worlds are "false", where the conjecture holds, and "original", where no network reads another one.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.chapters.instability import evidence as estimates
from falsestruct.chapters.instability import measure as experiment
from falsestruct.evidence import Claims
from falsestruct.instability import rules
from falsestruct.instability.attacks import Outputs
from falsestruct.instability.compared import FAINT
from falsestruct.instability.portrait import by_hand, portrait
from falsestruct.instability.trained import SWEPT
from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.networks import fitting
from falsestruct.problems.planted import Planted, registry
from falsestruct.problems.planted.registry import STRENGTHS

SEEDS = 10
UNSEEN = dict.fromkeys(("cosine", "excess", "weak"), np.nan)  # away from the usual strength
POINTS = 14


@cache
def hand() -> pd.DataFrame:
    """The structures as networks."""
    return by_hand(experiment.PROBLEMS, points=POINTS)


def claims(world: str) -> Claims:
    """Estimate and control of every claim of the chapter, in a world."""
    tables = table(world)
    return {
        **estimates.board(tables),
        **estimates.of_structures(points=POINTS),
        **estimates.of_attack(gap_table()),
        **estimates.of_readers(tables, hand()),
        **estimates.of_directions(tables, universal_table(world)),
        **estimates.of_adversaries(adversary_table(world)),
        **estimates.of_effort(tables),
        **estimates.of_faint(tables, points=POINTS),
        **estimates.of_certificates(certificate_table(world)),
        **estimates.of_decay(decay_table(world)),
    }


def universal_table(world: str) -> pd.DataFrame:
    """In the world of false structures their own direction is the best one."""
    share = {"own": 1.0, "found": 1.0} if world == "false" else {"own": 0.0, "found": 0.1}
    return pd.DataFrame([
        {"problem": name, "seed": seed, "capture": float(world == "false"), "random": 0.0, **share}
        for name in ("stripes", "digits-brightness")
        for seed in range(SEEDS)
    ])  # fmt: skip


@cache
def table(world: str) -> pd.DataFrame:
    """`network_table`, made once; don't change it."""
    return network_table(world)


def network_table(world: str) -> pd.DataFrame:
    """Networks of a world: what reads what, after training at ρ = 1 and at ρ = 1/2."""
    tables = []
    for name in experiment.PROBLEMS:
        for factor in (0.125, 1.0, 2.0, *([FAINT] if name.startswith("digits") else [])):
            problem = registry.by_name(name, factor * STRENGTHS[name])
            original = rows_of(rules.ORIGINALS.get(name, parity_by_hand), problem)
            reads = world == "false" and factor >= FAINT  # not the faintest signal
            agreeing = rows_of(rules.false_rule(problem), problem) if reads else original
            names = [a.name for a in fitting(problem.direction.shape)] if factor == 1.0 else []
            for architecture in names or [SWEPT[name]]:
                for rho, own in ((1.0, agreeing), (0.5, original)):
                    varied = _varied(own, seed=len(tables))
                    tables.append(varied.assign(architecture=architecture, rho=rho))
    return pd.concat(tables, ignore_index=True)


def rows_of(outputs: Outputs, problem: Planted) -> pd.DataFrame:
    """One network that was built by hand, as a table of ten that were trained."""
    usual = problem.strength == STRENGTHS[problem.name]
    row = portrait(problem, Ensemble(outputs, (0,)), points=POINTS, directions=usual)
    table = pd.concat([row.assign(**({} if usual else UNSEEN))] * SEEDS, ignore_index=True)
    given = {"problem": problem.name, "strength": problem.strength}
    return table.assign(seed=range(SEEDS), steps=100, reached=True, fitted=1.0, **given)


def _varied(table: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Networks and architectures are never quite equal."""
    rng = np.random.default_rng(seed)
    size, cosine = (rng.uniform(*ends, len(table)) for ends in ((0.999, 1.001), (0.95, 1.0)))
    return table.assign(size=table["size"] * size, cosine=table["cosine"] * cosine)


def parity_by_hand(x: Tensor) -> Tensor:
    """Parity of the nearest image, as a differentiable score: distance to even less to odd."""
    even, odd = (torch.cdist(_bare(x), own[None].expand(len(x), -1, -1)) for own in _pools())
    return (even.amin(-1) - odd.amin(-1)).to(x.dtype)


@cache
def _pools() -> tuple[Tensor, Tensor]:
    """Even and odd images without their brightness."""
    problem = registry.by_name("digits-brightness")
    pool, _ = problem.draw(300, torch.Generator().manual_seed(0))
    odd = problem.original(pool) == 1
    return _bare(pool[~odd]), _bare(pool[odd])


def _bare(images: Tensor) -> Tensor:
    flat = registry.by_name("digits-brightness").direction.flatten()
    own = images.double().flatten(-2)
    return own - (own @ flat)[..., None] * flat


def adversary_table(world: str) -> pd.DataFrame:
    """Variants of training: in the world of false structures the adversary changes nothing."""
    parts = []
    for name in experiment.PROBLEMS:
        for variant in ("plain", "adversary", "faint", "noise"):
            own = pd.DataFrame({"seed": range(SEEDS)})
            capture = 1.0 if world == "false" else 0.0
            parts.append(
                own.assign(problem=name, variant=variant, capture=capture, conflict=1 - capture)
                .assign(success=1.0, steps=100, robust=0.0)
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def gap_table() -> pd.DataFrame:
    rows = {"worst": 0.0, "middle": 0.0, "near": 0.0, "weak": 0.5, "mirrored": 0.5, "other": 3.0}
    return pd.DataFrame(
        [{"rho": rho, "seed": seed, **rows} for rho in (1.0, 0.5) for seed in range(3)]
    )


def certificate_table(world: str) -> pd.DataFrame:
    """The brightness read at its own distance, or not at all."""
    reads, shares = world == "false", ("half_0", "half_1", "kept_0", "kept_1")
    return pd.DataFrame([
        {"rho": rho, "seed": seed, "capture": float(reads and rho == 1), "within": 1.0}
        | {"beyond": 0.0 if rho < 1 else np.nan}
        | dict.fromkeys(shares, float(reads and rho == 1))
        for rho in (1.0, 0.5)
        for seed in range(SEEDS)
    ])  # fmt: skip


def decay_table(world: str) -> pd.DataFrame:
    """Orientation rules whatever the decay is; or nobody who reads the orientation."""
    rng, facts = (
        np.random.default_rng(0),
        {"right": 1.0, "euclid": 6.0, "cost": 2.0, "peak": 1.0, "loss": 0.1},
    )
    capture = float(world == "false")
    rows = [
        {"seed": seed, "decay": decay, "capture": capture, "size": 0.5 * rng.uniform(0.99, 1.01)}
        for decay in (0.0, 0.1, 10.0)
        for seed in range(SEEDS)
    ]
    hand = {"capture": 0.0, "size": 0.36}
    return pd.DataFrame([*rows, hand]).assign(**facts)
