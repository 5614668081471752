"""Training on data drawn afresh in every step, one hidden layer of ReLUs, logistic loss.

Each network draws what it sees from a generator of its own: what becomes of it depends on its seed
alone. `train` takes the compiled function of `fused`; `train_beside` adds something to the output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.learning import fused, single
from falsestruct.learning.members import DivergedError, spread
from falsestruct.learning.networks import Architecture, initialise
from falsestruct.learning.schedule import Schedule

Arrays = tuple[np.ndarray, np.ndarray]
Draw = Callable[[int, np.random.Generator], Arrays]  # samples → x (samples, inputs), y: float32
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
    architecture: Architecture, draw: Draw, seeds: Sequence[int], schedule: Schedule, looks: Looks
) -> pd.DataFrame:
    """Train one network a seed and look at it every so many steps: a row a network and look.

    Columns: seed, step, and for each test set the share of its samples that are right.

    Args:
        architecture: One hidden layer of ReLUs, one output.
        draw: Fresh samples from a generator.
        schedule: Its steps, batch, learning rate, weight decay and optimiser; no target, no
            adversary.

    Raises:
        ValueError: what this way of training can't do.
        DivergedError: an output is NaN or infinite.
    """
    rule, batch = _rule(architecture, schedule, looks), schedule.batch or 0

    def one(seed: int) -> list[dict[str, float]]:
        state = single.start(initialise(architecture.build(), seed), torch.float32)
        rng = np.random.default_rng(DATA_SEED + seed)
        rows = [_look(state, seed, looks.tests)]
        while state.step < schedule.steps and not looks.done(rows[-1]):
            steps = min(looks.every, schedule.steps - state.step)
            x, y = draw(steps * batch, rng)
            order = np.arange(len(x)).reshape(steps, batch)
            status, _ = fused.advance(state, x, y, order, rule, steps=steps)
            if status == fused.DIVERGED:
                raise DivergedError(
                    f"the network of seed {seed} has an output that is NaN or infinite at step "
                    f"{state.step}; expected finite outputs: lower the learning rate"
                )
            rows.append(_look(state, seed, looks.tests))
        return rows

    return pd.DataFrame([row for rows in spread(one, seeds) for row in rows])


def _look(state: fused.State, seed: int, tests: Mapping[str, Arrays]) -> dict[str, float]:
    shares = {
        name: float(((fused.outputs(state, x)[:, 0] > 0) == (y > 0.5)).mean())
        for name, (x, y) in tests.items()
    }
    return {"seed": seed, "step": state.step, **shares}


def train_beside(
    known: Callable[[np.ndarray], Arrays],
    architecture: Architecture,
    draw: Draw,
    seeds: Sequence[int],
    schedule: Schedule,
    looks: Looks,
) -> pd.DataFrame:
    """As `train`, where part of the answer is given: the network's output is added to it.

    Args:
        known: From x (samples, inputs): what the network sees of it, (samples, fewer), and to
            what its output is added, (samples,).
    """
    rule, batch = _rule(architecture, schedule, looks), schedule.batch or 0
    networks = [list(initialise(architecture.build(), seed).parameters()) for seed in seeds]
    weights = [torch.stack(part).detach() for part in zip(*networks, strict=True)]
    kind = torch.optim.AdamW if rule.adam else torch.optim.SGD
    optimiser = kind(weights, lr=rule.rate, weight_decay=rule.decay)
    rngs, step, going = [np.random.default_rng(DATA_SEED + seed) for seed in seeds], 0, [*seeds]
    found = rows = _looks(weights, seeds, looks.tests, known, step)
    while step < schedule.steps and (
        going := [int(r["seed"]) for r in rows if r["seed"] in going and not looks.done(r)]
    ):
        steps = min(looks.every, schedule.steps - step)
        fresh = [(*known(x), y) for x, y in (draw(steps * batch, rng) for rng in rngs)]
        parts = [torch.from_numpy(np.stack(part)) for part in zip(*fresh, strict=True)]
        for seen, start, y in zip(*(part.split(batch, dim=1) for part in parts), strict=True):
            for weight, slope in zip(weights, _slopes(weights, seen, start, y), strict=True):
                weight.grad = slope
            optimiser.step()
        step += steps
        rows = _looks(weights, seeds, looks.tests, known, step)
        found = found + [row for row in rows if row["seed"] in going]
    return pd.DataFrame(found).sort_values(["seed", "step"], ignore_index=True)


def _hidden(weights: Sequence[Tensor], seen: Tensor) -> Tensor:
    return torch.baddbmm(weights[1][:, None], seen, weights[0].mT).relu()


def _outputs(weights: Sequence[Tensor], hidden: Tensor) -> Tensor:
    return torch.baddbmm(weights[3][:, None], hidden, weights[2].mT)[..., 0]


def _slopes(weights: Sequence[Tensor], seen: Tensor, start: Tensor, y: Tensor) -> list[Tensor]:
    """Gradients of each member's mean loss: seen (members, samples, inputs), y (…, samples)."""
    hidden = _hidden(weights, seen)
    off = (torch.sigmoid(_outputs(weights, hidden) + start) - y) / y.shape[1]
    back = off[..., None] * weights[2] * (hidden > 0)  # (members, samples, width)
    return [back.mT @ seen, back.sum(1), off[:, None] @ hidden, off.sum(1, keepdim=True)]


def _looks(
    weights: Sequence[Tensor],
    seeds: Sequence[int],
    tests: Mapping[str, Arrays],
    known: Callable[[np.ndarray], Arrays],
    step: int,
) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = [{"seed": seed, "step": step} for seed in seeds]
    for name, (x, y) in tests.items():
        seen, start = (torch.from_numpy(part) for part in known(x))
        hidden = _hidden(weights, seen.expand(len(rows), *seen.shape))
        found = _outputs(weights, hidden) + start
        if not found.isfinite().all():
            raise DivergedError(
                f"an output is NaN or infinite at step {step}; expected finite outputs: "
                "lower the learning rate"
            )
        right = ((found > 0) == torch.from_numpy(y > 0.5)).double().mean(1)
        for row, share in zip(rows, right.tolist(), strict=True):
            row[name] = share
    return rows
