"""The definitions of chapter 02 in code."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from falsestruct.structures import (
    Structure,
    agreement,
    check_false_structure,
    conflict,
    is_partial,
    unstable,
)

POINTS = torch.arange(6.0)[:, None]
labels = st.lists(st.integers(0, 2), min_size=6, max_size=6)


def table(values: list[int]) -> Structure:
    """The rule that gives 0 … 5 these labels."""
    return Structure("table", lambda x: torch.tensor(values)[x[:, 0].long()])


def first(x: Tensor) -> Tensor:
    return (x[:, 0] > 0).long()


def second(x: Tensor) -> Tensor:
    return (x[:, 1] > 0).long()


def test_a_structure_gives_one_integer_label_an_input():
    rule = Structure("sign", lambda x: x[:, 0] > 0)
    assert rule(torch.tensor([[-1.0], [2.0]])).tolist() == [0, 1]
    assert rule(torch.tensor([[-1.0]])).dtype == torch.int64


def test_a_rule_with_another_shape_is_refused():
    rule = Structure("sign", lambda x: x > 0)
    with pytest.raises(ValueError, match=r"'sign' gave labels of shape \(3, 1\) for 3 inputs"):
        rule(torch.zeros(3, 1))


@given(labels, labels)
def test_agreement_and_conflict_count_the_same(left, right):
    f, g = table(left), table(right)
    equal = [a == b for a, b in zip(left, right, strict=True)]
    assert conflict(f, g, POINTS).tolist() == [not e for e in equal]
    assert agreement(f, g, POINTS) == pytest.approx(sum(equal) / 6)
    assert agreement(f, g, POINTS) == agreement(g, f, POINTS)
    assert agreement(f, f, POINTS) == 1


def test_agreement_on_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one input"):
        agreement(first, second, torch.zeros(0, 2))


@given(labels, labels, st.sampled_from([0.0, 0.5, 0.9]))
def test_false_structure_is_the_definition(left, right, tau):
    f, g = table(left), table(right)
    found = check_false_structure(
        g, f, training=POINTS[:2], test=POINTS[2:4], domain=POINTS, tau=tau
    )
    shared = sum(a == b for a, b in zip(left[2:4], right[2:4], strict=True)) / 2
    assert found.agrees_on_training == (left[:2] == right[:2])
    assert found.agreement == shared
    assert found.holds == (left[:2] == right[:2] and shared >= 1 - tau and left != right)
    if found.witness is None:
        assert left == right
    else:
        at = int(found.witness.item())
        assert left[at] != right[at]


def test_no_structure_is_false_for_itself():
    sets = {"training": POINTS, "test": POINTS, "domain": POINTS}
    found = check_false_structure(table([0, 1] * 3), table([0, 1] * 3), **sets)
    assert not found.holds and found.witness is None


@pytest.mark.parametrize("tau", [-0.1, 1.0])
def test_tolerance_out_of_range(tau):
    with pytest.raises(ValueError, match="tau"):
        check_false_structure(first, second, training=POINTS, test=POINTS, domain=POINTS, tau=tau)


def test_partial_with_three_labels():
    """g recognises label 2 by another feature and never learnt 0 from 1."""
    f, g = table([0, 1, 2, 2, 0, 1]), table([1, 0, 2, 2, 2, 1])
    assert is_partial(g, f, 2, training=POINTS[:4], domain=POINTS)
    assert not is_partial(g, f, 0, training=POINTS[:4], domain=POINTS)  # wrong in training
    assert not is_partial(f, f, 2, training=POINTS[:4], domain=POINTS)  # no conflict
    whole = check_false_structure(g, f, training=POINTS[:4], test=POINTS[:4], domain=POINTS)
    assert not whole.holds


@given(st.lists(st.integers(0, 1), min_size=6, max_size=6), st.integers(1, 63))
def test_with_two_labels_partial_is_whole(left, mask):
    right = [v ^ (mask >> i & 1) for i, v in enumerate(left)]
    f, g = table(left), table(right)
    sets = {"training": POINTS[:3], "domain": POINTS}
    whole = check_false_structure(g, f, test=POINTS[:3], **sets).holds
    assert [is_partial(g, f, j, **sets) for j in (0, 1)] == [whole, whole]


def test_unstable_needs_the_original_to_stay():
    x = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    down = torch.tensor([0.0, -1.5])
    assert unstable(second, first, x, down).tolist() == [True, False, True]
    both = torch.tensor([-1.5, -1.5])  # changes the original's label as well
    assert unstable(second, first, x, both).tolist() == [False, False, True]
    assert not unstable(first, first, x, both).any()


def test_infinite_perturbations_show_nothing():
    x = torch.tensor([[1.0, 1.0]])
    assert not unstable(second, first, x, torch.tensor([0.0, -float("inf")])).any()
