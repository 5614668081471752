"""Recurrent networks: one built by hand that knows the parity, and what training does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from falsestruct.learning import recurrent
from falsestruct.learning.schedule import Schedule
from falsestruct.problems.words import Words, random_words
from tests.worlds.concepts import flip_flop, hint_reader


def test_the_network_by_hand_knows_the_parity_of_long_words():
    x, y = random_words(20, 300, np.random.default_rng(0))
    assert ((flip_flop(2).read(x) > 0).long() == y).all()


def test_the_network_by_hand_repeats_its_hint():
    own = Words(3, 0.5, sign=-1)
    states = hint_reader(1).grow(own.levels())
    assert ((hint_reader(1).answer(states[-1]) > 0).long() == 1 - own.levels()[-1][1]).all()


def test_the_tree_is_read_as_the_words_are():
    readers, words = recurrent.start([3, 4], 2), Words(4, 0.3)
    x, _ = words.rows([4])
    apart = readers.read(x.view(16, 2, 4).transpose(1, 2))[:, :, -1]
    assert torch.allclose(readers.answer(readers.grow(words.levels())[-1]), apart, atol=1e-6)


def test_losses_are_the_mean_over_words_with_labels():
    readers, words = recurrent.start([3], 2), Words(3)
    states = readers.grow(words.levels())
    each = [
        torch.nn.functional.binary_cross_entropy_with_logits(
            readers.answer(s)[0], y, reduction="none"
        )
        for s, (_, y) in zip(states, words.levels(), strict=True)
    ]
    assert torch.allclose(recurrent.losses(readers, words.levels())[0], torch.cat(each).mean())
    labelled = torch.zeros(1, 14, dtype=torch.bool)
    labelled[0, [0, 9]] = True  # the first word of one bit, and the fourth of three
    some = recurrent.losses(readers, words.levels(), labelled)
    assert torch.allclose(some[0], (each[0][0] + each[2][3]) / 2)


def test_a_word_without_a_label_teaches_nothing():
    levels, schedule = Words(2).levels(), Schedule(5, learning_rate=0.01)
    labelled = torch.tensor([[True] * 2 + [False] * 4, [True] * 6])
    short, both = recurrent.train(levels, [1, 1], schedule, labelled=labelled).readers.across
    alone = recurrent.train(levels[:1], [1], schedule).readers.across[0]
    assert torch.allclose(short, alone, atol=1e-6) and not torch.allclose(short, both)


def test_a_rate_falls_or_stays():
    one, other = (
        recurrent.train(Words(2).levels(), [1], Schedule(5, learning_rate=0.01), falling=falling)
        for falling in (True, False)
    )
    start = recurrent.start([1], 2).across
    assert (other.readers.across - start).norm() > 1.2 * (one.readers.across - start).norm()


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_member_does_not_depend_on_the_others(noise):
    schedule = Schedule(20, learning_rate=0.01)
    both, alone = (
        recurrent.train(Words(3).levels(), seeds, schedule, noise=noise) for seeds in ([5, 6], [6])
    )
    for name, part in alone.readers.parts().items():
        assert torch.allclose(both.readers.parts()[name][1], part[0], atol=1e-5), name
    assert not torch.allclose(both.readers.bias[0], both.readers.bias[1])


def test_training_learns_short_words_and_keeps_who_is_done():
    schedule = Schedule(1500, learning_rate=0.01, target=0.05)
    learnt = recurrent.train(Words(3).levels(), [1, 2], schedule)
    done = learnt.steps < 1500
    assert done.any() and (learnt.loss[done] <= 0.05).all()
    again = recurrent.losses(learnt.readers, Words(3).levels())
    assert torch.allclose(again, learnt.loss, atol=1e-5)


def test_noise_changes_training_and_nothing_else():
    schedule = Schedule(5, learning_rate=0.01)
    quiet, loud = (
        recurrent.train(Words(2).levels(), [1], schedule, noise=noise) for noise in (0.0, 0.2)
    )
    assert not torch.allclose(quiet.readers.across, loud.readers.across)
    none = recurrent.train(Words(2).levels(), [1], Schedule(0, learning_rate=0.01))
    assert torch.equal(none.readers.across, recurrent.start([1], 2).across)
    assert torch.equal(none.readers.select([0]).bias, none.readers.bias)


@pytest.mark.parametrize(
    "schedule",
    [Schedule(5), Schedule(5, batch=2, learning_rate=0.1),
     Schedule(5, learning_rate=0.1, optimizer="sgd")],
)  # fmt: skip
def test_what_it_can_not_do(schedule):
    with pytest.raises(ValueError, match="expected one rate"):
        recurrent.train(Words(2).levels(), [1], schedule)
