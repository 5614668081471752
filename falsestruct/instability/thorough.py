"""An attack that starts again where it found nothing: what the book means by a network's size."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.instability.attacks import Attack, Norm
from falsestruct.instability.convolved import outputs_of
from falsestruct.learning.ensembles import Ensemble

STARTS = ((24, 0), (1, 16))  # in the plane and on images: at first, and again
HARD = 2, 40  # starts and steps for convolutions in ℓ∞: twenty steps of one leave a tenth too much
STRONG = 4, 40  # what the chapter's effort is compared with
LARGE = 2.0  # twice the contrast of an image: no label may survive it, and sizes end here


def thorough(networks: Ensemble, x: Tensor, norm: Norm) -> Attack:
    """An attack that starts again, more often, where a member's label did not flip within reach.

    Reach: `LARGE` at every input, in the Euclidean norm √n times that for n inputs. What a member
    gets depends on no other one; only those that missed start again.

    Args:
        x: Inputs (samples, *shape) that all members share, of floats.
    """
    first, more = STARTS[x.ndim > 2]
    hard = norm == "linf" and convolutional(networks)
    first, steps = HARD if hard else (first, 20)
    found = attacks.smallest_perturbations(
        outputs_of(networks), x, norm=norm, members=len(networks), starts=first, steps=steps
    )
    missed = found.size > (LARGE if norm == "linf" else LARGE * math.sqrt(x[0].numel()))
    if not more or not missed.any():
        return found
    rows, columns = (missed.any(axis).nonzero().flatten() for axis in (1, 0))
    again = attacks.smallest_perturbations(
        outputs_of(networks.select(rows.tolist())), x[columns],
        norm=norm, members=len(rows), starts=more,
    )  # fmt: skip
    size, perturbation = found.size.clone(), found.perturbation.clone()
    place = rows[:, None], columns
    better = missed[place] & (again.size < size[place])
    size[place] = torch.where(better, again.size, size[place])
    wide = better.view(*better.shape, *[1] * (x.ndim - 1))
    perturbation[place] = torch.where(wide, again.perturbation, perturbation[place])
    return Attack(norm, size, perturbation)


def convolutional(networks: Ensemble) -> bool:
    """Whether these networks are convolutions: an attack needs more effort, and costs more."""
    return networks.trained is not None and networks.trained.architecture.engine == "looped"


def effort(networks: Ensemble, x: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """How much a stronger ℓ∞ attack gains, and what it gains on a weak one: (members,) each.

    Mean over inputs of an attack's size over the smaller of `size` and that of `STRONG`, less 1, at
    most 1. Of `size` itself; and of two steps from one start. Sizes end at `LARGE`.

    Args:
        x: Inputs (samples, *shape).
        size: (members, samples).
    """
    outputs = outputs_of(networks)
    (strong, weak) = (
        attacks.smallest_perturbations(
            outputs, x, norm="linf", members=len(networks),
            starts=starts, steps=steps, seed=1,
        ).size.clamp(max=LARGE)
        for starts, steps in (STRONG, (1, 2))
    )  # fmt: skip
    own = size.clamp(max=LARGE)
    best = torch.minimum(own, strong)
    first, second = ((one / best - 1).clamp(0, 1).mean(1) for one in (own, weak))
    return first, second
