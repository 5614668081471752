"""How small a change flips an answer, in units that a person can judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from falsestruct.characterise.asking import Inputs, Network
from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.flips import Flips, flips

PAIRS = 500  # of inputs, for the typical distance
BISECTIONS = 12
UNITS = {"texts": "words replaced", "table": "columns replaced"}
DISTANCE = "typical distances between two inputs"


@dataclass(frozen=True)
class Smallest:
    """Medians over inputs of the smallest flip found, an upper bound; None if most have none.

    Attributes:
        l2, linf: In units of the typical distance between two inputs, in the same norm.
        pieces: Words or columns that were replaced.
        unit: What the numbers count.
        n: Inputs for which one was searched.
    """

    l2: float | None
    linf: float | None
    pieces: float | None
    unit: str
    n: int
    told: tuple[str, ...] = ()


def smallest(asked: Network, x: Inputs, rows: np.ndarray, *, seed: int = 0) -> Smallest:
    """Search flips of x[rows]; why it failed, if it does, is told, not raised."""
    unit = UNITS.get(x.kind, DISTANCE)
    if not len(rows):
        return Smallest(None, None, None, unit, 0)
    try:
        found = flips(asked, x, rows, seed=seed)
        if x.kind in UNITS:
            return Smallest(None, None, _median(found.size, len(rows)), unit, len(rows))
        return _distances(asked, x, found, len(rows), seed)
    except AuditError as error:
        told = f"The smallest flips were not searched for: {error}."
        return Smallest(None, None, None, unit, 0, (told,))


def _distances(asked: Network, x: Inputs, found: Flips, n: int, seed: int) -> Smallest:
    if not len(found.rows):
        return Smallest(None, None, None, DISTANCE, n)
    before = x.take(found.rows).array().reshape(len(found.rows), -1)
    change = found.x.array().reshape(before.shape) - before
    l2, linf = _typical(x, _l2, seed), _typical(x, _linf, seed)
    if not l2 > 0:
        return Smallest(None, None, None, DISTANCE, n)
    corner = _corners(asked, x, found, before, change)
    return Smallest(_median(_l2(change) / l2, n), _median(corner / linf, n), None, DISTANCE, n)


def _corners(
    asked: Network, x: Inputs, found: Flips, before: np.ndarray, change: np.ndarray
) -> np.ndarray:
    """ℓ∞ sizes: of the changes, or of a smaller one that moves all coordinates alike."""
    shape = found.x.array().shape[1:]

    def flipped(size: np.ndarray) -> np.ndarray:
        moved = before + size[:, None] * np.sign(change)
        labels = asked.labels(x.like(moved.reshape(-1, *shape)))
        return np.asarray((labels != found.before) & (labels >= 0))

    size = _linf(change)
    low, high = np.zeros_like(size), size.copy()
    works = flipped(high)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        past = flipped(middle)
        low, high = np.where(past, low, middle), np.where(past, middle, high)
    return np.where(works, high, size)


def _typical(x: Inputs, length: Callable[[np.ndarray], np.ndarray], seed: int) -> float:
    """Median distance between two different inputs."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(x), (2, PAIRS))
    rows = np.stack([first, second])[:, first != second]
    if not rows.size:
        return 0.0
    size, found = x.at_once(), []
    for start in range(0, rows.shape[1], size):
        pairs = rows[:, start : start + size]
        one, other = (x.take(side).array().reshape(pairs.shape[1], -1) for side in pairs)
        found.append(length(one - other))
    return float(np.median(np.concatenate(found)))


def _l2(change: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(change, axis=1))


def _linf(change: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(change).max(1))


def _median(sizes: np.ndarray, n: int) -> float | None:
    """Median of n sizes, of which those that aren't there are infinite."""
    padded = np.full(n, np.inf)
    padded[: len(sizes)] = sizes
    found = float(np.median(padded))
    return found if np.isfinite(found) else None
