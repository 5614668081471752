"""How sure networks are of their labels, and how rightly so."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from falsestruct.learning.ensembles import Ensemble


def error(confidence: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean over inputs of |accuracy − mean confidence| of their bin.

    Args:
        confidence: Largest probability of each input, in [0, 1], (inputs,).
        right: Whether its label is right, (inputs,).
        bins: Of equal width; the last holds a confidence of 1 as well.
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def sureness(asked: Ensemble, x: Tensor, y: Tensor) -> dict[str, list[float]]:
    """Numbers of each member: confidence, the mean one; shy, accuracy less that; calibration.

    The last one is `error`, which sampling makes too large: a bin of n inputs adds about
    .8·√(p(1 − p)/n) where there is none.

    Args:
        x: Inputs (samples, *shape) with labels y (samples,), for networks with an output a class.
    """
    with torch.no_grad():
        outputs = asked.outputs(x.expand(len(asked), *x.shape).float()).double()
    best = outputs.softmax(-1).max(-1)
    sure, right = best.values.numpy(), (best.indices == y).numpy()
    return {
        "confidence": sure.mean(1).tolist(),
        "shy": (right.mean(1) - sure.mean(1)).tolist(),
        "calibration": [error(*pair) for pair in zip(sure, right, strict=True)],
    }
