"""The rule of the nearest neighbour: how far an input may move before its label changes.

The rule gives an input the label of the data point nearest to it in the Euclidean norm. The bounds
below are theorems about that rule; they need no search.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_NEAREST_OWN = 10  # of the own class that a certificate looks at


def half_distances(data: Tensor, labels: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Half the distance from each x to the nearest data point of another class, and its index.

    Both (samples,). If x is itself in the data, the rule keeps its label closer than that.

    Args:
        data: Points (points, *shape) with labels (points,).
        x: Inputs (samples, *shape) with true labels y (samples,).
    """
    apart = _distances(x, data).masked_fill(y[:, None] == labels, torch.inf)
    if apart.isinf().all(1).any():
        raise ValueError("some x have no data point of another class; expected two classes or more")
    nearest = apart.min(1)
    return nearest.values / 2, nearest.indices


def rule(data: Tensor, labels: Tensor, x: Tensor) -> Tensor:
    """The label (samples,) of the data point nearest to each x (samples, *shape)."""
    return labels[_distances(x, data).argmin(1)]


def outputs(data: Tensor, labels: Tensor, classes: int) -> Callable[[Tensor], Tensor]:
    """The rule as a network of one member: inputs (1, samples, *shape) to (1, samples, classes).

    The output of a class is −½ the squared distance to its nearest point. The largest one is the
    rule's label. Differences between two outputs are linear between boundaries, and differentiable.
    """
    parts = [data[labels == c].flatten(1) for c in range(classes)]
    empty = [c for c, part in enumerate(parts) if not len(part)]
    if empty:
        raise ValueError(f"classes {empty} have no data point; expected one of each of {classes}")

    def scores(x: Tensor) -> Tensor:
        flat = x[0].flatten(1).to(data.dtype)
        # ‖x − z‖² = ‖x‖² − 2⟨x, z⟩ + ‖z‖²; the first term is common to all classes.
        best = [(flat @ z.T - z.square().sum(1) / 2).amax(1) for z in parts]
        return (torch.stack(best, 1) - flat.square().sum(1, keepdim=True) / 2)[None]

    return scores


def certificate(data: Tensor, labels: Tensor, x: Tensor) -> Tensor:
    """No perturbation shorter than this changes the rule's label at x: (samples,), ≥ 0.

    If x + η has another label, some z of another class is as near to it as every a of the own
    class, so ‖x − z‖² − ‖x − a‖² ≤ 2⟨η, z − a⟩ ≤ 2‖η‖‖z − a‖. The least over z of the largest over
    a bounds ‖η‖ from below. For the largest, any a may be left out: the nearest ones suffice.
    """
    bounds, flat = [], data.flatten(1)
    for point, distance in zip(x.flatten(1), _distances(x, data), strict=True):
        own = labels == labels[distance.argmin()]
        near = distance.masked_fill(~own, torch.inf).argsort()[: min(_NEAREST_OWN, int(own.sum()))]
        z, a = flat[~own], flat[near]
        if not len(z):
            raise ValueError("all data points have one class; expected two classes or more")
        gap = (point - z).square().sum(1)[:, None] - (point - a).square().sum(1)
        apart = torch.cdist(z, a, compute_mode="donot_use_mm_for_euclid_dist")
        bounds.append((gap / (2 * apart)).amax(1).amin())
    return torch.stack(bounds).clamp_min(0)


def kept(data: Tensor, labels: Tensor) -> tuple[float, float]:
    """How the rule of the data treats the data: two shares of all points.

    Returns:
        Share that is right and whose certificate is at least half the distance to the nearest point
        of another class; share that keeps its label on the whole way to that point.
    """
    half, index = half_distances(data, labels, data, labels)
    # Both sides are the same number in exact arithmetic, if the point itself is the nearest one.
    keeps = certificate(data, labels, data) >= half * (1 - 1e-12)
    right = rule(data, labels, data) == labels
    there = rule(data, labels, data[index]) == labels
    own, other = ((mask.double().mean().item()) for mask in (right & keeps, there))
    return own, other


def _distances(x: Tensor, data: Tensor) -> Tensor:
    if x.shape[1:] != data.shape[1:]:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, the data {tuple(data.shape)}; expected the same shape "
            "of one point"
        )
    exact = "donot_use_mm_for_euclid_dist"  # a point's distance to itself is 0, not rounding
    return torch.cdist(x.flatten(1), data.flatten(1), compute_mode=exact)
