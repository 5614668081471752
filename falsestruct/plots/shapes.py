"""The few shapes that the book's figures are made of: panels, rows, marks, curves, legends.

A figure says what is drawn; how it looks is here, once. `Look` is how one thing looks in all
panels of a figure: a structure, an architecture, a way of training.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from falsestruct.plots.style import GREY, MARKERS, SERIES, dots, figure, tidy


@dataclass(frozen=True)
class Look:
    """How one thing looks.

    Attributes:
        label: Its name in the legend.
        colour, marker: Always both, so that colour isn't needed.
        shift: Of its marks from their row, so that they don't cover others; rows are 1 apart.
        hollow: White marks with a coloured edge.
        line: Of curves: "-", "--", ":"; "" for marks alone.
    """

    label: str = ""
    colour: str = GREY
    marker: str = "o"
    shift: float = 0.0
    hollow: bool = False
    line: str = ""

    @property
    def mark(self) -> dict[str, Any]:
        """Keywords of `Axes.plot` and `errorbar` for its marks."""
        face = "white" if self.hollow else self.colour
        return {"color": self.colour, "marker": self.marker, "markerfacecolor": face}

    @property
    def handle(self) -> Line2D:
        """Its entry in a legend."""
        return Line2D([], [], linestyle=self.line or "none", markersize=5, **self.mark)


def series(names: Iterable[object], *, spread: float = 0.0, line: str = "") -> dict[str, Look]:
    """A look for each of some names, in the book's colours and markers.

    Args:
        spread: Distance of the first from the last shift.
    """
    known = list(dict.fromkeys(map(str, names)))
    places = np.linspace(-spread / 2, spread / 2, len(known)) if len(known) > 1 else [0.0]
    return {
        name: Look(
            name, SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)], float(places[i]), line=line
        )
        for i, name in enumerate(known)
    }


def panels(
    table: pd.DataFrame,
    by: str,
    *,
    aspect: float = 0.46,
    columns: int | None = None,
    titles: Mapping[str, str] | None = None,
    **options: Any,
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A figure with a panel for each value of a column: the axes with their part of the table.

    Args:
        columns: Panels side by side; None: all.
        titles: By value; the value itself where it is not named.
        options: Of `Figure.subplots`; y axes are shared unless it says otherwise.
    """
    parts = list(table.groupby(by, sort=False))
    across = min(columns or len(parts), len(parts))
    picture = figure(aspect)
    grid = picture.subplots(
        -(-len(parts) // across), across, squeeze=False, **({"sharey": True} | options)
    ).flatten()
    for axis in grid[len(parts) :]:
        axis.set_axis_off()
    found = []
    for axis, (name, part) in zip(grid, parts, strict=False):
        axis.set_title((titles or {}).get(str(name), str(name)), loc="left", fontsize="medium")
        tidy(axis)
        found.append((axis, part))
    return picture, found


def single(aspect: float) -> tuple[Figure, Axes]:
    """A figure of one panel.

    Args:
        aspect: Height by width.
    """
    picture = figure(aspect)
    axis = picture.subplots()
    tidy(axis)
    return picture, axis


def rows(
    table: pd.DataFrame, by: str, names: str, *, aspect: float = 0.6, **options: Any
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A figure with a panel for each value of `by`, one below the other, a row for each name.

    The row of a name is `height` of the part; panels are as high as they have rows.

    Args:
        names: The column whose values are the rows.
        options: Of `Figure.subplots`; x axes are shared unless it says otherwise.
    """
    parts = list(table.groupby(by, sort=False))
    known = [list(dict.fromkeys(part[names])) for _, part in parts]
    picture = figure(aspect)
    axes = picture.subplots(
        len(parts), 1, squeeze=False, height_ratios=[len(own) + 0.6 for own in known],
        **({"sharex": True} | options),
    )[:, 0]  # fmt: skip
    found = []
    for axis, (name, part), own in zip(axes, parts, known, strict=True):
        named(axis, own)
        axis.set_title(str(name), loc="left", fontsize="medium")
        tidy(axis)
        found.append((axis, part.assign(height=[-own.index(row) for row in part[names]])))
    return picture, found


def named(axis: Axes, names: Sequence[object]) -> None:
    """Rows of an axis with these names, the first on top: row i has the height −i."""
    axis.set_yticks([-i for i in range(len(names))], [str(name) for name in names])
    axis.set_ylim(-len(names) + 0.4, 0.6)


def ticks(axis: Axes, values: Iterable[float], **options: Any) -> None:
    """A logarithmic axis from left to right, with these ticks and no others.

    Args:
        options: Of `Axes.set_xticks`.
    """
    axis.set_xscale("log")
    axis.set_xticks(list(values), [f"{value:g}" for value in values], **options)
    axis.minorticks_off()


def marks(
    axis: Axes,
    part: pd.DataFrame,
    x: str,
    look: Look,
    *,
    y: str = "height",
    faint: bool = False,
    **options: Any,
) -> None:
    """A mark a row of the table, shifted as its look says; intervals where there are low and high.

    Args:
        x: The column on the horizontal axis, that `low` and `high` belong to.
        y: The column of the heights.
        faint: Translucent marks, for many that lie on each other; without intervals.
        options: Of `Axes.plot` or `errorbar`.
    """
    heights = part[y] + look.shift
    if faint:
        light: dict[str, Any] = {"ms": 4, "linestyle": "none"} | dots(look.colour) | options
        axis.plot(part[x], heights, look.marker, **light)
        return
    between = _ends(part, x) if {"low", "high"} <= set(part) else None
    own: dict[str, Any] = (
        {"linestyle": "none", "ms": 5, "capsize": 2, "lw": 1} | look.mark | options
    )
    axis.errorbar(part[x], heights, xerr=between, **own)


def curve(
    axis: Axes,
    part: pd.DataFrame,
    x: str,
    y: str,
    look: Look,
    *,
    band: bool = False,
    **options: Any,
) -> None:
    """A line through the rows of the table, with intervals of y where there are low and high.

    Args:
        band: The interval as a band instead of bars.
        options: Of `Axes.errorbar` or `plot`.
    """
    own: dict[str, Any] = {"ms": 4, "lw": 1.2, "linestyle": look.line or "-"} | look.mark | options
    known = {"low", "high"} <= set(part)
    if band or not known:
        axis.plot(part[x], part[y], label=look.label, **own)
        if known:
            axis.fill_between(
                part[x], part["low"], part["high"], color=look.colour, alpha=0.2, lw=0
            )
        return
    axis.errorbar(part[x], part[y], yerr=_ends(part, y), capsize=2, label=look.label, **own)


def _ends(part: pd.DataFrame, column: str) -> np.ndarray:
    """Lengths of the interval's halves, (2, rows); none where the interval is missing."""
    halves = [part[column] - part["low"], part["high"] - part[column]]
    return np.clip(np.nan_to_num(np.array(halves, dtype=float)), 0, None)


def beside(values: pd.Series, width: float = 0.4) -> pd.Series:
    """Shifts by rank, from −width/2 to width/2: marks of one row that don't lie on each other."""
    return width * (values.rank(method="first") / len(values) - 0.5)


def legend(
    picture: Figure,
    looks: Iterable[Look] | Mapping[str, Look],
    *,
    columns: int = 3,
    place: str = "outside upper center",
    more: Mapping[str, Any] | None = None,
) -> None:
    """One legend for all panels: an entry a look.

    Args:
        more: Other entries, by name: lines, patches.
    """
    known = list(looks.values() if isinstance(looks, Mapping) else looks)
    handles = [look.handle for look in known] + list((more or {}).values())
    names = [look.label for look in known] + list(more or {})
    picture.legend(handles, names, loc=place, ncols=columns, frameon=False)


def line(colour: str = GREY, style: str = "--", width: float = 1.2) -> Line2D:
    """A legend's entry for a line."""
    return Line2D([], [], color=colour, linestyle=style, linewidth=width)


def pixels(axis: Axes, part: pd.DataFrame, **options: Any) -> None:
    """An image from its cells: columns row, column, value. Options of `Axes.imshow`."""
    image = part.pivot(index="row", columns="column", values="value")
    axis.imshow(image, **options)
    axis.set(xticks=[], yticks=[])


def cells(
    axis: Axes, table: pd.DataFrame, *, rows: Sequence[str], columns: Sequence[str], dark: float
) -> Any:
    """A matrix with its numbers written in: columns row, column, value; returns the image.

    Args:
        dark: Values above it are written in black, others in white.
    """
    matrix = table.pivot(index="row", columns="column", values="value").loc[
        list(rows), list(columns)
    ]
    values = matrix.to_numpy(dtype=float)
    image = axis.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (i, j), number in np.ndenumerate(values):
        if not np.isnan(number):
            colour = "black" if number > dark else "white"
            axis.text(j, i, f"{number:.2f}", ha="center", va="center", color=colour)
    axis.set_xticks(range(len(columns)), columns)
    axis.set_yticks(range(len(rows)), rows)
    return image


def groups(
    table: pd.DataFrame, by: str, looks: Mapping[str, Look]
) -> Iterator[tuple[Look, pd.DataFrame]]:
    """Each look with its part of the table, in the order of the looks; parts that are empty too."""
    for name, look in looks.items():
        yield look, table[table[by].astype(str) == name]
