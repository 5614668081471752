"""Do the figures of chapter 16 show what stands in their tables?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.depth_and_width import evidence as found
from falsestruct.chapters.depth_and_width import figures as plots
from falsestruct.chapters.depth_and_width import measure as experiment
from falsestruct.press.notebook.figures import STYLES, draw
from tests.worlds import depth_and_width as worlds


def drawn(plot, table: pd.DataFrame):
    return draw(plot, table.to_csv(index=False), {}, STYLES["book"])


def test_sawtooths_have_a_panel_for_each_depth():
    figure = drawn(plots.sawtooths, experiment.sawtooths([1, 3]))
    one, three = figure.axes
    assert one.get_title(loc="left") == "k = 1" and three.get_title(loc="left") == "k = 3"
    network, evens, odds = three.lines[:3]
    assert network.get_ydata().tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0]
    assert evens.get_xdata().tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert odds.get_ydata().tolist() == [1] * 4


def test_captures_have_a_line_for_each_shape():
    figure = drawn(plots.captures, found.by_size(worlds.tents(worlds.follow)))
    axis = figure.axes[0]
    assert len(axis.containers) == 3 and axis.get_xscale() == "log"
    ends = [container.lines[0].get_ydata()[0] for container in axis.containers]
    assert ends == pytest.approx([0.7, 0.7, 0.1], abs=0.01)


def test_depths_have_a_panel_for_each_optimiser_and_a_line_for_each_comparison():
    figure = drawn(plots.depths, found.depths(worlds.stripes(worlds.FORETOLD)))
    adam, descent = figure.axes
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == list(found.LINES["Adam"])
    assert (len(adam.containers), len(descent.containers)) == (4, 2)
    for axis in (adam, descent):
        places = axis.containers[0].lines[0].get_xdata() / np.array([1, 2, 4, 8])
        assert places == pytest.approx([2**-0.1] * 4)  # shifted
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["1", "2", "4", "8"]
    assert adam.containers[2].lines[0].get_ydata() == pytest.approx([0.18, 0.14], rel=0.03)


def test_others_have_a_row_for_each_network():
    figure = drawn(plots.others, found.others(worlds.stripes(worlds.FORETOLD)))
    assert [axis.get_title(loc="left") for axis in figure.axes] == list(found.ROWS)
    for axis, names in zip(figure.axes, found.ROWS.values(), strict=True):
        assert [tick.get_text() for tick in axis.get_yticklabels()] == list(names)
        assert len(axis.containers[0].lines[0].get_xdata()) == len(names)
