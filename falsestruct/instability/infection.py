"""How far inputs are from others of their own class that a rule misreads (chapter 13).

A rule that gives z a wrong label errs within a length ε of every x of z's class that is not further
from z than ε. So these distances bound its errors from below, whatever it does elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.spatial import cKDTree
from torch import Tensor


def distances(x: Tensor, y: Tensor, points: Tensor, truth: Tensor, misread: Tensor) -> Tensor:
    """From each input to the nearest misread point of its class, (members, samples), or infinity.

    Args:
        x, y: Inputs (samples, *shape) and their true labels.
        points, truth: Points (points, *shape) and their true labels.
        misread: Which of these each member misreads, (members, points).
    """
    apart = torch.cdist(x.flatten(1), points.flatten(1))
    other = y[:, None] != truth
    return torch.stack([apart.masked_fill(other | ~own, torch.inf).amin(1) for own in misread])


def mildest(safe: Tensor, x: Tensor, points: Tensor, wrong: Tensor, *, length: float) -> Tensor:
    """Errors, at most, of a rule that fits all labels, under perturbations: (members, samples).

    It is the rule of nearest neighbour on the right labels, but at the very points with a wrong one
    it gives that. So an input that is safe for nearest neighbour falls only to such a point.

    Args:
        safe: Inputs that nearest neighbour reads rightly, within the length too, (samples,).
        x, points: As for `distances`.
        wrong: Which points have a wrong label, for each member, (members, points).
    """
    near = torch.cdist(x.flatten(1), points.flatten(1)) <= length
    return ~safe | (near & wrong[:, None]).any(2)


def square(
    lengths: Sequence[float], noise: float, seeds: Sequence[int], *, points: int, nodes: int = 200
) -> pd.DataFrame:
    """Nearest neighbour on points of the unit square, two classes split in the middle.

    A row a draw and length. Columns: seed; length; error, the share of as many fresh points that
    are misread; fallen, that of those from which a misread place of their own class is not further
    than the length; infected, the same for training points with a wrong label. Places are a grid of
    `nodes` by `nodes` and the training points, so that `fallen` may miss some.

    Args:
        noise: Probability that a label is wrong.
        points: Of a training set, uniform.
    """
    axis = (np.arange(nodes) + 0.5) / nodes
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    rows = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        x, fresh = rng.random((points, 2)), rng.random((points, 2))
        given, tree = _side(x) ^ (rng.random(points) < noise), cKDTree(x)
        places = np.concatenate([grid, x])
        misread = places[given[tree.query(places)[1]] != _side(places)]
        wrong = given[tree.query(fresh)[1]] != _side(fresh)
        near, ill = _apart(fresh, misread), _apart(fresh, x[given != _side(x)])
        for length in lengths:
            fallen, infected = wrong | (near <= length), ill <= length
            rows.append((seed, length, wrong.mean(), fallen.mean(), infected.mean()))
    return pd.DataFrame(rows, columns=["seed", "length", "error", "fallen", "infected"])


def _side(x: np.ndarray) -> np.ndarray:
    return np.asarray(x[:, 0] > 0.5)


def _apart(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Distance from each point to the nearest of some places on its own side, or infinity."""
    found = np.full(len(x), np.inf)
    for side in (False, True):
        mine, theirs = _side(x) == side, places[_side(places) == side]
        if len(theirs):
            found[mine] = cKDTree(theirs).query(x[mine])[0]
    return found
