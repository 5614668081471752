"""Training on fresh data: no sample is seen twice, so that nothing can be learnt by heart.

Each network goes through its steps in the compiled function of `fused`, and draws what it sees from
a generator of its own: what becomes of it depends on its seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from falsestruct.learning import fused, single
from falsestruct.learning.members import DivergedError, spread
from falsestruct.learning.networks import Architecture, initialise
from falsestruct.learning.schedule import Schedule

Arrays = tuple[np.ndarray, np.ndarray]
Draw = Callable[[int, np.random.Generator], Arrays]  # samples → x (samples, inputs), y: float32
DATA_SEED = 80_000  # added to a network's seed for what it sees


def train(
    architecture: Architecture,
    draw: Draw,
    seeds: Sequence[int],
    schedule: Schedule,
    *,
    every: int,
    tests: Mapping[str, Arrays],
    until: tuple[str, float] | None = None,
) -> pd.DataFrame:
    """Train one network a seed and look at it every so many steps: a row a network and look.

    Columns: seed, step, and for each test set the share of its samples that are right. The first
    row is before training.

    Args:
        architecture: One hidden layer of ReLUs, one output.
        draw: Fresh samples from a generator.
        schedule: Its steps, batch, learning rate, weight decay and optimiser; no target, no
            adversary.
        every: Steps between two looks.
        until: A test set and a share: a network that has it right on so much of it is done.

    Raises:
        ValueError: what this way of training can't do.
        DivergedError: an output is NaN or infinite.
    """
    batch = schedule.batch
    if batch is None or every < 1 or schedule.target is not None or schedule.adversary is not None:
        raise ValueError(f"{schedule}, every {every}; expected a batch, no target, no adversary")
    # Seeds of one ensemble share their rates: a plain number, or the architecture's.
    rate, decay = schedule.learning_rate, schedule.weight_decay
    if isinstance(rate, Sequence) or isinstance(decay, Sequence):
        raise ValueError(f"rate {rate}, decay {decay}; expected one number each")
    own = architecture.learning_rate if rate is None else rate
    rule = fused.Rule(own, decay, schedule.optimizer == "adam")

    def one(seed: int) -> list[dict[str, float]]:
        state = single.start(initialise(architecture.build(), seed), torch.float32)
        rng = np.random.default_rng(DATA_SEED + seed)
        rows = [_look(state, seed, tests)]
        while state.step < schedule.steps and not (until and rows[-1][until[0]] >= until[1]):
            steps = min(every, schedule.steps - state.step)
            x, y = draw(steps * batch, rng)
            order = np.arange(len(x)).reshape(steps, batch)
            status, _ = fused.advance(state, x, y, order, rule, steps=steps)
            if status == fused.DIVERGED:
                raise DivergedError(
                    f"the network of seed {seed} has an output that is NaN or infinite at step "
                    f"{state.step}; expected finite outputs: lower the learning rate"
                )
            rows.append(_look(state, seed, tests))
        return rows

    return pd.DataFrame([row for rows in spread(one, seeds) for row in rows])


def _look(state: fused.State, seed: int, tests: Mapping[str, Arrays]) -> dict[str, float]:
    shares = {
        name: float(((fused.outputs(state, x)[:, 0] > 0) == (y > 0.5)).mean())
        for name, (x, y) in tests.items()
    }
    return {"seed": seed, "step": state.step, **shares}
