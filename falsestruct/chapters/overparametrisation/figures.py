"""Figures of chapter 17."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots.shapes import curve, groups, legend, panels, series
from falsestruct.plots.style import GREY


def _lines(
    table: pd.DataFrame, x: str, aspect: float, *, sharey: bool = True, columns: int = 3
) -> tuple[Figure, list[Axes]]:
    """A panel for each value of the column panel, a line for each of line, and their legend."""
    picture, parts = panels(table, "panel", aspect=aspect, sharey=sharey)
    looks = series(dict.fromkeys(table["line"]), line="-")
    for axis, own in parts:
        for look, part in groups(own, "line", looks):
            if len(part):
                known = part.dropna(axis="columns", how="all")
                marks: dict[str, Any] = {"ms": 3} if "low" in known else {"marker": ""}
                curve(axis, known, x, "value", look, **marks)
    legend(picture, looks, columns=columns)
    return picture, [axis for axis, _ in parts]


def peak(table: pd.DataFrame, *, samples: int) -> Figure:
    """Errors and capture against the number of features, beside the closed form.

    Args:
        table: Columns panel, line, count, value, low, high.
        samples: Where the dotted line is.
    """
    picture, axes = _lines(table, "count", 0.45, sharey=False)
    for axis in axes:
        axis.axvline(samples, color=GREY, linestyle=":", linewidth=0.9)
        axis.set(xscale="log", xlabel="features")
    axes[0].set_yscale("log")
    for axis in axes[1:]:
        axis.set_ylim(0, 1)
    return picture


def turns(table: pd.DataFrame) -> Figure:
    """Images whose label turns with the brightness, against the energy of noise, and the width.

    Args:
        table: Columns panel, line, x, value, low, high.
    """
    picture, axes = _lines(table, "x", 0.48)
    for axis, panel in zip(axes, dict.fromkeys(table["panel"]), strict=True):
        axis.set(xlabel=panel, ylim=(-0.1, 1))
        axis.set_title("")
    widths = sorted(table[table["panel"] == "hidden units"]["x"].unique())
    axes[1].set_xscale("log", base=2)
    axes[1].set_xticks(widths, [f"{width:g}" for width in widths])
    axes[0].set_ylabel("images whose label\nturns with the brightness")
    return picture


def lines(table: pd.DataFrame) -> Figure:
    """How far the loss rises above its ends on straight lines between networks.

    Args:
        table: Columns pair, t, value, low, high.
    """
    drawn = table.assign(panel="").rename(columns={"pair": "line"})
    picture, (axis,) = _lines(drawn, "t", 0.48, columns=2)
    axis.set_yscale("symlog", linthresh=1e-3)
    axis.set(xlabel="place on the line", ylabel="loss above the line\nbetween its ends")
    return picture
