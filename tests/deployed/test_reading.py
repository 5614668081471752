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


def shapes(kind, font=FONTS[0], each=2):
    return reading.drawn(kind, font, script="Latin", each=each, seed=3)


def test_kinds_are_drawn_from_the_family_s_own_texts():
    for kind in KINDS["Latin"]:
        assert [len(shapes(kind, font)) for font in FONTS[:2]] == [2, 2]
    words, boxes = shapes("words")[0], shapes("boxes")[0]
    assert abs(words.shape[1] - boxes.shape[1]) < 5 and (boxes < 128).sum() > (words < 128).sum()
    other = Font("another family", FONTS[0].path)  # the same font, so that only texts differ
    assert not np.array_equal(words, shapes("words", other)[0])
    np.testing.assert_array_equal(words, shapes("words", Font(FONTS[0].family, FONTS[0].path))[0])


def test_what_is_drawn_is_of_its_kind():
    for kind in ("alike boxes", "hung boxes", "small boxes"):
        signs = shapes(kind.removesuffix(" boxes"))[0]
        assert (shapes(kind)[0] < 128).mean() > (signs < 128).mean() + 0.2
    tops = (shapes("hung boxes")[0] < 128)[drawing.EVEN]
    standing = (shapes("boxes")[0] < 128)[drawing.EVEN]
    assert tops.mean() > 0.6 and standing.mean() < 0.5
    first, second = (line[:, : line.shape[1] // 12] for line in shapes("alternated"))
    plain = [line[:, : line.shape[1] // 12] for line in shapes("words")]
    assert not np.array_equal(first, plain[0]) and np.array_equal(second, plain[1])  # by turns
    for kind in ("sides", "ends"):
        assert (shapes(kind)[0] < 128).sum() == (shapes("words")[0] < 128).sum()


def test_changes_are_what_their_names_say():
    line = shapes("words")[0]
    rows = round(reading.MARGIN * len(line) / drawing.ROWS)
    above, below, both, right = (CHANGES[f"margin {side}"](line)
                                 for side in ("above", "below", "both", "right"))  # fmt: skip
    np.testing.assert_array_equal(above[rows:], line)
    np.testing.assert_array_equal(below[:-rows], line)
    assert len(both) == len(above) and (both[: rows // 2] == 255).all()
    assert (both[-(rows // 2) :] == 255).all()
    np.testing.assert_array_equal(right[:, : line.shape[1]], line)
    np.testing.assert_array_equal(CHANGES["mirrored"](line), line[:, ::-1])
    assert (
        len(CHANGES["margin above 16"](line)) < len(CHANGES["margin above 24"](line)) < len(above)
    )


def test_who_is_undecided_is_counted_so():
    table = reading.asked(FONTS[:1], lambda shown: np.full(len(shown), 0.6), script="Latin",
                          each=2, seed=1)  # fmt: skip
    assert (table["answer"] == 0.6).all() and (table["doubt"] == 1).all()
    assert (table["half"] == 1).all() and (table["right"] == ~table["turned"]).all()
    sure = reading.asked(FONTS[:1], lambda shown: np.full(len(shown), 0.95), script="Latin",
                         each=2, seed=1)  # fmt: skip
    assert (sure["doubt"] == 0).all()


def test_white_is_measured_beside_the_ink_of_a_crop():
    crop = np.full((96, 50), 255, dtype=np.uint8)
    crop[20:90, 5:40] = 0
    assert reading._white(crop) == 10 and reading._white(drawing.turned(crop)) == 10


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
