"""Networks that can be asked, trained or built by hand."""

from __future__ import annotations

import pytest
import torch

from falsestruct.learning import ensembles, training
from falsestruct.learning.networks import LINEAR, PAPER, for_images, shallow
from falsestruct.learning.training import Schedule

SMALL = shallow(2, 5)
X = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
DATA = (X, (X[:, 0] > 0).float())
SCHEDULE = Schedule(30)


@pytest.fixture(scope="module")
def trained():
    return ensembles.train(SMALL, DATA, [3, 4, 5], SCHEDULE)


def test_seeds_are_many_where_training_is_fast():
    seeds = ensembles.Seeds(fast=20, slow=10)
    assert (seeds.of(LINEAR), seeds.of(PAPER)) == (20, 10)


def test_it_answers_as_the_networks_do(trained):
    same = training.train(SMALL, DATA, [3, 4, 5], SCHEDULE)
    assert torch.equal(trained.labels(X), (training.outputs(same, X) > 0).long())
    assert trained.facts["loss"] == same.loss.tolist()
    assert len(trained) == 3


def test_own_inputs_and_parts_of_a_large_set(trained, monkeypatch):
    whole = trained.labels(X)
    monkeypatch.setattr(ensembles, "CHUNK", 7)
    assert torch.equal(trained.labels(X), whole)
    own = torch.stack([X, -X, X])
    assert torch.equal(trained.labels(own, own=True)[1], trained.labels(-X)[1])


def test_several_classes_answer_by_the_largest_output():
    images, labels = torch.randn(20, 8, 8), torch.arange(20) % 3
    found = ensembles.train(for_images(8, 3)[0], (images, labels), [0, 1], Schedule(200))
    assert found.outputs(images.expand(2, 20, 8, 8)).shape == (2, 20, 3)
    assert torch.equal(found.labels(images), labels.expand(2, 20))


def test_some_members_are_who_they_were(trained):
    some = trained.select([2, 0])
    assert some.seeds == (5, 3)
    assert some.facts["loss"] == [trained.facts["loss"][2], trained.facts["loss"][0]]
    assert torch.equal(some.labels(X), trained.labels(X)[[2, 0]])


def test_a_rule_by_hand_is_asked_like_networks():
    learn = ensembles.by_hand(lambda x: x[..., 1])
    found = learn(SMALL, DATA, [0, 1], SCHEDULE)
    assert torch.equal(found.labels(X), (X[:, 1] > 0).long().expand(2, 40))
    assert len(found.select([1]).labels(X)) == 1
    assert found.select([1]).seeds == (1,)
    assert found.table(architecture="rule")["reached"].tolist() == [True, True]
    assert found.trained is None


def test_a_table_has_a_row_a_member(trained):
    table = trained.table(architecture="2-5-1", capture=torch.tensor([0.1, 0.2, 0.3]))
    assert table["seed"].tolist() == [3, 4, 5]
    assert table["architecture"].unique().tolist() == ["2-5-1"]
    assert table["capture"].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert table["steps"].tolist() == [30] * 3
