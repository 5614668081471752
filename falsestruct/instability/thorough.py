"""An attack that starts again where it found nothing: what the book means by a network's size."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.instability.attacks import Attack, Norm
from falsestruct.learning.ensembles import Ensemble

STARTS = ((24, 0), (1, 16))  # in the plane and on images: at first, and again
LARGE = 2.0  # twice the contrast of an image: no label may survive it, and sizes end here


def thorough(networks: Ensemble, x: Tensor, norm: Norm) -> Attack:
    """An attack that starts again, more often, where a member's label did not flip within reach.

    Reach: `LARGE` at every input, in the Euclidean norm √n times that for n inputs. What a member
    gets depends on no other one; only those that missed start again.

    Args:
        x: Inputs (samples, *shape) that all members share, of floats.
    """
    first, more = STARTS[x.ndim > 2]
    found = attacks.smallest_perturbations(
        networks.outputs, x, norm=norm, members=len(networks), starts=first
    )
    missed = found.size > (LARGE if norm == "linf" else LARGE * math.sqrt(x[0].numel()))
    if not more or not missed.any():
        return found
    rows, columns = (missed.any(axis).nonzero().flatten() for axis in (1, 0))
    again = attacks.smallest_perturbations(
        networks.select(rows.tolist()).outputs, x[columns],
        norm=norm, members=len(rows), starts=more,
    )  # fmt: skip
    size, perturbation = found.size.clone(), found.perturbation.clone()
    place = rows[:, None], columns
    better = missed[place] & (again.size < size[place])
    size[place] = torch.where(better, again.size, size[place])
    wide = better.view(*better.shape, *[1] * (x.ndim - 1))
    perturbation[place] = torch.where(wide, again.perturbation, perturbation[place])
    return Attack(norm, size, perturbation)
