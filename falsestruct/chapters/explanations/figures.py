"""Figures of chapter 18."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.shapes import Look, groups, legend, marks, named, panels, rows
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL

PATTERNS = {"brightness": "brightness", "pixel": "one pixel", "sinusoid": "stripes"}
GROUPS = {
    "tells the label": Look("the pattern tells the label", FALSE, "s", 0.2),
    "a coin": Look("the pattern is a coin", ORIGINAL, "o"),
    "before training": Look("before training", GREY, "^", -0.2, hollow=True),
}
READINGS = {
    "the map alone": Look("the map alone", FALSE, "s", 0.15),
    "over the output": Look("the pattern's value over the output", GREEN, "^", -0.15),
    "the output alone": Look("the output alone", "black", "D"),
}

WHO = {
    "networks": Look("networks", ORIGINAL),
    "rule": Look("the rule itself", FALSE, "D", -0.36, hollow=True),
}


def maps(table: pd.DataFrame) -> Figure:
    """Share of single maps that name the pattern: a panel a pattern, a row a method.

    Args:
        table: Columns kind, group, method, value, low, high.
    """
    return _by_method(table, "group", GROUPS, "share of maps that name the pattern")


def single(table: pd.DataFrame) -> Figure:
    """How well answers of either kind are told apart: a panel a pattern, a row a method.

    Args:
        table: Columns kind, reading, method, value, low, high.
    """
    picture = _by_method(table, "reading", READINGS, "probability of being told apart")
    for axis in picture.axes:
        axis.axvline(0.5, color=GREY, linestyle=":", linewidth=0.9)
    return picture


def _by_method(table: pd.DataFrame, by: str, looks: dict[str, Look], label: str) -> Figure:
    methods = list(dict.fromkeys(table["method"]))
    own = table.assign(height=[-methods.index(name) for name in table["method"]])
    picture, parts = panels(own, "kind", aspect=0.6, titles=PATTERNS, sharex=True)
    for axis, part in parts:
        named(axis, methods)
        for look, group in groups(part, by, looks):
            marks(axis, group, "value", look)
        axis.set_xlim(-0.04, 1.04)
    parts[len(parts) // 2][0].set_xlabel(label)
    legend(picture, looks)
    return picture


def sizes(table: pd.DataFrame) -> Figure:
    """Pixels that are kept: exact masks by training data, and orders; a row a name.

    Args:
        table: Columns panel, who, name, value, low, high.
    """
    picture, parts = rows(table, "panel", "name", aspect=0.75)
    for axis, part in parts:
        for look, group in groups(part, "who", WHO):
            marks(axis, group, "value", look)
        axis.set_xlim(0, 16.5)
    parts[-1][0].set_xlabel("pixels kept, of sixteen")
    legend(picture, WHO)
    return picture
