"""Patterns planted on real images: which network takes which of them, and from which size on?

Training, measuring and estimating are apart: measures take any function from inputs to labels. What
happens with nothing planted is in `experiments.perturbations`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, get_args

import numpy as np
import pandas as pd
import torch
from scipy.optimize import linprog, nnls
from torch import Tensor

from falsestruct import statistics, success
from falsestruct.learning import training
from falsestruct.learning.ensembles import Seeds
from falsestruct.learning.networks import Architecture, by_name, fitting, for_images
from falsestruct.learning.training import Schedule, Trained
from falsestruct.problems import digits as bundled
from falsestruct.problems import idx
from falsestruct.problems.digits import Digits
from falsestruct.problems.planted import Planted
from falsestruct.problems.planted import digits as patterns
from falsestruct.problems.planted.digits import STRENGTHS, Kind
from falsestruct.statistics import Estimate
from falsestruct.sweep.grid import sweep

POOL = (1_200, 597)  # images used of a larger data set, as many as the bundled one has
BATCH = 50
TARGET = 0.05  # training loss at which a network of the sweep is done
TEST_SEED = 10_000
LONGER = 8  # times the steps, for the linear network
STIFF = 1e3  # weight of the sums against the distance, in `margin_bound`
TAKEN = 0.5  # share of the conflict set from which on a network sides with a pattern

KINDS: tuple[Kind, ...] = get_args(Kind)
Captured = Callable[[Tensor], Tensor]  # inputs (samples, …) to labels (members, samples)
Found = dict[str, tuple[Estimate, Estimate]]  # claim's id to estimate and control


@cache
def images_of(dataset: str) -> Digits:
    """The data set, no more of it than `POOL`."""
    return bundled.few(idx.load(dataset), *POOL)


@cache
def problem_of(dataset: str, kind: Kind, strength: float) -> Planted:
    """A pattern planted on the data set."""
    return patterns.digits(kind, strength, data=images_of(dataset))


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
        return patterns.pattern(kind, images_of(self.dataset).side).norm().item()


def captured(predict: Captured, problem: Planted, images: int) -> Tensor:
    """Share of the conflict set on which each member sides with the pattern: (members,)."""
    x, y = problem.conflict_set(images, torch.Generator().manual_seed(TEST_SEED))
    return (predict(x) != y.long()).double().mean(1)


def planted_point(
    *, sweep: dict[str, object], kind: Kind, norm: float, architecture: str, seeds: list[int],
    rho: float = 1.0,
) -> pd.DataFrame:  # fmt: skip
    """Some networks of one architecture on one pattern: seed, strength, steps, reached, capture,
    accuracy (held-out images, where the pattern tells the truth)."""
    how = Sweep(**sweep)  # type: ignore[arg-type]
    strength = norm / how.norm(kind)
    problem = problem_of(how.dataset, kind, strength)
    sets = [problem.draw(how.samples, generator(seed), rho=rho) for seed in seeds]
    schedule = Schedule(how.steps, batch=BATCH, target=TARGET)
    trained = training.train(
        by_name(architecture, fitting(problem.direction.shape)), sets, seeds, schedule
    )
    predict = _labels(trained)
    x, y = problem.draw(how.images, generator(TEST_SEED), held_out=True)
    return pd.DataFrame(
        {
            "seed": seeds,
            "strength": strength,
            "steps": trained.steps.tolist(),
            "reached": trained.reached.tolist(),
            "capture": captured(predict, problem, how.images).tolist(),
            "accuracy": success.accuracy(predict(x), y).tolist(),
        }
    )


def swept(how: Sweep, norms: Sequence[float], *, seeds: Seeds) -> pd.DataFrame:
    """Every architecture on every pattern at every Euclidean norm: a row a network."""
    grid = [
        {"sweep": asdict(how), "kind": kind, "norm": norm, "architecture": network.name}
        | {"seeds": list(range(seeds.of(network)))}
        for kind in KINDS
        for network in _architectures(how.dataset)
        for norm in norms
    ]
    return sweep(planted_point, grid)


def usual(how: Sweep, *, seeds: Seeds) -> pd.DataFrame:
    """The pixel and the sinusoid at the strengths of the other chapters, with ρ = 1 and ½."""
    grid = [
        {"sweep": asdict(how), "kind": kind, "norm": STRENGTHS[f"digits-{kind}"] * how.norm(kind)}
        | {"architecture": network.name, "seeds": list(range(seeds.of(network))), "rho": rho}
        for kind in KINDS[1:]
        for network in _architectures(how.dataset)
        for rho in (1.0, 0.5)
    ]
    return sweep(planted_point, grid)


def longer(how: Sweep, norms: Sequence[float], *, seeds: int) -> pd.DataFrame:
    """The linear network on the sinusoid with `LONGER` times the steps, and its control.

    Columns as `swept`, and rho: 1 at all norms, ½ at the usual strength.
    """
    patient = asdict(how) | {"steps": LONGER * how.steps}
    kind: Kind = "sinusoid"
    common = {"sweep": patient, "kind": kind, "architecture": "linear", "seeds": list(range(seeds))}
    control = {"norm": STRENGTHS[f"digits-{kind}"] * how.norm(kind), "rho": 0.5}
    grid = [*({"norm": norm, "rho": 1.0} for norm in norms), control]
    return sweep(planted_point, [common | point for point in grid])


def crossovers(table: pd.DataFrame) -> pd.DataFrame:
    """The norm at which each seed changes over to each pattern.

    Columns: kind, architecture, seed, norm, strength, beyond: 1 if the seed never sides with the
    pattern (norm is then the sweep's largest), −1 if it does so from the smallest norm on, else 0.
    """
    rows = []
    for (kind, name, seed), part in table.groupby(["kind", "architecture", "seed"], sort=False):
        points = part.sort_values("norm")
        norms, shares = (torch.tensor(points[c].to_numpy()) for c in ("norm", "capture"))
        scale = points["strength"].iloc[0] / points["norm"].iloc[0]
        norm, beyond = _crossing(norms, shares)
        rows.append(
            {"kind": kind, "architecture": name, "seed": seed, "norm": norm}
            | {"strength": norm * scale, "beyond": beyond}
        )
    return pd.DataFrame(rows)


def _crossing(norms: Tensor, shares: Tensor) -> tuple[float, int]:
    if shares[0] >= TAKEN:
        return norms[0].item(), -1
    if not (shares >= TAKEN).any():
        return norms[-1].item(), 1
    return success.crossover(norms, shares, level=TAKEN), 0


def sweep_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean capture with its interval: kind, architecture, norm, strength, share, low, high."""
    rows = []
    keys = ["kind", "architecture", "norm", "strength"]
    for key, part in table.groupby(keys, sort=False):
        share = statistics.mean(part["capture"].to_numpy())
        found = {"share": share.value, "low": share.low, "high": share.high}
        rows.append(dict(zip(keys, key, strict=True)) | found)
    return pd.DataFrame(rows)


def crossover_summary(crossed: pd.DataFrame) -> pd.DataFrame:
    """Geometric mean crossovers: kind, architecture, unit (norm, strength), value, low, high,
    beyond (share of seeds without a crossover within the sweep)."""
    rows = []
    for (kind, name), part in crossed.groupby(["kind", "architecture"], sort=False):
        for unit in ("norm", "strength"):
            mean = statistics.geometric_mean(part[unit].to_numpy())
            rows.append(
                {"kind": kind, "architecture": name, "unit": unit, "value": mean.value}
                | {"low": mean.low, "high": mean.high, "beyond": (part["beyond"] != 0).mean()}
            )
    return pd.DataFrame(rows)


def original_radius(how: Sweep, kind: Kind) -> float:
    """Median Euclidean radius of the original structure on the conflict set."""
    problem = problem_of(how.dataset, kind, STRENGTHS[f"digits-{kind}"])
    x, _ = problem.conflict_set(how.images, generator(TEST_SEED))
    assert problem.original.radius is not None
    return problem.original.radius(x).median().item()


def classes_meet(x: Tensor, y: Tensor) -> bool:
    """Do the convex hulls of the two classes meet, to nine decimals?

    Linear program: weights α ≥ 0 that sum to 1 in each class and make Σ ±α_i x_i zero. HiGHS finds
    some, or says that there are none.
    """
    sign = torch.where(y > 0, 1.0, -1.0).double()
    flat = x.double().flatten(1)
    rows = torch.cat(((sign[:, None] * flat).T, (y > 0)[None].double(), (y <= 0)[None].double()))
    goal = torch.zeros(len(rows), dtype=torch.float64)
    goal[-2:] = 1
    found = linprog(
        np.zeros(len(x)), A_eq=rows.numpy(), b_eq=goal.numpy(), bounds=(0, None), method="highs",
        options={"primal_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    if found.status not in (0, 2):
        raise ArithmeticError(f"HiGHS ended with status {found.status}: {found.message}")
    return found.status == 0 and bool(abs(rows.numpy() @ found.x - goal.numpy()).max() < 1e-9)


def margin_bound(x: Tensor, y: Tensor) -> float:
    """An upper bound on the largest margin γ between the two classes: γ itself to many digits.

    Half the distance of two points of the convex hulls, Σ α_i x_i over each class; whatever the
    weights α, no two points are nearer than 2γ. Those found minimise ‖Σ ±α_i x_i‖² plus
    `STIFF`² (Σ α − 1)² of each class over α ≥ 0 (least squares), and are scaled to add up to one.
    0 if the hulls meet.
    """
    if classes_meet(x, y):
        return 0.0
    sides = torch.stack((y > 0, y <= 0)).double()  # (2, samples)
    flat = x.double().flatten(1)
    rows = torch.cat((((sides[0] - sides[1])[:, None] * flat).T, STIFF * sides))
    goal = torch.zeros(len(rows), dtype=torch.float64)
    goal[-2:] = STIFF
    weights = sides * torch.from_numpy(nnls(rows.numpy(), goal.numpy())[0])
    points = (weights / weights.sum(1, keepdim=True)) @ flat
    return (points[0] - points[1]).norm().item() / 2


def bare_margins(how: Sweep, kind: Kind, *, seeds: int) -> list[float]:
    """`margin_bound` of each seed's training set without the pattern."""
    problem = problem_of(how.dataset, kind, 0.0)
    return [margin_bound(*problem.draw(how.samples, generator(seed))) for seed in range(seeds)]


def bare_sets(how: Sweep, *, seeds: int, samples: int) -> list[bool]:
    """For each pattern and seed: do the classes of the first bare training images meet?"""
    found = []
    for kind in KINDS:
        problem = problem_of(how.dataset, kind, 0.0)
        for seed in range(seeds):
            x, y = problem.draw(how.samples, generator(seed))
            found.append(classes_meet(x[:samples], y[:samples]))
    return found


def planted_estimates(
    table: pd.DataFrame, at_usual: pd.DataFrame, radius: Mapping[str, float]
) -> Found:
    """The claims about pixel and sinusoid: capture, crossovers, which comes first.

    Args:
        table: Of `swept`.
        at_usual: Of `usual`.
        radius: Of the original, for each of the two patterns.
    """
    crossed = crossovers(table)
    found: Found = {}
    for name in dict.fromkeys(table["architecture"]):
        one = at_usual[at_usual["architecture"] == name]
        norms = {kind: _norms(crossed, kind, name) for kind in KINDS[1:]}
        for kind in KINDS[1:]:
            own = one[one["kind"] == kind]
            agrees, says_nothing = own[own["rho"] == 1], own[own["rho"] == 0.5]
            found[claim_id(f"digits-{kind}-captured", name)] = (
                statistics.mean(agrees["capture"]), statistics.mean(says_nothing["capture"])
            )  # fmt: skip
            found[claim_id(f"digits-{kind}-fainter", name)] = (
                statistics.geometric_mean(norms[kind] / radius[kind]), _sided(says_nothing)
            )  # fmt: skip
        ratio = statistics.geometric_mean(norms["pixel"] / norms["sinusoid"])
        found[claim_id("digits-sinusoid-before-pixel", name)] = (
            ratio,
            _sided(one[one["rho"] == 0.5]),
        )
    if "CNN" in set(table["architecture"]):
        found["digits-pixel-cnn-last"] = _last(crossed, "pixel"), _last(crossed, "sinusoid")
    return found


def _last(crossed: pd.DataFrame, kind: Kind) -> Estimate:
    """The CNN's crossover over that of another architecture, where it is smallest.

    Over the seeds that both have.
    """
    own = _norms(crossed, kind, "CNN")
    names = [name for name in dict.fromkeys(crossed["architecture"]) if name != "CNN"]
    pairs = [zip(own, _norms(crossed, kind, name), strict=False) for name in names]
    ratios = [statistics.geometric_mean([cnn / other for cnn, other in pair]) for pair in pairs]
    return min(ratios, key=lambda ratio: ratio.value)


def linear_estimates(
    table: pd.DataFrame, patient: pd.DataFrame, bare: Sequence[bool], few: Sequence[bool]
) -> Found:
    """The claims about the linear network: its limit, and the time that it takes to get there.

    Args:
        table: Of `swept`.
        patient: Of `longer`.
        bare, few: Of `bare_sets`, whole training sets and few images.
    """
    usual_norms = _norms(crossovers(table), "sinusoid", "linear")
    patient_norms = _norms(crossovers(patient[patient["rho"] == 1]), "sinusoid", "linear")
    ratio = statistics.geometric_mean(patient_norms / usual_norms[: len(patient_norms)])
    return {
        "digits-linear-limit": (
            statistics.exact(float(np.mean(bare)), len(bare)),
            statistics.exact(float(np.mean(few)), len(few)),
        ),
        "digits-linear-waits": (ratio, _sided(patient[patient["rho"] == 0.5])),
    }


def _norms(crossed: pd.DataFrame, kind: str, architecture: str) -> np.ndarray:
    """Crossovers by seed."""
    own = crossed[(crossed["kind"] == kind) & (crossed["architecture"] == architecture)]
    return own.sort_values("seed")["norm"].to_numpy()


def _sided(table: pd.DataFrame) -> Estimate:
    return statistics.proportion((table["capture"] > TAKEN).to_numpy())


def examples(how: Sweep, norm: float) -> pd.DataFrame:
    """Pixels of an even and an odd digit, bare and with each pattern: panel, digit, row, column,
    value."""
    data = images_of(how.dataset)
    rows = []
    for parity in (0, 1):
        image = data.train_images[data.train_labels % 2 == parity][0]
        panels = {"nothing planted": image}
        for kind in KINDS:
            # As drawn for training, but with the pattern's natural amount left in, for the eye.
            strength = norm / how.norm(kind)
            panels[kind] = image + (2 * parity - 1) * strength * patterns.pattern(kind, data.side)
        name = ("even", "odd")[parity]
        rows += [cells(picture, panel=panel, digit=name) for panel, picture in panels.items()]
    return pd.concat(rows, ignore_index=True)


def cells(picture: Tensor, **columns: Any) -> pd.DataFrame:
    """A row a pixel."""
    side = picture.shape[-1]
    index = torch.arange(side * side)
    places = {"row": (index // side).tolist(), "column": (index % side).tolist()}
    return pd.DataFrame(places | {"value": picture.double().flatten().tolist()}).assign(**columns)


def _architectures(dataset: str) -> tuple[Architecture, ...]:
    return for_images(images_of(dataset).side)


def _labels(trained: Trained) -> Captured:
    return lambda x: success.labels(training.outputs(trained, x))


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def claim_id(claim: str, architecture: str) -> str:
    return f"{claim}-{architecture.lower().replace(' ', '-')}"
