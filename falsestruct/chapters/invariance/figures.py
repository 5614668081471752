"""Figures of chapter 14."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.shapes import Look, curve, groups, legend, line, marks, panels, series
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL, PINK, SERIES, figure, tidy


def circle(table: pd.DataFrame) -> Figure:
    """Two interpolants around the circle less their target, a panel a target.

    Args:
        table: Columns target, what ("sparse", "spread", "data"), angle, value.
    """
    titles = {"constant": "target: a constant", "first": "target: $|x_1|$"}
    picture, parts = panels(
        table, "target", aspect=0.5, columns=1, titles=titles, sharey=False, sharex=True
    )
    looks = {
        "sparse": Look("sparse: least Σ|w|", FALSE, "", line="-"),
        "spread": Look("spread: least Σw²", ORIGINAL, "", line="--"),
    }
    for axis, own in parts:
        for look, part in groups(own, "what", looks):
            axis.plot(part["angle"], part["value"], look.line, color=look.colour, linewidth=1.2)
        data = own[own["what"] == "data"]
        axis.plot(data["angle"], data["value"], "o", color="black", markersize=3.5, zorder=3)
        axis.set(ylabel="value less target", xlim=(0, 360))
    axis.set_xticks(range(0, 361, 90))
    axis.set_xlabel("angle on the circle, degrees")
    more = {look.label: line(look.colour, look.line) for look in looks.values()}
    legend(picture, [Look("training points", "black")], more=more)
    return picture


def stability(table: pd.DataFrame) -> Figure:
    """Test error against D and against R, a mark an architecture.

    Args:
        table: As `evidence.ordered` gives it.
    """
    picture, parts = panels(table, "panel", aspect=0.62)
    names = list(dict.fromkeys(table["architecture"]))
    looks = {
        name: Look(name, SERIES[i % 4], "os^D"[i % 4], hollow=i >= 4)
        for i, name in enumerate(names)
    }
    for axis, own in parts:
        for look, part in groups(own, "architecture", looks):
            ends = [part["error"] - part["below"], part["above"] - part["error"]]
            heights = np.nan_to_num(np.array(ends, dtype=float))
            marks(axis, part, "value", look, y="error", yerr=heights)
        axis.set_xscale("log")
        axis.set_xlabel(own["panel"].iloc[0])
        axis.set_title("", loc="left")
    parts[0][0].set_ylabel("test error")
    legend(picture, looks, columns=4)
    return picture


def hierarchy(table: pd.DataFrame, *, expected: int) -> Figure:
    """Test error and labels that exchanges change against the training set, a panel a network.

    Args:
        table: Columns network, samples, what, value, low, high.
        expected: n_c·m^L.
    """
    titles = {"deep": "deep", "shallow": "one hidden layer"}
    picture, parts = panels(table, "network", aspect=0.55, titles=titles)
    looks = {
        "test error": Look("test error", ORIGINAL, line="-"),
        "a synonym": Look("changed by a synonym", GREEN, "^", line="--"),
        "another meaning": Look("changed by another meaning", PINK, "D", line=":"),
    }
    sizes = sorted(set(table["samples"]))
    for axis, own in parts:
        for look, part in groups(own, "what", looks):
            curve(axis, part, "samples", "value", look)
        axis.axvline(expected, color=GREY, linestyle="--", linewidth=1)
        axis.set(xscale="log", ylim=(-0.02, 1), xlabel="training examples")
        axis.set_xticks(sizes, [str(size) for size in sizes], rotation=45)
        axis.minorticks_off()
    parts[0][0].set_ylabel("share of held-out inputs")
    legend(picture, looks, columns=2, more={"labels · synonyms$^{levels}$": line(GREY)})
    return picture


def captures(table: pd.DataFrame) -> Figure:
    """Capture of a colour against its size, a line a sight and kind of colour.

    Args:
        table: Columns arm, size, value, low, high.
    """
    picture = figure(0.6)
    axis = picture.subplots()
    looks = series(table["arm"], line="-")
    for look, part in groups(table, "arm", looks):
        curve(axis, part, "size", "value", look)
    axis.axhline(0.5, color=GREY, linestyle=":", linewidth=0.9)
    axis.set(xscale="log", ylim=(-0.03, 1.03), xlabel="size of the colour, Euclidean norm",
             ylabel="capture of the colour")  # fmt: skip
    sizes = sorted(set(table["size"]))
    axis.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axis.minorticks_off()
    legend(picture, looks, columns=2)
    tidy(axis)
    return picture
