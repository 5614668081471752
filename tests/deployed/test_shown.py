"""Tables beside the claims, of worlds whose verdicts are known."""

import pandas as pd
import pytest

from falsestruct.deployed import answers, shown
from tests.worlds import deployed as worlds

LOST = {"destroyed lines": 0.5, "small newlines, head": 0.2, "filled newlines": 0.9}


@pytest.fixture(scope="module")
def court():
    return worlds.table(LOST, others={"words": {}, "libmagic": {"small": 0.1}})


def test_ways_of_destruction(court):
    table = shown.destroyed(court)
    assert table.loc["C", "judged"] == "lines"
    assert table.loc["C", "lines"] == "15 of 30" and table.loc["C", "words"] == "30 of 30"


def test_small_changes_that_are_judged(court):
    row = shown.small(court).loc["JSON"]
    assert (row["change"], row["bytes"]) == ("newlines, head", "8")
    assert (row["open"], row["sealed"], row["letters"]) == ("6 of 30", "6 of 30", "0 of 30")


def test_what_is_said_instead(court):
    other = (court["kind"] == "C") & (court["kept"] == 0)
    table = shown.filled(court.assign(label=court["label"].mask(other, "html")), full=0.75)
    row = table.loc[("newlines", "C")]
    assert (row["files"], row["kept"], row["another type"]) == (30, 3, 27)
    assert row["mostly"] == "html (27)" and row["txt or unknown"] == 0
    assert table.loc[("newlines", "XML"), "txt or unknown"] == 27


def test_files_of_one_name(court, tmp_path):
    files = court.loc[court["half"] == "sealed", "file"].drop_duplicates()
    names = files.map(lambda file: "a/package.json" if file.endswith("1") else "b.json")
    path = tmp_path / "manifest.csv"
    pd.DataFrame({"sha256": files, "name": names}).to_csv(path)
    table = shown.by_name(court, path, full=0.75)
    assert table.loc[("JSON", "package.json"), "read"] == "3 of 3"
    assert table.loc[("JSON", "others"), "small change"] == "5 of 27"
    found = shown.named(table)
    assert found["named_json"] == "3 of 30" and found["json_named"] == "1 of 3"


def test_numbers(court):
    html = court[court["kind"] == "C"].assign(kind="HTML", label="html")
    again = worlds.again(court, raw="txt")
    found = shown.numbers(pd.concat([court, html]), again, full=0.75)
    assert found["html"] == "30 of 30" and found["ini_bytes"] == "30 of 30"
    assert found["own_text"] == f"{15 * 6} of {15 * 6}" and found["below"] == f"0 of {15 * 6}"
    assert found["always"] == pytest.approx(1 - 0.5 / 4) and found["white"] == 1
    assert found["magic_small"] < 0 < found["magic_filled"]


def test_who_speaks_where_a_verdict_fell():
    table = pd.DataFrame({"label": ["txt", "unknown", "txt", "html"],
                          "raw": ["txt", "json", "html", "html"]})  # fmt: skip
    assert answers.itself(table).tolist() == ["text", "declined", "declined", "another type"]


def test_how_many_count():
    twins = pd.DataFrame({"kind": ["XML", "C", "C"], "half": ["sealed", "sealed", "open"],
                          "counts": [False, True, True]})  # fmt: skip
    assert shown.sample(twins) == {"all_sealed": 2, "left_out": 1, "left_out_xml": 1}
