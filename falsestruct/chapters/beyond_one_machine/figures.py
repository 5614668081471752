"""Figures of chapter 34: a table in, a Figure out."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots.style import BLUE, GREY, MARKERS, ORANGE, SERIES, dots, figure, tidy


def _cores(axis: Axes, cores: pd.Series) -> None:
    ticks = sorted(cores.unique())
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.minorticks_off()


def scaling_curve(table: pd.DataFrame) -> Figure:
    """Time of a run against cores, with the lines of perfect scaling.

    Columns: plan, cores, seconds, ideal.
    """
    picture = figure(0.5)
    axis = picture.subplots()
    for place, (name, part) in enumerate(table.groupby("plan", sort=False)):
        axis.loglog(part["cores"], part["seconds"] / 60, color=SERIES[place], label=name,
                    marker=MARKERS[place])  # fmt: skip
        axis.loglog(part["cores"], part["ideal"] / 60, "--", color=GREY,
                    label=None if place else "work divided by cores")  # fmt: skip
    axis.set(xlabel="cores", ylabel="minutes")
    _cores(axis, table["cores"])
    axis.set_yticks([0.5, 1, 2, 5, 10, 20, 50])
    axis.minorticks_off()
    axis.set_ylim(0.9 * table["ideal"].min() / 60, 1.3 * table["seconds"].max() / 60)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.legend(frameon=False)
    tidy(axis)
    return picture


def scaling_error(table: pd.DataFrame) -> Figure:
    """Measured seconds divided by the model's, one mark a run, against the number of workers.

    Columns: plan, workers, measured, predicted, refitted (hollow marks: the median run by this).
    """
    picture = figure(0.5)
    axis = picture.subplots()
    axis.axhline(1, color=GREY, linewidth=1)
    for place, (name, part) in enumerate(table.groupby("plan", sort=False)):
        aside, marker = (1 / 1.06, 1.06)[place % 2], MARKERS[place]
        axis.plot(aside * part["workers"], part["measured"] / part["predicted"], marker,
                  **dots(SERIES[place]), label=name)  # fmt: skip
        median = part.groupby("workers")[["measured", "refitted"]].median()
        axis.plot(aside * median.index, median["measured"] / median["refitted"], marker,
                  color=GREY, fillstyle="none",
                  label=None if place else "with that many workers' own overhead")  # fmt: skip
    axis.set(xlabel="workers", ylabel="measured / model")
    _cores(axis, table["workers"])
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)
    tidy(axis)
    return picture


def scaling_check(table: pd.DataFrame) -> Figure:
    """Seconds on real workers beside the model's: one mark a run, the model as a bar.

    Columns: workers, run, measured, predicted.
    """
    picture = figure(0.34)
    axis = picture.subplots()
    for place, (workers, part) in enumerate(table.groupby("workers")):
        axis.plot(part["measured"], [-place] * len(part), "o", **dots(BLUE),
                  label="measured" if place == 0 else None)  # fmt: skip
        axis.plot([part["predicted"].iloc[0]] * 2, [-place - 0.3, -place + 0.3], color=ORANGE,
                  linewidth=2, label="the model" if place == 0 else None)  # fmt: skip
        axis.annotate(f"workers: {workers}", (0, -place), xytext=(6, 8),
                      textcoords="offset points")  # fmt: skip
    axis.set(xlim=(0, None), ylim=(-table["workers"].nunique() + 0.4, 0.6), yticks=[])
    axis.set_xlabel("seconds of the sweep")
    axis.legend(frameon=False, loc="lower right")
    tidy(axis)
    return picture
