"""Do the figures of chapter 18 show what stands in their tables?"""

from __future__ import annotations

import pandas as pd

from falsestruct.chapters.explanations import evidence as found
from falsestruct.chapters.explanations import figures as plots
from falsestruct.characterise.explanations import METHODS
from falsestruct.press.notebook.figures import STYLES, draw
from tests.worlds import explanations as worlds

SIZES = {
    "original": 7.0,
    "corner": 1.0,
    "parity": 3.0,
    "brightness": 6.0,
    "seven": 7.0,
    "middle": 9.6,
}


def drawn(plot, table: pd.DataFrame):
    return draw(plot, table.to_csv(index=False), {}, STYLES["book"])


def test_maps_have_a_panel_a_pattern_and_a_row_a_method():
    table = found.names_of(worlds.maps(taken=1.0, named=0.9, blamed=0.2))
    figure = drawn(plots.maps, table)
    assert len(figure.axes) == 3
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == list(METHODS)
    for axis in figure.axes:
        values = [{round(float(x), 6) for x in c.lines[0].get_xdata()} for c in axis.containers]
        assert values == [{0.9}, {0.2}, {0.0}]


def test_single_answers_have_the_output_alone_as_a_row():
    table = found.single_of(worlds.maps(taken=1.0, named=0.9, auc=0.6))
    figure = drawn(plots.single, table)
    rows = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert rows == [*METHODS, "no map, output alone"]
    for axis in figure.axes:
        assert [len(c.lines[0].get_xdata()) for c in axis.containers] == [7, 7, 1]


def test_sizes_have_a_panel_for_masks_and_one_for_orders():
    sides = dict.fromkeys(list(SIZES)[1:], 0.9)
    table = found.sizes_of(worlds.masks(sides, SIZES, ahead=1.0), worlds.RULES | {"original": 5.9})
    figure = drawn(plots.sizes, table)
    masks, orders = ([t.get_text() for t in axis.get_yticklabels()] for axis in figure.axes)
    assert masks == [found.LABELS.get(name, name) for name in SIZES]
    assert "exact Shapley values" in orders and len(orders) == 8
    assert orders[0] == "exact" and orders[-1] == "random"
    networks, rules = (c.lines[0].get_xdata() for c in figure.axes[0].containers)
    assert list(networks) == list(SIZES.values()) and list(rules) == [5.9, 1.0, 3.0, 6.0, 7.0, 9.6]
