"""Training with another loss, or with matrices that are kept within bounds.

As `training.train` trains in batches, step by step, but through automatic differentiation: slower,
and open to any loss and to a change of the weights after every few steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from falsestruct.learning import engines
from falsestruct.learning.engines import Parameters
from falsestruct.learning.ensembles import Ensemble, Learner, ensemble
from falsestruct.learning.networks import Architecture, initialise
from falsestruct.learning.schedule import BATCH_SEED, Schedule, Set, Trained

# Outputs (members, samples, classes) and labels (members, samples) to losses (members,).
Loss = Callable[[Tensor, Tensor], Tensor]
Bound = Callable[[Tensor], Tensor]  # matrices (members, rows, columns) to matrices within a bound
POWERS = 5  # iterations towards the leading singular vectors


@dataclass(frozen=True)
class Variant:
    """What differs from the usual training.

    Attributes:
        loss: That is minimised.
        bound: Applied to all matrices after every so many steps, and after the last.
        every: So many steps.
    """

    loss: Loss = engines.cross_entropy
    bound: Bound | None = None
    every: int = 5


def learner(variant: Variant) -> Learner:
    """A `Learner` that trains in this way."""

    def learn(
        architecture: Architecture,
        data: Set | Sequence[Set],
        seeds: Sequence[int],
        schedule: Schedule,
    ) -> Ensemble:
        return ensemble(train(architecture, data, seeds, schedule, variant))

    return learn


def train(
    architecture: Architecture,
    data: Set | Sequence[Set],
    seeds: Sequence[int],
    schedule: Schedule,
    variant: Variant,
) -> Trained:
    """As `training.train`, with a variant; the same start, order of batches and steps of Adam.

    Args:
        schedule: Its steps and batch.

    Raises:
        ValueError: the schedule asks for more than these.
    """
    if schedule.batch is None or schedule != Schedule(schedule.steps, batch=schedule.batch):
        raise ValueError(f"{schedule}; expected steps and a batch, and all else as usual")
    sets = [data] * len(seeds) if isinstance(data, tuple) else list(data)
    x, y = (torch.stack([pair[k] for pair in sets]) for k in (0, 1))
    x, rows = x.float(), torch.arange(len(seeds))[:, None]
    weights, forward = _start(architecture, seeds), engines.forward(architecture)
    rate = architecture.learning_rate
    adam = torch.optim.AdamW(weights.values(), lr=rate, weight_decay=0.0, fused=True)
    for step, index in enumerate(_orders(seeds, x.shape[1], schedule), start=1):
        losses = variant.loss(forward(weights, x[rows, index]), y[rows, index])
        adam.zero_grad()
        losses.sum().backward()
        adam.step()
        if variant.bound and (step % variant.every == 0 or step == schedule.steps):
            _keep(weights, variant.bound)
    found = {name: value.detach() for name, value in weights.items()}
    return _trained(
        architecture, seeds, found, engines.cross_entropy(forward(found, x), y), schedule
    )


def _start(architecture: Architecture, seeds: Sequence[int]) -> Parameters:
    networks = [initialise(architecture.build(), seed) for seed in seeds]
    stacked, _ = torch.func.stack_module_state(networks)
    return {name: value.detach().clone().requires_grad_() for name, value in stacked.items()}


def _orders(seeds: Sequence[int], samples: int, schedule: Schedule) -> Iterator[Tensor]:
    """Indices (members, batch) of every step: an own permutation of each member in every epoch."""
    generators = [torch.Generator().manual_seed(BATCH_SEED + seed) for seed in seeds]
    batch = schedule.batch or samples
    order = torch.empty(0, dtype=torch.long)
    for step in range(schedule.steps):
        start = step % (samples // batch) * batch
        if start == 0:
            order = torch.stack([torch.randperm(samples, generator=one) for one in generators])
        yield order[:, start : start + batch]


@torch.no_grad()
def _keep(weights: Parameters, bound: Bound) -> None:
    for value in weights.values():
        if value.ndim == 3:  # a matrix of every member
            value.copy_(bound(value))


def _trained(
    architecture: Architecture,
    seeds: Sequence[int],
    weights: Parameters,
    loss: Tensor,
    schedule: Schedule,
) -> Trained:
    columns = {"member": range(len(seeds)), "seed": list(seeds), "step": schedule.steps}
    history = pd.DataFrame(columns | {"loss": loss.double().tolist()})
    steps = torch.full((len(seeds),), schedule.steps)
    reached = torch.ones(len(seeds), dtype=torch.bool)
    return Trained(architecture, tuple(seeds), weights, loss.double(), steps, reached, history)


# Losses and bounds


def focal(outputs: Tensor, y: Tensor, *, gamma: float = 3.0) -> Tensor:
    """Mean focal loss −(1 − p)^γ ln p of the label's probability p (arXiv:1708.02002), (members,).

    Args:
        outputs: (members, samples, classes).
        y: Labels (members, samples).
    """
    log = outputs.log_softmax(-1).gather(-1, y.long()[..., None])[..., 0]
    return -((1 - log.exp()) ** gamma * log).mean(1)


def leading(weight: Tensor, powers: int = POWERS) -> tuple[Tensor, Tensor, Tensor]:
    """σ (members, 1, 1), u (members, rows, 1), v (members, 1, columns): near the leading triple.

    The method of powers from the longest row: u and v have length one, σu = Wv, and σ is at most
    the largest singular value.
    """
    tiny = torch.finfo(weight.dtype).tiny
    longest = weight.norm(dim=2).argmax(1)
    v = weight[torch.arange(len(weight)), longest][:, :, None]
    for _ in range(powers):
        v = v / v.norm(dim=1, keepdim=True).clamp_min(tiny)
        v = weight.transpose(1, 2) @ (weight @ v)
    v = v / v.norm(dim=1, keepdim=True).clamp_min(tiny)
    u = weight @ v
    sigma = u.norm(dim=1, keepdim=True)
    return sigma, u / sigma.clamp_min(tiny), v.transpose(1, 2)


def stable_rank(weight: Tensor, *, most: float) -> Tensor:
    """Matrices (members, rows, columns) of stable rank at most `most`: what σuvᵀ leaves is shrunk.

    With the leading singular triple this is the nearest one that keeps it (`theory.label_noise`).
    With any other unit v, and σu = Wv, the bound still holds: the rest E has Ev = 0, so the squared
    Frobenius norm is σ² + γ²‖E‖², and the largest singular value at least σ.
    """
    sigma, u, v = leading(weight)
    rest = weight - sigma * u * v
    norm = rest.flatten(1).norm(dim=1)[:, None, None]
    room = sigma * math.sqrt(most - 1)
    return weight - rest * (1 - room / norm.clamp_min(torch.finfo(weight.dtype).tiny)).clamp_min(0)


def spectral_norm(weight: Tensor, *, most: float) -> Tensor:
    """Matrices scaled so that their largest singular value, as `leading` finds it, is bounded."""
    sigma, _, _ = leading(weight)
    return weight * (most / sigma.clamp_min(torch.finfo(weight.dtype).tiny)).clamp_max(1)


def sizes(asked: Ensemble) -> dict[str, list[float]]:
    """Mean stable rank and mean largest singular value of the matrices: `rank`, `norm`, a member.

    NaN of rules that were built by hand.
    """
    if asked.trained is None:
        return {name: [math.nan] * len(asked) for name in ("rank", "norm")}
    matrices = [value for value in asked.trained.parameters.values() if value.ndim == 3]
    norms = torch.stack([torch.linalg.matrix_norm(one, 2) for one in matrices])
    whole = torch.stack([torch.linalg.matrix_norm(one) for one in matrices])
    return {"rank": (whole / norms).square().mean(0).tolist(), "norm": norms.mean(0).tolist()}
