"""A network beside a planted false structure: what it reads, and how far it is from flipping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import success
from falsestruct.instability import attacks, rules, universal
from falsestruct.instability.attacks import Attack
from falsestruct.instability.rules import SEED, towards
from falsestruct.instability.thorough import LARGE, effort, thorough
from falsestruct.learning.ensembles import Ensemble
from falsestruct.problems.planted import Planted, Set, registry

BEYOND = 1.5  # in units of its distance, the false structure's own perturbation that is tried
CONFLICTS = {"stripes": 60, "oscillation": 500, "digits-brightness": 240}  # inputs of it
CHECKS = ("surviving", "rise", "black_box", "gradients")  # of `attacks.sanity`


def portrait(
    problem: Planted, own: Ensemble, *, points: int, directions: bool = True
) -> pd.DataFrame:
    """What members read and how far each is from flipping: one row a member.

    On `points` inputs that training did not see, where the problem has such, and on which both
    structures agree. Columns:

    - capture: share of the conflict set read by the false structure; success: accuracy;
    - radius: ℓ∞ distance of the false structure, median; size_0, size_1: of the attack, median over
      the points of each label; size: their geometric mean; ratio_0, ratio_1: medians of size over
      distance. Sizes end at `LARGE`;
    - own, random: shares flipped by 1.5 times the structure's smallest perturbation, and by random
      signs of that size; robust: accuracy up to that size;
    - sane, surviving, rise, black_box, gradients: of `attacks.sanity`, for all members at once;
    - with directions, cosine: median |cos| of the ℓ2 perturbation and the structure's normal, over
      the points where one was found; NaN where none was. On images excess and weak, of
      `thorough.effort`, at the first point of each label.
    """
    x, y = held_out(problem, points)
    found = thorough(own, x.float(), "linf")
    columns: dict[str, Any] = {
        "capture": captures(problem, own),
        "success": success.accuracy(own.labels(x.float()), y),
        **_sizes(problem, x, y, found),
        **_shares(problem, own, x),
        **_sanity(problem, own, (x, y), found),
    }
    if directions:
        l2 = thorough(own, x.float(), "l2")
        columns["cosine"] = cosines(problem, l2).nanquantile(0.5, dim=1)
        if x.ndim > 2:
            few = [int((y == label).nonzero()[0]) for label in (0, 1)]
            gains = effort(own, x[few].float(), found.size[:, few])
            columns |= dict(zip(("excess", "weak"), gains, strict=True))
    return pd.DataFrame({name: np.asarray(value) for name, value in columns.items()})


def held_out(problem: Planted, points: int) -> Set:
    """Inputs that are attacked, and their labels."""
    return problem.draw(points, torch.Generator().manual_seed(SEED), held_out=True)


def captures(problem: Planted, own: Ensemble) -> Tensor:
    """Share of the conflict set that each member reads by the false structure, (members,)."""
    x, _ = problem.conflict_set(CONFLICTS.get(problem.name, 400), _generator())
    return success.capture(own.labels(x.float()), problem.false, problem.original, x)


def cosines(problem: Planted, attack: Attack) -> Tensor:
    """|cos| of each perturbation and the false structure's normal: (members, samples), float64.

    NaN where no perturbation was found: nothing has no direction.
    """
    eta = attack.perturbation.double().flatten(2)
    return (eta @ problem.direction.flatten()).abs() / eta.norm(dim=2)


def chance(problem: Planted) -> float:
    """Mean |cos| of a random direction in d inputs and a fixed one: Γ(d/2) / (√π Γ((d+1)/2))."""
    d = problem.direction.numel()
    return math.exp(math.lgamma(d / 2) - math.lgamma((d + 1) / 2)) / math.sqrt(math.pi)


def chance_on(name: str) -> float:
    """`chance` on the problem of this name."""
    return chance(registry.by_name(name))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED + 1)


def _sizes(problem: Planted, x: Tensor, y: Tensor, attack: Attack) -> dict[str, Any]:
    radius, size = problem.distance(x, "linf"), attack.size.clamp(max=LARGE)
    columns: dict[str, Any] = {"radius": radius.quantile(0.5).expand(len(size))}
    for label in (0, 1):
        own = y == label
        columns[f"size_{label}"] = size[:, own].quantile(0.5, dim=1)
        columns[f"ratio_{label}"] = (size[:, own] / radius[own]).quantile(0.5, dim=1)
    return columns | {"size": (columns["size_0"] * columns["size_1"]).sqrt()}


def _shares(problem: Planted, own: Ensemble, x: Tensor) -> dict[str, Any]:
    signs = torch.randn(x.shape, dtype=torch.float64, generator=_generator()).sign()
    eta = BEYOND * towards(problem, x)
    moved = {"own": eta, "random": eta.abs().amax() * signs}
    return {name: _flipped(own, x, step) for name, step in moved.items()}


def _flipped(own: Ensemble, x: Tensor, step: Tensor) -> Tensor:
    """Share of labels that a step flips, (members,)."""
    return (own.labels(x.float()) != own.labels((x + step).float())).double().mean(1)


def _sanity(problem: Planted, own: Ensemble, data: Set, attack: Attack) -> dict[str, Any]:
    x, y = data
    right = own.labels(x.float()) == y.long()
    epsilon = BEYOND * problem.distance(x, "linf").median().item()
    check = attacks.sanity(own.outputs, x.float(), y, attack=attack, large=LARGE)
    # An infinite rise (nothing was found at all) is no number that a table can hold.
    values = {n: torch.tensor(min(getattr(check, n).value, 1e3)) for n in CHECKS}
    same = {"sane": torch.tensor(check.holds)} | values
    return {"robust": attacks.robust_accuracy(attack, right, epsilon)} | {
        name: value.expand(len(own)) for name, value in same.items()
    }


def universal_shares(problem: Planted, own: Ensemble, *, points: int) -> pd.DataFrame:
    """Shares of labels flipped by perturbations of one ℓ∞ size, one for each label.

    Columns: own, by the structure's direction; found, by the best that a search finds; random, by
    the best of ten with random signs.
    """
    x, _ = held_out(problem, points)
    size = BEYOND * problem.distance(x, "linf").median().item()
    found = universal.universal_perturbations(
        own.outputs, x.float(), norm="linf", size=size, members=len(own), per_label=True
    )
    random = [universal.random_like(found, seed=seed) for seed in range(10)]
    shares = [universal.flipped_share(own.outputs, x.float(), one) for one in (found, *random)]
    columns = {
        "own": _flipped(own, x, (size * towards(problem, x).sign()).double()),
        "found": shares[0],
        "random": torch.stack(shares[1:]).amax(0),
    }
    return pd.DataFrame({name: np.asarray(value) for name, value in columns.items()})


def by_hand(problems: Sequence[str], *, points: int) -> pd.DataFrame:
    """The structures measured as if they were networks: problem, rule, and those of `portrait`.

    Without directions. For the original parity of the digits there is no network: it compares with
    all images.
    """
    tables = []
    for name in problems:
        problem = registry.by_name(name)
        known = {"false": rules.false_rule(problem), "original": rules.ORIGINALS.get(name)}
        for rule, outputs in known.items():
            if outputs is not None:
                found = portrait(problem, Ensemble(outputs, (0,)), points=points, directions=False)
                tables.append(found.assign(problem=name, rule=rule, strength=problem.strength))
    return pd.concat(tables, ignore_index=True)
