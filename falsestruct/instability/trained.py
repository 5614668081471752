"""The networks of the planted problems that are attacked: which are trained, on what, and how.

Training and measuring are apart: `portrait` asks an `Ensemble`, trained or built by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from falsestruct import success
from falsestruct.instability.rules import SEED
from falsestruct.learning import engines, training
from falsestruct.learning.ensembles import Ensemble, train
from falsestruct.learning.networks import by_name, fitting
from falsestruct.learning.training import Adversary, Schedule
from falsestruct.problems.planted import Planted, registry

# One architecture a problem trains at every strength; the others at the usual one only.
SWEPT = {"stripes": "MLP", "oscillation": "2-104-1", "digits-brightness": "MLP"}
IMAGES = ("stripes", "digits-brightness")  # the others are points in the plane
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


def cells_of(problem: str, factors: Sequence[float]) -> list[list[float]]:
    """Strength and ρ: multiples of the usual strength, each with ρ = 1 and 1/2."""
    usual = registry.STRENGTHS[problem]
    return [[factor * usual, rho] for factor in factors for rho in (1.0, 0.5)]


def ensembles(
    problem: str, architecture: str, cells: Sequence[Cell], seeds: Sequence[int]
) -> list[Ensemble]:
    """Networks trained at each cell (strength, ρ), all in lockstep: one ensemble a cell.

    Those that most measurements share are trained once a process: the architecture that `SWEPT`
    names, at the usual strength and ρ = 1, and where it trains in one more cell only.
    """
    common = registry.STRENGTHS[problem], 1.0
    found = {}
    if architecture == SWEPT[problem]:
        rest = [cell for cell in cells if cell != common]
        alone = [cell for cell in cells if cell == common or len(rest) == 1]
        found = {cell: _shared(problem, cell, tuple(seeds)) for cell in alone}
    rest = [cell for cell in cells if cell not in found]
    if rest:
        found |= zip(rest, _lockstep(problem, architecture, rest, seeds), strict=True)
    return [found[cell] for cell in cells]


@cache
def _shared(problem: str, cell: Cell, seeds: tuple[int, ...]) -> Ensemble:
    return _lockstep(problem, SWEPT[problem], [cell], seeds)[0]


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


def fitted(own: Ensemble, sets: Sequence[training.Set]) -> Tensor:
    """Accuracy of each member on its own training set, (members,)."""
    x, y = (torch.stack([pair[i] for pair in sets]) for i in (0, 1))
    return success.accuracy(own.labels(x.float(), own=True), y)


def variant_of(problem: Planted, name: str, seeds: Sequence[int]) -> tuple[float, Ensemble]:
    """Size by radius of what is added in training, and networks trained so: one of `VARIANTS`.

    All use the architecture that `SWEPT` names. Noise: each sample several times, each time with
    random signs of the adversary's size on all inputs.
    """
    given, cell = problem.name, (problem.strength, 1.0)
    if name == "plain":
        return 0.0, ensembles(given, SWEPT[given], [cell], seeds)[0]
    factor = FAINT if name == "faint" else ADVERSARY[given]
    sets = [training_set(given, cell, seed) for seed in seeds]
    size = factor * problem.distance(training_set(given, cell, 0)[0], "linf").median().item()
    schedule = SCHEDULES[given]
    if name == "noise":
        sets = [_noisy(pair, size, seed) for seed, pair in zip(seeds, sets, strict=True)]
    else:
        schedule = replace(schedule, adversary=InPlace("linf", size, ASCENT[given]))
    network = by_name(SWEPT[given], fitting(problem.direction.shape))
    return factor, train(network, sets, seeds, schedule)


class InPlace(Adversary):
    """The ℓ∞ adversary of its base, to the bit; images take no fresh array for each operation."""

    def perturb(self, outputs: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
        """See `Adversary`."""
        assert self.norm == "linf", "other norms need a length"
        eta, point = torch.zeros_like(x), torch.empty_like(x)
        for _ in range(self.steps):
            torch.add(x, eta, out=point)
            loss = engines.cross_entropy(outputs(point.requires_grad_()), y).sum()
            (slope,) = torch.autograd.grad(loss, point)
            point = point.detach()
            eta.add_(slope.sign_().mul_(2.5 * self.size / self.steps))
            eta.clamp_(-self.size, self.size)
        return eta.add_(x)


def _noisy(pair: training.Set, size: float, seed: int) -> training.Set:
    generator = torch.Generator().manual_seed(SEED + seed)
    x, y = pair[0].repeat(COPIES, *[1] * (pair[0].ndim - 1)), pair[1].repeat(COPIES)
    return x + size * torch.randn(x.shape, dtype=x.dtype, generator=generator).sign(), y
