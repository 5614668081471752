"""The rule of the verdict, and how many inputs would decide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct import statistics
from falsestruct.characterise.verdicts import MOST, Counts, Design

NAMES = ("original", "false")


def of(k: int, n: int) -> statistics.Estimate:
    return statistics.proportion(np.arange(n) < k)


def counts(success: tuple[int, int], *sides: tuple[int, int]) -> Counts:
    first, second, neither = (of(*side) for side in sides)
    return Counts(NAMES, of(*success), (first, second, neither))


@pytest.mark.parametrize(
    ("success", "sides", "verdict", "needed"),
    [
        ((99, 100), ((100, 100), (0, 100), (0, 100)), "original", None),
        ((99, 100), ((5, 100), (95, 100), (0, 100)), "false", None),
        ((99, 100), ((50, 100), (50, 100), (0, 100)), "mixture", None),
        ((99, 100), ((0, 100), (5, 100), (95, 100)), "none", None),
        ((50, 100), ((0, 100), (100, 100), (0, 100)), "none", None),
        ((8, 10), ((0, 100), (100, 100), (0, 100)), "undecided", None),  # success is the gap
        ((99, 100), ((0, 5), (5, 5), (0, 5)), "undecided", 6),  # .05^(1/11) > .75
        ((99, 100), ((90, 100), (10, 100), (0, 100)), "original", None),
    ],
)
def test_the_rule(success: tuple[int, int], sides: tuple[tuple[int, int], ...], verdict: str,
                  needed: int | None) -> None:  # fmt: skip
    found = counts(success, *sides)
    assert found.verdict() == verdict and found.needed() == needed


def test_nothing_in_conflict() -> None:
    assert Counts(NAMES, of(100, 100), None).verdict() == "undecided"
    assert Counts(NAMES, of(100, 100), None).needed() == 11
    assert Counts(NAMES, of(50, 100), None).verdict() == "none"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.data())
def test_the_number_needed_decides_and_one_less_does_not(n: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, n))
    found = counts((990, 1000), (first, n), (n - first, n), (0, n))
    needed = found.needed()
    if found.verdict() != "undecided":
        assert needed is None
    elif needed is None:
        assert not found._decides(MOST)
    else:
        assert needed > 0 and found._decides(n + needed)
        assert needed == 1 or not found._decides(n + needed - 1)


def test_a_success_that_is_unsure_wants_more_inputs_on_which_both_agree() -> None:
    sides = (0, 100), (100, 100), (0, 100)
    found = counts((8, 10), *sides)
    assert found.unsure and found.needed() is None
    more = found.needed_agreeing()
    assert more is not None and more > 0
    assert of(round(0.8 * (10 + more)), 10 + more).low > 0.75
    assert counts((75, 100), *sides).needed_agreeing() is None  # no number would
    for sure in ((99, 100), (50, 100)):
        assert not counts(sure, *sides).unsure and counts(sure, *sides).needed_agreeing() is None


def test_identical_inputs_count_once_and_groups_as_one() -> None:
    rows, holds = np.arange(6), np.array([1, 1, 1, 1, 0, 0], dtype=bool)
    clusters = np.array([7, 7, 7, 7, 1, 2])
    alike = Design(clusters, grouped=False)
    assert alike.count(rows) == 3 and alike.estimate(holds, rows) == of(1, 3)
    grouped = Design(clusters, grouped=True).estimate(np.array([1, 1, 0, 0, 1, 0], bool), rows)
    assert grouped is not None and grouped.n == 3 and grouped.value == pytest.approx(0.5)
    assert Design(np.arange(6), grouped=True).estimate(holds, rows) == of(4, 6)
    wide = Design(clusters, grouped=True).share("a", holds[:4], rows[:4])  # one group
    assert (wide.share, wide.low, wide.high, wide.n, wide.inputs) == (1, 0, 1, 1, 4)
    none = alike.share("a", holds[:0], rows[:0])
    assert (none.share, none.low, none.high, none.n) == (None, 0, 1, 0)


def test_groups_need_more_of_them() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(6), 10)
    holds = rng.random(60) < np.repeat([1, 1, 1, 0.6, 1, 1], 10)
    design = Design(groups, grouped=True)
    rows = np.arange(60)
    sides = [design.estimate(one, rows) for one in (~holds, holds, np.zeros(60, bool))]
    found = Counts(NAMES, of(99, 100), tuple(sides))  # type: ignore[arg-type]
    assert found.verdict() == "undecided"
    needed = found.needed()
    assert needed is not None and needed > 0
