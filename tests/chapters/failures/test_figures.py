"""Do the figures of chapter 15 show what stands in their tables?"""

from __future__ import annotations

import pandas as pd
import pytest

from falsestruct.chapters.failures import evidence as found
from falsestruct.chapters.failures import figures as plots
from falsestruct.press.notebook.figures import STYLES, draw
from tests.worlds import failures as worlds


def drawn(plot, table: pd.DataFrame):
    return draw(plot, table.to_csv(index=False), {}, STYLES["book"])


def test_parities_have_a_line_an_optimiser():
    axis = drawn(plots.parities, found.until_right(worlds.parities(0.5))).axes[0]
    assert len(axis.containers) == 2 and axis.get_yscale() == "log"
    for container in axis.containers:
        assert container.lines[0].get_ydata() == pytest.approx([80, 200])


def test_courses_have_a_line_for_each_q():
    table = found.courses(worlds.hints(worlds.by_the_law), (0.5, 0.95, 1.0))
    figure = drawn(plots.courses, table)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["q = 0.5", "q = 0.95", "q = 1", "learnt"]
    assert figure.axes[0].lines[2].get_ydata()[-1] == 1


def test_cells_have_a_row_for_each_size():
    axis = drawn(plots.taken, found.taken(worlds.hints(worlds.by_the_law), worlds.BUDGET)).axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["2", "4", "6"]
    assert [tick.get_text() for tick in axis.get_xticklabels()][-2:] == ["0.95", "1"]


def test_delays_lie_on_their_laws():
    figure = drawn(plots.delays, found.delays(worlds.hints(worlds.by_the_law)))
    descent, adam = figure.axes
    for axis, power in ((descent, 1), (adam, 0.5)):
        line = axis.containers[0].lines[0]
        assert line.get_ydata() == pytest.approx(line.get_xdata() ** power)
    assert len(descent.containers) == 3 and len(adam.containers) == 2  # four, six bits, and added


def test_what_is_proved_has_no_interval():
    table = found.bits_of(worlds.layers(3, 9)).query("what == 'exact'")
    assert (table[["low", "high"]] == 12).all(axis=None)


def test_information_has_three_ways_to_count():
    axis = drawn(plots.information, found.bits_of(worlds.layers(3, 9))).axes[0]
    ends = [c.lines[0].get_ydata()[-1] for c in axis.containers]
    assert ends == pytest.approx([12, 9, 3], abs=0.02)
