"""Stripes whose colour sits in the mean of the pixels, in their contrast, or in a checkerboard.

All three tell horizontal from vertical stripes on the training set. A network that can't see the
mean sees the last two. The size of a colour is the Euclidean norm of what it changes in an image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from falsestruct.problems.stripes import Stripes
from falsestruct.structures import Structure

Kind = Literal["mean", "contrast", "checkerboard"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Coloured:
    """Stripes with a colour that says vertical (above its level) or horizontal (below).

    Attributes:
        kind: Where the colour sits.
        size: Its Euclidean norm, above 0; of a contrast, below that of a centred stripe.
        shape: Of the images; side and width even, so that stripes and checkerboard are orthogonal.
    """

    kind: Kind
    size: float
    shape: Stripes = Stripes(16, 2)

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not self.size > 0 or self.shape.width % 2 or self._side % 2:
            raise ValueError(
                f"{self}; expected one of {KINDS}, a size above 0, even side and width"
            )
        if self.kind == "contrast" and self.size >= self.stripe:
            raise ValueError(f"contrast changes by {self.size}; expected less than {self.stripe}")

    @property
    def _side(self) -> int:
        return self.shape.size

    @property
    def brightness(self) -> float:
        """Mean of a stripe's pixels without colour."""
        return self.shape.width / self._side

    @property
    def stripe(self) -> float:
        """Euclidean norm of a stripe less its mean."""
        return self._side * (self.brightness * (1 - self.brightness)) ** 0.5

    def images(self, sign: Tensor) -> Tensor:
        """Every stripe once, horizontal ones first, coloured by signs (samples,) of ±1."""
        plain = self._plain()
        if self.kind == "contrast":
            scale = 1 + self.size / self.stripe * sign[:, None, None]
            return self.brightness + scale * (plain - self.brightness)
        return plain + self.size * sign[:, None, None] * self._pattern()

    def labels(self) -> Tensor:
        """1 for horizontal, (samples,), float64."""
        return (torch.arange(2 * self.shape.positions) < self.shape.positions).double()

    def described(self) -> tuple[Tensor, Tensor]:
        """The training set: the colour gives every label away."""
        return self.images(1 - 2 * self.labels()), self.labels()

    def swapped(self) -> Tensor:
        """The conflict set: the colour says the opposite."""
        return self.images(2 * self.labels() - 1)

    @property
    def orientation(self) -> Structure:
        """The original structure."""
        return self.shape.orientation

    @property
    def colour(self) -> Structure:
        """The structure that reads the colour: 1, horizontal, where it is below its level."""

        def rule(x: Tensor) -> Tensor:
            if self.kind == "contrast":
                return (
                    (x - x.mean((1, 2), keepdim=True)).flatten(1).norm(dim=1) < self.stripe
                ).long()
            level = self.brightness * self._side if self.kind == "mean" else 0.0
            return ((x * self._pattern()).sum((1, 2)) < level).long()

        return Structure(self.kind, rule)

    def _plain(self) -> Tensor:
        places = torch.arange(self.shape.positions).repeat(2)
        none = torch.zeros(len(places), dtype=torch.float64)
        return self.shape.images(self.labels().bool(), places, none)

    def _pattern(self) -> Tensor:
        """The direction of unit length that carries the colour."""
        if self.kind == "mean":
            return torch.full((self._side,) * 2, 1 / self._side, dtype=torch.float64)
        sign = 1 - 2 * (torch.arange(self._side) % 2).double()
        return sign[:, None] * sign / self._side


def without_mean(x: Tensor) -> Tensor:
    """Images (samples, side, side) as a network sees them that can't see their mean."""
    return x - x.mean((1, 2), keepdim=True)
