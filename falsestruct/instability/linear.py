"""Linear classifiers: which directions they read, and how far an input is from another label."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.learning.ensembles import Ensemble


def weights(asked: Ensemble) -> Tensor:
    """Of trained linear classifiers of flattened inputs, (members, classes, pixels), float64.

    Raises:
        ValueError: they are rules built by hand, or have more than one layer.
    """
    found = {} if asked.trained is None else asked.trained.parameters
    matrices = [value for name, value in found.items() if name.endswith("weight")]
    if len(matrices) != 1 or matrices[0].ndim != 3:
        raise ValueError(f"{len(matrices)} matrices of weights; expected trained linear networks")
    return matrices[0].double()


def projection(rows: Tensor) -> Tensor:
    """Projections (members, pixels, pixels) onto the directions in which rows differ.

    Of k rows there are k − 1: what all rows share moves all outputs alike, and no label.

    Args:
        rows: (members, k, pixels), k at most pixels.
    """
    apart = rows - rows.mean(1, keepdim=True)
    axes = torch.linalg.svd(apart, full_matrices=False).Vh[:, : rows.shape[1] - 1]
    return axes.transpose(1, 2) @ axes


def distance(rows: Tensor, outputs: Tensor, y: Tensor) -> Tensor:
    """Euclidean distance (members, samples) to the nearest input with another label than y.

    Exact, for the boundary between two classes is a plane: (f_y − f_j)/‖w_y − w_j‖, the least over
    the other classes j. Negative where the label is not y.

    Args:
        rows: Weights (members, classes, pixels).
        outputs: (members, samples, classes).
        y: Labels (samples,).
    """
    truth = y.expand(len(rows), -1)[..., None]
    apart = torch.cdist(rows[:, y], rows).scatter(2, truth, 1.0)
    gap = outputs.gather(2, truth) - outputs
    return (gap / apart).scatter(2, truth, torch.inf).amin(2)
