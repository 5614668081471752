"""Figures of chapter 11: convergence, depth, accuracy against stability, the phase transition."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.shapes import curve, groups, legend, line, marks, panels, series, single
from falsestruct.plots.style import BLUE, GREEN, GREY, ORANGE, PINK, SKY, YELLOW

NOISE_COLOURS = (ORANGE, YELLOW, PINK, SKY, GREEN, BLUE)


def convergence(table: pd.DataFrame) -> Figure:
    """Relative error against steps on logarithmic axes: medians, and the range over problems.

    The table is that of `measure.convergence`.
    """
    picture, axis = single(0.52)
    moved = table[table["steps"] > 0]
    for look, own in groups(moved, "method", series(moved["method"])):
        by_steps = own.groupby("steps")["error"]
        middle = by_steps.agg(error="median", low="min", high="max").reset_index()
        curve(axis, middle, "steps", "error", look, band=True)
    axis.set(xscale="log", yscale="log", xlabel="steps of the iteration (layers)")
    axis.set_ylabel("relative error")
    axis.legend(frameon=False, loc="lower left")
    return picture


def readers(table: pd.DataFrame) -> Figure:
    """Chance of being right on the worse of two matrices, against the sample at which they part.

    The table is that of `oracle.table`; who need not halt is dashed, dots are real runs.
    """
    picture, axis = single(0.46)
    for look, own in groups(table, "reader", series(table["reader"])):
        line_style = "-" if own["halts"].all() else "--"
        axis.plot(own["part"], own["worse"], line_style, color=look.colour, label=look.label)
        axis.plot(own["part"], own["played"], look.marker, color=look.colour, ms=4)
    axis.axhline(0.5, color=GREY, linestyle=":")
    axis.set(xlabel="sample at which the two matrices part", ylabel="chance of being right")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small")
    return picture


def depths(table: pd.DataFrame) -> Figure:
    """How far FIRENET goes from the midpoint to its matrix's own minimiser, against precision.

    The table is that of `measure.depths`.
    """
    picture, axis = single(0.42)
    for look, own in groups(table, "p", series(sorted(set(table["p"])))):
        curve(axis, own, "n", "share", replace(look, label=f"p = {look.label}"))
    for end in (0, 1):
        axis.axhline(end, color=GREY, linestyle=":")
    axis.set(
        xlabel="binary digits that the two matrices share, n",
        ylabel="0: midpoint\n1: own minimiser", ylim=(-0.05, 1.05),
    )  # fmt: skip
    axis.legend(title="inner steps", frameon=False)
    return picture


def errors(table: pd.DataFrame) -> Figure:
    """Errors of all methods in the worse role, in units of what nobody can avoid, by cell.

    The table is that of `evidence.quotients`.
    """
    picture, axis = single(0.42)
    looks = series(table["method"], spread=0.48)
    place = table.groupby(["K", "n"], sort=False).ngroup()
    for look, own in groups(table.assign(cell=place), "method", looks):
        marks(axis, own.assign(cell=own["cell"] + look.shift), "cell", replace(look, shift=0.0),
              y="worse", faint=True, ms=5, label=look.label)  # fmt: skip
    axis.axhline(1, color="0.2", linestyle="--")
    cells = table[["K", "n"]].drop_duplicates()
    axis.set_xticks(range(len(cells)), [f"K = {K}\nn = {n}" for K, n in cells.to_numpy()])
    axis.set(ylabel="error in the worse role,\nover the unavoidable one", ylim=(0, 2.4))
    legend(picture, looks, columns=2)
    return picture


def tradeoff(table: pd.DataFrame) -> Figure:
    """Amplification against error, one mark a network, colours for the noise in training.

    The table is that of `evidence.points`.
    """
    picture, axis = single(0.6)
    trace = table["trace"].iloc[0]
    # Left of a quarter nothing can be below 1/2 over the trace.
    axis.fill_between(
        [0, 0.25], 0.5, 0.5 / trace, facecolor="0.92", edgecolor="0.7", hatch="//", linewidth=0
    )
    axis.text(0.125, 1.0, "impossible", ha="center", va="center",
              bbox={"facecolor": "white", "edgecolor": "none", "pad": 2})  # fmt: skip
    network = table[table["kind"] == "network"]
    looks = series(sorted(set(network["noise"])))
    for colour, (look, own) in zip(NOISE_COLOURS, groups(network, "noise", looks), strict=False):
        name = f"network, noise {float(look.label):g}"
        marks(axis, own, "error", replace(look, colour=colour), y="times", faint=True, ms=5,
              label=name)  # fmt: skip
    # Both at an error of one: shown side by side.
    for kind, marker, shift in (("network, no detail", "x", -0.02), ("FIRENET", "*", 0.02)):
        own = table[table["kind"] == kind]
        axis.plot(own["error"] + shift, own["times"], marker, color="black", ms=7, alpha=0.8,
                  label=kind)  # fmt: skip
    axis.set(
        yscale="log", ylim=(0.5, None), xlim=(0, 1.15),
        xlabel="error with and without the detail, the larger one, over the detail's norm",
        ylabel="amplification",
    )  # fmt: skip
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small")
    return picture


def transition(table: pd.DataFrame) -> Figure:
    """Shares of problems solved, a panel a network, and the theoretical border.

    The table is that of `evidence.transition_table`.
    """
    names = {str(p): f"p = {p} inner steps" for p in set(table["inner"])}
    picture, parts = panels(table, "inner", aspect=0.56, titles=names)
    for axis, own in parts:
        axis.grid(False)
        cells = own.pivot(index="fraction", columns="measurements", values="share")
        image = axis.pcolormesh(
            cells.columns, cells.index, cells.to_numpy(), cmap="cividis", vmin=0, vmax=1,
            shading="nearest", rasterized=True,
        )  # fmt: skip
        border = own.drop_duplicates("measurements")
        for colour, style, width in (("white", "-", 3), (ORANGE, "--", 1.8)):
            axis.plot(border["measurements"], border["theory"], style, color=colour, lw=width)
        axis.set_xlabel("measurements, over unknowns")
    axes = [axis for axis, _ in parts]
    axes[0].set_ylabel("entries that aren't zero,\nover measurements")
    axes[-1].legend([line(ORANGE)], ["statistical dimension"], loc="upper left", fontsize="small")
    picture.colorbar(image, ax=axes, label="share of problems solved")
    return picture
