"""Figures of the chapter on stable networks."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.style import (
    FALSE,
    GREEN,
    GREY,
    MARKERS,
    ORIGINAL,
    SERIES,
    dots,
    figure,
    tidy,
)


def plane(table: pd.DataFrame) -> Figure:
    """Labels that networks give in the plane, a panel a network, with the data.

    Args:
        table: As `evidence.plane` gives it.
    """
    names = list(dict.fromkeys(table["panel"]))
    picture = figure(0.5)
    axes = picture.subplots(len(names), 1, sharex=True)
    for axis, name, colour in zip(axes, names, (ORIGINAL, FALSE), strict=True):
        own = table[table["panel"] == name]
        grid = own[own["what"] == "network"].pivot(index="x2", columns="x1", values="value")
        value = grid.to_numpy()
        ends = [min(value.min(), 0) - 1, 0, max(value.max(), 0) + 1]
        axis.contourf(
            grid.columns, grid.index, value, levels=ends, colors=["white", colour], alpha=0.35
        )
        axis.contour(grid.columns, grid.index, value, levels=[0], colors=[colour], linewidths=0.8)
        points = own[own["what"] == "point"]
        for label, marker, face in ((1, "o", "black"), (0, "s", "white")):
            at = points[points["value"] == label]
            axis.plot(
                at["x1"], at["x2"], marker, color="black", markerfacecolor=face, markersize=4,
                linestyle="none", label=f"data with label {label}",
            )  # fmt: skip
        axis.set_title(name, loc="left", fontsize="medium")
        axis.set(xscale="log", ylabel="$x_2\\,/\\,\\delta$")
    axes[-1].set_xlabel("first input $x_1\\,/\\,a$")
    axes[-1].set_xticks([0.1, 0.2, 0.4, 0.8], ["0.1", "0.2", "0.4", "0.8"])
    axes[-1].minorticks_off()
    handles, labels = axes[0].get_legend_handles_labels()
    patch = mpl.patches.Patch(facecolor="0.75", edgecolor="0.4")
    picture.legend(
        [*handles, patch], [*labels, "label 1 is given"],
        loc="outside lower center", ncols=3, frameon=False,
    )  # fmt: skip
    return picture


def phase(table: pd.DataFrame) -> Figure:
    """A share for each number of points and width, a panel a kind of network, with r = w + 2.

    Args:
        table: Columns panel, width, r, value.
    """
    names = list(dict.fromkeys(table["panel"]))
    picture = figure(0.52)
    axes = picture.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axis, name in zip(axes, names, strict=True):
        grid = table[table["panel"] == name].pivot(index="r", columns="width", values="value")
        image = axis.imshow(grid, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
        for (i, j), value in np.ndenumerate(grid.to_numpy()):
            shade = "black" if value > 0.5 else "white"
            axis.text(j, i, f"{value:.2f}", ha="center", va="center", color=shade, fontsize=7)
        _staircase(axis, grid)
        axis.set_xticks(range(len(grid.columns)), grid.columns)
        axis.set_yticks(range(len(grid.index)), grid.index)
        axis.set_title(name, fontsize="medium")
        axis.set_xlabel("width w")
    axes[0].set_ylabel("number of points r")
    picture.colorbar(image, ax=axes, label="share", location="bottom", shrink=0.5, aspect=40)
    return picture


def _staircase(axis: mpl.axes.Axes, grid: pd.DataFrame) -> None:
    """The line r = w + 2: below it the width is enough to be right without x₂."""
    enough = [int((grid.index <= int(width) + 2).sum()) - 0.5 for width in grid.columns]
    edges = np.arange(len(enough) + 1) - 0.5
    axis.stairs(enough, edges, baseline=None, color="white", linewidth=4)
    axis.stairs(enough, edges, baseline=None, color=FALSE, linewidth=2)


def used(table: pd.DataFrame) -> Figure:
    """Pieces and label changes of networks without x₂ against width, and what is possible.

    Args:
        table: Columns width, what ("pieces" or "crossings"), value, low, high.
    """
    picture = figure(0.5)
    axis = picture.subplots()
    widths = np.array(sorted(table["width"].unique()))
    axis.plot(widths, widths + 1, color=GREY, linestyle="--", label="possible: w + 1")
    looks = {
        "pieces": (GREEN, "^", "linear pieces between the points"),
        "crossings": (ORIGINAL, "o", "changes of the label"),
    }
    for what, (colour, marker, label) in looks.items():
        own = table[table["what"] == what]
        errors = (own["value"] - own["low"], own["high"] - own["value"])
        axis.errorbar(
            own["width"], own["value"], yerr=errors, color=colour, marker=marker, ms=4.5,
            capsize=3, label=label,
        )  # fmt: skip
    axis.set(xscale="log", yscale="log", xlabel="width w", ylabel="number on the line $x_2 = 0$")
    axis.set_xticks(widths, [str(width) for width in widths])
    axis.minorticks_off()
    axis.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    axis.legend(frameon=False)
    tidy(axis)
    return picture


def tradeoff(table: pd.DataFrame) -> Figure:
    """Broken against wrong points, one mark a network, and the region that no network can enter.

    Args:
        table: Columns kind, wrong, broken, bound.
    """
    picture = figure(0.58)
    axis = picture.subplots()
    bound = table["bound"].iloc[0]
    axis.fill_between([0, bound / 2], [bound, 0], color="0.85", linewidth=0)
    axis.plot([0, bound / 2], [bound, 0], color=GREY, linewidth=1.2)
    axis.text(0.02, 0.3 * bound, "impossible with\nthis width", color="0.25")
    for place, (kind, own) in enumerate(table.groupby("kind", sort=False)):
        axis.plot(
            own["wrong"], own["broken"], MARKERS[place], ms=9 if len(own) == 1 else 5, label=kind,
            clip_on=False, zorder=3, **dots(SERIES[place]),
        )  # fmt: skip
    axis.set(
        xlabel="share of points that are wrong",
        ylabel="share of points that are\nright, and broken by $(0, \\pm\\delta)$",
        xlim=(0, 1), ylim=(0, 1.03),
    )  # fmt: skip
    axis.legend(frameon=False, loc="upper right")
    tidy(axis)
    return picture


def scales(table: pd.DataFrame) -> Figure:
    """Share read by x₂, accuracy and stability against the size of x₂, a line a number of points.

    Args:
        table: Columns r, ratio, what ("reads", "accuracy" or "relative"), value, low, high.
    """
    picture = figure(0.5)
    axes = picture.subplots(1, 3, sharex=True)
    titles = {
        "reads": "conflict set read by $x_2$",
        "accuracy": "right on the points",
        "relative": "distance over the\nexplicit network's",
    }
    for axis, (what, title) in zip(axes, titles.items(), strict=True):
        for place, (r, own) in enumerate(table[table["what"] == what].groupby("r")):
            errors = (own["value"] - own["low"], own["high"] - own["value"])
            axis.errorbar(
                own["ratio"], own["value"], yerr=errors, color=SERIES[place], lw=1,
                marker=MARKERS[place], ms=4, capsize=2, label=f"{r} points",
            )  # fmt: skip
        axis.axvline(1, color=GREY, linestyle="--", linewidth=1)
        axis.set_xscale("log")
        axis.set_title(title, fontsize="medium")
        tidy(axis)
    for axis in axes[:2]:
        axis.set_ylim(0, 1.04)
        axis.axhline(0.5, color=GREY, linestyle=":", linewidth=0.9)
    axes[2].set_yscale("log")
    axes[2].axhline(1, color=GREY, linestyle=":", linewidth=0.9)
    axes[0].set_ylabel("share, mean over networks")
    axes[1].set_xlabel("size δ of the second input over the smallest gap")
    handles, labels = axes[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
    return picture
