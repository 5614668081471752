"""Explanations of linear outputs, of which everything is known, judged."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import torch

from falsestruct.characterise import explanations as explain
from falsestruct.characterise import judged
from falsestruct.characterise.explanations import METHODS, Effort, Question

EFFORT = Effort(points=4, donors=2, orders=2, steps=5, draws=2)


def linear(*weights: float) -> Question:
    """200 inputs of three coordinates, the first of which is 1 or −1, for two equal members."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 200, 3, generator=generator)
    x[..., 0] = torch.where(x[..., 0] > 0, 1.0, -1.0)
    donors = torch.randn(50, 3, generator=generator)
    return Question(lambda c: c @ torch.tensor(weights), x, donors, generator)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return judged.judged(linear(1.0, 1.0, 0.5), 0, 0.0, 1, EFFORT).set_index("method")


def test_each_method_has_a_row_for_each_network(table):
    assert sorted(table.index.unique()) == sorted(METHODS) and len(table) == 2 * len(METHODS)


def test_of_answers_by_the_coordinate_a_linear_output_tells_all_that_change(table):
    assert (table["margin"] == 1).all() and table["changes"].between(0.3, 0.9).all()
    assert table["asks"].between(0.6, 0.95).all()
    assert (table.loc["gradient", "auc"] == 0.5).all()  # the same map at all inputs


def test_shares_are_asked_where_the_answer_is_the_coordinate_s_too(table):
    ask = linear(1.0, 1.0, 0.5)
    before = ask.outputs(ask.x)
    changed = (before > 0) != (ask.outputs(ask.x * torch.tensor([-1.0, 1.0, 1.0])) > 0)
    score = explain.shares(explain.times_difference(ask, EFFORT))[..., 0]
    own, every = (before > 0) == (ask.x[..., 0] > 0), torch.ones_like(changed)
    wanted, other = (judged.told(changed, score, among).tolist() for among in (own, every))
    assert table.loc["gradient times difference", "auc"].tolist() == wanted != other


def test_a_coordinate_is_turned_round_about_its_level(table):
    ask, shift = linear(1.0, 1.0, 0.5), torch.tensor([3.0, 0.0, 0.0])
    moved = replace(ask, outputs=lambda c: ask.outputs(c - shift), x=ask.x + shift)
    found = judged.judged(moved, 0, 3.0, 1, EFFORT).set_index("method")
    columns = ["asks", "changes", "margin"]
    assert found.loc["gradient", columns].equals(table.loc["gradient", columns])


def test_answers_against_the_coordinate_would_have_spoilt_it():
    ask = linear(1.0, 1.0, 0.5)
    before, turned = ask.outputs(ask.x), ask.x * torch.tensor([-1.0, 1.0, 1.0])
    changed = (before > 0) != (ask.outputs(turned) > 0)
    every = torch.ones_like(changed)
    assert (judged.told(changed, -before.abs(), every) < 0.9).all()


def test_who_reads_the_coordinate_changes_every_answer_and_is_named():
    table = judged.judged(linear(1.0, 0.0, 0.0), 0, 0.0, 1, EFFORT)
    assert (table[["asks", "changes"]] == 1).all(axis=None) and table["named"].all()
    assert table[["auc", "beside", "margin"]].isna().all(axis=None)  # all are of one kind


def test_who_reads_another_one_is_named_so():
    table = judged.judged(linear(0.0, 1.0, 0.0), 0, 0.0, 1, EFFORT)
    assert table["decoy"].all() and not table["named"].any() and (table["changes"] == 0).all()


def test_how_well_a_score_tells():
    kind = torch.tensor([[True] * 4 + [False] * 4] * 2 + [[True] * 2 + [False] * 6])
    score = torch.tensor([[8.0, 7, 6, 5, 4, 3, 2, 1], [0.0] * 8, [1.0] * 8])
    every = torch.ones_like(kind)
    found = judged.told(kind, score, every)
    assert found[:2].tolist() == [1.0, 0.5] and found[2].isnan()
    every[0, 0] = False  # three of a kind are too few
    assert judged.told(kind, score, every)[0].isnan()


def test_inputs_that_are_not_asked_about_do_not_count():
    kind = torch.tensor([[True] * 4 + [False] * 4 + [True] * 3])
    score = torch.tensor([[8.0, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]])
    assert judged.told(kind, score, torch.arange(11)[None] < 8).item() == 1
    assert judged.told(kind, score, torch.ones_like(kind)).item() < 1


def test_a_steep_wave_fools_every_gradient_and_a_flat_one_or_a_changed_label_does_not():
    ask = linear(1.0, 1.0, 0.5)
    for steeper, wanted in ((10.0, 1.0), (0.1, 0.0)):
        other = explain.with_wave(ask, 2, height=0.05, steeper=steeper)
        assert judged.fooled(ask, other, 2, 0.05).tolist() == [wanted] * 2
    turned = replace(ask, outputs=lambda c: 9 * c[..., 2] - ask.outputs(c))
    assert (judged.fooled(ask, turned, 2, 0.05) < 1).all()
