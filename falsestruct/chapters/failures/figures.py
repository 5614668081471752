"""Figures of chapter 15."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL, figure

NAMES = {"descent": "gradient descent", "Adam": "Adam"}
LAWS = {"the law": ("-", 1.0), "its square root": ("--", 0.5)}


def parities(table: pd.DataFrame) -> Figure:
    """Steps until the parity is learnt against the number of bits, a line an optimiser.

    Columns: optimiser, bits, value, low, high.
    """
    picture, axis = shapes.single(0.45)
    looks = {
        "descent": Look(NAMES["descent"], ORIGINAL, line="-"),
        "Adam": Look(NAMES["Adam"], GREEN, "^", line="--"),
    }
    for look, own in shapes.groups(table, "optimiser", looks):
        shapes.curve(axis, own, "bits", "value", look)
    sizes = sorted(table["bits"].unique())
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.set(xlabel="bits, half of them in the parity", ylabel="steps until learnt", yscale="log")
    shapes.legend(picture, looks)
    return picture


def courses(table: pd.DataFrame) -> Figure:
    """Capture of the hint against steps of training, a line for each q.

    Columns: q, step, value, low, high.
    """
    picture, axis = shapes.single(0.5)
    looks = shapes.series((f"q = {q:g}" for q in sorted(table["q"].unique())), line="-")
    named = table.assign(name=[f"q = {q:g}" for q in table["q"]])
    for look, own in shapes.groups(named, "name", looks):
        shapes.curve(axis, own, "step", "value", look, band=True, ms=3)
    axis.axhline(0.25, color=GREY, linestyle=":", linewidth=0.9)
    axis.set(xscale="log", xlabel="steps of training", ylabel="capture of the hint")
    axis.set_ylim(-0.03, 1.03)
    shapes.legend(picture, looks, columns=4, more={"learnt": shapes.line(style=":")})
    return picture


def taken(table: pd.DataFrame) -> Figure:
    """Mean capture of the hint for each size of the parity and each q.

    Columns: row (size), column (q), value.
    """
    picture = figure(0.5)
    axis = picture.subplots()
    names = {name: [f"{v:g}" for v in sorted(table[name].unique())] for name in ("row", "column")}
    own = table.assign(**{name: [f"{v:g}" for v in table[name]] for name in names})
    image = shapes.cells(axis, own, rows=names["row"], columns=names["column"], dark=0.5)
    axis.set(xlabel="share q of the data on which the hint is right", ylabel="bits in the parity")
    picture.colorbar(image, ax=axis, label="capture of the hint", shrink=0.9)
    return picture


def delays(table: pd.DataFrame) -> Figure:
    """How much longer it takes, against 1/(4q(1 − q)): a panel an optimiser, a line a size.

    Columns: optimiser, arm ("hint" or "added"), size, stretch, value, low, high.
    """
    picture, parts = shapes.panels(table, "optimiser", aspect=0.55, titles=NAMES, sharex=True)
    sizes = sorted(table["size"].unique())
    looks = shapes.series((f"{size} bits" for size in sizes), line="-")
    looks["added"] = Look("4 bits, hint added to the output", "black", "D", line="", hollow=True)
    for axis, own in parts:
        at = np.array([1.0, 1.1 * table["stretch"].max()])
        for style, power in LAWS.values():
            axis.plot(at, at**power, color="black", linewidth=0.9, linestyle=style)
        named = own.assign(name=[f"{size} bits" for size in own["size"]])
        named["name"] = named["name"].where(named["arm"] == "hint", "added")
        for look, part in shapes.groups(named, "name", looks):
            if len(part):
                shapes.curve(axis, part, "stretch", "value", look)
        axis.set(xscale="log", yscale="log", xlabel="$1/(4q(1-q))$")
        for place in (axis.xaxis, axis.yaxis):
            place.set_major_locator(FixedLocator([0.5, 1, 2, 4, 8, 16]))
            place.set_major_formatter("{x:g}")
            place.set_minor_locator(FixedLocator([]))
    parts[0][0].set_ylabel("steps until learnt,\nover those beside a coin")
    more = {name: shapes.line("black", style, 0.9) for name, (style, _) in LAWS.items()}
    shapes.legend(picture, looks, columns=3, more=more)
    return picture


def information(table: pd.DataFrame) -> Figure:
    """Bits that the last hidden layer has about the input, against steps, a line a way to count.

    Columns: steps, what ("exact", "equal" or "fixed"), value, low, high.
    """
    picture, axis = shapes.single(0.45)
    looks = {
        "exact": Look("no bins", ORIGINAL, line="-"),
        "equal": Look("bins that follow", GREEN, "^", line="--"),
        "fixed": Look("fixed bins", FALSE, "s", line="-"),
    }
    for look, own in shapes.groups(table, "what", looks):
        shapes.curve(axis, own, "steps", "value", look)
    steps = sorted(table["steps"].unique())
    axis.set_xscale("symlog", linthresh=max(1, min(s for s in steps if s > 0)))
    axis.set_xticks(steps, [f"{step:,}" for step in steps])
    axis.minorticks_off()
    axis.set(xlabel="steps of training", ylabel="bits about the input", ylim=(0, 12.6))
    shapes.legend(picture, looks)
    return picture
