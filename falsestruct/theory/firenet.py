"""FIRENET: a primal-dual iteration, unrolled and restarted, as a network (arXiv:2101.08286).

It minimises F(x) = λ‖x‖₁ + ‖Ax − y‖₂, the square-root LASSO, with weights in the first norm if they
are given. Every operation is differentiable almost everywhere, and all problems of a batch go
through it at once. Signals are (…, unknowns), measurements (…, rows), as in `theory.operators`.

The paper restarts on scaled data, PDHG(αy, αψ)/α. As F is homogeneous this is the same as primal
steps τ/α and dual steps σα on the data themselves, which is what is computed here.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from falsestruct.theory.operators import Operator

SAFETY = 0.99  # τ‖A‖ = σ‖A‖ where no steps are given


@dataclass(frozen=True, eq=False)
class Plan:
    """What the network is, whatever its matrix and data.

    Attributes:
        lam: The weight λ of the first norm, at least 0.
        restarts: How often the iteration is started; FIRENET's depth is restarts × inner.
        inner: Steps from one start to the next, the paper's p.
        slack: The paper's δ, how far data may be from A x: restarts don't aim below it.
        steps: (τ, σ) with τσ‖A‖² < 1; None: both 0.99/‖A‖.
        weights: Positive factors of the absolute values in the first norm, (unknowns,).
        last: Take the last of the inner steps, not their mean; then it isn't FIRENET.
    """

    lam: float
    restarts: int
    inner: int
    slack: float = 0.0
    steps: tuple[float, float] | None = None
    weights: Tensor | None = None
    last: bool = False

    def __post_init__(self) -> None:
        for name, value, least in (
            ("lam", self.lam, 0), ("slack", self.slack, 0),
            ("restarts", self.restarts, 1), ("inner", self.inner, 1),
        ):  # fmt: skip
            if not least <= value < math.inf:
                raise ValueError(f"{name} is {value}; expected a finite number of at least {least}")
        if self.weights is not None and not (self.weights > 0).all():
            raise ValueError(f"the smallest weight is {self.weights.min()}; expected more than 0")


def firenet(operator: Operator, y: Tensor, plan: Plan, *, history: bool = False) -> Tensor:
    """The network's answer to measurements y.

    Before each restart the aimed gap ε becomes e⁻¹(δ + ε), from ε = ‖y‖ on; then p steps with the
    primal step multiplied and the dual one divided by p ε/(2‖A‖), and their mean is the new start.

    Args:
        y: Measurements, (…, rows).
        history: Give the answers after every restart too.

    Returns:
        Signals (…, unknowns); with history (restarts + 1, …, unknowns), from zero on.

    Raises:
        ValueError: y doesn't fit the operator or isn't finite, or τσ‖A‖² ≥ 1.
    """
    _check(operator, y, plan)
    x = operator.adjoint(torch.zeros_like(y))
    gap = torch.linalg.vector_norm(y, dim=-1, keepdim=True)
    gap = torch.where(gap > 0, gap, 1.0)  # the answer to y = 0 is 0 whatever the steps
    seen = [x]
    for _ in range(plan.restarts):
        gap = (plan.slack + gap) / math.e
        scale = plan.inner * gap / (2 * operator.norm)
        x = primal_dual(operator, y, plan, start=x, scale=scale)
        if history:
            seen.append(x)
    return torch.stack(seen) if history else x


def primal_dual(
    operator: Operator, y: Tensor, plan: Plan, *, start: Tensor, scale: Tensor | float = 1.0
) -> Tensor:
    """The mean of the first `plan.inner` iterates of Chambolle and Pock, from `start` and dual 0.

    With `plan.last` the last of them.

    x⁺ = soft(x − τA*u, τλ), u⁺ = the projection of u + σ(A(2x⁺ − x) − y) onto the unit ball.

    Args:
        start: Signals (…, unknowns).
        scale: Multiplies τ and divides σ, (…, 1).
    """
    iterates = itertools.islice(_iterates(operator, y, plan, start, scale), plan.inner)
    if plan.last:
        return deque(iterates, maxlen=1).pop()
    return sum(iterates, torch.zeros_like(start)) / plan.inner


def unrestarted(operator: Operator, y: Tensor, plan: Plan, *, at: tuple[int, ...]) -> Tensor:
    """The same iteration from zero, never restarted: its mean after each number of steps in `at`.

    With `plan.last` the step itself.

    Returns:
        (len(at), …, unknowns).
    """
    _check(operator, y, plan)
    start = operator.adjoint(torch.zeros_like(y))
    total, seen = torch.zeros_like(start), {}
    for step, x in enumerate(_iterates(operator, y, plan, start, 1.0), start=1):
        total = total + x
        if step in at:
            seen[step] = x if plan.last else total / step
        if step >= max(at):
            break
    return torch.stack([seen[step] for step in at])


def _iterates(
    operator: Operator, y: Tensor, plan: Plan, x: Tensor, scale: Tensor | float
) -> Iterator[Tensor]:
    """The first components after one layer, two layers, … from (x, 0), without end."""
    tau, sigma = _steps(operator, plan)
    tau, sigma = (tau * scale).to(y.dtype), (sigma / scale).to(y.dtype)
    threshold = (tau * plan.lam if plan.weights is None else tau * plan.lam * plan.weights).abs()
    u = torch.zeros_like(y)
    # Fused operations: each line is one pass over the batch, or two.
    while True:
        moved = soft(torch.addcmul(x, tau, operator.adjoint(u), value=-1), threshold)
        ahead = operator.forward(torch.lerp(x, moved, 2.0))  # A(2x⁺ − x)
        u = into_ball(torch.addcmul(u, sigma, ahead - y))
        x = moved
        yield x


def objective(operator: Operator, x: Tensor, y: Tensor, plan: Plan) -> Tensor:
    """F(x) = λ‖x‖₁ + ‖Ax − y‖₂, one number a problem, (…,)."""
    size = x.abs() if plan.weights is None else x.abs() * plan.weights
    misfit = torch.linalg.vector_norm(operator.forward(x) - y, dim=-1)
    return plan.lam * size.sum(-1) + misfit


def bound(operator: Operator, plan: Plan, *, start: Tensor, x: Tensor, steps: int) -> Tensor:
    """What F at the mean of so many steps exceeds F(x) by at most, one number a problem, (…,).

    (‖x − start‖²/τ + 1/σ) / steps, by the proposition on the gap in chapter 11.
    """
    tau, sigma = _steps(operator, plan)
    distance = torch.linalg.vector_norm(x - start, dim=-1, keepdim=True)
    return (distance**2 / tau + 1 / sigma).squeeze(-1) / steps


def soft(x: Tensor, threshold: Tensor) -> Tensor:
    """Every entry moved towards 0 by the threshold, real or complex: the proximal map of |·|."""
    if x.is_complex():
        size = x.abs().maximum(threshold.expand(x.shape)).clamp_min(torch.finfo(x.dtype).tiny)
        return x * (1 - threshold / size)
    return x - torch.clamp(x, -threshold, threshold)


def into_ball(u: Tensor) -> Tensor:
    """The projection of the last axis onto the Euclidean unit ball."""
    return u / torch.linalg.vector_norm(u, dim=-1, keepdim=True).clamp_min(1)


def _steps(operator: Operator, plan: Plan) -> tuple[Tensor, Tensor]:
    """τ and σ, in shapes that broadcast against signals."""
    if plan.steps is None:
        step = SAFETY / operator.norm
        return step, step
    like = torch.ones_like(operator.norm)
    return plan.steps[0] * like, plan.steps[1] * like


def _check(operator: Operator, y: Tensor, plan: Plan) -> None:
    rows, unknowns = operator.shape
    if y.ndim < 1 or y.shape[-1] != rows:
        raise ValueError(
            f"y has shape {tuple(y.shape)} and the operator {rows} rows; expected (…, {rows})"
        )
    if not y.isfinite().all():
        raise ValueError(f"y has {int((~y.isfinite()).sum())} values that are not finite")
    if plan.weights is not None and plan.weights.shape != (unknowns,):
        raise ValueError(
            f"weights have shape {tuple(plan.weights.shape)} and the operator {unknowns} unknowns"
        )
    if plan.steps is not None:
        tau, sigma = plan.steps
        norm = float(operator.norm.max())
        if min(tau, sigma) <= 0 or not tau * sigma * norm**2 < 1:
            raise ValueError(
                f"steps are {tau:g} and {sigma:g}, the norm {norm:g}: their product is "
                f"{tau * sigma * norm**2:.4g}; expected positive steps with τσ‖A‖² < 1"
            )
