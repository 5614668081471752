"""The oscillation problem: a function of x₁ that is hard to follow, and a hint in x₂.

Thesing, Antun, Hansen (arXiv:1906.01478): f_a(x) = ⌈a/x₁⌉ mod 2 on x₁ ∈ [b, 1], b = a/(K+1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from falsestruct.structures import Structure

Second = Literal["hint", "zero", "swapped"]


@dataclass(frozen=True)
class Oscillation:
    """f_a on S_ε, the interval [b, 1] without the ε-neighbourhoods of f_a's breakpoints.

    Attributes:
        a, K: Integers, 1 ≤ a < K. The label changes at a/K < … < a/(a+1): K − a breakpoints.
        epsilon: Half-width ε of what is cut out at each breakpoint, at most b²/(2(a−b)).
        delta: Size δ > 0 of the hint in x₂.

    Raises:
        ValueError: a value outside its range.
    """

    a: int = 20
    K: int = 26
    epsilon: float = 1e-2
    delta: float = 1e-4

    def __post_init__(self) -> None:
        if not 1 <= self.a < self.K:
            raise ValueError(f"a = {self.a} and K = {self.K}; expected 1 ≤ a < K")
        largest = self.b**2 / (2 * (self.a - self.b))
        if not 0 < self.epsilon <= largest:
            raise ValueError(f"epsilon = {self.epsilon}; expected 0 < epsilon ≤ {largest:.6g}")
        if not self.delta > 0:
            raise ValueError(f"delta = {self.delta}; expected delta > 0")

    @property
    def b(self) -> float:
        """Left end of the interval of x₁."""
        return self.a / (self.K + 1)

    @property
    def breakpoints(self) -> Tensor:
        """The a/k with k = K … a+1, increasing: (K − a,)."""
        return self.a / torch.arange(self.K, self.a, -1, dtype=torch.float64)

    @property
    def intervals(self) -> Tensor:
        """The intervals of S_ε from left to right: (K − a + 1, 2)."""
        k = torch.arange(self.K, self.a - 1, -1, dtype=torch.float64)
        return torch.stack((self.a / (k + 1) + self.epsilon, self.a / k - self.epsilon), dim=1)

    @property
    def original(self) -> Structure:
        """f_a. Its radius is the distance from x₁ to the nearest breakpoint (ℓ2 and ℓ∞)."""

        def rule(x: Tensor) -> Tensor:
            return torch.ceil(self.a / x[:, 0]).long() % 2

        def radius(x: Tensor) -> Tensor:
            return (x[:, :1].double() - self.breakpoints).abs().amin(1)

        return Structure("oscillation", rule, radius)

    @property
    def false(self) -> Structure:
        """1{x₂ > δ/2}. Its radius is |x₂ − δ/2|: at most δ/2 on the data (ℓ2 and ℓ∞)."""
        half = self.delta / 2
        return Structure(
            "hint", lambda x: (x[:, 1] > half).long(), lambda x: (x[:, 1] - half).abs()
        )

    def with_second(self, x1: Tensor, second: Second) -> Tensor:
        """Inputs (samples, 2) from x₁ (samples,).

        x₂ = δ·f_a ("hint"), 0 ("zero") or δ·(1 − f_a) ("swapped", the conflict set).
        """
        labels = self.original(x1[:, None]).to(x1.dtype)
        factor = {"hint": labels, "zero": torch.zeros_like(labels), "swapped": 1 - labels}
        if second not in factor:
            raise ValueError(f"second is {second!r}; expected one of {', '.join(factor)}")
        return torch.stack((x1, self.delta * factor[second]), dim=1)

    def sample(
        self, samples: int, second: Second, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Random inputs (samples, 2) in S_ε and labels (samples,), float64, shuffled.

        Each interval gets ⌊samples / intervals⌋ points, uniform inside; what is left over goes to
        intervals drawn at random.
        """
        count = len(self.intervals)
        if samples < count:
            raise ValueError(f"samples = {samples}; expected at least one an interval, {count}")
        rest = torch.randperm(count, generator=generator)[: samples % count]
        which = torch.cat((torch.arange(count).repeat(samples // count), rest))
        which = which[torch.randperm(samples, generator=generator)]
        low, high = self.intervals[which].unbind(1)
        x1 = low + (high - low) * torch.rand(samples, dtype=torch.float64, generator=generator)
        return self.with_second(x1, second), self.original(x1[:, None]).double()

    def grid(self, points: int, second: Second) -> tuple[Tensor, Tensor]:
        """A test set without chance: `points` evenly spaced inner points of each interval."""
        step = (torch.arange(points, dtype=torch.float64) + 0.5) / points
        low, high = self.intervals[:, :1], self.intervals[:, 1:]
        x1 = (low + (high - low) * step).flatten()
        return self.with_second(x1, second), self.original(x1[:, None]).double()

    def whole_interval(self, points: int) -> tuple[Tensor, Tensor]:
        """Evenly spaced inputs with x₂ = 0 on all of [b, 1], the cut-out parts included."""
        step = (torch.arange(points, dtype=torch.float64) + 0.5) / points
        x1 = self.b + (1 - self.b) * step
        return self.with_second(x1, "zero"), self.original(x1[:, None]).double()
