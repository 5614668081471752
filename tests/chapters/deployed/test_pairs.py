"""Files side by side: other verdicts, and the same meaning."""

import hashlib

import pandas as pd
import pytest

from falsestruct.chapters.deployed import pairs
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
    row = pairs.row(File("1001", "Python", "made", PYTHON), hasty)
    assert (row["before"], row["after"]) == ("python", "c") and row["put_in"] == 1024
    assert row["meaning"] == hashlib.sha256(repr(meaning("Python", PYTHON)).encode()).hexdigest()
    assert "#include" in row["second"] and "#include" not in row["first"]
    assert row["tree"].strip("'\"").startswith("Module")
    assert pairs.row(File("1", "Python", "made", PYTHON), worlds.parser) is None
    assert pairs.row(File("1", "Python", "made", PYTHON), lambda f: ["txt"]) is None


def test_files_that_mean_different_things_are_not_shown(monkeypatch):
    other = made.made("Python", 1002, made.Plan())
    monkeypatch.setattr(pairs, "changed", lambda file, ask: (other, "c"))
    with pytest.raises(ValueError, match="unpack"):
        pairs.row(File("1001", "Python", "made", PYTHON), hasty)


def test_what_differs_is_shown(monkeypatch):
    data = b'{"a": "' + b"x" * 400 + b'",\n "b": 1}'
    after = data.replace(b",\n", b",\n\n\n\n\n")
    monkeypatch.setattr(pairs, "changed", lambda file, ask: (after, "txt"))
    row = pairs.row(File("1", "JSON", "made", data), lambda files: ["json"])
    assert row["second"].endswith('x",⏎×5\n "b": 1}') and row["first"].endswith('x",\n "b": 1}')
    page = pairs.text(pd.DataFrame([row | {"change": "new lines"}]))
    assert f"`{row['meaning'][:16]}…`" in page and "⏎×5" in page and "4 bytes of new lines" in page


def test_one_of_each_type(monkeypatch):
    class Network:
        def labels(self, files):
            return hasty(files)

    monkeypatch.setattr(pairs.filetypes, "FileTypes", Network)
    monkeypatch.setattr(pairs.runs, "asked_who", lambda: {"model": "by hand", "hash": "0"})
    table = pairs.shown(count=2)
    assert table["kind"].is_unique and {"JSON", "Python"} <= set(table["kind"])
    assert set(table["change"]) == {"new lines", "comments"}
    assert table["meaning"].str.len().eq(64).all() and table["model"].eq("by hand").all()


@pytest.mark.parametrize("kind", [*pairs.DATA, *pairs.CODE])
def test_every_type_says_how_it_is_changed(kind):
    assert pairs.CHANGED[kind] in ("new lines", "comments")
