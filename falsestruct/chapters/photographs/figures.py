"""Figures of chapter 23."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots import pictures, shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, FALSE, GREEN, GREY, PINK, YELLOW

RULES = {"material": "material:", "statistic": "threshold:", "networks": "networks:"}
SUCCESS = {
    "as they are": Look("as they are", BLUE, "o", 0.24),
    "turned": Look("turned by 90°", GREEN, "^", 0.08),
    "grey": Look("all of one mean grey", YELLOW, "v", -0.08),
    "shuffled": Look("as they are, after shuffled labels", GREY, "D", -0.24, hollow=True),
}
TAKEN = {
    "statistic": Look(
        "says what the threshold says, where material and threshold part", FALSE, "s", 0.26
    ),
    "coins": Look(
        "the same, trained where the threshold says nothing", FALSE, "s", 0.13, hollow=True
    ),
    "same": Look("right, after the same changes where both agree", BLUE, "o", 0.0),
    "rows": Look("right, all with one change from row to row", PINK, "D", -0.13),
    "contrast": Look("right, all with one contrast", GREEN, "^", -0.26),
}
# The mark of each, by the arm of training and what was asked: for `evidence.marked`.
SUCCESS_OF = {
    "as they are": ("plain", "right"), "turned": ("plain", "turned"), "grey": ("plain", "grey"),
    "shuffled": ("shuffled", "right"),
}  # fmt: skip
TAKEN_OF = {
    "statistic": ("plain", "follows"), "coins": ("changed", "follows"), "same": ("plain", "same"),
    "rows": ("plain", "rows"), "contrast": ("plain", "contrast"),
}  # fmt: skip


def glance(table: pd.DataFrame) -> Figure:
    """Patches, and what material, threshold and networks say."""
    picture = pictures.answered(table, RULES, shared="networks")
    picture.set_figheight(0.36 * picture.get_figwidth())  # no gap between a patch and its answers
    return picture


def success(table: pd.DataFrame) -> Figure:
    """Accuracy by pair and network, with marks for what tiles were shown."""
    return _rows(table, SUCCESS, "share of held-out tiles that are right, with 95 % intervals", 2)


def taken(table: pd.DataFrame) -> Figure:
    """What networks say of changed tiles, by pair and network."""
    return _rows(table, TAKEN, "share of tiles, with 95 % intervals", 1)


def _rows(table: pd.DataFrame, looks: dict[str, Look], words: str, columns: int) -> Figure:
    names = list(dict.fromkeys(table["architecture"]))
    titles = {pair: pair.replace("-", " and ") for pair in dict.fromkeys(table["pair"])}
    picture, parts = shapes.panels(table, "pair", aspect=0.62, titles=titles)
    for axis, part in parts:
        own = part.assign(height=[-names.index(name) for name in part["architecture"]])
        for look, some in shapes.groups(own, "mark", looks):
            shapes.marks(axis, some, "value", look, ms=4)
        axis.axvline(0.5, color="0.5", linewidth=0.8, linestyle=":")
        axis.set(xlim=(-0.04, 1.04))
        axis.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    shapes.named(parts[0][0], names)
    parts[len(parts) // 2][0].set_xlabel(words)
    shapes.legend(picture, looks, columns=columns)
    return picture
