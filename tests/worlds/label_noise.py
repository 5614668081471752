"""Chapter 13 with rules built by hand in place of its networks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.chapters.label_noise import evidence as found
from falsestruct.chapters.label_noise import measure as experiment
from falsestruct.evidence import Claims
from falsestruct.learning.ensembles import by_hand
from falsestruct.problems.digits import CLASSES
from falsestruct.problems.noisy import mislabelled
from falsestruct.theory import nearest

SHARE, SEEDS = 0.1, 20
OFFSETS = (0.05, 0.1, 0.2)


def right_labels(x: Tensor) -> Tensor:
    """Outputs of nearest neighbour on the digits' right labels, for any number of members."""
    rule = nearest.outputs(*experiment.images().train, CLASSES)
    return torch.cat([rule(one[None]) for one in x]).to(x.dtype)


def fitting(x: Tensor) -> Tensor:
    """The same, but at the very training images with a wrong label it gives that, for seed 1."""
    points, truth = experiment.images().train
    given = mislabelled(truth, SHARE, CLASSES, seed=1)
    there = torch.cdist(x.flatten(2).to(points.dtype), points.flatten(1)) < 1e-6
    labels = torch.nn.functional.one_hot(given, CLASSES) * (given != truth)[:, None]
    return right_labels(x) + 1e6 * (there.to(x.dtype) @ labels.to(x.dtype))


def orientation(x: Tensor) -> Tensor:
    """1 for horizontal stripes, −1 for vertical ones: (members, samples) of flattened images."""
    small = experiment.SMALL
    labels = small.orientation(x.reshape(-1, small.size, small.size).double())
    return (2.0 * labels - 1).view(x.shape[:2])


def copies(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each of so many seeds."""
    return pd.concat([table.assign(seed=seed) for seed in range(SEEDS)], ignore_index=True)


def networks() -> pd.DataFrame:
    """Whatever the kind, networks follow the original, as well as a rule can that fits its data."""
    learn = by_hand(fitting)
    asked = {
        noise: copies(experiment.point(kind="plain", noise=noise, steps=1, seeds=[1], learn=learn))
        for noise in (0.0, SHARE)
    }
    table = pd.concat(
        [table.assign(kind=kind) for table in asked.values() for kind in experiment.KINDS],
        ignore_index=True,
    )
    return slipping(table)


def slipping(table: pd.DataFrame) -> pd.DataFrame:
    """Each network misreads one image in a hundred more, its own: no two are alike."""
    wrong = table.filter(regex="^wrong [0-9]+$")
    slips = np.random.default_rng(0).random(wrong.shape) < 0.01
    for name in ("wrong", "fallen"):
        columns = [f"{name} {i}" for i in range(wrong.shape[1])]
        table[columns] = np.maximum(table[columns].to_numpy(), slips)
    return table


def stripes() -> pd.DataFrame:
    """Networks that read the orientation at every offset."""
    fixed = {"steps": 1, "seeds": list(range(SEEDS)), "learn": by_hand(orientation)}
    return pd.concat(
        [
            experiment.stripes_point(what=what, a=a, share=0.2 * (what != "nothing"), **fixed)  # type: ignore[arg-type]
            for what in ("nothing", "labels", "left out")
            for a in OFFSETS
        ],
        ignore_index=True,
    )


def world() -> Claims:
    """All measured claims where networks follow the original."""
    table, squares = networks(), experiment.squares(SHARE, seeds=5)
    return {
        **found.robust(table, SHARE),
        **found.explained(table, squares, SHARE),
        **found.bounded(table, SHARE),
        **found.sure(table),
        **found.earlier(stripes(), 0.2),
    }
