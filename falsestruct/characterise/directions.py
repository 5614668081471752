"""Directions that foretell decisions, learned from answers or gradients alone.

All functions see inputs as vectors z (n, coordinates), centred as `library.coordinates` does it,
and labels 0 … k − 1. None is told a direction. Each gives at most `MOST` directions, unit vectors,
the most telling one first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from falsestruct.characterise.asking import Inputs, Network
from falsestruct.characterise.library import Coordinates, reduced

MOST = 5
RIDGE = 1e-2  # of the mean variance: what varies less is not blown up to the size of the rest
STEPS = 60  # of the pursuit's optimiser
DECAY = 1e-3  # of the pursuit, on coordinates of unit variance


@dataclass(frozen=True)
class Whitening:
    """z ↦ (z − centre) @ matrix has about unit covariance; flat parts of the data stay small.

    Attributes:
        matrix: (coordinates, parts).
    """

    centre: np.ndarray
    matrix: np.ndarray

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """(n, parts)."""
        own = z - self.centre.astype(z.dtype)
        return np.asarray(own @ self.matrix.astype(z.dtype))

    def along(self, directions: np.ndarray) -> np.ndarray:
        """Directions (q, coordinates) as unit directions (q, parts): the reverse of `back`."""
        return unit(directions @ (self.matrix / (self.matrix**2).sum(0)))

    def back(self, directions: np.ndarray) -> np.ndarray:
        """Directions (q, parts) as unit directions (q, coordinates) with the same scores."""
        return unit(directions @ self.matrix.T)


def whitening(z: np.ndarray) -> Whitening:
    """Principal parts over √(variance + RIDGE · mean variance), the largest first."""
    centre = z.mean(0, dtype=float)
    own = z - centre.astype(z.dtype)
    values, vectors = np.linalg.eigh(own.T @ own / len(own))
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    kept = values > 1e-10 * max(float(values[0]), 1e-300)
    floor = RIDGE * float(values.mean())
    return Whitening(centre, vectors[:, kept] / np.sqrt(values[kept] + floor))


def unit(directions: np.ndarray) -> np.ndarray:
    """Rows of length one; a row of zeros stays. The largest entry of each is positive."""
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    rows = np.divide(directions, length, out=np.zeros_like(directions), where=length > 0)
    largest = np.take_along_axis(rows, np.abs(rows).argmax(1)[:, None], 1)
    return np.asarray(rows * np.where(largest < 0, -1.0, 1.0))


def prototypes(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Main parts of the means of the inputs with each answer; of two, their difference."""
    means = np.stack([z[labels == label].mean(0) for label in np.unique(labels)])
    return _main(means - means.mean(0), min(MOST, len(means) - 1))


def discriminant(
    white: Whitening, w: np.ndarray, labels: np.ndarray, *, penalty: float
) -> np.ndarray:
    """Of a balanced logistic regression on whitened inputs w, with C = `penalty`, L2."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=penalty, class_weight="balanced", max_iter=200, tol=1e-3)
    weights = model.fit(w, labels).coef_
    return white.back(_main(weights, min(MOST, *weights.shape)))


def second_moments(white: Whitening, w: np.ndarray, labels: np.ndarray, *, most: int) -> np.ndarray:
    """Directions along which the answers' variances differ, for even rules.

    Sliced average variance estimates (Cook and Weisberg 1991): the largest eigenvectors of
    Σ (cov − cov of the class)² of the first `most` whitened parts.
    """
    parts = w[:, :most]
    whole = np.atleast_2d(np.cov(parts, rowvar=False))
    gap = np.zeros_like(whole)
    for label in np.flatnonzero(np.bincount(labels) > 1):
        own = np.atleast_2d(np.cov(parts[labels == label], rowvar=False)) - whole
        gap += own @ own
    _, vectors = np.linalg.eigh(gap)
    found = np.zeros((min(MOST, len(gap)), w.shape[1]))
    found[:, : parts.shape[1]] = vectors[:, ::-1].T[:MOST]
    return white.back(found)


def pursuit(white: Whitening, w: np.ndarray, labels: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Directions like `start` (q, coordinates) that fit the answers best, with their squares.

    Minimises the balanced cross-entropy of scores b + Σ aⱼ pⱼ + cⱼ pⱼ², pⱼ = ⟨vⱼ, w⟩, over all
    parameters, by L-BFGS on whitened inputs w.
    """
    from scipy.optimize import minimize

    first = white.along(start)
    problem = _Quadratic(w, labels, len(first))
    head = np.random.default_rng(0).normal(scale=0.1, size=(2 * len(first) + 1, problem.classes))
    found = minimize(
        problem, np.concatenate([first.ravel(), head.ravel()]), jac=True, method="L-BFGS-B",
        options={"maxiter": STEPS},
    )  # fmt: skip
    return white.back(found.x[: first.size].reshape(first.shape))


class _Quadratic:
    """The loss of `pursuit` and its gradient, of all parameters in one vector.

    Args:
        w: Whitened inputs (n, parts).
        count: Of directions.
    """

    def __init__(self, w: np.ndarray, labels: np.ndarray, count: int) -> None:
        self.w, self.count, self.classes = w, count, int(labels.max()) + 1
        self.hot = np.eye(self.classes)[labels]
        share = np.maximum(1, np.bincount(labels, minlength=self.classes))
        self.weight = (1 / (self.classes * share))[labels][:, None]

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss and gradient."""
        size = self.count * self.w.shape[1]
        v = parameters[:size].reshape(self.count, -1)
        head = parameters[size:].reshape(-1, self.classes)
        p = self.w @ v.T
        features = np.concatenate([p, p**2 - 1, np.ones((len(p), 1))], axis=1)
        scores = features @ head
        scores -= scores.max(1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
        loss = -float((self.weight * self.hot * logs).sum())
        loss += DECAY * float((v**2).sum() + (head**2).sum())
        slope = self.weight * (np.exp(logs) - self.hot)
        back = slope @ head[: 2 * self.count].T
        along = back[:, : self.count] + 2 * p * back[:, self.count :]
        gradient = along.T @ self.w + 2 * DECAY * v, features.T @ slope + 2 * DECAY * head
        return loss, np.concatenate([own.ravel() for own in gradient])


@dataclass(frozen=True)
class Switch:
    """Two scores and a third that says which of them counts: σ(g) a + (1 − σ(g)) b.

    Attributes:
        vectors, biases: Of g, a and b, (3, parts) and (3,).
        loss: Balanced cross-entropy of the fit.
    """

    vectors: np.ndarray
    biases: np.ndarray
    loss: float

    def score(self, w: np.ndarray) -> np.ndarray:
        """Positive where the answer is 1, (n,)."""
        g, a, b = (w @ self.vectors.T + self.biases).T
        share = 1 / (1 + np.exp(-np.clip(g, -50, 50)))
        return np.asarray(share * a + (1 - share) * b)


def switch(w: np.ndarray, labels: np.ndarray, gates: np.ndarray) -> Switch:
    """The best switch for answers 0 and 1, from starts with each of `gates` (q, parts) as g.

    A start's two scores are the differences of the answers' means on either side of its gate.
    Minimised by L-BFGS, as `pursuit`.
    """
    from scipy.optimize import minimize

    problem = _Switched(w, labels)
    found = []
    for gate in gates:
        start = np.concatenate([_sides(w, labels, gate).ravel(), np.zeros(3)])
        best = minimize(problem, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
        found.append(Switch(best.x[:-3].reshape(3, -1), best.x[-3:], float(best.fun)))
    return min(found, key=lambda own: own.loss)


def _sides(w: np.ndarray, labels: np.ndarray, gate: np.ndarray) -> np.ndarray:
    """The gate, and the differences of means on its two sides, (3, parts)."""
    along = w @ gate
    above = along > np.median(along)
    spread = float(along.std())
    rows = [gate / spread if spread > 1e-9 else gate]
    for side in (above, ~above):
        means = [w[side & (labels == label)] for label in (0, 1)]
        enough = min(len(own) for own in means) > 0
        rows.append(means[1].mean(0) - means[0].mean(0) if enough else np.zeros_like(gate))
    return np.stack(rows)


class _Switched:
    """The loss of `switch` and its gradient, of all parameters in one vector."""

    def __init__(self, w: np.ndarray, labels: np.ndarray) -> None:
        self.w, self.labels = w, labels
        self.weight = (0.5 / np.maximum(1, np.bincount(labels, minlength=2)))[labels]

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss and gradient."""
        vectors, biases = parameters[:-3].reshape(3, -1), parameters[-3:]
        g, a, b = (self.w @ vectors.T + biases).T
        share = 1 / (1 + np.exp(-np.clip(g, -50, 50)))
        score = share * a + (1 - share) * b
        sign = 2 * self.labels - 1
        loss = float(self.weight @ np.logaddexp(0, -sign * score)) + DECAY * float(
            (vectors**2).sum()
        )
        slope = -self.weight * sign / (1 + np.exp(np.clip(sign * score, -50, 50)))
        back = np.stack([slope * share * (1 - share) * (a - b), slope * share, slope * (1 - share)])
        gradient = back @ self.w + 2 * DECAY * vectors
        return loss, np.concatenate([gradient.ravel(), back.sum(1)])


def from_gradients(gradients: np.ndarray) -> np.ndarray:
    """What gradients (n, coordinates) share: the main parts of their directions, not centred."""
    return _main(unit(gradients), min(MOST, *gradients.shape))


def gradients(
    network: Network, x: Inputs, labels: np.ndarray, against: np.ndarray, own: Coordinates
) -> np.ndarray | None:
    """Gradients of the score of `labels` less that of `against`, in coordinates; None: black box.

    Blocks of large images have the mean of their pixels' gradients.
    """
    found = network.gradient(x, labels, against)
    if found is None:
        return None
    array = reduced(np.asarray(found, dtype=float)) if x.kind == "images" else found
    flat = np.asarray(array).reshape(len(x), -1)
    return np.asarray(np.where(np.isfinite(flat), flat, 0.0) * own.scale)


def at_random(dimension: int, count: int, z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random directions (count, dimension): differences of inputs and white ones in turn."""
    first = rng.integers(len(z), size=count)
    second = (first + rng.integers(1, len(z), size=count)) % len(z)  # another one
    found = (z[first] - z[second]).astype(float)
    white = np.arange(count) % 2 == 1
    found[white] = rng.normal(size=(int(white.sum()), dimension))
    return unit(found)


def _main(rows: np.ndarray, count: int) -> np.ndarray:
    return unit(np.linalg.svd(rows, full_matrices=False)[2][:count])
