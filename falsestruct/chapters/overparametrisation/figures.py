"""Figures of chapter 17."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots.shapes import curve, groups, legend, panels, series
from falsestruct.plots.style import GREY


def _lines(
    table: pd.DataFrame, x: str, aspect: float, *, twins: Mapping[str, str] | None = None,
    legends: int = 3, **options: Any,
) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """A panel for each value of the column panel, a line for each of line, and their legend.

    Args:
        twins: Lines that are dashed and hollow, in the colour of another one.
    """
    picture, parts = panels(table, "panel", aspect=aspect, **options)
    looks = series(dict.fromkeys(table["line"]), line="-")
    for name, other in (twins or {}).items():
        looks[name] = replace(looks[other], label=name, line="--", hollow=True)
    for axis, own in parts:
        for look, part in groups(own, "line", looks):
            if len(part):
                known = part.dropna(axis="columns", how="all")
                marks: dict[str, Any] = {"ms": 3} if "low" in known else {"marker": ""}
                curve(axis, known, x, "value", look, **marks)
    legend(picture, looks, columns=legends)
    return picture, [axis for axis, _ in parts]


def peak(table: pd.DataFrame, *, samples: int) -> Figure:
    """Errors and capture against the number of features, beside the closed form.

    Args:
        table: Columns panel, line, count, value, low, high.
        samples: Where the dotted line is.
    """
    ridged = [name for name in dict.fromkeys(table["line"]) if ", with" in name]
    twins = {name: name.split(", with")[0] for name in ridged}
    picture, axes = _lines(table, "count", 0.8, twins=twins, sharey=False, columns=2)
    for axis in axes:
        axis.axvline(samples, color=GREY, linestyle=":", linewidth=0.9)
        axis.set(xscale="log", xlabel="features")
    axes[0].set_yscale("log")
    for axis in axes[1:]:
        axis.set(ylim=(-0.03, 1.03), yticks=(0, 0.5, 1))
    return picture


def turns(table: pd.DataFrame) -> Figure:
    """Images whose label turns with the brightness: panel, line, x (energy, units), value, …"""
    last = table["line"].iloc[-1]
    picture, axes = _lines(table, "x", 0.48, twins={last: last})
    for axis, panel in zip(axes, dict.fromkeys(table["panel"]), strict=True):
        axis.set(xlabel=panel, ylim=(-0.1, 1))
        axis.set_title("", loc="left")
    widths = sorted(table[table["panel"] == "hidden units"]["x"].unique())
    axes[1].set_xscale("log", base=2)
    axes[1].set_xticks(widths, [f"{width:g}" for width in widths])
    axes[0].set_ylabel("images whose label\nturns with the brightness")
    return picture


def lines(table: pd.DataFrame) -> Figure:
    """How far the loss rises on straight lines between networks: pair, t, value, low, high."""
    drawn = table.assign(panel="").rename(columns={"pair": "line"})
    picture, (axis,) = _lines(drawn, "t", 0.48, legends=2)
    axis.set_yscale("symlog", linthresh=1e-3)
    axis.set(xlabel="place on the line", ylabel="loss above the line\nbetween its ends, nats")
    return picture
