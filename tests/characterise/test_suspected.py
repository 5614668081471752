"""Structures as they are given, and the classes that their values stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.held import inputs
from falsestruct.characterise.suspected import (
    UNDEFINED,
    Structure,
    coded,
    column,
    false_codes,
    matched,
    original_codes,
    structure,
)

X = np.arange(1200.0).reshape(600, 2)
TABLE = pd.DataFrame({"age": [1, 2, 3], "town": ["a", None, "c"]})


def even(x: np.ndarray) -> np.ndarray:
    return x[:, 0] % 4 == 0


def test_a_function_is_asked_in_batches_under_its_name() -> None:
    sizes: list[int] = []

    def counted(x: np.ndarray) -> np.ndarray:
        sizes.append(len(x))
        return even(x)

    found = structure(counted, "false", inputs(X), None)
    assert found.name == "counted" and found.readable and sizes == [512, 88]
    assert found.values.tolist() == [True, False] * 300
    assert structure(lambda x: x[:, 0] > 0, "false", inputs(X), None).name == "false"


@pytest.mark.parametrize(
    "labels",
    [[1, 0, 1], np.array([1, 0, 1]), torch.tensor([[1], [0], [1]]), pd.Series([1, 0, 1])],
)
def test_labels_as_they_are(labels: Any) -> None:
    found = structure(labels, "original", inputs(TABLE), None)
    assert found.values.tolist() == [1, 0, 1] and type(found.values[0]) is int
    assert found.name == "original" and not found.readable


def test_columns_of_the_table_or_beside_it() -> None:
    found = structure("town", "false", inputs(TABLE), {"town": [1, 2, 3]})
    assert found.values.tolist() == ["a", None, "c"] and found.column == "town"
    assert found.read(inputs(TABLE).take(np.array([2, 0]))).tolist() == ["c", "a"]
    for attributes in ({"light": [1.0, np.nan, 0]}, pd.DataFrame({"light": [1.0, np.nan, 0]})):
        beside = structure("light", "false", inputs(TABLE), attributes)
        assert beside.values.tolist() == [1, None, 0] and not beside.readable
        assert column("light", inputs(TABLE), attributes, "groups").tolist() == [1, None, 0]
    assert column([7, 7, 8], inputs(TABLE), None, "groups").tolist() == [7, 7, 8]


@pytest.mark.parametrize(
    ("given", "attributes", "message"),
    [
        ("sex", None, "false is 'sex', which is no column; expected one of age, town"),
        ("sex", {"light": [0, 0, 0]}, "expected one of age, town, light"),
        ([1, 2], None, r"false has shape \(2,\); expected \(3,\)"),
        (lambda x: x.nothing, None, "false raised AttributeError"),
        (lambda x: [1], None, r"false has shape \(1,\)"),
    ],
)
def test_what_is_no_structure(given: Any, attributes: Any, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        structure(given, "false", inputs(TABLE), attributes)


def test_a_name_without_a_table() -> None:
    with pytest.raises(AuditError, match="which is no column; give attributes="):
        structure("light", "false", inputs(X), None)


def said(values: list[Any], name: str = "it") -> Structure:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return Structure(name, made)


def test_the_original_may_have_classes_that_the_network_never_gives() -> None:
    classes, known, told = original_codes(said([0, 1, 2, None]), [1], fixed=False)
    assert classes == (1, 0, 2) and known == {1: 0, 0: 1, 2: 2} and told == ()
    assert coded(said([0, 1, 2, None, 9]).values, known).tolist() == [1, 0, 2, UNDEFINED, UNDEFINED]
    bools, *_ = original_codes(said([False, True]), [0, 1], fixed=True)
    assert bools == (0, 1)


@pytest.mark.parametrize(
    ("values", "classes", "fixed", "message"),
    [
        (["cat", "dog"], [0, 1], True, "says 'cat', 'dog', but the network answers 0, 1; say what"),
        ([0, 1], ["cat", "dog"], False, "says 0, 1, but the network answers 'cat', 'dog'; give"),
        ([0, 1, 2], [0, 1], True, "says 2, but the network answers 0, 1"),
        (["cat", "dog"], [0, 1], False, "classes="),
        ([-1, 1], [0, 1], True, "says -1, 1, but the network answers 0, 1; say what.*classes="),
        ([-1, 1], [0, 1], False, "says -1, 1, but the network answers 0, 1; give the same labels"),
        (list(range(1, 11)), list(range(10)), True, "says 1, 2, 3, 4, 5, …, but the network"),
        (["a", "c"], ["a", "b"], False, "says 'a', 'c', but the network .* give the same names"),
        ([1, 1], [0, 1], False, "it says 1 about all of x; expected two labels"),
        ([None, None], [0, 1], False, "it says nothing about all of x"),
    ],
)
def test_labels_that_do_not_fit(values: Any, classes: Any, fixed: bool, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        original_codes(said(values), classes, fixed=fixed)


def test_an_open_network_with_more_classes_is_believed_and_it_is_said() -> None:
    classes, _, told = original_codes(said([0, 1, 2]), [0, 1, 7, 8], fixed=False)
    assert classes == (0, 1, 7, 8, 2)
    assert told == (
        "it says 2, which the network never answers; it answers 7, 8, which it never says.",
    )
    for one, other in (([1, 2], [1, 2, 3]), ([1, 2, 3], [2, 1]), ([True, False], [1.0, 0])):
        assert matched("y", one, other, closed=True) is None


KNOWN = {"cow": 0, "camel": 1}


def test_values_that_are_classes_are_taken_as_they_are() -> None:
    truth = np.zeros(4, dtype=int)
    assert false_codes(said(["cow", "camel", None, "cow"]), truth, KNOWN) == (
        {"cow": 0, "camel": 1}, ()
    )  # fmt: skip


def test_other_values_go_with_the_majority_and_it_is_said() -> None:
    truth = np.array([0] * 10 + [1] * 10 + [UNDEFINED] * 2)
    nothing = ["grass"] * 5 + ["sand"] * 5 + ["grass"] * 5 + ["shore"] * 5 + [None] * 2
    table, told = false_codes(said(nothing, "place"), truth, KNOWN)
    assert (
        table == {"sand": 0, "shore": 1}
        and "'grass' for nothing (no class in most of 10)" in told[0]
    )
    places = ["grass"] * 8 + ["sand"] * 2 + ["sand"] * 9 + ["grass"] + ["sea", None]
    table, told = false_codes(said(places, "place"), np.r_[truth[:20], 1, 0], KNOWN)
    assert table == {"grass": 0, "sand": 1, "sea": 1}
    assert told == (
        "place: taken 'grass' for 'cow' (89 % of 9), 'sand' for 'camel' (82 % of 11), 'sea' for "
        "'camel' (100 % of 1), as most of x has it.",
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((["a"] * 5 + ["b"] * 5) * 2, "no value of it goes with one class in most inputs; give"),
        (["a", "b"] * 10, "all values of it go with 'cow' in most inputs"),
        (list(range(20)), "20 values in 20 inputs; expected labels: of a number, compare"),
        (["a"] * 20, "it says 'a' about all of x; expected two values"),
        ([None] * 20, "it says nothing about all of x"),
    ],
)
def test_values_that_can_not_be_matched(values: Any, message: str) -> None:
    truth = np.array([0] * 15 + [1] * 5 if "no value" not in message else [0] * 10 + [1] * 10)
    with pytest.raises(AuditError, match=message):
        false_codes(said(values), truth, KNOWN)


def test_true_and_false_are_classes_of_a_yes_or_no_alone() -> None:
    """True == 1 in Python: of ten digits, it is not the digit 1."""
    truth = np.array([3] * 10 + list(range(10)) * 2)
    known = {digit: digit for digit in range(10)}
    marks = said([True] * 10 + [False] * 20, "mark")
    table, told = false_codes(marks, truth, known)
    assert table == {True: 3} and "False for nothing" in told[0]
    assert false_codes(said([True, False]), np.array([1, 0]), {0: 0, 1: 1})[0] == {
        True: 1,
        False: 0,
    }
    with pytest.raises(AuditError, match="says True and False, but the network answers 0, 1, 2, 3"):
        original_codes(marks, range(10), fixed=True)
