"""Small changes of inputs that flip a network's label: by gradients, by labels alone, or by words.

All of them are upper bounds: the search finds a flip, and another may be smaller. The audit of the
book's problems keeps its own search (`audit.py`): chapter 09's numbers come from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from falsestruct.characterise import library, probes
from falsestruct.characterise.asking import FAILED, AuditError, Inputs, Network
from falsestruct.characterise.library import BYTES, Coordinates

How = Literal["gradients", "boundary", "substitution"]

STEPS = 40  # along gradients
GRID = 8  # on which a line is searched for its first flip
BISECTIONS = 10
TARGETS = 3  # inputs of another label towards which lines are searched
PROBES = 40  # labels asked for an estimate of a normal
SINGLES, ORDERS, SIZES = 40, 6, 12  # words or columns replaced alone; orders; sets of each order
PIECES = SINGLES + ORDERS * SIZES  # questions an input of texts or tables, at most
MOST = 500  # inputs that may serve as targets
COST = TARGETS * (GRID + BISECTIONS) + 2 * (PROBES + 3 * (GRID + BISECTIONS))


@dataclass(frozen=True)
class Flips:
    """What was found.

    Attributes:
        rows: Of the inputs that were flipped, (found,).
        x: The flipped inputs, (found, …).
        size: ℓ2 length of the change, in the inputs' own units; for texts and tables, the number
            of words or columns replaced.
        before, after: Labels, as codes of the network.
        queries: Inputs whose label was asked for.
        how: By which search.
    """

    rows: np.ndarray
    x: Inputs
    size: np.ndarray
    before: np.ndarray
    after: np.ndarray
    queries: int
    how: How


def flips(
    network: Network, x: Inputs, rows: np.ndarray, *, coordinates: Coordinates | None = None,
    others: int = MOST, rounds: int = 2, seed: int = 0,
) -> Flips:  # fmt: skip
    """The smallest flips found of x[rows]; they and so many others of x serve as targets.

    PyTorch modules are followed along their gradients. Other networks are asked for labels on lines
    towards the nearest inputs with another label, and then, `rounds` times, along an estimate of
    the boundary's normal (Chen, Jordan and Wainwright, arXiv:1904.02144): about COST questions an
    input. In texts and tables, words or columns of the nearest input with another label are put in,
    alone and in growing sets: at most PIECES questions an input.

    Args:
        rows: Of x, (n,), in increasing order.
        coordinates: In which inputs are near; None: those that fit the targets.
    """
    started = network.queries
    rng = np.random.default_rng(seed)
    pool = np.unique(np.concatenate([rows, rng.permutation(len(x))[:others]]))
    labels = np.concatenate([_asked(network, part) for part in library.parts(x, pool)])
    own = labels[np.searchsorted(pool, rows)]
    rows, own = rows[own != FAILED], own[own != FAILED]
    z = (coordinates or library.coordinates(x, pool))(x, pool)
    near = _nearest(z[np.searchsorted(pool, rows)], z, own, labels)
    there = near[:, 0] >= 0
    rows, own, near = rows[there], own[there], near[there]
    if x.kind in ("texts", "table"):
        found = _substituted(network, x, rows, own, pool[near[:, 0]], rng)
        how: How = "substitution"
    else:
        found, how = _moved(network, x, rows, own, (pool[near], labels[near[:, 0]]), rounds, rng)
    kept, moved, size, after = found
    queries = network.queries - started
    return Flips(rows[kept], moved, size, own[kept], after, queries, how)


def _asked(network: Network, x: Inputs) -> np.ndarray:
    """Labels; where most of a few inputs have none, all of these have none."""
    try:
        return network.labels(x)
    except AuditError:
        return np.full(len(x), FAILED)


def beyond(network: Network, x: Inputs, found: Flips, factor: float) -> Flips:
    """The flips followed on to `factor` times their size, if the new label still holds there.

    Of texts and tables as they are.
    """
    if found.how == "substitution" or not len(found.rows):
        return found
    start = x.take(found.rows).array()
    moved = found.x.like(start + factor * (found.x.array() - start))
    after = _asked(network, moved)
    same = np.flatnonzero(after == found.after)
    return Flips(
        found.rows[same], moved.take(same), factor * found.size[same], found.before[same],
        found.after[same], found.queries + len(start), found.how,
    )  # fmt: skip


Found = tuple[np.ndarray, Inputs, np.ndarray, np.ndarray]
Near = tuple[np.ndarray, np.ndarray]  # rows of targets (n, TARGETS), and labels of the first (n,)


class _Walk:
    """Points, and the best flip of each so far."""

    def __init__(self, network: Network, form: Inputs, points: np.ndarray, own: np.ndarray) -> None:
        self.network, self.form, self.own = network, form, own
        self.shape, self.points = points.shape[1:], points.reshape(len(points), -1)
        self.best = np.zeros_like(self.points)
        self.size = np.full(len(points), np.inf)

    def inputs(self, flat: np.ndarray) -> Inputs:
        return self.form.like(flat.reshape(len(flat), *self.shape))

    def flipped(self, change: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Whether change (…, rows, coordinates) flips: (…, rows). A failure is no flip."""
        moved = (self.points[rows] + change).reshape(-1, self.points.shape[1])
        labels = _asked(self.network, self.inputs(moved)).reshape(change.shape[:-1])
        return np.asarray((labels != self.own[rows]) & (labels != FAILED))

    def follow(self, direction: np.ndarray, rows: np.ndarray) -> None:
        """The first flip on a grid on the way to the end of each direction (rows, coordinates)."""
        length = np.linalg.norm(direction, axis=1)
        use = length > 0
        rows, direction, length = rows[use], direction[use], length[use]
        if not len(rows):
            return
        end = np.minimum(1.0, self.size[rows] / length)
        steps = end * (np.arange(1, GRID + 1) / GRID)[:, None]
        flips = self.flipped(steps[..., None] * direction, rows)
        hit = flips.any(0)
        rows, direction, first, step = rows[hit], direction[hit], flips.argmax(0)[hit], end[hit]
        low, high = step * first / GRID, step * (first + 1) / GRID
        for _ in range(BISECTIONS if len(rows) else 0):
            middle = (low + high) / 2
            past = self.flipped(middle[:, None] * direction, rows)
            low, high = np.where(past, low, middle), np.where(past, middle, high)
        size = high * length[hit]
        better = size < self.size[rows]
        self.size[rows[better]] = size[better]
        self.best[rows[better]] = (high[:, None] * direction)[better]

    def follow_normal(self, rng: np.random.Generator) -> None:
        """Along the mean of random directions that lead across the boundary at the best point."""
        rows = np.flatnonzero(np.isfinite(self.size))
        if not len(rows):
            return
        best, size = self.best[rows], self.size[rows, None]
        noise = rng.normal(size=(PROBES, *best.shape))
        noise /= np.linalg.norm(noise, axis=2, keepdims=True)
        across = self.flipped(best + 0.1 * size * noise, rows).astype(float)
        normal = np.einsum("pr,prc->rc", across - across.mean(0), noise)
        length = np.linalg.norm(normal, axis=1, keepdims=True)
        normal = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0) * size
        for share in (1.0, 0.5, 0.2):
            self.follow(share * normal + (1 - share) * best, rows)

    def follow_gradient(self, against: np.ndarray, step: np.ndarray) -> bool:
        """Steps down the gradient of the label's score until it flips; False for a black box."""
        change, left = np.zeros_like(self.points), np.arange(len(self.points))
        for _ in range(STEPS):
            if not len(left):
                break
            moved = self.inputs(self.points[left] + change[left])
            slope = self.network.gradient(moved, self.own[left], against[left])
            if slope is None:
                return False
            flat = np.asarray(slope, dtype=float).reshape(len(left), -1)
            length = np.linalg.norm(flat, axis=1, keepdims=True)
            down = np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)
            change[left] -= step[left, None] * down
            left = left[~self.flipped(change[left], left)]
        self.follow(change, np.arange(len(self.points)))
        return True


def _moved(
    network: Network, x: Inputs, rows: np.ndarray, own: np.ndarray, near: Near, rounds: int,
    rng: np.random.Generator,
) -> tuple[Found, How]:  # fmt: skip
    """A few points at a time: PROBES changes of each are held at once."""
    nothing = np.empty(0, np.int64)
    how: How = "gradients"
    if not len(rows):
        return (nothing, x.take(nothing), np.empty(0), nothing), how
    at_once = max(1, BYTES // (8 * PROBES * x.take(rows[:1]).array().size))
    kept, moved, sizes, labels = [], [], [], []
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        walk = _Walk(network, x, x.take(rows[part]).array(), own[part])
        how = _walked(walk, x, (near[0][part], near[1][part]), rounds, rng)
        done = np.flatnonzero(np.isfinite(walk.size))
        if not len(done):
            continue
        flipped = walk.inputs(walk.points[done] + walk.best[done])
        after = _asked(network, flipped)
        real = np.flatnonzero((after != FAILED) & (after != walk.own[done]))
        kept.append(start + done[real])
        moved.append(flipped.take(real))
        sizes.append(walk.size[done[real]])
        labels.append(after[real])
    if not kept:
        return (nothing, x.take(nothing), np.empty(0), nothing), how
    joined = probes.joined(moved) if len(moved) > 1 else moved[0]
    return (np.concatenate(kept), joined, np.concatenate(sizes), np.concatenate(labels)), how


def _walked(walk: _Walk, x: Inputs, near: Near, rounds: int, rng: np.random.Generator) -> How:
    """Towards the targets, by gradients or by labels alone."""
    every = np.arange(len(walk.points))

    def towards(place: int) -> np.ndarray:
        targets = x.take(near[0][:, place]).array()
        return np.asarray(targets.reshape(len(targets), -1) - walk.points)

    first = towards(0)
    step = np.linalg.norm(first, axis=1) / STEPS
    gradients = walk.follow_gradient(near[1], step)
    walk.follow(first, every)
    if gradients:
        return "gradients"
    for place in range(1, near[0].shape[1]):
        walk.follow(towards(place), every)
    for _ in range(rounds):
        walk.follow_normal(rng)
    return "boundary"


def _nearest(
    points: np.ndarray, flat: np.ndarray, own: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """The nearest inputs with another label, (points, TARGETS); −1 where there is none."""
    square = (points**2).sum(1)[:, None] + (flat**2).sum(1) - 2 * points @ flat.T
    square[(labels == own[:, None]) | (labels < 0)] = np.inf
    count = min(TARGETS, len(flat))
    near = np.argsort(square, axis=1)[:, :count]
    near[~np.isfinite(np.take_along_axis(square, near, 1))] = -1
    for i in range(1, count):  # fewer than TARGETS: the nearest again
        near[:, i] = np.where(near[:, i] < 0, near[:, 0], near[:, i])
    return near


# ---- texts and tables ----


def _substituted(
    network: Network, x: Inputs, rows: np.ndarray, own: np.ndarray, near: np.ndarray,
    rng: np.random.Generator,
) -> Found:  # fmt: skip
    """The fewest pieces replaced, over ORDERS random orders and all single replacements.

    Args:
        near: Of x, whose pieces each of the rows gets, (n,).
    """
    kept, sizes, made = [], [], []
    for i, (row, other) in enumerate(zip(rows, near, strict=True)):
        trials, counts = _trials(x, int(row), int(other), rng)
        if not len(counts):
            continue
        after = _asked(network, trials)
        flip = np.flatnonzero((after != own[i]) & (after != FAILED))
        if len(flip):
            best = flip[np.argmin(counts[flip])]
            kept.append(i)
            sizes.append(float(counts[best]))
            made.append((trials.take(np.array([best])), int(after[best])))
    if not kept:
        nothing = np.empty(0, np.int64)
        return nothing, x.take(nothing), np.empty(0), nothing
    joined = probes.joined([one for one, _ in made])
    return np.array(kept), joined, np.array(sizes), np.array([label for _, label in made])


def _trials(x: Inputs, row: int, other: int, rng: np.random.Generator) -> tuple[Inputs, np.ndarray]:
    """Versions of x[row] with pieces of x[other], and how many pieces differ."""
    if x.kind == "texts":
        return _word_trials(x, row, other, rng)
    frame = x.frame()
    first, second = frame.iloc[[row]], frame.iloc[[other]]
    columns = [i for i in range(frame.shape[1])
               if not _same(first.iloc[0, i], second.iloc[0, i])]  # fmt: skip
    masks = _masks(len(columns), rng)
    versions = frame.iloc[np.full(len(masks), row)].reset_index(drop=True)
    for i, column in enumerate(columns):
        name = frame.columns[column]
        donor = frame.iloc[np.full(len(masks), other)][name].reset_index(drop=True)
        versions[name] = versions[name].where(~masks[:, i], donor)
    return x.like(versions), masks.sum(1)


def _same(first: Any, second: Any) -> bool:
    return bool((pd.isna(first) and pd.isna(second)) or first == second)


def _word_trials(
    x: Inputs, row: int, other: int, rng: np.random.Generator
) -> tuple[Inputs, np.ndarray]:
    first, second = x.take(np.array([row, other])).texts()
    own, donor = probes.pieces(first), second.split()
    masks = _masks(len(own), rng) if donor else np.zeros((0, len(own)), bool)
    new = [probes.swapped(piece, donor[i % len(donor)]) for i, piece in enumerate(own) if donor]
    versions = [
        probes.sewn(b if taken else a for a, b, taken in zip(own, new, mask, strict=True))
        for mask in masks
    ]
    return x.like(versions), masks.sum(1)


def _masks(count: int, rng: np.random.Generator) -> np.ndarray:
    """Which pieces are replaced, (trials, count): SINGLES alone, and ORDERS growing sets.

    At most SINGLES + ORDERS · SIZES trials, whatever the count.
    """
    if not count:
        return np.zeros((0, 0), bool)
    alone = np.eye(count, dtype=bool)[rng.permutation(count)[:SINGLES]]
    sizes = np.unique(np.geomspace(2, max(2, count), SIZES).round()).astype(int)
    sizes = sizes[sizes <= count]
    ranks = [rng.permutation(count)[None, :] for _ in range(ORDERS)]
    return np.concatenate([alone, *(rank < sizes[:, None] for rank in ranks)])
