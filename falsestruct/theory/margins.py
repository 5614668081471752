"""Can a hyperplane separate two classes, and with what margin? Decided by optimisation."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linprog, nnls
from torch import Tensor

STIFF = 1e3  # weight of the sums against the distance, in `margin_bound`


def classes_meet(x: Tensor, y: Tensor) -> bool:
    """Do the convex hulls of the two classes meet, to nine decimals?

    Linear program: weights α ≥ 0 that sum to 1 in each class and make Σ ±α_i x_i zero. HiGHS finds
    some, or says that there are none.
    """
    sign = torch.where(y > 0, 1.0, -1.0).double()
    flat = x.double().flatten(1)
    rows = torch.cat(((sign[:, None] * flat).T, (y > 0)[None].double(), (y <= 0)[None].double()))
    goal = torch.zeros(len(rows), dtype=torch.float64)
    goal[-2:] = 1
    found = linprog(
        np.zeros(len(x)), A_eq=rows.numpy(), b_eq=goal.numpy(), bounds=(0, None), method="highs",
        options={"primal_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    if found.status not in (0, 2):
        raise ArithmeticError(f"HiGHS ended with status {found.status}: {found.message}")
    return found.status == 0 and bool(abs(rows.numpy() @ found.x - goal.numpy()).max() < 1e-9)


def margin_bound(x: Tensor, y: Tensor) -> float:
    """An upper bound on the largest margin γ between the two classes: γ itself to many digits.

    Half the distance of two points of the convex hulls, Σ α_i x_i over each class; whatever the
    weights α, no two points are nearer than 2γ. Those found minimise ‖Σ ±α_i x_i‖² plus
    `STIFF`² (Σ α − 1)² of each class over α ≥ 0 (least squares), and are scaled to add up to one.
    0 if the hulls meet.
    """
    if classes_meet(x, y):
        return 0.0
    sides = torch.stack((y > 0, y <= 0)).double()  # (2, samples)
    flat = x.double().flatten(1)
    rows = torch.cat((((sides[0] - sides[1])[:, None] * flat).T, STIFF * sides))
    goal = torch.zeros(len(rows), dtype=torch.float64)
    goal[-2:] = STIFF
    weights = sides * torch.from_numpy(nnls(rows.numpy(), goal.numpy())[0])
    points = (weights / weights.sum(1, keepdim=True)) @ flat
    return (points[0] - points[1]).norm().item() / 2
