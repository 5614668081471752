"""Do the figures of chapter 13 show what stands in their tables?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.label_noise import figures as plots
from falsestruct.press.notebook.figures import STYLES, draw

ENDS = ["value", "low", "high"]


def drawn(plot, rows, columns):
    table = pd.DataFrame(rows, columns=columns)
    return draw(plot, table.to_csv(index=False), {}, STYLES["book"])


def heights(axis) -> list[list[float]]:
    return [line.get_ydata().tolist() for line in axis.lines if len(line.get_ydata()) > 1]


def test_shares_has_a_curve_a_kind():
    rows = [
        (kind, noise, what, level + noise, level, 1.0)
        for what in ("one", "other")
        for kind, level in (("plain", 0.4), ("stopped early", 0.1))
        for noise in (0.0, 0.1)
    ]
    figure = drawn(plots.shares, rows, ["kind", "noise", "what", *ENDS])
    for axis in figure.axes:
        curves = [c.lines[0].get_ydata().tolist() for c in axis.containers]
        assert curves == [pytest.approx([0.4, 0.5]), pytest.approx([0.1, 0.2])]


def test_lengths_leaves_out_what_a_panel_has_not():
    rows = [("a", line, x, x, x, x) for line in plots.LINES for x in (0.1, 0.2)]
    rows += [("b", line, x, x, x, x) for line in ("with wrong labels", "bound") for x in (0.1, 0.2)]
    left, right = drawn(plots.lengths, rows, ["panel", "line", "length", *ENDS]).axes
    assert len(left.containers) == 3 and len(right.containers) == 2


def test_kinds_has_a_row_a_kind_and_a_mark_a_share():
    rows = [
        (k, n, w, 0.5 + n, 0.4, 0.7) for w in "xy" for k in ("plain", "new") for n in (0.0, 0.1)
    ]
    figure = drawn(plots.kinds, rows, ["kind", "noise", "what", *ENDS])
    for axis in figure.axes:
        assert [label.get_text() for label in axis.get_yticklabels()] == ["plain", "new"]
        none, some = (c.lines[0].get_xdata().tolist() for c in axis.containers)
        assert none == [0.5, 0.5] and some == pytest.approx([0.6, 0.6])


def test_stripes_has_a_curve_for_everything_that_is_wrong():
    rows = [(what, a, a, a, a) for what in plots.WRONG for a in (0.1, 0.2)]
    axis = drawn(plots.stripes, rows, ["what", "a", *ENDS]).axes[0]
    assert len(axis.containers) == len(plots.WRONG)
    np.testing.assert_allclose(axis.get_xticks(), [0.1, 0.2])
