"""The networks of the chapter on instability: trained once, in the cells asked for."""

from __future__ import annotations

import pytest
import torch

from falsestruct.instability import trained
from falsestruct.instability.trained import (
    COPIES,
    InPlace,
    ensembles,
    fitted,
    training_set,
    variant_of,
)
from falsestruct.learning.training import Adversary
from falsestruct.problems.planted import registry


def test_networks_that_measurements_share_are_trained_once() -> None:
    (first,) = ensembles("stripes", "MLP", [(0.1, 1.0)], range(2))
    strong, again = ensembles("stripes", "MLP", [(0.4, 1.0), (0.1, 1.0)], [0, 1])
    assert again is first
    assert max(strong.facts["steps"]) < min(first.facts["steps"])  # cells keep their order
    assert first.seeds == strong.seeds == (0, 1)
    # As do networks of one more cell, which the certificates and the strengths have in common.
    usual, half = (0.2, 1.0), (0.2, 0.5)
    both = ensembles("digits-brightness", "MLP", [usual, half], [0])
    (alone,) = ensembles("digits-brightness", "MLP", [half], [0])
    assert alone is both[1] is not both[0]


def test_noise_has_the_adversary_s_size() -> None:
    x, y = training_set("stripes", (0.1, 1.0), 0)
    noisy, labels = trained._noisy((x, y), 0.2, 0)
    assert noisy.shape == (60 * COPIES, 32, 32)
    assert torch.equal(labels, y.repeat(COPIES))
    difference = (noisy - x.repeat(COPIES, 1, 1)).abs()
    torch.testing.assert_close(difference, torch.full_like(difference, 0.2))


def test_fit_is_each_member_s_own() -> None:
    (own,) = ensembles("stripes", "MLP", [(0.1, 1.0)], [0, 1])
    sets = [training_set("stripes", (0.1, 1.0), seed) for seed in (0, 1)]
    assert fitted(own, sets).tolist() == [1.0, 1.0]
    x, y = sets[1]
    assert fitted(own, [sets[0], (x, 1 - y)]).tolist() == [1.0, 0.0]


def test_the_adversary_in_place_is_the_usual_one() -> None:
    (own,) = ensembles("digits-brightness", "MLP", [(0.2, 1.0)], [0])
    x, y = training_set("digits-brightness", (0.2, 1.0), 0)
    given = x.float()[None], y.float()[None]
    before = given[0].clone()
    usual, found = (
        kind("linf", 0.3, 3).perturb(own.outputs, *given) for kind in (Adversary, InPlace)
    )
    assert torch.equal(found, usual)
    assert torch.equal(given[0], before) and not torch.equal(found, before)
    with pytest.raises(AssertionError):
        InPlace("l2", 0.3, 3).perturb(own.outputs, *given)


def test_ways_of_training_have_their_size() -> None:
    problem = registry.by_name("stripes")
    assert variant_of(problem, "plain", [0, 1])[0] == 0
    assert variant_of(problem, "faint", [0])[0] == trained.FAINT
    factor, own = variant_of(problem, "adversary", [0])
    assert factor == trained.ADVERSARY["stripes"]
    x, _ = training_set("stripes", (0.1, 1.0), 0)
    step = 0.1 * torch.ones_like(x).float()  # what plain training reads
    assert (own.labels(x.float() - step) == own.labels(x.float() + step)).all()
