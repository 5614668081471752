"""What is asked of a reader, with readers by hand."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.deployed import measure
from falsestruct.chapters.deployed.measure import Change, File, changed, changes, court
from falsestruct.deployed import filetypes
from falsestruct.deployed.parsers import accepted, meaning
from tests.deployed.files import FILES
from tests.worlds import deployed as worlds


def own(kind):
    return File("name", kind, "sealed", FILES[kind])


@pytest.mark.parametrize("kind", ["JSON", "XML", "CSV"])
def test_every_change_is_proved_or_missing(kind):
    missing = 0
    for change in changes(kind):
        after = changed(own(kind), change)
        if after is None:
            missing += 1
        elif change.arm == "destroyed":
            assert not accepted(kind, after)
        elif change.arm == "inside":
            assert accepted(kind, after)
        else:
            assert meaning(kind, after) == meaning(kind, FILES[kind])
    assert missing < 0.25 * len(list(changes(kind)))
    arms = {change.arm for change in changes(kind)}
    more = {"JSON": {"destroyed", "filled", "random"}, "XML": {"destroyed", "filled", "random"}}
    assert arms == {"plain", "small", "inside"} | more.get(kind, set())


def test_the_court_knows_the_parser_from_the_surface():
    files = worlds.sealed(2)
    files = [file for file in files if file.kind in ("JSON", "XML")]
    strict = court(files, worlds.parser)
    fell = strict[strict["arm"] == "destroyed"]
    assert (fell["kept"].dropna() == 0).all() and set(fell["outcome"].dropna()) >= {"declined"}
    kept = strict[strict["arm"].isin(["small", "filled", "random"])]["kept"].dropna()
    assert len(kept) > 50 and (kept == 1).all()
    looks = court(files, worlds.surface)
    assert looks[looks["way"] == "closer"]["kept"].eq(1).all()
    full = looks[(looks["way"] == "newlines") & (looks["amount"] == measure.FULL)]
    assert full["kept"].eq(0).all()
    assert set(strict["half"]) == {"open", "sealed"} and strict["file"].nunique() == 4


def test_a_file_that_is_misread_is_not_changed():
    table = court([own("JSON")], lambda files: ["txt"] * len(files))
    assert len(table) == 1 and table["arm"][0] == "plain" and table["outcome"][0] == "declined"


def test_a_change_that_a_file_does_not_admit_has_no_verdict():
    file = File("x", "JSON", "sealed", b'"alone"')
    table = court([file], lambda files: ["json"] * len(files))
    row = table[table["way"] == "separators"].iloc[0]
    assert pd.isna(row["label"]) and math.isnan(row["kept"])


def test_lengths_are_of_the_same_seeds():
    def hasty(files):
        return ["txt" if len(data) < 1500 and b"\n" * 40 in data else label
                for data, label in zip(files, worlds.parser(files), strict=True)]  # fmt: skip

    table = measure.lengths(1, hasty)
    means = table.groupby("size")["kept"].mean()
    assert means[measure.SHORT] == 0 and means[measure.LONG] == 1
    assert table.groupby(["size", "words"])["file"].nunique().eq(1).all()


def test_flips_of_data_alone():
    def hasty(files):
        return ["txt" if b"\n" * 6 in data else "json" for data in files]

    table = measure.flips([own("JSON"), own("Python")], hasty, queries=120)
    assert table["kind"].tolist() == ["JSON"] and 4 <= table["found"][0] <= 6
    table = measure.flips([own("JSON")], lambda files: ["json"] * len(files), queries=120)
    assert math.isnan(table["found"][0]) and table["asked"][0] == 120


def test_two_files_side_by_side_mean_the_same():
    def hasty(files):
        return ["txt" if b"\n" * 6 in data else "json" for data in files]

    table = measure.side_by_side([own("JSON"), own("Python")], hasty, queries=120)
    row = table.iloc[0]
    assert len(table) == 1 and (row["before"], row["after"]) == ("json", "txt")
    assert row["first"] != row["second"] and len(row["meaning"]) == 64
    assert measure.side_by_side([own("JSON")], lambda f: ["json"] * len(f), queries=50).empty


def test_windows(monkeypatch):
    config = filetypes.Config(1024, 1024, 4096, 8, 256, (), {}, 0.5, {}, frozenset())
    monkeypatch.setattr(filetypes, "config", lambda: config)
    outside, inside = measure.windows(2, seed=1)
    assert not outside.any() and inside.all() and len(inside) == 2 * len(worlds.KINDS)
    wide = replace(config, first=9000)  # a network that read on would be found out
    monkeypatch.setattr(filetypes, "config", lambda: replace(wide, block=6000))
    monkeypatch.setattr(filetypes, "window", lambda data, _: np.frombuffer(data[:7000], np.uint8))
    assert measure.windows(2, seed=1)[0].any()


def test_changes_are_those_that_claims_name():
    every = list(changes("Python"))
    assert len(set(every)) == len(every) > 45
    assert Change("inside", "", measure.MANY) in every
    assert Change("filled", "other language", measure.FULL) in every
