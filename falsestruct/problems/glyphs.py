"""Glyphs on a line that are shifted and bent: signals whose deformations keep the label.

A glyph is a smooth bump of a few waves. An input is one glyph at a random place, of random
strength, with noise. As glyphs are formulas, a deformation needs no interpolation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

WAVES = 4  # of a glyph
MODES = 3  # of a deformation


@dataclass(frozen=True)
class Glyphs:
    """A set of glyphs, drawn from a seed.

    Attributes:
        seed: Of the glyphs' shapes.
        classes: Number of glyphs.
        length: Samples of a signal.
        width: Samples that a glyph covers, below the length.
        noise: Standard deviation of the noise in each sample; a glyph's is about 1.
    """

    seed: int = 0
    classes: int = 10
    length: int = 40
    width: int = 12
    noise: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.width < self.length:
            raise ValueError(f"{self}; expected a width above 0 and below the length")

    def waves(self) -> Tensor:
        """Coefficients of the glyphs, (classes, waves), each glyph of mean square 1."""
        generator = torch.Generator().manual_seed(self.seed)
        drawn = torch.randn(self.classes, WAVES, generator=generator, dtype=torch.float64)
        return drawn * math.sqrt(2) / drawn.norm(dim=1, keepdim=True)

    def glyph(self, labels: Tensor, t: Tensor) -> Tensor:
        """Values of glyphs (samples,) at the places t (samples, points), 0 outside [0, width]."""
        orders = torch.arange(1, WAVES + 1)
        angles = math.pi * orders * t[..., None] / self.width  # (samples, points, waves)
        values = (torch.sin(angles) * self.waves()[labels][:, None]).sum(-1)
        return values * ((t > 0) & (t < self.width))

    def draw(
        self, samples: int, generator: torch.Generator, *, root: float = 0.0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Signals, the same signals deformed, (samples, length), and labels (samples,).

        Args:
            root: Root mean square displacement of the middle, in samples; 0 deforms nothing.
        """
        labels = torch.randint(self.classes, (samples,), generator=generator)
        start, strength = torch.rand(2, samples, 1, generator=generator, dtype=torch.float64)
        at = torch.arange(self.length, dtype=torch.float64)
        where = at - start * (self.length - 1 - self.width)
        moved = where - root * deformation(samples, self.length, generator)
        noise = self.noise * torch.randn(
            samples, self.length, generator=generator, dtype=torch.float64
        )
        plain, bent = (
            (0.75 + strength / 2) * self.glyph(labels, t) + noise for t in (where, moved)
        )
        return plain, bent, labels


def deformation(samples: int, length: int, generator: torch.Generator) -> Tensor:
    """Smooth random displacements (samples, length), 0 at the ends, of mean square 1 in the middle.

    Σ c_i sin(iπu) with independent normal c_i of variance 1/i², i ≤ `MODES`, as those of
    arXiv:2105.02468 in one dimension; only odd i move the middle.
    """
    orders = torch.arange(1, MODES + 1, dtype=torch.float64)
    coefficients = torch.randn(samples, MODES, generator=generator, dtype=torch.float64) / orders
    u = (torch.arange(length, dtype=torch.float64) + 0.5) / length
    size = orders[::2].pow(-2).sum().sqrt()
    return coefficients @ torch.sin(math.pi * orders[:, None] * u) / size
