"""Changed inputs: made in every way, verified, dropped, refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from falsestruct.characterise.asking import network
from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.held import Inputs, inputs
from falsestruct.characterise.interventions import SHOWN, Change
from falsestruct.characterise.suspected import structure

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
CODES = (X[:, 0] > 0).astype(int)
ROWS = np.arange(60)


def first(x: np.ndarray) -> np.ndarray:
    return (x[:, 0] > 0).astype(int)


def second(x: np.ndarray) -> np.ndarray:
    return (x[:, 1] > 0).astype(int)


def change(how: Any, x: Inputs | None = None, name: Any = first, other: Any = second) -> Change:
    held = inputs(X) if x is None else x
    return Change(held, structure(name, "a", held, None), structure(other, "b", held, None), how)


def set_first(x: np.ndarray, name: str, value: int, rng: np.random.Generator) -> np.ndarray:
    assert name == "first" and value in (0, 1)
    x[:, 0] = 2 * value - 1
    return x


def test_a_function_makes_all_of_a_batch_one_value() -> None:
    found = change(set_first).ask(network(first), ROWS, CODES, CODES)
    assert sorted(found.rows) == list(ROWS) and found.made == 60 and not found.dropped
    np.testing.assert_array_equal(CODES[found.donors], 1 - CODES[found.rows])
    values = np.array(network(first, classes=(0, 1)).labels(inputs(X)))
    np.testing.assert_array_equal(values, CODES)
    asked = network(first, classes=(0, 1))
    again = change(set_first).ask(asked, ROWS, CODES, CODES)
    np.testing.assert_array_equal(again.labels, 1 - CODES[again.rows])
    assert len(found.places) == SHOWN
    shown = np.concatenate([one.held for one in found.shown])
    np.testing.assert_array_equal(first(shown), 1 - CODES[found.rows[found.places]])
    assert set(first(shown)) == {0, 1}  # some of either value
    np.testing.assert_array_equal(X[:, 0] > 0, CODES)  # the owner's data are untouched


def test_what_fails_or_takes_the_other_along_is_dropped_and_counted() -> None:
    def clumsy(x: np.ndarray, name: str, value: int, rng: np.random.Generator) -> np.ndarray:
        x[3:, 0] = 2 * value - 1  # the first three keep what they had
        x[-1, 1] *= -1
        return x

    found = change(clumsy).ask(network(first), ROWS, CODES, CODES)
    assert found.dropped == {
        "first did not take the value": 6, "second did not keep its value": 2
    }  # fmt: skip
    assert len(found.rows) == 52 and found.made == 60


def test_most_failing_is_refused() -> None:
    with pytest.raises(AuditError, match=r"changing first failed for 60 of 60 inputs: first did"):
        change(lambda x, *_: x).ask(network(first), ROWS, CODES, CODES)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda x, *_: x.nothing, "intervene raised AttributeError when it set first to"),
        (lambda x, *_: x[:2], "intervene returned 2 inputs for"),
        ("swap", "intervene is 'swap'; expected 'exchange', 'randomise' or a function"),
        ("exchange", "exchange changes a column of the table x, and first is none; give"),
    ],
)
def test_what_is_no_intervention(how: Any, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        change(how).ask(network(first), ROWS, CODES, CODES)


TABLE = pd.DataFrame({"place": pd.Categorical(["sea", "land"] * 30), "y": [0, 1] * 30,
                      "size": X[:, 0]})  # fmt: skip
PLACES = np.array([0, 1] * 30)


def test_a_column_is_exchanged_or_randomised() -> None:
    held = inputs(TABLE)
    asked = network(lambda t: (t.place == "land").astype(int), classes=(0, 1))
    found = change("exchange", held, "place", "y").ask(asked, ROWS, PLACES, PLACES)
    np.testing.assert_array_equal(found.rows, ROWS)
    np.testing.assert_array_equal(found.labels, 1 - PLACES)
    frame = found.shown[0].frame()
    assert list(frame) == list(TABLE) and (frame.dtypes == TABLE.dtypes).all()
    mixed = change("randomise", held, "place", "y").ask(asked, ROWS, PLACES, PLACES)
    flips = (mixed.labels != PLACES).mean()
    assert 0.2 < flips < 0.8
    again = change("randomise", held, "place", "y").ask(asked, ROWS, PLACES, PLACES)
    np.testing.assert_array_equal(mixed.labels, again.labels)


def test_a_rule_that_reads_the_column_is_found_to_change() -> None:
    held = inputs(TABLE)
    reads = change("exchange", held, "place", lambda t: t.place == "sea")
    with pytest.raises(AuditError, match="b did not keep its value"):
        reads.ask(network(lambda t: t.y), ROWS, PLACES, PLACES)
    with pytest.raises(AuditError, match="place is both structures' column"):
        change("exchange", held, "place", "place").check()


def test_inputs_without_another_value_to_take_are_left_alone() -> None:
    """Only class 1 is ever said: what has class 1 can't be made to differ."""
    codes = np.where(CODES == 1, 1, -1)
    found = change(set_first).ask(network(first), ROWS, codes, CODES)
    assert set(found.rows) == set(np.flatnonzero(CODES == 0)) and found.made == (CODES == 0).sum()
    with pytest.raises(AuditError, match="first has no value of another class to take"):
        change(set_first).ask(network(first), ROWS, codes, np.ones(60, dtype=int))


def test_a_sham_gives_what_is_there() -> None:
    asked = network(first, classes=(0, 1))
    found = change(set_first).sham(asked, ROWS, CODES)
    np.testing.assert_array_equal(found.donors, found.rows)
    np.testing.assert_array_equal(found.labels, CODES[found.rows])
    assert sorted(found.rows) == list(ROWS)
    held = inputs(TABLE.assign(place=[f"{p} {i % 3}" for i, p in enumerate(TABLE.place)]))
    for how in ("exchange", "randomise"):
        swapped = change(how, held, "place", "y").sham(network(lambda t: t.y == 1), ROWS, PLACES)
        np.testing.assert_array_equal(PLACES[swapped.donors], PLACES[swapped.rows])
        assert (swapped.donors != swapped.rows).any()
    silent = np.where(CODES == 1, 1, -1)
    found = change(set_first).sham(asked, ROWS, silent)
    assert set(found.rows) == set(np.flatnonzero(CODES == 1))
