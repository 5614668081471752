"""Who decides about two files in one, and whether that has a name; with readers by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.deployed import evidence, measure, names
from falsestruct.chapters.deployed.measure import File
from falsestruct.deployed import chimeras, filetypes, made
from falsestruct.press.notebook.stated import judge
from tests.chapters.deployed.test_evidence import STATED
from tests.worlds import deployed as worlds


class Heads:
    """Stands in for the network: the head decides, and it is sure of nothing."""

    known = tuple(name for names in filetypes.NAMES.values() for name in names)
    config = filetypes.Config(1024, 1024, 4096, 8, 256, known, {}, 0.5, {}, frozenset())

    def scores(self, files):
        return np.full((len(files), len(self.config.labels)), 0.1)

    def labels(self, files):
        return worlds.surface(files)


def files(count, size, kinds=("JSON", "XML", "INI")):
    return [File(f"{f.kind} {f.name}", f.kind, f.half, f.data) for f in worlds.sealed(count, size)
            if f.kind in kinds]  # fmt: skip


def test_halves_and_what_may_foretell_them():
    table = names.halves(files(6, 1300), Heads(), seed=1)
    assert set(table["half"]) == {"open", "sealed"} and (table["first"] != table["second"]).all()
    assert table["heads"].dropna().eq(1).all() and table["heads"].notna().sum() >= 4
    assert table["surer alone"].eq(0).all() and table["bag of words"].notna().all()


def test_couples_fill_their_windows_and_are_of_types_with_open_files():
    short = [File("short", "JSON", "sealed", b"{}")]
    other = [File(f"toml {i}", "TOML", "sealed", made.made("TOML", i, made.Plan(1500)))
             for i in range(3)]  # fmt: skip
    free = [File("page", "HTML", "sealed", b"<p>" * 900)]
    own = files(6, 1300)
    pairs = names.couples([*own, *short, *other, *free], "sealed", seed=1)
    assert pairs == names.couples(own, "sealed", seed=1) and len(pairs) == 6
    used = [file.name for both in pairs for file in both]
    assert len(set(used)) == len(used)


def test_the_text_that_is_searched_is_what_the_windows_show():
    data = b" \n" + b"a" * 1500 + b"b" * 1500 + b"\n"
    assert names.text(data) == "a" * 1024 + "\n" + "b" * 1024
    assert names.text(b"  short \xff\n") == "short \ufffd"


def test_verdicts_as_types():
    found = names.kinds(["cpp", "c", "json", "txt", "html"])
    assert found.tolist() == ["C", "C", "JSON", "other", "other"]


def test_the_reader_by_hand_goes_by_words():
    said = names.by_words([b'<?xml version="1.0"?>', b"#include <a.h>", b"import os\n", b'{"a": 1}',
                           b'[t]\na = "x"\n', b"[s]\na = x\n", b"import xml\n"])  # fmt: skip
    assert said == ["xml", "c", "python", "json", "toml", "ini", "xml"]
    right = [names.by_words([made.made(kind, 3, made.Plan())])[0] for kind in measure.REJECTING]
    assert names.kinds(right).tolist() == list(measure.REJECTING)


def found(monkeypatch, rule, answer=None):
    """`searched` where the search finds this rule."""
    told = []

    def search(predict, x, y, **options):
        told.append((predict(x[:2]), x, y, options))
        ends = type("Estimate", (), {"value": 0.8, "low": 0.7, "high": 0.9})
        first = type("First", (), {"name": "best", "foretold": type("", (), {"decisions": ends})})
        return type("Found", (), {"rule": rule, "answer": answer, "verdict": "a rule",
                                  "ranked": (first,), "success": ends, "queries": 7})  # fmt: skip

    monkeypatch.setattr(names, "search", search)
    table = names.searched(files(9, 1300), worlds.surface, queries=5, seed=1)
    return table, told[0]


def test_what_is_named_is_judged_on_chimeras_of_sealed_files(monkeypatch):
    def heads(texts):
        return names.kinds(worlds.surface([one.encode() for one in texts]))

    table, (said, x, y, options) = found(monkeypatch, heads)
    decided = table.dropna(subset="heads")
    assert decided["right"].eq(1).all() and decided["heads"].eq(1).all()
    assert len(table) == 9 and len(decided) > 4
    assert set(said) <= {"JSON", "XML", "INI"} and options == {"queries": 5, "seed": 1}
    assert len(x) == len(y) == 9  # the open ones, not the 18 sealed ones
    assert table["best"].eq("best").all() and table["low"].eq(0.7).all()
    tails, _ = found(monkeypatch, lambda texts: np.array(["C"] * len(texts)))
    assert tails["right"].eq(0).all()  # a third type is wrong


def test_a_rule_for_one_type_says_nothing_about_others(monkeypatch):
    def heads(texts):
        return names.kinds(worlds.surface([one.encode() for one in texts])) == "XML"

    table, _ = found(monkeypatch, heads, "XML")
    with_it = (table["first"] == "XML") | (table["second"] == "XML")
    decided = table["heads"].notna()
    assert table["right"][with_it & decided].eq(1).all() and table["right"][~with_it].isna().all()
    assert 0 < with_it.sum() < len(table)
    none, _ = found(monkeypatch, None)
    assert none["right"].eq(0).all()


def named(network, words, count=30):
    rows = [
        {"reader": reader, "heads": 1.0, "right": float(i < share * count)}
        for reader, share in (("network", network), ("words", words))
        for i in range(count)
    ]
    undecided = [{"reader": "network", "heads": math.nan, "right": 0.0}] * 9
    return pd.DataFrame([*rows, *undecided])


@pytest.mark.parametrize(
    ("network", "words", "verdict"),
    [(1, 1, "supported"), (0, 1, "refuted"), (0, 0, "inconclusive"), (1, 0.5, "inconclusive")],
)
def test_the_search_has_to_find_a_rule_that_is_there(network, words, verdict):
    [(id, pair)] = evidence.searched_claim(named(network, words)).items()
    assert judge(STATED[id], *pair) == verdict


@pytest.mark.slow
def test_the_search_names_the_reader_by_hand():
    own = files(12, 1300, measure.REJECTING)
    more = [File(f"more {f.name}", f.kind, "made", f.data)
            for f in measure.generated(70, made.Plan(900))]  # fmt: skip
    table = names.searched([*own, *more], names.by_words, queries=2000, seed=3)
    assert "xml" in table["verdict"].iloc[0]
    assert table.dropna(subset=["heads", "right"])["right"].mean() > 0.9


def test_a_chimera_s_text_is_the_chimera():
    one, two = names.couples(files(6, 1300), "sealed", seed=1)[0]
    both = chimeras.chimera(one.data, two.data)
    assert names.text(both).encode() == both.strip()
