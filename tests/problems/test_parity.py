"""Parities and hints: what is drawn, and how often which part of it is right."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from falsestruct.problems.parity import Parity, rows


def drawn(task: Parity, samples: int = 4000):
    x, y = task.draw(samples, np.random.default_rng(0))
    return torch.from_numpy(x), torch.from_numpy(y)


def test_structures_by_hand():
    x = torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, 1], [-1, -1, 1, -1]])
    task = Parity(3, 2)
    assert task.original(x).tolist() == [1, 0, 1]
    assert task.false(x).tolist() == [0, 1, 0]


@pytest.mark.parametrize(("right", "true"), [(0.8, 1.0), (1.0, 1.0), (0.5, 0.7)])
def test_hint_and_label_are_right_as_often_as_they_should(right, true):
    task = Parity(6, 3, right, true)
    x, y = drawn(task)
    assert x.dtype == y.dtype == torch.float32 and x.shape == (4000, 7)
    parity = task.original(x)
    assert (task.false(x) == parity).double().mean() == pytest.approx(right, abs=0.03)
    assert (y == parity).double().mean() == pytest.approx(true, abs=0.03)
    assert set(x.unique().tolist()) == {-1, 1} and set(y.unique().tolist()) == {0, 1}


def test_on_the_conflict_set_the_hint_is_always_wrong_and_the_label_right():
    task = Parity(6, 3, 0.9, 0.7).conflict()
    x, y = drawn(task)
    assert (task.false(x) != y).all() and (task.original(x) == y).all()


def test_whether_the_hint_is_right_has_nothing_to_do_with_the_bits():
    task = Parity(4, 2, 0.8)
    x, y = drawn(task, 20000)
    right = (task.false(x) == y).double()
    for bit in range(4):
        parts = [right[x[:, bit] == value].mean() for value in (-1, 1)]
        assert abs(parts[0] - parts[1]) < 0.03


def test_bits_have_their_mean():
    x, _ = drawn(Parity(5, 2, mean=0.6), 20000)
    assert x[:, :5].mean(0).tolist() == pytest.approx([0.6] * 5, abs=0.03)
    assert Parity(5, 2, mean=0.6).conflict().mean == 0.6


@pytest.mark.parametrize(
    "wrong",
    [
        (3, 4),
        (3, 0),
        (3, 2, 1.5),
        (3, 2, 0.5, -0.1),
        (3, 2, 0.5, 1.0, 1.0),
        (3, 2, 0.5, 1.0, 0.0, 1),
    ],
)
def test_parities_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match="expected"):
        Parity(*wrong)


def test_all_rows():
    assert rows(2).tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    assert len(rows(12).unique(dim=0)) == 4096


@pytest.mark.parametrize("last", [1, -1])
def test_the_last_two_bits_may_depend_on_each_other(last):
    x, _ = drawn(Parity(5, 3, 0.5, last=last))
    assert (x[:, 4] == last * x[:, 3]).all() and abs(x[:, 3].mean()) < 0.05
