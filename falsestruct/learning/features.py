"""Random features with a linear rule on top: least squares in closed form, with a ridge or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ZERO = 1e-10  # singular values below this share of the largest one are zero


@dataclass(frozen=True)
class Features:
    """ReLUs of random planes, x ↦ max(0, ⟨w, x − centre⟩ + b), nested: more of them keep the first.

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
        """For training inputs x (samples, inputs)."""
        centre = x.mean(0)
        scale = np.sqrt(np.square(x - centre).sum(1).mean())
        weights = rng.normal(size=(features, x.shape[1])).T / scale
        return cls(centre, weights, rng.normal(size=features) / 2)

    def __call__(self, x: np.ndarray, count: int) -> np.ndarray:
        """The first `count` features of inputs, (samples, count)."""
        values = (x - self.centre) @ self.weights[:, :count] + self.biases[:count]
        return np.maximum(values, 0)


def fit(values: np.ndarray, targets: np.ndarray, *, ridge: float = 0.0) -> np.ndarray:
    """Weights (features,) of least squares; of several solutions the one of least norm.

    Args:
        values: Of the features, (samples, features).
        targets: (samples,).
        ridge: λ over the mean squared length of a sample's features: (XᵀX + λ)w = Xᵀy.
    """
    left, sizes, right = np.linalg.svd(values, full_matrices=False)
    extra = ridge * np.square(sizes).sum() / len(values)
    kept = sizes > ZERO * sizes[0]
    gain = np.where(kept, sizes / np.where(kept, sizes**2 + extra, 1.0), 0.0)
    return np.asarray(right.T @ (gain * (left.T @ targets)))
