"""What is measured of networks that were built by hand has closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from falsestruct.instability import rules
from falsestruct.instability.portrait import chance, chance_on, portrait, universal_shares
from falsestruct.instability.thorough import LARGE
from falsestruct.learning.ensembles import Ensemble
from falsestruct.problems.planted import registry


@pytest.mark.parametrize("name", ("stripes", "oscillation", "digits-brightness"))
def test_the_false_structure_as_a_network_has_its_own_numbers(name: str) -> None:
    problem = registry.by_name(name)
    row = portrait(problem, Ensemble(rules.false_rule(problem), (0,)), points=14).iloc[0]
    assert row["capture"] == row["success"] == row["own"] == 1.0
    for column in ("ratio_0", "ratio_1", "cosine"):
        assert row[column] == pytest.approx(1.0, abs=1e-3)
    assert row["size"] == pytest.approx(row["radius"], rel=1e-3)
    assert row["robust"] == 0.0
    assert row["sane"]


def test_a_constant_network_fails_the_sanity_checks_and_has_no_finite_size() -> None:
    problem = registry.by_name("stripes")
    constant = Ensemble(lambda x: 0 * x.flatten(2).sum(2) + 1.0, (0,))
    row = portrait(problem, constant, points=14).iloc[0]
    assert row["size"] == LARGE
    assert not row["sane"]
    assert row["surviving"] == pytest.approx(row["success"])
    assert np.isnan(row["cosine"])  # no perturbation, no direction


def test_universal_shares_of_the_structure_itself() -> None:
    problem = registry.by_name("digits-brightness")
    own = Ensemble(rules.false_rule(problem), (0,))
    row = universal_shares(problem, own, points=14).iloc[0]
    assert row["own"] == row["found"] == 1.0
    assert row["random"] < 0.5


@pytest.mark.parametrize(("name", "d"), [("oscillation", 2), ("digits-brightness", 64)])
def test_chance_is_the_mean_cosine_of_random_directions(name: str, d: int) -> None:
    noise = torch.randn(40_000, d, generator=torch.Generator().manual_seed(0))
    sampled = (noise[:, 0].abs() / noise.norm(dim=1)).mean().item()
    assert chance(registry.by_name(name)) == pytest.approx(sampled, rel=0.02)
    if d == 2:
        assert chance_on(name) == pytest.approx(2 / math.pi)
