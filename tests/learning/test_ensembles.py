"""Whom we ask: trained networks and rules built by hand answer the same calls."""

import pandas as pd
import pytest
import torch

from falsestruct.learning import ensembles, training
from falsestruct.learning.ensembles import CHUNK, Ensemble, Seeds, by_hand, train
from falsestruct.learning.networks import ARCHITECTURES, shallow
from falsestruct.learning.training import Schedule

SMALL = shallow(2, 5)
SEEDS = (3, 1, 4)
SCHEDULE = Schedule(steps=30, target=0.3)


def points(count, seed=0):
    x = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 0] > 0).long()


DATA = points(40)


@pytest.fixture(scope="module")
def asked():
    return train(SMALL, DATA, SEEDS, SCHEDULE)


def first(x):
    """Label 1 where the first component is positive, for any number of members."""
    return x[..., 0]


def asks(sizes):
    """A rule that notes the shape of what it is asked."""

    def rule(x):
        sizes.append(tuple(x.shape))
        return first(x)

    return rule


# Trained


def test_to_train_is_training(asked):
    plain = training.train(SMALL, DATA, SEEDS, SCHEDULE)
    for name, value in plain.parameters.items():
        assert torch.equal(asked.trained.parameters[name], value)
    assert asked.seeds == SEEDS and len(asked) == 3
    assert asked.facts == {
        "loss": plain.loss.tolist(),
        "steps": plain.steps.tolist(),
        "reached": plain.reached.tolist(),
    }
    x, _ = points(500, seed=1)
    assert torch.equal(asked.labels(x), (training.outputs(plain, x) > 0).long())


def test_one_set_a_seed():
    sets = [points(40, seed) for seed in range(3)]
    apart = train(SMALL, sets, SEEDS, SCHEDULE).facts["loss"]
    assert apart == training.train(SMALL, sets, SEEDS, SCHEDULE).loss.tolist()
    assert apart != train(SMALL, sets[0], SEEDS, SCHEDULE).facts["loss"]


def test_outputs_are_differentiable_and_labels_carry_no_gradient(asked):
    x = torch.zeros(3, 4, 2, requires_grad=True)
    assert asked.outputs(x).sum().requires_grad
    assert not asked.labels(x[0]).requires_grad


# Labels


@pytest.mark.parametrize("count", [1, CHUNK, 2 * CHUNK + 50])
def test_labels_are_asked_for_in_chunks(count):
    sizes = []
    ensemble = Ensemble(asks(sizes), SEEDS)
    x, y = points(count)
    assert torch.equal(ensemble.labels(x), y.expand(3, -1))
    assert [size[1] for size in sizes] == [min(CHUNK, count - k) for k in range(0, count, CHUNK)]
    assert all(size[0] == 3 and size[2:] == (2,) for size in sizes)


def test_each_member_has_its_own_inputs():
    sizes = []
    x = torch.stack([points(CHUNK + 1, seed)[0] for seed in range(3)])
    labels = Ensemble(asks(sizes), SEEDS).labels(x, own=True)
    assert torch.equal(labels, (x[..., 0] > 0).long())
    assert sizes == [(3, CHUNK, 2), (3, 1, 2)]


def test_zero_is_label_zero_and_of_classes_the_largest_counts():
    x = torch.tensor([[0.0, 1.0], [1e-9, 2.0], [-1.0, 3.0]])
    assert Ensemble(first, (0,)).labels(x).tolist() == [[0, 1, 0]]
    classes = Ensemble(lambda x: torch.stack([x[..., 0], x[..., 1], -x[..., 0]], -1), (0, 1))
    assert classes.labels(x).tolist() == [[1, 1, 1]] * 2


# Members


def test_select_some_trained_members(asked):
    x, _ = points(300, seed=2)
    chosen = asked.select([2, 0])
    assert chosen.seeds == (4, 3)
    assert torch.equal(chosen.labels(x), asked.labels(x)[[2, 0]])
    assert chosen.facts == {name: [own[2], own[0]] for name, own in asked.facts.items()}
    assert len(chosen.trained) == 2


def test_select_some_rules():
    own = Ensemble(first, SEEDS, {"loss": [0.1, 0.2, 0.3]}).select([1])
    assert (own.seeds, own.facts, own.trained) == ((1,), {"loss": [0.2]}, None)
    x, y = points(10)
    assert own.labels(x).tolist() == [y.tolist()]


def test_a_table_has_a_row_a_member():
    ensemble = Ensemble(first, (7, 8), {"loss": [0.5, 0.25], "reached": [True, False]})
    found = ensemble.table(rho=1.0, score=torch.tensor([0.5, 0.75]), loss=[1.0, 2.0])
    wanted = pd.DataFrame(
        {
            "seed": [7, 8],
            "loss": [1.0, 2.0],
            "reached": [True, False],
            "rho": 1.0,
            "score": [0.5, 0.75],
        }
    )
    pd.testing.assert_frame_equal(found, wanted)


def test_how_many_of_an_architecture():
    seeds = Seeds(fast=10, slow=3)
    assert {a.name: seeds.of(a) for a in ARCHITECTURES} == {
        "linear": 10, "MLP": 10, "deep MLP": 10, "pooled CNN": 3, "paper's CNN": 3,
    }  # fmt: skip


# Built by hand


def count_ones(learn: ensembles.Learner) -> pd.DataFrame:
    """What a chapter does: one call, whoever answers."""
    networks = learn(SMALL, DATA, SEEDS, SCHEDULE)
    x, _ = points(250, seed=3)
    return networks.table(ones=networks.labels(x).sum(1), pair=len(networks.select([0, 1])))


def test_a_rule_built_by_hand_is_the_same_call():
    trained, known = count_ones(train), count_ones(by_hand(first))
    assert list(known) == list(trained) == ["seed", "loss", "steps", "reached", "ones", "pair"]
    assert (known.dtypes == trained.dtypes).all()
    assert known["seed"].tolist() == trained["seed"].tolist() == list(SEEDS)
    _, y = points(250, seed=3)
    assert known["ones"].tolist() == [int(y.sum())] * 3
    assert known["steps"].tolist() == [SCHEDULE.steps] * 3 and known["reached"].all()
    assert by_hand(first)(SMALL, DATA, SEEDS, SCHEDULE).trained is None
