"""Finding a sparse signal by the first norm: an independent solver, and how far one can go.

Amelunxen, Lotz, McCoy and Tropp (arXiv:1303.6672) place the change from failure to success.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from scipy.optimize import brentq, linprog
from scipy.stats import norm as normal


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


def largest_weight(matrix: torch.Tensor, x: torch.Tensor) -> float:
    """The largest λ with which x may minimise λ‖·‖₁ + ‖A · − A x‖₂; beyond it x never does.

    λ² sᵀ(A_S*A_S)⁻¹s ≤ 1 with the places S and the signs s of the entries that aren't zero, by the
    proposition on the weight in chapter 11. Needed, not enough. Infinite for x = 0.

    Args:
        matrix, x: (rows, unknowns) and (unknowns,), real.

    Raises:
        ArithmeticError: the columns at S are dependent: then no weight is small enough.
    """
    places = x != 0
    if not places.any():
        return math.inf
    own, signs = matrix[:, places], x[places].sign()
    if torch.linalg.matrix_rank(own) < len(signs):
        raise ArithmeticError(f"{len(signs)} columns of {tuple(matrix.shape)} are dependent")
    return 1 / math.sqrt(float(signs @ torch.linalg.solve(own.mT @ own, signs)))


def borders(table: pd.DataFrame, *, unknowns: int) -> pd.DataFrame:
    """Where half of the problems are solved, against theory: with all trials, and without each.

    Args:
        table: A row a network, cell and trial: inner, rows, sparsity, trial, solved.

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
