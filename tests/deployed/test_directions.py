"""Lines of text before readers by hand: what each claim needs to come out, or not to."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from falsestruct.deployed import directions
from falsestruct.deployed.reading import CHANGES, KINDS
from falsestruct.press.notebook.stated import judge, read_claims
from falsestruct.press.paths import Book

STATED = read_claims(Book(Path(__file__).parents[2]))
FAMILIES = [str(i) for i in range(24)]


def verdicts(table, crops=None, smallest=None, script="Latin"):
    """Of the claims of one script; the other's numbers are these, too."""
    both = [pd.concat([part.assign(script=name) for name in directions.SCRIPTS])
            for part in (table, crops if crops is not None else cut(),
                         smallest if smallest is not None else changed())]  # fmt: skip
    found = directions.claims(*both)
    own = {id: pair for id, pair in found.items() if id.startswith(script.lower())}
    return {id.split("lines-")[1]: judge(STATED[id], *pair) for id, pair in own.items()}


def read(right):
    """A table as `asked` makes it, for a reader that is right with these shares."""
    rows = []
    for kind in (*KINDS["Latin"], "ink high", "ink low"):
        for change in CHANGES if kind == "words" else ("even",):
            share = (
                right.get(change, right.get(kind, 1.0)) if kind == "words" else right.get(kind, 1.0)
            )
            rows += [{"script": "Latin", "family": family, "kind": kind, "change": change,
                      "turned": way, "right": share, "lines": 10, "foretold": 0.5}
                     for family in FAMILIES for way in (False, True)]  # fmt: skip
    return pd.DataFrame(rows)


def cut(boxes=0.5, overline=1.0, rule=1.0):
    shares = {("words", "even"): 1.0, ("boxes", "even"): boxes,
              ("words", "overline"): overline, ("words", "rule right"): rule}  # fmt: skip
    return pd.DataFrame([
        {"family": family, "kind": kind, "change": change, "turned": way, "right": share,
         "lines": 10, "found": 1.0}
        for (kind, change), share in shares.items() for family in FAMILIES for way in (False, True)
    ])  # fmt: skip


def changed(small=1.0, noise=0.0, ratio=0.02, noisy=0.9):
    return pd.DataFrame([
        {"family": family, "bar": bar, "turned": way, "small flips": small,
         "noise flips": noise, "ratio": ratio, "noise ratio": noisy}
        for family in FAMILIES for way in (False, True) for bar in (0.5, 0.9)
    ])  # fmt: skip


BLIND = {"boxes": 0.5, "alike boxes": 0.5, "hung boxes": 0.5, "alternated": 0.5}


def test_who_reads_letters_and_nothing_else():
    found = verdicts(read(BLIND))
    assert (
        found.pop("margin") == found.pop("overline") == found.pop("cropped-overline") == "refuted"
    )
    assert set(found.values()) == {"supported"} and len(found) == 9


def test_who_reads_boxes_says_nothing_about_letters():
    found = verdicts(read({}), cut(boxes=1.0), changed(noise=1.0, noisy=0.02))
    blind = {"read", "alike", "mirrored", "letters", "hung", "cropped", "smallest", "distance"}
    assert {name for name, verdict in found.items() if verdict == "inconclusive"} == blind


@pytest.mark.parametrize(
    ("right", "margin", "overline"),
    [
        ({"margin above": 0.5, "overline": 0.5}, "supported", "supported"),
        ({"margin above": 0.5, "margin both": 0.5, "overline": 0.5, "rule right": 0.5},
         "inconclusive", "inconclusive"),
        ({"margin both": 0.5, "rule right": 0.5}, "inconclusive", "inconclusive"),
    ],
)  # fmt: skip
def test_who_minds_what_stands_above(right, margin, overline):
    found = verdicts(read({**BLIND, **right}))
    assert (found["margin"], found["overline"]) == (margin, overline)
    assert verdicts(read(BLIND), cut(overline=0.5))["cropped-overline"] == "supported"
    assert verdicts(read(BLIND), cut(overline=0.5, rule=0.5))["cropped-overline"] == "inconclusive"


def test_large_changes_refute_small_ones():
    found = verdicts(read(BLIND), smallest=changed(small=0.0, ratio=0.5))
    assert found["smallest"] == found["distance"] == "refuted"


def test_chinese_has_the_claims_that_are_not_about_letters():
    found = verdicts(read(BLIND), script="Chinese")
    assert len(found) == 9 and not {"letters", "hung", "height"} & found.keys()


def test_all_claims_about_lines_are_decided():
    both = [pd.concat([part.assign(script=name) for name in directions.SCRIPTS])
            for part in (read(BLIND), cut(), changed())]  # fmt: skip
    assert directions.claims(*both).keys() == {id for id in STATED if "-lines-" in id}


def test_shares_are_over_lines_and_then_over_families():
    table = pd.DataFrame({"family": ["a", "a", "b"], "right": [1.0, 0.0, 0.5], "lines": [30, 10, 7],
                          "turned": False})  # fmt: skip
    assert directions.share(table).value == pytest.approx((0.75 + 0.5) / 2)


def test_what_the_text_names():
    table = changed().assign(script="Latin", size=2.0, clean="")
    table.loc[table["bar"] == 0.5, "size"] = 1.0
    table.loc[table.index[:12], "size"] = np.nan
    table = pd.concat([table, table.assign(script="Chinese", size=3.0)])
    crops = pd.concat([cut().assign(script=name) for name in directions.SCRIPTS])
    crops.loc[crops["script"] == "Latin", "found"] = 0.5
    found = directions.numbers(crops, table)
    assert (found["latin_size"], found["latin_half"], found["chinese_size"]) == (2, 1, 3)
    assert (found["latin_found"], found["chinese_found"]) == (0.5, 1)
    assert found["latin_some"] == 42 / 48 and found["chinese_some"] == 1


def test_lines_whose_pictures_were_kept_are_shown():
    table = changed().assign(script="Latin", size=1.0, clean="", changed="")
    table.loc[table.index[[3, 6]], "clean"] = ["of .9", "of .5"]
    assert list(table.loc[table.index[[3, 6]], "bar"]) == [0.9, 0.5]
    assert directions.shown(table)["clean"].tolist() == ["of .9"]
