"""What is said of the main paper's own networks, from tables of audits."""

from pathlib import Path

import pandas as pd
import pytest

from falsestruct.deployed import released
from falsestruct.press.notebook.stated import judge, read_claims
from falsestruct.press.paths import Book
from falsestruct.statistics import Nobody

STATED = read_claims(Book(Path(__file__).parents[2]))


def judged(claims):
    return {id: judge(STATED[id], *pair) for id, pair in claims.items()}


def audits(false, without, count=500):
    """Of the networks in the order of their numbers, shares of the false structure."""
    shares = dict(zip(("010", "030", "036"), false, strict=True))
    shares |= dict(zip(("034", "035"), without, strict=True))
    ends = {f"{name}{end}": 0.5 for name in ("success", "original", "false")
            for end in ("", "_low", "_high")}  # fmt: skip
    return pd.DataFrame([
        ends | {"network": f"models/run_{run}/ckpt", "verdict": "none", "shuffled": mixed,
                "problem": "stripes" if run == "010" else "oscillation", "every": run == "010",
                "agreeing": 60, "conflicts": 60 if run == "010" else count,
                "false": 0.5 if mixed else share}
        for mixed in (False, True) for run, share in sorted(shares.items())
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("false", "without", "verdict"),
    [
        ((1, 1, 1), (0, 0.2), "supported"),
        ((1, 1, 0.2), (0, 0.2), "refuted"),
        ((0.2, 1, 1), (0, 0.2), "refuted"),
        ((1, 1, 1), (0, 1), "inconclusive"),  # then even networks without a hint follow it
    ],
)
def test_released(false, without, verdict):
    assert judged(released.claims(audits(false, without))) == {"released-false": verdict}


def test_of_equal_shares_the_least_sure_counts():
    found, control = released.claims(audits((1, 1, 1), (0, 0.2)))["released-false"]
    assert found.n == 500 and found.low < 1  # of stripes all there are were asked: exact
    assert control.value == 0.2
    own, _ = released.claims(audits((0.95, 1, 1), (0, 0)))["released-false"]
    assert (own.low, own.value, own.high, own.n) == (0.95, 0.95, 0.95, 60)
    gone = audits((1, 1, 1), (0, 0)).iloc[1:]
    assert isinstance(released.claims(gone)["released-false"][0], Nobody)
    longer = audits((1, 1, 1), (0, 0))
    longer["network"] = longer["network"].str.replace("run_010", "run_0101")
    assert isinstance(released.claims(longer)["released-false"][0], Nobody)  # another run


def test_the_table_of_released_networks():
    shown = released.shown(audits((1, 1, 1), (0, 0)))
    assert list(shown.index) == ["030", "034", "035", "036", "010"]
    assert shown["sides with the original"]["030"] == "50.0% [50.0%, 50.0%]"
    assert shown["sides with the original"]["010"] == "50.0%"
    assert shown["disagree"]["010"] == "60 (all)" and shown["disagree"]["034"] == "500"


def test_for_the_prose():
    table = audits((1, 1, 1), (0, 0))
    table.loc[table["network"].str.contains("010"), "success"] = 0.95
    table.loc[table["network"].str.contains("035"), "success"] = 0.8
    table.loc[table["shuffled"], "verdict"] = ["colour", "constant", "none", "mixture", "hint"]
    told = {"right_035": 0.8, "named_shuffled": 2, "networks": 5, "agree_010": 60, "wrong_010": 3}
    assert released.said(table) == told | {"most_shuffled": 0.5}
