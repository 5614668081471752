"""How to train networks, what to look at on the way, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd
import torch
from torch import Tensor

from falsestruct.learning import engines
from falsestruct.learning.engines import Parameters
from falsestruct.learning.networks import Architecture

Set = tuple[Tensor, Tensor]

BATCH_SEED = 2**32  # added to a member's seed for the order of its batches


@dataclass(frozen=True)
class Adversary:
    """Adversarial training (Madry et al., arXiv:1706.06083): each step trains on perturbed inputs.

    Projected gradient ascent on the loss, from the input itself, against the network as it is.

    Attributes:
        norm: Of the perturbation, "l2" or "linf".
        size: At most so large, in the inputs' units.
        steps: Of the ascent, each 2.5·size/steps long.
    """

    norm: Literal["l2", "linf"]
    size: float
    steps: int = 7

    def __post_init__(self) -> None:
        if self.norm not in ("l2", "linf") or not self.size > 0 or self.steps < 1:
            raise ValueError(f"{self}; expected norm l2 or linf, a positive size, steps ≥ 1")

    def perturb(self, outputs: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
        """Inputs (members, samples, …) moved by at most `size` each so that the loss grows."""
        eta = torch.zeros_like(x)
        for _ in range(self.steps):
            point = (x + eta).detach().requires_grad_()
            loss = engines.cross_entropy(outputs(point), y).sum()
            (slope,) = torch.autograd.grad(loss, point)
            eta = eta + 2.5 * self.size / self.steps * self._unit(slope)
            if self.norm == "linf":
                eta = eta.clamp(-self.size, self.size)
            else:
                eta = eta * (self.size / self._length(eta)).clamp(max=1)
        return x + eta

    def _unit(self, slope: Tensor) -> Tensor:
        return slope.sign() if self.norm == "linf" else slope / self._length(slope)

    @staticmethod
    def _length(eta: Tensor) -> Tensor:
        flat = eta.flatten(2).norm(dim=2).clamp_min(torch.finfo(eta.dtype).tiny)
        return flat.view(*flat.shape, *[1] * (eta.ndim - 2))


@dataclass(frozen=True)
class Schedule:
    """How to train: with decoupled weight decay (arXiv:1711.05101).

    Attributes:
        steps: At most so many.
        batch: Samples a step, drawn without replacement until an epoch is over, an incomplete last
            batch left out; None: the whole set.
        target: Stop a member as soon as its loss on its whole set is at most this; looked at in
            every step, with batches after every epoch. None: use all steps.
        learning_rate: For all members or one each; None: the architecture's.
        weight_decay: For all members or one each.
        optimizer: Adam with its usual constants, or gradient descent without momentum.
        adversary: Perturbs what a step trains on; target and history look at clean inputs.
    """

    steps: int
    batch: int | None = None
    target: float | None = None
    learning_rate: float | Sequence[float] | None = None
    weight_decay: float | Sequence[float] = 0.0
    adversary: Adversary | None = None
    optimizer: Literal["adam", "sgd"] = "adam"


@dataclass(frozen=True)
class Watch:
    """What to look at on the way.

    Attributes:
        at: Steps; 0 is before training. A member's last step is always looked at.
        tests: By name, inputs and labels for all members, or a sequence with one pair a member.
    """

    at: Sequence[int] = ()
    tests: Mapping[str, Set | Sequence[Set]] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """Networks of one architecture after training.

    Attributes:
        seeds: Of each member.
        parameters: Each (members, …).
        loss: Of the final parameters on the training set, (members,).
        steps: Steps that each member took, (members,).
        reached: Whether each met the stopping rule, (members,); all true without one.
        history: A row a member and step looked at: member, seed, step, loss (on its whole training
            set), and the accuracy on each test set under its name.
    """

    architecture: Architecture
    seeds: tuple[int, ...]
    parameters: Parameters
    loss: Tensor
    steps: Tensor
    reached: Tensor
    history: pd.DataFrame

    def __len__(self) -> int:
        return len(self.loss)
