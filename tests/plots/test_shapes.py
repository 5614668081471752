"""Each shape draws what it says: where its artists are, how they look, what they are called."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgba

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, GREY, MARKERS, ORANGE, SERIES, figure

NAN = math.nan
TABLE = pd.DataFrame(
    {
        "problem": ["stripes", "stripes", "digits"],
        "network": ["linear", "MLP", "linear"],
        "value": [0.5, 0.7, 0.9],
        "low": [0.4, 0.7, NAN],
        "high": [0.8, 0.9, NAN],
    }
)
LOOK = Look("false", ORANGE, "s", shift=0.25)


@pytest.fixture
def axis():
    return figure().subplots()


def segments(axis):
    """Ends of the bars of an errorbar, (bars, 2 ends, 2 coordinates)."""
    (bars,) = axis.collections
    return np.array(bars.get_segments())


# Looks


@pytest.mark.parametrize(("hollow", "face"), [(False, ORANGE), (True, "white")])
def test_a_look_in_the_figure_is_its_look_in_the_legend(axis, hollow, face):
    look = Look("false", ORANGE, "s", hollow=hollow, line="--")
    (drawn,) = axis.plot([0], [0], **look.mark)
    for artist in (drawn, look.handle):
        assert (artist.get_color(), artist.get_marker()) == (ORANGE, "s")
        assert artist.get_markerfacecolor() == face
    assert look.handle.get_linestyle() == "--"
    assert Look().handle.get_linestyle() == "None"


def test_a_series_has_a_look_a_name():
    found = shapes.series(["b", 1, "b", "c"], spread=0.4, line=":")
    assert list(found) == ["b", "1", "c"]
    assert [look.shift for look in found.values()] == pytest.approx([-0.2, 0, 0.2])
    assert found["1"] == Look("1", SERIES[1], MARKERS[1], 0.0, line=":")
    assert shapes.series(["alone"], spread=1)["alone"].shift == 0
    many = shapes.series(range(len(SERIES) + 1))
    assert many["0"].colour == many[str(len(SERIES))].colour


def test_looks_are_told_apart_without_colour():
    looks = shapes.series(range(6)).values()
    assert len({look.marker for look in looks}) == len({look.colour for look in looks}) == 6


# Panels and rows


def test_a_panel_a_value():
    picture, found = shapes.panels(TABLE, "problem", titles={"digits": "Digits"})
    assert [axis.get_title(loc="left") for axis, _ in found] == ["stripes", "Digits"]
    assert [part["value"].tolist() for _, part in found] == [[0.5, 0.7], [0.9]]
    assert [axis.get_subplotspec().colspan.start for axis, _ in found] == [0, 1]
    assert len(picture.axes) == 2
    first, second = (axis for axis, _ in found)
    first.set_ylim(-3, 7)
    assert second.get_ylim() == (-3, 7) and not first.spines["top"].get_visible()


def test_panels_in_two_columns():
    table = pd.DataFrame({"kind": list("abc"), "value": [1, 2, 3]})
    picture, found = shapes.panels(table, "kind", columns=2, aspect=0.9, sharey=False)
    places = [axis.get_subplotspec() for axis, _ in found]
    assert [(p.rowspan.start, p.colspan.start) for p in places] == [(0, 0), (0, 1), (1, 0)]
    assert [axis.axison for axis in picture.axes] == [True, True, True, False]
    assert picture.get_figheight() == pytest.approx(0.9 * picture.get_figwidth())
    found[0][0].set_ylim(-3, 7)
    assert found[1][0].get_ylim() != (-3, 7)


def test_a_row_a_name():
    _, found = shapes.rows(TABLE, "problem", "network")
    (first, own), (second, other) = found
    assert own["height"].tolist() == [0, -1] and other["height"].tolist() == [0]
    assert [label.get_text() for label in first.get_yticklabels()] == ["linear", "MLP"]
    assert first.get_yticks().tolist() == [0, -1]
    assert first.get_ylim() == (-1.6, 0.6) and second.get_ylim() == (-0.6, 0.6)
    assert [axis.get_title(loc="left") for axis, _ in found] == ["stripes", "digits"]
    assert first.get_subplotspec().get_gridspec().get_height_ratios() == [2.6, 1.6]
    first.set_xlim(-3, 7)
    assert second.get_xlim() == (-3, 7)


# Marks


def test_marks_have_intervals_along_x(axis):
    shapes.marks(axis, TABLE.assign(height=[0, -1, -2]), "value", LOOK)
    line = axis.lines[0]
    np.testing.assert_allclose(line.get_xydata(), [[0.5, 0.25], [0.7, -0.75], [0.9, -1.75]])
    assert (line.get_color(), line.get_marker(), line.get_linestyle()) == (ORANGE, "s", "None")
    bars = segments(axis)
    np.testing.assert_allclose(bars[..., 0], [[0.4, 0.8], [0.7, 0.9], [0.9, 0.9]])
    np.testing.assert_allclose(bars[..., 1], [[0.25] * 2, [-0.75] * 2, [-1.75] * 2])


def test_marks_without_intervals(axis):
    shapes.marks(axis, TABLE[["value"]].assign(place=3.0), "value", LOOK, y="place", ms=9)
    assert not axis.collections
    assert axis.lines[0].get_ydata().tolist() == [3.25] * 3
    assert axis.lines[0].get_markersize() == 9


def test_faint_marks_are_translucent_and_bare(axis):
    shapes.marks(axis, TABLE.assign(height=0.0), "value", LOOK, faint=True)
    (line,) = axis.lines
    assert not axis.collections and line.get_ydata().tolist() == [0.25] * 3
    assert line.get_markerfacecolor() == to_rgba(ORANGE, 0.35)
    assert line.get_marker() == "s" and line.get_linestyle() == "None"


@given(
    st.lists(st.tuples(*[st.one_of(st.just(NAN), st.integers(-9, 9).map(float))] * 3), min_size=1)
)
def test_an_interval_is_never_turned_round(numbers):
    """Missing ends, and ends on the wrong side by rounding, have no length: matplotlib raises."""
    part = pd.DataFrame(numbers, columns=["value", "low", "high"])
    lengths = shapes._ends(part, "value")
    assert lengths.shape == (2, len(numbers)) and (lengths >= 0).all()
    for (value, low, high), (down, up) in zip(numbers, lengths.T, strict=True):
        assert down == (value - low if value > low else 0)
        assert up == (high - value if high > value else 0)


# Curves


def test_a_curve_has_intervals_along_y(axis):
    shapes.curve(axis, TABLE.assign(x=[1, 2, 3]), "x", "value", LOOK)
    line = axis.lines[0]
    np.testing.assert_allclose(line.get_xydata(), [[1, 0.5], [2, 0.7], [3, 0.9]])
    assert line.get_linestyle() == "-" and axis.get_legend_handles_labels()[1] == ["false"]
    np.testing.assert_allclose(segments(axis)[..., 1], [[0.4, 0.8], [0.7, 0.9], [0.9, 0.9]])


def test_a_curve_in_a_band(axis):
    shapes.curve(
        axis, TABLE[:2].assign(x=[1, 2]), "x", "value", Look("a", BLUE, line=":"), band=True
    )
    assert axis.lines[0].get_linestyle() == ":"
    (band,) = axis.collections
    corners = {tuple(point) for point in band.get_paths()[0].vertices.round(9).tolist()}
    assert corners >= {(1, 0.4), (1, 0.8), (2, 0.7), (2, 0.9)}
    assert tuple(band.get_facecolor()[0]) == to_rgba(BLUE, 0.2)


def test_a_curve_without_intervals(axis):
    shapes.curve(axis, TABLE[["value"]].assign(x=[1, 2, 3]), "x", "value", LOOK, lw=3)
    assert not axis.collections and axis.lines[0].get_linewidth() == 3


# The rest


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_marks_beside_each_other(values):
    shifts = shapes.beside(pd.Series(values), width=0.6)
    assert len(set(shifts.round(9))) == len(values)
    assert shifts.min() > -0.3 and shifts.max() <= 0.3
    assert (np.diff(np.array(values)[np.argsort(shifts)]) >= 0).all(), "by rank"


@pytest.mark.parametrize("looks", [[LOOK, Look("o", BLUE)], {"x": LOOK, "y": Look("o", BLUE)}])
def test_a_legend_has_an_entry_a_look(looks):
    picture = figure()
    shapes.legend(picture, looks, columns=2, more={"chance": shapes.line(style=":")})
    (legend,) = picture.legends
    assert [text.get_text() for text in legend.get_texts()] == ["false", "o", "chance"]
    assert [handle.get_color() for handle in legend.legend_handles] == [ORANGE, BLUE, GREY]
    assert [handle.get_marker() for handle in legend.legend_handles] == ["s", "o", "None"]
    assert legend._ncols == 2 and not legend.get_frame_on()


def test_a_line_of_a_legend():
    line = shapes.line(BLUE, "-", 3)
    assert (line.get_color(), line.get_linestyle(), line.get_linewidth()) == (BLUE, "-", 3)


def test_an_image_from_its_cells(axis):
    part = pd.DataFrame({"row": [1, 0, 0, 1], "column": [0, 0, 1, 1], "value": [3, 1, 2, 4]})
    shapes.pixels(axis, part, vmin=0, vmax=9)
    (image,) = axis.images
    assert image.get_array().tolist() == [[1, 2], [3, 4]] and image.get_clim() == (0, 9)
    assert not len(axis.get_xticks()) and not len(axis.get_yticks())


def test_a_matrix_with_its_numbers(axis):
    table = pd.DataFrame(
        {"row": ["a", "a", "b", "b"], "column": ["x", "y"] * 2, "value": [0.1, 0.9, NAN, 0.5]}
    )
    image = shapes.cells(axis, table, rows=["b", "a"], columns=["x", "y"], dark=0.5)
    np.testing.assert_array_equal(image.get_array().filled(NAN), [[NAN, 0.5], [0.1, 0.9]])
    written = {text.get_position(): (text.get_text(), text.get_color()) for text in axis.texts}
    assert written == {
        (1, 0): ("0.50", "white"), (0, 1): ("0.10", "white"), (1, 1): ("0.90", "black"),
    }  # fmt: skip
    assert [label.get_text() for label in axis.get_yticklabels()] == ["b", "a"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["x", "y"]


def test_groups_come_in_the_order_of_the_looks():
    looks = shapes.series(["MLP", "CNN", "linear"])
    found = list(shapes.groups(TABLE, "network", looks))
    assert [look.label for look, _ in found] == ["MLP", "CNN", "linear"]
    assert [part["value"].tolist() for _, part in found] == [[0.7], [], [0.5, 0.9]]
    numbers = TABLE.assign(rho=[1.0, 0.5, 1.0])
    (_, part), *_ = shapes.groups(numbers, "rho", {"1.0": LOOK})
    assert len(part) == 2


def test_one_panel_is_tidy_and_its_ticks_are_those_asked_for():
    picture, axis = shapes.single(0.5)
    assert picture.axes == [axis] and not axis.spines["top"].get_visible()
    width, height = picture.get_size_inches()
    assert height == pytest.approx(0.5 * width)
    axis.plot([0.03, 30], [0, 1])
    shapes.ticks(axis, [0.05, 1, 20.0], rotation=45)
    assert axis.get_xscale() == "log" and list(axis.get_xticks()) == [0.05, 1, 20]
    labels = axis.get_xticklabels()
    assert [label.get_text() for label in labels] == ["0.05", "1", "20"]
    assert labels[0].get_rotation() == 45 and not list(axis.get_xticks(minor=True))
