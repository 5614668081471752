"""Sparse signals and their measurements, with and without a detail that the matrix hardly sees."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from falsestruct.theory import operators
from falsestruct.theory.operators import Dense, Operator

KINDS = ("Gaussian", "cosine", "Walsh")  # of matrices
ROWS, UNKNOWNS, SUPPORT, SPARSITY = 32, 64, 12, 3  # of a world with a detail


@dataclass(frozen=True, eq=False)
class Problems:
    """Measurements of sparse signals.

    Attributes:
        x, y: (problems, unknowns) and (problems, rows); with a matrix each, an axis of length one
            between.
    """

    operator: Operator
    x: Tensor
    y: Tensor


def problems(
    kind: str, count: int, *, rows: int, unknowns: int, sparsity: int, seed: int = 0
) -> Problems:
    """Signals with normal entries at random places; Gaussian matrices are one a problem.

    Raises:
        ValueError: the kind is unknown.
    """
    generator = torch.Generator().manual_seed(seed)
    operator: Operator
    if kind == "Gaussian":
        operator = operators.gaussian(rows, unknowns, generator, groups=(count,))
    elif kind in KINDS:
        kept = operators.sampled_rows(rows, unknowns, generator)
        make = operators.Cosine if kind == "cosine" else operators.Walsh
        operator = make(unknowns, kept)
    else:
        raise ValueError(f"kind is {kind!r}; expected one of {KINDS}")
    x = sparse((count,), unknowns, sparsity, generator)
    x = x[:, None] if kind == "Gaussian" else x
    return Problems(operator, x, operator.forward(x))


def column(
    rows: int, *, unknowns: int, trials: int, levels: int, seed: int
) -> tuple[Dense, Tensor, list[int]]:
    """Signals of all sparsities up to the number of rows, and one Gaussian matrix a trial for all.

    Returns:
        The matrices, the signals (trials, levels, unknowns), and the sparsity of each level.
    """
    generator = torch.Generator().manual_seed(seed)
    operator = operators.gaussian(rows, unknowns, generator, groups=(trials,))
    sparsities = [max(1, round(rows * level / levels)) for level in range(1, levels + 1)]
    signals = [sparse((trials,), unknowns, own, generator) for own in sparsities]
    return operator, torch.stack(signals, dim=1), sparsities


def sparse(
    shape: tuple[int, ...], unknowns: int, sparsity: int, generator: torch.Generator
) -> Tensor:
    """Signals (*shape, unknowns) with so many normal entries each, at random places."""
    if not 0 <= sparsity <= unknowns:
        raise ValueError(f"sparsity is {sparsity}, unknowns {unknowns}; expected no more")
    full = (*shape, unknowns)
    order = torch.rand(full, dtype=torch.float64, generator=generator).argsort(-1).argsort(-1)
    values = torch.randn(full, dtype=torch.float64, generator=generator)
    return torch.where(order < sparsity, values, 0.0)


@dataclass(frozen=True, eq=False)
class World:
    """Matrices that hardly see a detail, one a seed, and signals with and without it.

    Signals are sparse on the first twelve unknowns; the detail is a vector on the others.

    Attributes:
        operator: Matrices (seeds, rows, unknowns).
        detail: (seeds, 1, unknowns), of norm one.
        trace: What the matrix makes of the detail, in norm.
        plain: Signals without the detail, (seeds, samples, unknowns).
    """

    operator: Dense
    detail: Tensor
    trace: float
    plain: Tensor

    def signals(self, present: Tensor) -> Tensor:
        """The plain signals, with the detail where `present`, (seeds, samples)."""
        return self.plain + present[..., None] * self.detail


def world(*, seeds: int, trace: float, samples: int, offset: int = 0) -> World:
    """Gaussian matrices with one vector of their kernel made visible, at the norm `trace`.

    Args:
        offset: Added to the seed of the signals, not of the matrices: other signals, same world.

    Raises:
        ValueError: trace is not positive.
    """
    if not trace > 0:
        raise ValueError(f"trace is {trace}; expected more than 0")
    matrices, details, plain = [], [], []
    for seed in range(seeds):
        generator = torch.Generator().manual_seed(seed)
        matrix = operators.gaussian(ROWS, UNKNOWNS, generator).matrix
        kernel = torch.linalg.svd(matrix[:, SUPPORT:]).Vh[ROWS:]
        mix = torch.randn(len(kernel), dtype=torch.float64, generator=generator)
        detail = torch.cat((torch.zeros(SUPPORT, dtype=torch.float64), mix @ kernel))
        detail = detail / detail.norm()
        seen = torch.randn(ROWS, dtype=torch.float64, generator=generator)
        matrices.append(matrix + trace * torch.outer(seen / seen.norm(), detail))
        details.append(detail[None])
        draws = torch.Generator().manual_seed(2**32 + offset + seed)
        order = torch.rand(samples, SUPPORT, generator=draws).argsort(-1).argsort(-1)
        values = torch.randn(samples, SUPPORT, dtype=torch.float64, generator=draws)
        head = torch.where(order < SPARSITY, values, 0.0)
        plain.append(pad(head, (0, UNKNOWNS - SUPPORT)))
    return World(Dense(torch.stack(matrices)), torch.stack(details), trace, torch.stack(plain))


def present(given: World) -> Tensor:
    """Every other signal has the detail, (seeds, samples), 0 or 1."""
    return (torch.arange(given.plain.shape[1]) % 2).double().expand(given.plain.shape[:2])
