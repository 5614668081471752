"""Universal perturbations: one for all inputs of a network, or one for each of its labels.

After Moosavi-Dezfooli et al. (arXiv:1610.08401), by projected gradient ascent on all inputs at
once instead of one input after the other. All members of an ensemble move in parallel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import torch
from torch import Tensor

from falsestruct.instability.attacks import Norm, Outputs, labels, looked_at, read

_STRIDE = 4.0  # all steps together, in units of the size: enough to cross the ball and turn
_SHARPER = 4.0  # how much the last step's sigmoid is sharper than the first one's


@dataclass(frozen=True)
class Search:
    """How hard to search.

    Attributes:
        steps: Of each ascent.
        starts: The first is zero, the others are random and the same for all members.
        seed: Of the random starts.
    """

    steps: int = 40
    starts: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.starts) < 1:
            raise ValueError(f"{self}; expected at least 1 step and 1 start")


@dataclass(frozen=True)
class Universal:
    """Perturbations that many inputs share.

    Attributes:
        norm: "l2" or "linf".
        size: No perturbation is larger in this norm, up to rounding.
        perturbation: (members, *shape); per label (members, labels, *shape), where zero for a label
            that the member never gave.
        per_label: Whether an input gets the perturbation of the label that the attacked network
            gives to it: "one sign for each label".
    """

    norm: Norm
    size: float
    perturbation: Tensor
    per_label: bool = False

    def __len__(self) -> int:
        return len(self.perturbation)

    def grouped(self) -> Tensor:
        """(members, labels, *shape), with one label where all share one perturbation."""
        return self.perturbation if self.per_label else self.perturbation[:, None]


def universal_perturbations(
    outputs: Outputs,
    x: Tensor,
    *,
    norm: Norm,
    size: float,
    members: int | None = None,
    per_label: bool = False,
    search: Search | None = None,
) -> Universal:
    """For each member the perturbation found that flips most of its own labels on x.

    The share flipped is a mean of steps 1{margin < 0}. The search climbs the mean of the sigmoids
    σ(−margin/s) instead, s being the mean margin at first and ever less: inputs near their boundary
    count most, and those long flipped no more. A step goes in the norm's steepest direction and
    back into the ball. The iterate that flips most counts, and among equals the one with the
    smallest mean margin. The share found is a lower bound of the largest one.
    For linear models and one perturbation a label, the result is ±size·w/‖w‖, ±size·sign(w).

    Args:
        outputs: As in `instability`: (members, samples), or that and one a class; differentiable.
        x: Inputs (samples, *shape) that `members` members share, or each member's own (members,
            samples, *shape).
        size: In this norm, positive.
        per_label: One perturbation for each label, two if there is one output, else one a class.

    Raises:
        ValueError: a norm, size or shape that doesn't fit.
    """
    if norm not in get_args(Norm):
        raise ValueError(f"norm is {norm!r}; expected one of {get_args(Norm)}")
    if not 0 < size < torch.inf:
        raise ValueError(f"size is {size}; expected a positive finite number")
    search, case = search or Search(), _case(outputs, x, members, per_label)
    best, generator = _Best.of(case), torch.Generator().manual_seed(search.seed)
    for start in range(search.starts):
        eta = torch.zeros_like(best.eta)
        if start:
            noise = torch.randn(eta.shape[1:], dtype=eta.dtype, generator=generator)
            eta = _steepest(noise.expand_as(eta), size, norm)
        for step in range(search.steps):
            part = step / search.steps
            slope = best.look(case, eta, 1 + (_SHARPER - 1) * part)
            length = size * _STRIDE / search.steps * (1.5 - part)  # ever shorter ones
            eta = _projected(eta + _steepest(slope, length, norm), size, norm)
        best.look(case, eta, _SHARPER)
    return Universal(norm, size, best.eta if per_label else best.eta[:, 0], per_label)


def random_like(found: Universal, *, seed: int = 0) -> Universal:
    """The control: random perturbations of full size in the same norm, independent of each other.

    Uniform on the sphere for "l2"; random signs, so a corner of the ball, for "linf".
    """
    generator, like = torch.Generator().manual_seed(seed), found.grouped()
    noise = torch.randn(like.shape, dtype=like.dtype, generator=generator)
    eta = _steepest(noise, found.size, found.norm)
    return replace(found, perturbation=eta if found.per_label else eta[:, 0])


def flipped_share(outputs: Outputs, x: Tensor, found: Universal) -> Tensor:
    """Share (members,) of each member's labels on x that its own perturbation flips, float64.

    Args:
        x: Shared (samples, *shape) or own (members, samples, *shape).
    """
    return flips(outputs, x, found).double().mean(1)


def flips(outputs: Outputs, x: Tensor, found: Universal) -> Tensor:
    """Mask (members, samples): which labels each member's own perturbation flips."""
    shape = found.grouped().shape[2:]
    shared = x.ndim == len(shape) + 1
    case = _case(outputs, x, len(found) if shared else None, found.per_label)
    _fit(case, found, len(found))
    return case.read(found.grouped())[1]


def transfer(outputs: Outputs, x: Tensor, found: Universal, *, members: int) -> Tensor:
    """Share of labels flipped, (sources, members), when the perturbation of each source hits all.

    Args:
        outputs: Of the networks attacked, which need not be those of `found`.
        x: Inputs (samples, *shape), shared.
        members: How many networks are attacked.
    """
    case = _case(outputs, x, members, found.per_label)
    _fit(case, found, len(found))
    rows = [case.read(eta.expand(members, *eta.shape))[1] for eta in found.grouped()]
    return torch.stack(rows).double().mean(2)


@dataclass(frozen=True)
class _Case:
    """Members, inputs and labels (members, samples, …), and which perturbation an input gets."""

    outputs: Outputs
    x: Tensor
    label: Tensor
    group: Tensor
    groups: int

    def read(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        """Margin of the own label, and whether it is flipped, under eta (members, groups, …)."""
        with torch.no_grad():
            return self._read(eta)

    def gradient(self, eta: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `read`, and the gradient of each group's sum of σ(−margin/scale), like eta.

        Args:
            scale: Of each member and group, positive.
        """
        with torch.enable_grad():
            eta = eta.detach().requires_grad_()
            margin, flips = self._read(eta)
            if not margin.requires_grad:  # outputs that don't depend on their inputs
                return margin, flips, torch.zeros_like(eta)
            soft = torch.sigmoid(-margin / scale.to(margin).gather(1, self.group))
            (slope,) = torch.autograd.grad(
                soft.sum(), eta, allow_unused=True, materialize_grads=True
            )
        return margin.detach(), flips, slope

    def mean(self, values: Tensor) -> Tensor:
        """Mean of (members, samples) over each group: (members, groups); 0 for an empty one."""
        one_hot = torch.nn.functional.one_hot(self.group, self.groups).to(values)
        total = torch.einsum("ms,msg->mg", values, one_hot)
        return total / one_hot.sum(1).clamp_min(1)

    def _read(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        rows = torch.arange(len(eta), device=eta.device)[:, None]
        return read(self.outputs(self.x + eta[rows, self.group]), self.label)


@dataclass
class _Best:
    """The best perturbation of each member and group so far; `look` keeps it up to date.

    Attributes:
        eta: (members, groups, *shape).
        share, margin: What it flips, and the mean margin that it leaves, (members, groups).
        scale: Mean margin without perturbation, (members, groups).
    """

    eta: Tensor
    share: Tensor
    margin: Tensor
    scale: Tensor

    @classmethod
    def of(cls, case: _Case) -> _Best:
        eta = case.x.new_zeros(len(case.x), case.groups, *case.x.shape[2:])
        margin = case.mean(case.read(eta)[0].double())
        scale = torch.where(margin > 0, margin, 1.0)
        return cls(eta, torch.zeros_like(margin), margin, scale)

    def look(self, case: _Case, eta: Tensor, sharpness: float) -> Tensor:
        """Keep eta where it is better; returns the slope there."""
        margin, flips, slope = case.gradient(eta, self.scale / sharpness)
        share, mean = case.mean(flips.double()), case.mean(margin.double())
        better = (share > self.share) | ((share == self.share) & (mean < self.margin))
        self.eta = torch.where(_wide(better, eta), eta, self.eta)
        self.share = torch.where(better, share, self.share)
        self.margin = torch.where(better, mean, self.margin)
        return slope


def _case(outputs: Outputs, x: Tensor, members: int | None, per_label: bool) -> _Case:
    x, f = looked_at(outputs, x, members)
    label = labels(f)
    groups = (2 if f.ndim == 2 else f.shape[2]) if per_label else 1
    return _Case(outputs, x, label, label if per_label else torch.zeros_like(label), groups)


def _fit(case: _Case, found: Universal, sources: int) -> None:
    given, wanted = found.grouped().shape, (sources, case.groups, *case.x.shape[2:])
    if given != wanted:
        raise ValueError(
            f"perturbations have shape {tuple(given)} (members, labels, …); expected {wanted}, "
            "which fits x and the outputs"
        )


def _wide(values: Tensor, like: Tensor) -> Tensor:
    return values.view(*values.shape, *[1] * (like.ndim - values.ndim))


def _steepest(slope: Tensor, size: float, norm: Norm) -> Tensor:
    """The vectors of this size along which a plane of this slope rises most; zero for zero."""
    if norm == "linf":
        return size * slope.sign()
    length = slope.flatten(2).norm(dim=2).clamp_min(torch.finfo(slope.dtype).tiny)
    return slope * _wide(size / length, slope)


def _projected(eta: Tensor, size: float, norm: Norm) -> Tensor:
    if norm == "linf":
        return eta.clamp(-size, size)
    length = eta.flatten(2).norm(dim=2).clamp_min(torch.finfo(eta.dtype).tiny)
    return eta * _wide((size / length).clamp(max=1), eta)
