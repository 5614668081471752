"""Figures of chapter 21 show what the tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.deployed import evidence, figures
from falsestruct.deployed import perturbed
from falsestruct.deployed.parsers import REJECTING
from tests.worlds import deployed as worlds

LOST = {"destroyed lines": 0.5, "destroyed bytes": 1.0, "filled newlines": 0.8}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_panel_a_type_in_the_order_of_types():
    picture = figures.grammar(evidence.outcomes(worlds.table(LOST, files=10)))
    titles = [axis.get_title(loc="left") for axis in picture.axes]
    assert titles == list(REJECTING)
    names = [text.get_text() for text in picture.axes[0].get_yticklabels()]
    assert names[0] == "no separators" and names[-1] == "bytes shuffled" and len(names) == 5


def test_curves_are_where_the_shares_are():
    picture = figures.crossovers(evidence.curves(worlds.table(LOST, files=10)))
    newlines = [line for line in picture.axes[0].lines if set(line.get_ydata()) == {0.8}]
    assert len(newlines) == 1 and list(newlines[0].get_xdata()) == [0.25, 0.5, 0.75, 0.9]
    few = evidence.curves(worlds.table(LOST, files=9))
    assert few["value"].isna().all()  # nobody qualifies, nothing is drawn


def test_a_changed_line_stands_beside_what_was_changed():
    clean = np.full((48, 90), 200, dtype=np.uint8)
    changed = clean.copy()
    changed[5, 7] = 180
    row = {"script": "Latin", "size": 1.25, "clean": perturbed.packed(clean),
           "changed": perturbed.packed(changed)}  # fmt: skip
    picture = figures.changed_lines(pd.DataFrame([row, row | {"script": "Chinese"}]))
    assert len(picture.axes) == 6
    shown = [axis.images[0].get_array() for axis in picture.axes[:3]]
    np.testing.assert_array_equal(shown[0], clean)
    np.testing.assert_array_equal(shown[1], changed)
    assert shown[2].min() == shown[2][5, 7] == -20
    assert "1.2 grey levels" in picture.axes[1].get_title()
    assert [axis.get_ylabel() for axis in picture.axes[::3]] == ["Latin", "Chinese"]
