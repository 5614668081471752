"""Lines of text before readers by hand: what each claim needs to come out, or not to."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest

from falsestruct.chapters.deployed import lines
from falsestruct.chapters.deployed.lines import CHANGES, KINDS
from falsestruct.deployed import lines as drawing
from falsestruct.press.notebook.stated import judge, read_claims
from falsestruct.press.paths import Book

STATED = read_claims(Book(Path(__file__).parents[3]))
FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FONTS = {str(i): FOLDER / name for i, name in enumerate(
    ["DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"] * 7)}  # fmt: skip


class Knowing:
    """Knows every line that was drawn, and so the way of each."""

    def __init__(self, monkeypatch, lost=()):
        self.known, self.lost = {}, lost
        for name in CHANGES:
            monkeypatch.setitem(CHANGES, name, self.remember(name, CHANGES[name]))

    def remember(self, name, change):
        def made(line):
            found = change(line)
            self.known[found.tobytes()] = name, False
            self.known.setdefault(found[::-1, ::-1].tobytes(), (name, True))
            return found

        return made

    def __call__(self, shown):
        said = [self.known[line.tobytes()] for line in shown]
        return np.array([turned != (name in self.lost) for name, turned in said])


def verdicts(table):
    return {id: judge(STATED[id], *pair) for id, pair in lines.claims(table).items()}


def test_who_is_right_on_all_fails_the_controls(monkeypatch):
    table = lines.asked(FONTS, Knowing(monkeypatch), each=3, seed=1)
    assert table["right"].all() and len(table) == 21 * 3 * 2 * (len(KINDS) - 1 + len(CHANGES))
    found = verdicts(table)
    # It reads boxes, too: so nothing is said about letters.
    assert found["lines-read"] == found["lines-letters"] == "inconclusive"
    assert found["lines-margin"] == found["lines-overline"] == "refuted"


@pytest.mark.parametrize(
    ("lost", "margin", "overline"),
    [
        (("margin above", "overline"), "supported", "supported"),
        (
            ("margin above", "margin right", "overline", "rule right"),
            "inconclusive",
            "inconclusive",
        ),
    ],
)
def test_who_minds_what_stands_above(monkeypatch, lost, margin, overline):
    found = verdicts(lines.asked(FONTS, Knowing(monkeypatch, lost), each=2, seed=1))
    assert (found["lines-margin"], found["lines-overline"]) == (margin, overline)


def test_who_reads_letters_and_no_boxes(monkeypatch):
    own = Knowing(monkeypatch)
    boxes = set()
    draw = drawing.boxed

    def boxed(text, font):
        found = draw(text, font)
        boxes.update((found.tobytes(), found[::-1, ::-1].tobytes()))
        return found

    monkeypatch.setattr(drawing, "boxed", boxed)

    def reads(shown):
        return own(shown) & np.array([line.tobytes() not in boxes for line in shown])

    found = verdicts(lines.asked(FONTS, reads, each=2, seed=1))
    assert found["lines-read"] == found["lines-letters"] == "supported"


def test_who_looks_where_the_ink_is():
    """The false structure by hand: ink in the upper half is upright."""

    def high(shown):
        return np.array([not drawing.ink_is_high(line) for line in shown])

    table = lines.asked(FONTS, high, each=6, seed=1)
    pair = lines.claims(table)["lines-height"]
    assert pair[1].value == 1 and pair[0].value < 0.2  # all answers are foretold
    assert verdicts(table)["lines-height"] == "inconclusive"
    assert verdicts(table)["lines-read"] == "refuted" or pair[0].high < 0.9


def test_the_ink_explains_nothing_where_the_reader_is_right(monkeypatch):
    table = lines.asked(FONTS, Knowing(monkeypatch), each=6, seed=1)
    found = lines.claims(table)["lines-height"]
    assert found[0].value == 1 and 0 < found[1].value < 1


def test_all_claims_about_lines_are_decided(monkeypatch):
    table = lines.asked(FONTS, Knowing(monkeypatch), each=2, seed=1)
    assert lines.claims(table).keys() == {id for id in STATED if id.startswith("lines-")}
