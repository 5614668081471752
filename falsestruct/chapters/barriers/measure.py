"""Chapter 11: how FIRENET converges, what inexact matrices do to it, how far recovery goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from scipy.optimize import brentq, linprog
from scipy.stats import norm as normal
from torch import Tensor

from falsestruct.chapters.barriers import decoders
from falsestruct.theory import barrier, firenet, operators
from falsestruct.theory.barrier import Cell
from falsestruct.theory.firenet import Plan
from falsestruct.theory.operators import Dense, Operator

KINDS = ("Gaussian", "cosine", "Walsh")
ROWS, UNKNOWNS, SPARSITY, LAM = 80, 200, 8, 0.05  # of the problems of the convergence
LOOKS = (1, 10, 100, 250, 500, 1000, 2000, 4000)  # steps without restarts
PLAN = Plan(lam=1.0, restarts=30, inner=50, slack=1e-6)  # the released script's, for the table
GRID = 20  # of the phase transition, both ways


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
    kind: str, count: int, *, rows: int = ROWS, unknowns: int = UNKNOWNS, sparsity: int = SPARSITY
) -> Problems:
    """Signals with normal entries at random places; Gaussian matrices are one a problem.

    Raises:
        ValueError: the kind is unknown.
    """
    generator = torch.Generator().manual_seed(0)
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


def relative_error(found: Tensor, x: Tensor) -> Tensor:
    """‖found − x‖/‖x‖ over the last axis."""
    return (found - x).norm(dim=-1) / x.norm(dim=-1)


def convergence(*, count: int, inner: Sequence[int], restarts: int = 20) -> pd.DataFrame:
    """Relative errors of FIRENET by restart and of the plain iteration by step.

    Returns:
        A row a problem and look: method ("p = 50", …, "no restarts"), inner (0 without restarts),
        restarts, steps, problem, error.
    """
    given = problems("Gaussian", count)
    tables = []
    for p in inner:
        found = firenet.firenet(given.operator, given.y, Plan(LAM, restarts, p), history=True)
        steps = [p * k for k in range(restarts + 1)]
        tables.append(_looks(f"p = {p}", p, steps, relative_error(found, given.x)))
    found = firenet.ergodic(given.operator, given.y, Plan(LAM, 1, 1), at=LOOKS)
    tables.append(_looks("no restarts", 0, LOOKS, relative_error(found, given.x)))
    return pd.concat(tables, ignore_index=True)


def _looks(method: str, inner: int, steps: Sequence[int], error: Tensor) -> pd.DataFrame:
    errors = error.reshape(len(steps), -1)
    looks, count = errors.shape
    return pd.DataFrame(
        {
            "method": method,
            "inner": inner,
            "restarts": np.repeat([step // inner if inner else 0 for step in steps], count),
            "steps": np.repeat(list(steps), count),
            "problem": np.tile(np.arange(count), looks),
            "error": errors.flatten().numpy(),
        }
    )


def gaps(*, count: int, looks: Sequence[int] = LOOKS) -> pd.DataFrame:
    """Excess of the plain iteration's objective over that at the sparse signal, and its bound.

    Returns:
        A row a kind of matrix, problem and number of steps: kind, steps, excess, bound.
    """
    plan, tables = Plan(LAM, 1, 1), []
    for kind in KINDS:
        given = problems(kind, count, rows=32, unknowns=64, sparsity=4)
        found = firenet.ergodic(given.operator, given.y, plan, at=tuple(looks))
        best = firenet.objective(given.operator, given.x, given.y, plan)
        for step, x in zip(looks, found, strict=True):
            excess = firenet.objective(given.operator, x, given.y, plan) - best
            bound = firenet.bound(
                given.operator, plan, start=torch.zeros_like(x), x=given.x, steps=step
            )
            columns = {"kind": kind, "steps": step}
            columns |= {"excess": excess.flatten().numpy(), "bound": bound.flatten().numpy()}
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def basis_pursuit(matrix: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The x of least ‖x‖₁ with A x = y, by the simplex method of HiGHS.

    Args:
        matrix: (rows, unknowns), real.

    Raises:
        ArithmeticError: HiGHS gives up.
    """
    unknowns = matrix.shape[1]
    done = linprog(
        np.ones(2 * unknowns), A_eq=np.hstack((matrix, -matrix)), b_eq=y, method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    if done.x is None:
        raise ArithmeticError(f"HiGHS found nothing: {done.message}")
    found: np.ndarray = done.x[:unknowns] - done.x[unknowns:]
    return found


def matrix_of(operator: Operator) -> Tensor:
    """The dense matrix, for comparison only: (…, rows, unknowns)."""
    if isinstance(operator, Dense):
        return operator.matrix
    return operator.forward(torch.eye(operator.shape[1], dtype=torch.float64)).mT


def solvers(*, count: int) -> pd.DataFrame:
    """FIRENET and least squares against HiGHS on small problems.

    Returns:
        A row a kind and problem: kind, problem, firenet, squares (relative differences).
    """
    rows = []
    for kind in KINDS:
        given = problems(kind, count, rows=32, unknowns=64, sparsity=4)
        answers = firenet.firenet(given.operator, given.y, Plan(LAM, 24, 100)).reshape(count, -1)
        matrices = matrix_of(given.operator).expand(count, 32, 64).numpy()
        measured = given.y.reshape(count, -1).numpy()
        for i in range(count):
            best = basis_pursuit(matrices[i], measured[i])
            squares = np.linalg.lstsq(matrices[i], measured[i])[0]
            size = np.linalg.norm(best)
            own = {"firenet": np.linalg.norm(answers[i].numpy() - best) / size}
            own |= {"squares": np.linalg.norm(squares - best) / size}
            rows.append({"kind": kind, "problem": i} | own)
    return pd.DataFrame(rows)


def inexact(*, seeds: int) -> pd.DataFrame:
    """The table with inexact input: errors of all methods, for both roles of the two matrices.

    Returns:
        A row a cell, method, role ("same": the matrix that was read is the true one; "other") and
        seed: K, n, method, role, seed, error, half (half the distance of the minimisers).
    """
    rows = []
    learnt = decoders.inexact(barrier.TABLE, seeds=seeds)
    for place, cell in enumerate(barrier.TABLE):
        truth = [barrier.minimiser(barrier.row(cell, larger)) for larger in (1, 0)]
        operator, y = barrier.problem(barrier.row(cell, 1))
        exact = barrier.network(barrier.row(cell, 1, Decimal), PLAN)
        answers: list[tuple[str, int, list[float]]] = [
            ("FIRENET", 0, firenet.firenet(operator, y, PLAN).tolist()),
            ("FIRENET, sixty digits", 0, [float(b) for b in exact]),
            ("linear program", 0, basis_pursuit(operator.matrix.numpy(), y.numpy()).tolist()),
        ]
        answers += [("learned decoder", seed, learnt[place][seed]) for seed in range(seeds)]
        for method, seed, answer in answers:
            for role, target in zip(("same", "other"), truth, strict=True):
                error = barrier.distance(answer, target)
                own = {"K": cell.digits, "n": cell.precision, "method": method, "role": role}
                half = barrier.half_distance(cell)
                rows.append(own | {"seed": seed, "error": error, "half": half})
    return pd.DataFrame(rows)


def released() -> pd.DataFrame:
    """The table as the released script computes it, and with the index mended; its own steps.

    Returns:
        A row a cell: K, n, coded, corrected, admissible (with τσ‖A‖² < 1), product (the script's
        τσ‖A‖²).
    """
    rows = []
    for place, cell in enumerate(barrier.TABLE):
        errors = {}
        for name, roles, own in (
            ("coded", barrier.as_coded(place // 3), True),
            ("corrected", barrier.CORRECTED, True),
            ("admissible", barrier.CORRECTED, False),
        ):
            entries = barrier.row(cell, roles.read)
            steps = barrier.released_steps(entries) if own else None
            plan = Plan(PLAN.lam, PLAN.restarts, PLAN.inner, PLAN.slack, steps)
            errors[name] = barrier.distance(
                barrier.network(entries, plan), barrier.target(cell, roles)
            )
        entries = barrier.row(cell, 1)
        tau, sigma = barrier.released_steps(entries)
        product = tau * sigma * sum(a * a for a in entries)
        rows.append({"K": cell.digits, "n": cell.precision} | errors | {"product": product})
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
        off = max(barrier.distance(barrier.minimiser(entries), _best(entries)) for entries in own)
        found = {"gap": float(closed), "coded": float(wrong), "error": off / cell.unit}
        rows.append({"K": cell.digits, "n": cell.precision} | found)
    return pd.DataFrame(rows)


def _best(entries: Sequence[Fraction]) -> list[Fraction]:
    """The candidate 1/entry at one place with the least objective."""
    candidates = [
        [1 / entry if place == i else Fraction(0) for place in range(len(entries))]
        for i, entry in enumerate(entries)
    ]
    return min(candidates, key=lambda x: barrier.gap(entries, x))


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
            share = (found[1] - found[0]) * max(entries)
            rows.append({"p": p, "n": n, "share": share})
    return pd.DataFrame(rows)


def indistinct(*, digits: int, precision: int) -> float:
    """Relative difference of the closed form in doubles and in decimals, the worse matrix."""
    cell = Cell(digits, precision)
    found = []
    for larger in (0, 1):
        double = barrier.minimiser(barrier.row(cell, larger))
        exact = [float(b) for b in barrier.minimiser(barrier.row(cell, larger, Decimal))]
        found.append(barrier.distance(double, exact) / math.hypot(*exact))
    return max(found)


def transition(
    *, unknowns: int, trials: int, inner: Sequence[int], restarts: int = 6
) -> pd.DataFrame:
    """Shares of problems that are solved, over measurements and sparsities, 20 by 20.

    In every column one Gaussian matrix a trial, for all sparsities and depths. Solved: relative
    error at most one in a hundred, for which single precision is enough for the networks.

    Args:
        inner: Inner steps of each network.

    Returns:
        A row a network and cell: inner, rows, fraction (of the rows), sparsity, share. With `inner`
        0 the solution of least squares with the least norm.
    """
    tables = []
    for column in range(1, GRID + 1):
        rows = max(1, round(unknowns * column / GRID))
        generator = torch.Generator().manual_seed(column)
        matrix = operators.gaussian(rows, unknowns, generator, groups=(trials,)).matrix
        operator = Dense(matrix.float())
        sparsities = [max(1, round(rows * i / GRID)) for i in range(1, GRID + 1)]
        x = torch.stack([sparse((trials,), unknowns, s, generator) for s in sparsities], dim=1)
        y = operator.forward(x.float())
        answers = {0: x @ matrix.mT @ torch.linalg.pinv(matrix).mT}
        answers |= {p: firenet.firenet(operator, y, Plan(LAM, restarts, p)) for p in inner}
        for p, found in answers.items():
            solved = (relative_error(found, x) <= 0.01).double().mean(0)
            columns = {"inner": p, "rows": rows, "fraction": np.arange(1, GRID + 1) / GRID}
            columns |= {"sparsity": sparsities, "share": solved.numpy()}
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def borders(table: pd.DataFrame, *, unknowns: int) -> pd.DataFrame:
    """Where half of the problems are solved, against theory, by network and number of measurements.

    Returns:
        A row each: inner, rows, measured, theory (shares of the unknowns).
    """
    found = []
    pairs = table[["inner", "rows"]].drop_duplicates().to_numpy()
    for inner, rows in pairs.tolist():
        own = table[(table["inner"] == inner) & (table["rows"] == rows)]
        by_sparsity = own.groupby("sparsity")["share"].mean()
        measured = half_way(by_sparsity.index.to_numpy(dtype=float), by_sparsity.to_numpy())
        theory = largest_sparsity(rows / unknowns)
        border = {"measured": measured / unknowns, "theory": theory}
        found.append({"inner": inner, "rows": rows} | border)
    return pd.DataFrame(found)


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
    left, right = share[last], share[last + 1]
    return float(
        sparsity[last] + (left - 0.5) / (left - right) * (sparsity[last + 1] - sparsity[last])
    )


@lru_cache(maxsize=256)
def statistical_dimension(share: float) -> float:
    """Measurements that a share of entries that aren't zero needs, both over the unknowns.

    ψ(ρ) = min over t ≥ 0 of ρ(1 + t²) + (1 − ρ) E max(0, |g| − t)², g standard normal, the
    statistical dimension of the descent cone of the first norm (arXiv:1303.6672, equation 4.4 there
    as we read it). The minimum is where the derivative vanishes.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; expected 0 to 1")
    if share in (0.0, 1.0):
        return share

    def slope(t: float) -> float:
        return float(share * t - 2 * (1 - share) * (normal.pdf(t) - t * normal.sf(t)))

    t = brentq(slope, 0, 40)
    tail = 2 * ((1 + t * t) * normal.sf(t) - t * normal.pdf(t))
    return float(share * (1 + t * t) + (1 - share) * tail)


def largest_sparsity(measurements: float) -> float:
    """The share of entries that aren't zero that so many measurements allow: ψ's inverse."""
    if not 0 < measurements <= 1:
        raise ValueError(f"measurements are {measurements}; expected more than 0, at most 1")
    return float(brentq(lambda share: statistical_dimension(share) - measurements, 0, 1))
