"""Finding a sparse signal by the first norm: an independent solver, and how far one can go.

Amelunxen, Lotz, McCoy and Tropp (arXiv:1303.6672) place the change from failure to success.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
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
