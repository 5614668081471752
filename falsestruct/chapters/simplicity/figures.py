"""Figures of the chapter on simplicity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from falsestruct.plots.style import (
    BLUE,
    FALSE,
    GREEN,
    GREY,
    MARKERS,
    ORIGINAL,
    SERIES,
    figure,
    tidy,
)

LABELS = {"samples": "samples", "steps": "steps", "bits": "code length in bits"}
LOOKS = {"original": (ORIGINAL, "o"), "false": (FALSE, "s")}


def needs(
    table: pd.DataFrame, *, names: dict[str, str] | None = None, axis: str = "offset a"
) -> Figure:
    """What each structure takes alone against its strength: a row a learner, a column a measure.

    Args:
        table: As `measure.needs` gives it, with `learner`. An infinite value was
            never reached: it is drawn as an open mark on the dotted line, above all that was tried.
        names: What to call the structures "original" and "false".
        axis: Of the strength.
    """
    called = names or {"original": "original", "false": "false"}
    learners = list(dict.fromkeys(table["learner"]))
    picture = figure(0.12 + 0.26 * len(learners))
    axes = picture.subplots(len(learners), len(LABELS), sharex=True, squeeze=False)
    for row, learner in zip(axes, learners, strict=True):
        for panel, name in zip(row, LABELS, strict=True):
            part = table[(table["learner"] == learner) & (table["measure"] == name)]
            _needs_panel(panel, part)
        row[0].set_ylabel(learner)
    for panel, label in zip(axes[0], LABELS.values(), strict=True):
        panel.set_title(label, fontsize="medium")
    for panel in axes[-1]:
        panel.set_xlabel(axis)
    handles = [_handle(*look, called[which]) for which, look in LOOKS.items()]
    handles.append(_handle(GREY, "o", "more than tried", linestyle=":", markerfacecolor="white"))
    _legend(picture, handles, 3)
    return picture


def _needs_panel(axis: Axes, part: pd.DataFrame) -> None:
    largest = part["largest"].iloc[0]
    ceiling = 1.6 * largest if np.isfinite(largest) else np.inf
    if np.isfinite(ceiling):
        axis.axhline(ceiling, color=GREY, linestyle=":", linewidth=0.9)
    for shift, (which, (colour, marker)) in zip((0.97, 1.03), LOOKS.items(), strict=True):
        own = part[part["structure"] == which].sort_values("a")
        x = own["a"] * shift
        value, low, high = (own[name].clip(upper=ceiling) for name in ("value", "low", "high"))
        axis.plot(x, value, color=colour, linewidth=1)
        axis.vlines(x, low, high, color=colour, linewidth=1.2)
        reached = np.isfinite(own["value"])
        axis.plot(x[reached], value[reached], marker, color=colour, ms=4.5)
        axis.plot(x[~reached], value[~reached], marker, color=colour, ms=4.5, mfc="white")
    axis.set_xscale("log")
    axis.set_yscale("log")
    bottom, top = axis.get_ylim()
    subs = (1, 2, 5) if top / bottom < 100 else (1,)
    axis.yaxis.set_major_locator(LogLocator(subs=subs, numticks=9))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    tidy(axis)


def history(table: pd.DataFrame) -> Figure:
    """Share of the conflict set read by colour against steps, a panel a learner.

    Args:
        table: Columns learner, a, step, mean, low, high, fit (median step of the first fit).
    """
    picture, axes = _panels(table, 2, axis="training steps + 1", share="share read by colour")
    offsets = sorted(table["a"].unique())
    for learner, axis in axes.items():
        for colour, marker, a in zip(SERIES, MARKERS, offsets, strict=False):
            own = table[(table["learner"] == learner) & (table["a"] == a)].sort_values("step")
            x = own["step"] + 1
            _band(axis, x, own, "mean", color=colour, marker=marker, ms=3, label=f"a = {a:g}")
            fit = float(own["fit"].iloc[0]) + 1
            axis.plot(
                fit, np.interp(fit, x, own["mean"]), marker, color=colour, ms=9,
                markerfacecolor="none", markeredgewidth=1.5, clip_on=False,
            )  # fmt: skip
        axis.axhline(0.5, color=GREY, linestyle=":", linewidth=0.9)
    _legend(picture, axis.get_legend_handles_labels()[0], 4)
    return picture


def linearised(table: pd.DataFrame) -> Figure:
    """Share of the conflict set read by colour, trained and linearised, a panel a learner.

    Args:
        table: Columns learner, a, kind ("trained", "linearised"), share, low, high.
    """
    picture, axes = _panels(table, 4, axis="offset a", share="read by colour", title="small")
    looks = {"trained": (BLUE, "o", "-"), "linearised": (GREEN, "^", "--")}
    for learner, axis in axes.items():
        for kind, (colour, marker, line) in looks.items():
            own = table[(table["learner"] == learner) & (table["kind"] == kind)].sort_values("a")
            look = {"color": colour, "marker": marker, "linestyle": line}
            _band(axis, own["a"], own, "share", ms=4, label=kind, **look)
    _legend(picture, axis.get_legend_handles_labels()[0], 2)
    return picture


def _panels(
    table: pd.DataFrame, columns: int, *, axis: str, share: str, title: str = "medium"
) -> tuple[Figure, dict[str, Axes]]:
    """A panel a learner: a share against something on a logarithmic axis.

    Args:
        axis, share: What to call the two.
        title: Size of the panels' titles.
    """
    learners = list(dict.fromkeys(table["learner"]))
    rows = -(-len(learners) // columns)
    picture = figure(0.1 + 0.27 * rows)
    grid = picture.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = grid.flatten()
    for panel, learner in zip(panels, learners, strict=False):
        panel.set_title(learner, fontsize=title)
        panel.set_xscale("log")
        panel.set_ylim(-0.04, 1.04)
        tidy(panel)
    for panel in panels[len(learners) :]:
        panel.set_axis_off()
    for panel in panels[max(0, len(learners) - columns) : len(learners)]:  # lowest of its column
        panel.set_xlabel(axis)
        panel.tick_params(labelbottom=True)
    for panel in grid[:, 0]:
        panel.set_ylabel(share)
    return picture, dict(zip(learners, panels, strict=False))


def _band(axis: Axes, x: pd.Series, own: pd.DataFrame, column: str, **look: Any) -> None:
    """A curve with its interval, the columns low and high."""
    axis.plot(x, own[column], **look)
    axis.fill_between(x, own["low"], own["high"], color=look["color"], alpha=0.2, lw=0)


def _legend(picture: Figure, handles: Sequence[Artist], columns: int) -> None:
    """One legend above all panels."""
    picture.legend(handles=handles, loc="outside upper center", ncols=columns, frameon=False)


def _handle(colour: str, marker: str, label: str, **look: Any) -> Artist:
    return mpl.lines.Line2D([], [], color=colour, marker=marker, label=label, **look)


def ranking(table: pd.DataFrame) -> Figure:
    """Predicted over measured crossover: a row a predictor, a mark an architecture and width.

    Args:
        table: Columns predictor, learner, ratio, low, high, inside, factor (of the predictor).
    """
    order = table.groupby("predictor", sort=False)["factor"].first().sort_values()
    learners = list(dict.fromkeys(table["learner"]))
    picture = figure(0.62)
    axis = picture.subplots()
    axis.axvspan(1 / 1.5, 1.5, color="0.93", lw=0)
    axis.axvline(1, color=GREY, linewidth=0.9)
    colours = (*SERIES, "black")
    markers = (*MARKERS, "p")
    for place, name in enumerate(order.index):
        own = table[table["predictor"] == name].set_index("learner")
        for index, learner in enumerate(learners):
            row, height = own.loc[learner], place + 0.09 * (index - len(learners) / 2)
            axis.plot([row["low"], row["high"]], [height] * 2, color=colours[index], lw=1.2)
            axis.plot(
                row["ratio"], height, markers[index], color=colours[index], ms=5,
                mfc=colours[index] if row["inside"] else "white",
            )  # fmt: skip
    names = [f"{name}\n(off by {factor:.2f})" for name, factor in order.items()]
    axis.set_yticks(range(len(order)), names)
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xticks([0.05, 0.1, 0.2, 0.5, 1, 2, 5], ["1/20", "1/10", "1/5", "1/2", "1", "2", "5"])
    axis.minorticks_off()
    axis.set_xlabel("predicted over measured crossover")
    tidy(axis)
    looks = zip(colours, markers, learners, strict=False)
    _legend(picture, [_handle(*look, linestyle="none") for look in looks], 4)
    return picture
