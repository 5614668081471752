"""What is read out of a few numbers of an input, and how often it is right.

A *reading* is fitted to numbers (n, q) and answers: one number has a threshold (a tree with as many
leaves as labels, if there are more than two), several have a balanced logistic regression, or a
sparse one of steps of each. All scores are balanced over the answers, and their spread is that over
clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from falsestruct import statistics
from falsestruct.characterise import directions
from falsestruct.statistics import Estimate

Codes = np.ndarray  # labels 0 … k − 1, (n,)
Reading = Callable[[np.ndarray], Codes]
Way = Literal["plain", "squares", "switch", "steps"]  # of reading components along directions

BINS = 8  # of a number whose steps are read
STEEP = 0.1  # C of scikit-learn, of steps along directions
SLACK = 1.0  # standard errors for which a simpler rule is taken


def by_cluster(gains: np.ndarray, codes: Codes, cluster: np.ndarray) -> np.ndarray:
    """One number a cluster whose plain mean is the mean over labels of the mean gain.

    Deviations from each label's mean, weighed by its share: the linearised estimate, so that the
    spread of the numbers is that of the balanced mean with its shares estimated.

    Args:
        gains: (…, n). codes, cluster: (n,).

    Returns:
        (…, clusters).
    """
    labels, group = np.unique(codes), np.unique(cluster, return_inverse=True)[1]
    count = int(group.max()) + 1
    whole = np.zeros(gains.shape[:-1])
    off = np.zeros(gains.shape)
    for label in labels:
        own = codes == label
        mean = gains[..., own].mean(-1)
        whole += mean / len(labels)
        off[..., own] = (gains[..., own] - mean[..., None]) * (count / len(labels) / own.sum())
    rows = off.reshape(-1, gains.shape[-1])
    sums = np.stack([np.bincount(group, row, minlength=count) for row in rows])
    return np.asarray(whole[..., None] + sums.reshape(*gains.shape[:-1], count))


def estimated(values: np.ndarray, fewest: int, resolution: float) -> Estimate:
    """Mean of numbers of clusters (`by_cluster`), by Student's t with `fewest` − 1 degrees.

    Half of a balanced mean of two answers is about the clusters with the rare one: all other
    clusters say nothing about the spread of that half. With the freedom of all clusters p-values
    would be too small.

    Args:
        values: (clusters,), at least 2.
        fewest: Clusters with the rarest answer (`rarest`); of 1, as of 2.
        resolution: As for `statistics.mean`.
    """
    from scipy import stats

    own, tails = statistics.mean(values, resolution=resolution), np.divide(statistics.ALPHAS, 2)
    freedom = len(values) - 1, max(1, min(len(values), fewest) - 1)
    whole, fewer = (stats.t.isf(tails, one) for one in freedom)
    ends = tuple(
        (own.value - w * (own.value - low), own.value + w * (high - own.value))
        for (low, high), w in zip(own.ends, (fewer / whole).tolist(), strict=True)
    )
    low, high = ends[statistics.LEVELS.index(statistics.LEVEL)]
    method = f"Student's t over {len(values)} pairs of inputs, {freedom[1]} degrees of freedom"
    return replace(own, low=low, high=high, ends=ends, method=method)


def share(values: np.ndarray, fewest: int) -> Estimate:
    """`estimated`, of a mean that is a share: inside of [0, 1]."""
    own = estimated(values, fewest, 1.0)
    ends = tuple((max(0.0, low), min(1.0, high)) for low, high in own.ends)
    return replace(own, low=max(0.0, own.low), high=min(1.0, own.high), ends=ends)


def rarest(codes: Codes, cluster: np.ndarray) -> int:
    """The number of clusters with that label which the fewest have."""
    return min(len(np.unique(cluster[codes == label])) for label in np.unique(codes))


def chosen(
    right: np.ndarray, codes: Codes, cluster: np.ndarray, sizes: Sequence[int] | None = None
) -> int:
    """The rule that is right most often; a smaller one if it is within SLACK standard errors.

    Args:
        right: (rules, n). Of equally good rules, the first.
        sizes: Of each, (rules,); None: all the same.
    """
    means = np.stack([by_cluster(row, codes, cluster) for row in right.astype(float)])
    size = np.zeros(len(right)) if sizes is None else np.asarray(sizes)
    value = means.mean(1)
    less = means[value.argmax()] - means
    error = less.std(1, ddof=1) / np.sqrt(less.shape[1])
    near = less.mean(1) <= SLACK * error + 1e-12
    small = near & (size == size[near].min())
    return int(np.argmax(np.where(small, value, -np.inf)))


def thresholds(values: np.ndarray, codes: Codes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best threshold of each column, its sign, and Youden's J = TPR − FPR there.

    Args:
        values: (n, columns). codes: 0 or 1.
    """
    ones = max(1, int(codes.sum()))
    weight = np.where(codes > 0, 1 / ones, -1 / max(1, len(codes) - ones))
    found = np.zeros((3, values.shape[1]))
    for start in range(0, values.shape[1], 64):
        part = values[:, start : start + 64]
        order = np.argsort(part, axis=0, kind="stable")
        inorder = np.take_along_axis(part, order, 0)
        above = -np.cumsum(weight[order], axis=0)[:-1]  # J of "1 above the cut"
        above[inorder[1:] <= inorder[:-1]] = 0.0
        best = np.abs(above).argmax(0)
        column = np.arange(part.shape[1])
        cut = (inorder[best, column] + inorder[best + 1, column]) / 2
        j = above[best, column]
        found[:, start : start + 64] = cut, np.where(j < 0, -1.0, 1.0), np.abs(j)
    return found[0], found[1], found[2]


def read(features: np.ndarray, codes: Codes, classes: int) -> Reading:
    """Fit a reading to features (n, q)."""
    if features.shape[1] == 1 and classes == 2:
        cut, sign, _ = thresholds(features, codes)
        return lambda own: ((own[:, 0] - cut[0]) * sign[0] > 0).astype(np.int64)
    if features.shape[1] == 1:
        from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(
            max_leaf_nodes=classes, class_weight="balanced", random_state=0
        )
        return partial(_predicted, tree.fit(features, codes))
    from sklearn.linear_model import LogisticRegression

    centre, spread = features.mean(0, dtype=float), features.std(0, dtype=float)
    scale = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=10.0, class_weight="balanced", solver="newton-cholesky", tol=1e-3)
    model.fit((features - centre) / scale, codes)
    return lambda own: _predicted(model, (own - centre) / scale)


def _predicted(model: object, features: np.ndarray) -> Codes:
    return np.asarray(model.predict(features))  # type: ignore[attr-defined]


def read_along(along: np.ndarray, codes: Codes, classes: int, way: Way) -> Reading:
    """Fit a reading to components along directions (n, q): of them, of them and their squares, of
    two of them between which a third one switches, or of their steps."""
    if way == "plain":
        return read(along, codes, classes)
    if way == "steps":
        return read_steps(along, codes, classes, STEEP)
    centre, spread = along.mean(0), along.std(0)
    scale = np.where(spread > 0, spread, 1.0)

    def unit(own: np.ndarray) -> np.ndarray:
        return np.asarray((own - centre) / scale)

    def squared(own: np.ndarray) -> np.ndarray:
        return np.concatenate([unit(own), unit(own) ** 2], axis=1)

    if way == "squares":
        reading = read(squared(along), codes, classes)
        return lambda own: reading(squared(own))
    found = directions.switch(unit(along), codes, np.eye(along.shape[1]))
    return lambda own: (found.score(unit(own)) > 0).astype(np.int64)


@dataclass(frozen=True)
class Steps:
    """A sparse sum of steps, one at each cut of each column.

    Attributes:
        cuts: (cuts, columns).
        weight: Of each column, (columns,): the size of its steps, all together.
    """

    cuts: np.ndarray
    model: Any
    weight: np.ndarray

    def __call__(self, columns: np.ndarray) -> Codes:
        """Codes (n,) of columns (n, q)."""
        return _predicted(self.model, _steps(columns, self.cuts))


def read_steps(columns: np.ndarray, codes: Codes, classes: int, penalty: float) -> Steps:
    """By balanced L1 logistic regression with C = `penalty`; of more than two labels, one against
    the rest."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    cuts = np.quantile(columns, np.arange(1, BINS) / BINS, axis=0)
    model = LogisticRegression(
        C=penalty,
        l1_ratio=1.0,
        solver="liblinear",
        class_weight="balanced",
        max_iter=200,
        random_state=0,
    )
    own = model if classes == 2 else OneVsRestClassifier(model)
    own.fit(_steps(columns, cuts), codes)
    fitted = [own] if classes == 2 else own.estimators_
    sizes = [np.abs(one.coef_).reshape(len(cuts), -1) for one in fitted]
    return Steps(cuts, own, np.sum(sizes, axis=(0, 1)))


def _steps(columns: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """1 where a column exceeds each of its cuts, (n, cuts · columns)."""
    steps = columns[:, None, :] > cuts[None]
    return np.asarray(steps.reshape(len(columns), -1).astype(float))
