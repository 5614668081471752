"""How far an attack's sizes are above the exact distances, in the plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.evidence import where
from falsestruct.instability import attacks, exact, rules
from falsestruct.instability.attacks import Norm
from falsestruct.instability.exact import Dense
from falsestruct.instability.rules import SEED, towards
from falsestruct.instability.thorough import LARGE, thorough
from falsestruct.instability.trained import SWEPT, ensembles
from falsestruct.learning.ensembles import Ensemble, ensemble
from falsestruct.problems.planted import Planted, Set, registry
from falsestruct.problems.planted.oscillation import oscillation

FAR = 10.0  # where exact distances end: some networks give all inputs the same label


def some_data(problem: Planted, points: int) -> Set:
    """The first of a hundred samples."""
    x, y = problem.draw(100, torch.Generator().manual_seed(SEED))
    return x[:points], y[:points]


def gap_rows(problem: Planted, own: Ensemble, *, points: int, solved: int) -> pd.DataFrame:
    """Attack and exact distance of trained networks of two inputs: a row a network and norm.

    Columns: seed, norm; sizes, of either kind, end at `FAR`:

    - worst, middle: largest and median excess of the attack's size over the exact one; near: the
      largest where the exact one is below `LARGE`, 0 if it is nowhere; weak: the largest for one
      start of five steps, at most 1, where it finds nothing;
    - solver: largest relative difference between the two exact ways; binaries: of the largest
      program;
    - mirrored, other: largest exact size in units of twice the false structure's distance, over the
      points that the network reads as that structure together with their mirror images, and over
      all others; 0 if there is none.
    """
    assert own.trained is not None, "rules built by hand have no layers"
    x, _ = some_data(problem, points)
    read, rows = _read_with_mirror(problem, own, x), []
    norms: tuple[Norm, ...] = ("linf", "l2")
    for norm in norms:
        strong = thorough(own, x, norm)
        weak = attacks.smallest_perturbations(
            own.outputs, x, norm=norm, members=len(own), starts=1, steps=5
        )
        twice = 2 * problem.distance(x, norm).numpy()
        for member, seed in enumerate(own.seeds):
            network = exact.dense(own.trained, member)
            sizes, other = (a.size[member].clamp(max=FAR).numpy() for a in (strong, weak))
            best, reads = exact_sizes(network, x, sizes, norm), read[member].numpy()
            excess, count = sizes / best - 1, solved if norm == "linf" else 0
            rows.append(
                {"seed": seed, "norm": norm, "worst": excess.max(), "middle": np.median(excess)}
                | {"near": excess[best < LARGE].max(initial=0)}
                | {"weak": min((other / best - 1).max(), 1.0)}
                | _solved(network, x[:count], best[:count])
                | {"mirrored": (best / twice)[reads].max(initial=0)}
                | {"other": (best / twice)[~reads].max(initial=0)}
            )
    return pd.DataFrame(rows)


def exact_sizes(network: Dense, x: Tensor, sizes: np.ndarray, norm: Norm) -> np.ndarray:
    """Exact distances (samples,) within the sizes that an attack found, in the plane.

    Where there is none within `FAR`, that.
    """
    found = [
        exact.smallest_in_plane(network, point, norm=norm, radius=1.000001 * size)
        for point, size in zip(x.numpy(), sizes, strict=True)
    ]
    return np.minimum([one.size for one in found], FAR)


def _solved(network: Dense, x: Tensor, best: np.ndarray) -> dict[str, float]:
    """HiGHS against the list of pieces."""
    found = [
        exact.smallest_linf(network, point, radius=1.01 * size)
        for point, size in zip(x.numpy(), best, strict=True)
    ]
    differences = [abs(one.size / size - 1) for one, size in zip(found, best, strict=True)]
    return {
        "solver": max(differences, default=0.0),
        "binaries": max((one.pieces for one in found), default=0),
    }


def _read_with_mirror(problem: Planted, own: Ensemble, x: Tensor) -> Tensor:
    """Mask (members, samples): where a member labels x and its mirror image as `false` does."""
    here, there = (
        own.labels(point) == problem.false(point) for point in (x, x + 2 * towards(problem, x))
    )
    return here & there


def in_plane(rho: float, seeds: Sequence[int]) -> tuple[Planted, Ensemble]:
    """The oscillation at its usual strength, networks trained at this ρ, in double precision."""
    given = registry.by_name("oscillation")
    (own,) = ensembles(given.name, SWEPT[given.name], [(given.strength, rho)], seeds)
    assert own.trained is not None
    values = {key: value.double() for key, value in own.trained.parameters.items()}
    return given, ensemble(replace(own.trained, parameters=values))


def plane_table(problem: Planted, own: Ensemble, *, points: int, cells: int) -> pd.DataFrame:
    """The first network of an ensemble in the plane.

    Its labels on `cells` × `cells` points, and exact smallest ℓ2 perturbations of `points` samples,
    each at most four times as long as the false signal. Columns: kind ("map", "point"), x1, x2,
    label, to1, to2 (the end of the perturbation), level (of the false structure's boundary).
    """
    assert own.trained is not None, "rules built by hand have no layers"
    network = exact.dense(own.trained, 0)
    x = some_data(problem, points)[0].numpy()
    across = np.linspace(x[:, 0].min() - 0.01, x[:, 0].max() + 0.01, cells)
    up = np.linspace(-0.5 * problem.strength, 1.5 * problem.strength, cells)
    mesh = np.stack(np.meshgrid(across, up), 2).reshape(-1, 2)
    far = 4 * problem.strength
    ends = [p + exact.smallest_in_plane(network, p, norm="l2", radius=far).perturbation for p in x]
    to1, to2 = np.stack(ends).T
    parts = [
        pd.DataFrame({"x1": z[:, 0], "x2": z[:, 1], "label": (network(z) > 0).astype(int)} | more)
        for z, more in (
            (mesh, {"kind": "map"}), (x, {"to1": to1, "to2": to2, "kind": "point"})
        )
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True).assign(level=problem.level)


def plane(*, points: int, cells: int) -> pd.DataFrame:
    """`plane_table` of the network of seed 0 at the usual strength and ρ = 1."""
    return plane_table(*in_plane(1.0, [0]), points=points, cells=cells)


def masked(*, points: int) -> dict[str, float]:
    """An attack on `rules.oscillation_network`, flat on the data, and the exact distances.

    Shares of points: missed_one, missed_many, where the attack finds nothing from one start and
    from 24; flat_masked, without a gradient, as the sanity check sees it. And ratio_masked, the
    median of the exact distance by the hint's. All ℓ2.
    """
    problem, rule = oscillation(), rules.oscillation_rule
    x, y = some_data(problem, points)
    one, many = (
        attacks.smallest_perturbations(rule, x, norm="l2", members=1, starts=starts)
        for starts in (1, 24)
    )
    check = attacks.sanity(rule, x, y, attack=many, large=LARGE)
    found = exact_sizes(rules.oscillation_network(), x, np.ones(len(x)), "l2")
    return {
        "missed_one": one.size.isinf().double().mean().item(),
        "missed_many": many.size.isinf().double().mean().item(),
        "flat_masked": check.gradients.value,
        "ratio_masked": float(np.median(found / problem.distance(x, "l2").numpy())),
    }


def said(table: pd.DataFrame) -> dict[str, float]:
    """Excesses in percent, HiGHS against the list, the mirror's share.

    gap_hinted: of networks trained with the hint. gap_near: where distances are below `LARGE`.
    """
    return {
        **{f"gap_{name}": 100 * table[name].max() for name in ("worst", "near")},
        "gap_hinted": 100 * max(where(table, rho=1.0)["worst"].max(), 0.0),
        "solver": table["solver"].max(),
        "binaries": float(table["binaries"].max()),
        "mirrored": 2 * table["mirrored"].max(),
        "large": LARGE,
    }
