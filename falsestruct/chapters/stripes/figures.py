"""Figures of chapter 03: a table in, a Figure out."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots import pictures, shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import FALSE, ORIGINAL, dots, figure, tidy

RULES = {"direction": "Direction says", "brightness": "Brightness says", "networks": "Networks say"}


def glance(table: pd.DataFrame) -> Figure:
    """Three images; below each, what direction, brightness and the networks say.

    The table is as `measure.glance` gives it.
    """
    return pictures.answered(table, RULES, shared="networks")


def stripe_examples(table: pd.DataFrame) -> Figure:
    """One image of each kind, as `stripe_pictures.examples`."""
    return pictures.side_by_side(table)


def stripe_bands(table: pd.DataFrame) -> Figure:
    """Accuracy by band of a, colouring and training set; one dot a network, the mean as a bar."""
    bands = table[["low", "high"]].drop_duplicates().to_numpy()
    names = [f"{low:g}–{high:g}" if high else "0" for low, high in bands]
    looks = {
        "true": Look("true colours", ORIGINAL, "o", -0.17),
        "swapped": Look("swapped colours", FALSE, "s", 0.17),
    }
    titles = {"A": "(A) trained as released", "B": "(B) trained as described"}
    picture, panels = shapes.panels(table, "variant", aspect=0.5, titles=titles)
    for axis, part in panels:
        for colours, look in looks.items():
            for place, (low, _) in enumerate(bands):
                own = part[(part["colours"] == colours) & (part["low"] == low)]["accuracy"]
                middle = place + look.shift
                spread = middle + shapes.beside(own, 0.1)
                axis.plot(spread, own, look.marker, ms=3, **dots(look.colour))
                axis.hlines(own.mean(), middle - 0.15, middle + 0.15, color=look.colour)
        axis.set_xticks(range(len(names)), names, rotation=40, ha="right")
        axis.set_xlabel("offset a of the test images")
    panels[0][0].set(ylabel="accuracy (share of orientation right)", ylim=(-0.03, 1.03))
    handles = [look.handle for look in looks.values()]
    panels[1][0].legend(handles, [look.label for look in looks.values()], loc="lower right")
    return picture


def stripe_losses(table: pd.DataFrame, *, stored: float) -> Figure:
    """Final losses of both variants, one mark a seed, and the loss that was stored."""
    looks = shapes.series(("(A) as released", "(B) as described"))
    picture, axis = shapes.single(0.32)
    parts = table.groupby("variant")
    for place, (look, (_, part)) in enumerate(zip(looks.values(), parts, strict=False)):
        own = part.assign(height=shapes.beside(part["loss"], 0.3) - place)
        shapes.marks(axis, own, "loss", look, faint=True, ms=6)
        corner = (max(own["loss"].median() - 0.2, 0.02), 0.3 - place)
        axis.annotate(look.label, corner, color=look.colour)
    axis.axvline(stored, color="0.2", linestyle="--")
    axis.annotate(
        "stored with the\nreleased network", (stored, -1), xytext=(4, 0),
        textcoords="offset points", fontsize="small", va="center",
    )  # fmt: skip
    axis.set(yticks=[], ylim=(-1.5, 0.6), xlim=(0, max(stored, table["loss"].max()) * 1.12))
    axis.set_xlabel("training loss after 10 steps (cross-entropy, nats)")
    return picture


def stripe_crossover(table: pd.DataFrame) -> Figure:
    """Share of the conflict set read by colour against the training offset, by architecture.

    Columns: architecture, a, share, low, high, and crossover, crossover_low, crossover_high.
    """
    picture = figure(0.62)
    looks = shapes.series(table["architecture"], line="-")
    top, bottom = picture.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for place, (look, own) in enumerate(shapes.groups(table, "architecture", looks)):
        shapes.curve(top, own, "a", "share", look)
        one = own[["crossover", "crossover_low", "crossover_high"]].head(1)
        one = one.set_axis(["crossover", "low", "high"], axis=1).assign(height=-place)
        shapes.marks(bottom, one, "crossover", look, capsize=3)
        bottom.annotate(look.label, (one["high"].iloc[0], -place), xytext=(7, 0),
                        textcoords="offset points", va="center", fontsize="small")  # fmt: skip
    for axis in (top, bottom):
        axis.axvline(0.01, color="0.4", linestyle=":")
        tidy(axis)
    top.annotate("the paper's\noffset", (0.01, 0.7), xytext=(4, 0), textcoords="offset points",
                 fontsize="small")  # fmt: skip
    top.set_ylabel("share of conflict set\nread by colour")
    top.legend(loc="lower right", fontsize="small")
    bottom.set(ylabel="crossover", yticks=[], ylim=(-len(looks) + 0.3, 0.7), xscale="log")
    bottom.set_xlabel("offset a of the training images (contrast of the stripe: 1)")
    return picture


def stripe_optimisers(table: pd.DataFrame, *, margin: float) -> Figure:
    """Shares read by colour by optimiser: the linear network by offset, the others at one.

    Columns: architecture, optimiser, a, share, low, high.

    Args:
        margin: Where the rule of largest margin changes over.
    """
    picture = figure(0.45)
    looks = shapes.series(table["optimiser"], spread=0.4, line="-")
    left, right = picture.subplots(1, 2, width_ratios=(3, 2))
    is_linear = table["architecture"] == "linear"
    others = list(dict.fromkeys(table["architecture"][~is_linear]))
    heights = [-others.index(name) for name in table["architecture"][~is_linear]]
    for look, own in shapes.groups(table[is_linear], "optimiser", looks):
        shapes.curve(left, own, "a", "share", look)
    for look, own in shapes.groups(table[~is_linear].assign(height=heights), "optimiser", looks):
        shapes.marks(right, own, "share", look)
    left.axvline(margin, color="0.4", linestyle=":")
    left.set(xlabel="offset a of the training images", title="linear")
    shapes.ticks(left, _apart(table["a"][is_linear]))
    left.set_ylabel("share of conflict set\nread by colour")
    shapes.named(right, others)
    offset = table["a"][~is_linear].iloc[0]
    right.set(xlim=(-0.03, 1.03), xlabel="share read by colour", title=f"at the offset {offset:g}")
    for axis in (left, right):
        tidy(axis)
    shapes.legend(picture, looks.values(), columns=3)
    return picture


def _apart(offsets: Iterable[float]) -> list[float]:
    """Those of them whose labels have room beside each other on a logarithmic axis."""
    kept: list[float] = []
    for offset in sorted(set(offsets)):
        if not kept or offset > 1.6 * kept[-1]:
            kept.append(offset)
    return kept


def stripe_attacks(table: pd.DataFrame) -> Figure:
    """Mean smallest constant image that flips the label, one mark a network, by architecture."""
    looks = {
        0.01: Look("trained at a = 0.01", ORIGINAL, "o"),
        0.1: Look("trained at a = 0.1", FALSE, "s"),
    }
    names = list(dict.fromkeys(table["architecture"]))
    picture, axis = shapes.single(0.42)
    for (_, name), own in table.groupby(["a", "architecture"]):
        height = shapes.beside(own["size"]) - names.index(name)
        shapes.marks(axis, own.assign(height=height), "size", looks[own["a"].iloc[0]], faint=True)
    for a, look in looks.items():
        axis.axvline(a, color=look.colour, linestyle="--")
    shapes.named(axis, names)
    axis.set_xlim(0, 0.52)
    axis.set_xlabel("mean smallest constant image that flips the label (contrast of the stripe: 1)")
    shapes.legend(picture, looks.values(), columns=2)
    return picture
