"""Training on data drawn afresh: the same by seed, over when it should be, beside what is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from falsestruct.learning import fresh
from falsestruct.learning.fresh import Looks
from falsestruct.learning.members import DivergedError
from falsestruct.learning.networks import initialise, shallow
from falsestruct.learning.schedule import Adversary, Schedule

SMALL = shallow(3, 8)


def first(samples: int, rng: np.random.Generator):
    """The label is the sign of the first input."""
    x = np.where(rng.random((samples, 3)) < 0.5, 1.0, -1.0).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.float32)


TESTS = {"right": first(200, np.random.default_rng(9))}


def trained(seeds, schedule, every=10, **options) -> pd.DataFrame:
    return fresh.train(SMALL, first, seeds, schedule, Looks(every, TESTS, **options))


def beside(seeds, schedule, draw=first, known=lambda x: (x, 0 * x[:, 0]), **options):
    options = {"every": 10, "tests": TESTS} | options
    return fresh.train(SMALL, draw, seeds, schedule, Looks(**options), known)


def test_an_easy_rule_is_learnt_and_seen_on_the_way():
    table = trained([3, 4], Schedule(200, batch=16, learning_rate=1e-2))
    assert table["seed"].tolist() == [3] * 21 + [4] * 21
    assert table["step"].tolist() == [*range(0, 201, 10)] * 2
    assert (table.groupby("seed")["right"].last() == 1).all()
    assert table.groupby("seed")["right"].first().max() < 1


def test_a_seed_is_a_network_whatever_trains_beside_it():
    schedule = Schedule(50, batch=16)
    both, alone = trained([3, 4], schedule), trained([4], schedule)
    pd.testing.assert_frame_equal(both[both["seed"] == 4].reset_index(drop=True), alone)


def test_a_network_that_knows_enough_is_done():
    table = trained([3], Schedule(500, batch=16, learning_rate=1e-2), until=0.95)
    assert table["right"].iloc[-1] >= 0.95 > table["right"].iloc[:-1].max()
    assert table["step"].iloc[-1] < 500


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_steps_are_those_of_pytorch(optimiser):
    seen = []

    def noted(samples, rng):
        seen.append(first(samples, rng))
        return seen[-1]

    schedule = Schedule(5, batch=16, learning_rate=0.05, optimizer=optimiser)
    probe = np.random.default_rng(1).normal(size=(400, 3)).astype(np.float32)
    network = initialise(SMALL.build(), 7)
    kind = torch.optim.SGD if optimiser == "sgd" else torch.optim.Adam
    steps = kind(network.parameters(), lr=0.05)
    tests = {"ones": (probe, np.ones(400, dtype=np.float32))}
    table = fresh.train(SMALL, noted, [7], schedule, Looks(2, tests))
    assert [len(x) for x, _ in seen] == [32, 32, 16]
    x, y = (torch.from_numpy(np.concatenate(part)) for part in zip(*seen, strict=True))
    for step in range(5):
        steps.zero_grad()
        own = slice(16 * step, 16 * (step + 1))
        nn.functional.binary_cross_entropy_with_logits(network(x[own])[:, 0], y[own]).backward()
        steps.step()
    ones = (network(torch.from_numpy(probe))[:, 0] > 0).double().mean().item()
    assert table["ones"].iloc[-1] == pytest.approx(ones, abs=0.006)
    assert table["step"].tolist() == [0, 2, 4, 5]


def test_each_step_draws_its_own_samples():
    seen = []

    def noted(samples, rng):
        seen.append(rng.random(samples))
        return first(samples, rng)

    fresh.train(SMALL, noted, [1, 2], Schedule(20, batch=8), Looks(5, TESTS))
    numbers = np.concatenate(seen)
    assert len(np.unique(numbers)) == len(numbers) == 2 * 20 * 8


@pytest.mark.parametrize(
    ("schedule", "every"),
    [
        (Schedule(5), 1),
        (Schedule(5, batch=4), 0),
        (Schedule(5, batch=4, target=0.1), 1),
        (Schedule(5, batch=4, adversary=Adversary("l2", 0.1)), 1),
        (Schedule(5, batch=4, learning_rate=[0.1]), 1),
    ],
)
def test_what_it_cannot_do_is_refused(schedule, every):
    with pytest.raises(ValueError, match="expected"):
        trained([0], schedule, every=every)


def test_a_network_that_diverges_is_an_error():
    schedule = Schedule(60, batch=4, learning_rate=1e30, optimizer="sgd")
    with pytest.raises(DivergedError, match="seed 0"):
        trained([0], schedule)


def test_done_is_who_has_enough_of_every_test():
    looks = Looks(1, {"a": TESTS["right"], "b": TESTS["right"]}, 0.9)
    assert looks.done({"a": 0.9, "b": 1.0}) and not looks.done({"a": 0.8, "b": 1.0})
    assert not Looks(1, {"a": TESTS["right"]}).done({"a": 1.0})


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_beside_nothing_a_network_is_trained_as_ever(optimiser):
    schedule = Schedule(60, batch=16, learning_rate=1e-2, optimizer=optimiser)
    both = [way([3, 4], schedule, until=0.97) for way in (trained, beside)]
    pd.testing.assert_frame_equal(*both, check_exact=True)


def test_what_is_known_is_added_and_need_not_be_learnt():
    schedule = Schedule(200, batch=16, learning_rate=1e-2)

    def known(x):  # all of the answer, and bits that say nothing of it
        return x[:, [1, 2, 1]], 9 * x[:, 0]

    assert (beside([3, 4], schedule, known=known)["right"] == 1).all()
    blind = beside([3, 4], schedule, known=lambda x: (x[:, [1, 2, 1]], 0 * x[:, 0]))
    assert blind["right"].max() < 0.8

    def misled(x):  # a start that is wrong must be outvoted
        return x, -2 * x[:, 0]

    steps = [
        beside([3, 4], schedule, until=0.95, known=k).groupby("seed")["step"].max()
        for k in (lambda x: (x, 0 * x[:, 0]), misled)
    ]
    assert (steps[0] < steps[1]).all() and (steps[1] < 200).all()


def test_who_is_done_is_looked_at_no_more():
    schedule = Schedule(300, batch=16, learning_rate=1e-2)
    table = beside([3, 4, 5], schedule, until=0.95)
    for _, own in table.groupby("seed"):
        assert own["right"].iloc[-1] >= 0.95 > own["right"].iloc[:-1].max()


def test_beside_something_networks_diverge_as_well():
    with pytest.raises(DivergedError, match="step"):
        beside([0], Schedule(60, batch=4, learning_rate=1e30, optimizer="sgd"))
