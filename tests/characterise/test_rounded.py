"""The automaton in a network that was built by hand, and in one that knows nothing."""

from __future__ import annotations

import numpy as np
import pytest

from falsestruct.characterise.rounded import centres, is_parity, rounded
from falsestruct.learning import recurrent
from falsestruct.problems.words import Words
from tests.worlds.concepts import flip_flop


@pytest.mark.parametrize("clusters", [True, False])
def test_the_flip_flop_is_the_parity_at_all_lengths(clusters):
    reader = flip_flop(1)
    for count in (16, 32):
        points = centres(reader, Words(6), count, [0], clusters=clusters)
        assert len(rounded(reader, points).outputs) <= count + 1 and is_parity(reader, points)


def test_one_that_knows_nothing_is_not():
    reader = recurrent.start([1], 2)
    assert not is_parity(reader, centres(reader, Words(6), 8, [0]))


def test_random_points_are_states_and_centres_are_means():
    reader = recurrent.start([1], 2)
    every = {tuple(row) for row in centres(reader, Words(5), 1000, [0])}
    drawn = centres(reader, Words(5), 8, [0], clusters=False)
    assert len(every) == 63 and len(np.unique(drawn, axis=0)) == 8
    assert {tuple(row) for row in drawn} <= every
    own = centres(reader, Words(5), 8, [0])
    assert not {tuple(row) for row in own} <= every
    assert not np.array_equal(drawn, centres(reader, Words(5), 8, [1], clusters=False))
