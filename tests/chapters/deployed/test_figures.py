"""Figures of chapter 21 show what the tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.deployed import evidence, figures
from falsestruct.deployed import perturbed
from falsestruct.deployed.examples import example, head
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


def test_at_a_glance_each_case_has_its_example_and_its_shares():
    lost = {"plain": 0.1, "destroyed lines": 0.2, "filled newlines": 0.7}
    table = evidence.glance(worlds.table(lost, files=20))
    assert table.groupby("case")["share"].unique().map(list).to_dict() == {
        "plain": [0.9], "destroyed": [0.8], "same": [0.3]}  # fmt: skip
    picture = figures.glance(table)
    above, below = picture.axes[:3], picture.axes[3:]
    assert [axis.get_xlabel() for axis in above] == [
        "its parser takes it", "no parser takes it", "its parser reads the same"]  # fmt: skip
    for axis, share, name in zip(below, (0.9, 0.8, 0.3), evidence.CASES, strict=True):
        [marks] = [line for line in axis.lines if line.get_marker() in "os"]
        assert set(marks.get_xdata()) == {share} and len(marks.get_xdata()) == len(REJECTING)
        assert axis is not below[0] or [t.get_text() for t in axis.get_yticklabels()] == list(
            REJECTING
        )
        shown = above[list(evidence.CASES).index(name)].texts[0].get_text()
        assert shown == head(example(name))


def test_with_too_few_files_no_share_is_drawn():
    table = evidence.glance(worlds.table({}, files=9))
    assert table["share"].isna().all() and len(table) == 3 * len(REJECTING)
    assert table["example"].notna().all()
    figures.glance(table)


def asked(margin=0.5):
    rng = np.random.default_rng(1)
    return pd.DataFrame([
        {"script": script, "family": str(family), "kind": kind, "change": change, "turned": way,
         "right": margin if change == "margin above" else rng.uniform(0.9, 1), "lines": 30}
        for script in ("Latin", "Chinese") for family in range(4) for kind, change in evidence.ROWS
        if script == "Latin" or kind not in ("small", "hung") for way in (False, True)
    ])  # fmt: skip


def test_lines_are_shares_by_script_and_way():
    table = evidence.lines_read(asked())
    above = table[table["row"] == "white above"]
    assert above["value"].tolist() == [0.5] * 4 and len(table) == 2 * (2 * len(evidence.ROWS) - 2)
    picture = figures.lines_read(table)
    assert [axis.get_title(loc="left") for axis in picture.axes] == ["Latin", "Chinese"]
    names = [text.get_text() for text in picture.axes[0].get_yticklabels()]
    assert names == list(evidence.ROWS.values())
    marks = [line for line in picture.axes[1].lines if line.get_marker() in ("o", "s")]
    assert [len(line.get_xdata()) for line in marks] == [len(evidence.ROWS) - 2] * 2


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
