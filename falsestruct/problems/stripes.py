"""The stripes problem: what people see is the orientation, what the pixels add up to is a colour.

Thesing, Antun, Hansen (arXiv:1906.01478): n × n images with one stripe. Horizontal: label 1,
background −a, stripe 1 − a. Vertical: label 0, background +a, stripe 1 + a.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from falsestruct.structures import Structure

Colours = Literal["true", "swapped"]

# The bands of a in which the paper tests, and the loss that its released network's training
# stored (run 010), both as released.
BANDS = ((0.001, 0.002), (0.003, 0.004), (0.005, 0.006), (0.007, 0.008), (0.01, 0.1))
RELEASED_LOSS = 0.5142715


@dataclass(frozen=True)
class Stripes:
    """Images with one horizontal or vertical stripe.

    Attributes:
        size: Side n of an image, in pixels.
        width: Width w of a stripe, in pixels, 1 ≤ w < n.
    """

    size: int = 32
    width: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.width < self.size:
            raise ValueError(f"width {self.width}, size {self.size}; expected 1 ≤ width < size")

    @property
    def positions(self) -> int:
        """Number of places for a stripe of one orientation."""
        return self.size - self.width + 1

    def images(self, horizontal: Tensor, position: Tensor, offset: Tensor) -> Tensor:
        """Images (samples, size, size), float64.

        Args:
            horizontal: Orientation of each, bool (samples,).
            position: First row or column of the stripe, (samples,), in 0 … positions − 1.
            offset: What is added to all pixels, (samples,).
        """
        if len(position) and not 0 <= int(position.min()) <= int(position.max()) < self.positions:
            raise ValueError(f"positions {position.tolist()}; expected 0 … {self.positions - 1}")
        line = torch.arange(self.size) - position[:, None]
        stripe = ((line >= 0) & (line < self.width)).double()[:, :, None]
        rows = stripe.expand(-1, -1, self.size)
        shape = torch.where(horizontal[:, None, None], rows, rows.transpose(1, 2))
        return shape + offset.double()[:, None, None]

    def described(self, a: float) -> tuple[Tensor, Tensor]:
        """The training set that the paper describes: every stripe once, images and labels."""
        horizontal, position = self._every_stripe()
        return self.images(horizontal, position, _offset(horizontal, a)), horizontal.double()

    def released(self, a: float) -> tuple[Tensor, Tensor]:
        """The training set that the released code makes: all its stripes are horizontal.

        The images labelled "vertical" are horizontal stripes with the offset +a.
        """
        label, position = self._every_stripe()
        everywhere = torch.ones_like(label)
        return self.images(everywhere, position, _offset(label, a)), label.double()

    def independent(self, a: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The control: every stripe once, half of each orientation with either sign of a."""
        horizontal, position = self._every_stripe()
        half = torch.arange(self.positions) < self.positions // 2
        signs = [half[torch.randperm(self.positions, generator=generator)] for _ in range(2)]
        offset = torch.where(torch.cat(signs), a, -a)
        return self.images(horizontal, position, offset), horizontal.double()

    def conflict_set(self, a: float) -> tuple[Tensor, Tensor]:
        """Every stripe once with swapped colours: the colour says the opposite of the label."""
        horizontal, position = self._every_stripe()
        return self.images(horizontal, position, -_offset(horizontal, a)), horizontal.double()

    def test(
        self, samples: int, band: tuple[float, float], colours: Colours, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Random stripes with a uniform in a band: images and labels."""
        if colours not in ("true", "swapped"):
            raise ValueError(f"colours is {colours!r}; expected 'true' or 'swapped'")
        horizontal = torch.rand(samples, generator=generator) < 0.5
        position = torch.randint(self.positions, (samples,), generator=generator)
        low, high = band
        a = low + (high - low) * torch.rand(samples, dtype=torch.float64, generator=generator)
        sign = 1 if colours == "true" else -1
        return self.images(horizontal, position, sign * _offset(horizontal, a)), horizontal.double()

    @property
    def orientation(self) -> Structure:
        """The original structure: the largest mean of w adjacent rows exceeds that of w columns.

        On a clean stripe its ℓ∞ radius is 1/2, whatever the offset (chapter 03).
        """

        def rule(x: Tensor) -> Tensor:
            rows = x.mean(2).unfold(1, self.width, 1).mean(2).amax(1)
            columns = x.mean(1).unfold(1, self.width, 1).mean(2).amax(1)
            return (rows > columns).long()

        return Structure("orientation", rule)

    @property
    def colour(self) -> Structure:
        """The false structure: the pixels add up to less than n·w; with its ℓ∞ radius."""
        level = self.width / self.size

        def rule(x: Tensor) -> Tensor:
            return (x.mean((1, 2)) < level).long()

        return Structure("colour", rule, lambda x: (x.mean((1, 2)) - level).abs())

    def _every_stripe(self) -> tuple[Tensor, Tensor]:
        position = torch.arange(self.positions).repeat(2)
        return torch.arange(2 * self.positions) < self.positions, position


def _offset(horizontal: Tensor, a: float | Tensor) -> Tensor:
    """−a for horizontal, +a for vertical."""
    return torch.where(horizontal, -1.0, 1.0).double() * a
