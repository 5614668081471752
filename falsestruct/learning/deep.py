"""Stacks of dense layers of any depth, in kinds that have the same weights.

So depths can be compared at an equal number of weights, and kinds at an equal depth.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

from torch import Tensor, nn

from falsestruct.learning.networks import Architecture

Kind = Literal["plain", "scaled", "skip connections", "normalisation"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Scaled(nn.Module):
    """A ReLU times √2: as large, on average, as what comes in, if half of that is negative.

    Weights that are larger by as much do the same (He and others, arXiv:1502.01852); here they
    begin as in all other networks of the book.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of x."""
        return math.sqrt(2) * x.relu()


class Skip(nn.Module):
    """x + R(Wx + b): a layer that its input goes past (after He and others, arXiv:1512.03385)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of x, (samples, width)."""
        passed: Tensor = x + self.linear(x).relu()
        return passed


def _layer(kind: Kind, before: int, width: int) -> list[nn.Module]:
    if kind == "skip connections" and before == width:
        return [Skip(width)]
    linear = nn.Linear(before, width)
    if kind == "normalisation":  # without weights of its own (arXiv:1607.06450)
        return [linear, nn.LayerNorm(width, elementwise_affine=False), nn.ReLU()]
    return [linear, Scaled() if kind == "scaled" else nn.ReLU()]


def deep(inputs: int, width: int, depth: int, *, kind: Kind = "plain") -> Architecture:
    """So many hidden layers of so many ReLUs, one output.

    Raises:
        ValueError: the kind is unknown, or there is no hidden layer.
    """
    if kind not in KINDS or depth < 1:
        raise ValueError(f"kind {kind!r}, depth {depth}; expected one of {KINDS} and 1 or more")

    def build() -> nn.Module:
        layers = _layer("scaled" if kind == "scaled" else "plain", inputs, width)
        if kind == "normalisation":
            layers = _layer(kind, inputs, width)
        for _ in range(depth - 1):
            layers += _layer(kind, width, width)
        return nn.Sequential(*layers, nn.Linear(width, 1))

    engine: Literal["dense", "stacked"] = "dense" if kind == "plain" else "stacked"
    return Architecture(f"{depth} × {width}, {kind}", build, engine)


def weights(inputs: int, width: int, depth: int) -> int:
    """Number of weights and biases of `deep`, whatever the kind."""
    return (inputs + 1) * width + (depth - 1) * (width + 1) * width + width + 1


def equal(inputs: int, depth: int, wanted: int) -> int:
    """The width at which `deep` has the number of weights that is nearest to this."""
    most = wanted // (inputs + 2) + 2
    return min(range(1, most), key=lambda width: abs(weights(inputs, width, depth) - wanted))
