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
                      "turned": way, "right": share, "lines": 10, "foretold": 0.5,
                      "doubt": 0.9 if kind == "boxes" else 0.1, "answer": 0.5, "half": 0.75}
                     for family in FAMILIES for way in (False, True)]  # fmt: skip
    return pd.DataFrame(rows)


def cut(boxes=0.5, overline=1.0, rule=1.0):
    shares = {("words", "even"): 1.0, ("boxes", "even"): boxes,
              ("words", "overline"): overline, ("words", "rule right"): rule}  # fmt: skip
    return pd.DataFrame([
        {"family": family, "kind": kind, "change": change, "turned": way, "right": share,
         "lines": 10, "found": 1.0, "white": 7.0}
        for (kind, change), share in shares.items() for family in FAMILIES for way in (False, True)
    ])  # fmt: skip


def changed(small=1.0, noise=0.0, ratio=0.02, noisy=0.9, other=0.0, order=0.0):
    return pd.DataFrame([
        {"family": family, "bar": 0.9, "turned": way, "small flips": small,
         "noise flips": noise, "ratio": ratio, "noise ratio": noisy, "own flips": small,
         "other flips": other, "order flips": order, "loud": np.nan, "size": 2.0}
        for family in FAMILIES for way in (False, True)
    ])  # fmt: skip


BLIND = {"boxes": 0.5, "alike boxes": 0.5, "hung boxes": 0.5, "small boxes": 0.5,
         "alternated": 0.5, "ends": 0.5}  # fmt: skip


def test_who_reads_letters_and_nothing_else():
    found = verdicts(read(BLIND))
    assert (
        found.pop("margin") == found.pop("overline") == found.pop("cropped-overline") == "refuted"
    )
    assert found.pop("side") == "inconclusive"  # no white costs anything
    assert set(found.values()) == {"supported"} and len(found) == 13


def test_who_reads_boxes_says_nothing_about_letters():
    found = verdicts(read({}), cut(boxes=1.0), changed(noise=1.0, noisy=0.02))
    blind = {"read", "alike", "mirrored", "letters", "hung", "cropped", "smallest", "distance",
             "pieces", "side"}  # fmt: skip
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


@pytest.mark.parametrize(
    ("above", "below", "both", "side"),
    [(0.5, 0.45, 1.0, "supported"), (0.5, 1.0, 1.0, "refuted"), (0.5, 0.5, 0.5, "inconclusive")],
)
def test_who_minds_on_which_side_white_is(above, below, both, side):
    right = {"margin above": above, "margin below": below, "margin both": both}
    assert verdicts(read({**BLIND, **right}))["side"] == side


def test_who_is_sure_of_boxes_is_not_undecided():
    table = read(BLIND)
    table.loc[(table["kind"] == "boxes") & ~table["turned"], "doubt"] = 0.2  # one way is enough
    assert verdicts(table)["undecided"] == "refuted"
    table = read(BLIND)
    table.loc[(table["kind"] == "words") & table["turned"], "doubt"] = 0.9
    assert verdicts(table)["undecided"] == "inconclusive"


def test_large_changes_refute_small_ones():
    found = verdicts(read(BLIND), smallest=changed(small=0.0, ratio=0.5))
    assert found["smallest"] == found["distance"] == "refuted"
    assert found["own-change"] == found["order"] == "inconclusive"  # its own takes nothing
    found = verdicts(read(BLIND), smallest=changed(other=1.0, order=1.0))
    assert found["own-change"] == found["order"] == "refuted"


def test_chinese_has_the_claims_that_are_not_about_letters():
    found = verdicts(read(BLIND), script="Chinese")
    assert len(found) == 13 and not {"letters", "hung", "height", "side"} & found.keys()


def test_all_claims_about_lines_are_decided():
    both = [pd.concat([part.assign(script=name) for name in directions.SCRIPTS])
            for part in (read(BLIND), cut(), changed())]  # fmt: skip
    assert directions.claims(*both).keys() == {id for id in STATED if "-lines-" in id}


def test_shares_are_over_lines_and_then_over_families():
    table = pd.DataFrame({"family": ["a", "a", "b"], "right": [1.0, 0.0, 0.5], "lines": [30, 10, 7],
                          "turned": False})  # fmt: skip
    assert directions.share(table).value == pytest.approx((0.75 + 0.5) / 2)


def test_what_the_text_names():
    table = read({"margin above": 0.25, "margin below": 0.5, "mirrored": 0.75, "alike": 0.125})
    table.loc[(table["kind"] == "alike") & table["turned"], "right"] = 1.0
    table = pd.concat([table.assign(script=name) for name in directions.SCRIPTS])
    small = changed().assign(script="Latin")
    small.loc[small.index[:12], "size"] = np.nan
    small.loc[small["turned"], "loud"] = 60.0
    small = pd.concat([small, small.assign(script="Chinese", size=3.0)])
    crops = pd.concat([cut().assign(script=name) for name in directions.SCRIPTS])
    crops.loc[crops["script"] == "Latin", "found"] = 0.5
    crops.loc[crops.index[:1], "white"] = 9.0
    found = directions.numbers(table, crops, small)
    assert (found["latin_found"], found["chinese_found"], found["latin_white"]) == (0.5, 1, 9)
    assert (found["latin_above"], found["latin_below"], found["latin_both"]) == (0.25, 0.5, 1)
    assert (found["latin_upright"], found["latin_topped"]) == (0.75, 0.75)
    assert found["chinese_alike"] == 0.125 and found["latin_boxes"] == 0.5
    assert found["latin_some"] == 36 / 48 and found["chinese_some"] == 1
    assert (found["latin_noisy_turned"], found["latin_noisy_upright"]) == (1, 0)
    assert found["latin_loud"] == 60 and found["latin_lines"] == 48


def test_sizes_are_middle_ones_of_families():
    table = changed().assign(script="Latin")
    table = pd.concat([table, table.assign(size=2.5), table.assign(size=100.0)])
    table.loc[table["turned"], "size"] = 4.0
    found = directions.sizes(table)
    assert found[["way", "lines", "size"]].to_numpy().tolist() == [
        ["upright", 72, 2.5], ["turned", 72, 4.0]]  # fmt: skip
    assert (found["from"] <= found["size"]).all() and (found["to"] >= found["size"]).all()


def test_lines_whose_pictures_were_kept_are_shown():
    table = changed().assign(script="Latin", clean="", changed="", before=0.0, after=0.9)
    table.loc[table.index[3], "clean"] = "kept"
    own = directions.shown(table)
    assert own["clean"].tolist() == ["kept"] and own["turned"].tolist() == [True]


def test_a_few_lines_are_asked_now(monkeypatch):
    class Unsure:
        def scores(self, shown):
            return np.array([0.25] * len(shown))

    monkeypatch.setattr(directions.lines, "Directions", Unsure)
    own = directions.live(each=1)
    assert own["answer"].tolist() == [0.25] * 4 and own["right"].tolist() == [1, 0, 1, 0]
    assert own["kind"].tolist() == ["words", "words", "boxes", "boxes"]
