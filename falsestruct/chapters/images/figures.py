"""Figures of chapter 08: planted patterns."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.style import GREY, figure


def examples(table: pd.DataFrame) -> Figure:
    """An even and an odd digit, bare and with each pattern; `measure.examples`."""
    panels, rows = (list(dict.fromkeys(table[column])) for column in ("panel", "digit"))
    picture = figure(0.44)
    axes = picture.subplots(len(rows), len(panels))
    ends = {"vmin": table["value"].min(), "vmax": table["value"].max(), "cmap": "cividis"}
    for line, digit in zip(axes, rows, strict=True):
        for axis, panel in zip(line, panels, strict=True):
            shapes.pixels(
                axis, table[(table["panel"] == panel) & (table["digit"] == digit)], **ends
            )
            axis.set_title(panel if digit == rows[0] else "")
        line[0].set_ylabel(digit)
    picture.colorbar(axes[0, 0].images[0], ax=axes, label="pixel", shrink=0.8)
    return picture


def capture(table: pd.DataFrame, *, radius: float) -> Figure:
    """Share of the conflict set read by the pattern against its norm, a panel a pattern.

    Columns of `measure.sweep_summary`; the original's median radius as a line.
    """
    looks = shapes.series(table["architecture"], line="-")
    picture, panels = shapes.panels(table, "kind", aspect=0.48)
    for axis, part in panels:
        axis.axvline(radius, color=GREY, linestyle=":")
        axis.axhline(0.5, color=GREY, linewidth=0.7)
        for look, own in shapes.groups(part, "architecture", looks):
            shapes.curve(axis, own, "norm", "share", look)
        shapes.ticks(axis, [0.1, 0.2, 0.5, 1.0, 2.0])
    panels[1][0].set_xlabel("Euclidean norm of the pattern (dotted: the original's median radius)")
    panels[0][0].set(ylim=(-0.03, 1.03), ylabel="share of conflict set\nread by the pattern")
    shapes.legend(picture, looks, columns=5)
    return picture


def crossovers(table: pd.DataFrame) -> Figure:
    """Where each architecture changes over to each pattern, in two units.

    Columns of `measure.crossover_summary`. Hollow marks: some seeds lie beyond the
    sweep's ends, so that the mark is a bound.
    """
    units = {"norm": "Euclidean norm at the crossover", "strength": "largest pixel change there"}
    kinds, looks = (
        list(dict.fromkeys(table["kind"])),
        shapes.series(table["architecture"], spread=-0.56),
    )
    table = table.assign(height=[-kinds.index(kind) for kind in table["kind"]])
    picture, panels = shapes.panels(table, "unit", aspect=0.5, titles=dict.fromkeys(units, ""))
    for (axis, part), label in zip(panels, units.values(), strict=True):
        for look, own in shapes.groups(part, "architecture", looks):
            shapes.marks(axis, own, "value", look)
            shapes.marks(axis, own[own["beyond"] > 0], "value", look, markerfacecolor="white")
        shapes.ticks(axis, [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0])
        axis.set(xlim=(0.8 * part["low"].min(), 1.25 * part["high"].max()), xlabel=label)
    shapes.named(panels[0][0], kinds)
    shapes.legend(picture, looks, columns=5)
    return picture
