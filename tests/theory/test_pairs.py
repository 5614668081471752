"""Pairs with any two minimisers: an exact solver, the closed form, and who is at the midpoint."""

import numpy as np
import pytest
import torch

from falsestruct.theory import firenet, pairs
from falsestruct.theory.firenet import Plan
from falsestruct.theory.operators import Dense
from falsestruct.theory.recovery import basis_pursuit


@pytest.mark.parametrize("seed", range(1, 6))
def test_another_solver_finds_the_minimisers(seed):
    given = pairs.drawn(seed)
    far = pairs.pair(*(x[x > 0] / x.sum() for x in given.minimisers), precision=3)
    for matrix, best in zip(far.matrices, far.minimisers, strict=True):
        found = basis_pursuit(matrix.numpy(), far.y.numpy())
        np.testing.assert_allclose(found, best, atol=1e-9)


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_certificate_says_that_no_vector_is_better(seed):
    """u = −λ A₀1/(1 + 2⁻ⁿ) has a norm below one and ⟨−y, u⟩ = F(x), with |A*u| ≤ λ."""
    given = pairs.drawn(seed)
    longer = 1 + 2.0**-pairs.PRECISION
    for i, (matrix, best) in enumerate(zip(given.matrices, given.minimisers, strict=True)):
        limit = matrix / (1 + (longer - 1) * (best > 0).double())
        u = -given.lam * limit.sum(1) / longer
        assert u.norm() < 1 and (matrix.T @ u).abs().max() <= given.lam * (1 + 1e-12)
        value = firenet.objective(Dense(matrix), best, given.y, Plan(given.lam, 1, 1))
        assert value == pytest.approx(float(-given.y @ u), rel=1e-9)
        assert (matrix.T @ u)[given.minimisers[1 - i] > 0].abs().max() < given.lam


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize("inner", [50, 70])
def test_one_entry_against_many_costs_more_than_nobody_can_avoid(size, inner):
    given = pairs.equal(1, size)
    answer = pairs.answer(given, inner=inner)
    np.testing.assert_allclose(answer, 1 / (size + 1), atol=1e-6)
    assert given.quotient(answer) == pytest.approx(2 * size / (size + 1), abs=1e-5)
    assert given.quotient(given.minimisers.mean(0)) == pytest.approx(1)


def test_the_pair_of_one_against_two_is_the_one_with_integers():
    """Rows (1, 1, 1 + e) and (½, −½, 0), y = (2, 0): the same solutions, twice as large."""
    matrix = torch.tensor([[1, 1, 1 + 2.0**-30], [0.5, -0.5, 0]], dtype=torch.float64)
    y = torch.tensor([2.0, 0.0], dtype=torch.float64)
    answer = firenet.firenet(Dense(matrix), y, Plan(0.5, 30, 50, 1e-6))
    np.testing.assert_allclose(answer, 2 / 3, atol=1e-5)
    ends = torch.tensor([[0, 0, 2.0], [1, 1, 0]], dtype=torch.float64)
    worse = (ends - answer).norm(dim=-1).max() / ((ends[0] - ends[1]).norm() / 2)
    assert worse == pytest.approx(4 / 3, abs=1e-4)


def test_answers_fit_the_data_and_have_the_least_norm_but_are_not_the_midpoint():
    """All answers are right for the limit: the pair's two matrices are what tells them apart."""
    found = [pairs.drawn(seed) for seed in range(1, 9)]
    for given in found:
        answer = pairs.answer(given)
        assert (given.matrices[1] @ answer - given.y).norm() < 1e-6
        assert float(answer.abs().sum()) == pytest.approx(1, abs=1e-6)
    assert max(given.quotient(pairs.answer(given)) for given in found) > 1.2


@pytest.mark.parametrize("bad", [[0.5, 0.6], [1.5, -0.5]])
def test_bad_vectors_are_named(bad):
    with pytest.raises(ValueError, match="expected positive, of the sum one"):
        pairs.pair(torch.tensor(bad), torch.tensor([1.0]))


def test_the_table_has_all_three_kinds():
    found = pairs.table(2, first=1).set_index("kind")
    assert found.index.value_counts().to_dict() == {
        "one against k": 8, "k against k": 4, "random": 2
    }  # fmt: skip
    one = found.loc["one against k"]
    np.testing.assert_allclose(one["quotient"], one["wanted"], rtol=1e-5)
    np.testing.assert_allclose(found["middle"], 1, atol=1e-9)
