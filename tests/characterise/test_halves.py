"""What a search names for readers of files, with readers by hand."""

import numpy as np
import pytest

from falsestruct.characterise import halves
from falsestruct.characterise.halves import searched
from falsestruct.deployed import chimeras, made
from falsestruct.deployed.parsers import REJECTING
from tests.worlds import deployed as worlds

KINDS = ("JSON", "XML", "INI")
PAIRS = [("JSON", "XML"), ("XML", "INI"), ("INI", "JSON"), ("XML", "JSON"), ("JSON", "INI")]


def file(kind, seed, size=1300):
    return made.made(kind, seed, made.Plan(size)), kind


def test_the_text_is_what_the_windows_show():
    data = b" \n" + b"a" * 1500 + b"b" * 1500 + b"\n"
    assert halves.text(data) == "a" * 1024 + "\n" + "b" * 1024
    assert halves.text(b"  short \xff\n") == "short \ufffd"
    both = chimeras.chimera(file("JSON", 1)[0], file("XML", 2)[0])
    assert halves.text(both).encode() == both.strip()


def test_verdicts_as_types():
    found = halves.types(["cpp", "c", "json", "txt", "html"])
    assert found.tolist() == ["C", "C", "JSON", "other", "other"]


def test_the_reader_by_hand_goes_by_words():
    said = halves.by_words([b'<?xml version="1.0"?>', b"#include <a.h>", b"import os\n",
                            b'{"a": 1}', b'[t]\na = "x"\n', b"[s]\na = x\n",
                            b"import xml\n"])  # fmt: skip
    assert said == ["xml", "c", "python", "json", "toml", "ini", "xml"]
    right = [halves.by_words([file(kind, 3)[0]])[0] for kind in REJECTING]
    assert halves.types(right).tolist() == list(REJECTING)


def heads(texts):
    """What the reader of the surface says: it sees the head alone."""
    return halves.types(worlds.surface([one.encode() for one in texts]))


def found(monkeypatch, rule, answer=None):
    """`searched` where the search finds this rule, and what it was handed."""
    told = []

    def search(predict, x, y, **options):
        told.append((predict(x[:2]), x, y, options))
        ends = type("Estimate", (), {"value": 0.8, "low": 0.7, "high": 0.9})
        first = type("First", (), {"name": "best", "foretold": type("", (), {"decisions": ends})})
        return type("Found", (), {"rule": rule, "answer": answer, "verdict": "a rule",
                                  "ranked": (first,), "success": ends, "queries": 7})  # fmt: skip

    monkeypatch.setattr(halves, "search", search)
    pairs = [(file(one, 40 + i), file(two, 50 + i)) for i, (one, two) in enumerate(PAIRS)]
    seen = [file(kind, seed) for kind in KINDS for seed in range(2)]
    return searched(seen, pairs, worlds.surface, queries=5, seed=1), told[0]


def test_what_is_named_is_judged_on_chimeras(monkeypatch):
    table, (said, x, y, options) = found(monkeypatch, heads)
    decided = table.dropna(subset="heads")
    assert decided["right"].eq(1).all() and decided["heads"].eq(1).all() and len(decided) > 2
    assert set(said) <= set(KINDS) and options == {"queries": 5, "seed": 1}
    assert list(y) == ["JSON", "JSON", "XML", "XML", "INI", "INI"] and len(x) == 6
    assert list(zip(table["first"], table["second"], strict=True)) == PAIRS
    assert table["best"].eq("best").all() and table["low"].eq(0.7).all()
    third, _ = found(monkeypatch, lambda texts: np.array(["C"] * len(texts)))
    assert third["right"].eq(0).all()  # a third type is wrong


def test_a_rule_for_one_type_says_nothing_about_others(monkeypatch):
    table, _ = found(monkeypatch, lambda texts: heads(texts) == "XML", "XML")
    with_it = (table["first"] == "XML") | (table["second"] == "XML")
    decided = table["heads"].notna()
    assert table["right"][with_it & decided].eq(1).all() and table["right"][~with_it].isna().all()
    assert with_it.sum() == 3
    none, _ = found(monkeypatch, None)
    assert none["right"].eq(0).all()


def by_one_word(files):
    return ["xml" if b"xml" in data else "json" for data in files]


@pytest.mark.slow
def test_the_search_finds_the_one_word_of_a_reader():
    seen = [file(kind, seed, 700) for kind in ("JSON", "XML") for seed in range(70)]
    kinds = [("JSON", "XML"), ("XML", "JSON")] * 10
    pairs = [(file(one, 90 + i), file(two, 200 + i)) for i, (one, two) in enumerate(kinds)]
    table = searched(seen, pairs, by_one_word, queries=1500, seed=3)
    assert "xml" in table["verdict"].iloc[0] and table["right"].mean() > 0.9
    assert set(table["heads"]) == {1.0}  # whose head is JSON is said to be JSON
