"""Figures of chapter 04: a table in, a Figure out."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import FALSE, GREEN, ORIGINAL, figure, tidy


def oscillation_history(table: pd.DataFrame) -> Figure:
    """Accuracy against steps for each run: mean over seeds, and the middle 90 % of them.

    Columns: run, step, test (hint, zero, swapped), mean, low, high.
    """
    looks = {
        "hint": Look("right hint", GREEN, "o", line="-"),
        "zero": Look("no hint", ORIGINAL, "^", line="-"),
        "swapped": Look("wrong hint", FALSE, "s", line="-"),
    }
    picture, panels = shapes.panels(table, "run", aspect=0.62, columns=2, sharex=True)
    for place, (axis, part) in enumerate(panels):
        for look, own in shapes.groups(part, "test", looks):
            shapes.curve(axis, own, "step", "mean", look, band=True, ms=3)
        axis.set(xscale="log", ylim=(-0.03, 1.03))
        axis.set_xlabel("training steps" if place > 1 else "")
        axis.set_ylabel("" if place % 2 else "accuracy")
    panels[0][0].legend(title="tested with the", fontsize="small", title_fontsize="small")
    return picture


def oscillation_delta(table: pd.DataFrame) -> Figure:
    """Share of the conflict set that sides with the hint against δ; `evidence.delta_summary`."""
    picture, axis = shapes.single(0.45)
    shapes.curve(axis, table, "delta", "share", Look(colour=FALSE, marker="s"), lw=1.5, ms=6)
    axis.axhline(0.75, color="0.4", linestyle=":")
    axis.set(xscale="log", ylim=(-0.03, 1.03))
    axis.set_xlabel("δ, the size of the hint in x₂ (x₁ spans a quarter)")
    axis.set_ylabel("share of conflict set\nsiding with the hint")
    return picture


def oscillation_record(table: pd.DataFrame) -> Figure:
    """Accuracy with x₂ = 0 against steps, a line a seed, for training with 10,000 and 5,000.

    Columns: training, seed, step, zero, paper (what the released network of that run reaches).
    """
    picture, panels = shapes.panels(table.sort_values("training", kind="stable"), "training",
                                    aspect=0.5)  # fmt: skip
    for axis, part in panels:
        for _, own in part.groupby("seed"):
            axis.plot(own["step"], own["zero"], color=ORIGINAL, alpha=0.7, lw=0.6)
        mean = part.groupby("step")["zero"].mean()
        axis.plot(mean.index, mean, color="black", lw=2, label="mean over seeds")
        axis.plot(part["step"].max(), part["paper"].iloc[0], "*", ms=12, color=FALSE,
                  label="released network", clip_on=False, zorder=5)  # fmt: skip
        axis.set(xscale="log", xlabel="training steps", ylim=(0.35, 1.03))
    panels[0][0].set_ylabel(r"accuracy on $S_\varepsilon$, no hint")
    panels[1][0].legend(loc="lower right", fontsize="small")
    return picture


def oscillation_changes(table: pd.DataFrame, *, needed: int) -> Figure:
    """Exact numbers of pieces and sign changes along x₁, one mark a network.

    Columns: label, pieces, changes.
    """
    looks = shapes.series(table["label"])
    picture = figure(0.42)
    axes = picture.subplots(1, 2, sharey=True)
    for axis, column in zip(axes, ("pieces", "changes"), strict=True):
        for place, (look, part) in enumerate(shapes.groups(table, "label", looks)):
            ranks = part.groupby(column).cumcount() / len(part)  # equal counts side by side
            own = part.assign(height=0.6 * ranks - 0.3 - place)
            shapes.marks(axis, own, column, look, ms=4)
        axis.axvline(needed, color="0.2", linestyle="--")
        axis.set(xlim=(-0.5, None), xlabel=f"{NAMES[column]} at x₂ = 0")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        tidy(axis)
    shapes.named(axes[0], list(looks))
    return picture


NAMES = {"pieces": "linear pieces", "changes": "sign changes"}
