"""Figures of the chapter on stable networks."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL


def plane(table: pd.DataFrame) -> Figure:
    """Labels that networks give in the plane, a panel a network, with the data.

    The table is as `evidence.plane` gives it.
    """
    picture, parts = shapes.panels(table, "panel", aspect=0.5, columns=1, sharex=True, sharey=False)
    looks = {
        "1.0": Look("data with label 1", "black"),
        "0.0": Look("data with label 0", "black", "s", hollow=True),
    }
    for (axis, own), colour in zip(parts, (ORIGINAL, FALSE), strict=True):
        axis.grid(False)
        axis.spines[:].set_visible(True)
        grid = own[own["what"] == "network"].pivot(index="x2", columns="x1", values="value")
        ends = [min(grid.min().min(), 0) - 1, 0, max(grid.max().max(), 0) + 1]
        at = grid.columns, grid.index, grid.to_numpy()
        axis.contourf(*at, levels=ends, colors=["white", colour], alpha=0.35)
        axis.contour(*at, levels=[0], colors=[colour], linewidths=0.8)
        points = own[own["what"] == "point"].astype({"value": float})
        for look, data in shapes.groups(points, "value", looks):
            shapes.marks(axis, data, "x1", look, y="x2", ms=4)
        axis.set(ylabel="$x_2\\,/\\,\\delta$")
    axis.set_xlabel("first input $x_1\\,/\\,a$")
    shapes.ticks(axis, [0.1, 0.2, 0.4, 0.8])
    patch = mpl.patches.Patch(facecolor="0.75", edgecolor="0.4")
    shapes.legend(picture, looks, place="outside lower center", more={"label 1 is given": patch})
    return picture


def phase(table: pd.DataFrame) -> Figure:
    """A share for each number of points and width, a panel a kind of network, with r = w + 2.

    Columns: panel, width, r, value.
    """
    picture, parts = shapes.panels(table, "panel", aspect=0.52)
    widths, sizes = (sorted(set(table[name].astype(int))) for name in ("width", "r"))
    for axis, own in parts:
        axis.grid(False)
        cell = own.assign(row=own["r"].astype(str), column=own["width"].astype(str))
        names = {"rows": [*map(str, sizes)], "columns": [*map(str, widths)]}
        image = shapes.cells(axis, cell, **names, dark=0.5)
        axis.invert_yaxis()
        for text in axis.texts:
            text.set_fontsize(7)
        # Below the line r = w + 2 the width is enough to be right without x₂.
        enough = [sum(r <= width + 2 for r in sizes) - 0.5 for width in widths]
        for colour, wide in (("white", 4), (FALSE, 2)):
            axis.stairs(enough, np.arange(len(widths) + 1) - 0.5, baseline=None, color=colour,
                        linewidth=wide)  # fmt: skip
        axis.set_xlabel("width w")
    axes = [axis for axis, _ in parts]
    axes[0].set_ylabel("number of points r")
    picture.colorbar(image, ax=axes, label="share", location="bottom", shrink=0.5, aspect=40)
    return picture


def used(table: pd.DataFrame) -> Figure:
    """Pieces and label changes of networks without x₂ against width, and what is possible.

    Columns: width, what ("pieces" or "crossings"), value, low, high.
    """
    picture, axis = shapes.single(0.5)
    widths = np.array(sorted(table["width"].unique()))
    axis.plot(widths, widths + 1, color=GREY, linestyle="--", label="possible: w + 1")
    looks = {
        "pieces": Look("linear pieces between the points", GREEN, "^"),
        "crossings": Look("changes of the label", ORIGINAL),
    }
    for look, own in shapes.groups(table, "what", looks):
        shapes.curve(axis, own, "width", "value", look)
    axis.set(yscale="log", xlabel="width w", ylabel="number on the line $x_2 = 0$")
    shapes.ticks(axis, widths)
    axis.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    axis.legend(frameon=False)
    return picture


def tradeoff(table: pd.DataFrame) -> Figure:
    """Broken against wrong points, one mark a network, and the region that no network can enter.

    Columns: kind, wrong, broken, bound.
    """
    picture, axis = shapes.single(0.58)
    bound = table["bound"].iloc[0]
    axis.fill_between([0, bound / 2], [bound, 0], color="0.85", linewidth=0)
    axis.plot([0, bound / 2], [bound, 0], color=GREY, linewidth=1.2)
    axis.text(0.02, 0.3 * bound, "impossible with\nthis width", color="0.25")
    for look, own in shapes.groups(table, "kind", shapes.series(table["kind"])):
        shapes.marks(axis, own, "wrong", look, y="broken", faint=True, ms=9 if len(own) == 1 else 5,
              label=look.label, clip_on=False, zorder=3)  # fmt: skip
    axis.set(
        xlabel="share of points that are wrong",
        ylabel="share of points that are\nright, and broken by $(0, \\pm\\delta)$",
        xlim=(0, 1), ylim=(0, 1.03),
    )  # fmt: skip
    axis.legend(frameon=False, loc="upper right")
    return picture


def scales(table: pd.DataFrame) -> Figure:
    """Share read by x₂, accuracy and stability against the size of x₂, a line a set of points.

    Columns: points, ratio, what ("reads", "accuracy" or "relative"), value, low, high.
    """
    titles = {
        "reads": "conflict set read by $x_2$",
        "accuracy": "right on the points",
        "relative": "distance over the\nexplicit network's",
    }
    table = table.sort_values("what", key=lambda what: what.map([*titles].index), kind="stable")
    picture, parts = shapes.panels(
        table, "what", aspect=0.5, titles=titles, sharey=False, sharex=True
    )
    looks = shapes.series(table["points"], line="-")
    for (axis, own), level in zip(parts, (0.5, 0.5, 1.0), strict=True):
        for look, line in shapes.groups(own, "points", looks):
            shapes.curve(axis, line, "ratio", "value", look, lw=1)
        axis.axvline(1, color=GREY, linestyle="--", linewidth=1)
        axis.axhline(level, color=GREY, linestyle=":", linewidth=0.9)
        axis.set(xscale="log", yscale="linear" if level < 1 else "log")
    first, second, _ = (axis for axis, _ in parts)
    for axis in (first, second):
        axis.set_ylim(0, 1.04)
    first.set_ylabel("share, mean over networks")
    second.set_xlabel("size δ of the second input over the smallest gap")
    shapes.legend(picture, looks, columns=3)
    return picture
