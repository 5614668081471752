"""Grids: who is connected, how far marks are from each other, and what distance says."""

from __future__ import annotations

import numpy as np
import pytest

from falsestruct.problems.grids import Grids, Marked, flood, reach
from falsestruct.theory import concepts

SNAKE = np.array([[1, 1, 1], [0, 0, 1], [1, 1, 1]], dtype=bool)


def test_a_flood_goes_round_corners():
    broken = SNAKE.copy()
    broken[1, 2] = False
    lit = flood(np.stack([SNAKE, broken]), np.array([0, 0]))
    assert lit.sum((1, 2)).tolist() == [7, 3] and lit[0, 2, 0] and not lit[1, 2, 0]


def test_it_is_the_flood_of_the_theory():
    drawn = Grids(4).draw(40, np.random.default_rng(0))
    for free, (start, end), joined in zip(drawn.free, drawn.marks, drawn.joined, strict=True):
        cells = frozenset((int(r), int(c)) for r, c in np.argwhere(free))
        assert (divmod(int(end), 4) in concepts.component(cells, divmod(int(start), 4))) == joined


def test_a_row_by_hand():
    drawn = Marked(SNAKE[None], np.array([[0, 6]]), np.array([True]))
    assert drawn.distance.tolist() == [2] and drawn.labels.tolist() == [1]
    row = drawn.rows()[0]
    assert row[:9].tolist() == [1, 1, 1, -1, -1, 1, 1, 1, 1]
    assert row[9:].nonzero().flatten().tolist() == [0, 6]


def test_answers_by_hand():
    marks = np.array([[0, 1], [0, 6], [0, 5], [0, 8]])  # at distances 1, 2, 3 and 4
    drawn = Marked(np.repeat(SNAKE[None], 4, 0), marks, np.array([True, False, False, False]))
    said = drawn.answers(np.array([True, True, False, True]), 2, 4)
    assert said["near"] == 1 and said["far"] == 0.5 and said["joined 1"] == 1
    assert said["apart 2"] == 1 and said["apart 3"] == 0 and np.isnan(said["joined 2"])


def test_half_are_joined_and_distance_tells_something():
    drawn = Grids().draw(2000, np.random.default_rng(1))
    assert len(drawn) == 2000 and drawn.joined.mean() == 0.5
    assert (drawn.marks[:, 0] != drawn.marks[:, 1]).all()
    assert np.take_along_axis(drawn.free.reshape(2000, -1), drawn.marks, 1).all()
    near = drawn.distance <= reach(Grids(), 2000, [2])
    assert (near == drawn.joined).mean() > 0.6


def test_on_level_grids_distance_tells_nothing():
    drawn = Grids(level=True).draw(2000, np.random.default_rng(1))
    assert len(drawn) == 2000 and drawn.joined.mean() == 0.5
    for distance in np.unique(drawn.distance):
        own = drawn.joined[drawn.distance == distance]
        assert abs(own.sum() - (~own).sum()) <= 1
    assert drawn.distance.min() >= 2  # neighbours are always joined


def test_what_is_no_grid():
    with pytest.raises(ValueError, match="side"):
        Grids(side=1)
    with pytest.raises(ValueError, match="probability"):
        Grids(walls=1.0)
