"""Training with bounds and other losses: the usual one is `training.train`, and bounds hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from falsestruct.learning import engines, ensembles, projected, training
from falsestruct.learning.ensembles import by_hand
from falsestruct.learning.networks import Architecture
from falsestruct.learning.projected import Variant
from falsestruct.learning.schedule import Schedule
from falsestruct.theory import label_noise as theory


def build() -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 3)
    )


NETWORK = Architecture("4-12-12-3", build, "dense", 1e-2, 3)
SEEDS = [7, 8, 9]


def data(seed: int) -> training.Set:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(24, 4, generator=generator)
    return x, torch.randint(3, (24,), generator=generator)


@pytest.mark.parametrize("own", [False, True])
def test_the_usual_variant_is_the_usual_training(own):
    sets = [data(seed) for seed in SEEDS] if own else data(0)
    schedule = Schedule(30, batch=10)
    found = projected.train(NETWORK, sets, SEEDS, schedule, Variant())
    usual = training.train(NETWORK, sets, SEEDS, schedule)
    torch.testing.assert_close(found.loss, usual.loss, rtol=1e-3, atol=1e-5)
    for name, value in usual.parameters.items():
        torch.testing.assert_close(found.parameters[name], value, rtol=1e-2, atol=1e-4)
    assert found.steps.tolist() == usual.steps.tolist() and found.seeds == usual.seeds
    picked = training.select(found, [1])
    assert picked.history["seed"].tolist() == [8]


def test_a_schedule_that_asks_for_more_is_refused():
    for schedule in (Schedule(5), Schedule(5, batch=10, target=0.1)):
        with pytest.raises(ValueError, match="expected steps and a batch"):
            projected.train(NETWORK, data(0), SEEDS, schedule, Variant())


@pytest.mark.parametrize("every", [1, 7])
def test_bounds_hold_at_the_end(every):
    def largest(bound: projected.Bound, of: str) -> float:
        learn = projected.learner(Variant(bound=bound, every=every))
        asked = learn(NETWORK, data(0), SEEDS, Schedule(20, batch=10))
        matrices = [m.numpy() for v in asked.trained.parameters.values() if v.ndim == 3 for m in v]
        norm = {"rank": theory.stable_rank, "norm": lambda m: np.linalg.norm(m, 2)}[of]
        return max(norm(m.astype(float)) for m in matrices)

    assert largest(lambda w: w, "rank") > 1.5 and largest(lambda w: w, "norm") > 1.2
    assert largest(lambda w: projected.stable_rank(w, most=1.3), "rank") <= 1.3 * (1 + 1e-5)
    assert largest(lambda w: projected.spectral_norm(w, most=1.0), "norm") <= 1.05


def test_with_the_leading_triple_it_is_the_nearest_matrix():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(5, 7)) + 9 * np.outer(rng.normal(size=5), rng.normal(size=7))
               for _ in range(3)]  # fmt: skip
    found = projected.stable_rank(torch.tensor(np.array(weights)), most=1.01)
    for weight, near in zip(weights, found.numpy(), strict=True):
        np.testing.assert_allclose(near, theory.nearest(weight, 1.01), rtol=1e-6, atol=1e-8)


def test_what_is_within_a_bound_stays_and_zero_stays_zero():
    weight = torch.randn(2, 5, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(projected.stable_rank(weight, most=5.0), weight)
    torch.testing.assert_close(projected.spectral_norm(weight, most=100.0), weight)
    zero = torch.zeros(2, 3, 4)
    assert not projected.stable_rank(zero, most=1.3).any()
    assert not projected.spectral_norm(zero, most=1.0).any()


def test_focal_loss():
    outputs = torch.tensor([[[0.0, 0.0], [math.log(3), 0.0]]])
    y = torch.tensor([[0, 0]])
    expected = (0.5**3 * math.log(2) - 0.25**3 * math.log(0.75)) / 2
    assert projected.focal(outputs, y).item() == pytest.approx(expected)
    torch.testing.assert_close(
        projected.focal(outputs, y, gamma=0), engines.cross_entropy(outputs, y)
    )


def test_another_loss_is_trained():
    schedule = Schedule(60, batch=10)
    outputs = [
        projected.learner(Variant(loss=loss))(NETWORK, data(0), SEEDS, schedule).outputs
        for loss in (engines.cross_entropy, projected.focal)
    ]
    x, _ = data(0)
    with torch.no_grad():
        usual, focal = (f(x.expand(3, *x.shape)).softmax(-1).amax(-1).mean() for f in outputs)
    assert focal < usual - 0.02


def test_sizes():
    asked = ensembles.train(NETWORK, data(0), SEEDS, Schedule(2))
    found = projected.sizes(asked)
    first = [v[0].double().numpy() for v in asked.trained.parameters.values() if v.ndim == 3]
    assert found["rank"][0] == pytest.approx(
        np.mean([theory.stable_rank(m) for m in first]), rel=1e-4
    )
    assert found["norm"][0] == pytest.approx(
        np.mean([np.linalg.norm(m, 2) for m in first]), rel=1e-4
    )
    rule = by_hand(lambda x: x)(NETWORK, data(0), SEEDS, Schedule(1))
    assert all(math.isnan(v) for values in projected.sizes(rule).values() for v in values)
