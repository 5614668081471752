"""Figures of chapter 22: what rules foretell, and how far it is without their directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import FALSE, GREEN, GREY, SKY, figure

RULES = {
    "random directions": "nine random directions", "random statistics": "nine statistics, drawn",
    "named statistics": "nine named statistics", "class means": "class means",
    "true labels": "nine directions, from labels", "neighbours": "nearest known answers",
    "learned directions": "nine learned directions", "another network": "another network",
    "vote of ten": "vote of ten networks",
}  # fmt: skip
SPACES = {
    "random": "nine random ones", "as random": "others that hold as much",
    "class means": "class means", "as learned": "others that hold as much as …",
    "learned": "… nine learned ones",
}  # fmt: skip


def foretold(table: pd.DataFrame) -> Figure:
    """Share of flips that each rule foretells; `evidence.shares`."""
    kinds = table["labels"] + " " + table["what"]
    shuffled = table["labels"] == "shuffled"  # near zero, or far less than their intervals say
    shown = table.assign(low=table["low"].mask(shuffled), high=table["high"].mask(shuffled))
    looks = {
        "true flips, followed on": Look("1.5 times as far", FALSE, "o", 0.16),
        "true flips": Look("at the flip", SKY, "|", 0.0),
        "shuffled flips, followed on": Look("shuffled labels, 1.5 times as far", GREY, "x", -0.16),
    }
    picture, panels = _rows(shown.assign(kind=kinds), "rule", RULES, looks, aspect=0.62)
    for axis, _ in panels:
        axis.set_xlim(-0.03, 1.0)
    panels[len(panels) // 2][0].set_xlabel("share of flips foretold, to the class")
    shapes.legend(picture, looks)
    return picture


def grown(table: pd.DataFrame) -> Figure:
    """Growth of the smallest perturbation by what is forbidden; `evidence.growths`."""
    looks = {
        "true": Look("true labels", FALSE, "o", 0.12),
        "shuffled": Look("shuffled labels", GREY, "x", -0.12),
    }
    law = Look("1/√(1 − share held)", GREEN, "d", hollow=True)
    picture, panels = _rows(table.assign(kind=table["labels"]), "space", SPACES, looks, aspect=0.46)
    for axis, part in panels:
        for look, own in shapes.groups(part, "kind", looks):
            shapes.marks(axis, own[["law", "height"]], "law", replace(law, shift=look.shift), ms=4)
    panels[len(panels) // 2][0].set_xlabel("growth of the smallest perturbation")
    shapes.legend(picture, [*looks.values(), law])
    return picture


def _rows(
    table: pd.DataFrame, by: str, names: Mapping[str, str], looks: Mapping[str, Look], *,
    aspect: float,
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:  # fmt: skip
    """A panel an architecture, a row a name; marks of each of `kind` that has a look."""
    order = list(names)
    shown = table.assign(height=[-order.index(row) for row in table[by]])
    picture, panels = shapes.panels(shown, "architecture", aspect=aspect, sharex=True)
    for axis, part in panels:
        for look, own in shapes.groups(part, "kind", looks):
            shapes.marks(axis, own, "value", look)
    shapes.named(panels[0][0], list(names.values()))
    return picture, panels


def parts(table: pd.DataFrame) -> Figure:
    """Digits, perturbations and their parts: a column a digit; `measure.parts`."""
    panels, images = (list(dict.fromkeys(table[what])) for what in ("panel", "image"))
    picture = figure(0.19 * len(panels) + 0.06)
    axes = picture.subplots(len(panels), len(images), squeeze=False)
    most = table[table["panel"] != "image"].groupby("image")["value"].agg(lambda v: v.abs().max())
    for line, panel in zip(axes, panels, strict=True):
        for axis, image in zip(line, images, strict=True):
            own = table[(table["panel"] == panel) & (table["image"] == image)]
            look = {"vmin": -most[image], "vmax": most[image], "cmap": "PuOr"}
            look = {"vmin": -0.3, "vmax": 1.3, "cmap": "cividis"} if panel == "image" else look
            shapes.pixels(axis, own, **look)
            size = own["size"].iloc[0]
            axis.set_xlabel("" if pd.isna(size) else f"{size:.2f}", fontsize="small", labelpad=2)
        line[0].set_ylabel(
            panel.replace(" directions", "\ndirections").replace("nine f", "nine\nf")
        )
    return picture
