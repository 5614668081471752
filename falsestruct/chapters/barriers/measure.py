"""Chapter 11: how FIRENET converges, what inexact matrices do to it, how far recovery goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.chapters.barriers import decoders
from falsestruct.problems.sparse import KINDS, problems, sparse
from falsestruct.theory import barrier, firenet, operators
from falsestruct.theory.barrier import Cell
from falsestruct.theory.firenet import Plan
from falsestruct.theory.operators import Dense
from falsestruct.theory.recovery import basis_pursuit, largest_sparsity

LAM = 0.05
LARGE = {"rows": 80, "unknowns": 200, "sparsity": 8}  # of the problems of the convergence
SMALL = {"rows": 32, "unknowns": 64, "sparsity": 4}  # of those that other solvers get
LOOKS = (1, 10, 100, 250, 500, 1000, 2000, 4000)  # steps without restarts
PLAN = Plan(lam=1.0, restarts=30, inner=50, slack=1e-6)  # the released script's, for the table
GRID = 20  # of the phase transition, both ways


def relative_error(found: Tensor, x: Tensor) -> Tensor:
    """‖found − x‖/‖x‖ over the last axis."""
    return (found - x).norm(dim=-1) / x.norm(dim=-1)


def convergence(*, count: int, inner: Sequence[int], restarts: int = 20) -> pd.DataFrame:
    """Relative errors of FIRENET by restart and of the plain iteration by step.

    Returns:
        A row a problem and look: method ("p = 50", …, "no restarts"), inner (0 without restarts),
        restarts, steps, problem, error.
    """
    given = problems("Gaussian", count, **LARGE)
    looks: list[tuple[int, Sequence[int], Tensor]] = [
        (p, range(0, p * restarts + 1, p),
         firenet.firenet(given.operator, given.y, Plan(LAM, restarts, p), history=True))
        for p in inner
    ]  # fmt: skip
    looks.append((0, LOOKS, firenet.ergodic(given.operator, given.y, Plan(LAM, 1, 1), at=LOOKS)))
    tables = []
    for p, steps, found in looks:
        grid = pd.MultiIndex.from_product([steps, range(count)], names=["steps", "problem"])
        table = grid.to_frame(index=False).assign(
            inner=p, method=f"p = {p}" if p else "no restarts"
        )
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
        found = firenet.ergodic(given.operator, given.y, plan, at=tuple(looks))
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
        exact = barrier.network(barrier.row(cell, 1, Decimal), PLAN)
        answers: list[tuple[str, int, list[float]]] = [
            ("FIRENET", 0, firenet.firenet(operator, y, PLAN).tolist()),
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


def released() -> pd.DataFrame:
    """The table as the released script computes it, and with the index mended; its own steps.

    Returns:
        A row a cell: K, n, coded, corrected, admissible (with τσ‖A‖² < 1), product (the script's
        τσ‖A‖²).
    """
    rows = []
    for place, cell in enumerate(barrier.TABLE):
        row: dict[str, float] = {"K": cell.digits, "n": cell.precision}
        for name, roles, own in (
            ("coded", barrier.as_coded(place // 3), True),
            ("corrected", barrier.CORRECTED, True),
            ("admissible", barrier.CORRECTED, False),
        ):
            entries = barrier.row(cell, roles.read)
            steps = barrier.released_steps(entries) if own else None
            plan = Plan(PLAN.lam, PLAN.restarts, PLAN.inner, PLAN.slack, steps)
            answer = barrier.network(entries, plan)
            row[name] = barrier.distance(answer, barrier.target(cell, roles))
        entries = barrier.row(cell, 1)
        squares = sum(a * a for a in entries)
        rows.append(row | {"product": math.prod(barrier.released_steps(entries)) * squares})
    return pd.DataFrame(rows)


def certificates() -> pd.DataFrame:
    """Duality gaps in rational arithmetic: of the closed form, and of the script's targets.

    Returns:
        A row a cell: K, n, gap (the larger of both matrices'), coded (at the vector of the script,
        for the matrix that it takes it to belong to), error (distance of the closed form from the
        better one of the two candidates by objective, the larger of both matrices').
    """
    rows = []
    for place, cell in enumerate(barrier.TABLE):
        own = [barrier.row(cell, larger, Fraction) for larger in (0, 1)]
        closed = max(barrier.gap(entries, barrier.minimiser(entries)) for entries in own)
        roles = barrier.as_coded(place // 3)
        wrong = barrier.gap(own[1 - roles.read], barrier.target(cell, roles, Fraction))
        off = max(
            barrier.distance(barrier.minimiser(entries), barrier.better(entries)) for entries in own
        )
        found = {"gap": float(closed), "coded": float(wrong), "error": off / cell.unit}
        rows.append({"K": cell.digits, "n": cell.precision} | found)
    return pd.DataFrame(rows)


def depths(*, inner: Sequence[int], precisions: Sequence[int]) -> pd.DataFrame:
    """How far FIRENET leaves the midpoint, by precision and inner steps, for K = 1.

    Returns:
        A row each: p, n, share (0 at the midpoint of the two minimisers, 1 at the matrix's own).
    """
    rows = []
    for p in inner:
        for n in precisions:
            entries = barrier.row(Cell(1, n), 1)
            found = barrier.network(entries, Plan(1.0, 30, p))
            rows.append({"p": p, "n": n, "share": (found[1] - found[0]) * max(entries)})
    return pd.DataFrame(rows)


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
    for column in range(1, GRID + 1):
        rows = max(1, round(unknowns * column / GRID))
        generator = torch.Generator().manual_seed(column)
        matrix = operators.gaussian(rows, unknowns, generator, groups=(trials,)).matrix
        sparsities = [max(1, round(rows * i / GRID)) for i in range(1, GRID + 1)]
        x = torch.stack([sparse((trials,), unknowns, s, generator) for s in sparsities], dim=1)
        operator = Dense(matrix.float())
        y = operator.forward(x.float())
        answers = {0: x @ matrix.mT @ torch.linalg.pinv(matrix).mT}
        answers |= {p: firenet.firenet(operator, y, Plan(LAM, restarts, p)) for p in inner}
        for p, found in answers.items():
            solved = relative_error(found, x) <= 0.01  # (trials, sparsities)
            cells = {"fraction": np.arange(1, GRID + 1) / GRID, "sparsity": sparsities}
            table = pd.concat([
                pd.DataFrame(cells | {"trial": trial, "solved": own.numpy()})
                for trial, own in enumerate(solved)
            ])  # fmt: skip
            tables.append(table.assign(inner=p, rows=rows))
    return pd.concat(tables, ignore_index=True)


def borders(table: pd.DataFrame, *, unknowns: int) -> pd.DataFrame:
    """Where half of the problems are solved, against theory: with all trials, and without each.

    Args:
        table: As `transition` gives it.

    Returns:
        A row a network, number of measurements and trial that is left out (−1: none): inner, rows,
        without, measured, theory (shares of the unknowns).
    """
    trials = ["inner", "rows", "sparsity"]
    solved = table.groupby([*trials, "trial"])["solved"].mean().unstack()  # a column a trial
    shares = {-1: solved.mean(axis=1)}
    if solved.shape[1] > 1:
        shares |= {
            int(trial): solved.drop(columns=trial).mean(axis=1) for trial in solved.columns.tolist()
        }
    rows = []
    for without, share in shares.items():
        for (inner, count), own in share.groupby(trials[:2]):
            sparsity = own.index.get_level_values("sparsity").to_numpy(dtype=float)
            measured = half_way(sparsity, own.to_numpy()) / unknowns
            rows.append({"inner": inner, "rows": count, "without": without, "measured": measured})
    found = pd.DataFrame(rows)
    theory = {count: largest_sparsity(count / unknowns) for count in set(found["rows"])}
    return found.assign(theory=found["rows"].map(theory))


def half_way(sparsity: np.ndarray, share: np.ndarray) -> float:
    """The sparsity at which the share falls through one half, linear between cells.

    The last such place; the largest sparsity if it never does, 0 if the first is below already.
    """
    above = np.flatnonzero(share >= 0.5)
    if len(above) == 0:
        return 0.0
    last = above[-1]
    if last == len(share) - 1:
        return float(sparsity[-1])
    pair = slice(last, last + 2)
    return float(np.interp(-0.5, -share[pair], sparsity[pair]))
