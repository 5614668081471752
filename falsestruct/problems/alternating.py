"""Points whose label alternates along the first input, and a second input that says it.

x₁ = a/(k + ½) with the label k mod 2, and x₂ = δ times the label (after arXiv:2109.06098). Evenly
spaced points with the same labels are the control for crowding.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from falsestruct.theory import stable

Second = Literal["label", "zero", "random"]
RANDOM_SEED = 70_000  # of a second input that is independent of the label


@dataclass(frozen=True)
class Points:
    """The r points in the coordinates (t, u) in which networks train.

    t is x₁ with mean 0 and standard deviation 1 over the points. u is −strength where x₂ = 0 and
    +strength where x₂ = δ. If each input is standardised by itself, strength is 1 whatever δ is; on
    one common scale (`on_one_scale`) it is δ/2 in units of x₁'s standard deviation.

    Attributes:
        r: Number of points, at least 2.
        strength: Positive.
        even: Evenly spaced; else they crowd towards 0.
    """

    r: int
    strength: float = 1.0
    even: bool = False

    def __post_init__(self) -> None:
        if self.r < 2 or not self.strength > 0:
            raise ValueError(f"{self}; expected at least two points and a positive strength")

    @property
    def labels(self) -> Tensor:
        """(r,), 0 or 1."""
        return torch.tensor(stable.labels(self.r), dtype=torch.float64)

    @property
    def first(self) -> Tensor:
        """t, (r,), decreasing."""
        return standardised(self.r, even=self.even)[0]

    @property
    def exact(self) -> tuple[Fraction, ...]:
        """x₁ (r,), decreasing (a = 1)."""
        return (stable.even_inputs if self.even else stable.first_inputs)(self.r)

    @property
    def gap(self) -> float:
        """The smallest distance of two points along t."""
        smallest = min(u - v for u, v in pairwise(self.exact))
        return float(smallest) / standardised(self.r, even=self.even)[2]

    def tight(self, factor: float) -> np.ndarray:
        """Points (r,) with a neighbour nearer than this multiple of the smallest gap."""
        t = self.first.numpy()
        own = np.abs(np.diff(t, prepend=np.inf, append=-np.inf))
        return np.asarray(np.minimum(own[:-1], own[1:]) < factor * self.gap)

    def inputs(self, second: Tensor) -> Tensor:
        """(r, 2), with x₂ = δ·second for second (r,), 0 or 1."""
        return torch.stack((self.first, self.strength * (2 * second - 1)), 1)

    def training_set(self, second: Second, seed: int) -> tuple[Tensor, Tensor]:
        """Inputs and labels: x₂ by the label, zero, or a fair coin of this seed for each point."""
        if second not in get_args(Second):
            raise ValueError(f"second is {second!r}; expected one of {', '.join(get_args(Second))}")
        coins = torch.Generator().manual_seed(RANDOM_SEED + seed)
        bits = {
            "label": lambda: self.labels,
            "zero": lambda: torch.zeros(self.r, dtype=torch.float64),
            "random": lambda: torch.randint(2, (self.r,), generator=coins).double(),
        }
        return self.inputs(bits[second]()), self.labels


@cache
def standardised(r: int, *, even: bool = False) -> tuple[Tensor, float, float]:
    """t (r,), and the mean and standard deviation of x₁ over the points (a = 1)."""
    x1 = torch.tensor([float(x) for x in Points(r, even=even).exact], dtype=torch.float64)
    mean, spread = float(x1.mean()), float(x1.std(correction=0))
    return (x1 - mean) / spread, mean, spread


def on_one_scale(r: int, ratio: float, *, even: bool = False) -> Points:
    """Both inputs divided by x₁'s standard deviation; δ is `ratio` times the smallest gap."""
    return Points(r, ratio * Points(r, even=even).gap / 2, even)
