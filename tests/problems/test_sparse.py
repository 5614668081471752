"""Sparse signals, their measurements, and the detail that the matrix hardly sees."""

import pytest
import torch

from falsestruct.problems import sparse
from falsestruct.theory import operators


def test_problems_are_sparse_and_measured():
    for kind in sparse.KINDS:
        given = sparse.problems(kind, 4, rows=16, unknowns=32, sparsity=3)
        assert ((given.x != 0).sum(-1) == 3).all()
        torch.testing.assert_close(given.operator.forward(given.x), given.y)
    with pytest.raises(ValueError, match="kind is 'other'; expected one of"):
        sparse.problems("other", 1, rows=16, unknowns=32, sparsity=3)
    with pytest.raises(ValueError, match="sparsity is 5, unknowns 4"):
        sparse.sparse((1,), 4, 5, torch.Generator())


def test_the_matrix_of_an_operator_is_its_matrix():
    given = sparse.problems("Walsh", 2, rows=16, unknowns=32, sparsity=3)
    torch.testing.assert_close(given.x @ operators.matrix_of(given.operator).mT, given.y)


def test_the_matrix_sees_the_detail_at_the_trace_and_signals_not_at_all():
    new = sparse.world(seeds=3, trace=0.02, samples=60, offset=1)
    seen = new.operator.forward(new.detail).norm(dim=-1)
    torch.testing.assert_close(seen, torch.full_like(seen, 0.02))
    assert (new.detail.norm(dim=-1) - 1).abs().max() < 1e-12
    assert ((new.plain != 0).sum(-1) == sparse.SPARSITY).all()
    assert (new.plain * new.detail).sum(-1).abs().max() == 0
    other = sparse.world(seeds=3, trace=0.02, samples=60)
    assert torch.equal(other.detail, new.detail) and not torch.equal(other.plain, new.plain)
    assert sparse.present(new).mean() == 0.5


def test_a_matrix_that_sees_nothing_is_refused():
    with pytest.raises(ValueError, match="trace is 0; expected more than 0"):
        sparse.world(seeds=1, trace=0, samples=1)


def test_a_column_has_all_sparsities_and_one_matrix_a_trial():
    operator, x, sparsities = sparse.column(10, unknowns=30, trials=3, levels=4, seed=1)
    assert sparsities == [2, 5, 8, 10] and operator.matrix.shape == (3, 10, 30)
    assert (x != 0).sum(-1).tolist() == [sparsities] * 3
    assert not torch.equal(x[0], x[1]) and not torch.equal(operator.matrix[0], operator.matrix[1])


def test_problems_of_another_seed_are_others():
    first, other = (
        sparse.problems("Gaussian", 2, rows=5, unknowns=9, sparsity=2, seed=seed) for seed in (1, 2)
    )
    assert not torch.equal(first.x, other.x)
