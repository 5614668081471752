"""How stable the two rules of the stripes are: the proposition of chapter 03, recomputed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from falsestruct.problems.stripes import Stripes


def orientation_radius(stripes: Stripes, position: int, a: float) -> float:
    """Smallest ℓ∞ perturbation that makes the orientation rule miss a horizontal stripe, by HiGHS.

    Linear program over the perturbation η and its size ε: |η_i| ≤ ε, and every row band's mean is
    at most that of one column band. Which one does not matter: row bands don't see the order of
    the columns.
    """
    n, w = stripes.size, stripes.width
    image = stripes.images(torch.tensor([True]), torch.tensor([position]), torch.tensor([-a]))[0]
    column = torch.zeros(n, n, dtype=torch.float64)
    column[:, :w] = 1 / (n * w)
    rows, limits = [], []
    for first in range(stripes.positions):
        band = torch.zeros_like(column)
        band[first : first + w] = 1 / (n * w)
        rows.append(torch.cat(((band - column).flatten(), torch.zeros(1).double())))
        limits.append(((column - band) * image).sum().item())
    identity = torch.eye(n * n, dtype=torch.float64)
    bound = torch.full((n * n, 1), -1.0, dtype=torch.float64)
    sizes = torch.cat((torch.cat((identity, bound), 1), torch.cat((-identity, bound), 1)))
    matrix = csr_matrix(torch.cat((torch.stack(rows), sizes)).numpy())
    cost = torch.zeros(n * n + 1).double()
    cost[-1] = 1
    limits += [0.0] * (2 * n * n)
    found = linprog(cost.numpy(), A_ub=matrix, b_ub=limits, bounds=(None, None), method="highs")
    if found.status != 0:
        raise ArithmeticError(f"HiGHS ended with status {found.status}: {found.message}")
    return float(found.fun)


def radius_errors(stripes: Stripes, offsets: Sequence[float]) -> tuple[float, float]:
    """Largest distance of the two rules' ℓ∞ radii from 1/2 over all horizontal stripes.

    The orientation rule's radius comes from `orientation_radius`, the colour rule's in closed form.
    """
    orientation, colour = [], []
    for a in offsets:
        x, _ = stripes.described(a)
        assert stripes.colour.radius is not None
        colour.append((stripes.colour.radius(x) - 0.5).abs().max().item())
        orientation += [
            abs(orientation_radius(stripes, position, a) - 0.5)
            for position in range(stripes.positions)
        ]
    return max(orientation), max(colour)
