"""Alternating points: their places, labels and hints, and both structures on them."""

import pytest
import torch

from falsestruct import structures
from falsestruct.problems.tents import Tents


def test_three_points_by_hand():
    problem = Tents(1, 0.1)
    assert problem.labels.tolist() == [0, 1, 0]
    assert problem.inputs().tolist() == [[-1, -0.1], [0, 0.1], [1, -0.1]]
    assert problem.inputs("opposite")[:, 1].tolist() == [0.1, -0.1, 0.1]
    assert problem.inputs("none")[:, 1].abs().max() == 0


@pytest.mark.parametrize("k", [1, 3, 4])
def test_the_hint_is_a_false_structure(k):
    problem = Tents(k, 0.003)
    x, other = problem.inputs(), problem.inputs("opposite")
    original, hint = problem.original, problem.hint
    assert original(x).tolist() == original(other).tolist() == problem.labels.long().tolist()
    found = structures.check_false_structure(hint, original, training=x, test=x, domain=other)
    assert found.holds and (hint(other) != original(other)).all()
    assert torch.allclose(hint.radius(x), torch.full((2**k + 1,), 0.003, dtype=torch.float64))


def test_the_original_changes_midway():
    problem = Tents(2, 1.0)
    near = torch.tensor([[-0.76, 0.0], [-0.74, 0.0], [2.0, 0.0]])
    assert problem.original(near).tolist() == [0, 1, 0]


@pytest.mark.parametrize(("k", "size"), [(0, 0.1), (1, 0.0)])
def test_others_are_refused(k, size):
    with pytest.raises(ValueError, match="expected k"):
        Tents(k, size)
