"""The oscillation with a hint that tells the label."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.problems.oscillation import Oscillation
from falsestruct.problems.planted import Planted, Set


def oscillation(delta: float = 1e-2, *, shape: Oscillation | None = None) -> Planted:
    """The oscillation problem: f_a against the hint in x₂, of size δ."""
    given = shape or Oscillation()
    own = Oscillation(given.a, given.K, given.epsilon, delta)

    def make(samples: int, generator: torch.Generator, agrees: Tensor, held_out: bool) -> Set:
        x, y = own.sample(samples, "zero", generator)
        hint = torch.where(agrees, y, 1 - y)
        return torch.stack((x[:, 0], delta * hint), 1), y

    direction = torch.tensor([0.0, 1.0], dtype=torch.float64)
    return Planted(
        "oscillation", delta, own.original, own.false, direction, delta / 2,
        500, make,
    )  # fmt: skip
