"""Figures of the chapter on label noise; tables as the functions of `evidence` give them."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.shapes import Look, curve, groups, legend, marks, panels, rows, single, ticks
from falsestruct.plots.style import BLUE, GREEN, GREY, ORANGE, PINK

TRAINED = {
    "plain": Look("trained to the end", ORANGE, line="-"),
    "stopped early": Look("stopped early", BLUE, "s", line="--"),
}
LINES = {
    "with wrong labels": Look("error after training with wrong labels", ORANGE, line="-"),
    "without": Look("error without wrong labels", BLUE, "s", line="--"),
    "bound": Look("bound: what the learnt wrong labels infect", GREY, "^", line=":"),
}
WRONG = {
    "left out": Look("a fifth left out", GREY, "s", line="-"),
    "nothing": Look("all labels right", BLUE, hollow=True, line="--"),
    "labels 0.1": Look("a tenth wrong", GREEN, "D", line="-."),
    "labels 0.2": Look("a fifth wrong", ORANGE, line="-"),
    "labels 0.3": Look("three tenths wrong", PINK, "v", line=":"),
}


def shares(table: pd.DataFrame) -> Figure:
    """Errors against the share of wrong labels, a panel for images as they are and perturbed."""
    picture, parts = panels(table, "what", aspect=0.5, sharex=True, sharey=False)
    for axis, own in parts:
        for look, line in groups(own, "kind", TRAINED):
            curve(axis, line, "noise", "value", look)
        axis.set(xlabel="share of wrong labels", ylim=(0, None))
    parts[0][0].set_ylabel("share of images misread")
    legend(picture, TRAINED)
    return picture


def lengths(table: pd.DataFrame) -> Figure:
    """Errors against the length of perturbations, and the bound, a panel a problem."""
    picture, parts = panels(table, "panel", aspect=0.55)
    for (axis, own), unit in zip(parts, ("pixels in [0, 1]", "sides of the square"), strict=True):
        for look, line in groups(own, "line", LINES):
            if len(line):
                curve(axis, line, "length", "value", look)
        axis.set_xlabel(f"length of the perturbation,\n{unit}")
    parts[0][0].set(ylabel="share of inputs", ylim=(-0.02, 1.02))
    legend(picture, LINES, columns=2)
    return picture


def kinds(table: pd.DataFrame) -> Figure:
    """What networks of each kind learn by heart and misread, a panel a number."""
    none, some = (str(noise) for noise in sorted(table["noise"].unique()))
    looks = {
        none: Look("no label wrong", BLUE, "s", shift=0.12),
        some: Look("some labels wrong", ORANGE, shift=-0.12),
    }
    picture, parts = rows(table, "what", "kind", aspect=1.3, sharex=False)
    for axis, own in parts:
        for look, line in groups(own, "noise", looks):
            marks(axis, line, "value", look)
        axis.set_xlim(-0.01, None)
    parts[-1][0].set_xlabel("share, mean with 95 % interval")
    legend(picture, looks)
    return picture


def stripes(table: pd.DataFrame) -> Figure:
    """Share of the conflict set read by colour against the offset, a line for what is wrong."""
    picture, axis = single(0.55)
    for look, own in groups(table, "what", WRONG):
        curve(axis, own, "a", "value", look)
    axis.axhline(0.5, color=GREY, linestyle=":", linewidth=0.9)
    axis.set(xlabel="offset a; the contrast of a stripe is 1",
             ylabel="share of the conflict set\nread by colour", ylim=(-0.02, 1.02))  # fmt: skip
    ticks(axis, sorted(table["a"].unique()))
    legend(picture, WRONG)
    return picture
