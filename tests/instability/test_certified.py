"""Certificates: against the exact smallest perturbation, and where HiGHS has no time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from falsestruct.instability import exact
from falsestruct.instability.certified import certificate_rows, certified, numbers
from falsestruct.instability.exact import Dense
from falsestruct.instability.trained import ensembles
from falsestruct.problems.planted import registry


def random_network(inputs: int, width: int, seed: int) -> Dense:
    rng = np.random.default_rng(seed)
    return Dense(
        (rng.normal(size=(width, inputs)), rng.normal(size=(1, width))),
        (rng.normal(size=width), rng.normal(size=1)),
    )


def test_certified_below_the_smallest_perturbation_and_nowhere_else() -> None:
    for seed in range(5):
        network = random_network(3, 6, seed)
        x = torch.from_numpy(np.random.default_rng([seed, 1]).normal(size=(4, 3)))
        sizes = torch.tensor([exact.smallest_linf(network, p, radius=9.0).size for p in x.numpy()])
        found = sizes.isfinite()
        assert found.any()
        near = torch.where(found, sizes, 1.0)
        assert certified(network, x, 0.99 * near).all()
        past = certified(network, x, 1.01 * near)
        assert not past[found.numpy()].any()


def test_what_is_not_decided_in_time_is_not_certified() -> None:
    network = random_network(40, 60, 0)
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 40)))
    assert not certified(network, x, torch.tensor([0.5]), seconds=1e-4).any()


def test_a_network_of_either_training_on_digits() -> None:
    problem = registry.by_name("digits-brightness")
    reads, free = ensembles(problem.name, "MLP", [(0.2, 1.0), (0.2, 0.5)], [1])
    own = certificate_rows(problem, reads, points=4, half=True)
    assert (own[["capture", "within", "half_0", "half_1", "kept_0", "kept_1"]] == 1).all(axis=None)
    assert own["beyond"].isna().all()
    rest = certificate_rows(problem, free, points=4, half=False)
    assert (rest["beyond"] == 0).all() and (rest["kept_1"] < 0.5).all()
    assert rest[["half_0", "half_1"]].isna().all(axis=None)
    told = numbers(pd.concat([own, rest.assign(within=0.5)]))
    assert told == {"within": 0.75, "least": 0.5, "half": 1.0, "free": 1.0, "stays": 0.0}
    # What is proved can't be more than what an attack leaves.
    assert (own["half_0"] <= own["kept_0"]).all()
