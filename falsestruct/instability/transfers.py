"""How much of a perturbation's effect passes to networks that it was not made for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def relative_flips(
    moved: NDArray[np.float64], own: NDArray[np.float64], *, itself: bool
) -> NDArray[np.float64]:
    """Each image's part in a ratio of two shares of labels flipped, (sources, images).

    For a source, R is the mean share that its perturbation flips in the target's networks over the
    mean share that their own ones flip there. Images are a sample for both shares, so an image
    with flips f and g counts as R + (f − R·g)/mean(g): the mean is R, the spread that of a ratio.
    0 where the own perturbations do nothing.

    Args:
        moved: Labels flipped, (sources, targets, images).
        own: By the targets' own perturbations, (targets, images).
        itself: Sources are the targets, and none counts as its own target.
    """
    weight = 1 - np.eye(len(own)) if itself else np.ones(moved.shape[:2])
    weight = weight / weight.sum(1, keepdims=True)
    there, here = np.einsum("st,sti->si", weight, moved), weight @ own
    mean = here.mean(1, keepdims=True)
    scale = np.where(mean > 0, mean, 1.0)
    ratio = there.mean(1, keepdims=True) / scale
    return np.where(mean > 0, ratio + (there - ratio * here) / scale, 0.0)
