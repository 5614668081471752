"""Figures of chapter 11: convergence, depth, accuracy against stability, the phase transition."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from falsestruct.plots.style import (
    BLUE,
    GREEN,
    GREY,
    MARKERS,
    ORANGE,
    PINK,
    SERIES,
    SKY,
    YELLOW,
    dots,
    figure,
    tidy,
)

NOISE_COLOURS = (ORANGE, YELLOW, PINK, SKY, GREEN, BLUE)


def convergence(table: pd.DataFrame) -> Figure:
    """Relative error against steps on logarithmic axes: medians, and the range over problems.

    Args:
        table: As `measure.convergence` gives it.
    """
    picture = figure(0.52)
    axis = picture.subplots()
    for place, name in enumerate(dict.fromkeys(table["method"])):
        own = table[(table["method"] == name) & (table["steps"] > 0)]
        by_steps = own.groupby("steps")["error"]
        middle, low, high = by_steps.median(), by_steps.min(), by_steps.max()
        colour = SERIES[place]
        axis.plot(middle.index, middle, color=colour, marker=MARKERS[place], ms=4, label=name)
        axis.fill_between(middle.index, low, high, color=colour, alpha=0.2, lw=0)
    axis.set(xscale="log", yscale="log", xlabel="steps of the iteration (layers)")
    axis.set_ylabel("relative error")
    axis.legend(frameon=False, loc="lower left")
    tidy(axis)
    return picture


def depths(table: pd.DataFrame) -> Figure:
    """How far FIRENET goes from the midpoint to its matrix's own minimiser, against precision.

    Args:
        table: As `measure.depths` gives it.
    """
    picture = figure(0.42)
    axis = picture.subplots()
    for place, (p, own) in enumerate(table.groupby("p")):
        axis.plot(own["n"], own["share"], color=SERIES[place], marker=MARKERS[place], ms=4,
                  label=f"p = {p}")  # fmt: skip
    axis.axhline(0, color=GREY, linestyle=":")
    axis.axhline(1, color=GREY, linestyle=":")
    axis.set(
        xlabel="binary digits that the two matrices share, n",
        ylabel="0: midpoint\n1: own minimiser", ylim=(-0.05, 1.05),
    )  # fmt: skip
    axis.legend(title="inner steps", frameon=False)
    tidy(axis)
    return picture


def errors(table: pd.DataFrame) -> Figure:
    """Errors of all methods in the worse role, in units of what nobody can avoid, by cell.

    Args:
        table: As `evidence.quotients` gives it.
    """
    picture = figure(0.42)
    axis = picture.subplots()
    cells = list(dict.fromkeys(zip(table["K"], table["n"], strict=True)))
    names = list(dict.fromkeys(table["method"]))
    for place, name in enumerate(names):
        own = table[table["method"] == name]
        shift = 0.16 * (place - (len(names) - 1) / 2)
        at = [cells.index(cell) + shift for cell in zip(own["K"], own["n"], strict=True)]
        axis.plot(at, own["worse"], MARKERS[place], ms=5, label=name, **dots(SERIES[place]))
    axis.axhline(1, color="0.2", linestyle="--")
    axis.set_xticks(range(len(cells)), [f"K = {K}\nn = {n}" for K, n in cells])
    axis.set(ylabel="error in the worse role,\nover the unavoidable one", ylim=(0, 2.4))
    picture.legend(loc="outside upper center", ncols=2, frameon=False)
    tidy(axis)
    return picture


def tradeoff(table: pd.DataFrame) -> Figure:
    """Amplification against error, one mark a network, colours for the noise in training.

    Args:
        table: As `evidence.points` gives it.
    """
    picture = figure(0.6)
    axis = picture.subplots()
    trace = table["trace"].iloc[0]
    # Left of a quarter nothing can be below 1/2 over the trace.
    axis.fill_between(
        [0, 0.25], 0.5, 0.5 / trace, facecolor="0.92", edgecolor="0.7", hatch="//", linewidth=0
    )
    axis.text(0.125, 1.0, "impossible", ha="center", va="center",
              bbox={"facecolor": "white", "edgecolor": "none", "pad": 2})  # fmt: skip
    network = table[table["kind"] == "network"]
    for place, (noise, own) in enumerate(network.groupby("noise")):
        axis.plot(own["error"], own["times"], MARKERS[place], ms=5,
                  label=f"network, noise {noise:g}", **dots(NOISE_COLOURS[place]))  # fmt: skip
    for kind, marker, shift in (("network, no detail", "x", -0.02), ("FIRENET", "*", 0.02)):
        own = table[table["kind"] == kind]  # both at an error of one: shown side by side
        axis.plot(own["error"] + shift, own["times"], marker, color="black", ms=7, alpha=0.8,
                  label=kind)  # fmt: skip
    axis.set(
        yscale="log", ylim=(0.5, None), xlim=(0, 1.15),
        xlabel="error with and without the detail, the larger one, over the detail's norm",
        ylabel="amplification",
    )  # fmt: skip
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small")
    tidy(axis)
    return picture


def transition(table: pd.DataFrame) -> Figure:
    """Shares of problems solved, a panel a network, and the theoretical border.

    Args:
        table: As `evidence.transition_table` gives it.
    """
    depths = list(dict.fromkeys(table["inner"]))
    picture = figure(0.56)
    axes = picture.subplots(1, len(depths), sharey=True, squeeze=False)[0]
    for axis, p in zip(axes, depths, strict=True):
        own = table[table["inner"] == p]
        cells = own.pivot(index="fraction", columns="measurements", values="share")
        image = axis.pcolormesh(
            cells.columns, cells.index, cells.to_numpy(), cmap="cividis", vmin=0, vmax=1,
            shading="nearest", rasterized=True,
        )  # fmt: skip
        border = own.drop_duplicates("measurements")
        axis.plot(border["measurements"], border["theory"], color="white", lw=3)
        axis.plot(border["measurements"], border["theory"], "--", color=ORANGE, lw=1.8)
        axis.set_title(f"p = {p} inner steps", loc="left")
        axis.set_xlabel("measurements, over unknowns")
    axes[0].set_ylabel("entries that aren't zero,\nover measurements")
    line = Line2D([], [], color=ORANGE, linestyle="--", label="statistical dimension")
    axes[-1].legend(handles=[line], loc="upper left", frameon=True, fontsize="small")
    picture.colorbar(image, ax=axes, label="share of problems solved")
    return picture
