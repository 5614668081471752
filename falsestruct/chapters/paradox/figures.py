"""Figures of chapter 01: right, overturned, and one perturbation for all."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, GREY, ORANGE, YELLOW, dots, figure, tidy

LOOKS = {
    "as they are": Look("as they are", BLUE, "o"),
    "random noise": Look("random noise", YELLOW, "^"),
    "attack": Look("attack", ORANGE, "s"),
}
SIGNED = mpl.colors.LinearSegmentedColormap.from_list("", [BLUE, "white", ORANGE])


def outcomes(table: pd.DataFrame) -> Figure:
    """Share of images read rightly in three conditions: a dot a network, the mean with interval.

    The table is that of `evidence.outcomes`.
    """
    picture = figure(0.5)
    axis, known = picture.subplots(), list(dict.fromkeys(table["architecture"]))
    shapes.named(axis, known)
    table = table.assign(height=[-known.index(name) for name in table["architecture"]])
    for look, own in shapes.groups(table, "condition", LOOKS):
        for _, networks in own.groupby("architecture", sort=False):
            places = networks["height"] + shapes.beside(networks["share"], 0.5)
            axis.plot(networks["share"], places, look.marker, ms=3, **dots(look.colour))
        means = own.drop_duplicates("architecture")
        shapes.marks(axis, means, "mean", look, ms=6.5, markeredgecolor="black", capsize=3)
    axis.set(xlim=(-0.03, 1.03), xlabel="share of held-out images read rightly")
    tidy(axis)
    shapes.legend(picture, LOOKS)
    return picture


def curves(table: pd.DataFrame) -> Figure:
    """Share of images read rightly and overturned, against the size that is allowed.

    The table is as `evidence.curves` gives it: networks, then what the attack on nearest neighbour
    found, then what its certificate allows.
    """
    picture, axis = shapes.single(0.55)
    *networks, found, allowed = list(dict.fromkeys(table["architecture"]))
    for look, own in shapes.groups(table, "architecture", shapes.series(networks, line="-")):
        shapes.curve(axis, own, "level", "share", look, band=True, markevery=2)
    low, high = (table[table["architecture"] == name] for name in (found, allowed))
    between = low["level"], low["share"], high["share"].to_numpy()
    axis.fill_between(*between, color=GREY, alpha=0.4, lw=0)
    axis.plot(low["level"], low["share"], color="black", label="nearest neighbour, found")
    axis.plot(high["level"], high["share"], "--", color="black", label="nearest neighbour, at most")
    axis.axvline(1, color=GREY, linestyle=":")
    axis.set(
        xlabel="size allowed, in units of the reach",
        ylabel="share read rightly\nand overturned", ylim=(-0.03, 1.03),
    )  # fmt: skip
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return picture


def examples(table: pd.DataFrame) -> Figure:
    """Images, a row each: itself, perturbation, sum, random noise, nearest of another digit.

    The table is that of `measure.examples`.
    """
    images, panels = (list(dict.fromkeys(table[name])) for name in ("image", "panel"))
    picture = figure(0.21 * len(images) + 0.06)
    axes = picture.subplots(len(images), len(panels), squeeze=False)
    for (image, panel), own in table.groupby(["image", "panel"], sort=False):
        axis, difference = axes[images.index(image), panels.index(panel)], panel == "perturbation"
        _picture(axis, own, signed=difference)
        size, label = own[["size", "label"]].iloc[0]
        read = f"digit {label:.0f}" if panel == "nearest other" else f"read as {label:.0f}"
        axis.set_xlabel(f"size {size:.2f}" if difference else read, labelpad=2)
    for axis, panel in zip(axes[0], panels, strict=True):
        title = panel.replace("nearest other", "nearest image of\nanother digit")
        axis.set_title(title, fontsize="medium")
    return picture


def portraits(table: pd.DataFrame) -> Figure:
    """Universal perturbations as pictures: a column a source, a row a network.

    The table is that of `measure.portraits`.
    """
    sources, seeds = list(dict.fromkeys(table["source"])), sorted(table["seed"].unique())
    picture = figure(len(seeds) / len(sources) + 0.08)
    axes = picture.subplots(len(seeds), len(sources), squeeze=False)
    drawn = dict(list(table.groupby(["source", "seed"])))
    for (row, column), axis in np.ndenumerate(axes):
        own = drawn.get((sources[column], seeds[row]))
        if own is None:
            axis.set_axis_off()
        else:
            _picture(axis, own, signed=True)
    for axis, source in zip(axes[0], sources, strict=True):
        axis.set_title(source.replace(" ", "\n").replace(",", ""), fontsize="small")
    for axis, seed in zip(axes[:, 0], seeds, strict=True):
        axis.set_ylabel(f"seed {seed}")
    return picture


def transfer(table: pd.DataFrame) -> Figure:
    """What perturbations do to other networks, over what these networks' own ones do: a matrix.

    The table is that of `evidence.matrix`.
    """
    sources, targets = (list(dict.fromkeys(table[name])) for name in ("source", "target"))
    picture = figure(0.045 * len(sources) + 0.14)
    axis = picture.subplots()
    named = table.rename(columns={"source": "row", "target": "column", "ratio": "value"})
    image = shapes.cells(axis, named, rows=sources, columns=targets, dark=0.45)
    axis.set(xlabel="network attacked", ylabel="where the perturbation comes from")
    picture.colorbar(image, ax=axis, label="labels flipped, over those\nof the own perturbation")
    return picture


def _picture(axis: Axes, part: pd.DataFrame, *, signed: bool) -> None:
    """Dark ink on white; a difference around zero in blue (less ink) and orange (more)."""
    if signed:
        reach = part["value"].abs().max() or 1.0
        shapes.pixels(axis, part, cmap=SIGNED, vmin=-reach, vmax=reach)
    else:
        shapes.pixels(axis, part, cmap="gray_r", vmin=0, vmax=1)
