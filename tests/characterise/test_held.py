"""Inputs in every form: what they are taken for, and the way to an array and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.held import BATCH, Inputs, identical, inputs, listed

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 6, 7), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
TABLE = pd.DataFrame(
    {
        "age": [30, 40, 50],
        "weight": [1.5, np.nan, 2.5],
        "town": list("abc"),
        "new": [True, False, 1],
    }
).astype({"new": bool})


def pictures(values: np.ndarray, mode: str) -> list[Image.Image]:
    return [Image.fromarray(one).convert(mode) for one in values]


FORMS: dict[str, tuple[Any, str, tuple[int, ...]]] = {
    "vectors": (RNG.normal(size=(5, 4)), "vectors", (5, 4)),
    "float32 tensor": (torch.randn(5, 4), "vectors", (5, 4)),
    "half": (torch.randn(5, 4).bfloat16(), "vectors", (5, 4)),
    "rows of numbers": ([[1, 2], [3, 4]], "vectors", (2, 2)),
    "grey": (GREY, "images", (5, 6, 7)),
    "grey with an axis": (GREY[:, None], "images", (5, 6, 7)),
    "grey with a last axis": (GREY[..., None], "images", (5, 6, 7)),
    "colour": (COLOUR, "images", (5, 6, 7, 3)),
    "channels first": (torch.tensor(COLOUR).permute(0, 3, 1, 2), "images", (5, 6, 7, 3)),
    "list of arrays": (list(COLOUR), "images", (5, 6, 7, 3)),
    "list of tensors": (list(torch.rand(5, 1, 6, 7)), "images", (5, 6, 7)),
    "PIL grey": (pictures(GREY, "L"), "images", (5, 6, 7)),
    "PIL colour": (pictures(COLOUR, "RGB"), "images", (5, 6, 7, 3)),
    "PIL transparent": (pictures(COLOUR, "RGBA"), "images", (5, 6, 7, 4)),
    "PIL black and white": (pictures(GREY, "1"), "images", (5, 6, 7)),
    "bools": (GREY > 100, "images", (5, 6, 7)),
}


@pytest.mark.parametrize("name", FORMS)
def test_an_array_and_back_is_the_same(name: str) -> None:
    held, kind, shape = FORMS[name]
    x = inputs(held)
    assert x.kind == kind and len(x) == shape[0]
    assert x.array().shape == shape and x.array().dtype == np.float64
    back = x.like(x.array())
    assert type(back.held) is type(x.held) and back.layout == x.layout
    np.testing.assert_array_equal(back.array(), x.array())
    np.testing.assert_array_equal(back.raw(), x.raw())
    assert back.raw().dtype == x.raw().dtype
    if hasattr(held, "dtype"):
        assert back.held.dtype == held.dtype


@given(st.lists(st.integers(0, 4), max_size=8), st.sampled_from(sorted(FORMS)))
def test_rows_are_taken_in_order_with_repeats(rows: list[int], name: str) -> None:
    x = inputs(FORMS[name][0])
    rows = [row % len(x) for row in rows] or [0]
    taken = x.take(np.array(rows))
    assert isinstance(taken, Inputs) and len(taken) == len(rows)
    np.testing.assert_array_equal(taken.array(), x.array()[rows])


def test_what_is_taken_can_be_overwritten() -> None:
    for held in (GREY.copy(), list(GREY.copy()), torch.tensor(GREY)):
        x = inputs(held)
        taken = x.take(np.arange(2))
        taken.held[0][:] = 0
        np.testing.assert_array_equal(x.array(), GREY)


def test_bytes_are_rounded_and_clipped() -> None:
    x = inputs(GREY)
    wild = np.array([[[-3.0, 0.6], [254.4, 300.0]]])
    assert x.like(wild).held.tolist() == [[[0, 1], [254, 255]]]
    assert x.like(wild).held.dtype == np.uint8


def test_a_table_keeps_its_columns_and_types() -> None:
    x = inputs(TABLE)
    assert x.kind == "table" and x.numeric() == ["age", "weight", "new"]
    pd.testing.assert_frame_equal(x.like(x.array()).frame(), TABLE)
    moved = x.like(x.array() + np.array([0.6, 1, -1]))
    assert moved.frame()["age"].tolist() == [31, 41, 51] and not moved.frame()["new"].any()
    assert moved.frame()["town"].tolist() == list("abc") and moved.frame()["weight"].isna()[1]
    assert x.take(np.array([2, 2])).frame()["town"].tolist() == ["c", "c"]
    nullable = inputs(TABLE.astype({"age": "Int64"}))
    pd.testing.assert_frame_equal(nullable.like(nullable.array()).frame(), nullable.frame())


@pytest.mark.parametrize("held", [["a b", "c"], np.array(["a b", "c"]), pd.Series(["a b", "c"])])
def test_texts(held: Any) -> None:
    x = inputs(held)
    assert x.kind == "texts" and x.texts() == ["a b", "c"]
    assert x.take(np.array([1, 1, 0])).texts() == ["c", "c", "a b"]
    other = x.like(["d", "e", "f"])
    assert type(other.held) is type(held) and other.texts() == ["d", "e", "f"]
    with pytest.raises(AuditError, match="texts have no array"):
        x.array()


def test_sequences_only_if_one_says_so() -> None:
    assert inputs(np.zeros((5, 9, 3))).kind == "images"
    x = inputs(np.zeros((5, 9, 3)), kind="sequences")
    assert x.kind == "sequences" and x.array().shape == (5, 9, 3)
    assert inputs(np.zeros((5, 9)), kind="sequences").kind == "sequences"
    assert inputs(x) is x


@pytest.mark.parametrize(
    ("held", "kind", "message"),
    [
        ([], None, "x is empty"),
        (np.zeros((0, 3)), None, "x is empty"),
        (np.zeros(5), None, r"x has shape \(5,\)"),
        (3, None, "x is int; expected"),
        ([{}, "a"], None, "x is a list of dict, str"),
        ([[1], [1, 2]], None, "x is a list of list"),
        (np.zeros((5, 2)), "images", "but kind is 'images'; expected vectors or sequences"),
        (["a"], "table", "x is texts, but kind is 'table'"),
        (["a"], "sound", "kind is 'sound'; expected one of images"),
    ],
)
def test_what_is_no_batch(held: Any, kind: Any, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        inputs(held, kind=kind)


def test_images_of_different_sizes_have_no_array() -> None:
    x = inputs([np.zeros((3, 4)), np.zeros((4, 3))])
    assert len(x.take(np.array([1, 0, 1]))) == 3
    with pytest.raises(AuditError, match=r"different shapes, such as \(3, 4\) and \(4, 3\)"):
        x.array()
    with pytest.raises(AuditError, match="not a table"):
        x.frame()
    with pytest.raises(AuditError, match="not texts"):
        x.texts()


@pytest.mark.parametrize(
    ("held", "size"),
    [
        (np.zeros((3, 4)), BATCH),
        (np.zeros((3, 300, 300, 3), dtype=np.uint8), 2**26 // (8 * 270_000)),
        (torch.zeros(2, 3, 300, 300), 31),
        ([np.zeros((1000, 1000))] * 2, 8),
        (np.zeros((1, 4000, 4000), dtype=np.uint8), 1),
        (["a word " * 9000], BATCH),
        (TABLE, BATCH),
    ],
)
def test_large_inputs_are_few_at_once(held: Any, size: int) -> None:
    assert inputs(held).at_once() == size
    assert inputs(held).take(np.arange(0)).at_once() in (size, BATCH)


def test_a_few_are_listed() -> None:
    assert listed([1, "b"]) == "1, 'b'" and listed(range(9)) == "0, 1, 2, 3, 4, …"


@pytest.mark.parametrize("name", FORMS)
def test_the_same_inputs_are_found(name: str) -> None:
    x = inputs(FORMS[name][0])
    assert identical(x.take(np.array([1, 0, 1, 1, 0]))).tolist() == [0, 1, 0, 0, 1]


def test_the_same_rows_and_texts_are_found() -> None:
    rows = np.array([1, 2, 1])
    assert identical(inputs(TABLE).take(rows)).tolist() == [0, 1, 0]
    assert identical(inputs(["a", "b", "a"])).tolist() == [0, 1, 0]
    assert identical(inputs(pd.DataFrame({"a": [[1], [1]]}))).tolist() == [0, 1]
