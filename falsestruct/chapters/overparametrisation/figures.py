"""Figures of chapter 17."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.shapes import (
    Look, beside, curve, groups, legend, line, marks, panels, rows, series,
)  # fmt: skip
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL, PINK, figure, tidy

STRUCTURES = {"brightness": Look("brightness", FALSE, "s"), "parity": Look("parity", ORIGINAL)}


def peak(table: pd.DataFrame, *, samples: int) -> Figure:
    """Errors and capture against the number of features, beside the closed form.

    Args:
        table: Columns panel, line, count, value, low, high.
        samples: Where the dotted line is.
    """
    picture, parts = panels(table, "panel", aspect=0.42, sharey=False)
    looks = series(dict.fromkeys(table["line"]), line="-")
    looks["Gaussian features"] = Look("Gaussian features", "black", "", line="-")
    for axis, own in parts:
        for look, part in groups(own, "line", looks):
            if len(part):
                part = part.dropna(axis="columns", how="all")
                curve(axis, part, "count", "value", look, ms=3)
        axis.axvline(samples, color=GREY, linestyle=":", linewidth=0.9)
        axis.set(xscale="log", xlabel="features")
    parts[0][0].set_yscale("log")
    for axis, _ in parts[1:]:
        axis.set_ylim(0, 1)
    legend(picture, looks, more={"as many as samples": line(style=":")})
    return picture


def captures(table: pd.DataFrame) -> Figure:
    """Capture of the brightness against the energy of noise inputs, and against the width.

    Args:
        table: Columns panel, line, x, value, low, high.
    """
    picture, parts = panels(table, "panel", aspect=0.48)
    looks = series(dict.fromkeys(table["line"]), line="-")
    for axis, own in parts:
        for look, part in groups(own, "line", looks):
            if len(part):
                curve(axis, part, "x", "value", look)
        axis.set(xlabel=str(own["panel"].iloc[0]), ylim=(0, 1))
        axis.set_title("")
    widths = sorted(table[table["panel"] == parts[1][1]["panel"].iloc[0]]["x"].unique())
    parts[1][0].set_xscale("log", base=2)
    parts[1][0].set_xticks(widths, [f"{width:g}" for width in widths])
    parts[0][0].set_ylabel("capture of the brightness")
    legend(picture, looks, columns=4)
    return picture


def rises(table: pd.DataFrame) -> Figure:
    """What noise on the weights costs: a mark a network.

    Args:
        table: Columns strength, structure, seed, rise.
    """
    named = table.assign(panel=[f"brightness of {s:g}" for s in table["strength"]])
    picture, parts = rows(named[named["rise"] > 0], "panel", "structure", aspect=0.42)
    for axis, own in parts:
        for look, part in groups(own, "structure", STRUCTURES):
            if len(part):
                shifted = part.assign(height=part["height"] + beside(part["rise"]))
                marks(axis, shifted, "rise", look, faint=True)
        axis.set_xscale("log")
    parts[-1][0].set_xlabel("rise of the loss where both structures agree")
    return picture


def lines(table: pd.DataFrame) -> Figure:
    """How far the loss rises above its ends on straight lines between networks.

    Args:
        table: Columns pair, t, value, low, high.
    """
    picture = figure(0.48)
    axis = picture.subplots()
    colours = (GREEN, ORIGINAL, FALSE, PINK)
    names, marked = list(dict.fromkeys(table["pair"])), ("D", "o", "s", "^")
    looks = {
        name: Look(name, colour, marker, line="-")
        for name, colour, marker in zip(names, colours, marked, strict=False)
    }
    for look, part in groups(table, "pair", looks):
        curve(axis, part, "t", "value", look, band=True, ms=3)
    axis.set_yscale("symlog", linthresh=1e-3)
    axis.set(xlabel="place on the line", ylabel="loss above the line\nbetween its ends")
    tidy(axis)
    legend(picture, looks, columns=2)
    return picture
