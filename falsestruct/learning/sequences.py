"""Architectures for sequences: layers of windows, pairs and pools, as stacks of dense layers.

A signal has the shape (samples, places) or (samples, places, channels). What looks at windows is a
convolution, written as slices and a dense layer, so that `stacked` trains many of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, cat, nn

from falsestruct.learning.networks import Architecture


class Windows(nn.Module):
    """Each place sees its neighbours: (samples, places, channels) → windows side by side."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """(samples, places − width + 1, width·channels)."""
        signal = x if x.ndim == 3 else x.unsqueeze(-1)
        last = signal.shape[1] - self.width + 1
        return cat([signal[:, start : start + last] for start in range(self.width)], -1)


class Pairs(nn.Module):
    """Neighbours two by two: (samples, places, channels) → (samples, places/2, 2·channels)."""

    def forward(self, x: Tensor) -> Tensor:
        """Every place sees the two that stood there before; no place is seen twice."""
        return x.reshape(x.shape[0], x.shape[1] // 2, 2 * x.shape[2])


class Pool(nn.Module):
    """Mean or maximum over all places: (samples, places, channels) → (samples, channels)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """What doesn't know the place any more."""
        return x.mean(1) if self.kind == "mean" else x.amax(1)


class Halve(nn.Module):
    """The maximum of every two neighbours: (samples, places, channels) → half as many places."""

    def forward(self, x: Tensor) -> Tensor:
        """An odd last place is left out."""
        whole = x.shape[1] // 2 * 2
        return x[:, :whole].unflatten(1, (whole // 2, 2)).amax(2)


def tree(length: int, symbols: int, width: int) -> Architecture:
    """A network in the form of the hierarchy: pairs of pairs, weights shared within a level."""

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        places, channels = length, symbols
        while places > 1:
            layers += [Pairs(), nn.Linear(2 * channels, width), nn.ReLU()]
            places, channels = places // 2, width
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width, symbols))

    return Architecture("deep", build, "stacked", learning_rate=3e-3, outputs=symbols)


def flat(length: int, symbols: int, *widths: int) -> Architecture:
    """Layers that see the whole sequence: "shallow" with one that is hidden, "dense" with more."""
    return _dense("shallow" if len(widths) == 1 else "dense", length * symbols, widths, symbols)


def _dense(name: str, before: int, widths: Sequence[int], outputs: int) -> Architecture:
    def build() -> nn.Module:
        layers: list[nn.Module] = [nn.Flatten()]
        for inputs, width in pairwise([before, *widths]):
            layers += [nn.Linear(inputs, width), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))

    return Architecture(name, build, "dense", learning_rate=3e-3, outputs=outputs)


def for_signals(length: int, outputs: int) -> tuple[Architecture, ...]:
    """Eight architectures for signals (samples, length), four of them with windows."""

    def dense(name: str, *widths: int) -> Architecture:
        return _dense(name, length, widths, outputs)

    def windows(name: str, *ending: nn.Module, features: int = 16) -> Architecture:
        def build() -> nn.Module:
            first = [Windows(5), nn.Linear(5, 16), nn.ReLU(), Halve()]
            second = [Windows(5), nn.Linear(80, 16), nn.ReLU()]
            return nn.Sequential(
                *first, *second, *ending, nn.Flatten(), nn.Linear(features, outputs)
            )

        return Architecture(name, build, "stacked", learning_rate=3e-3, outputs=outputs)

    places = (length - 4) // 2 - 4
    return (
        dense("narrow", 32), dense("wide", 256), dense("deep", 64, 64), dense("deeper", 64, 64, 64),
        windows("windows", features=16 * places),
        windows("windows, halved", Halve(), features=16 * (places // 2)),
        windows("mean pool", Pool("mean")), windows("max pool", Pool("max")),
    )  # fmt: skip
