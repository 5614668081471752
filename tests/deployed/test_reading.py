"""Readers by hand before lines of text: who says what is counted, family by family."""

from pathlib import Path

import matplotlib
import numpy as np

from falsestruct.deployed import lines as drawing
from falsestruct.deployed import reading
from falsestruct.deployed.fonts import Font
from falsestruct.deployed.reading import CHANGES, KINDS

FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
NAMES = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf")
FONTS = [Font(name, FOLDER / name) for name in NAMES]


def test_who_looks_where_the_ink_is():
    """The false structure by hand: ink in the upper half is upright."""

    def high(shown):
        return np.array([not drawing.ink_is_high(line) for line in shown])

    table = reading.asked(FONTS[:3], high, script="Latin", each=4, seed=1)
    inks = table[table["kind"].isin(["ink high", "ink low"])]
    assert (inks["foretold"] == 1).all()
    assert table[~table["kind"].isin(["ink high", "ink low"])]["foretold"].isna().all()
    own = inks.set_index(["kind", "turned"])["right"]
    assert (own["ink high"] == 1).all() and (own["ink low"] == 0).all()
    counts = table.groupby(["family", "turned"])
    assert all(part[part["kind"].isin(["high", "low"])]["lines"].sum()
               == part[part["kind"].isin(["ink high", "ink low"])]["lines"].sum()
               for _, part in counts)  # fmt: skip


def test_a_change_is_made_before_the_line_is_turned():
    """A reader that knows an overline by its black row says where it lies."""

    def rule_below(shown):
        return np.array([(line[-12:] == 0).all(1).any() for line in shown])

    table = reading.asked(FONTS[:1], rule_below, script="Latin", each=2, seed=1)
    own = table.set_index(["kind", "change", "turned"])["right"]
    assert own["words", "overline", True] == own["words", "overline", False] == 1
    assert own["words", "even", True] == 0
    assert set(table[table["kind"] == "words"]["change"]) == set(CHANGES)


def test_kinds_are_drawn_alike_in_all_fonts():
    for kind in KINDS["Latin"]:
        own = [reading.drawn(kind, font, script="Latin", each=2, seed=3) for font in FONTS[:2]]
        assert len(own[0]) == len(own[1]) == 2
    words, boxes = (reading.drawn(kind, FONTS[0], script="Latin", each=1, seed=3)[0]
                    for kind in ("words", "boxes"))  # fmt: skip
    assert abs(words.shape[1] - boxes.shape[1]) < 5 and (boxes < 128).sum() > (words < 128).sum()


class Finder:
    """Finds every line but the first, a pixel around it."""

    def quads(self, own):
        boxes = [np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
                 for top, bottom, left, right in own.spots]  # fmt: skip
        return [None, *boxes[1:]]

    def crops(self, own, quads):
        cuts = [None if quad is None else (slice(*quad[[0, 2], 1]), slice(*quad[[0, 2], 0]))
                for quad in quads]  # fmt: skip
        return [None if one is None else own.picture[one] for one in cuts]


def test_lines_that_no_box_was_found_for_do_not_count(monkeypatch):
    monkeypatch.setattr(reading, "Detector", Finder)
    table = reading.cropped(FONTS[:2], lambda shown: np.array([True] * len(shown)), script="Latin",
                          each=4, seed=1)  # fmt: skip
    assert (table["lines"] == 3).all() and (table["found"] == 0.75).all()
    assert (table["right"] == table["turned"]).all()
    assert len(table) == 2 * 2 * 4  # boxes for the untouched page only
