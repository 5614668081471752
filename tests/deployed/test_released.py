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


def audits(false, shuffled, count=500):
    """Of the networks in the order of their numbers, shares of the false structure."""
    names = [f"models/run_{number}/ckpt" for number in ("010", "030", "034", "036")]
    ends = {f"{name}{end}": 0.5 for name in ("success", "original", "false")
            for end in ("", "_low", "_high")}  # fmt: skip
    return pd.DataFrame([
        ends | {"network": name, "problem": "stripes" if i == 0 else "oscillation",
                "verdict": "none", "shuffled": mixed, "agreeing": 9,
                "conflicts": 60 if i == 0 else count, "false": share}
        for mixed, shares in ((False, false), (True, shuffled))
        for i, (name, share) in enumerate(zip(names, shares, strict=True))
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("false", "shuffled", "verdict"),
    [
        ((1, 1, 0, 1), (0.5, 0.4, 0.9, 0.5), "supported"),  # run 034 doesn't count
        ((1, 1, 0, 0.2), (0.5, 0.4, 0.5, 0.5), "refuted"),
        ((1, 1, 0, 1), (0.5, 0.4, 0.5, 1), "inconclusive"),
    ],
)
def test_released(false, shuffled, verdict):
    assert judged(released.claims(audits(false, shuffled))) == {"released-false": verdict}


def test_of_equal_shares_the_least_sure_counts():
    found, _ = released.claims(audits((1, 1, 0, 1), (0.5,) * 4))["released-false"]
    assert found.n == 60
    gone = audits((1, 1, 0, 1), (0.5,) * 4).iloc[1:]
    assert isinstance(released.claims(gone)["released-false"][0], Nobody)


def test_the_table_of_released_networks():
    shown = released.shown(audits((1, 1, 0, 1), (0.5,) * 4))
    assert list(shown.index) == ["030", "034", "036", "010"]
    assert shown["sides with the original"]["030"] == "50.0% [50.0%, 50.0%]"
    assert shown["disagree"]["010"] == 60


def test_for_the_prose():
    table = audits((1, 1, 0, 1), (0.5,) * 4)
    table["network"] = table["network"].str.replace("034", "035")
    table.loc[table["shuffled"], "verdict"] = ["none", "undecided", "mixture", "hint"]
    assert released.said(table) == {"right_035": 0.5, "named_shuffled": 1, "networks": 4}
