"""Near copies in either order, and makers of two names."""

from pathlib import Path

import pandas as pd
import pytest

from falsestruct.deployed import twins
from falsestruct.press.paths import Book
from falsestruct.press.run import records

BOOK = Book(Path(__file__).parents[2])


def words(start, stop):
    return b" ".join(b"w%d" % i for i in range(start, stop))


SHORT, LONG, FAR = words(0, 40), words(0, 400), words(900, 1000)


@pytest.mark.parametrize("first", [SHORT, LONG])
def test_a_short_file_inside_of_a_long_one_is_a_near_copy_in_either_order(first):
    second = LONG if first is SHORT else SHORT
    files = [first, second, FAR]
    found = twins.near(["C"] * 3, ["sealed"] * 3, files, list("abc"))
    assert found == ["", "a", ""]
    assert twins.near(["C", "JSON", "C"], ["sealed"] * 3, files, list("abc")) == ["", "", ""]
    assert twins.near(["C"] * 3, ["sealed", "open", "sealed"], files, list("abc"))[0] == "b"


def row(maker, source="", path="/nowhere/x", **more):
    return {
        "maker": maker,
        "source": source or f"folder:{maker}",
        "path": path,
        "licence": "MIT",
    } | more


def test_makers_that_are_one(tmp_path):
    (tmp_path / "package.json").write_text('{"repository": "Me/it"}')
    table = pd.DataFrame([
        row("github.com/nucleic."), row("npm-it", path=tmp_path / "lib" / "a.json"),
        row("github.com/you", path=tmp_path / "a.json"), row("pygments", "debian:pygments"),
        row("github.com/pygments", "folder:python-pygments"), row("libcommons-cli-java"),
        row("maven"), row("build-helper-maven-plugin"), row("gtk+3.0"), row("gnome-pie"),
    ])  # fmt: skip
    assert twins.owners(table) == [
        "github.com/nucleic", "github.com/me", "github.com/you", "github.com/pygments",
        "github.com/pygments", twins.APACHE, twins.APACHE, "build-helper-maven-plugin",
        twins.GNOME, "gnome-pie",
    ]  # fmt: skip


def test_sealed_files_that_count():
    table = pd.DataFrame({
        "file": list("abcdef"), "kind": ["C", "C", "C", "XML", "C", "C"],
        "half": ["open", *["sealed"] * 5], "owner": ["me", "me", "you", "you", "you", "they"],
        "near": ["b", "", "", "", "", "a"],
    })  # fmt: skip
    table = table.assign(counts=twins.counting(table))
    assert table["counts"].tolist() == [True, False, True, True, False, False]
    assert twins.without(pd.DataFrame({"file": list("fabbc")}), table)["file"].tolist() == [
        "a",
        "c",
    ]


def test_a_licence_s_text_is_no_name():
    table = pd.DataFrame([
        row(str(i), licence=said, sha256=str(i), type="C", half="sealed")
        for i, said in enumerate(("GPL-2+", "=====", "This is free software", "Apache-2.0"))
    ])  # fmt: skip
    files = [words(100 * i, 100 * i + 50) for i in range(4)]
    found = twins.listed(table, files)
    assert found["licence"].tolist() == ["GPL-2+", "a text", "a text", "Apache-2.0"]
    assert found["counts"].all() and found["file"].tolist() == list("0123")


def test_the_book_s_list_follows_its_own_rule():
    table = records.load("deployed-twins", book=BOOK).table
    assert (table["counts"] == twins.counting(table)).all()
    assert table.loc[table["half"] == "open", "counts"].all()
    kept = table[table["counts"] & (table["half"] == "sealed")]
    opened = set(table.loc[table["half"] == "open", "owner"])
    assert not set(kept["owner"]) & opened and (kept["near"] == "").all()
    assert not kept.duplicated(["kind", "owner"]).any()
    assert {"github.com/nucleic", twins.APACHE} <= set(table.loc[~table["counts"], "owner"])
