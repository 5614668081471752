"""From tables to estimates: exact values, and one meaning of "nobody qualifies"."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct import evidence, statistics
from falsestruct.evidence import Nobody, contrast, crossed, mean, ratio, said, share, summary, where

NETWORKS = pd.DataFrame({
    "problem": ["b", "b", "b", "b", "a", "a", "a", "a"],
    "rho": [1.0, 1.0, 0.5, 0.5] * 2,
    "seed": [0, 1] * 4,
    "capture": [0.9, 1.0, 0.1, 0.3, 0.8, 0.6, 0.0, 0.2],
    "size": [1.0, 4.0, 2.0, 2.0, 1.0, 1.0, 3.0, np.nan],
})  # fmt: skip
NAMES = ["MLP", "MLP", "CNN", "CNN", "CNN"]
VALUES = [0.1, 0.3, 0.8, 0.9, 1.0]


def test_where_takes_values_lists_and_conditions():
    assert where(NETWORKS, problem="a", rho=0.5)["capture"].tolist() == [0.0, 0.2]
    assert where(NETWORKS, problem=["a", "b"]).equals(NETWORKS)
    assert where(NETWORKS, capture=lambda c: c >= 0.9)["seed"].tolist() == [0, 1]
    assert where(NETWORKS, rho=0.1 + 0.2 + 0.2).shape[0] == 4  # 0.5 but for rounding
    with pytest.raises(ValueError, match="no column 'roh'; the table has problem, rho"):
        where(NETWORKS, roh=1.0)


def test_the_interval_is_that_of_the_design():
    true = [True, False, True, True, True]
    assert share(true) == statistics.proportion(true)
    assert mean(VALUES) == statistics.mean(VALUES)
    assert mean(VALUES, bounds=(0, 1)) == statistics.mean(VALUES, bounds=(0, 1))
    assert mean(VALUES, within=NAMES) == statistics.clustered(VALUES, NAMES)
    assert mean(VALUES, strata=NAMES) == statistics.stratified(VALUES, NAMES)
    as_numbers = [1.0, 0.0, 1.0, 1.0, 1.0]
    assert share(true, within=NAMES) == statistics.clustered(as_numbers, NAMES, bounds=(0, 1))
    assert share(true, strata=NAMES) == statistics.stratified(as_numbers, NAMES, bounds=(0, 1))
    assert ratio(VALUES) == statistics.geometric_mean(VALUES)
    cells = np.array([[1.0, 0.0, np.nan], [1.0, 1.0, 0.0]])
    assert crossed(cells, bounds=(0, 1)) == statistics.two_way(cells, bounds=(0, 1))


def test_one_stratum_is_a_plain_sample():
    assert mean([0.1, 0.2], strata=["MLP", "MLP"]) == statistics.mean([0.1, 0.2])


@given(st.lists(st.floats(0.1, 10), min_size=4, max_size=8))
def test_pooled_ratios_are_means_of_logarithms(values):
    names = ["MLP", "CNN"] * (len(values) // 2) + ["MLP"] * (len(values) % 2)
    logs = statistics.clustered(np.log(values), names)
    found = ratio(values, within=names)
    assert [found.value, found.low, found.high] == pytest.approx(
        np.exp([logs.value, logs.low, logs.high])
    )


def test_who_has_no_value_does_not_count():
    assert mean([0.1, np.nan, 0.3]) == statistics.mean([0.1, 0.3])
    assert ratio([1.0, np.nan, 4.0]) == statistics.geometric_mean([1.0, 4.0])
    known = mean([0.1, np.nan, 0.3, 0.5], within=["MLP", "MLP", "CNN", "CNN"])
    assert known == statistics.clustered([0.1, 0.3, 0.5], ["MLP", "CNN", "CNN"])


def test_nobody_says_how_many_there_were():
    assert share([]) == Nobody("no network qualifies")
    assert mean([0.5, np.nan]) == Nobody("1 networks qualify; an interval needs 2", 1)
    assert ratio([]) == Nobody("0 networks qualify; an interval needs 2", 0)
    one_kind = mean([0.1, 0.2], within=["MLP", "MLP"])
    assert one_kind == Nobody("1 kinds of networks qualify; an interval needs 2", 1)
    alone = mean([0.1, 0.2, 0.3], strata=["MLP", "MLP", "CNN"])
    assert alone == Nobody("1 networks of CNN qualify; an interval needs 2", 1)
    assert crossed(np.full((3, 4), np.nan)).reason.startswith("0 networks qualify")
    assert crossed(np.array([[1.0], [0.0]])).reason.startswith("1 inputs qualify")


def test_ratios_are_of_positive_numbers():
    with pytest.raises(ValueError, match=r"smallest value is 0\.0; expected positive"):
        ratio([1.0, 0.0])


def test_the_extreme_leaves_groups_without_networks_out():
    low, high = statistics.mean([0.1, 0.2]), statistics.mean([0.8, 0.9])
    assert evidence.extreme([low, Nobody("none"), high]) == high
    assert evidence.extreme([high, low], min) == low
    assert evidence.extreme([Nobody("none")]) == Nobody("no group has enough networks")


def test_contrast_makes_a_claim_a_group_in_their_order():
    def capture(part):
        return mean(part["capture"], bounds=(0, 1))

    found = contrast("success", NETWORKS, "problem", capture, of={"rho": 1.0}, against={"rho": 0.5})
    assert list(found) == ["success-b", "success-a"]
    assert found["success-a"] == (
        statistics.mean([0.8, 0.6], bounds=(0, 1)), statistics.mean([0.0, 0.2], bounds=(0, 1)),
    )  # fmt: skip
    tables = contrast(
        "success", NETWORKS, ["problem"], capture, of=where(NETWORKS, rho=1.0),
        against=where(NETWORKS, rho=0.5),
    )  # fmt: skip
    assert tables == found


def test_a_group_that_nobody_is_in_has_a_claim_all_the_same():
    found = contrast(
        "success", NETWORKS, "problem", lambda part: share(part["capture"] > 0.5),
        of={"capture": lambda c: c > 0.85}, against={"rho": 0.5},
    )  # fmt: skip
    assert found["success-a"][0] == Nobody("no network qualifies")


def test_a_summary_has_a_row_a_group_with_its_interval():
    table = summary(NETWORKS, ["problem", "rho"], "size", name="mean")
    assert table.columns.tolist() == ["problem", "rho", "mean", "low", "high"]
    assert table[["problem", "rho"]].values.tolist() == [["b", 1], ["b", 0.5], ["a", 1], ["a", 0.5]]
    expected = statistics.mean([1.0, 4.0])
    assert table.iloc[0, 2:].tolist() == [expected.value, expected.low, expected.high]
    assert table.iloc[3, 2] == 3.0  # one network has a value
    assert table.iloc[3, 3:].isna().all()  # and no interval


def test_what_is_said_is_a_plain_mean_by_name():
    found = said(NETWORKS, "problem", ["capture", "size"])
    assert list(found) == ["capture_b", "size_b", "capture_a", "size_a"]
    assert found["capture_b"] == pytest.approx(0.575)
    assert found["size_a"] == pytest.approx(5 / 3)
    renamed = NETWORKS.assign(
        problem=NETWORKS["problem"].map({"a": "paper's CNN", "b": "deep-MLP"})
    )
    worst = said(renamed, "problem", "capture", measure=pd.Series.max)
    assert worst == {"capture_deep_mlp": 1.0, "capture_paper_cnn": 0.8}
