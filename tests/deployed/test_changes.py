"""Changes are what they say: proved by the parser, of the size and at the place asked for."""

import re

import numpy as np
import pytest

from falsestruct.deployed import destroyed, made, meant
from falsestruct.deployed.destroyed import UnfitError
from falsestruct.deployed.meant import WINDOW, comment, filled, inside
from falsestruct.deployed.parsers import (
    KINDS,
    REJECTING,
    RejectedError,
    UnprovedError,
    accepted,
    installed,
    meaning,
)
from falsestruct.deployed.pieces import pieces
from tests.deployed.files import FILES

GROWN = {kind: data for kind, data in FILES.items() if installed(kind)}
CASES = [(kind, way) for kind in GROWN for way in meant.ways(kind)]


@pytest.mark.parametrize(("kind", "way"), CASES)
def test_a_small_change_keeps_the_meaning_within_its_size(kind, way):
    data, made_one = GROWN[kind], 0
    for size in (4, 16, 64, 128):
        try:
            after = meant.changed(kind, data, way, size)
        except UnfitError:
            continue
        made_one += 1
        assert after != data and meaning(kind, after) == meaning(kind, data)
        assert 0 <= len(after) - len(data) <= size
        if way.startswith(("newlines", "comment")) and size >= 64:
            assert len(after) - len(data) >= size - 40
    assert made_one, (kind, way)
    with pytest.raises(ValueError, match="at least one byte"):
        meant.changed(kind, data, way, 0)


def test_every_kind_but_csv_has_several_ways():
    assert {kind: len(meant.ways(kind)) for kind in KINDS} == {
        "JSON": 4, "XML": 8, "Python": 7, "TOML": 7, "INI": 5, "C": 5, "HTML": 8, "CSV": 1,
    }  # fmt: skip
    with pytest.raises(ValueError, match="expected one of newlines, head"):
        meant.changed("JSON", FILES["JSON"], "order", 4)
    with pytest.raises(RejectedError):
        meant.changed("JSON", b'{"a" "b", 1}', "newlines, head", 4)


@pytest.mark.parametrize("kind", sorted(set(GROWN) - {"CSV"}))
def test_windows_are_filled_by_the_share(kind):
    for what in meant.FILLINGS[: 1 if kind == "JSON" else 3]:
        for share in (0.25, 0.75):
            after = filled(kind, GROWN[kind], what, share)
            assert meaning(kind, after) == meaning(kind, GROWN[kind])
            assert len(after) - len(GROWN[kind]) == pytest.approx(2 * share * WINDOW, abs=2)
            if what == "newlines":
                assert after[:WINDOW].lstrip().count(b"\n\n") > 0.9 * share * WINDOW / 2
    with pytest.raises(ValueError, match="expected one of newlines"):
        filled(kind, GROWN[kind], "spaces", 0.5)


def test_what_cannot_be_filled_is_said():
    with pytest.raises(UnfitError, match="no comments"):
        filled("JSON", FILES["JSON"], "other language", 0.5)
    late = b'x = """' + b"a\n" * 400 + b'"""\ny = 1\n'
    with pytest.raises(UnfitError, match="no place within"):
        filled("Python", late, "newlines", 0.75)


def test_comments_look_like_what_they_should():
    for kind, lines in (("C", meant.PYTHON_LINES), ("Python", meant.C_LINES)):
        assert lines[0] in comment(kind, meant._other(kind), 300)
        assert len(comment(kind, lines, 300)) == 300
    own = filled("Python", FILES["Python"], "own language", 0.5).decode()
    assert "# import os" in own and "#include" not in own
    assert "#include" in filled("Python", FILES["Python"], "other language", 0.5).decode()
    assert own.startswith("#!/usr/bin/python\n# ")
    assert filled("XML", FILES["XML"], "own language", 0.5).startswith(b"<?xml")


@pytest.mark.parametrize("kind", GROWN)
def test_letters_are_replaced_inside_and_only_letters(kind):
    data = GROWN[kind]
    after = inside(kind, data, 5, seed=1)
    assert accepted(kind, after) and len(after) == len(data)
    places = [i for i, (a, b) in enumerate(zip(data, after, strict=True)) if a != b]
    assert len(places) == 5
    own = pieces(kind, data.decode())
    for place in places:
        assert chr(data[place]).isalpha() and chr(after[place]).isalpha()
        assert chr(data[place]).islower() == chr(after[place]).islower()
        assert not own.outside(place)
    assert inside(kind, data, 5, seed=1) == after != inside(kind, data, 5, seed=2)


def test_escapes_and_formats_are_left_alone():
    after = inside("Python", b'x = "\\x41 %s {name} abc"\n', 99)
    assert re.fullmatch(rb'x = "\\x41 %s \{name\} [a-z]{3}"\n', after)
    assert re.fullmatch(rb"<a>&amp;[a-z]</a>", inside("XML", b"<a>&amp;b</a>", 9))


@pytest.mark.parametrize("kind", [kind for kind in REJECTING if installed(kind)])
def test_grammar_is_destroyed_and_the_rest_is_kept(kind):
    data = made.made(kind, 3, made.Plan(1200))
    gone = {}
    for way in (*destroyed.WAYS, destroyed.CONTROL):
        try:
            after = destroyed.destroyed(kind, data, way, seed=5)
        except UnfitError:  # an order of lines that the parser takes however it is drawn
            assert (kind, way) == ("TOML", "lines")
            continue
        assert not accepted(kind, after)
        assert after == destroyed.destroyed(kind, data, way, seed=5)
        gone[way] = len(data) - len(after)
        if way in ("lines", "words", "bytes"):
            assert sorted(after) == sorted(data) and after != data
        if way == "lines":
            assert sorted(after.split(b"\n")) == sorted(data.split(b"\n"))
        if way == "words":
            assert sorted(after.split()) == sorted(data.split())
    assert gone["closer"] == 1 and gone["separators"] > 1
    with pytest.raises(ValueError, match="expected one of separators"):
        destroyed.destroyed(kind, data, "spelling")


def test_what_separators_are():
    rng = np.random.default_rng(0)
    text = {"JSON": b'["a,b", 1]', "Python": b'if x: # y:\n    "a:b"\n', "C": b'f(";");',
            "XML": b"<a b='/'><c/></a>", "INI": b"; a=b\n[s=t]\nu = v = w\n  x = y\n"}  # fmt: skip
    left = {"JSON": b'["a,b" 1]', "Python": b'if x # y:\n    "a:b"\n', "C": b'f(";")',
            "XML": b"<a b='/'><c/><a>", "INI": b"; a=b\n[s=t]\nu  v = w\n  x = y\n"}  # fmt: skip
    assert {kind: destroyed.separators(kind, data, rng) for kind, data in text.items()} == left


def test_a_file_with_nothing_to_destroy():
    with pytest.raises(UnfitError, match="fewer than 10 lines"):
        destroyed.destroyed("JSON", b"[1]", "lines")
    with pytest.raises(UnfitError, match="no separator"):
        destroyed.destroyed("JSON", b"[1]", "separators")
    with pytest.raises(ValueError, match="kind is 'CSV'"):
        destroyed.destroyed("CSV", b"a\n", "words")
    # A proof is asked of every draw: two names are a program in any order.
    with pytest.raises(UnfitError, match="words"):
        destroyed.destroyed("Python", b"a\nb\n", "words")


def test_a_lexer_that_is_wrong_is_found_out(monkeypatch):
    """Places are tried, not trusted."""
    own = pieces("JSON", FILES["JSON"].decode())
    own.gaps[:] = [own.strings[0][0] + 1] * 2
    monkeypatch.setattr(meant, "pieces", lambda kind, text: own)
    with pytest.raises(UnfitError, match="rejected"):
        meant.changed("JSON", FILES["JSON"], "newlines, head", 4)
    assert issubclass(UnprovedError, ValueError)
