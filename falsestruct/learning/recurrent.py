"""Recurrent networks of tanh units that read words bit by bit, many in lockstep.

s ← tanh(s·across + x·inward + bias), and the output is s·outward + level. Training reads all words
as a tree (`problems.words`), so that each beginning of a word is read once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional

from falsestruct.learning.members import DivergedError
from falsestruct.learning.schedule import Schedule, Set

NOISE_SEED = 2**33  # added to a member's seed for the noise in its states
UNITS = 16


@dataclass(frozen=True)
class Readers:
    """Recurrent networks of one size.

    Attributes:
        across: (members, units, units), from state to state.
        inward: (members, channels, units), from input to state.
        bias, outward: (members, units).
        level: (members, 1), added to the output.
    """

    across: Tensor
    inward: Tensor
    bias: Tensor
    outward: Tensor
    level: Tensor

    def __len__(self) -> int:
        return len(self.level)

    def parts(self) -> dict[str, Tensor]:
        """What can be trained, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def select(self, members: Sequence[int]) -> Readers:
        """Some of them, in this order."""
        index = torch.tensor(members, dtype=torch.long)
        return Readers(**{name: part[index] for name, part in self.parts().items()})

    def first(self) -> Tensor:
        """The state before the first bit: zero, (members, 1, units)."""
        return torch.zeros_like(self.bias)[:, None]

    def move(self, states: Tensor, x: Tensor) -> Tensor:
        """States (members, words, units) after one more input of each word, (words, channels)."""
        own = torch.baddbmm(self.bias[:, None], states, self.across)
        return torch.tanh(own + x @ self.inward)

    def answer(self, states: Tensor) -> Tensor:
        """Outputs (members, words); label 1 where positive."""
        return (states * self.outward[:, None]).sum(2) + self.level

    def read(self, x: Tensor) -> Tensor:
        """Outputs (members, words, places), one a place, of words (words, places, channels)."""
        states, found = self.first().expand(-1, len(x), -1), []
        with torch.no_grad():
            for place in range(x.shape[1]):
                states = self.move(states, x[:, place])
                found.append(self.answer(states))
        return torch.stack(found, 2)

    def grow(self, levels: Sequence[Set], noise: Tensor | None = None) -> list[Tensor]:
        """States (members, 2ᵗ, units) after every word of each level of a tree.

        Args:
            levels: As `Words.levels`.
            noise: Added to the states, (members, words of all levels, units).
        """
        states, found, begin = self.first(), [], 0
        for x, _ in levels:
            states = self.move(states.repeat_interleave(2, 1), x)
            if noise is not None:
                states = states + noise[:, begin : begin + len(x)]
                begin += len(x)
            found.append(states)
        return found

    def labels(self, levels: Sequence[Set], lengths: Sequence[int]) -> Tensor:
        """Labels (members, words) of all words of these lengths of a tree."""
        with torch.no_grad():
            states = self.grow(levels)
            return torch.cat([(self.answer(states[n - 1]) > 0).long() for n in lengths], 1)


@dataclass(frozen=True)
class Learnt:
    """Readers after training.

    Attributes:
        readers: The networks.
        seeds: Of each.
        loss: The last one that was seen, (members,): with noise, if there was noise.
        steps: Until the target was met, or all, (members,).
    """

    readers: Readers
    seeds: tuple[int, ...]
    loss: Tensor
    steps: Tensor


def start(seeds: Sequence[int], channels: int, units: int = UNITS) -> Readers:
    """Glorot-uniform weights, zero biases: each network from its own seed."""
    shapes = {"across": (units, units), "inward": (channels, units), "outward": (units, 1)}
    drawn: dict[str, list[Tensor]] = {name: [] for name in shapes}
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        for name, shape in shapes.items():
            drawn[name].append(nn.init.xavier_uniform_(torch.empty(shape), generator=generator))
    weights = {name: torch.stack(parts) for name, parts in drawn.items()}
    return Readers(
        weights["across"], weights["inward"], torch.zeros(len(seeds), units),
        weights["outward"][:, :, 0], torch.zeros(len(seeds), 1),
    )  # fmt: skip


def train(
    levels: Sequence[Set],
    seeds: Sequence[int],
    schedule: Schedule,
    *,
    labelled: Tensor | None = None,
    noise: float = 0.0,
    falling: bool = True,
) -> Learnt:
    """Adam on all words of a tree in every step.

    A network that meets the schedule's target is kept as it is then.

    Args:
        levels: As `Words.levels`; the same for all networks.
        schedule: Its steps, learning rate and target.
        labelled: Which words each network has labels of, (members, words of all levels) of bool;
            None: all.
        noise: Standard deviation of what is added to each unit of each state in training. Each
            network draws its own.
        falling: The rate falls to zero as half a cosine. Otherwise it stays.

    Raises:
        ValueError: a schedule with what this way of training can't do.
        DivergedError: a loss is NaN or infinite.
    """
    rate = _rate(schedule)
    first = start(seeds, levels[0][0].shape[1]).parts()
    own = Readers(**{name: part.requires_grad_() for name, part in first.items()})
    draws = [torch.Generator().manual_seed(NOISE_SEED + seed) for seed in seeds]
    shape = (sum(len(x) for x, _ in levels), UNITS)
    optimiser = torch.optim.Adam(own.parts().values(), lr=rate)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, schedule.steps))
    kept = _Kept(own, schedule)
    for step in range(schedule.steps + 1):
        shaken = torch.stack([torch.randn(shape, generator=g) for g in draws]) if noise else None
        loss = losses(own, levels, labelled, None if shaken is None else noise * shaken)
        if kept.look(loss.detach(), step) or step == schedule.steps:
            break
        optimiser.zero_grad()
        loss.sum().backward()  # members share nothing
        optimiser.step()
        if falling:
            cosine.step()
    return Learnt(kept.readers, tuple(seeds), kept.loss, kept.steps)


def losses(
    readers: Readers,
    levels: Sequence[Set],
    labelled: Tensor | None = None,
    noise: Tensor | None = None,
) -> Tensor:
    """Mean cross-entropy (members,) over all words that have labels; `labelled` as for `train`."""
    states = readers.grow(levels, noise)
    outputs = torch.cat([readers.answer(own) for own in states], 1)
    labels = torch.cat([y for _, y in levels]).to(outputs.dtype).expand(outputs.shape)
    known = torch.ones_like(labels, dtype=torch.bool) if labelled is None else labelled
    each = functional.binary_cross_entropy_with_logits(outputs, labels, reduction="none")
    return (each * known).sum(1) / known.sum(1)


def _rate(schedule: Schedule) -> float:
    rate = schedule.learning_rate
    plain = schedule.batch is None and schedule.adversary is None and not schedule.weight_decay
    if not isinstance(rate, float) or not plain or schedule.optimizer != "adam":
        raise ValueError(f"{schedule}; expected one rate, Adam, no batch, decay or adversary")
    return rate


class _Kept:
    """Each network as it was when it met the target, or in the end."""

    def __init__(self, own: Readers, schedule: Schedule) -> None:
        self.own, self.target = own, schedule.target
        self.readers = Readers(**{n: part.detach().clone() for n, part in own.parts().items()})
        self.loss = torch.full((len(own),), math.inf)
        self.steps = torch.full((len(own),), schedule.steps)
        self.done = torch.zeros(len(own), dtype=torch.bool)
        self.last = schedule.steps

    def look(self, loss: Tensor, step: int) -> bool:
        """Keep who meets the target, in the last step all; whether nobody is left."""
        if not torch.isfinite(loss).all():
            raise DivergedError(f"a loss is NaN or infinite at step {step}: lower the rate")
        met = torch.zeros_like(self.done) if self.target is None else loss <= self.target
        fresh = (met | torch.tensor(step == self.last)) & ~self.done
        if fresh.any():
            self.loss[fresh], self.steps[fresh] = loss[fresh], step
            for name, part in self.readers.parts().items():
                part[fresh] = getattr(self.own, name).detach()[fresh]
            self.done |= fresh
        return bool(self.done.all())
