"""Figures of chapter 14."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.shapes import Look, curve, groups, legend, line, marks, panels, ticks
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL, PINK, SERIES


def circle(table: pd.DataFrame) -> Figure:
    """Two interpolants around the circle less their target, a panel a target.

    Columns: target, what ("sparse", "spread", "data"), angle, value.
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

    The table is as `evidence.ordered` gives it.
    """
    picture, parts = panels(table, "panel", aspect=0.62, titles=dict.fromkeys(table["panel"], ""))
    looks = {
        name: Look(name, SERIES[i % 4], "os^D"[i % 4], hollow=i >= 4)
        for i, name in enumerate(dict.fromkeys(table["architecture"]))
    }
    for axis, own in parts:
        for look, part in groups(own, "architecture", looks):
            ends = [part["error"] - part["below"], part["above"] - part["error"]]
            heights = np.nan_to_num(np.array(ends, dtype=float))
            marks(axis, part, "value", look, y="error", yerr=heights)
        axis.set_xlabel(own["panel"].iloc[0])
        axis.set_xlim(left=0)
    parts[0][0].set_ylabel("test error")
    legend(picture, looks, columns=4)
    return picture


def hierarchy(table: pd.DataFrame, *, expected: int) -> Figure:
    """Test error and labels that exchanges change against the training set, a panel a network.

    Columns: network, samples, what, value, low, high; `expected` is v·m^L.
    """
    titles = {"deep": "hierarchical", "shallow": "one hidden layer", "dense": "three hidden layers"}
    picture, parts = panels(table, "network", aspect=0.55, titles=titles)
    looks = {
        "test error": Look("test error", ORIGINAL, line="-"),
        "a synonym": Look("changed by a synonym", GREEN, "^", line="--"),
        "the worst synonym": Look("right, lost by some synonym", FALSE, "s", line="-."),
        "another meaning": Look("changed by another meaning", PINK, "D", line=":"),
    }
    sizes = sorted(set(table["samples"]))
    for axis, own in parts:
        for look, part in groups(own, "what", looks):
            curve(axis, part, "samples", "value", look)
        axis.axvline(expected, color=GREY, linewidth=1)
        axis.set(ylim=(-0.02, 1), xlabel="training examples")
        ticks(axis, sizes, rotation=45)
    parts[0][0].set_ylabel("share of held-out inputs")
    legend(picture, looks, columns=2, more={"$v m^L$ examples": line(GREY, "-", 1)})
    return picture


def captures(table: pd.DataFrame) -> Figure:
    """Capture of a colour against its size, a panel a kind of colour, a line a sight.

    Columns: kind, sight, size, value, low, high.
    """
    titles = {"mean": "in the mean", "contrast": "in the contrast"}
    picture, parts = panels(table, "kind", aspect=0.5, titles=titles)
    looks = {
        "seeing": Look("sees the mean", ORIGINAL, line="-"),
        "levelled": Look("sees it, less the stripes' brightness", GREEN, "^", line=":"),
        "blind": Look("can't see the mean", FALSE, "s", line="--"),
    }
    for axis, own in parts:
        for look, part in groups(own, "sight", looks):
            curve(axis, part, "size", "value", look)
        axis.set(ylim=(-0.03, 1.03), xlabel="size of the colour")
        ticks(axis, own["size"].unique())
    parts[0][0].set_ylabel("capture of the colour")
    legend(picture, looks, columns=2)
    return picture
