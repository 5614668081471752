"""Two files in one, and rules for which decides."""

import math

import numpy as np
import pandas as pd
import pytest

from falsestruct.deployed import filetypes
from falsestruct.deployed.chimeras import (
    Rule,
    best,
    chimera,
    decided,
    pairs,
    statistics,
)
from falsestruct.deployed.words import Words, words

ONE, TWO = b"  " + b"a" * 2000, b"B;" * 1000 + b"\n"


def test_each_window_shows_one_file_and_nothing_else():
    both = chimera(ONE, TWO)
    config = filetypes.Config(1024, 1024, 4096, 8, 256, (), {}, 0.5, {}, frozenset())
    seen = filetypes.window(both, config)
    assert bytes(seen[:1024].tolist()) == b"a" * 1024
    assert bytes(seen[1024:].tolist()) == TWO.rstrip()[-1024:]
    with pytest.raises(ValueError, match="expected at least 1024 of both"):
        chimera(b"a" * 99, TWO)


def test_pairs_are_disjoint_and_of_different_types():
    table = pd.DataFrame({"type": list("aaaabbc")})
    found = pairs(table, seed=3)
    used = found.to_numpy().ravel().tolist()
    assert len(used) == len(set(used)) == 6
    for first, second in found.itertuples(index=False):
        assert table["type"][first] != table["type"][second]
    assert pairs(pd.DataFrame({"type": ["a", "a"]}), seed=0).empty
    assert not found.equals(pairs(table, seed=4))


def test_words_and_their_bag():
    assert words(b"if (x_1 == 2)\n") == ["if", "(", "x_1", "=", "=", "2", ")"]
    bag = Words.of([b"def f", b"int f;", b"int g;"], ["p", "c", "c"])
    assert bag.kind(b"int x;") == "c" and bag.kind(b"def x") == "p"
    # (1 + 1) / (2 + 5) of "def" among five words, two of them Python's.
    assert bag.evidence(b"def", "p") == pytest.approx(math.log(2 / 7))
    assert bag.evidence(b"unheard", "c") == pytest.approx(math.log(1 / 11))


def test_statistics_are_positive_for_the_head():
    bag = Words.of([b"aaa", b"B;"], ["x", "y"])
    found = statistics(ONE, TWO, ("x", "y"), bag, (0.9, 0.4))
    assert found["always one half"] == 1 and found["surer alone"] == pytest.approx(0.5)
    assert found["punctuation"] < 0 < found["letters"] and found["capitals"] < 0
    flipped = statistics(TWO, ONE[:-1], ("y", "x"), bag, (0.4, 0.9))
    assert flipped["letters"] == pytest.approx(-found["letters"], abs=2e-3)


def test_who_decided():
    assert decided("json", ("JSON", "C")) == 1 and decided("cpp", ("JSON", "C")) == 0
    assert math.isnan(decided("txt", ("JSON", "C")))


def test_the_rule_that_is_right_most_often_is_found():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"noise": rng.normal(size=60), "own": rng.normal(size=60)})
    heads = (table["own"] < 0.3).to_numpy()
    rule = best(table, heads)
    assert (rule.name, rule.above, rule.share) == ("own", False, 1.0)
    np.testing.assert_array_equal(rule(table), heads)
    fresh = pd.DataFrame({"noise": [0.0], "own": [9.0]})
    assert rule(fresh).tolist() == [False]
    always = best(pd.DataFrame({"always one half": [1.0] * 4}), np.array([True] * 3 + [False]))
    assert always == Rule("always one half", -math.inf, True, 0.75)
    with pytest.raises(ValueError, match="no case"):
        best(table[:0], heads[:0])
