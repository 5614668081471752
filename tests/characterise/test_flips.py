"""Flips are flips, and nearly as small as the closed form says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.characterise import flips as module
from falsestruct.characterise.asking import inputs, network
from falsestruct.characterise.flips import COST, PIECES, beyond, flips

D = 12
X = np.random.default_rng(0).normal(size=(200, D))
V = np.ones(D) / np.sqrt(D)
ROWS = np.arange(10)


def rule(x: np.ndarray) -> np.ndarray:
    return (np.asarray(x) @ V > 0).astype(int)


class Linear(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.v = torch.nn.Parameter(torch.from_numpy(V))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = x.double() @ self.v
        return torch.stack([-score, score], 1)


def test_gradients_find_the_distance() -> None:
    asked = network(Linear())
    found = flips(asked, inputs(torch.from_numpy(X)), ROWS)
    assert found.how == "gradients" and found.rows.tolist() == ROWS.tolist()
    assert np.allclose(found.size, np.abs(X[ROWS] @ V), rtol=1e-2)
    moved = found.x.array()
    assert (rule(moved) == found.after).all() and (found.after == 1 - found.before).all()
    assert np.allclose(np.linalg.norm(moved - X[ROWS], axis=1), found.size)


def test_labels_alone_come_near() -> None:
    asked = network(rule)
    found = flips(asked, inputs(X), ROWS, rounds=4)
    assert found.how == "boundary" and len(found.rows) == len(ROWS)
    ratio = found.size / np.abs(X[ROWS] @ V)
    assert (ratio > 0.999).all() and np.median(ratio) < 2
    assert (rule(found.x.array()) != rule(X[ROWS])).all()
    lines = flips(network(rule), inputs(X), ROWS, rounds=0)
    assert np.median(lines.size / found.size) > 1.2  # the normals help


def test_the_queries_are_counted_and_bounded() -> None:
    asked = network(rule)
    found = flips(asked, inputs(X), ROWS)
    assert found.queries == asked.queries
    assert found.queries <= len(X) + len(ROWS) * (COST + 1)


def test_the_same_seed_finds_the_same() -> None:
    one, two = (flips(network(rule), inputs(X), ROWS, seed=3) for _ in range(2))
    assert np.array_equal(one.size, two.size)


def test_a_flip_goes_to_a_class() -> None:
    def three(x: np.ndarray) -> np.ndarray:
        return np.array(["a", "b", "c"])[np.digitize(x[:, 0], [-0.4, 0.4])]

    asked = network(three)
    found = flips(asked, inputs(X), ROWS)
    told = np.array(asked.classes)
    assert (told[found.after] == three(found.x.array())).all()
    assert (told[found.before] == three(X[found.rows])).all()


def test_nothing_flips_a_constant() -> None:
    found = flips(network(lambda x: np.zeros(len(x), int)), inputs(X), ROWS)
    assert len(found.rows) == len(found.x) == len(found.size) == 0
    assert beyond(network(rule), inputs(X), found, 1.5) is found


def test_inputs_without_an_answer_are_left_out_and_are_no_flips() -> None:
    def fragile(x: np.ndarray) -> np.ndarray:
        if (x[:, 1] > 1).any():
            raise RuntimeError("too large")
        return rule(x)

    found = flips(network(fragile), inputs(X), np.arange(40))
    assert (X[found.rows, 1] <= 1).all() and 20 < len(found.rows) < 40
    assert (found.x.array()[:, 1] <= 1).all()


def test_beyond_the_boundary() -> None:
    """Followed to 1.5 times their size; a label that does not last that far is dropped."""
    x, asked = inputs(X), network(rule)
    found = flips(asked, x, ROWS)
    far = beyond(asked, x, found, 1.5)
    assert np.allclose(far.x.array() - X[far.rows], 1.5 * (found.x.array() - X[found.rows]))
    assert np.allclose(far.size, 1.5 * found.size) and far.queries == found.queries + 10

    def thin(z: np.ndarray) -> np.ndarray:  # a layer on the boundary only
        return (np.abs(z @ V - 3) < 0.05).astype(int)

    asked = network(thin)
    asked.labels(x)
    start = X[:1]
    edge = start + ((3 - 0.04 - start @ V)[:, None]) * V
    of = type(found)(np.array([0]), inputs(edge), np.array([1.0]), np.array([0]), np.array([1]), 0,
                     "boundary")  # fmt: skip
    assert len(beyond(asked, x, of, 1.5).rows) == 0


def test_words_are_substituted() -> None:
    texts = [f"w{i} x{i} {'free' if i % 2 else 'paid'} y{i}" for i in range(40)]
    asked = network(lambda batch: ["spam" if "free" in t.split() else "ham" for t in batch])
    found = flips(asked, inputs(texts), np.arange(20))
    assert found.how == "substitution" and len(found.rows) > 15
    for row, text, size in zip(found.rows, found.x.texts(), found.size, strict=True):
        changed = sum(a != b for a, b in zip(texts[row].split(), text.split(), strict=True))
        assert changed <= size and ("free" in text) != ("free" in texts[row])
    assert found.size.min() == 1
    assert beyond(asked, inputs(texts), found, 1.5) is found


def test_columns_are_substituted() -> None:
    frame = pd.DataFrame({"a": np.arange(40) % 2, "b": np.arange(40.0), "c": list("xy") * 20})
    frame.loc[3, "b"] = np.nan
    asked = network(lambda t: (t["a"] == 1).to_numpy())
    found = flips(asked, inputs(frame), np.arange(20))
    assert (found.size == 1).all() and len(found.rows) == 20
    assert (found.x.frame()["a"].to_numpy() != frame["a"].to_numpy()[found.rows]).all()
    assert (found.x.frame()["c"].to_numpy() == frame["c"].to_numpy()[found.rows]).all()
    assert found.x.frame().dtypes.tolist() == frame.dtypes.tolist()


def test_pieces_come_from_the_nearest_text() -> None:
    """Of two texts with the other label, the one that shares most words."""
    texts = ["red hat box", "red hat free", "sun sea free free", "sun sea box box"] * 5
    seen: list[str] = []

    def predict(batch: list[str]) -> list[str]:
        seen.extend(batch)
        return ["spam" if "free" in t.split() else "ham" for t in batch]

    found = flips(network(predict), inputs(texts), np.arange(0, 20, 4))
    assert found.x.texts() == ["red hat free"] * 5 and found.size.tolist() == [1] * 5
    assert not any("red" in text and "sea" in text for text in seen)


def test_large_inputs_are_walked_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = flips(network(Linear()), inputs(torch.from_numpy(X)), ROWS)
    monkeypatch.setattr(module, "BYTES", 8 * D * module.PROBES * 3)
    most = 0

    def predict(x: np.ndarray) -> np.ndarray:
        nonlocal most
        most = max(most, len(x))
        return rule(x)

    found = flips(network(predict, batch=10**6), inputs(X), ROWS, others=20)
    assert len(found.rows) == len(ROWS) and most <= 3 * module.PROBES
    parts = flips(network(Linear()), inputs(torch.from_numpy(X)), ROWS)
    assert np.allclose(parts.size, whole.size) and np.array_equal(parts.rows, whole.rows)
    assert np.allclose(parts.x.array(), whole.x.array())


def test_few_that_fail_end_no_search() -> None:
    """On the way every input fails: these are no flips, and no error."""
    known = {row.tobytes() for row in X}

    def strict(x: np.ndarray) -> np.ndarray:
        if any(row.tobytes() not in known for row in x):
            raise RuntimeError("unknown")
        return rule(x)

    found = flips(network(strict), inputs(X), ROWS)
    assert all(row.tobytes() in known for row in found.x.array())


@pytest.mark.parametrize("count", [1, 2, 5, 3000])
def test_the_trials_of_long_texts_are_bounded(count: int) -> None:
    masks = module._masks(count, np.random.default_rng(0))
    assert len(masks) <= PIECES and masks.any(1).all()
    assert masks.sum(1).max() == count and masks.sum(1).min() == 1


@pytest.mark.parametrize("texts", [["", "a b"], ["c", ""]])
def test_empty_texts(texts: list[str]) -> None:
    asked = network(lambda batch: ["long" if len(t) > 1 else "short" for t in batch])
    assert len(flips(asked, inputs(texts * 3), np.arange(6)).rows) == 0
