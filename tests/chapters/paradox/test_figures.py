"""Do the figures of chapter 01 show what stands in their tables?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from falsestruct.chapters.paradox import figures as plots
from falsestruct.press.notebook.figures import STYLES, draw


def pictures(**columns: object) -> pd.DataFrame:
    rows, places = np.indices((2, 2))
    cells = {"row": rows.ravel(), "column": places.ravel(), "value": [0.0, 0.5, -0.25, 1.0]}
    return pd.DataFrame(cells).assign(**columns)


def test_examples_name_what_is_read_and_how_large_the_change_is() -> None:
    panels = ["image", "perturbation", "sum", "random noise", "nearest other"]
    tables = [
        pictures(image=i, panel=panel, label=j, size=0.125)
        for i in (7, 3)
        for j, panel in enumerate(panels)
    ]
    figure = draw(plots.examples, pd.concat(tables).to_csv(index=False), {}, STYLES["book"])
    labels = [axis.get_xlabel() for axis in figure.axes]
    assert labels == ["read as 0", "size 0.12", "read as 2", "read as 3", "digit 4"] * 2
    image, change = figure.axes[0].images[0], figure.axes[1].images[0]
    assert image.get_clim() == (0, 1) and change.get_clim() == (-1, 1)
    assert image.get_array().tolist() == [[0.0, 0.5], [-0.25, 1.0]]


def test_transfer_shows_its_numbers_where_they_belong() -> None:
    rows = [("a", "a", 0.9), ("a", "b", 0.25), ("noise", "a", 0.0), ("noise", "b", 0.125)]
    table = pd.DataFrame(rows, columns=["source", "target", "ratio"])
    figure = draw(plots.transfer, table.to_csv(index=False), {}, STYLES["book"])
    axis = figure.axes[0]
    shown = {text.get_position(): text.get_text() for text in axis.texts}
    assert shown == {(0, 0): "0.90", (1, 0): "0.25", (0, 1): "0.00", (1, 1): "0.12"}
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "noise"]


def test_curves_keep_the_rule_with_a_certificate_apart() -> None:
    names = ["MLP", "nearest neighbour", "certificate"]
    table = pd.concat(
        pd.DataFrame({"architecture": name, "level": [0.0, 1.0], "share": [0.0, top]})
        for name, top in zip(names, (0.9, 0.5, 0.6), strict=True)
    )
    table = table.assign(low=table["share"], high=table["share"])
    axis = draw(plots.curves, table.to_csv(index=False), {}, STYLES["book"]).axes[0]
    drawn = {line.get_label(): list(line.get_ydata()) for line in axis.lines[:3]}
    assert drawn == {
        "MLP": [0.0, 0.9],
        "nearest neighbour, found": [0.0, 0.5],
        "nearest neighbour, at most": [0.0, 0.6],
    }


def test_outcomes_have_a_mark_for_each_network_and_condition() -> None:
    table = pd.concat(
        pd.DataFrame({"condition": condition, "seed": [0, 1], "share": share})
        for condition, share in zip(plots.LOOKS, (1.0, 0.9, 0.1), strict=True)
    )
    ends = {end: table["share"] for end in ("mean", "low", "high")}
    table = table.assign(architecture="MLP", **ends)
    axis = draw(plots.outcomes, table.to_csv(index=False), {}, STYLES["book"]).axes[0]
    small = [list(line.get_xdata()) for line in axis.lines if len(line.get_xdata()) == 2]
    assert small == [[1.0, 1.0], [0.9, 0.9], [0.1, 0.1]]


@pytest.mark.parametrize("seeds", [1, 2])
def test_portraits_leave_gaps_where_there_is_no_network(seeds: int) -> None:
    tables = [pictures(source="MLP", seed=seed) for seed in range(2)]
    tables += [pictures(source="random", seed=seed) for seed in range(seeds)]
    figure = draw(plots.portraits, pd.concat(tables).to_csv(index=False), {}, STYLES["book"])
    assert sum(bool(axis.images) for axis in figure.axes) == 2 + seeds
