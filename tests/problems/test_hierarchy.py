"""The random hierarchy, against lists of all its inputs."""

from __future__ import annotations

import numpy as np
import pytest

from falsestruct.problems.hierarchy import Hierarchy

SMALL = Hierarchy(3, 2, 2, seed=5)


def test_a_label_is_spelt_and_looked_up_by_hand() -> None:
    top, bottom = SMALL.rules
    first, second = divmod(int(top[1, 0]), 3)
    left, right = divmod(int(bottom[first, 1]), 3), divmod(int(bottom[second, 0]), 3)
    spelt = SMALL.spell(np.array([1]), np.array([[0, 1, 0]]))
    assert spelt.tolist() == [[*left, *right]]
    assert SMALL.look_up(spelt).tolist() == [1]


@pytest.mark.parametrize("sizes", [(2, 2, 2), (3, 2, 3), (3, 3, 2), (5, 1, 3)])
def test_the_count(sizes) -> None:
    problem = Hierarchy(*sizes)
    x, y = problem.everything()
    assert len(np.unique(x, axis=0)) == problem.size == sizes[0] * sizes[1] ** (2 ** sizes[2] - 1)
    assert (problem.look_up(x) == y).all() and problem.correlated == sizes[0] * sizes[1] ** sizes[2]


def test_no_pair_has_two_meanings() -> None:
    for own in Hierarchy(6, 3, 3, seed=7).rules:
        assert len(set(own.ravel())) == own.size


def test_synonyms_keep_the_label_and_other_meanings_do_not() -> None:
    assert SMALL.keeps(synonym=True) and not SMALL.keeps(synonym=False)
    rng = np.random.default_rng(0)
    x, y = SMALL.draw(20, rng)
    new = SMALL.exchange(x, rng)
    assert (new != x).any(1).all() and (SMALL.look_up(new) == y).all()
    other = SMALL.exchange(x, rng, synonym=False)
    pairs = [3 * table[:, ::2] + table[:, 1::2] for table in (x, other)]
    before, after = (SMALL.meanings[-1][codes] for codes in pairs)
    assert ((before != after).sum(1) == 1).all()


def test_all_exchanges_are_different_and_each_moves_one_pair() -> None:
    problem = Hierarchy(6, 3, seed=3)
    x, y = problem.draw(10, np.random.default_rng(0))
    for synonym, count in {True: 4 * 2, False: 4 * 5}.items():
        new = problem.exchanges(x, synonym=synonym)
        assert new.shape == (count, 10, 8)
        assert all(len(np.unique(new[:, i], axis=0)) == count for i in range(10))
        assert ((new != x).reshape(count, 10, 4, 2).any(3).sum(2) == 1).all()
        assert ((problem.look_up(new.reshape(-1, 8)) == np.tile(y, count)).all()) == synonym


def test_most_exchanges_against_other_meanings_spell_nothing() -> None:
    problem = Hierarchy(6, 3, seed=1000)
    x, y = problem.draw(500, np.random.default_rng(0))
    labels = problem.look_up(problem.exchange(x, np.random.default_rng(1), synonym=False))
    assert (labels < 0).mean() > 0.5 and 0 < ((labels >= 0) & (labels != y)).mean() < 0.3


def test_draws_do_not_repeat_and_are_what_is_listed() -> None:
    x, y = SMALL.draw(SMALL.size, np.random.default_rng(1))
    every, labels = SMALL.everything()
    assert {(*row, label) for row, label in zip(x.tolist(), y.tolist(), strict=True)} == {
        (*row, label) for row, label in zip(every.tolist(), labels.tolist(), strict=True)
    }
    with pytest.raises(ValueError, match="at most all of them"):
        SMALL.draw(SMALL.size + 1, np.random.default_rng(1))


def test_a_pair_without_meaning_has_no_label() -> None:
    x, _ = SMALL.everything()
    missing = int(np.flatnonzero(SMALL.meanings[-1] < 0)[0])
    broken = x[:1].copy()
    broken[0, :2] = divmod(missing, 3)
    assert SMALL.look_up(broken).tolist() == [-1]


def test_inputs_are_encoded_as_ones() -> None:
    code = SMALL.encode(np.array([[0, 2, 1, 1]]))
    assert code.shape == (1, 4, 3) and code[0].argmax(1).tolist() == [0, 2, 1, 1]
    assert code.sum() == 4


@pytest.mark.parametrize("wrong", [{"synonyms": 7}, {"synonyms": 0}, {"levels": 0}])
def test_what_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="expected 1 ≤ synonyms"):
        Hierarchy(**wrong)


def test_without_synonyms_there_is_none_to_exchange() -> None:
    with pytest.raises(ValueError, match="no other pair"):
        x, _ = Hierarchy(3, 1, 2).everything()
        Hierarchy(3, 1, 2).exchange(x, np.random.default_rng(0))
