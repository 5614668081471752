"""Figures of chapter 21."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.deployed.destroyed import CONTROL, WAYS
from falsestruct.deployed.meant import FILLINGS
from falsestruct.deployed.perturbed import unpacked
from falsestruct.plots import shapes, style
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, FALSE, GREEN, GREY, ORIGINAL, figure, tidy

OUTCOMES = {
    "kept": Look("same verdict", FALSE, "s"),
    "declined": Look("declined (txt, unknown)", GREY, "x"),
    "another type": Look("another type", BLUE, "^"),
}
NAMED = {
    "separators": "no separators", "closer": "last bracket gone", "lines": "lines shuffled",
    "words": "words shuffled", CONTROL: "bytes shuffled",
}  # fmt: skip
CASES = {  # of the figure at a glance: what is done to files, and whether a parser takes them
    "plain": ("As it is", "its parser takes it", Look("", ORIGINAL, "o")),
    "destroyed": ("Lines shuffled", "no parser takes it", Look("", FALSE, "s")),
    "same": ("New lines put in", "its parser reads the same", Look("", ORIGINAL, "o")),
}  # fmt: skip
WAYS_OF_LINES = {False: Look("upright", ORIGINAL, "o", 0.14),
                 True: Look("turned by 180°", FALSE, "s", -0.14)}  # fmt: skip


def glance(table: pd.DataFrame) -> Figure:
    """An example of each case, and below it the share of files that are still called their type;
    `evidence.glance`."""
    picture = figure(0.62)
    grid = picture.subplots(2, len(CASES), sharey="row", height_ratios=[0.66, 1.0])
    kinds = list(dict.fromkeys(table["kind"]))
    for (case, (title, parser, look)), above, below in zip(CASES.items(), *grid, strict=True):
        part = table[table["case"] == case]
        _example(above, part["example"].iloc[0], title, parser, look.colour)
        heights = [-kinds.index(kind) for kind in part["kind"]]
        shapes.marks(below, part.assign(height=heights), "share", look)
        below.set_xlim(-0.05, 1.05)
        below.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        tidy(below)
    shapes.named(grid[1][0], kinds)
    grid[1][1].set_xlabel("share of real files that the network still calls by their type")
    return picture


def _example(axis: Axes, text: str, title: str, parser: str, colour: str) -> None:
    """The head of a file, with what its parser says."""
    axis.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    for side in axis.spines.values():
        side.set_color("0.8")
    axis.set_title(title, loc="left", fontsize="medium")
    axis.text(0.03, 0.95, text, va="top", family="monospace", fontsize="small", linespacing=1.05)
    axis.set_xlabel(parser, color=colour)


def lines_read(table: pd.DataFrame) -> Figure:
    """Lines read rightly by what is drawn, a panel a script; `evidence.lines_read`."""
    rows = list(dict.fromkeys(table["row"]))
    shown = table.assign(height=[-rows.index(row) for row in table["row"]])
    picture, panels = shapes.panels(shown, "script", aspect=0.7, sharex=True)
    looks = {str(way): look for way, look in WAYS_OF_LINES.items()}
    for axis, part in panels:
        for look, own in shapes.groups(part, "turned", looks):
            shapes.marks(axis, own, "value", look)
        axis.axvline(0.5, color="0.5", linewidth=0.8, linestyle=":")
        axis.set_xlim(-0.05, 1.05)
        axis.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axis.set_xlabel("share read rightly")
    shapes.named(panels[0][0], rows)
    shapes.legend(picture, looks, columns=2)
    return picture


def grammar(table: pd.DataFrame) -> Figure:
    """What becomes of verdicts where no parser takes the file; `evidence.outcomes`."""
    ways = [*WAYS, CONTROL]
    shown = table.assign(height=[-ways.index(way) for way in table["way"]])
    picture, panels = shapes.panels(shown, "kind", aspect=0.72, columns=3, sharex=True)
    for axis, part in panels:
        for look, own in shapes.groups(part, "outcome", OUTCOMES):
            shapes.marks(axis, own, "share", look)
        axis.set_xlim(-0.05, 1.05)
    panels[-1][0].set_xlabel("share of files")
    shapes.named(panels[0][0], [NAMED[way] for way in ways])
    shapes.legend(picture, OUTCOMES, columns=3)
    return picture


def crossovers(table: pd.DataFrame) -> Figure:
    """Verdicts lost where the meaning is kept, against the share of both windows that is filled;
    `evidence.curves` of one half."""
    newlines, other, own = FILLINGS
    table = table.dropna(subset="value")  # too few files admit it
    looks = {
        other: Look("comments, another language", FALSE, "s"),
        newlines: Look("new lines", ORIGINAL, "o"),
        own: Look("comments, own language", GREEN, "^"),
    }
    picture, panels = shapes.panels(table, "kind", aspect=0.72, columns=3, sharex=True)
    for axis, part in panels:
        for look, group in shapes.groups(part, "way", looks):
            shapes.curve(axis, group, "amount", "value", look)
        axis.set(xlim=(0.2, 0.95), ylim=(-0.03, 1.03))
    panels[0][0].set_ylabel("verdicts lost")
    panels[-1][0].set_xlabel("share of both windows")
    shapes.legend(picture, looks, columns=3)
    return picture


def changed_lines(table: pd.DataFrame) -> Figure:
    """A line of text, the same with the smallest change that takes the answer, and the change.

    Args:
        table: A row a line: script, size, clean and changed as `perturbed.packed` gives them.
    """
    picture = style.figure(0.16 * len(table))
    grid = picture.subplots(len(table), 3, squeeze=False)
    for axes, row in zip(grid, table.to_dict("records"), strict=True):
        clean, changed = (
            unpacked(str(row["clean"])).astype(float),
            unpacked(str(row["changed"])).astype(float),
        )
        shown = [(clean, "as it is"), (changed, f"changed by {row['size']:.1f} grey levels")]
        for axis, (values, words) in zip(axes, shown, strict=False):
            axis.imshow(values, cmap="gray", vmin=0, vmax=255)
            axis.set_title(words, fontsize="small")
        reach = abs(changed - clean).max()
        axes[2].imshow(changed - clean, cmap="gray", vmin=-reach, vmax=reach)
        axes[2].set_title(f"the change, {255 / (2 * reach):.0f} times as strong", fontsize="small")
        axes[0].set_ylabel(row["script"])
        for axis in axes:
            axis.set(xticks=[], yticks=[])
    return picture
