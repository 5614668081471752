"""Chapter 09's readings of networks built by hand."""

from __future__ import annotations

import pandas as pd

from falsestruct.chapters.characterise import measure as experiment
from falsestruct.chapters.characterise.measure import KINDS
from falsestruct.characterise.known import Predict, mixture

CASES = [(kind, how) for kind in KINDS for how in ("planted", "independent")]


def world(predictors: dict[str, Predict]) -> pd.DataFrame:
    """Readings of networks built by hand, for every kind and training: one, counted 20 times.

    Args:
        predictors: For each training what its networks are: a function of kind to `Predict`.
    """
    tables = []
    for kind, how in CASES:
        own = KINDS[kind].planted
        table = experiment.read_networks(
            own, predictors[how](own), [0], samples=240, permutations=19
        )
        table = table.assign(kind=kind, training=how)
        tables += [table.assign(seed=seed) for seed in range(20)]
    return pd.concat(tables, ignore_index=True)


def follows(share: float):  # type: ignore[no-untyped-def]
    return lambda problem: mixture(problem, share, seed=3)
