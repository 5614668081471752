"""The automaton in a network that was built by hand, and in one that knows nothing."""

from __future__ import annotations

from falsestruct.characterise.rounded import centres, rounded
from falsestruct.learning import recurrent
from falsestruct.problems.words import Words
from falsestruct.theory.concepts import PARITY, first_difference
from tests.worlds.concepts import flip_flop


def test_the_flip_flop_is_the_parity_at_all_lengths():
    reader = flip_flop(1)
    for count in (4, 8):
        machine = rounded(reader, centres(reader, Words(6), count, seed=0))
        assert len(machine.outputs) <= count
        assert first_difference(PARITY, machine, 1) is None


def test_one_that_knows_nothing_is_not():
    reader = recurrent.start([1], 2)
    machine = rounded(reader, centres(reader, Words(6), 8, seed=0))
    assert first_difference(PARITY, machine, 1) is not None
