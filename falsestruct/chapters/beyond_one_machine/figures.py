"""Figures of chapter 34: a table in, a Figure out."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.style import BLUE, GREY, ORANGE, dots, figure, tidy


def scaling_curve(table: pd.DataFrame) -> Figure:
    """Time of a run against cores, with the line of perfect scaling.

    Columns: cores, seconds, ideal.
    """
    picture = figure(0.5)
    axis = picture.subplots()
    axis.loglog(table["cores"], table["seconds"] / 60, "o-", color=BLUE, label="the model")
    axis.loglog(
        table["cores"], table["ideal"] / 60, "--", color=GREY, label="work divided by cores"
    )
    axis.set(xlabel="cores", ylabel="minutes")
    ticks = [1, 2, 16, 256, 4096]
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_yticks([1, 2, 5, 10, 20, 50])
    axis.minorticks_off()
    axis.set_ylim(bottom=0.3 * table["seconds"].min() / 60)
    axis.yaxis.set_major_formatter("{x:g}")
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
