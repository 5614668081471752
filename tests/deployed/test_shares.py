"""Shares of chimeras, from tables whose answers are known."""

import math

import numpy as np
import pandas as pd
import pytest

from falsestruct.characterise.blind import NONE
from falsestruct.deployed import shares
from falsestruct.press.notebook.stated import judge
from falsestruct.statistics import Nobody
from tests.chapters.deployed.test_evidence import STATED

KINDS = ("A", "B", "C")


def named(network, words, count=30):
    """So large shares of right pairs; none: the search names nothing."""
    told = {name: 0.5 for name in ("foretold", "foretold_low", "foretold_high", "all_foretold",
                                   "all_foretold_low", "all_foretold_high", "queries")}  # fmt: skip
    told |= {"sentence": "so", "answer": "XML", "over": "others"}
    rows = [
        told | {"reader": reader, "heads": 1.0, "right": float(i < (share or 0) * count),
                "verdict": NONE if share is None else "a rule"}
        for reader, share in (("network", network), ("words", words)) for i in range(count)
    ]  # fmt: skip
    undecided = [told | {"reader": "network", "heads": math.nan, "right": 0.0, "verdict": "a rule"}]
    return pd.DataFrame([*rows, *undecided * 9])


@pytest.mark.parametrize(
    ("network", "words", "verdict"),
    [(1, 1, "supported"), (0, 1, "refuted"), (None, 1, "inconclusive"), (1, None, "inconclusive"),
     (0, 0, "inconclusive"), (1, 0.5, "inconclusive")],
)  # fmt: skip
def test_the_search_has_to_find_a_rule_that_is_there(network, words, verdict):
    [(id, pair)] = shares.searched_claim(named(network, words)).items()
    assert judge(STATED[id], *pair) == verdict


def test_one_search_that_names_nothing_is_no_share_of_pairs():
    [(own, control)] = shares.searched_claim(named(None, 1)).values()
    assert isinstance(own, Nobody) and own.n == 1 and control.n == 30
    assert shares.UNNAMED == NONE


def test_what_the_search_said_of_each_reader():
    table = named(None, 0.9)
    table.loc[table["reader"] == "words", "foretold"] = 0.8
    found = shares.searched(table)
    assert (found["verdict_network"], found["verdict_words"]) == (NONE, "a rule")
    assert (found["foretold_network"], found["foretold_words"]) == (0.5, 0.8)
    assert (found["judged_words"], found["right_words"]) == (30, 0.9)
    assert found["right_words_low"] < 0.9 < found["right_words_high"]
    assert "right_network" not in found  # nothing was named, so that no pair was judged


def halves(stronger, count=12):
    """Pairs of A, B, C in both orders; the type that is earlier in `stronger` decides."""
    rows = []
    for half in ("open", "sealed"):
        for first in KINDS:
            for second in KINDS:
                for i in range(count if first != second else 0):
                    wins = stronger[half].index(first) < stronger[half].index(second)
                    rows.append({"half": half, "first": first, "second": second, "label": "x",
                                 "heads": float(wins), "some statistic": float(i)})  # fmt: skip
    return pd.DataFrame(rows)


def test_an_order_of_types_is_fitted_to_open_pairs_and_judged_on_sealed_ones():
    assert shares.ordered(halves({"open": "BCA", "sealed": "BCA"})) == [1.0]
    assert shares.ordered(halves({"open": "BCA", "sealed": "ACB"})) == [0.0]
    assert shares.ordered(halves({"open": "BCA", "sealed": "CBA"})) == [pytest.approx(2 / 3)]
    table = halves({"open": "BCA", "sealed": "BCA"})
    table = table[~((table["first"] == "A") & (table["half"] == "open"))]
    table = table[~((table["second"] == "A") & (table["half"] == "open"))]
    assert len(shares.ordered(table)) == 3  # where A stands, no open pair says


def test_what_other_pairs_of_the_same_types_say():
    same = pd.DataFrame({"first": "A", "second": "B", "heads": [1.0, 1, 1, 0]})
    np.testing.assert_array_equal(shares.others(same), [1, 1, 1, 0])
    one = pd.DataFrame({"first": ["A", "B"], "second": ["B", "A"], "heads": [1.0, 0]})
    assert len(shares.others(one)) == 0


def test_for_the_prose():
    table = halves({"open": "BCA", "sealed": "BCA"})
    table.loc[table.index[-5:], "heads"] = math.nan
    found = shares.said(table)
    assert (found["pairs"], found["neither"], found["decided"]) == (72, 5, 67)
    assert found["others"] == found["orders_high"] == 1 and found["by_head"] < 0.6
    assert found["by_head_low"] < found["by_head"] < found["by_head_high"]
