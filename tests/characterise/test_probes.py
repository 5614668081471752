"""Probes are made from pairs that share nothing, and are what their kind says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct.characterise import probes as module
from falsestruct.characterise.asking import Inputs, inputs
from falsestruct.characterise.probes import Maker, Probes, joined, makers, paired, together


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def made(x: Inputs, count: int = 240, seed: int = 0) -> Probes:
    pairs = paired(np.arange(len(x)), np.arange(len(x)) % 2, rng(seed))
    return Maker(x, pairs, np.arange(len(x)), rng(seed)).make(count)


def of(x: Inputs, kind: str, count: int = 60) -> tuple[Inputs, np.ndarray]:
    """Probes of one kind, and the two rows that each was made from."""
    base = np.stack([rng(1).permutation(len(x))[np.arange(count) % len(x)] for _ in range(2)], 1)
    base[:, 1] = (base[:, 0] + 1 + np.arange(count) % (len(x) - 1)) % len(x)
    make = makers(x, np.arange(len(x)), rng(2))[kind]
    return x.like(make((x.take(base[:, 0]), x.take(base[:, 1])))), base


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 40), st.integers(1, 4), st.integers(2, 4))
def test_every_group_is_in_one_pair(seed: int, groups: int, each: int, classes: int) -> None:
    group = np.repeat(np.arange(groups), each)
    pairs = paired(group, rng(seed).integers(classes, size=len(group)), rng(seed))
    assert pairs.shape == (groups // 2, 2)
    assert len(np.unique(pairs)) == pairs.size


def test_pairs_join_different_labels() -> None:
    y = np.repeat([0, 1], 20)
    pairs = paired(np.arange(40), y, rng())
    assert (y[pairs[:, 0]] != y[pairs[:, 1]]).all()
    assert 0 < y[pairs[:, 0]].mean() < 1  # neither label always comes first


def test_bases_are_of_the_pair_and_clusters_name_it() -> None:
    x = inputs(rng().normal(size=(40, 3)))
    groups = np.arange(40) // 2
    pairs = paired(groups, np.arange(40) % 2, rng())
    own = Maker(x, pairs[:5], groups, rng()).make(60)
    assert len(own) == 60 and np.bincount(own.cluster).tolist() == [12] * 5
    sides = np.sort(groups[own.base], axis=1)
    assert np.array_equal(sides, np.sort(pairs[own.cluster], axis=1))
    assert len(np.unique(own.base)) == 20  # every member of a group gets its turn


def test_the_next_probes_go_on_with_the_next_pairs() -> None:
    x, groups = inputs(rng().normal(size=(40, 3))), np.arange(40)
    maker = Maker(x, paired(groups, groups % 2, rng()), groups, rng())
    clusters = np.concatenate([maker.make(count).cluster for count in (7, 1, 12)])
    assert clusters.tolist() == list(range(20)) and maker.made == 20


def test_all_kinds_are_made_also_one_by_one() -> None:
    x, groups = inputs(rng().normal(size=(40, 3))), np.arange(40)
    maker = Maker(x, paired(groups, groups % 2, rng()), groups, rng())
    seen: list[str] = []
    maker.kinds = tuple(
        lambda pair, name=name: seen.append(name) or pair[0].array() for name in "abc"
    )
    maker.make(30)
    assert [seen.count(name) for name in "abc"] == [1, 1, 1]
    for _ in range(60):
        maker.make(1)
    assert min(seen.count(name) for name in "abc") > 10


def test_sorted_data_have_the_range_and_spread_of_all_classes() -> None:
    """The second class is bright, and comes last."""
    x = np.concatenate([rng().random((400, 4, 4)), 5 + rng().random((400, 4, 4))])
    blank, base = of(inputs(x), "blanks", 400)
    assert blank.array()[base[:, 0] < 400].max() > 5
    vectors = np.concatenate([rng().normal(size=(2500, 2)), 9 + rng().normal(size=(2500, 2))])
    noise, base = of(inputs(vectors), "noise", 2000)
    assert np.var(noise.array()[base[:, 0] < 2500]) > 5


def test_a_half_has_its_own_range_and_noise() -> None:
    x = np.concatenate([np.zeros((20, 4, 4)), np.ones((20, 4, 4))])
    x[:, 0, 0] = np.arange(40) / 40
    pairs = np.arange(20).reshape(10, 2)
    assert Maker(inputs(x), pairs, np.arange(40), rng()).make(200).x.array().max() < 0.5


def test_the_same_seed_gives_the_same_probes() -> None:
    x = inputs(rng().random((20, 6, 6)))
    one, two, other = made(x), made(x), made(x, seed=1)
    assert np.array_equal(one.x.array(), two.x.array())
    assert not np.array_equal(one.x.array(), other.x.array())


@pytest.mark.parametrize("shape", [(20, 8, 6), (20, 8, 6, 3)])
def test_images(shape: tuple[int, ...]) -> None:
    x = rng().random(shape)
    array = made(inputs(x)).x.array()
    assert array.shape == (240, *shape[1:]) and array.min() >= 0 and array.max() <= 1
    cut, base = of(inputs(x), "windows")
    taken = cut.array() == x[base[:, 1]]
    assert ((cut.array() == x[base[:, 0]]) | taken).all() and 0.1 < taken.mean() < 0.7
    blank, base = of(inputs(x), "blanks")
    kept = (blank.array() == x[base[:, 0]]).reshape(len(base), -1).mean(1)
    assert (kept > 0.2).all() and (kept < 0.95).all()
    noise, base = of(inputs(x), "noise")
    assert np.corrcoef(noise.array().ravel(), x[base[:, 0]].ravel())[0, 1] < 0.5


def test_phases_and_frequencies_come_from_the_right_image() -> None:
    x = rng().normal(size=(30, 9, 9))  # odd sides: no bin is its own mirror image
    pair = inputs(x).take(np.arange(15)), inputs(x).take(np.arange(15, 30))
    both = np.fft.rfft2(module._phases(pair))
    assert np.allclose(np.abs(both), np.abs(np.fft.rfft2(x[:15])))
    turn = np.angle(both / np.fft.rfft2(x[15:]))
    assert np.allclose(np.minimum(np.abs(turn), np.abs(np.abs(turn) - 2 * np.pi)), 0, atol=1e-6)
    bins = np.fft.rfft2(module._frequencies(pair, rng()))
    assert np.allclose(bins[:, 0, 0], np.fft.rfft2(x[:15])[:, 0, 0])
    assert np.allclose(bins[:, 4, 4], np.fft.rfft2(x[15:])[:, 4, 4])
    field = module._field((pair[0], pair[0].like(0 * x[:15])), rng())
    share = np.abs(np.fft.rfft2(field)) / np.abs(np.fft.rfft2(x[:15]))
    assert np.allclose(share, share[:, :1, :1]) and (share > 0.29).all() and (share < 1).all()


def test_vectors() -> None:
    x = rng().normal(size=(400, 4)) @ np.diag([1, 1, 1, 5])
    swap, base = of(inputs(x), "exchanges")
    assert ((swap.array() == x[base[:, 0]]) | (swap.array() == x[base[:, 1]])).all()
    mix, base = of(inputs(x), "mixtures", 300)
    second = x[base[:, 1]]
    share = (mix.array() - second) / (x[base[:, 0]] - second)
    assert np.allclose(share, share[:, :1]) and share.min() < 0 and share.max() > 1
    assert np.allclose(of(inputs(x), "noise", 400)[0].array().std(0), [1, 1, 1, 5], rtol=0.25)


def test_sequences_are_spliced() -> None:
    x = np.repeat(np.arange(20.0)[:, None], 12, axis=1)
    own, base = of(inputs(x, kind="sequences"), "windows", 240)
    inside = own.array() == base[:, 1][:, None]
    changes = (inside[:, 1:] != inside[:, :-1]).sum(1)
    assert changes.max() == 2 and own.kind == "sequences"


def test_texts() -> None:
    x = inputs([f"a{i} b{i} c{i} d{i}" for i in range(20)])
    swap, base = of(x, "exchanges")
    for text, both in zip(swap.texts(), base, strict=True):
        allowed = set(" ".join(x.take(both).texts()).split())
        assert set(text.split()) <= allowed and len(text.split()) == 4
    mixed, base = of(x, "orders")
    less, other = of(x, "deletions")
    for i in range(len(base)):
        assert sorted(mixed.texts()[i].split()) == x.texts()[base[i, 0]].split()
        assert set(less.texts()[i].split()) <= set(x.texts()[other[i, 0]].split())
    assert max(len(text.split()) for text in of(x, "repetitions")[0].texts()) > 4


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="ab \n\t", max_size=12))
def test_pieces_keep_blanks_and_lines(text: str) -> None:
    own = module.pieces(text)
    assert module.sewn(own) == (text if own else "")
    assert [piece.strip() for piece in own] == text.split()
    assert [module.swapped(piece, "c").strip() for piece in own] == ["c"] * len(own)
    mixed = module.sewn(module._shuffled(own, rng()))
    assert sorted(mixed.split()) == sorted(text.split()) and mixed.count("\n") in (
        text.count("\n"), 0)  # fmt: skip


def test_words_do_not_touch() -> None:
    assert module.sewn(["a", "b ", "c\n", "d"]) == "a b c\nd"


def test_tables_keep_columns_and_types() -> None:
    frame = pd.DataFrame({"n": np.arange(20), "c": [f"k{i}" for i in range(20)]})
    own = made(inputs(frame), 100)
    found = own.x.frame()
    assert (found.dtypes == frame.dtypes).all() and list(found) == ["n", "c"]
    number = found["c"].str[1:].astype(int).to_numpy()
    for column in (found["n"].to_numpy(), number):
        assert ((column == own.base[:, 0]) | (column == own.base[:, 1])).all()
    assert (found["n"].to_numpy() != number).any()


def test_bytes_stay_bytes() -> None:
    x = rng().integers(0, 256, (20, 5, 5)).astype(np.uint8)
    assert made(inputs(x)).x.held.dtype == np.uint8


def test_together_and_take() -> None:
    x = inputs(rng().normal(size=(20, 2)))
    one, two = made(x, 30), made(x, 30, seed=1)
    both = together([one, two])
    assert np.array_equal(both.take(np.arange(30, 60)).x.array(), two.x.array())
    assert np.array_equal(both.cluster[30:], two.cluster)
    nothing = made(inputs(list(rng().random((20, 4, 4))))).take(np.arange(0))
    some = made(inputs(list(rng().random((20, 4, 4)))), 6)
    assert len(together([nothing, some, nothing])) == 6 and len(together([nothing])) == 0
    assert joined([inputs(["a"]), inputs(["b", "c"])]).texts() == ["a", "b", "c"]
    table = inputs(pd.DataFrame({"a": [1]}))
    assert joined([table, table]).frame()["a"].tolist() == [1, 1]
