"""Words as a tree and as rows: the same words, in the same order, with the same labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from falsestruct.problems.words import Words, letters, random_words


def test_levels_by_hand():
    (x1, y1), (x2, y2) = Words(2, 0.5).levels()
    assert x1.tolist() == [[-1, -0.5], [1, 0.5]] and y1.tolist() == [0, 1]
    assert x2[:, 0].tolist() == [-1, 1, -1, 1] and y2.tolist() == [0, 1, 1, 0]
    assert x2[:, 1].tolist() == [-0.5, 0.5, 0.5, -0.5]


def test_rows_by_hand():
    x, y = Words(2, 0.5).rows([1, 2])
    assert x[1].tolist() == [0, 1, 0, 0.5] and y.tolist() == [0, 1, 0, 1, 1, 0]
    assert x[4].tolist() == [1, -1, 0.5, 0.5]


def test_every_word_is_there_once():
    x, y = Words(5).rows(range(1, 6))
    assert x.shape == (62, 10) and len(x.unique(dim=0)) == 62
    assert y.sum() == 31


@pytest.mark.parametrize("sign", [1, -1])
def test_the_structures_say_the_parity_and_the_hint(sign):
    words = Words(4, 0.1, sign)
    x, y = words.rows(range(1, 5))
    assert (words.parity(x) == y).all()
    assert (words.told(x) == (y if sign == 1 else 1 - y)).all()


def test_turned_hints_change_nothing_else():
    (x, y), (turned, same) = (Words(3, 0.2, sign).rows([3]) for sign in (1, -1))
    assert (x[:, :3] == turned[:, :3]).all() and (x[:, 3:] == -turned[:, 3:]).all()
    assert (y == same).all()


def test_random_words_have_the_parity_of_every_beginning():
    x, y = random_words(50, 7, np.random.default_rng(0))
    assert (
        x.shape == (50, 7, 2)
        and (x[..., 1] == 0).all()
        and set(x[..., 0].unique().tolist()) == {-1, 1}
    )
    assert (y[:, -1] == (x[..., 0] > 0).sum(1) % 2).all()
    assert (y[:, 0] == (x[:, 0, 0] > 0)).all()


def test_letters_are_bits_without_hints():
    assert torch.equal(letters(), Words(1).levels()[0][0])


@pytest.mark.parametrize("given", [(0, 0.1, 1), (2, -0.1, 1), (2, 0.1, 0)])
def test_what_is_no_word(given):
    with pytest.raises(ValueError, match="expected length"):
        Words(*given)


def test_who_has_labels():
    def labelled(which, seed=1):
        return Words(4).labelled(which, torch.Generator().manual_seed(seed))

    assert labelled("all").all() and len(labelled("all")) == 30
    assert labelled("full").nonzero().flatten().tolist() == list(range(14, 30))
    drawn = labelled("drawn")
    assert drawn.sum() == 16 and not torch.equal(drawn, labelled("full"))
    assert not torch.equal(drawn, labelled("drawn", seed=2))
    half = labelled("half")
    assert half.sum() == 8 and not half[:14].any() and not torch.equal(half, labelled("half", 2))
