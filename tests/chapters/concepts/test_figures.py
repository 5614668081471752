"""Do the figures of chapter 19 show what stands in their tables?"""

from __future__ import annotations

import pandas as pd
import pytest

from falsestruct.chapters.concepts import evidence as found
from falsestruct.chapters.concepts import figures as plots
from falsestruct.press.notebook.figures import STYLES, draw
from falsestruct.problems.words import Words
from tests.worlds import concepts as worlds


def drawn(plot, table: pd.DataFrame):
    return draw(plot, table.to_csv(index=False), {}, STYLES["book"])


def test_lengths_have_a_line_for_each_way_of_training():
    table = worlds.words(worlds.remembering(20, Words(8)), worlds.knowing(20))
    axis = drawn(plots.lengths, found.right_by_length(table)).axes[0]
    assert axis.get_xscale() == "log"
    assert axis.lines[0].get_ydata() == pytest.approx([1, 0.52, 0.52])
    assert axis.lines[1].get_ydata() == pytest.approx([1, 1, 1])


def test_hints_have_a_panel_for_each_size():
    table = found.captures(worlds.hints(worlds.taken), "network", "labels", "hint")
    figure = drawn(plots.hints, table)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["hint of 0.1", "hint of 1"]
    marks = figure.axes[0].containers[0].lines[0]
    assert marks.get_xdata() == pytest.approx([0.7, 0.4])
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["MLP", "recurrent"]


def test_distances_have_two_lines_a_panel():
    table = found.by_distance(worlds.grids(worlds.near, worlds.path))
    figure = drawn(plots.distances, table)
    assert [len(axis.containers) for axis in figure.axes] == [2, 2]


def test_asked_has_a_row_for_each_way():
    table = found.captures(worlds.asking(worlds.FORETOLD), "way", "repeats")
    axis = drawn(plots.asked, table).axes[0]
    assert len(axis.get_yticklabels()) == 4 and len(axis.containers) == 3
    assert axis.containers[2].lines[0].get_xdata() == pytest.approx([0.3, 0.3, 0.7], abs=0.02)


def test_made_has_an_image_a_panel():
    table = pd.DataFrame([
        {"what": what, "wanted": wanted, "row": row, "column": column, "value": row + column}
        for what in ("colour", "orientation") for wanted in ("vertical", "horizontal")
        for row in range(3) for column in range(3)
    ])  # fmt: skip
    figure = drawn(plots.made, table)
    assert len(figure.axes) == 4 and figure.axes[0].images[0].get_array().shape == (3, 3)
