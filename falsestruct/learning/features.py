"""Random features with a linear rule on top: least squares in closed form, with ridges or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]
ZERO = 1e-10  # singular values below this share of the largest one are zero


@dataclass(frozen=True)
class Features:
    """ReLUs of random planes, x ↦ max(0, ⟨w, x − centre⟩ + b).

    Attributes:
        centre: Mean of the training inputs, (inputs,).
        weights: (inputs, features), of a size at which the planes' numbers have variance one.
        biases: (features,), of variance one quarter.
    """

    centre: np.ndarray
    weights: np.ndarray
    biases: np.ndarray

    @classmethod
    def draw(cls, x: np.ndarray, features: int, rng: np.random.Generator) -> Features:
        """For training inputs x (samples, inputs); more of them keep the first.

        Args:
            rng: A fresh one; biases come from a child of it.
        """
        centre = x.mean(0)
        scale = np.sqrt(np.square(x - centre).sum(1).mean())
        (child,) = rng.spawn(1)
        weights = rng.normal(size=(features, x.shape[1])).T / scale
        return cls(centre, weights, child.normal(size=features) / 2)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The features of inputs, (samples, features)."""
        return np.maximum((x - self.centre) @ self.weights + self.biases, 0)


def fit(values: np.ndarray, targets: np.ndarray, ridges: Sequence[float] = (0.0,)) -> np.ndarray:
    """Weights (features, ridges) of least squares; of several solutions the one of least norm.

    Args:
        values: Of the features, (samples, features).
        targets: (samples,).
        ridges: λ over the mean squared length of a sample's features: (XᵀX + λ)w = Xᵀy.
    """
    left, sizes, right = np.linalg.svd(values, full_matrices=False)
    extra = np.array(ridges)[:, None] * np.square(sizes).sum() / len(values)
    kept = sizes > ZERO * sizes[0]
    gain = np.where(kept, sizes / np.where(kept, sizes**2 + extra, 1.0), 0.0)  # (ridges, sizes)
    return np.asarray(right.T @ (gain * (left.T @ targets)).T)


def errors(
    own: Pair, others: Sequence[Pair], features: int, rng: np.random.Generator, *,
    ridges: Sequence[float] = (0.0,),
) -> np.ndarray:  # fmt: skip
    """Shares of wrong labels (1 + others, ridges): on the training set, and on other ones.

    Args:
        own, others: Inputs (samples, inputs) with labels 0 or 1.
        features: So many are drawn.
    """
    made = Features.draw(own[0], features, rng)
    values = [made(x) for x, _ in (own, *others)]
    weights = fit(values[0], 2 * own[1] - 1, ridges)
    return np.stack([
        ((value @ weights > 0) != (y[:, None] > 0)).mean(0)
        for value, (_, y) in zip(values, (own, *others), strict=True)
    ])  # fmt: skip
