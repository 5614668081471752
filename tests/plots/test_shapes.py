"""The shapes that figures are made of draw what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look, series
from falsestruct.plots.style import ORANGE, SERIES, figure

TABLE = pd.DataFrame({
    "problem": ["stripes", "stripes", "digits"],
    "network": ["linear", "MLP", "MLP"],
    "share": [0.2, 0.5, 0.9],
    "low": [0.1, np.nan, 0.8],
    "high": [0.4, np.nan, 1.0],
})  # fmt: skip


def test_a_series_has_a_colour_a_marker_and_a_shift_each():
    looks = series(["linear", "MLP", "linear", "CNN"], spread=0.4)
    assert list(looks) == ["linear", "MLP", "CNN"]
    assert [look.colour for look in looks.values()] == list(SERIES[:3])
    assert len({look.marker for look in looks.values()}) == 3
    assert [look.shift for look in looks.values()] == pytest.approx([-0.2, 0, 0.2])
    assert series(["alone"], spread=0.4)["alone"].shift == 0


def test_panels_have_a_title_and_their_part_of_the_table():
    picture, parts = shapes.panels(TABLE, "problem", titles={"digits": "Digits"}, columns=1)
    assert [axis.get_title(loc="left") for axis, _ in parts] == ["stripes", "Digits"]
    assert [len(part) for _, part in parts] == [2, 1]
    assert len(picture.axes) == 2
    _, three = shapes.panels(TABLE.assign(problem=[1, 2, 3]), "problem", columns=2)
    assert not three[0][0].figure.axes[3].axison  # the panel that is left over


def test_rows_are_named_and_know_their_height():
    _, [(axis, part), _] = shapes.rows(TABLE, "problem", "network")
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["linear", "MLP"]
    assert part["height"].tolist() == [0, -1]
    shapes.marks(axis, part, "share", Look("it", ORANGE, "s", shift=0.25))
    line = axis.lines[0]
    assert line.get_xdata().tolist() == [0.2, 0.5]
    assert line.get_ydata().tolist() == [0.25, -0.75]
    assert to_hex(line.get_color()).upper() == ORANGE.upper()
    [bars] = axis.collections
    assert [list(path[:, 0]) for path in bars.get_segments()] == [
        pytest.approx([0.1, 0.4]), pytest.approx([0.5, 0.5]),
    ]  # fmt: skip


def test_faint_marks_have_no_interval():
    axis = figure().subplots()
    shapes.marks(axis, TABLE.assign(height=0), "share", Look(marker="^"), faint=True)
    assert axis.lines[0].get_marker() == "^"
    assert not axis.collections


def test_a_hollow_mark_is_white_inside():
    assert Look(hollow=True).mark["markerfacecolor"] == "white"
    assert Look("a", ORANGE).handle.get_markerfacecolor() == ORANGE


@pytest.mark.parametrize(("band", "expected"), [(True, [0.1, 0.8]), (False, [0.1, 0.8])])
def test_a_curve_shows_its_interval(band, expected):
    axis = figure().subplots()
    table = TABLE.dropna().assign(x=[1, 2])
    shapes.curve(axis, table, "x", "share", Look("it"), band=band)
    assert axis.lines[0].get_ydata().tolist() == [0.2, 0.9]
    points = np.concatenate([path.vertices for path in axis.collections[0].get_paths()])
    assert set(expected) <= set(np.round(points[:, 1], 6))
    bare = figure().subplots()
    shapes.curve(bare, table[["x", "share"]], "x", "share", Look("it", line=":"))
    assert not bare.collections
    assert bare.lines[0].get_linestyle() == ":"


def test_marks_beside_each_other_keep_their_order():
    found = shapes.beside(pd.Series([3.0, 1.0, 2.0, 1.0]), width=0.4)
    assert found.rank().tolist() == [4, 1, 3, 2]
    assert found.abs().max() <= 0.2


def test_a_legend_names_everything_once():
    picture = figure()
    shapes.legend(picture, series(["linear", "MLP"]), more={"bound": shapes.line()})
    [legend] = picture.legends
    assert [text.get_text() for text in legend.get_texts()] == ["linear", "MLP", "bound"]


def test_pixels_and_cells_are_at_their_places():
    cells = pd.DataFrame({"row": [0, 0, 1, 1], "column": [0, 1, 0, 1], "value": [1.0, 2, 3, 4]})
    axis = figure().subplots()
    shapes.pixels(axis, cells.sample(frac=1, random_state=0))
    assert axis.images[0].get_array().tolist() == [[1, 2], [3, 4]]
    named = cells.assign(
        row=["a", "a", "b", "b"], column=["p", "q", "p", "q"], value=[0, 1, 0.5, np.nan]
    )
    axis = figure().subplots()
    shapes.cells(axis, named, rows=["b", "a"], columns=["p", "q"], dark=0.6)
    assert [text.get_text() for text in axis.texts] == ["0.50", "0.00", "1.00"]
    assert [text.get_color() for text in axis.texts] == ["white", "white", "black"]


def test_groups_come_in_the_order_of_the_looks():
    found = list(shapes.groups(TABLE, "network", series(["MLP", "CNN"])))
    assert [(look.label, len(part)) for look, part in found] == [("MLP", 2), ("CNN", 0)]
