"""FIRENET: a batch of problems against one after the other; fast transforms against other ways."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from scipy.fft import dct
from torch import Tensor

from benchmarks.measure import Comparison, compare, compare_each
from falsestruct.problems.sparse import sparse
from falsestruct.theory import operators
from falsestruct.theory.firenet import Plan, firenet
from falsestruct.theory.operators import Cosine, Dense, Operator, Walsh

PROBLEMS, PLAN = 256, Plan(lam=0.05, restarts=6, inner=50)
SMALL = (80, 200)  # rows and unknowns of the batch
ROWS, UNKNOWNS = 512, 1024  # of the transforms
CORES = len(os.sched_getaffinity(0))
REPEATS = {1: 200, PROBLEMS: 10}  # in a run, by signals at once


@dataclass(frozen=True)
class Batch:
    """Problems that are solved at once, and the same problems alone.

    Attributes:
        operator, y: All of them; y is (problems, rows), or (problems, 1, rows) where each has a
            matrix of its own.
        alone: The operator and the data (…, rows) of each problem.
    """

    operator: Dense
    y: Tensor
    alone: Sequence[tuple[Dense, Tensor]]

    def together(self) -> float:
        """All problems at once; returns their number."""
        firenet(self.operator, self.y, PLAN)
        return float(len(self.y))

    def one_by_one(self) -> float:
        """One problem after the other, an eighth of them; returns their number."""
        few = self.alone[: len(self.alone) // 8]
        for operator, y in few:
            firenet(operator, y, PLAN)
        return float(len(few))

    def check(self) -> None:
        """Raise an ArithmeticError if batch and loop differ: then speed means nothing."""
        if not torch.allclose(
            firenet(self.operator, self.y, PLAN)[0], firenet(*self.alone[0], PLAN)
        ):
            raise ArithmeticError("a problem's answer depends on the batch; expected the same")


def shared() -> Batch:
    """One Gaussian matrix and the data of 256 sparse signals."""
    generator = torch.Generator().manual_seed(0)
    operator = operators.gaussian(*SMALL, generator)
    y = operator.forward(sparse((PROBLEMS,), SMALL[1], 8, generator))
    return Batch(operator, y, [(operator, one) for one in y])


def own() -> Batch:
    """256 Gaussian matrices and the data of a sparse signal for each.

    The norms of the matrices are computed once, on both sides before the runs that count.
    """
    generator = torch.Generator().manual_seed(0)
    operator = operators.gaussian(*SMALL, generator, groups=(PROBLEMS,))
    y = operator.forward(sparse((PROBLEMS, 1), SMALL[1], 8, generator))
    return Batch(operator, y, [(Dense(m), one) for m, one in zip(operator.matrix, y, strict=True)])


def applied(way: Callable[[Tensor], Tensor], signals: int) -> Callable[[], float]:
    """A way that applies a map to so many signals at once."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(signals, UNKNOWNS, dtype=torch.float64, generator=generator)

    def run() -> float:
        for _ in range(REPEATS[signals]):
            way(x)
        return float(REPEATS[signals] * signals)

    return run


def both_ways(operator: Operator) -> Callable[[Tensor], Tensor]:
    """An operator and its adjoint, as every layer applies them."""
    return lambda x: operator.adjoint(operator.forward(x))


def transforms() -> list[Comparison]:
    """Whole transforms against the product with their matrix, and half of their rows both ways.

    Raises:
        ArithmeticError: transform and matrix differ: then speed means nothing.
    """
    found = []
    kept = operators.sampled_rows(ROWS, UNKNOWNS, torch.Generator().manual_seed(0))
    for name, transform, kind, wanted in (
        ("cosine", operators.cosine, Cosine, None),
        ("Walsh-Hadamard", operators.hadamard, Walsh, 5.0),
    ):
        half = kind(UNKNOWNS, kept)
        matrix = transform(torch.eye(UNKNOWNS, dtype=torch.float64)).mT.contiguous()
        x = torch.randn(2, UNKNOWNS, dtype=torch.float64)
        if not torch.allclose(x @ matrix.mT[:, kept], half.forward(x)):
            raise ArithmeticError(f"{name}: the operator is not its matrix; see tests/theory")
        whole, sampled = Dense(matrix).forward, both_ways(Dense(matrix[kept].contiguous()))
        title = f"{name} transform of length {UNKNOWNS:,}"
        others = {"dense matrix": (applied(whole, PROBLEMS), wanted)}
        if name == "cosine":
            others[f"scipy.fft.dct, workers={CORES}"] = applied(scipy_cosine, PROBLEMS), None
        found += compare_each(
            f"{title}, {PROBLEMS} signals", applied(transform, PROBLEMS), others, unit="signals / s"
        )
        for signals, count in ((PROBLEMS, f"{PROBLEMS} signals"), (1, "one signal")):
            ways = applied(both_ways(half), signals), applied(sampled, signals)
            what = f"{title}, {ROWS} of its rows and the adjoint, {count}"
            found.append(compare((what, "dense matrix"), ways, unit="signals / s"))
    return found


def scipy_cosine(x: Tensor) -> Tensor:
    """The orthonormal cosine transform of signals (…, unknowns), by SciPy on all cores."""
    return torch.from_numpy(dct(x.numpy(), norm="ortho", workers=CORES))


def rows() -> list[Comparison]:
    """The batch against the loop, and fast transforms against matrices and SciPy.

    Raises:
        ArithmeticError: two ways give different answers: then speed means nothing.
    """
    found = []
    size = f"{PROBLEMS} problems of {SMALL[0]} × {SMALL[1]}"
    for batch, matrices, wanted in (
        (shared(), "one matrix for all", 10.0),
        (own(), "a matrix for each", None),
    ):
        batch.check()
        ways = batch.together, batch.one_by_one
        names = (f"FIRENET, {size} at once, {matrices}", "one by one")
        found.append(compare(names, ways, unit="problems / s", wanted=wanted))
    x = torch.randn(2, UNKNOWNS, dtype=torch.float64)
    if not torch.allclose(scipy_cosine(x), operators.cosine(x)):
        raise ArithmeticError("our cosine transform is not SciPy's; see tests/theory")
    return [*found, *transforms()]
