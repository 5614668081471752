"""Is a network's instability that of the structure it captured? Sizes, directions, interventions.

Training and measuring are apart: `measure` sees outputs only, so that a test can give it networks
that were built by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct import success
from falsestruct.instability import attacks, exact, universal
from falsestruct.instability.attacks import Attack, Norm, Outputs
from falsestruct.instability.exact import Dense
from falsestruct.learning import training
from falsestruct.learning.networks import by_name, fitting
from falsestruct.learning.training import Adversary, Schedule, Trained
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
ADVERSARY = {"stripes": 2.0, "oscillation": 1.5, "digits-brightness": 1.5}  # sizes in radii
ASCENT = {"stripes": 4, "oscillation": 2, "digits-brightness": 3}  # steps of the adversary
FAINT = 0.1  # the control's adversary, in radii
COPIES = 5  # of each sample, each with its own noise
STARTS = ((24, 0), (1, 16))  # of attacks, in the plane and on images: at first, and again
TEST_SEED = 20_000
BEYOND = 1.5  # in units of its distance, the false structure's own perturbation that is tried
LARGE = 2.0  # twice the contrast of an image: no label may survive it, and sizes end here
FAR = 10.0  # where exact distances end: some networks give all inputs the same label

Cell = tuple[float, float]  # strength, ρ
Some = Callable[[list[int]], Outputs]  # the outputs of some members of an ensemble


def ensembles(
    problem: str, architecture: str, cells: Sequence[Cell], seeds: Sequence[int]
) -> list[Trained]:
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
def _shared(problem: str, seeds: tuple[int, ...]) -> Trained:
    cell = registry.STRENGTHS[problem], 1.0
    return _lockstep(problem, SWEPT[problem], [cell], seeds)[0]


def _lockstep(
    problem: str, architecture: str, cells: Sequence[Cell], seeds: Sequence[int]
) -> list[Trained]:
    sets = [training_set(problem, cell, seed) for cell in cells for seed in seeds]
    network = by_name(architecture, fitting(registry.by_name(problem).direction.shape))
    trained = training.train(network, sets, [*seeds] * len(cells), SCHEDULES[problem])
    n = len(seeds)
    return [training.select(trained, range(i * n, (i + 1) * n)) for i in range(len(cells))]


def training_set(problem: str, cell: Cell, seed: int) -> training.Set:
    """The training set of one seed at a strength and ρ."""
    strength, rho = cell
    generator = torch.Generator().manual_seed(seed)
    return registry.by_name(problem, strength).draw(SAMPLES[problem], generator, rho=rho)


def networks(
    problem: str,
    *,
    seeds: int,
    slow_seeds: int,
    factors: Sequence[float],
    points: int,
    architectures: Sequence[str] = (),
) -> pd.DataFrame:
    """Every architecture at the usual strength, one of them at multiples of it: a row a network.

    ρ is 1 and 1/2, for that one at the usual strength 0.9 too. Columns: problem, architecture,
    strength, rho, seed, loss, steps, reached, and those of `measure`.

    Args:
        slow_seeds: Of architectures that are more than layers of dense units.
        architectures: Names; the one that `SWEPT` names comes in any case. None: all.
    """
    usual = registry.STRENGTHS[problem]
    every = [[usual, 1.0], [usual, 0.5]]
    more = [[usual, 0.9]] + [[f * usual, rho] for f in factors if f != 1 for rho in (1.0, 0.5)]
    grid = [
        {"problem": problem, "architecture": own.name, "points": points}
        | {"seeds": seeds if own.engine == "dense" else slow_seeds}
        | {"cells": every + more if own.name == SWEPT[problem] else every}
        for own in fitting(registry.by_name(problem).direction.shape)
        if not architectures or own.name in (*architectures, SWEPT[problem])
    ]
    return sweep(network_point, grid).drop(columns=["seeds", "points"])


def network_point(
    *, problem: str, architecture: str, seeds: int, points: int, cells: list[list[float]]
) -> pd.DataFrame:
    """One architecture in some cells (strength, ρ): the point of `networks`.

    Directions are looked at where the strength is the usual one.
    """
    tables = []
    given = [(strength, rho) for strength, rho in cells]
    for (strength, rho), trained in zip(
        given, ensembles(problem, architecture, given, range(seeds)), strict=True
    ):
        own, usual = registry.by_name(problem, strength), registry.STRENGTHS[problem]
        columns = {
            "strength": strength,
            "rho": rho,
            "seed": trained.seeds,
            "loss": trained.loss.tolist(),
            "steps": trained.steps.tolist(),
            "reached": trained.reached.tolist(),
        }
        found = measure(
            own, training.as_function(trained), len(trained),
            points=_points(trained, points), directions=strength == usual, some=some_of(trained),
        )  # fmt: skip
        tables.append(pd.DataFrame(columns).join(found))
    return pd.concat(tables, ignore_index=True)


def _points(trained: Trained, points: int) -> int:
    """Large convolutions cost a hundred times what other networks do: a third of the points."""
    large = trained.architecture.engine == "looped" and len(trained.parameters) > 4
    return max(6, points // 3) if large else points


def some_of(trained: Trained) -> Some:
    """The outputs of some members, for what only they need."""
    return lambda rows: training.as_function(training.select(trained, rows))


def measure(
    problem: Planted,
    outputs: Outputs,
    members: int,
    *,
    points: int,
    directions: bool = True,
    some: Some | None = None,
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
      the points where one was found; NaN where none was.

    Args:
        outputs: As in `instability`, for inputs in single precision.
        some: As in `thorough`.
    """
    x, y = problem.draw(points, torch.Generator().manual_seed(TEST_SEED), held_out=True)
    found = thorough(outputs, x.float(), "linf", members, some=some)
    columns: dict[str, Any] = {
        "capture": captures(problem, outputs, members),
        "success": success.accuracy(_labels(outputs, x, members), y),
        **_sizes(problem, x, y, found),
        **_shares(problem, outputs, x, members),
        **_sanity(problem, outputs, (x, y), found),
    }
    if directions:
        l2 = thorough(outputs, x.float(), "l2", members, some=some)
        columns["cosine"] = cosines(problem, l2).nanquantile(0.5, dim=1)
    return pd.DataFrame({name: np.asarray(value) for name, value in columns.items()})


def thorough(
    outputs: Outputs, x: Tensor, norm: Norm, members: int, *, some: Some | None = None
) -> Attack:
    """An attack that starts again, more often, where a member's label did not flip within reach.

    Reach: `LARGE` at every input, in the Euclidean norm √n times that for n inputs. What a member
    gets depends on no other one.

    Args:
        some: The outputs of some members: those that missed start again alone. None: all do, which
            takes longer.
    """
    first, more = STARTS[x.ndim > 2]
    found = attacks.smallest_perturbations(outputs, x, norm=norm, members=members, starts=first)
    reach = LARGE if norm == "linf" else LARGE * math.sqrt(x[0].numel())
    missed = found.size > reach
    if not more or not missed.any():
        return found
    rows = missed.any(1).nonzero().flatten() if some else torch.arange(members)
    columns = missed.any(0).nonzero().flatten()
    own = some(rows.tolist()) if some else outputs
    again = attacks.smallest_perturbations(
        own, x[columns], norm=norm, members=len(rows), starts=more
    )
    size, perturbation = found.size.clone(), found.perturbation.clone()
    place = rows[:, None], columns
    better = missed[place] & (again.size < size[place])
    size[place] = torch.where(better, again.size, size[place])
    wide = better.view(*better.shape, *[1] * (x.ndim - 1))
    perturbation[place] = torch.where(wide, again.perturbation, perturbation[place])
    return Attack(norm, size, perturbation)


def captures(problem: Planted, outputs: Outputs, members: int) -> Tensor:
    """Share of the conflict set that each member reads by the false structure, (members,)."""
    x, _ = problem.conflict_set(SAMPLES.get(problem.name, 400), _generator())
    labels = _labels(outputs, x, members)
    return success.capture(labels, problem.false, problem.original, x)


def cosines(problem: Planted, attack: Attack) -> Tensor:
    """|cos| of each perturbation and the false structure's normal: (members, samples), float64.

    NaN where no perturbation was found: nothing has no direction.
    """
    eta = attack.perturbation.double().flatten(2)
    return (eta @ problem.direction.flatten()).abs() / eta.norm(dim=2)


def worst(problem: Planted, x: Tensor) -> Tensor:
    """The false structure's smallest ℓ∞ perturbation of each input, like x, up to its boundary."""
    towards = torch.where(problem.false(x) > 0, -1.0, 1.0).double()
    step = towards * problem.distance(x, "linf")
    return step.view(-1, *[1] * (x.ndim - 1)) * problem.direction.sign()


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(TEST_SEED + 1)


def _labels(outputs: Outputs, x: Tensor, members: int) -> Tensor:
    with torch.no_grad():
        parts = [outputs(part.expand(members, *part.shape)) for part in x.float().split(200)]
    return success.labels(torch.cat(parts, 1))


def _sizes(problem: Planted, x: Tensor, y: Tensor, attack: Attack) -> dict[str, Any]:
    radius, size = problem.distance(x, "linf"), attack.size.clamp(max=LARGE)
    columns: dict[str, Any] = {"radius": radius.quantile(0.5).expand(len(size))}
    for label in (0, 1):
        own = y == label
        columns[f"size_{label}"] = size[:, own].quantile(0.5, dim=1)
        columns[f"ratio_{label}"] = (size[:, own] / radius[own]).quantile(0.5, dim=1)
    return columns | {"size": (columns["size_0"] * columns["size_1"]).sqrt()}


def _shares(problem: Planted, outputs: Outputs, x: Tensor, members: int) -> dict[str, Any]:
    signs = torch.randn(x.shape, dtype=torch.float64, generator=_generator()).sign()
    eta, before = BEYOND * worst(problem, x), _labels(outputs, x, members)
    moved = {"own": x + eta, "random": x + eta.abs().amax() * signs}
    return {
        name: (_labels(outputs, z, members) != before).double().mean(1) for name, z in moved.items()
    }


def _sanity(
    problem: Planted, outputs: Outputs, data: training.Set, attack: Attack
) -> dict[str, Any]:
    x, y = data
    members = len(attack.size)
    right = _labels(outputs, x, members) == y.long()
    epsilon = BEYOND * problem.distance(x, "linf").median().item()
    check = attacks.sanity(outputs, x.float(), y, attack=attack, large=LARGE)
    names = ("surviving", "rise", "black_box", "gradients")
    # An infinite rise (nothing was found at all) is no number that a table can hold.
    values = {n: torch.tensor(min(getattr(check, n).value, 1e3)).expand(members) for n in names}
    return {
        "robust": attacks.robust_accuracy(attack, right, epsilon),
        "sane": torch.tensor(check.holds).expand(members),
        **values,
    }


def adversaries(problem: str, *, seeds: int, points: int) -> pd.DataFrame:
    """Training plain, against an adversary, against a faint one, with noise: a row a network.

    Columns: problem, variant ("plain", "adversary", "faint", "noise"), factor (size by radius),
    seed, steps, reached, conflict (accuracy on the conflict set), and those of `measure`.
    """
    grid = [
        {"problem": problem, "variant": variant, "seeds": seeds, "points": points}
        for variant in ("plain", "adversary", "faint", "noise")
    ]
    return sweep(adversary_point, grid).drop(columns=["seeds", "points"])


def adversary_point(*, problem: str, variant: str, seeds: int, points: int) -> pd.DataFrame:
    """The networks of one way of training at the usual strength: the point of `adversaries`."""
    own = registry.by_name(problem)
    factor, trained = _variant(own, variant, range(seeds))
    found = measure(
        own, training.as_function(trained), seeds,
        points=points, directions=False, some=some_of(trained),
    )  # fmt: skip
    columns = {
        "factor": factor,
        "seed": trained.seeds,
        "steps": trained.steps.tolist(),
        "reached": trained.reached.tolist(),
        "conflict": (1 - found["capture"]).tolist(),
    }
    return pd.DataFrame(columns).join(found)


def _variant(problem: Planted, variant: str, seeds: Sequence[int]) -> tuple[float, Trained]:
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
    return factor, training.train(network, sets, seeds, schedule)


def _noisy(pair: training.Set, size: float, seed: int) -> training.Set:
    generator = torch.Generator().manual_seed(TEST_SEED + seed)
    x, y = pair[0].repeat(COPIES, *[1] * (pair[0].ndim - 1)), pair[1].repeat(COPIES)
    return x + size * torch.randn(x.shape, dtype=x.dtype, generator=generator).sign(), y


def universals(problem: str, *, seeds: int, points: int) -> pd.DataFrame:
    """A perturbation for each label: the structure's, the best found, random; a row a network.

    All of one ℓ∞ size, 1.5 times the structure's median distance. Columns: problem, seed, capture,
    and those of `universal_shares`.
    """
    grid = [{"problem": problem, "seeds": seeds, "points": points}]
    return sweep(universal_point, grid).drop(columns=["seeds", "points"])


def universal_point(*, problem: str, seeds: int, points: int) -> pd.DataFrame:
    """The only point of `universals`: the usual strength, ρ = 1."""
    own = registry.by_name(problem)
    (trained,) = ensembles(problem, SWEPT[problem], [(own.strength, 1.0)], range(seeds))
    outputs = training.as_function(trained)
    table = universal_shares(own, outputs, seeds, points=points)
    return table.assign(seed=trained.seeds, capture=captures(own, outputs, seeds).numpy())


def universal_shares(
    problem: Planted, outputs: Outputs, members: int, *, points: int
) -> pd.DataFrame:
    """Shares of labels flipped by perturbations of one ℓ∞ size, one for each label.

    Columns: own, by the structure's direction; found, by the best that a search finds; random, by
    the best of ten with random signs.
    """
    x, _ = problem.draw(points, torch.Generator().manual_seed(TEST_SEED), held_out=True)
    size = BEYOND * problem.distance(x, "linf").median().item()
    found = universal.universal_perturbations(
        outputs, x.float(), norm="linf", size=size, members=members, per_label=True
    )
    step = (size * worst(problem, x).sign()).double()
    before, after = _labels(outputs, x, members), _labels(outputs, x + step, members)
    random = [universal.random_like(found, seed=seed) for seed in range(10)]
    shares = [universal.flipped_share(outputs, x.float(), one) for one in (found, *random)]
    columns = {
        "own": (before != after).double().mean(1),
        "found": shares[0],
        "random": torch.stack(shares[1:]).amax(0),
    }
    return pd.DataFrame({name: np.asarray(value) for name, value in columns.items()})


def gaps(*, seeds: int, slow_seeds: int, points: int, solved: int) -> pd.DataFrame:
    """The attack against exact distances on the oscillation networks: a row a network and norm.

    Those trained at ρ = 1; and `slow_seeds` at ρ = 1/2, on two points, as their distances are large
    and so take long. Columns: rho, seed, norm, and those of `gap_rows`.

    Args:
        solved: Points at which HiGHS solves the ℓ∞ problem too.
    """
    grid = [
        {"rho": 1.0, "seeds": seeds, "points": points, "solved": solved},
        {"rho": 0.5, "seeds": slow_seeds, "points": 2, "solved": 0},
    ]
    return sweep(gap_point, grid).drop(columns=["seeds", "points", "solved"])


def gap_point(*, rho: float, seeds: int, points: int, solved: int) -> pd.DataFrame:
    """Some networks of `gaps`."""
    problem = registry.by_name("oscillation")
    name = SWEPT["oscillation"]
    (trained,) = ensembles("oscillation", name, [(problem.strength, rho)], range(seeds))
    parameters = {key: value.double() for key, value in trained.parameters.items()}
    trained = replace(trained, parameters=parameters)
    return gap_rows(problem, trained, points=points, solved=solved)


def gap_rows(problem: Planted, trained: Trained, *, points: int, solved: int) -> pd.DataFrame:
    """Attack and exact distance of networks of two inputs, in double precision: a row a norm each.

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
    x = problem.draw(100, torch.Generator().manual_seed(TEST_SEED))[0][:points]
    outputs, members = training.as_function(trained), len(trained)
    read = _read_with_mirror(problem, outputs, x, members)
    rows = []
    for norm in ("linf", "l2"):
        strong = thorough(outputs, x, norm, members)
        weak = attacks.smallest_perturbations(
            outputs, x, norm=norm, members=members, starts=1, steps=5
        )
        for member, seed in enumerate(trained.seeds):
            network = exact.dense(trained, member)
            sizes, other = (a.size[member].clamp(max=FAR).numpy() for a in (strong, weak))
            best = exact_sizes(network, x, sizes, norm)
            twice = best / (2 * problem.distance(x, norm).numpy())
            own = read[member].numpy()
            count = solved if norm == "linf" else 0
            excess = sizes / best - 1
            rows.append(
                {"seed": seed, "norm": norm, "worst": excess.max(), "middle": np.median(excess)}
                | {"near": excess[best < LARGE].max(initial=0)}
                | {"weak": min((other / best - 1).max(), 1.0)}
                | _solved(network, x[:count], best[:count])
                | {"mirrored": twice[own].max(initial=0), "other": twice[~own].max(initial=0)}
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


def _read_with_mirror(problem: Planted, outputs: Outputs, x: Tensor, members: int) -> Tensor:
    """Mask (members, samples): where a member labels x and its mirror image as `false` does."""
    masks = []
    for point in (x, x + 2 * worst(problem, x)):
        labels = success.labels(outputs(point.expand(members, *x.shape)))
        masks.append(labels == problem.false(point))
    return masks[0] & masks[1]


def plane_table(*, points: int, cells: int) -> pd.DataFrame:
    """One oscillation network in the plane, for `plots.instability.plane`.

    The network of seed 0 at the usual strength and ρ = 1: its labels on `cells` × `cells` points,
    and exact smallest ℓ2 perturbations of `points` samples.
    """
    problem = registry.by_name("oscillation")
    name = SWEPT["oscillation"]
    (trained,) = ensembles("oscillation", name, [(problem.strength, 1.0)], [0])
    network = exact.dense(trained, 0)
    x = problem.draw(100, torch.Generator().manual_seed(TEST_SEED))[0][:points].numpy()
    across = np.linspace(x[:, 0].min() - 0.01, x[:, 0].max() + 0.01, cells)
    up = np.linspace(-0.5 * problem.strength, 1.5 * problem.strength, cells)
    mesh = np.stack(np.meshgrid(across, up), 2).reshape(-1, 2)
    far = 4 * problem.strength
    ends = [p + exact.smallest_in_plane(network, p, norm="l2", radius=far).perturbation for p in x]
    to = np.stack(ends)
    shown = {"x1": mesh[:, 0], "x2": mesh[:, 1], "label": (network(mesh) > 0).astype(int)}
    data = {"x1": x[:, 0], "x2": x[:, 1], "label": (network(x) > 0).astype(int)}
    table = pd.concat([
        pd.DataFrame(shown).assign(kind="map"),
        pd.DataFrame(data | {"to1": to[:, 0], "to2": to[:, 1]}).assign(kind="point"),
    ], ignore_index=True)  # fmt: skip
    return table.assign(level=problem.level)
