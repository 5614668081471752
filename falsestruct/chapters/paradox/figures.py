"""Figures of chapter 01: right, overturned, and one perturbation for all."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.style import (
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    SERIES,
    YELLOW,
    dots,
    figure,
    tidy,
)

LOOKS = {"as they are": (BLUE, "o"), "random noise": (YELLOW, "^"), "attack": (ORANGE, "s")}


def outcomes(table: pd.DataFrame) -> Figure:
    """Share of images read rightly in three conditions: a dot a network, the mean with interval.

    Args:
        table: As `measure.outcomes` gives it.
    """
    picture = figure(0.5)
    axis = picture.subplots()
    names = list(dict.fromkeys(table["architecture"]))
    for condition, (colour, marker) in LOOKS.items():
        for place, name in enumerate(names):
            own = table[(table["condition"] == condition) & (table["architecture"] == name)]
            spread = place + 0.5 * (own["share"].rank(method="first") / len(own) - 0.5)
            axis.plot(own["share"], spread, marker, ms=3, **dots(colour))
            mean, low, high = own[["mean", "low", "high"]].iloc[0]
            error = [[mean - low], [high - mean]]
            label = condition if place == 0 else None
            axis.errorbar(mean, place, xerr=error, fmt=marker, color=colour, mec="black",
                          mew=0.6, ms=6.5, capsize=3, label=label)  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set(xlim=(-0.03, 1.03), xlabel="share of held-out images read rightly")
    tidy(axis)
    picture.legend(loc="outside upper center", ncols=3, frameon=False)
    return picture


def curves(table: pd.DataFrame) -> Figure:
    """Share of images read rightly and overturned, against the size that is allowed.

    Args:
        table: As `measure.curves` gives it: networks, then what the attack on nearest
            neighbour found, then what its certificate allows.
    """
    picture = figure(0.55)
    axis = picture.subplots()
    *networks, found, allowed = list(dict.fromkeys(table["architecture"]))
    for place, name in enumerate(networks):
        own = table[table["architecture"] == name]
        axis.plot(own["level"], own["share"], color=SERIES[place], marker=MARKERS[place],
                  ms=4, markevery=2, label=name)  # fmt: skip
        axis.fill_between(own["level"], own["low"], own["high"], color=SERIES[place], alpha=0.25,
                          lw=0)  # fmt: skip
    low, high = (table[table["architecture"] == name] for name in (found, allowed))
    axis.fill_between(low["level"], low["share"], high["share"].to_numpy(), color=GREY, alpha=0.4,
                      lw=0)  # fmt: skip
    axis.plot(low["level"], low["share"], color="black", label="nearest neighbour, found")
    axis.plot(high["level"], high["share"], "--", color="black", label="nearest neighbour, at most")
    axis.axvline(1, color=GREY, linestyle=":")
    axis.set(
        xlabel="size allowed, in units of the reach",
        ylabel="share read rightly\nand overturned", ylim=(-0.03, 1.03),
    )  # fmt: skip
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    tidy(axis)
    return picture


def examples(table: pd.DataFrame) -> Figure:
    """Images, a row each: itself, perturbation, sum, random noise, nearest of another digit.

    Args:
        table: As `measure.examples` gives it.
    """
    images = list(dict.fromkeys(table["image"]))
    panels = list(dict.fromkeys(table["panel"]))
    picture = figure(0.21 * len(images) + 0.06)
    axes = picture.subplots(len(images), len(panels), squeeze=False)
    for row, image in zip(axes, images, strict=True):
        for axis, panel in zip(row, panels, strict=True):
            own = table[(table["image"] == image) & (table["panel"] == panel)]
            difference = panel == "perturbation"
            _picture(axis, own, signed=difference)
            size, label = own[["size", "label"]].iloc[0]
            read = f"digit {label:.0f}" if panel == "nearest other" else f"read as {label:.0f}"
            axis.set_xlabel(f"size {size:.2f}" if difference else read, labelpad=2)
    for axis, panel in zip(axes[0], panels, strict=True):
        axis.set_title(panel.replace("nearest other", "nearest image of\nanother digit"),
                       fontsize="medium")  # fmt: skip
    return picture


def portraits(table: pd.DataFrame) -> Figure:
    """Universal perturbations as pictures: a column a source, a row a network.

    Args:
        table: As `measure.portraits` gives it.
    """
    sources = list(dict.fromkeys(table["source"]))
    rows = table["seed"].nunique()
    picture = figure(rows / len(sources) + 0.08)
    axes = picture.subplots(rows, len(sources), squeeze=False)
    for column, source in enumerate(sources):
        own = table[table["source"] == source]
        for axis, seed in zip(axes[:, column], sorted(table["seed"].unique()), strict=True):
            one = own[own["seed"] == seed]
            if one.empty:
                axis.set_axis_off()
                continue
            _picture(axis, one, signed=True)
        axes[0, column].set_title(source.replace(" ", "\n").replace(",", ""), fontsize="small")
    for axis, seed in zip(axes[:, 0], sorted(table["seed"].unique()), strict=True):
        axis.set_ylabel(f"seed {seed}")
    return picture


def transfer(table: pd.DataFrame) -> Figure:
    """What perturbations do to other networks, over what these networks' own ones do: a matrix.

    Args:
        table: As `measure.matrix` gives it.
    """
    sources, targets = (list(dict.fromkeys(table[name])) for name in ("source", "target"))
    cells = table.pivot(index="source", columns="target", values="ratio").loc[sources, targets]
    values = cells.to_numpy(dtype=float)
    picture = figure(0.045 * len(sources) + 0.14)
    axis = picture.subplots()
    image = axis.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for i in range(len(sources)):
        for j in range(len(targets)):
            number = values[i, j]
            colour = "black" if number > 0.45 else "white"
            axis.text(j, i, f"{number:.2f}", ha="center", va="center", color=colour)
    axis.set_xticks(range(len(targets)), targets)
    axis.set_yticks(range(len(sources)), sources)
    axis.set(xlabel="network attacked", ylabel="where the perturbation comes from")
    picture.colorbar(image, ax=axis, label="labels flipped, over those\nof the own perturbation")
    return picture


def _picture(axis: mpl.axes.Axes, pixels: pd.DataFrame, *, signed: bool) -> None:
    """Dark ink on white; a difference around zero in blue (less ink) and orange (more)."""
    image = pixels.pivot(index="row", columns="column", values="value")
    if signed:
        around = mpl.colors.LinearSegmentedColormap.from_list("", [BLUE, "white", ORANGE])
        reach = image.abs().to_numpy().max() or 1.0
        axis.imshow(image, cmap=around, vmin=-reach, vmax=reach)
    else:
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    axis.set_xticks([])
    axis.set_yticks([])
