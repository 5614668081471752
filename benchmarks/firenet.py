"""FIRENET: a batch of problems against one after the other, fast transforms against matrices."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from benchmarks.measure import Comparison, compare
from falsestruct.problems.sparse import sparse
from falsestruct.theory import operators
from falsestruct.theory.firenet import Plan, firenet
from falsestruct.theory.operators import Cosine, Dense, Operator, Walsh

PROBLEMS, PLAN = 256, Plan(lam=0.05, restarts=6, inner=50)
SMALL = (80, 200)  # rows and unknowns of the batch
ROWS, UNKNOWNS = 512, 1024  # of the transforms
REPEATS = {1: 200, PROBLEMS: 10}  # in a run, by signals at once


@cache
def measurements() -> tuple[Dense, Tensor]:
    """A Gaussian matrix and the data of 256 sparse signals, (256, rows)."""
    generator = torch.Generator().manual_seed(0)
    operator = operators.gaussian(*SMALL, generator)
    return operator, operator.forward(sparse((PROBLEMS,), SMALL[1], 8, generator))


def batched() -> float:
    """All problems at once; returns their number."""
    operator, y = measurements()
    firenet(operator, y, PLAN)
    return float(PROBLEMS)


def looped() -> float:
    """One problem after the other, an eighth of them; returns their number."""
    operator, y = measurements()
    few = y[: PROBLEMS // 8]
    for one in few:
        firenet(operator, one, PLAN)
    return float(len(few))


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
    for name, transform, kind in (
        ("cosine", operators.cosine, Cosine),
        ("Walsh-Hadamard", operators.hadamard, Walsh),
    ):
        half = kind(UNKNOWNS, kept)
        matrix = transform(torch.eye(UNKNOWNS, dtype=torch.float64)).mT.contiguous()
        x = torch.randn(2, UNKNOWNS, dtype=torch.float64)
        if not torch.allclose(x @ matrix.mT[:, kept], half.forward(x)):
            raise ArithmeticError(f"{name}: the operator is not its matrix; see tests/theory")
        whole, sampled = Dense(matrix).forward, both_ways(Dense(matrix[kept].contiguous()))
        title = f"{name} transform of length {UNKNOWNS:,}"
        for what, fast, dense, signals, wanted in (
            (f"{title}, {PROBLEMS} signals", transform, whole, PROBLEMS, 5.0),
            (f"… {ROWS} of its rows and the adjoint", both_ways(half), sampled, PROBLEMS, None),
            ("… the same, one signal", both_ways(half), sampled, 1, None),
        ):
            ways = applied(fast, signals), applied(dense, signals)
            names = (f"{name}: {what}" if what.startswith("…") else what, "dense matrix")
            found.append(compare(names, ways, unit="signals / s", wanted=wanted))
    return found


def rows() -> list[Comparison]:
    """The batch against the loop, and fast transforms against matrices.

    Raises:
        ArithmeticError: batch and loop differ: then speed means nothing.
    """
    operator, y = measurements()
    if not torch.allclose(firenet(operator, y, PLAN)[0], firenet(operator, y[0], PLAN)):
        raise ArithmeticError("a problem's answer depends on the batch; expected the same answers")
    title = f"FIRENET, {PROBLEMS} problems of {SMALL[0]} × {SMALL[1]} at once"
    ways = batched, looped
    batch = compare((title, "one by one"), ways, unit="problems / s", wanted=10.0)
    return [batch, *transforms()]
