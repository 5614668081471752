"""Points at equal distances whose labels alternate, and a hint that says them.

The points j/2ᵏ with the labels j mod 2 (after Telgarsky, arXiv:1509.08101); the hint is the book's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from falsestruct.structures import Structure

Hint = Literal["right", "opposite", "none"]
SIGNS: dict[Hint, float] = dict(zip(get_args(Hint), (1.0, -1.0, 0.0), strict=True))


@dataclass(frozen=True)
class Tents:
    """The points as networks see them: (2x − 1, ±size), where x is j/2ᵏ.

    Attributes:
        k: So many tents, one after the other, give the labels; at least 1.
        size: Of the hint, above 0.
    """

    k: int
    size: float

    def __post_init__(self) -> None:
        if self.k < 1 or not self.size > 0:
            raise ValueError(f"{self}; expected k of at least 1 and a size above 0")

    @property
    def labels(self) -> Tensor:
        """(points,), float64, 0 or 1."""
        return (torch.arange(2**self.k + 1) % 2).double()

    def inputs(self, hint: Hint = "right") -> Tensor:
        """(points, 2), float64. The hint is +size for label 1, or the opposite, or always zero."""
        first = torch.linspace(-1, 1, 2**self.k + 1, dtype=torch.float64)
        return torch.stack((first, SIGNS[hint] * self.size * (2 * self.labels - 1)), 1)

    @property
    def original(self) -> Structure:
        """The label of the nearest point; at the points the radius is 2⁻ᵏ along the first input."""

        def rule(x: Tensor) -> Tensor:
            nearest = ((x[:, 0].double() + 1) / 2 * 2**self.k).round()
            return nearest.clamp(0, 2**self.k).long() % 2

        return Structure("tents", rule)

    @property
    def hint(self) -> Structure:
        """1 where the second input is positive, with its radius."""
        return Structure("hint", lambda x: (x[:, 1] > 0).long(), lambda x: x[:, 1].abs())
