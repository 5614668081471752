"""Training with the engine `fused`: each member from its first step to its last, on one thread.

Members share nothing, so that neither the ensemble nor the number of threads changes a byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from falsestruct.learning import engines, fused
from falsestruct.learning.engines import Parameters
from falsestruct.learning.members import DivergedError, spread
from falsestruct.learning.networks import Architecture, initialise
from falsestruct.learning.schedule import BATCH_SEED, Schedule, Set, Trained

CHUNK = 1000  # steps whose batches are drawn at once, about

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Member:
    """One network to be.

    Attributes:
        number, seed: Its place in the ensemble; what it begins with.
        rate, decay: Learning rate, weight decay.
        data: Its training set: x (samples, …), y (samples,).
        tests: Test sets by name.
    """

    number: int
    seed: int
    rate: float
    decay: float
    data: Set
    tests: Mapping[str, Set]


@dataclass(frozen=True)
class _Done:
    """A member after training: its weights, what was seen on the way, and how it ended.

    Attributes:
        loss: NaN if an output became NaN or infinite at `step`.
        reached: Whether it met the stopping rule.
    """

    state: fused.State
    rows: list[dict[str, float]]
    loss: float
    reached: bool


def serves(architecture: Architecture, inputs: int) -> bool:
    """Whether the compiled function can train it: one hidden ReLU layer, not too many inputs."""
    try:
        layers = engines.dense_layers(architecture.build())
    except ValueError:
        return False
    return len(layers) == 2 and inputs <= fused.INPUTS


def train(
    architecture: Architecture,
    members: Sequence[Member],
    schedule: Schedule,
    *,
    at: Iterable[int] = (),
    dtype: torch.dtype,
) -> Trained:
    """Train each member; as many at once as PyTorch has threads.

    Args:
        at: Steps at which losses and accuracies are noted.

    Raises:
        DivergedError: a loss is NaN or infinite.
        ValueError: inputs or labels that the networks can't take.
    """
    sizes = start(architecture.build(), dtype).sizes
    held: dict[tuple[int, int], Arrays] = {}
    for member in members:
        for x, y in (member.data, *member.tests.values()):
            if (id(x), id(y)) not in held:
                held[id(x), id(y)] = _arrays(x, y, dtype, sizes)
    stops = sorted({step for step in at if step < schedule.steps} | {schedule.steps})

    def one(member: Member) -> _Done:
        return _Run(architecture, member, schedule, held, dtype).to_the_end(stops)

    done = spread(one, members)
    _check([member.number for member in members], done)
    return _collect(architecture, members, done)


def _arrays(x: Tensor, y: Tensor, dtype: torch.dtype, sizes: tuple[int, int, int]) -> Arrays:
    """A set as the compiled function takes it, which checks nothing itself."""
    (inputs, _, outputs), given = sizes, x.flatten(1).shape[1]
    if given != inputs:
        raise ValueError(f"inputs have {given} numbers each; the network takes {inputs}")
    last = max(2, outputs) - 1
    fits = (y >= 0) & (y <= last) & ((y == y.round()) if outputs > 1 else True)
    if not fits.all():
        bad = y[~fits][0].item()
        raise ValueError(f"a label is {bad}; expected 0 to {last} for {outputs} outputs")
    return x.flatten(1).to(dtype).contiguous().numpy(), y.to(dtype).contiguous().numpy()


class _Order:
    """Which samples a member sees: an own permutation in every epoch, as `training` draws it."""

    def __init__(self, seed: int, samples: int, batch: int | None) -> None:
        self.generator = torch.Generator().manual_seed(BATCH_SEED + seed)
        self.samples, self.batch = samples, batch
        self.drawn, self.rows = 0, np.arange(samples)[None]

    def between(self, start: int, stop: int) -> np.ndarray:
        """Rows (steps, batch) from one step on, until `stop` at most; asked for in turn."""
        if self.batch is None:
            return self.rows
        if start == self.drawn:
            epoch = self.samples // self.batch
            draws = [
                torch.randperm(self.samples, generator=self.generator)[: epoch * self.batch]
                for _ in range(max(1, min(CHUNK, stop - start) // epoch))
            ]
            self.rows = torch.cat(draws).view(-1, self.batch).numpy()
            self.drawn += len(self.rows)
        first = len(self.rows) - (self.drawn - start)
        return self.rows[first : first + stop - start]


class _Run:
    """One member in training."""

    def __init__(
        self,
        architecture: Architecture,
        member: Member,
        schedule: Schedule,
        held: Mapping[tuple[int, int], Arrays],
        dtype: torch.dtype,
    ) -> None:
        self.state = start(initialise(architecture.build(), member.seed), dtype)
        self.x, self.y = held[id(member.data[0]), id(member.data[1])]
        self.tests = {name: held[id(x), id(y)] for name, (x, y) in member.tests.items()}
        self.seen = {"member": member.number, "seed": member.seed}
        self.order = _Order(member.seed, len(self.x), schedule.batch)
        self.rule = fused.Rule(
            member.rate, member.decay, schedule.optimizer == "adam", schedule.target,
            len(self.x) // schedule.batch if schedule.batch else None,
        )  # fmt: skip
        self.rows: list[dict[str, float]] = []

    def to_the_end(self, stops: Sequence[int]) -> _Done:
        """Train until the target or the last stop, and note what is seen at each."""
        for stop in stops:
            status, loss = self._advance(stop)
            if status == fused.DIVERGED:
                return _Done(self.state, self.rows, float("nan"), False)
            if status == fused.FINISHED:
                loss = fused.loss(self.state, self.x, self.y)
            elif self.rows and self.rows[-1]["step"] == self.state.step:
                self.rows.pop()  # looked at before, and a last bit above the target then
            self.rows.append(self._look(loss))
            met = self.rule.target is None or loss <= self.rule.target
            if status == fused.REACHED or (met and self._may_leave()) or not np.isfinite(loss):
                break
        return _Done(self.state, self.rows, loss, met)

    def _advance(self, stop: int) -> tuple[int, float]:
        """How the last call of the compiled function ended, and the last loss that it saw."""
        status, seen = fused.FINISHED, float("nan")
        while self.state.step < stop and status == fused.FINISHED:
            rows = self.order.between(self.state.step, stop)
            whole = self.order.batch is None
            steps = stop - self.state.step if whole else len(rows)
            status, seen = fused.advance(self.state, self.x, self.y, rows, self.rule, steps=steps)
        return status, seen

    def _may_leave(self) -> bool:
        """Whether the loss is looked at here: in each step, with batches after each epoch."""
        if self.rule.target is None:
            return False
        step, epoch = self.state.step, self.rule.epoch
        return epoch is None or (step > 0 and step % epoch == 0)

    def _look(self, loss: float) -> dict[str, float]:
        row = {**self.seen, "step": self.state.step, "loss": loss}
        for name, (x, y) in self.tests.items():
            out = torch.from_numpy(fused.outputs(self.state, x)).squeeze(1)
            right = engines.correct(out[None], torch.from_numpy(y)[None])
            row[name] = right.double().mean().item()
        return row


def start(network: nn.Module, dtype: torch.dtype) -> fused.State:
    """A network of one hidden layer, as the compiled function takes it."""
    hidden, output = (layer for layer in network.modules() if isinstance(layer, nn.Linear))
    parts = (hidden.weight.T, hidden.bias, output.weight, output.bias)
    flat = torch.cat([part.detach().flatten() for part in parts]).to(dtype).numpy()
    return fused.State.of(flat, hidden.in_features, hidden.out_features, output.out_features)


def _parameters(names: Sequence[str], states: Sequence[fused.State]) -> Parameters:
    """What `start` takes apart, put together again, each (members, …)."""
    inputs, width, many = states[0].sizes
    flat = torch.from_numpy(np.stack([state.flat for state in states]))
    cuts = flat.split([inputs * width, width, many * width, many], dim=1)
    (hidden, output), members = names, len(states)
    return {
        f"{hidden}.weight": cuts[0].view(members, inputs, width).transpose(1, 2).contiguous(),
        f"{hidden}.bias": cuts[1].contiguous(),
        f"{output}.weight": cuts[2].reshape(members, many, width),
        f"{output}.bias": cuts[3].contiguous(),
    }


def _check(numbers: Sequence[int], done: Sequence[_Done]) -> None:
    ends = zip(numbers, done, strict=True)
    bad = {n: one.state.step for n, one in ends if not np.isfinite(one.loss)}
    if bad:
        raise DivergedError(
            f"members {sorted(bad)} have a loss that is NaN or infinite, the first at step "
            f"{min(bad.values())}; expected finite losses: lower the learning rate"
        )


def _collect(
    architecture: Architecture, members: Sequence[Member], done: Sequence[_Done]
) -> Trained:
    return Trained(
        architecture,
        tuple(member.seed for member in members),
        _parameters(engines.dense_layers(architecture.build()), [one.state for one in done]),
        torch.tensor([one.loss for one in done], dtype=torch.float64),
        torch.tensor([one.state.step for one in done]),
        torch.tensor([one.reached for one in done]),
        pd.DataFrame([row for one in done for row in one.rows]),
    )
