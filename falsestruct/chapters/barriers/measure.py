"""Chapter 11: how FIRENET converges, what inexact matrices do to it, how far recovery goes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.instability import decoding as decoders
from falsestruct.problems.sparse import KINDS, column, problems
from falsestruct.theory import barrier, firenet, operators, released
from falsestruct.theory.barrier import Cell
from falsestruct.theory.firenet import Plan
from falsestruct.theory.operators import Dense
from falsestruct.theory.recovery import basis_pursuit, largest_weight

LAM = 0.05
LARGE = {"rows": 80, "unknowns": 200, "sparsity": 8}  # of the problems of the convergence
SMALL = {"rows": 32, "unknowns": 64, "sparsity": 4}  # of those that other solvers get
LOOKS = (1, 10, 100, 250, 500, 1000, 2000, 4000)  # steps without restarts
EARLY = (1, 10, 50, 100, 150, 200, 250, 300)  # the same, of last steps; then rounding is reached
RESTARTS = 20  # of the networks whose convergence is shown
WEIGHTS = ((0.05, 200), (0.05, 800), (0.01, 200))  # λ and inner steps at the right edge
SOLVED = 0.01  # relative error up to which a problem is solved
GRID = 20  # of the phase transition, both ways


def relative_error(found: Tensor, x: Tensor) -> Tensor:
    """‖found − x‖/‖x‖ over the last axis."""
    return (found - x).norm(dim=-1) / x.norm(dim=-1)


def convergence(
    *, count: int, inner: Sequence[int], last_of: Sequence[int], layers: int = 0, seed: int = 0
) -> pd.DataFrame:
    """Relative errors of FIRENET by restart and of the plain iteration by step.

    Both also with the last step in place of the mean.

    Args:
        inner, last_of: Inner steps of the networks that take means, and of those that don't.
        layers: How deep the networks are, about; 0: twenty restarts each.

    Returns:
        A row a problem and look: method ("p = 50", …, "no restarts", each "…, last step"), last,
        inner (0 without restarts), restarts, steps, problem, error.
    """
    given = problems("Gaussian", count, seed=seed, **LARGE)
    looks: list[tuple[int, bool, Sequence[int], Tensor]] = []
    for p, last in [*((p, False) for p in inner), *((p, True) for p in last_of)]:
        restarts = round(layers / p) or RESTARTS
        plan = Plan(LAM, restarts, p, last=last)
        found = firenet.firenet(given.operator, given.y, plan, history=True)
        looks.append((p, last, range(0, p * restarts + 1, p), found))
    for last, at in ((False, LOOKS), (True, EARLY)):
        found = firenet.unrestarted(given.operator, given.y, Plan(LAM, 1, 1, last=last), at=at)
        looks.append((0, last, at, found))
    tables = []
    for p, last, steps, found in looks:
        grid = pd.MultiIndex.from_product([steps, range(count)], names=["steps", "problem"])
        method = (f"p = {p}" if p else "no restarts") + ", last step" * last
        table = grid.to_frame(index=False).assign(inner=p, last=last, method=method)
        error = relative_error(found, given.x).flatten().numpy()
        tables.append(table.assign(restarts=table["steps"] // p if p else 0, error=error))
    return pd.concat(tables, ignore_index=True)


def gaps(*, count: int, looks: Sequence[int] = LOOKS) -> pd.DataFrame:
    """Excess of the plain iteration's objective over that at the sparse signal, and its bound.

    Returns:
        A row a kind of matrix, problem and number of steps: kind, steps, excess, bound.
    """
    plan, tables = Plan(LAM, 1, 1), []
    for kind in KINDS:
        given = problems(kind, count, **SMALL)
        found = firenet.unrestarted(given.operator, given.y, plan, at=tuple(looks))
        best = firenet.objective(given.operator, given.x, given.y, plan)
        for step, x in zip(looks, found, strict=True):
            excess = firenet.objective(given.operator, x, given.y, plan) - best
            bound = firenet.bound(
                given.operator, plan, start=torch.zeros_like(x), x=given.x, steps=step
            )
            columns = {"excess": excess.flatten().numpy(), "bound": bound.flatten().numpy()}
            tables.append(pd.DataFrame({"kind": kind, "steps": step} | columns))
    return pd.concat(tables, ignore_index=True)


def solvers(*, count: int) -> pd.DataFrame:
    """FIRENET and least squares against HiGHS on small problems.

    Returns:
        A row a kind and problem: kind, problem, firenet, squares (relative differences).
    """
    rows = []
    for kind in KINDS:
        given = problems(kind, count, **SMALL)
        answers = firenet.firenet(given.operator, given.y, Plan(LAM, 24, 100)).reshape(count, -1)
        matrices = operators.matrix_of(given.operator).expand(count, *given.operator.shape).numpy()
        measured = given.y.reshape(count, -1).numpy()
        for i in range(count):
            best = basis_pursuit(matrices[i], measured[i])
            own = {
                "firenet": answers[i].numpy(),
                "squares": np.linalg.lstsq(matrices[i], measured[i])[0],
            }
            off = {name: np.linalg.norm(x - best) / np.linalg.norm(best) for name, x in own.items()}
            rows.append({"kind": kind, "problem": i} | off)
    return pd.DataFrame(rows)


def inexact(*, seeds: int) -> pd.DataFrame:
    """The table with inexact input: errors of all methods, for both roles of the two matrices.

    Returns:
        A row a cell, method, role ("same": the matrix that was read is the true one; "other") and
        seed: K, n, method, role, seed, error, half (half the distance of the minimisers).
    """
    rows = []
    learnt = decoders.inexact(barrier.TABLE, seeds=seeds)
    for cell, decoded in zip(barrier.TABLE, learnt, strict=True):
        operator, y = barrier.problem(barrier.row(cell, 1))
        exact = barrier.network(barrier.row(cell, 1, Decimal), released.PLAN)
        answers: list[tuple[str, int, list[float]]] = [
            ("FIRENET", 0, firenet.firenet(operator, y, released.PLAN).tolist()),
            ("FIRENET, sixty digits", 0, [float(b) for b in exact]),
            ("linear program", 0, basis_pursuit(operator.matrix.numpy(), y.numpy()).tolist()),
        ]
        answers += [("learned decoder", seed, answer) for seed, answer in enumerate(decoded)]
        own = {"K": cell.digits, "n": cell.precision, "half": barrier.half_distance(cell)}
        for method, seed, answer in answers:
            for role, larger in (("same", 1), ("other", 0)):
                error = barrier.distance(answer, barrier.minimiser(barrier.row(cell, larger)))
                rows.append(own | {"method": method, "role": role, "seed": seed, "error": error})
    return pd.DataFrame(rows)


def depths(*, inner: Sequence[int], precisions: Sequence[int]) -> pd.DataFrame:
    """How far FIRENET leaves the midpoint for K = 1: a row each, p, n, share (`barrier.leaves`)."""
    return pd.DataFrame([
        {"p": p, "n": n, "share": barrier.leaves(Cell(1, n), p)} for p in inner for n in precisions
    ])  # fmt: skip


def transition(
    *, unknowns: int, trials: int, inner: Sequence[int], restarts: int = 6
) -> pd.DataFrame:
    """Which problems are solved, over measurements and sparsities, 20 by 20.

    In every column one Gaussian matrix a trial, for all sparsities and depths. Solved: relative
    error at most one in a hundred, for which single precision is enough for the networks.

    Args:
        inner: Inner steps of each network.

    Returns:
        A row a network, cell and trial: inner, rows, fraction (of the rows), sparsity, trial,
        solved. With `inner` 0 the solution of least squares with the least norm.
    """
    tables = []
    for place in range(1, GRID + 1):
        rows = max(1, round(unknowns * place / GRID))
        exact, x, sparsities = column(
            rows, unknowns=unknowns, trials=trials, levels=GRID, seed=place
        )
        operator, matrix = Dense(exact.matrix.float()), exact.matrix
        y = operator.forward(x.float())
        answers = {0: x @ matrix.mT @ torch.linalg.pinv(matrix).mT}
        answers |= {p: firenet.firenet(operator, y, Plan(LAM, restarts, p)) for p in inner}
        for p, found in answers.items():
            solved = relative_error(found, x) <= SOLVED  # (trials, sparsities)
            cells = {"fraction": np.arange(1, GRID + 1) / GRID, "sparsity": sparsities}
            table = pd.concat([
                pd.DataFrame(cells | {"trial": trial, "solved": own.numpy()})
                for trial, own in enumerate(solved)
            ])  # fmt: skip
            tables.append(table.assign(inner=p, rows=rows))
    return pd.concat(tables, ignore_index=True)


def weights(*, unknowns: int, trials: int, restarts: int = 6) -> pd.DataFrame:
    """What is solved with all, or half, of the measurements: smaller weights against more depth.

    Returns:
        A row a number of measurements, trial and network: share (of the measurements, over the
        unknowns), trial, lam, inner, solved (share of the sparsities), less (of those missed, the
        share in which the answer's objective is below the signal's), blocked (of those missed, the
        share whose signal minimises for no weight as large).
    """
    rows = []
    for share in (0.5, 1.0):
        count = round(share * unknowns)
        operator, x, _ = column(
            count, unknowns=unknowns, trials=trials, levels=GRID, seed=1000 + count
        )
        y, own = operator.forward(x), Dense(operator.matrix.float())
        bound = torch.tensor([
            [largest_weight(matrix, z) for z in signals]
            for matrix, signals in zip(operator.matrix, x, strict=True)
        ])  # fmt: skip
        for lam, inner in WEIGHTS:
            plan = Plan(lam, restarts, inner)
            found = firenet.firenet(own, y.float(), plan).double()
            value, best = (firenet.objective(operator, z, y, plan) for z in (found, x))
            missed = relative_error(found, x) > SOLVED
            for trial, lost in enumerate(missed):
                less, blocked = ((value < best)[trial][lost], (bound < lam)[trial][lost])
                rows.append({
                    "share": share, "trial": trial, "lam": lam, "inner": inner,
                    "solved": 1 - float(lost.double().mean()),
                    "less": float(less.double().mean()), "blocked": float(blocked.double().mean()),
                })  # fmt: skip
    return pd.DataFrame(rows)
