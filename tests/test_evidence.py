"""From tables to claims: who is asked, which interval, and what it means that nobody qualifies."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct import evidence, statistics
from falsestruct.evidence import (
    contrast,
    crossed,
    extreme,
    mean,
    ratio,
    said,
    share,
    summary,
    where,
)
from falsestruct.names import slug
from falsestruct.statistics import Estimate, Nobody

NAN = math.nan
SHARES = (0.0, 1.0)
TABLE = pd.DataFrame(
    {
        "problem": ["stripes"] * 4 + ["digits"] * 4,
        "architecture": ["paper's CNN", "paper's CNN", "MLP", "MLP"] * 2,
        "rho": [1.0, 0.5] * 4,
        "seed": [0, 0, 1, 1] * 2,
        "score": [0.9, 0.1, 0.8, 0.2, 0.6, 0.4, 0.7, 0.3],
    }
)
MANY = st.lists(st.integers(0, 16).map(lambda k: k / 16), min_size=4, max_size=16)


# Names


def test_a_slug():
    assert slug("instability", "stripes", "paper's CNN") == "instability-stripes-paper-cnn"
    assert slug("a", 0.5, "2-104-1") == "a-0-5-2-104-1"
    with pytest.raises(ValueError, match=r"words are \('a', '…'\); expected words with letters"):
        slug("a", "…")


# Who is asked


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ({}, range(8)),
        ({"problem": "digits"}, [4, 5, 6, 7]),
        ({"problem": "digits", "architecture": "MLP"}, [6, 7]),
        ({"architecture": ["MLP", "linear"]}, [2, 3, 6, 7]),
        ({"seed": {1}, "rho": (0.5,)}, [3, 7]),
        ({"seed": 1}, [2, 3, 6, 7]),
        ({"score": 0.1 + 0.2}, [7]),
        ({"score": lambda c: c >= 0.8}, [0, 2]),
        ({"problem": "oscillation"}, []),
    ],
)
def test_where(columns, rows):
    assert where(TABLE, **columns).index.tolist() == list(rows)


def test_where_names_the_columns_there_are():
    with pytest.raises(ValueError, match="no column 'colour'; the table has problem, architecture"):
        where(TABLE, colour="red")


# Estimates over networks


def test_a_share_is_of_independent_networks():
    outcomes = [True, False, True, True]
    assert share(outcomes) == share(pd.Series(outcomes)) == statistics.proportion(outcomes)
    assert share(np.array([1, 0, 1, 1])) == share([1.0, 0.0, 1.0, 1.0]) == share(outcomes)
    assert share([]) == Nobody("no network qualifies")
    assert share([True]).n == 1


@pytest.mark.parametrize("bad", [NAN, 0.5, -1])
def test_an_outcome_is_true_or_false(bad):
    with pytest.raises(ValueError, match=rf"an outcome is {bad}.*; expected true or false"):
        share([1, bad])


def test_a_share_over_kinds_is_a_mean_with_the_bounds_of_shares():
    outcomes, kinds = [True, True, False, True, False, False], list("aabbcc")
    numbers = np.array(outcomes, dtype=float)
    clusters, groups = share(outcomes, within=kinds), share(outcomes, strata=kinds)
    assert clusters == statistics.clustered(numbers, kinds, bounds=SHARES) and clusters.n == 3
    assert groups == statistics.stratified(numbers, kinds, bounds=SHARES) and groups.n == 6
    assert share([], within=[]) == Nobody("0 networks qualify; an interval needs 2")


def test_a_mean_leaves_out_those_with_nobody_behind():
    values, kinds = [0.2, NAN, 0.4, 0.9, 0.3, NAN], ["a", "a", "a", "b", "b", "c"]
    known, own = [0.2, 0.4, 0.9, 0.3], ["a", "a", "b", "b"]
    assert mean(values) == mean(pd.Series(values)) == statistics.mean(known)
    assert mean(values, bounds=SHARES) == statistics.mean(known, bounds=SHARES)
    assert mean(values, within=kinds) == statistics.clustered(known, own)
    assert mean(values, strata=pd.Series(kinds), bounds=SHARES) == statistics.stratified(
        known, own, bounds=SHARES
    )


@pytest.mark.parametrize("values", [[], [NAN], [0.5], [NAN, 0.5, NAN]])
@pytest.mark.parametrize("estimate", [mean, ratio])
def test_too_few_networks_are_nobody(estimate, values):
    n = int(np.sum(~np.isnan(values)))
    assert estimate(values) == Nobody(f"{n} networks qualify; an interval needs 2", n)


def test_most_numbers_are_there_or_nobody_s():
    values = np.r_[np.linspace(0.2, 0.4, 18), np.nan, np.nan]
    assert evidence.most(values) == evidence.mean(values)
    assert evidence.most(1 / values, evidence.ratio) == evidence.ratio(1 / values)
    values[0] = np.nan
    assert evidence.most(values) == Nobody("only 17 of 20 networks have a number", 17)
    assert evidence.most(values, missing=0.2) == evidence.mean(values)


def test_one_kind_stands_for_no_others():
    found = mean([0.1, 0.2, 0.3], within=["a", "a", "a"])
    assert found == Nobody("1 kinds of networks qualify; an interval needs 2", 1)
    assert mean([0.1, 0.2, NAN], within=["a", "a", "b"]) == found, "b has nobody"


def test_a_sentence_about_groups_needs_all_of_them():
    found = mean([0.1, 0.2, 0.3], strata=["a", "a", "b"])
    assert found == Nobody("1 networks of b qualify; an interval needs 2", 1)
    assert mean([0.1, 0.2], strata=["a", "a"], bounds=SHARES) == statistics.mean(
        [0.1, 0.2], bounds=SHARES
    )


@pytest.mark.parametrize("way", [{}, {"within": list("abab")}, {"strata": list("abab")}])
def test_a_ratio_is_a_geometric_mean(way):
    values = [1.0, 2.0, 4.0, 8.0]
    found = ratio(values, **way)
    assert found.value == pytest.approx(8**0.5)
    assert found.low * ratio([1 / v for v in values], **way).high == pytest.approx(1)
    if not way:
        assert found == ratio([*values, NAN]) == statistics.geometric_mean(values)
    else:
        design = statistics.clustered if "within" in way else statistics.stratified
        logs = design(np.log(values), list("abab"))
        ends = np.clip(logs.ends, -statistics.LOGS, statistics.LOGS)  # e to the power of more is ∞
        np.testing.assert_allclose(np.log(found.ends), ends)


def test_a_ratio_of_what_is_not_positive():
    with pytest.raises(ValueError, match=r"smallest value is -2\.0; expected positive"):
        ratio([1.0, -2.0, NAN])
    assert ratio([1.0, 2.0], within=["a", "a"]).reason.startswith("1 kinds of networks")


def test_networks_and_inputs_are_crossed():
    cells = np.array([[1, 0, 1, NAN], [1, 1, NAN, NAN], [0, 1, 1, NAN]])
    assert crossed(cells) == statistics.two_way(cells)
    assert crossed(cells, bounds=SHARES) == statistics.two_way(cells, bounds=SHARES)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([[1.0, 0.0], [NAN, NAN]], "1 networks qualify"),
        ([[1.0, NAN], [0.0, NAN]], "1 inputs qualify"),
        ([[NAN, NAN], [NAN, NAN]], "0 networks qualify"),
    ],
)
def test_one_way_is_not_crossed(cells, reason):
    assert crossed(np.array(cells)) == Nobody(f"{reason}; an interval needs 2", int(reason[0]))


def test_the_worst_of_some_groups():
    low, high = statistics.mean([0.1, 0.2]), statistics.mean([0.7, 0.9])
    nobody = Nobody("none")
    assert extreme([low, nobody, high]) == extreme(iter([high, low])) == high
    assert extreme([high, nobody, low], min) == low
    assert extreme([nobody]) == extreme([]) == Nobody("no group has enough networks")


@given(values=MANY, data=st.data())
def test_the_order_of_networks_is_nothing(values, data):
    order = data.draw(st.permutations(range(len(values))))
    kinds = [i % 2 for i in range(len(values))]
    for way in ("within", "strata"):
        before = mean(values, bounds=SHARES, **{way: kinds})
        after = mean([values[i] for i in order], bounds=SHARES, **{way: [kinds[i] for i in order]})
        np.testing.assert_allclose(after.ends, before.ends, atol=1e-12)
    np.testing.assert_allclose(mean([values[i] for i in order]).ends, mean(values).ends, atol=1e-12)


@given(values=MANY)
def test_ends_survive_json(values):
    """A record keeps every interval, so a verdict can be set later at another level."""
    cells = np.outer(values, [1, 0.5, 0])
    kinds = [i % 2 for i in range(len(values))]
    for found in (
        share(np.array(values) > 0.5),
        mean(values, bounds=SHARES),
        mean(values, within=kinds),
        mean(values, strata=kinds),
        ratio(np.array(values) + 1),
        ratio(np.array(values) + 1, within=kinds),
        crossed(cells, bounds=SHARES),
    ):
        back = Estimate(**json.loads(json.dumps(dataclasses.asdict(found))))
        assert back == found and len(back.ends) == len(statistics.LEVELS)


# Claims and controls


def of_score(part):
    return mean(part["score"])


def test_a_contrast_with_mappings():
    found = contrast("a", TABLE, "problem", of_score, of={"rho": 1.0}, against={"rho": 0.5})
    assert found == {
        "a-stripes": (statistics.mean([0.9, 0.8]), statistics.mean([0.1, 0.2])),
        "a-digits": (statistics.mean([0.6, 0.7]), statistics.mean([0.4, 0.3])),
    }
    assert list(found) == ["a-stripes", "a-digits"], "in the order in which they come"


def test_a_contrast_with_tables_of_their_own():
    other = TABLE.assign(score=TABLE["score"] + 1).query("problem == 'digits'")
    found = contrast("a", TABLE, "problem", of_score, of=TABLE, against=other)
    assert found["a-digits"][1] == statistics.mean([1.6, 1.4, 1.7, 1.3])
    assert found["a-stripes"] == (
        statistics.mean([0.9, 0.1, 0.8, 0.2]),
        Nobody("0 networks qualify; an interval needs 2"),
    )


def test_a_contrast_by_two_columns():
    found = contrast("a", TABLE, ["architecture", "problem"], of_score, of={}, against={"rho": 1.0})
    assert list(found) == [
        "a-paper-cnn-stripes", "a-mlp-stripes", "a-paper-cnn-digits", "a-mlp-digits",
    ]  # fmt: skip
    assert found["a-mlp-digits"][0] == statistics.mean([0.7, 0.3])
    assert isinstance(found["a-mlp-digits"][1], Nobody)


def test_a_contrast_by_numbers_that_are_rounded():
    table = TABLE.assign(rho=np.where(TABLE["rho"] == 1, 0.3, 0.1))
    other = table.assign(rho=table["rho"].replace(0.3, 0.1 + 0.2), score=TABLE["score"] / 2)
    found = contrast("a", table, "rho", of_score, of={}, against=other)
    assert set(found) == {"a-0-3", "a-0-1"}
    assert found["a-0-3"][1].value == pytest.approx(found["a-0-3"][0].value / 2)


# Figures and prose


def test_a_summary_has_an_interval_a_group():
    table = pd.concat([TABLE, pd.DataFrame([{"problem": "one", "score": 0.5}])])
    table = pd.concat([table, pd.DataFrame([{"problem": "none", "score": NAN}] * 3)])
    found = summary(table, "problem", "score", name="mean")
    assert list(found) == ["problem", "mean", "low", "high"]
    assert found["problem"].tolist() == ["stripes", "digits", "one", "none"]
    wanted = statistics.mean([0.6, 0.4, 0.7, 0.3])
    assert found.iloc[1, 1:].tolist() == [wanted.value, wanted.low, wanted.high]
    np.testing.assert_array_equal(found.iloc[2, 1:].astype(float), [0.5, NAN, NAN])
    np.testing.assert_array_equal(found.iloc[3, 1:].astype(float), [NAN, NAN, NAN])


def test_a_summary_with_another_measure():
    found = summary(TABLE, ["problem", "rho"], "score", measure=lambda v: share(v > 0.5))
    assert list(found) == ["problem", "rho", "value", "low", "high"]
    assert found["value"].tolist() == [1, 0, 1, 0]
    assert found["low"][0] == statistics.proportion([True, True]).low
    empty = summary(TABLE[:0], "problem", "score")
    assert list(empty) == ["problem", "value", "low", "high"] and len(empty) == 0


def test_numbers_for_the_prose():
    assert said(TABLE, "architecture", "score") == {
        "score_paper_cnn": pytest.approx(0.5),
        "score_mlp": pytest.approx(0.5),
    }
    found = said(TABLE, ["problem", "rho"], ["score", "seed"], measure=pd.Series.max)
    assert found["score_stripes_1_0"] == 0.9 and found["seed_digits_0_5"] == 1
    assert len(found) == 8 and all(isinstance(value, float) for value in found.values())


def test_what_an_interval_needs():
    assert evidence.too_few(1, "inputs") == Nobody("1 inputs qualify; an interval needs 2", 1)


def test_pooled_ratios_that_are_all_equal_are_as_unsure_as_plain_ones():
    """An unseen ratio is a factor of two off, whatever the unit of the sizes."""
    equal, names = [1000.0] * 10, ["MLP", "CNN"] * 5
    plain, strata = evidence.ratio(equal), evidence.ratio(equal, strata=names)
    assert [strata.low, strata.high] == pytest.approx([plain.low, plain.high])
    clusters = evidence.ratio(equal, within=names)
    few = evidence.ratio([1000.0] * 2)
    assert [clusters.low, clusters.high] == pytest.approx([few.low, few.high])
