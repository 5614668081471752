"""Do the figures of chapter 10 show what stands in their tables?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.stable_networks import figures as plots
from falsestruct.press.notebook.figures import STYLES, draw


def drawn(plot, table: pd.DataFrame):
    return draw(plot, table.to_csv(index=False), {}, STYLES["book"])


def test_the_plane_has_a_boundary_and_both_kinds_of_points() -> None:
    grid = [("network", x1, x2, x2 - 0.5) for x1 in (0.1, 0.4) for x2 in (0.0, 1.0)]
    data = [("point", 0.2, 1.0, 1), ("point", 0.3, 0.0, 0)]
    parts = [
        pd.DataFrame([*grid, *data], columns=["what", "x1", "x2", "value"]).assign(panel=name)
        for name in ("one", "other")
    ]
    figure = drawn(plots.plane, pd.concat(parts))
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["one", "other"]
    for axis in figure.axes:
        ones, zeros = axis.lines
        assert (ones.get_xydata() == [[0.2, 1.0]]).all() and (
            zeros.get_xydata() == [[0.3, 0]]
        ).all()
        boundary = axis.collections[1].get_paths()[0].vertices
        assert boundary[:, 1] == pytest.approx(0.5)


def test_the_line_is_where_r_is_w_plus_two() -> None:
    cells = [("p", w, r, 0.25) for w in (3, 8) for r in (5, 10, 11)]
    table = pd.DataFrame(cells, columns=["panel", "width", "r", "value"])
    axis = drawn(plots.phase, table).axes[0]
    for stairs in axis.patches:
        assert stairs.get_data().values.tolist() == [0.5, 1.5]  # 5 ≤ 3 + 2 < 10 ≤ 8 + 2 < 11
    assert [text.get_text() for text in axis.texts] == ["0.25"] * 6


def test_used_shows_both_counts_below_what_is_possible() -> None:
    rows = [(w, what, w / 2, w / 3, w) for w in (5, 10) for what in ("pieces", "crossings")]
    table = pd.DataFrame(rows, columns=["width", "what", "value", "low", "high"])
    axis = drawn(plots.used, table).axes[0]
    assert axis.lines[0].get_ydata().tolist() == [6, 11]
    assert axis.lines[1].get_ydata().tolist() == [2.5, 5]


def test_the_region_that_nobody_enters_ends_at_the_bound() -> None:
    table = pd.DataFrame(
        {"kind": ["a", "b"], "wrong": [0.5, 0.0], "broken": [0.0, 1.0], "bound": [0.8, 0.8]}
    )
    axis = drawn(plots.tradeoff, table).axes[0]
    assert axis.lines[0].get_xydata().tolist() == [[0, 0.8], [0.4, 0]]
    assert [line.get_label() for line in axis.lines[1:]] == ["a", "b"]


def test_scales_have_a_line_for_each_set_of_points() -> None:
    rows = [
        (points, ratio, what, 0.5, 0.4, 0.6)
        for points in ("10 points", "10, evenly spaced")
        for ratio in (0.25, 4.0)
        for what in ("reads", "accuracy", "relative")
    ]
    table = pd.DataFrame(rows, columns=["points", "ratio", "what", "value", "low", "high"])
    figure = drawn(plots.scales, table)
    assert [len(axis.containers) for axis in figure.axes] == [2, 2, 2]
    assert np.allclose(figure.axes[0].containers[0].lines[0].get_ydata(), 0.5)
