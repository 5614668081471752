"""Figures of chapter 09, each from the table that the function of its name gives.

That function is in `measure`; for `sizes` it is `gaps`. A statistic must reach `floor` to be named.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.characterise.search import NONE
from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, FALSE, GREEN, GREY, ORIGINAL, PINK, figure


def luck(table: pd.DataFrame, *, floor: float) -> Figure:
    """How well statistics predict coin flips against the number of inputs."""
    looks = {
        "the best of the library": Look("the best of the library", FALSE),
        "one statistic": Look("one statistic", ORIGINAL, "s"),
    }
    picture, axis = _curves(table, "of", looks, "inputs", floor=floor)
    axis.axhline(0.5, color=GREY, linestyle=":", label="chance")
    shapes.ticks(axis, sorted(set(table["inputs"])))
    axis.set(xlabel="inputs, one half to fit and one to judge", ylabel="balanced accuracy\n"
             "on coin flips, 95th percentile", ylim=(0.45, 1.02))  # fmt: skip
    axis.legend(frameon=False)
    return picture


def confusion(table: pd.DataFrame) -> Figure:
    """What is named, by kind of network; kinds of null networks of which nothing is, left out."""
    none = table["count"].where(table["named"] == NONE).groupby(table["networks"]).transform("max")
    null = table["networks"].str.contains("untrained|shuffled|random")
    table = table[~null | (none < table["of"])]
    rows, columns = (list(dict.fromkeys(table[column])) for column in ("networks", "named"))
    picture = figure(0.08 + 0.052 * len(rows))
    picture.set_layout_engine("constrained", rect=(0.015, 0, 0.985, 1))  # or it clips long names
    axis = picture.subplots()
    for _, cell in table.iterrows():
        i, j = rows.index(cell["networks"]), columns.index(cell["named"])
        share = cell["count"] / cell["of"]
        if cell["count"]:
            axis.barh(i, 0.94, left=j - 0.47, height=0.9, color=BLUE, alpha=0.15 + 0.75 * share)
        axis.text(j, i, f"{cell['count']}" if cell["count"] else "·", ha="center", va="center",
                  color="white" if share > 0.85 else "black", fontsize="small")  # fmt: skip
    axis.set_yticks(range(len(rows)), rows, fontsize="small")
    names = [name.replace(" ", "\n", 1) if len(name) > 12 else name for name in columns]
    axis.set_xticks(range(len(columns)), names, fontsize="small")
    axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axis.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axis.xaxis.set_label_position("top")
    axis.set_xlabel("what the search names, by the kind of network")
    axis.spines[:].set_visible(False)
    return picture


def offsets(table: pd.DataFrame, *, floor: float) -> Figure:
    """Scores of the candidates against the offset of training, with intervals over networks."""
    looks = {
        "mean": Look("mean", FALSE, "s"),
        "orientation": Look("orientation", ORIGINAL),
        "best single row": Look("best single row", PINK, "^"),
    }
    picture, axis = _curves(table, "statistic", looks, "a", floor=floor)
    shapes.ticks(axis, [0.01, 0.02, 0.05, 0.1, 0.2])
    axis.set(xlabel="offset a in training", ylabel="balanced accuracy", ylim=(0.45, 1.02))
    picture.legend(loc="outside upper center", ncols=4, frameon=False)
    return picture


def reaches(table: pd.DataFrame, *, floor: float) -> Figure:
    """Score of the planted statistic against the reach of the inputs."""
    looks = {
        "planted": Look("trained, pattern gives the label away", FALSE, "s"),
        "independent": Look("trained, pattern says nothing", ORIGINAL),
        "untrained": Look("untrained", GREEN, "^"),
    }
    picture, axis = _curves(table, "training", looks, "reach", floor=floor)
    axis.axvline(1, color=GREY, linestyle=":", label="used here")
    shapes.ticks(axis, sorted(set(table["reach"])))
    axis.set(xlabel="mean size of the pattern in the inputs, in units of its size in training",
             ylabel="balanced accuracy\nof the planted statistic", ylim=(0.42, 1.02))  # fmt: skip
    picture.legend(loc="outside upper center", ncols=3, frameon=False, fontsize="small")
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


def sizes(table: pd.DataFrame) -> Figure:
    """Sizes that labels find against a gradient attack's: a mark a network."""
    names = list(dict.fromkeys(table["kind"]))
    own = table.assign(height=[-names.index(kind) for kind in table["kind"]])
    picture, axis = shapes.single(0.42)
    looks = {"ratio": Look("the audit", BLUE), "random": Look("random directions only", FALSE, "s")}
    for column, look in looks.items():
        shapes.marks(axis, own, column, look, faint=True, ms=6, label=look.label)
    axis.axvline(1, color=GREY, linestyle="--")
    shapes.ticks(axis, [1, 2, 5, 10, 20])
    shapes.named(axis, names)
    axis.set_xlabel("size found, in units of what an attack with gradients finds")
    axis.legend(frameon=False, loc="lower right")
    return picture


def models(table: pd.DataFrame) -> Figure:
    """Share of the conflict set on which scikit-learn's models follow the pattern: a mark a fit."""
    table = table[table["rho"] == 1]
    names = list(dict.fromkeys(table["model"]))
    looks = shapes.series(table["kind"], spread=-0.44)
    own = table.assign(height=[-names.index(model) for model in table["model"]])
    picture, axis = shapes.single(0.45)
    for look, part in shapes.groups(own, "kind", looks):
        shapes.marks(axis, part, "share", look, faint=True)
    shapes.named(axis, names)
    axis.set(xlim=(-0.02, 1.02), xlabel="share of the conflict set on which the pattern decides")
    shapes.legend(picture, looks)
    return picture


def _curves(
    table: pd.DataFrame, by: str, looks: Mapping[str, Look], x: str, *, floor: float
) -> tuple[Figure, Axes]:
    """Scores against x, a curve a group, with bands, and the floor."""
    picture, axis = shapes.single(0.5)
    for look, part in shapes.groups(table.sort_values(x), by, looks):
        shapes.curve(axis, part, x, "score", look, band=True, ms=6, lw=1.5)
    axis.axhline(floor, color=GREY, linestyle="--", label="floor")
    return picture, axis
