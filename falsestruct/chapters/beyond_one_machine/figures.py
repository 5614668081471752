"""Figures of chapter 34: a table in, a Figure out."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots.style import GREY, MARKERS, SERIES, dots, figure, tidy


def _finish(axis: Axes, cores: pd.Series) -> None:
    ticks = sorted(cores.unique())
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.minorticks_off()
    axis.legend(frameon=False)
    tidy(axis)


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
    axis.set_yticks([0.5, 1, 2, 5, 10, 20, 50])
    axis.set_ylim(0.9 * table["ideal"].min() / 60, 1.3 * table["seconds"].max() / 60)
    axis.yaxis.set_major_formatter("{x:g}")
    _finish(axis, table["cores"])
    return picture


def scaling_error(table: pd.DataFrame) -> Figure:
    """Measured seconds divided by the model's, one mark a run, against the number of workers.

    Columns: plan, workers, measured, predicted, refitted (hollow marks: the median run by this).
    """
    picture = figure(0.5)
    axis = picture.subplots()
    axis.axhline(1, color=GREY, linewidth=1)
    for place, (name, part) in enumerate(table.groupby("plan", sort=False)):
        aside, marker = 1.08 ** (place - 1), MARKERS[place]
        axis.plot(aside * part["workers"], part["measured"] / part["predicted"], marker,
                  **dots(SERIES[place]), label=name)  # fmt: skip
        median = part.groupby("workers")[["measured", "refitted"]].median()
        axis.plot(aside * median.index, median["measured"] / median["refitted"], marker,
                  color=GREY, fillstyle="none",
                  label=None if place else "with that many workers' own overhead")  # fmt: skip
    axis.set(xlabel="workers", ylabel="measured / model")
    axis.set_ylim(bottom=0)
    _finish(axis, table["workers"])
    return picture
