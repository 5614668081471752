"""Rules of ten classes, built by hand, whose perturbations are known."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.learning.ensembles import Ensemble
from falsestruct.problems import digits

X, Y = (part[:100] for part in digits.digits().train)


def linear(weights: Tensor, bias: Tensor) -> Ensemble:
    """Members of linear networks: weights (members, classes, 64), bias (members, classes)."""
    w, b = weights.float(), bias.float()
    return Ensemble(
        lambda x: torch.einsum("msp,mcp->msc", x.float().flatten(2), w) + b[:, None],
        tuple(range(len(w))),
    )


def class_means() -> Tensor:
    """(classes, 64) of the training images."""
    return torch.stack([X[c == Y].mean(0).flatten() for c in range(10)])


def nearest_mean(members: int = 2) -> Ensemble:
    """Every member is the rule "nearest mean of a class": it knows what digits look like."""
    means = class_means()
    return linear(means.expand(members, -1, -1), -means.square().sum(1).expand(members, -1) / 2)


def ignorant(members: int) -> Ensemble:
    """Random linear rules: they know nothing."""
    weights = torch.randn(members, 10, 64, generator=torch.Generator().manual_seed(5))
    return linear(weights, torch.zeros(members, 10))


def two_classes(*directions: list[float]) -> Ensemble:
    """Members that answer class 1 where ⟨direction, x⟩ > 0, else class 0; eight never."""
    way = torch.zeros(len(directions), 10, 64)
    way[:, 1, :2] = torch.tensor(directions)
    bias = torch.full((len(directions), 10), -1e3)
    bias[:, :2] = 0
    return linear(way, bias)
