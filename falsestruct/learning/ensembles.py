"""Whom we ask: networks that were trained, or rules built by hand in their place.

Chapters measure an `Ensemble` and don't know how it came about. So a world whose answer is known,
one in which the conjecture is false say, is the same call with another `Learner`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd
import torch
from torch import Tensor

from falsestruct.learning import training
from falsestruct.learning.networks import Architecture
from falsestruct.learning.training import Schedule, Set, Trained

# Inputs (members, samples, *shape) to one output each (members, samples), label 1 where positive;
# or to one a class (members, samples, classes), where the largest one is the label.
Outputs = Callable[[Tensor], Tensor]
CHUNK = 200  # samples at once: bounds the memory


@dataclass(frozen=True)
class Seeds:
    """Numbers of networks: the rule for a chapter, in one place.

    Attributes:
        fast: Of an architecture of dense layers: an ensemble trains in seconds.
        slow: Of any other: convolutions and attention take ten times as long, or more.
    """

    fast: int
    slow: int

    def of(self, architecture: Architecture) -> int:
        """So many of this architecture."""
        return self.fast if architecture.is_dense else self.slow


@dataclass(frozen=True)
class Ensemble:
    """Networks of one kind that can be asked.

    Attributes:
        outputs: Maps inputs (members, samples, *shape) to outputs, as `Outputs`.
        seeds: One a member.
        facts: What is known of each member beside: `loss`, `steps`, `reached`; one value a member.
        trained: The networks' weights, for what looks into them; None of rules built by hand.
    """

    outputs: Outputs
    seeds: tuple[int, ...]
    facts: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    trained: Trained | None = None

    def __len__(self) -> int:
        return len(self.seeds)

    def labels(self, x: Tensor, *, own: bool = False) -> Tensor:
        """Labels (members, samples) of inputs that all members share, (samples, *shape).

        Args:
            own: Each member has its own inputs, (members, samples, *shape).
        """
        axis = 1 if own else 0
        with torch.no_grad():
            parts = [
                self.outputs(part if own else part.expand(len(self), *part.shape))
                for part in x.split(CHUNK, axis)
            ]
        found = torch.cat(parts, 1)
        return (found > 0).long() if found.ndim == 2 else found.argmax(-1)

    def select(self, members: Sequence[int]) -> Ensemble:
        """Some of the members, in this order. A rule built by hand answers for any number."""
        if self.trained is not None:
            return ensemble(training.select(self.trained, members))
        seeds = tuple(self.seeds[member] for member in members)
        facts = {name: [values[m] for m in members] for name, values in self.facts.items()}
        return Ensemble(self.outputs, seeds, facts)

    def table(self, **columns: Any) -> pd.DataFrame:
        """A row a member: `seed`, its facts, and these columns, each a value or one a member."""
        return pd.DataFrame({"seed": list(self.seeds)}).assign(
            **{name: _plain(value) for name, value in (dict(self.facts) | columns).items()}
        )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, Tensor) else value


class Learner(Protocol):
    """What makes an ensemble out of data: training, or a rule that was there before."""

    def __call__(
        self,
        architecture: Architecture,
        data: Set | Sequence[Set],
        seeds: Sequence[int],
        schedule: Schedule,
    ) -> Ensemble:
        """Networks of an architecture, one a seed, on shared data or on one set a seed."""


def ensemble(trained: Trained) -> Ensemble:
    """Trained networks, asked without gradient unless somebody wants one."""
    facts = {
        "loss": trained.loss.tolist(),
        "steps": trained.steps.tolist(),
        "reached": trained.reached.tolist(),
    }
    return Ensemble(training.as_function(trained), tuple(trained.seeds), facts, trained)


def train(
    architecture: Architecture,
    data: Set | Sequence[Set],
    seeds: Sequence[int],
    schedule: Schedule,
) -> Ensemble:
    """The usual `Learner`: training, all seeds in lockstep."""
    return ensemble(training.train(architecture, data, seeds, schedule))


def by_hand(rule: Outputs) -> Learner:
    """A `Learner` that answers by a rule whatever the data are.

    Args:
        rule: Outputs for any number of members.
    """

    def learn(
        architecture: Architecture,
        data: Set | Sequence[Set],
        seeds: Sequence[int],
        schedule: Schedule,
    ) -> Ensemble:
        facts = {"loss": 0.0, "steps": schedule.steps, "reached": True}
        return Ensemble(rule, tuple(seeds), {k: [v] * len(seeds) for k, v in facts.items()})

    return learn
