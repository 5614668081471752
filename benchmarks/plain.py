"""The plain PyTorch loop: what a tutorial would write, one network after the other.

It is no engine of the package. The engine `looped` takes one member after the other too, but inside
the package's loop, with what that loop looks at in every step; it is slower than this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from benchmarks.measure import threads
from falsestruct.learning.networks import PAPER, initialise, shallow
from falsestruct.learning.training import Set
from falsestruct.problems.stripes import Stripes

NAME = "plain PyTorch loop"
TARGET, OFFSET = 1e-3, 0.01  # the paper's stripe network, at the paper's offset


def small(data: Set, *, batch: int, steps: int, dtype: torch.dtype) -> float:
    """Train one 2-104-1 network; returns its steps.

    Args:
        data: Inputs (samples, 2), labels (samples,); samples are a multiple of the batch.
    """
    x, y = (part.to(dtype).unflatten(0, (-1, batch)) for part in data)
    train(shallow(2, 104).build().to(dtype), x, y, steps)
    return float(steps)


def train(network: nn.Module, x: Tensor, y: Tensor, steps: int) -> None:
    """Adam on random ones of fixed batches: x (batches, batch, inputs), y (batches, batch)."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = nn.BCEWithLogitsLoss()
    for chosen in torch.randint(len(x), (steps,)).tolist():
        optimizer.zero_grad()
        loss_of(network(x[chosen])[:, 0], y[chosen]).backward()
        optimizer.step()


@cache
def stripes() -> Set:
    """The paper's training set, float32."""
    x, y = Stripes().described(OFFSET)
    return x.float(), y.float()


@dataclass(frozen=True)
class Plain:
    """The loop on the paper's stripe network, and what can be added to it."""

    channels_last: bool = False
    pooled_first: bool = False
    threads: int | None = None
    fixed: int | None = None  # steps for all, instead of stopping at the target

    def to_target(self, seeds: int) -> float:
        """Train one seed after the other; returns networks."""
        with threads(self.threads or torch.get_num_threads()):
            for seed in range(seeds):
                self._train(seed)
        return float(seeds)

    def _train(self, seed: int) -> None:
        x, y = stripes()
        network = initialise(PAPER.build(), seed) if self.pooled_first else literal(seed)
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(network.parameters(), PAPER.learning_rate)
        loss_of = nn.BCEWithLogitsLoss()
        for _ in range(self.fixed or 2_000):
            optimizer.zero_grad()
            loss = loss_of(network(x)[:, 0], y)
            if self.fixed is None and loss.item() <= TARGET:
                break
            loss.backward()
            optimizer.step()


def literal(seed: int) -> nn.Module:
    """The paper's stripe network with its layers in the paper's order: ReLU before pooling."""
    layers = list(initialise(PAPER.build(), seed))
    for pool, relu in ((2, 3), (5, 6)):
        layers[pool], layers[relu] = layers[relu], layers[pool]
    return nn.Sequential(*layers)
