"""Figures of chapter 22: what rules foretell, and how far it is without their directions."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL, figure

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
    looks = {
        "true beyond": Look("1.5 times as far", FALSE, "o", 0.16),
        "true at once": Look("at the flip", ORIGINAL, "|", 0.0),
        "shuffled beyond": Look("shuffled labels, 1.5 times", GREY, "x", -0.16),
    }
    return _rows(table, table["rule"], RULES, table["labels"] + " " + table["at"], looks,
                 label="share of flips foretold, to the class", aspect=0.62,
                 limits=(-0.03, 1.0))  # fmt: skip


def grown(table: pd.DataFrame) -> Figure:
    """Growth of the smallest perturbation by what is forbidden; `evidence.growths`."""
    looks = {
        "true": Look("true labels", FALSE, "o", 0.12),
        "shuffled": Look("shuffled labels", GREY, "x", -0.12),
    }
    picture = _rows(table, table["space"], SPACES, table["labels"], looks,
                    label="growth of the smallest perturbation", aspect=0.46,
                    limits=None, law=True)  # fmt: skip
    return picture


def _rows(  # noqa: PLR0913 one look at a table
    table: pd.DataFrame, rows: pd.Series, names: dict[str, str], kinds: pd.Series,
    looks: dict[str, Look], *, label: str, aspect: float, limits: tuple[float, float] | None,
    law: bool = False,
) -> Figure:  # fmt: skip
    order = list(names)
    shown = table.assign(kind=kinds, height=[-order.index(row) for row in rows])
    picture, panels = shapes.panels(shown, "architecture", aspect=aspect, sharex=True)
    more = {}
    for axis, part in panels:
        for look, own in shapes.groups(part, "kind", looks):
            shapes.marks(axis, own, "value", look)
            if law:
                mark = Look("1/√(1 − share held)", GREEN, "d", look.shift, hollow=True)
                axis.plot(
                    own["law"], own["height"] + look.shift, linestyle="none", ms=4, **mark.mark
                )
                more = {mark.label: mark.handle}
        if limits:
            axis.set_xlim(*limits)
    panels[len(panels) // 2][0].set_xlabel(label)
    shapes.named(panels[0][0], list(names.values()))
    shapes.legend(picture, looks, columns=3, more=more)
    return picture


def parts(table: pd.DataFrame) -> Figure:
    """Digits, perturbations and their parts: a column a digit; `measure.parts`."""
    panels, images = (list(dict.fromkeys(table[what])) for what in ("panel", "image"))
    picture = figure(0.19 * len(panels) + 0.06)
    axes = picture.subplots(len(panels), len(images), squeeze=False)
    most = table[table["panel"] != "image"]["value"].abs().max()
    for line, panel in zip(axes, panels, strict=True):
        look = {"vmin": -most, "vmax": most, "cmap": "PuOr"}
        look = {"vmin": -0.3, "vmax": 1.3, "cmap": "cividis"} if panel == "image" else look
        for axis, image in zip(line, images, strict=True):
            own = table[(table["panel"] == panel) & (table["image"] == image)]
            shapes.pixels(axis, own, **look)
            size = own["size"].iloc[0]
            axis.set_xlabel("" if pd.isna(size) else f"{size:.2f}", fontsize="small", labelpad=2)
        line[0].set_ylabel(
            panel.replace(" directions", "\ndirections").replace("nine f", "nine\nf")
        )
    return picture
