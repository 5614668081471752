"""Claims of chapter 21 in worlds whose readers are known: each can come out either way."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.deployed import evidence, measure
from falsestruct.deployed import beside, shares
from falsestruct.press.notebook.stated import judge, read_claims
from falsestruct.press.paths import Book
from falsestruct.statistics import Nobody
from tests.worlds import deployed as worlds

STATED = {
    id: claim for id, claim in read_claims(Book(Path(__file__).parents[3])).items()
    if claim.chapter == "21_deployed"
}  # fmt: skip
SURFACE = {"small": 0.6, "filled newlines": 0.9, "filled other language": 0.9, "destroyed bytes": 1}


def verdicts(found):
    return {id: judge(STATED[id], *pair) for id, pair in found.items()}


def ending(found, stem):
    return {verdict for id, verdict in found.items() if id.endswith(stem)}


def test_a_reader_of_the_surface_supports_what_is_claimed():
    found = verdicts(worlds.claims(worlds.table(SURFACE)))
    assert ending(found, "-files-grammar") == {"supported"}
    assert ending(found, "-files-meaning") == {"supported"}
    assert ending(found, "-files-whitespace") == {"supported"}
    assert ending(found, "-files-comments") == {"supported"}
    assert ending(found, "-files-read") == {"supported"}
    assert found["files-declined"] == "inconclusive"  # nothing fell


def test_a_parser_refutes_it():
    found = verdicts(worlds.claims(worlds.table({"destroyed": 1.0})))
    assert ending(found, "-files-grammar") == {"refuted"}
    for stem in ("meaning", "whitespace", "comments"):
        assert ending(found, f"-files-{stem}") == {"refuted"}
    assert found["files-declined"] == "supported"


@pytest.mark.parametrize(
    ("lost", "stem"),
    [
        ({"destroyed": 0.0}, "grammar"),  # keeps its verdict whatever the bytes
        (SURFACE | {"inside": 0.7}, "meaning"),  # as shaken by any other letters
        (SURFACE | {"inside": 0.7}, "whitespace"),
        (SURFACE | {"filled own language": 0.9}, "comments"),  # any comment takes it
    ],
)
def test_a_control_can_fail(lost, stem):
    assert ending(verdicts(worlds.claims(worlds.table(lost))), f"-files-{stem}") == {"inconclusive"}


def test_one_way_that_is_noticed_is_enough_to_refute():
    lost = {"destroyed bytes": 1.0, "destroyed words": 0.9}
    assert ending(verdicts(worlds.claims(worlds.table(lost))), "-files-grammar") == {"refuted"}


def test_the_way_of_destruction_is_chosen_on_open_files():
    table = worlds.table({"destroyed bytes": 1.0})
    opened = (table["half"] == "open") & (table["way"] == "lines")
    table.loc[opened, "kept"] = 0.0
    assert evidence.worst(table, "C") == "lines"
    assert evidence.grammar_claims(table)["c-files-grammar"][0].value == 1  # of the sealed ones
    fell = (table["half"] == "sealed") & (table["way"] == "words")
    table.loc[fell, "kept"] = 0.0  # which nobody looked for
    assert evidence.grammar_claims(table)["c-files-grammar"][0].value == 1
    few = table[(table["half"] == "sealed") | table["file"].str.endswith(tuple("12"))]
    assert evidence.worst(few, "C") is None


WORDS = {"filled other language": 0.9, "destroyed bytes": 1.0}  # what a bag of words loses


@pytest.mark.parametrize(
    ("lost", "words", "grammar", "meaning"),
    [
        (SURFACE, WORDS, "supported", "supported"),
        # A network that goes by words alone errs where they do.
        (SURFACE, WORDS | {"small": 0.6, "filled newlines": 0.9}, "supported", "refuted"),
        ({"destroyed": 1.0} | SURFACE | {"destroyed bytes": 1}, WORDS, "refuted", "supported"),
        # The bag keeps its verdict whatever is written there: the controls fail.
        (SURFACE, {}, "inconclusive", "inconclusive"),
        # The parser errs nowhere, so that nothing is to be explained.
        ({"destroyed": 1.0}, WORDS, "refuted", "inconclusive"),
    ],
)
def test_a_bag_of_words_beside_it(lost, words, grammar, meaning):
    found = verdicts(
        beside.words_claims(worlds.table(lost, others={"words": words}), full=measure.FULL)
    )
    assert found == {"files-words": grammar, "files-words-meaning": meaning}


@pytest.mark.parametrize(
    ("lost", "libmagic", "verdict"),
    [
        (SURFACE, {"destroyed": 0.9}, "supported"),
        ({}, {"small": 0.5, "destroyed": 0.9}, "refuted"),
        (SURFACE, {}, "inconclusive"),  # as fond of a destroyed grammar as the network
    ],
)
def test_libmagic_beside_it(lost, libmagic, verdict):
    table = worlds.table(lost, others={"libmagic": libmagic})
    assert verdicts(beside.libmagic_claim(table)) == {"files-libmagic": verdict}


def test_readers_are_compared_on_files_that_both_read():
    table = worlds.table(SURFACE, others={"words": WORDS})
    misread = table["file"].str.endswith(tuple("02468")) & (table["arm"] == "plain")
    table.loc[misread, "words"] = 0.0
    assert beside.words_claims(table, full=measure.FULL)["files-words"][0].n == 15 * 6
    table.loc[(table["kind"] != "C") & (table["arm"] == "plain"), "libmagic"] = 0.0
    assert beside.libmagic_claim(table)["files-libmagic"][0].n == 30


def test_the_change_is_chosen_on_open_files_and_judged_on_sealed_ones():
    table = worlds.table({})
    opened = (table["half"] == "open") & (table["arm"] == "small")
    worst = opened & (table["way"] == "newlines, head") & (table["amount"] == 12)
    table.loc[worst, "kept"] = 0.0
    assert evidence.chosen(table, "JSON") == ("newlines, head", 12)
    found = evidence.meaning_claims(table)["json-files-meaning"]
    assert found[0].value == 0 and found[0].n == 30  # the sealed ones held
    few = table[~opened | (table["file"].str[-1] == "1")]
    assert evidence.chosen(few, "JSON") is None
    assert isinstance(evidence.meaning_claims(few)["json-files-meaning"][0], Nobody)


def test_with_few_files_nobody_qualifies():
    found = worlds.claims(worlds.table(SURFACE, files=9))
    assert all(isinstance(pair[0], Nobody) for id, pair in found.items() if "-files-" in id)


def test_every_type_is_asked_and_every_claim_is_stated():
    found = worlds.claims(worlds.table(SURFACE))
    stated = {id for id in STATED if "-files-" in id and not id.endswith(("smallest", "length"))}
    assert stated - found.keys() == {
        id for id in stated if id.startswith(("html", "csv"))
    } and found.keys() <= STATED.keys()  # fmt: skip


def lengths(short, long, letters):
    share = {(measure.SHORT, True): short, (measure.LONG, True): long,
             (measure.SHORT, False): letters, (measure.LONG, False): letters}  # fmt: skip
    return pd.DataFrame([
        {"kind": kind, "file": str(i), "size": size, "words": words,
         "kept": float(i >= round(20 * lost))}
        for (size, words), lost in share.items() for kind in measure.REJECTING for i in range(20)
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ((0.8, 0.1, 0.45), "supported"),
        ((0.1, 0.1, 0.1), "refuted"),
        ((0.8, 0.1, 0.0), "inconclusive"),
    ],
)
def test_length(shares, verdict):
    assert verdicts(evidence.length_claim(lengths(*shares))) == {"made-files-length": verdict}


def flips(share):
    rows = [{"kind": kind, "half": "sealed", "found": 5.0 if i < 30 * share else np.nan}
            for kind in ("JSON", "XML", "TOML", "INI") for i in range(30)]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("share", "random", "verdict"),
    [(0.8, 0.0, "supported"), (0.0, 0.0, "refuted"), (0.8, 0.8, "inconclusive")],
)
def test_smallest(share, random, verdict):
    found = evidence.smallest_claims(flips(share), worlds.table({"random": random}))
    assert ending(verdicts(found), "-files-smallest") == {verdict} and len(found) == 4


def halves(follow, count=60):
    rng = np.random.default_rng(2)
    own = rng.normal(size=2 * count)
    heads = np.where(rng.random(2 * count) < follow, own > 0, rng.random(2 * count) < 0.5)
    return pd.DataFrame({
        "half": ["open", "sealed"] * count, "first": "C", "second": "XML", "label": "c",
        "heads": heads.astype(float), "punctuation": own, "noise": rng.normal(size=2 * count),
    })  # fmt: skip


def test_chimeras():
    named = halves(1.0)
    assert shares.rule(named).name == "punctuation"
    assert verdicts(shares.chimera_claim(named)) == {"files-chimeras": "supported"}
    assert verdicts(shares.chimera_claim(halves(0.0))) == {"files-chimeras": "refuted"}
    # Who always follows the head: the control fails, for any other pair tells as much.
    always = named.assign(heads=1.0)
    assert verdicts(shares.chimera_claim(always)) == {"files-chimeras": "inconclusive"}


def test_windows():
    found = evidence.windows_claim(np.zeros(5), np.ones(5))
    assert verdicts(found) == {"files-windows": "supported"}
    assert verdicts(evidence.windows_claim(np.ones(5), np.ones(5))) == {"files-windows": "refuted"}
    assert verdicts(evidence.windows_claim(np.zeros(5), np.zeros(5))) == {
        "files-windows": "inconclusive"}  # fmt: skip


def test_numbers_of_made_files():
    table = worlds.table({"filled newlines": 0.5}, files=10)
    assert evidence.made_numbers(table) == {"made_files": 120, "made_read": 1, "made_lost": 0.5}


def test_what_figures_draw():
    table = worlds.table(SURFACE)
    curves = evidence.curves(table)
    full = curves[(curves["kind"] == "C") & (curves["way"] == "other language")]
    assert full["value"].tolist() == [0.9] * len(measure.SHARES)
    shares = evidence.outcomes(table).groupby(["kind", "way"])["share"].sum()
    assert np.allclose(shares, 1)
