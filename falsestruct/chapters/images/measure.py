"""Patterns planted on real images: which network takes which of them, and from which size on?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, get_args

import numpy as np
import pandas as pd
import torch

from falsestruct import evidence, success
from falsestruct.evidence import cells, spread
from falsestruct.learning.ensembles import Learner, Seeds, train
from falsestruct.learning.networks import Architecture, by_name, for_images
from falsestruct.learning.training import Schedule
from falsestruct.problems import idx
from falsestruct.problems.pictures import pixel_table
from falsestruct.problems.planted import Planted
from falsestruct.problems.planted import digits as patterns
from falsestruct.problems.planted.digits import STRENGTHS, Kind
from falsestruct.statistics import Nobody, exponential
from falsestruct.sweep.grid import sweep
from falsestruct.theory import margins

BATCH = 50
TARGET = 0.05  # training loss at which a network of the sweep is done
TEST_SEED = 10_000
LONGER = 8  # times the steps, for the linear network
TAKEN = 0.5  # share of the conflict set from which on a network sides with a pattern
KINDS: tuple[Kind, ...] = get_args(Kind)


@cache
def problem_of(dataset: str, kind: Kind, strength: float) -> Planted:
    """A pattern planted on the data set."""
    return patterns.digits(kind, strength, data=idx.pool(dataset))


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@dataclass(frozen=True)
class Sweep:
    """How networks of the sweep train.

    Attributes:
        dataset: As `idx.load` names it.
        samples: Of each network's own training set.
        steps: At most so many, of `BATCH` samples each.
        images: Of the conflict set, the same for all networks.
    """

    dataset: str = "digits"
    samples: int = 300
    steps: int = 100
    images: int = 300

    def norm(self, kind: Kind) -> float:
        """Euclidean norm of the pattern of strength 1."""
        return patterns.pattern(kind, idx.pool(self.dataset).side).norm().item()

    def usual(self, kind: Kind) -> float:
        """Euclidean norm of the pattern at the strength of the other chapters."""
        return STRENGTHS[f"digits-{kind}"] * self.norm(kind)

    @property
    def architectures(self) -> tuple[Architecture, ...]:
        """For two classes of these images."""
        return for_images(idx.pool(self.dataset).side)


def planted_point(
    *, sweep: dict[str, Any], kind: Kind, norm: float, architecture: str, seeds: list[int],
    rho: float = 1.0, learn: Learner = train,
) -> pd.DataFrame:  # fmt: skip
    """Some networks of one architecture on one pattern: a row a network.

    Columns: those of `Ensemble.table`, kind, architecture, norm, strength, rho, capture (share of
    the conflict set on which it sides with the pattern), and side (of each image, 0 or 1: `cells`).
    """
    how = Sweep(**sweep)
    strength = norm / how.norm(kind)
    problem = problem_of(how.dataset, kind, strength)
    sets = [problem.draw(how.samples, generator(seed), rho=rho) for seed in seeds]
    network = by_name(architecture, how.architectures)
    asked = learn(network, sets, seeds, Schedule(how.steps, batch=BATCH, target=TARGET))
    x, y = problem.conflict_set(how.images, generator(TEST_SEED))
    side = (asked.labels(x) != y.long()).double()
    names = {"kind": kind, "architecture": architecture, "norm": norm, "strength": strength}
    return asked.table(**names, rho=rho, capture=side.mean(1)).join(spread("side", side))


Point = dict[str, Any]  # arguments of `planted_point`


def sweep_grid(how: Sweep, norms: Sequence[float], *, seeds: Seeds) -> list[Point]:
    """Every architecture on every pattern at every Euclidean norm."""
    return [
        {"sweep": asdict(how), "kind": kind, "norm": norm, "architecture": network.name}
        | {"seeds": list(range(seeds.of(network)))}
        for kind in KINDS
        for network in how.architectures
        for norm in norms
    ]


def usual_grid(how: Sweep, *, seeds: Seeds) -> list[Point]:
    """The pixel and the sinusoid at the strengths of the other chapters, with ρ = 1 and ½."""
    return [
        {"sweep": asdict(how), "kind": kind, "norm": how.usual(kind), "architecture": network.name}
        | {"seeds": list(range(seeds.of(network))), "rho": rho}
        for kind in KINDS[1:]
        for network in how.architectures
        for rho in (1.0, 0.5)
    ]


def longer_grid(how: Sweep, norms: Sequence[float], *, seeds: int) -> list[Point]:
    """The linear network on the sinusoid with `LONGER` times the steps; ρ = ½ at the usual norm."""
    patient = asdict(how) | {"steps": LONGER * how.steps}
    own = {"sweep": patient, "kind": "sinusoid", "architecture": "linear"}
    points = [*((norm, 1.0) for norm in norms), (how.usual("sinusoid"), 0.5)]
    return [own | {"norm": n, "rho": rho, "seeds": list(range(seeds))} for n, rho in points]


def networks(grid: Sequence[Point]) -> pd.DataFrame:
    """All networks of a grid, as `planted_point`."""
    return sweep(planted_point, grid)


def crossovers(table: pd.DataFrame) -> pd.DataFrame:
    """The norm at which each seed changes over to each pattern.

    Columns: kind, architecture, seed, norm, strength; beyond: 1 if the seed never sides with the
    pattern (norm is then the sweep's largest), −1 if it does so from the smallest norm on, else 0;
    log (of each image: `success.crossover_by_input`).
    """
    rows, logs = [], []
    for key, part in table.groupby(["kind", "architecture", "seed"], sort=False):
        points = part.sort_values("norm")
        sides = cells(points, "side")
        own, beyond = success.crossover_by_input(points["norm"].to_numpy(), sides, level=TAKEN)
        norm = float(np.exp(own.mean()))
        scale = points["strength"].iloc[0] / points["norm"].iloc[0]
        rows.append((*key, norm, norm * scale, beyond))
        logs.append(own)
    names = ["kind", "architecture", "seed", "norm", "strength", "beyond"]
    return pd.DataFrame(rows, columns=names).join(spread("log", np.array(logs)))


def taken(part: pd.DataFrame) -> evidence.Found:
    """Mean capture of networks, over networks and images."""
    return evidence.crossed(cells(part, "side"), bounds=(0, 1))


def sweep_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean capture with its interval: kind, architecture, norm, strength, share, low, high."""
    keys = ["kind", "architecture", "norm", "strength"]
    return evidence.summary(table, keys, None, name="share", measure=taken)


def crossed_norm(part: pd.DataFrame) -> evidence.Found:
    """Geometric mean of norms at the crossover, over networks and images."""
    return powered(cells(part, "log"))


def powered(logs: np.ndarray) -> evidence.Found:
    """e to the mean of logarithms (networks, images), both sampled."""
    found = evidence.crossed(logs)
    return found if isinstance(found, Nobody) else exponential(found)


def crossover_summary(crossed: pd.DataFrame) -> pd.DataFrame:
    """Geometric mean crossovers: kind, architecture, unit (norm, strength), value, low, high,
    beyond (share of seeds without a crossover within the sweep)."""
    keys = ["kind", "architecture"]
    means = evidence.summary(crossed, keys, None, measure=crossed_norm)
    scale = crossed.assign(scale=crossed["strength"] / crossed["norm"], out=crossed["beyond"] != 0)
    own = scale.groupby(keys, sort=False)[["scale", "out"]].mean().reset_index()
    means = means.merge(own.rename(columns={"out": "beyond"}), on=keys)
    ends = ["value", "low", "high"]
    other = means.assign(**{end: means[end] * means["scale"] for end in ends}, unit="strength")
    both = pd.concat([means.assign(unit="norm"), other]).sort_index(kind="stable")
    return both[[*keys, "unit", *ends, "beyond"]].reset_index(drop=True)


def original_radius(how: Sweep, kind: Kind) -> float:
    """Median Euclidean radius of the original structure on the conflict set."""
    problem = problem_of(how.dataset, kind, STRENGTHS[f"digits-{kind}"])
    x, _ = problem.conflict_set(how.images, generator(TEST_SEED))
    assert problem.original.radius is not None
    return problem.original.radius(x).median().item()


def bare_margins(how: Sweep, kind: Kind, *, seeds: int) -> list[float]:
    """`margins.margin_bound` of each seed's training set without the pattern."""
    problem = problem_of(how.dataset, kind, 0.0)
    sets = [problem.draw(how.samples, generator(seed)) for seed in range(seeds)]
    return [margins.margin_bound(*own) for own in sets]


def bare_sets(how: Sweep, *, seeds: int, samples: int) -> list[bool]:
    """For each pattern and seed: do the classes of the first bare training images meet?"""
    found = []
    for kind in KINDS:
        problem = problem_of(how.dataset, kind, 0.0)
        for seed in range(seeds):
            x, y = problem.draw(how.samples, generator(seed))
            found.append(margins.classes_meet(x[:samples], y[:samples]))
    return found


def examples(how: Sweep, norm: float) -> pd.DataFrame:
    """Pixels of an even and an odd digit, bare and with each pattern: panel, digit, row, column,
    value."""
    data = idx.pool(how.dataset)
    tables = []
    for parity, name in enumerate(("even", "odd")):
        image = data.train_images[data.train_labels % 2 == parity][0]
        tables.append(pixel_table(image, panel="nothing planted", digit=name))
        for kind in KINDS:
            # As drawn for training, but with the pattern's natural amount left in, for the eye.
            change = (2 * parity - 1) * norm / how.norm(kind) * patterns.pattern(kind, data.side)
            tables.append(pixel_table(image + change, panel=kind, digit=name))
    return pd.concat(tables, ignore_index=True)
