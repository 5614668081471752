"""Networks whose output, less that at the start, is multiplied: from lazy to rich training.

With a large factor α a little movement of the weights is enough, and the network stays near its
linearisation; with a small one they must move far (Chizat, Oyallon, Bach, arXiv:1812.07956).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from falsestruct.learning import engines
from falsestruct.learning.engines import Forward, Parameters
from falsestruct.learning.ensembles import Ensemble, Learner
from falsestruct.learning.members import DivergedError
from falsestruct.learning.networks import Architecture, initialise
from falsestruct.learning.schedule import Schedule, Set


def learner(alpha: float) -> Learner:
    """A `Learner` of α(f − f₀), by gradient descent on the whole set.

    A step goes down the gradient of the loss of α(f − f₀) by the schedule's learning rate over α²:
    what that output does in a first step doesn't depend on α.

    Args:
        alpha: Above 0.

    Raises:
        ValueError: alpha is not.
    """
    if not alpha > 0:
        raise ValueError(f"alpha is {alpha}; expected a number above 0")

    def learn(
        architecture: Architecture,
        data: Set | Sequence[Set],
        seeds: Sequence[int],
        schedule: Schedule,
    ) -> Ensemble:
        sets = [data] * len(seeds) if isinstance(data, tuple) else list(data)
        x, y = (torch.stack([pair[k] for pair in sets]).double() for k in (0, 1))
        return _Run(architecture, seeds, alpha).train(x, y, schedule)

    return learn


class _Run:
    """An ensemble in training, in float64: with a large α weights move by little."""

    def __init__(self, architecture: Architecture, seeds: Sequence[int], alpha: float) -> None:
        networks = [initialise(architecture.build(), seed).double() for seed in seeds]
        stacked, _ = torch.func.stack_module_state(networks)
        self.start: Parameters = {name: value.detach() for name, value in stacked.items()}
        self.seeds, self.alpha = tuple(seeds), alpha
        self.rate = architecture.learning_rate
        self.forward: Forward = engines.forward(architecture)

    def train(self, x: Tensor, y: Tensor, schedule: Schedule) -> Ensemble:
        """Of sets (members, samples, …), (members, samples); who is at the target leaves."""
        rate = self.rate if schedule.learning_rate is None else schedule.learning_rate
        if schedule.batch or schedule.optimizer != "sgd" or not isinstance(rate, float):
            raise ValueError(f"{schedule}; expected descent on whole sets, at one rate")
        end = {name: value.clone() for name, value in self.start.items()}
        now = {name: value.clone().requires_grad_() for name, value in end.items()}
        with torch.no_grad():
            begun = self.forward(self.start, x)
        live, steps = torch.arange(len(x)), torch.zeros(len(x))
        loss = torch.zeros(len(x), dtype=torch.float64)
        reached = torch.zeros(len(x), dtype=torch.bool)
        for step in range(schedule.steps + 1):
            losses = engines.cross_entropy(self.alpha * (self.forward(now, x) - begun), y)
            if not torch.isfinite(losses).all():
                raise DivergedError(f"a loss is NaN or infinite at step {step}: lower the rate")
            done = losses.detach() <= (schedule.target or 0.0)
            reached[live], loss[live], steps[live] = done, losses.detach(), float(step)
            if step == schedule.steps or done.all():
                break
            slopes = torch.autograd.grad(losses[~done].sum(), list(now.values()))
            with torch.no_grad():
                for value, slope in zip(now.values(), slopes, strict=True):
                    value.sub_(slope, alpha=rate / self.alpha**2)
            if done.any():  # they cost no more
                for name, value in now.items():
                    end[name][live[done]] = value.detach()[done]
                    now[name] = engines.compact(value, ~done).requires_grad_()
                live, x, y, begun = (part[~done] for part in (live, x, y, begun))
        for name, value in now.items():
            end[name][live] = value.detach()
        return self._ensemble(end, loss, steps, reached)

    def _ensemble(self, end: Parameters, loss: Tensor, steps: Tensor, reached: Tensor) -> Ensemble:
        """`moved`: of the first matrix, relative; `travelled`: of all weights. Euclidean."""

        def outputs(x: Tensor) -> Tensor:
            now, begun = (self.forward(own, x.double()) for own in (end, self.start))
            return self.alpha * (now - begun)

        off = {
            name: (end[name] - value).flatten(1).norm(dim=1) for name, value in self.start.items()
        }
        first = next(iter(self.start))
        facts = {
            "loss": loss.tolist(),
            "steps": steps.long().tolist(),
            "reached": reached.tolist(),
            "moved": (off[first] / self.start[first].flatten(1).norm(dim=1)).tolist(),
            "travelled": torch.stack(list(off.values())).norm(dim=0).tolist(),
        }
        return Ensemble(outputs, self.seeds, facts)
