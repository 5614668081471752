"""Figures of chapter 09, each from a table of `evidence` or `measure`."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, FALSE, GREEN, GREY, ORIGINAL, PINK
from falsestruct.success import TAKES

FAMILIES = {
    "named": "a name in the library", "mask": "random mask", "phase": "phase of a bin",
    "window": "window of nine pixels", "unseen": "unseen direction",
    "quadratic": "off a mask, either way", "conditional": "one mask or another",
}  # fmt: skip


def recall(table: pd.DataFrame) -> Figure:
    """By family how many networks take their plant, and how many of these are named rightly."""
    looks = {
        "takes its plant": Look("take their plant", GREY, "D", 0.2, hollow=True),
        "named rightly, first set": Look("of these named rightly, first set", BLUE),
        "named rightly, second set": Look("of these named rightly, second set", FALSE, "s", -0.2),
    }
    picture, axis = _families(table, "what", looks, columns=2)
    axis.set(xlim=(-0.03, 1.03), xlabel="share of networks, with 95 % intervals")
    return picture


def outcomes(table: pd.DataFrame) -> Figure:
    """Strength of the plant, how far a network takes it, and what the search says: a mark each."""
    looks = {
        "not named": Look("not named", GREY, "x"), "named rightly": Look("named rightly", BLUE),
        "named wrongly": Look("named otherwise", FALSE, "s"),
    }  # fmt: skip
    picture, parts = shapes.panels(table, "family", columns=4, aspect=0.6, sharex=True)
    for axis, part in parts:
        axis.axhline(TAKES, color="0.4", linewidth=0.8, linestyle=":")
        for look, own in shapes.groups(part, "outcome", looks):
            shapes.marks(axis, own, "level", look, y="capture", ms=3.5)
        axis.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xticks=[0, 1])
        axis.set_xticklabels(["faint", "strong"])
    picture.supylabel("share that sides with the plant", fontsize="medium")
    shapes.legend(picture, looks)
    return picture


def cosines(table: pd.DataFrame) -> Figure:
    """Cosine of the learned direction with the plant's and with another one's: a mark a network."""
    long = table.melt(["family"], ["cosine", "cosine_other"], "with", "value")
    looks = {
        "cosine": Look("with the planted direction", BLUE, shift=0.13),
        "cosine_other": Look("with that of another plant of the family", FALSE, "s", -0.13),
    }
    picture, axis = _families(long, "with", looks, columns=2, faint=True, aspect=0.36)
    axis.set(xlim=(-0.02, 1.02), xlabel="cosine, without its sign")
    return picture


def explainers(table: pd.DataFrame) -> Figure:
    """By family what rules and baselines foretell of networks that take their plant."""
    looks = shapes.series(table["explainer"], spread=-0.6)
    picture, axis = _families(table, "explainer", looks, columns=3, aspect=0.72)
    axis.set(xlim=(0.45, 1.02), xlabel="balanced accuracy on undecided probes, mean over networks")
    return picture


def mixtures(table: pd.DataFrame) -> Figure:
    """Share that the audit measures against the share built in, a mark an audit."""
    looks = {
        "original": Look("named: original", ORIGINAL), "false": Look("named: false", FALSE, "s"),
        "mixture": Look("mixture", GREEN, "^"), "undecided": Look("undecided", GREY, "x"),
        "none": Look("none", PINK, "D"),
    }  # fmt: skip
    side = (table["p"] > 0.5).map({True: "false", False: "original"})
    shift = 0.1 * ((table["seed"] + 0.5) / (table["seed"].max() + 1) - 0.5)
    table = table.assign(
        look=table["verdict"].where(table["verdict"].isin(looks), side), at=table["p"] + shift
    )
    picture, parts = shapes.panels(table, "problem", aspect=0.46)
    for axis, part in parts:
        axis.axline((0, 0), slope=1, color="0.5", linewidth=0.8)
        for look, own in shapes.groups(part, "look", looks):
            axis.vlines(own["at"], own["low"], own["high"], color=look.colour, linewidth=0.5)
            shapes.marks(axis, own.drop(columns=["low", "high"]), "at", look, y="share", ms=2.5)
        axis.set(xlim=(-0.1, 1.1), ylim=(-0.03, 1.03))
        axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
    parts[0][0].set_ylabel("share that the audit finds")
    parts[len(parts) // 2][0].set_xlabel(
        "share of the inputs on which the false structure was built in"
    )
    shown = [look for name, look in looks.items() if name in {*table["look"], "original", "false"}]
    shapes.legend(picture, shown, columns=len(shown))
    return picture


def _families(
    table: pd.DataFrame, by: str, looks: Mapping[str, Look], *, columns: int,
    faint: bool = False, aspect: float = 0.58,
) -> tuple[Figure, Axes]:  # fmt: skip
    """A row a family, in the order of FAMILIES, with marks of each look."""
    names = [name for name in FAMILIES if name in set(table["family"])]
    own = table.assign(height=[-names.index(name) for name in table["family"]])
    picture, axis = shapes.single(aspect)
    for look, part in shapes.groups(own, by, looks):
        shapes.marks(axis, part, "value", look, faint=faint)
    shapes.named(axis, [FAMILIES[name] for name in names])
    shapes.legend(picture, looks, columns=columns)
    return picture, axis
