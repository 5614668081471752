"""Linear classifiers: which directions they read, and how far an input is from another label."""

from __future__ import annotations

import torch
from torch import Tensor

from falsestruct.learning.ensembles import Ensemble
from falsestruct.learning.training import Set


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


def outputs(rows: Tensor, x: Tensor) -> Tensor:
    """Maps (members, pixels, pixels) from an image to the outputs, in place of its first k pixels.

    The outputs less their mean, with a standard deviation of one over the inputs x; the other
    pixels are 0. They hold the same information as the image after `projection`.

    Args:
        rows: (members, k, pixels), k at most pixels.
        x: (samples, *shape), to set the scale.
    """
    apart = rows - rows.mean(1, keepdim=True)
    found = x.flatten(1).to(rows) @ apart.transpose(1, 2)
    scale = (found - found.mean(1, keepdim=True)).square().mean((1, 2), keepdim=True).sqrt()
    missing = rows.shape[2] - rows.shape[1]
    return torch.nn.functional.pad((apart / scale).transpose(1, 2), (0, missing))


def seen(images: Tensor, view: Tensor) -> Tensor:
    """Images (members, samples, …) mapped by each member's map, (members, pixels, pixels)."""
    return (images.flatten(2).to(view) @ view).view(images.shape)


def radius(asked: Ensemble, x: Tensor, y: Tensor) -> Tensor:
    """`distance` (members, samples) from x to another label than y, of trained classifiers."""
    outputs = asked.outputs(x.float().expand(len(asked), *x.shape)).double()
    return distance(weights(asked), outputs, y)


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


def features(known: Set, tested: Set, *, ridge: float = 10.0) -> dict[str, list[object]]:
    """Linear features a of a label ±1: feature, and on tested data accuracy and breaks.

    breaks: The size of attack, Euclidean, at which nothing is left of the feature's usefulness,
    ⟨a, E yx⟩/‖a‖: for "mean difference", a = E yx, the largest one; for "least squares", with a
    ridge; and for "best pixel", the one with the largest entry of E yx.
    """
    (x, y), (held, truth) = ((u.flatten(1), v.to(u)) for u, v in (known, tested))
    mean, other = y @ x / len(x), truth @ held / len(held)
    best = torch.where(mean.abs() == mean.abs().max(), mean, 0.0)
    square = x.T @ x + ridge * torch.eye(x.shape[1], dtype=x.dtype)
    solved = torch.linalg.solve(square, x.T @ y)
    found = {"mean difference": mean, "least squares": solved, "best pixel": best}
    right = [((held @ a > 0) == (truth > 0)).double().mean().item() for a in found.values()]
    breaks = [(a @ other / a.norm()).item() for a in found.values()]
    return {"feature": list(found), "accuracy": list(right), "breaks": list(breaks)}
