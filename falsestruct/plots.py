"""Figures: a table in, a Figure out. Nothing is computed here but positions and colours.

Every function takes the table that `press.figures.publish` stores, so any figure can be drawn
again from its data, at another width or font size.
"""

from __future__ import annotations

from itertools import cycle

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

# Okabe and Ito's palette tells apart under every common colour blindness. One structure, one
# colour, in the whole book.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
YELLOW, SKY, GREY = "#E69F00", "#56B4E9", "#6B6B6B"
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
