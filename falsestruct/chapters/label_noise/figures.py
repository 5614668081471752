"""Figures of the chapter on label noise."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.shapes import Look, curve, groups, legend, marks, panels, rows, series
from falsestruct.plots.style import BLUE, FALSE, GREEN, GREY, ORANGE, ORIGINAL, figure, tidy

TRAINED = {
    "plain": Look("trained to the end", ORANGE, line="-"),
    "stopped early": Look("stopped early", BLUE, "s", line="--"),
}
LINES = {
    "error, wrong labels": Look("error, a tenth of the labels wrong", ORANGE, line="-"),
    "error, none wrong": Look("error, no label wrong", BLUE, "s", line="--"),
    "bound": Look("what every rule that fits must lose", GREY, "^", line=":"),
}
WRONG = {
    "nothing": Look("nothing wrong", GREY, "^", line=":"),
    "labels": Look("labels wrong on a fifth", FALSE, line="-"),
    "colours": Look("colours wrong on a fifth", ORIGINAL, "s", line="--"),
}


def shares(table: pd.DataFrame) -> Figure:
    """Errors against the share of wrong labels, a panel for images as they are and perturbed.

    Args:
        table: As `evidence.by_share` gives it.
    """
    picture, parts = panels(table, "what", aspect=0.5, sharex=True)
    for axis, own in parts:
        for look, line in groups(own, "kind", TRAINED):
            curve(axis, line, "noise", "value", look)
        axis.set_xlabel("share of wrong labels")
    parts[0][0].set(ylabel="share of images misread", ylim=(-0.02, 1.02))
    legend(picture, TRAINED)
    return picture


def lengths(table: pd.DataFrame) -> Figure:
    """Errors against the length of perturbations, and the bound, a panel a problem.

    Args:
        table: As `evidence.by_length` gives it.
    """
    picture, parts = panels(table, "panel", aspect=0.52)
    for axis, own in parts:
        for look, line in groups(own, "line", LINES):
            if len(line):
                curve(axis, line, "length", "value", look)
    for (axis, _), unit in zip(parts, ("pixels in [0, 1]", "sides of the square"), strict=True):
        axis.set_xlabel(f"length of the perturbation,\n{unit}")
    parts[0][0].set(ylabel="share of inputs", ylim=(-0.02, 1.02))
    legend(picture, LINES, columns=1)
    return picture


def kinds(table: pd.DataFrame) -> Figure:
    """What networks of each kind learn by heart and misread, a panel a number.

    Args:
        table: As `evidence.by_kind` gives it.
    """
    noises = sorted(table["noise"].unique())
    kept = table[table["noise"].isin([noises[0], noises[1]])] if len(noises) > 1 else table
    names = {str(noise): f"{noise:.0%} of the labels wrong" for noise in noises}
    looks = {
        name: Look(label, colour, marker, shift)
        for (name, label), colour, marker, shift in zip(
            names.items(), (BLUE, ORANGE), ("s", "o"), (0.12, -0.12), strict=False
        )
    }
    picture, parts = rows(kept, "what", "kind", aspect=0.95)
    for axis, own in parts:
        for look, line in groups(own, "noise", looks):
            marks(axis, line, "value", look)
        axis.set_xlim(-0.03, 1.03)
    parts[-1][0].set_xlabel("share, mean with 95 % interval")
    legend(picture, looks)
    return picture


def sure(table: pd.DataFrame) -> Figure:
    """What a confidence means after training with each exponent, and what networks' confidences mean.

    Args:
        table: As `evidence.by_confidence` gives it.
    """
    picture = figure(0.6)
    axis = picture.subplots()
    theory = [name for name in table["line"].unique() if name.startswith("exponent")]
    styles = ("-", "--", ":")
    for name, style, colour in zip(theory, styles, (GREY, BLUE, ORANGE), strict=False):
        own = table[table["line"] == name]
        axis.plot(own["confidence"], own["value"], style, color=colour, label=name, lw=1.4)
    measured = [name for name in table["line"].unique() if name not in theory]
    for name, look in series(measured).items():
        own = table[table["line"] == name]
        colour, marker = (GREEN, "o") if "cross" in name else (ORANGE, "s")
        look = Look(name, colour, marker)
        marks(axis, own, "confidence", look, y="value", faint=True, label=name)
    axis.set(
        xlabel="confidence: probability that the network gives", ylabel="probability of being right"
    )
    axis.legend(frameon=False, loc="lower right")
    tidy(axis)
    return picture


def stripes(table: pd.DataFrame) -> Figure:
    """Share of the conflict set read by colour against the offset, a line for what is wrong.

    Args:
        table: As `evidence.by_offset` gives it.
    """
    picture = figure(0.55)
    axis = picture.subplots()
    for look, own in groups(table, "what", WRONG):
        curve(axis, own, "a", "value", look)
    axis.axhline(0.5, color=GREY, linestyle=":", linewidth=0.9)
    axis.set(xscale="log", xlabel="offset a; the contrast of a stripe is 1",
             ylabel="share of the conflict set\nread by colour", ylim=(-0.02, 1.02))  # fmt: skip
    offsets = sorted(table["a"].unique())
    axis.set_xticks(offsets, [f"{a:g}" for a in offsets])
    axis.minorticks_off()
    tidy(axis)
    legend(picture, WRONG)
    return picture
