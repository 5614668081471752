"""Figures: a table in, a Figure out. Nothing is computed here but positions and colours.

Here is the style; the figures are in the chapters' rooms.

Every function takes the table that `press.figures.publish` stores, so any figure can be drawn
again from its data, at another width or font size.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# Okabe and Ito's hues, darker: each has a contrast of 3 to 1 with white, the first two, which are
# also written with, 4.5 to 1, and they stay further apart than the originals under every common
# colour blindness (tests/plots/test_palette.py). One structure, one colour, in the whole book.
BLUE, ORANGE, GREEN, PINK = "#20518D", "#AC3C00", "#098651", "#C0588A"
YELLOW, SKY, GREY = "#BB8900", "#2E95F5", "#6B6B6B"
ORIGINAL, FALSE = BLUE, ORANGE
SERIES = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")


def figure(aspect: float = 0.55) -> Figure:
    """An empty Figure as wide as the style says; aspect is height by width."""
    width = mpl.rcParams["figure.figsize"][0]
    return Figure(figsize=(width, aspect * width), layout="constrained")


def tidy(axes: mpl.axes.Axes) -> None:
    """No frame on the right and on top, a faint grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)


def dots(colour: str, face: float = 0.35) -> dict[str, Any]:
    """Keywords of marks that may lie on each other: a translucent face in an edge that is seen."""
    return {
        "color": colour,
        "markerfacecolor": mpl.colors.to_rgba(colour, face),
        "markeredgecolor": colour,
        "markeredgewidth": 0.6,
    }
