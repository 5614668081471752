"""Training on data drawn afresh in every step, one hidden layer of ReLUs, logistic loss.

Each network draws what it sees from a generator of its own: what becomes of it depends on its seed
alone. Training is that of `fused`; where something is added to the output, of `beside`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from falsestruct.learning import beside, fused, single
from falsestruct.learning.members import DivergedError, spread
from falsestruct.learning.networks import Architecture, initialise
from falsestruct.learning.schedule import Schedule

Arrays = tuple[np.ndarray, np.ndarray]
Draw = Callable[[int, np.random.Generator], Arrays]  # samples → x (samples, inputs), y: float32
Known = Callable[[np.ndarray], Arrays]  # x → what a network sees, and what its output is added to
DATA_SEED = 80_000  # added to a network's seed for what it sees


@dataclass(frozen=True)
class Looks:
    """When training is looked at, on what, and when it is over.

    Attributes:
        every: Steps between two looks; the first one is before training.
        tests: Test sets by name: x (samples, inputs), y (samples,) of 0 or 1.
        until: A network that has at least this share of each test set right is done.
    """

    every: int
    tests: Mapping[str, Arrays]
    until: float | None = None

    def done(self, row: Mapping[str, float]) -> bool:
        """Whether a network with these shares is."""
        return self.until is not None and min(row[name] for name in self.tests) >= self.until


def _rule(architecture: Architecture, schedule: Schedule, looks: Looks) -> fused.Rule:
    batch = schedule.batch
    extra = schedule.target is not None or schedule.adversary is not None
    if batch is None or looks.every < 1 or extra:
        raise ValueError(
            f"{schedule}, every {looks.every}; expected a batch, no target, no adversary"
        )
    # Seeds of one ensemble share their rates: a plain number, or the architecture's.
    rate, decay = schedule.learning_rate, schedule.weight_decay
    if isinstance(rate, Sequence) or isinstance(decay, Sequence):
        raise ValueError(f"rate {rate}, decay {decay}; expected one number each")
    own = architecture.learning_rate if rate is None else rate
    return fused.Rule(own, decay, schedule.optimizer == "adam")


def train(
    architecture: Architecture,
    draw: Draw,
    seeds: Sequence[int],
    schedule: Schedule,
    looks: Looks,
    known: Known | None = None,
) -> pd.DataFrame:
    """Train one network a seed and look at it every so many steps: a row a network and look.

    Columns: seed, step, and for each test set the share of its samples that are right.

    Args:
        architecture: One hidden layer of ReLUs, one output.
        draw: Fresh samples from a generator.
        schedule: Its steps, batch, learning rate, weight decay and optimiser; no target, no
            adversary.
        known: Where part of the answer is given: from x (samples, inputs), what the network sees of
            it, (samples, fewer), and to what its output is added, (samples,).

    Raises:
        ValueError: what this way of training can't do.
        DivergedError: an output is NaN or infinite.
    """
    rule, batch = _rule(architecture, schedule, looks), schedule.batch or 0

    def one(seed: int) -> list[dict[str, float]]:
        state = single.start(initialise(architecture.build(), seed), torch.float32)
        rng = np.random.default_rng(DATA_SEED + seed)
        rows = [_look(state, seed, looks.tests, known)]
        while state.step < schedule.steps and not looks.done(rows[-1]):
            steps = min(looks.every, schedule.steps - state.step)
            x, y = draw(steps * batch, rng)
            order = np.arange(len(x)).reshape(steps, batch)
            if known is None:
                status, _ = fused.advance(state, x, y, order, rule, steps=steps)
            else:
                seen, start = (np.ascontiguousarray(part) for part in known(x))
                status = beside.advance(state, (seen, start, y), order, rule)
            if status == fused.DIVERGED:
                raise DivergedError(
                    f"the network of seed {seed} has an output that is NaN or infinite at step "
                    f"{state.step}; expected finite outputs: lower the learning rate"
                )
            rows.append(_look(state, seed, looks.tests, known))
        return rows

    return pd.DataFrame([row for rows in spread(one, seeds) for row in rows])


def _look(
    state: fused.State, seed: int, tests: Mapping[str, Arrays], known: Known | None
) -> dict[str, float]:
    row: dict[str, float] = {"seed": seed, "step": state.step}
    for name, (x, y) in tests.items():
        seen, start = (x, 0) if known is None else known(x)
        right = (fused.outputs(state, np.ascontiguousarray(seen))[:, 0] + start > 0) == (y > 0.5)
        row[name] = float(right.mean())
    return row
