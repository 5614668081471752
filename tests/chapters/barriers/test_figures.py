"""Do the figures of chapter 11 show what stands in their tables?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.barriers import figures as plots
from falsestruct.press.notebook.figures import STYLES, draw


def drawn(plot, table: pd.DataFrame):  # type: ignore[no-untyped-def]
    return draw(plot, table.to_csv(index=False), {}, STYLES["book"])


def test_convergence_has_medians_of_each_method() -> None:
    table = pd.DataFrame(
        {"method": ["p = 5"] * 6 + ["no restarts"] * 3, "steps": [0] * 3 + [5] * 3 + [7] * 3,
         "error": [1, 1, 1, 0.1, 0.2, 0.9, 0.3, 0.5, 0.6]}
    )  # fmt: skip
    (axis,) = drawn(plots.convergence, table).axes
    network, plain = axis.lines
    assert network.get_xydata().tolist() == [[5, 0.2]]
    assert plain.get_xydata().tolist() == [[7, 0.5]]
    assert axis.get_xscale() == axis.get_yscale() == "log"


def test_readers_have_a_curve_each_and_dots_where_they_played() -> None:
    table = pd.DataFrame(
        {"reader": ["one", "one", "two", "two"], "halts": [True, True, False, False],
         "part": [1, 2, 1, 2], "worse": [1.0, 0.75, 1.0, 1.0], "played": [0.98, np.nan] * 2}
    )  # fmt: skip
    (axis,) = drawn(plots.readers, table).axes
    one, dots, two = axis.lines[:3]
    assert one.get_xydata().tolist() == [[1, 1], [2, 0.75]] and one.get_linestyle() == "-"
    assert dots.get_ydata()[0] == 0.98 and two.get_linestyle() == "--"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["one", "two"]


def test_depths_have_a_curve_each() -> None:
    table = pd.DataFrame({"p": [50, 50, 200, 200], "n": [0, 1, 0, 1], "share": [1, 0.2, 1, 0.8]})
    (axis,) = drawn(plots.depths, table).axes
    assert axis.lines[1].get_xydata().tolist() == [[0, 1], [1, 0.8]]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["p = 50", "p = 200"]


def test_errors_stand_in_their_cells() -> None:
    table = pd.DataFrame(
        {"method": ["one", "one", "two", "two"], "K": [1, 3, 1, 3], "n": 10,
         "worse": [1.0, 1.1, 2.0, 2.1]}
    )  # fmt: skip
    (axis,) = drawn(plots.errors, table).axes
    one, two, limit = axis.lines
    assert one.get_ydata().tolist() == [1.0, 1.1] and two.get_ydata().tolist() == [2.0, 2.1]
    assert [round(x) for x in one.get_xdata()] == [0, 1]
    assert set(limit.get_ydata()) == {1}
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "K = 1\nn = 10",
        "K = 3\nn = 10",
    ]


def test_the_impossible_corner_ends_at_half_over_the_trace() -> None:
    table = pd.DataFrame(
        {"kind": ["network", "network", "FIRENET", "network, no detail"], "noise": [0.0, 4, 0, 0],
         "trace": 0.05, "error": [0.1, 0.5, 1, 1], "times": [30.0, 9, 2, 2.5]}
    )  # fmt: skip
    (axis,) = drawn(plots.tradeoff, table).axes
    corner = axis.collections[0].get_datalim(axis.transData)
    assert corner.x1 == pytest.approx(0.25) and corner.y1 == pytest.approx(10)
    assert axis.lines[0].get_xydata().tolist() == [[0.1, 30]]
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert names == ["network, noise 0", "network, noise 4", "network, no detail", "FIRENET"]


def test_the_transition_has_a_map_a_network_and_the_border() -> None:
    places = np.array([0.5, 1.0])
    grid = pd.MultiIndex.from_product([[20, 50], places, places]).to_frame(index=False)
    table = grid.set_axis(["inner", "measurements", "fraction"], axis=1)
    table = table.assign(share=table["measurements"] * table["fraction"], theory=0.3)
    first, second, _ = drawn(plots.transition, table).axes
    assert first.get_title(loc="left") == "p = 20 inner steps"
    for axis in (first, second):
        values = axis.collections[0].get_array().reshape(2, 2)
        assert values.tolist() == [[0.25, 0.5], [0.5, 1.0]]
        assert axis.lines[1].get_ydata().tolist() == [0.3, 0.3]
