"""What a decoder can learn of one matrix of a pair that no finite precision tells apart.

As in arXiv:2101.08286, it sees sparse signals that minimise for one of the two matrices, and their
data. The pair is that of `theory.barrier`; the matrix is the one whose second entry is larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from falsestruct.theory import barrier
from falsestruct.theory.barrier import Cell

SPARSITY = 5  # entries of a signal below the pair


@dataclass(frozen=True, eq=False)
class Lesson:
    """Signals and measurements of one cell of the table.

    Attributes:
        y, x: Measurements (samples, rows), and signals (samples, unknowns) in units of 1/‖A‖.
        asked: The measurements of the table, (rows,).
        norm: ‖A‖.
    """

    y: Tensor
    x: Tensor
    asked: Tensor
    norm: float


def lesson(cell: Cell, seed: int, *, samples: int) -> Lesson:
    """Minimisers of the pair's block, normal multiples of them, and sparse entries below.

    F is homogeneous, so that a multiple minimises for that multiple of the data.
    """
    operator, asked = barrier.problem(barrier.row(cell, 1))
    norm = float(operator.norm)
    best = torch.tensor(barrier.minimiser(barrier.row(cell, 1)), dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(samples, barrier.REST, generator=generator).argsort(-1).argsort(-1)
    values = torch.randn(samples, barrier.REST, dtype=torch.float64, generator=generator) / norm
    factor = torch.randn(samples, 1, dtype=torch.float64, generator=generator)
    x = torch.cat((factor * best, torch.where(order < SPARSITY, values, 0.0)), dim=1)
    return Lesson(operator.forward(x), x * norm, asked, norm)
