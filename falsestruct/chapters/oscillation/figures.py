"""Figures of chapter 04: a table in, a Figure out."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from falsestruct.plots.style import FALSE, GREEN, MARKERS, ORIGINAL, SERIES, figure, tidy


def oscillation_history(table: pd.DataFrame) -> Figure:
    """Accuracy against steps for each run: mean over seeds, and the middle 90 % of them.

    Columns: run, step, test (hint, zero, swapped), mean, low, high.
    """
    names = list(dict.fromkeys(table["run"]))
    picture = figure(0.62)
    axes = picture.subplots(2, 2, sharex=True, sharey=True).flatten()
    looks = {
        "hint": (GREEN, "o", "right hint"),
        "zero": (ORIGINAL, "^", "no hint"),
        "swapped": (FALSE, "s", "wrong hint"),
    }
    for axis, name in zip(axes, names, strict=True):
        for test, (colour, marker, label) in looks.items():
            part = table[(table["run"] == name) & (table["test"] == test)]
            axis.plot(part["step"], part["mean"], marker=marker, ms=3, color=colour, label=label)
            axis.fill_between(
                part["step"], part["low"], part["high"], color=colour, alpha=0.2, lw=0
            )
        axis.set_title(name, fontsize="medium")
        axis.set_xscale("log")
        axis.set_ylim(-0.03, 1.03)
        tidy(axis)
    for axis in axes[::2]:
        axis.set_ylabel("accuracy")
    for axis in axes[2:]:
        axis.set_xlabel("training steps")
    axes[0].legend(title="tested with the", fontsize="small", title_fontsize="small")
    return picture


def oscillation_delta(table: pd.DataFrame) -> Figure:
    """Share of the conflict set that sides with the hint against δ; columns of `delta_summary`."""
    picture = figure(0.45)
    axis = picture.subplots()
    errors = (table["share"] - table["low"], table["high"] - table["share"])
    axis.errorbar(table["delta"], table["share"], yerr=errors, color=FALSE, marker="s", capsize=3)
    axis.axhline(0.75, color="0.4", linestyle=":")
    axis.set_xscale("log")
    axis.set_ylim(-0.03, 1.03)
    axis.set_xlabel("δ, the size of the hint in x₂ (x₁ spans a quarter)")
    axis.set_ylabel("share of conflict set\nsiding with the hint")
    tidy(axis)
    return picture


def oscillation_record(table: pd.DataFrame) -> Figure:
    """Accuracy with x₂ = 0 against steps, a line a seed, for training with 10,000 and 5,000.

    Columns: training, seed, step, zero, paper (what the released network of that run reaches).
    """
    picture = figure(0.5)
    axes = picture.subplots(1, 2, sharey=True)
    for axis, (name, part) in zip(axes, table.groupby("training"), strict=True):
        for _, own in part.groupby("seed"):
            axis.plot(own["step"], own["zero"], color=ORIGINAL, alpha=0.7, lw=0.6)
        mean = part.groupby("step")["zero"].mean()
        axis.plot(mean.index, mean, color="black", lw=2, label="mean over seeds")
        axis.plot(part["step"].max(), part["paper"].iloc[0], "*", ms=12, color=FALSE,
                  label="released network", clip_on=False, zorder=5)  # fmt: skip
        axis.set_title(str(name), fontsize="medium")
        axis.set_xscale("log")
        axis.set_xlabel("training steps")
        tidy(axis)
    axes[0].set_ylabel(r"accuracy on $S_\varepsilon$, no hint")
    axes[0].set_ylim(0.35, 1.03)
    axes[1].legend(loc="lower right", fontsize="small")
    return picture


def oscillation_changes(table: pd.DataFrame, *, needed: int) -> Figure:
    """Exact numbers of pieces and sign changes along x₁, one mark a network.

    Columns: label, pieces, changes.
    """
    names = list(dict.fromkeys(table["label"]))
    picture = figure(0.42)
    axes = picture.subplots(1, 2, sharey=True)
    for axis, column in zip(axes, ("pieces", "changes"), strict=True):
        for place, name in enumerate(names):
            own = table[table["label"] == name][column]
            ranks = own.groupby(own).cumcount() / len(own)
            axis.plot(own, place + 0.6 * ranks - 0.1, MARKERS[place], color=SERIES[place], ms=4)
        axis.axvline(needed, color="0.2", linestyle="--")
        axis.set_xlim(left=-0.5)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        tidy(axis)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(-0.4, len(names) - 0.2)
    axes[0].set_xlabel("linear pieces at x₂ = 0")
    axes[1].set_xlabel("sign changes at x₂ = 0")
    return picture
