"""Figures of chapter 19."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look, curve, groups, legend, line, marks, named, panels, pixels
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL


def lengths(table: pd.DataFrame) -> Figure:
    """Share of right labels against the length of words, a line for each way of training.

    Args:
        table: Columns noise, length, value, low, high.
    """
    picture, axis = shapes.single(0.45)
    looks = {
        "False": Look("without noise", FALSE, line="-"),
        "True": Look("with noise in the state", ORIGINAL, "s", line="--"),
    }
    for look, own in groups(table.assign(noisy=table["noise"] > 0), "noisy", looks):
        curve(axis, own, "length", "value", look, band=True)
    axis.axhline(0.5, color=GREY, linestyle=":", linewidth=0.9)
    axis.set(xscale="log", xlabel="bits in a word", ylabel="right labels", ylim=(0.4, 1.03))
    bits = table["length"].unique()
    axis.set_xticks(bits, [f"{n:g}" for n in bits])
    axis.minorticks_off()
    legend(picture, looks, more={"chance": line(style=":")})
    return picture


def hints(table: pd.DataFrame) -> Figure:
    """Capture of the hint, a panel for each size, a row for each network and its labels.

    Args:
        table: Columns network, labels, hint, value, low, high.
    """
    titles = {str(size): f"hint of {size:g}" for size in table["hint"].unique()}
    picture, parts = panels(table, "hint", aspect=0.42, titles=titles)
    looks = {
        "all": Look("all labels", ORIGINAL, "o", 0.3),
        "drawn": Look("half of all", GREEN, "^", 0.1),
        "full": Look("of eight bits only", FALSE, "s", -0.1),
        "half": Look("half of these", FALSE, "s", -0.3, hollow=True),
    }
    for axis, part in parts:
        _captured(axis, part, {name: name for name in table["network"]}, looks)
        axis.set_xlabel("capture of the hint")
    legend(picture, looks, columns=4)
    return picture


def _captured(
    axis: Axes, part: pd.DataFrame, names: Mapping[str, str], looks: Mapping[str, Look]
) -> None:
    """A row for each value of the first column, marks by the second."""
    first, second = part.columns[:2]
    own = part.assign(height=[-list(names).index(name) for name in part[first]])
    for look, group in groups(own, second, looks):
        marks(axis, group, "value", look)
    named(axis, list(names.values()))
    axis.set_xlim(-0.04, 1.04)


def distances(table: pd.DataFrame) -> Figure:
    """Share of pairs that networks call connected, by distance: a panel for each training set.

    Args:
        table: Columns level, pair ("joined" or "apart"), distance, value, low, high.
    """
    titles = {"False": "random grids", "True": "distance says nothing"}
    picture, parts = panels(table, "level", aspect=0.46, titles=titles)
    looks = {
        "joined": Look("connected", ORIGINAL, line="-"),
        "apart": Look("not connected", FALSE, "s", line="--"),
    }
    for axis, part in parts:
        for look, own in groups(part.dropna(subset="value"), "pair", looks):
            curve(axis, own, "distance", "value", look)
        axis.set(ylim=(-0.03, 1.03), xlabel="distance of the marks")
    parts[0][0].set_ylabel('called "connected"')
    legend(picture, looks)
    return picture


def asked(table: pd.DataFrame) -> Figure:
    """Capture of the colour after asking, a row for each way to choose.

    Args:
        table: Columns way, repeats, value, low, high.
    """
    picture, axis = shapes.single(0.4)
    names = {
        "none": "no further image", "unsure": "the least sure", "small": "the smallest offsets",
        "random": "random ones",
    }  # fmt: skip
    looks = {
        "any": Look("as they come", FALSE, "o", 0.2),
        "alike": Look("as many repeats as the least sure", ORIGINAL, "^"),
        "none": Look("no stripe twice", GREEN, "s", -0.2, hollow=True),
    }
    _captured(axis, table, names, looks)
    axis.set_xlabel("capture of the colour")
    legend(picture, looks)
    return picture


def made(table: pd.DataFrame) -> Figure:
    """Images that convince two networks, two panels each.

    Args:
        table: Columns what, wanted, row, column, value.
    """
    own = table.assign(name=[
        f"{what}:\n{wanted}" for what, wanted in zip(table["what"], table["wanted"], strict=True)
    ])  # fmt: skip
    picture, parts = panels(own, "name", aspect=0.31, columns=4, sharex=True)
    low, high = table["value"].min(), table["value"].max()
    for axis, part in parts:
        pixels(axis, part, cmap="gray", vmin=low, vmax=high)
    return picture
