"""Files side by side: other verdicts, and the same meaning."""

import hashlib

import pytest

from falsestruct.chapters.deployed import measure, pairs
from falsestruct.chapters.deployed.measure import File
from falsestruct.deployed import made
from falsestruct.deployed.parsers import meaning
from tests.worlds import deployed as worlds

PYTHON = made.made("Python", 1001, made.Plan())


def hasty(files):
    """Takes what has many C includes for C, and many empty lines for text."""
    return ["c" if data.count(b"#include") > 4 else "txt" if b"\n" * 6 in data else label
            for data, label in zip(files, worlds.parser(files), strict=True)]  # fmt: skip


def test_the_smallest_share_that_flips_and_what_both_mean():
    table = pairs.commented([File("1001", "Python", "made", PYTHON)], hasty)
    row = table.iloc[0]
    assert (row["before"], row["after"]) == ("python", "c") and row["put_in"] == 1024
    assert row["meaning"] == hashlib.sha256(repr(meaning("Python", PYTHON)).encode()).hexdigest()
    assert "#include" in row["second"] and "#include" not in row["first"]
    assert pairs.commented([File("1", "Python", "made", PYTHON)], worlds.parser).empty
    assert pairs.commented([File("1", "Python", "made", PYTHON)], lambda f: ["txt"]).empty


def test_one_of_each_type(monkeypatch):
    class Network:
        def labels(self, files):
            return hasty(files)

    monkeypatch.setattr(pairs.filetypes, "FileTypes", Network)
    monkeypatch.setattr(pairs.runs, "asked_who", lambda: {"model": "by hand", "hash": "0"})
    monkeypatch.setattr(measure, "QUERIES", 80)
    table = pairs.shown(count=2)
    assert table["kind"].is_unique and {"JSON", "Python"} <= set(table["kind"])
    assert set(table["change"]) == {"new lines", "comments"}
    assert table["meaning"].str.len().eq(64).all() and table["model"].eq("by hand").all()


@pytest.mark.parametrize("kind", [*pairs.DATA, *pairs.CODE])
def test_every_type_says_how_it_is_changed(kind):
    assert pairs.CHANGED[kind] in ("new lines", "comments")
