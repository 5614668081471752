"""Lessons hold minimisers of one matrix of the pair, whatever their multiple."""

import torch

from falsestruct.problems.undecided import SPARSITY, lesson
from falsestruct.theory import barrier
from falsestruct.theory.barrier import Cell


def test_signals_minimise_for_the_matrix_that_they_are_about_and_for_no_other():
    cell = Cell(2, 3)
    own = lesson(cell, 7, samples=30)
    operator, asked = barrier.problem(barrier.row(cell, 1))
    torch.testing.assert_close(own.y, operator.forward(own.x / own.norm))
    assert torch.equal(own.asked, asked)
    block, below = own.x[:, : barrier.BLOCK] / own.norm, own.x[:, barrier.BLOCK :]
    assert (block[:, 0] == 0).all() and len(block[:, 1].unique()) == 30
    assert ((below != 0).sum(1) == SPARSITY).all()
    for x in block:
        multiple = x / x.abs().sum() / max(barrier.row(cell, 1))
        entries = barrier.row(cell, 1)
        assert abs(barrier.gap(entries, multiple.abs().tolist())) < 1e-12
        assert barrier.gap(barrier.row(cell, 0), multiple.abs().tolist()) > 1e-6


def test_another_seed_is_another_lesson():
    cell = Cell(1, 10)
    first, again, other = (lesson(cell, seed, samples=5) for seed in (1, 1, 2))
    assert torch.equal(first.x, again.x) and not torch.equal(first.x, other.x)
