"""Probes are made from pairs that share nothing, and are what their kind says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct.characterise import probes as module
from falsestruct.characterise.asking import Inputs, inputs
from falsestruct.characterise.probes import Probes, joined, paired, probes, together


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def made(x: Inputs, count: int = 240, seed: int = 0) -> Probes:
    pairs = paired(np.arange(len(x)), np.arange(len(x)) % 2, rng(seed))
    return probes(x, pairs, np.arange(len(x)), count, rng(seed))


def of(own: Probes, kind: str) -> np.ndarray:
    return np.flatnonzero(own.kind == own.kinds.index(kind))


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
    own = probes(x, pairs[:5], groups, 60, rng())
    assert len(own) == 60 and np.bincount(own.cluster).tolist() == [12] * 5
    sides = np.sort(groups[own.base], axis=1)
    assert np.array_equal(sides, np.sort(pairs[own.cluster], axis=1))
    assert len(np.unique(own.base)) == 20  # every member of a group gets its turn
    assert set(np.bincount(own.kind)) == {20}


def test_the_same_seed_gives_the_same_probes() -> None:
    x = inputs(rng().random((20, 6, 6)))
    one, two, other = made(x), made(x), made(x, seed=1)
    assert np.array_equal(one.x.array(), two.x.array())
    assert not np.array_equal(one.x.array(), other.x.array())


@pytest.mark.parametrize("shape", [(20, 8, 6), (20, 8, 6, 3)])
def test_images(shape: tuple[int, ...]) -> None:
    x = rng().random(shape)
    own = made(inputs(x))
    array, first, second = own.x.array(), x[own.base[:, 0]], x[own.base[:, 1]]
    assert array.shape == (240, *shape[1:]) and array.min() >= -1 and array.max() <= 2
    cut = of(own, "windows")
    taken = array[cut] == second[cut]
    assert ((array[cut] == first[cut]) | taken).all() and 0.1 < taken.mean() < 0.7
    blank = of(own, "blanks")
    kept = (array[blank] == first[blank]).reshape(len(blank), -1).mean(1)
    assert (kept > 0.2).all() and (kept < 0.95).all()
    noise = of(own, "noise")
    assert np.corrcoef(array[noise].ravel(), first[noise].ravel())[0, 1] < 0.5


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
    own = made(inputs(x), 900)
    array, first, second = own.x.array(), x[own.base[:, 0]], x[own.base[:, 1]]
    swap = of(own, "exchanges")
    assert ((array[swap] == first[swap]) | (array[swap] == second[swap])).all()
    mix = of(own, "mixtures")
    share = (array[mix] - second[mix]) / (first[mix] - second[mix])
    assert np.allclose(share, share[:, :1]) and share.min() < 0 and share.max() > 1
    assert np.allclose(array[of(own, "noise")].std(0), [1, 1, 1, 5], rtol=0.2)


def test_sequences_are_spliced() -> None:
    x = np.repeat(np.arange(20.0)[:, None], 12, axis=1)
    own = made(inputs(x, kind="sequences"))
    rows = of(own, "windows")
    inside = own.x.array()[rows] == own.base[rows, 1][:, None]
    changes = (inside[:, 1:] != inside[:, :-1]).sum(1)
    assert changes.max() == 2 and (own.x.kind == "sequences")


def test_texts() -> None:
    x = inputs([f"a{i} b{i} c{i} d{i}" for i in range(20)])
    own = made(x, 200)
    texts = own.x.texts()
    for i in of(own, "exchanges"):
        allowed = set(" ".join(x.take(own.base[i]).texts()).split())
        assert set(texts[i].split()) <= allowed and len(texts[i].split()) == 4
    for i in of(own, "orders"):
        assert sorted(texts[i].split()) == x.texts()[own.base[i, 0]].split()
    for i in of(own, "deletions"):
        assert set(texts[i].split()) <= set(x.texts()[own.base[i, 0]].split())
    assert max(len(texts[i].split()) for i in of(own, "repetitions")) > 4


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
