"""Figures of chapter 12."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, GREEN, GREY, ORANGE, PINK

WORLDS = {
    "fast": Look("fast world", ORANGE, "o", line="-"),
    "slow": Look("slow world", BLUE, "s", line="--"),
}
TRAINED = WORLDS | {"both rates": Look("fast world, two rates in training", GREEN, "^", line=":")}
LESSONS = {
    "attack": Look("attacked images", ORANGE, "s", 0.3),
    "leak only": Look("leak only", BLUE, "o", 0.15),
    "kept": Look("kept images alone", PINK, "D"),
    "twin": Look("another's attack, same digit", GREEN, "^", -0.1),
    "swapped": Look("another's attack, other digit", GREEN, "v", -0.2, hollow=True),
    "noise": Look("noise", GREY, "x", -0.3),
}
SEEN = {
    "whole": "the whole image", "robust": "nine robust directions",
    "robust outputs": "ten robust outputs", "ordinary": "nine ordinary directions",
    "random": "nine random directions",
}  # fmt: skip
TAUGHT = {
    "truth": Look("clean images, true labels", BLUE, "o", 0.15),
    "attack": Look("attacked images", ORANGE, "s"),
    "noise": Look("noise", GREY, "x", -0.15),
}


def worlds(table: pd.DataFrame) -> Figure:
    """A wave of each world and its samples, a panel a rate; `measure.pictures`."""
    names = [f"{float(rate):g} samples a unit of time" for rate in table["panel"]]
    table = table.assign(panel=names)
    picture, panels = shapes.panels(table, "panel", aspect=0.6, columns=1, sharex=True)
    for axis, part in panels:
        for world, look in WORLDS.items():
            own = part[part["world"] == world]
            wave, samples = (own[own["what"] == what] for what in ("wave", "sample"))
            axis.plot(wave["time"], wave["value"], color=look.colour, lw=0.8, linestyle=look.line)
            ring: dict[str, Any] = {"ms": 8, "markerfacecolor": "none"} if world == "slow" else {}
            shapes.marks(axis, samples, "time", look, y="value", **ring)
        axis.set_ylabel("signal")
    panels[-1][0].set_xlabel("time (units)")
    shapes.legend(picture, WORLDS, columns=2)
    return picture


def rates(table: pd.DataFrame) -> Figure:
    """Accuracy against the rate of sampling in both worlds; `evidence.curves`."""
    picture, axis = shapes.single(0.5)
    for look, own in shapes.groups(table, "world", TRAINED):
        shapes.curve(axis, own.sort_values("rate"), "rate", "value", look)
    axis.axhline(0.5, color=GREY, linewidth=0.7)
    for rate in (59.5, 64.0):  # of training
        axis.axvline(rate, color="0.2", linewidth=1, linestyle=":")
    axis.set(ylim=(-0.03, 1.03), xlabel="samples a unit of time",
             ylabel="share of signals that are right")  # fmt: skip
    shapes.legend(picture, TRAINED)
    return picture


def lessons(table: pd.DataFrame) -> Figure:
    """Accuracy of pupils by lesson, a panel a norm, a row for each choice of targets."""
    names = {"all ten": "any of ten", "wrong only": "any but the label", "next": "the next digit"}
    table = table.assign(height=[-[*names].index(which) for which in table["targets"]])
    titles = {str(size): f"norm at most {size:g}" for size in sorted(set(table["size"]))}
    picture, panels = shapes.panels(table, "size", aspect=0.5, titles=titles, sharex=True)
    for axis, part in panels:
        for look, own in shapes.groups(part, "lesson", LESSONS):
            shapes.marks(axis, own, "value", look)
        axis.axvline(0.1, color="0.2", linestyle=":", linewidth=1)
        axis.set(xlim=(-0.03, 1.03), xticks=(0, 0.5, 1), xlabel="accuracy on clean digits")
    shapes.named(panels[0][0], list(names.values()))
    panels[0][0].set_ylabel("target")
    shapes.legend(picture, LESSONS)
    return picture


def strip(table: pd.DataFrame) -> Figure:
    """A digit as lessons show it, a panel a lesson; `measure.strip`."""
    titles = {"swapped, 1": "another's, 1", "leak only, 1": "pattern, 1"}
    picture, panels = shapes.panels(table, "panel", aspect=0.21, titles=titles)
    for axis, part in panels:
        shapes.pixels(axis, part, cmap="gray", vmin=-0.2, vmax=1.2)
    return picture


def views(table: pd.DataFrame) -> Figure:
    """Accuracy of pupils by what they see of an image and lesson; `evidence.compared`."""
    picture, axis = shapes.single(0.5)
    table = table.assign(height=[-[*SEEN].index(view) for view in table["view"]])
    for look, own in shapes.groups(table, "lesson", TAUGHT):
        shapes.marks(axis, own, "value", look)
    axis.axvline(0.1, color="0.2", linestyle=":", linewidth=1)
    shapes.named(axis, list(SEEN.values()))
    axis.set(xlim=(-0.03, 1.03), xlabel="accuracy on held-out digits (dotted: chance)")
    shapes.legend(picture, TAUGHT)
    return picture
