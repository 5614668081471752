"""Figures of chapter 16."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.shapes import (
    Look,
    curve,
    groups,
    legend,
    line,
    marks,
    panels,
    rows,
    series,
    single,
)
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL

SHAPES = {
    "two": Look("two layers", FALSE, line="-"),
    "two, more weights": Look("two layers, weights of six", GREEN, "^", line="--"),
    "six": Look("six layers", ORIGINAL, "s", line="-"),
}


def sawtooths(table: pd.DataFrame) -> Figure:
    """Tents, one after the other, along the first input: a panel for each number of them.

    Args:
        table: Columns k, x, value, at the knots.
    """
    names = {str(k): f"k = {k}" for k in table["k"]}
    picture, parts = panels(table, "k", aspect=0.32, titles=names)
    for axis, own in parts:
        axis.plot(own["x"], own["value"], color=GREY, linewidth=1.0)
        count = 2 ** int(own["k"].iloc[0])
        for label, look in ((0, Look("label 0", ORIGINAL)), (1, Look("label 1", FALSE, "s"))):
            x = [j / count for j in range(count + 1) if j % 2 == label]
            axis.plot(x, [label] * len(x), linestyle="", ms=4, **look.mark)
        axis.axhline(0.5, color=GREY, linestyle=":", linewidth=0.9)
        axis.set(xlabel="first input", xticks=[0, 0.5, 1])
    parts[0][0].set_ylabel("output")
    looks = [Look("label 0", ORIGINAL), Look("label 1", FALSE, "s")]
    more = {"network": line(style="-"), "changes its label": line(style=":")}
    legend(picture, looks, columns=4, more=more)
    return picture


def captures(table: pd.DataFrame) -> Figure:
    """Capture of the hint against its size, a line a shape.

    Args:
        table: Columns shape, size, value, low, high.
    """
    picture, axis = single(0.5)
    for look, own in groups(table, "shape", SHAPES):
        if len(own):
            curve(axis, own, "size", "value", look)
    sizes = sorted(table["size"].unique())
    axis.set(xscale="log", xlabel="size of the hint", ylabel="capture of the hint")
    axis.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axis.minorticks_off()
    axis.set_ylim(-0.03, 1.03)
    legend(picture, SHAPES)
    return picture


def depths(table: pd.DataFrame) -> Figure:
    """The offset from which on networks take the colour, against the number of hidden layers.

    Args:
        table: Columns panel, line, depth, value, low, high.
    """
    looks = series(table["line"], line="-", spread=0.2)
    picture, parts = panels(table, "panel", aspect=0.5)
    known = sorted(table["depth"].unique())
    for axis, part in parts:
        for look, own in groups(part, "line", looks):
            if len(own):
                curve(axis, own.assign(depth=own["depth"] * 2**look.shift), "depth", "value", look)
        axis.set_xscale("log", base=2)
        axis.set_xticks(known, [str(depth) for depth in known])
        axis.minorticks_off()
        axis.set_xlabel("hidden layers")
    parts[0][0].set_ylabel("offset from which on\nthe colour is taken")
    legend(picture, looks, columns=4)
    return picture


def others(table: pd.DataFrame) -> Figure:
    """The same offset by width, by how far weights move, and by fine architecture.

    Args:
        table: Columns panel, row, value, low, high.
    """
    picture, parts = rows(table, "panel", "row", aspect=0.85)
    for axis, own in parts:
        marks(axis, own, "value", Look(colour=ORIGINAL))
    last = parts[-1][0]
    last.set_xlabel("offset from which on the colour is taken")
    return picture
