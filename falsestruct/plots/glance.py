"""The picture on the front page: a false structure in ten seconds."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots import FALSE, ORIGINAL, figure

RULES = {"direction": "Direction says", "brightness": "Brightness says", "networks": "Networks say"}
PLACES = (0.86, 0.5, 0.14)  # of the rules' lines, in heights of the text's part


def glance(table: pd.DataFrame) -> Figure:
    """Three images; below each, what direction, brightness and the networks say.

    Args:
        table: As `experiments.stripes.glance` gives it.
    """
    picture = figure(0.5)
    panels = list(dict.fromkeys(table["panel"]))
    widths = [0.9, *[1.0] * len(panels)]
    top, bottom = picture.subplots(2, len(widths), width_ratios=widths, height_ratios=[2.0, 1.0])
    for axis in (top[0], *bottom):
        axis.set_axis_off()
    for place, words in zip(PLACES, RULES.values(), strict=True):
        bottom[0].text(1.0, place, words, ha="right", va="center")
    low, high = table["value"].min(), table["value"].max()
    for image, text, panel in zip(top[1:], bottom[1:], panels, strict=True):
        own = table[table["panel"] == panel]
        pixels = own.pivot(index="row", columns="column", values="value")
        image.imshow(pixels, cmap="gray", vmin=low - 0.1, vmax=high)
        image.set(xticks=[], yticks=[])
        image.set_title(panel.capitalize(), fontsize="medium")
        _answers(text, own.iloc[0])
    return picture


def _answers(axis: Axes, row: pd.Series) -> None:
    for place, rule in zip(PLACES, RULES, strict=True):
        answer = str(row[rule])
        wrong = answer != row["direction"]
        words = f"{answer} ({row['share']:.0%})" if rule == "networks" else answer
        axis.text(
            0.5, place, words, ha="center", va="center",
            color=FALSE if wrong else ORIGINAL, fontweight="bold" if wrong else "normal",
        )  # fmt: skip
