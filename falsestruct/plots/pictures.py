"""Images side by side, alone or with what several rules say of each below it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.style import FALSE, ORIGINAL, figure

PLACES = (0.86, 0.14)  # of the first and the last rule's line, in heights of the text's part


def answered(table: pd.DataFrame, rules: Mapping[str, str], *, shared: str = "") -> Figure:
    """Images side by side; what the first rule doesn't say stands out.

    Args:
        table: A row a pixel: panel, row, column, value; for each rule, what it says of the panel.
        rules: The column of each rule, and its words at the left.
        shared: The rule of which `share`, a column too, says so.
    """
    picture = figure(0.5)
    parts = list(table.groupby("panel", sort=False))
    widths = [0.9, *[1.0] * len(parts)]
    top, bottom = picture.subplots(2, len(widths), width_ratios=widths, height_ratios=[2.0, 1.0])
    for axis in (top[0], *bottom):
        axis.set_axis_off()
    for place, words in zip(_places(rules), rules.values(), strict=True):
        bottom[0].text(1.0, place, words, ha="right", va="center")
    low, high = table["value"].min(), table["value"].max()
    for image, text, (panel, own) in zip(top[1:], bottom[1:], parts, strict=True):
        shapes.pixels(image, own, cmap="gray", vmin=low - 0.1, vmax=high)
        image.set_title(str(panel).capitalize(), fontsize="medium")
        _answers(text, own.iloc[0], rules, shared)
    return picture


def _places(rules: Mapping[str, str]) -> list[float]:
    first, last = PLACES
    step = (first - last) / max(len(rules) - 1, 1)
    return [first - i * step for i in range(len(rules))]


def _answers(axis: Axes, row: pd.Series, rules: Mapping[str, str], shared: str) -> None:
    for place, rule in zip(_places(rules), rules, strict=True):
        answer = str(row[rule])
        wrong = answer != row[next(iter(rules))]
        words = f"{answer} ({row['share']:.0%})" if rule == shared else answer
        axis.text(
            0.5, place, words, ha="center", va="center",
            color=FALSE if wrong else ORIGINAL, fontweight="bold" if wrong else "normal",
        )  # fmt: skip


def side_by_side(table: pd.DataFrame) -> Figure:
    """Images on one scale, each under its name: a row a pixel, panel, row, column, value."""
    titles = {panel: panel.replace(", ", ",\n") for panel in table["panel"]}
    picture, panels = shapes.panels(table, "panel", aspect=0.3, titles=titles, sharey=False)
    low, high = table["value"].min(), table["value"].max()
    for axis, part in panels:
        shapes.pixels(axis, part, cmap="cividis", vmin=low, vmax=high)
        axis.set_title(axis.get_title(loc="left"), fontsize="small")
        axis.set_title("", loc="left")
    return picture
