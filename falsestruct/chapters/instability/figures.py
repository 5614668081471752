"""Figures of chapter 06: a table in, a Figure out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL, PINK, dots, figure, tidy

GROUPS = {
    "reads the false structure": (FALSE, "o"),
    "a mixture, or neither": (GREY, "D"),
    "reads the original": (ORIGINAL, "s"),
}
TRAINED = {"ρ = 1": (FALSE, "o", 0.17), "ρ = 1/2": (ORIGINAL, "s", -0.17)}
VARIANTS = ("plain", "faint", "noise", "adversary")


def plane(table: pd.DataFrame) -> Figure:
    """One network in the plane: where it gives label 1, data, and the exact smallest perturbations.

    Columns: kind ("map", "point"), x1, x2, label, to1, to2 (the end of the perturbation), level (of
    the false structure's boundary).
    """
    picture = figure(0.5)
    axis = picture.subplots()
    cells = table[table["kind"] == "map"].pivot(index="x2", columns="x1", values="label")
    colours = mpl.colors.ListedColormap(["white", "0.85"])
    axis.pcolormesh(cells.columns, cells.index, cells.to_numpy(), cmap=colours, shading="nearest")
    axis.axhline(table["level"].iloc[0], color=FALSE, linestyle="--", label="the hint's boundary")
    points = table[table["kind"] == "point"]
    for label, marker, face in ((1, "o", "black"), (0, "s", "white")):
        own = points[points["label"] == label]
        axis.plot(own["x1"], own["x2"], marker, color="black", markerfacecolor=face, ms=4,
                  linestyle="none", label=f"data with label {label}", zorder=3)  # fmt: skip
    for x1, x2, to1, to2 in points[["x1", "x2", "to1", "to2"]].to_numpy():
        axis.annotate("", (to1, to2), (x1, x2), arrowprops={"arrowstyle": "->", "color": ORIGINAL})
    axis.set(xlabel="first input $x_1$", ylabel="second input $x_2$")
    handles, names = axis.get_legend_handles_labels()
    handles.append(mpl.patches.Patch(facecolor="0.85", edgecolor="0.4"))
    handles.append(Line2D([], [], color=ORIGINAL))
    names += ["the network gives label 1", "smallest perturbation"]
    picture.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    return picture


def sizes(table: pd.DataFrame) -> Figure:
    """Size of the networks' perturbations against the false structure's, one mark a network.

    Columns: problem, radius, size, group, original (the original's radius, NaN where unknown).
    """
    problems = list(dict.fromkeys(table["problem"]))
    picture = figure(0.46)
    axes = picture.subplots(1, len(problems), squeeze=False)[0]
    for axis, problem in zip(axes, problems, strict=True):
        part = table[table["problem"] == problem]
        ends = np.array([part["radius"].min() / 1.4, part["radius"].max() * 1.4])
        axis.plot(ends, ends, color=FALSE, linewidth=1.2)
        axis.plot(ends, 2 * ends, color=FALSE, linestyle=":", linewidth=1.2)
        if part["original"].notna().any():
            axis.axhline(part["original"].iloc[0], color=ORIGINAL, linestyle="--", linewidth=1.2)
        for group, (colour, marker) in GROUPS.items():
            own = part[part["group"] == group]
            axis.loglog(own["radius"], own["size"], marker, ms=3.5, linestyle="none",
                        **dots(colour))  # fmt: skip
        axis.set_title(problem, loc="left")
        tidy(axis)
    axes[len(axes) // 2].set_xlabel("distance of the false structure, $\\ell_\\infty$")
    axes[0].set_ylabel("smallest $\\ell_\\infty$ perturbation")
    handles = [Line2D([], [], color=c, marker=m, linestyle="none") for c, m in GROUPS.values()]
    handles += [
        Line2D([], [], color=FALSE),
        Line2D([], [], color=FALSE, linestyle=":"),
        Line2D([], [], color=ORIGINAL, linestyle="--"),
    ]
    names = [*GROUPS, "as the false structure", "twice that", "as the original structure"]
    picture.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return picture


def ratios(table: pd.DataFrame, *, low: float, high: float) -> Figure:
    """Size by the false structure's distance, for each label: mean and interval over networks.

    Columns: problem, architecture, trained ("ρ = 1", "ρ = 1/2"), label, value, low, high.
    """
    picture = figure(0.75)
    for axis, part, names in _rows(picture, table):
        axis.axvspan(low, high, color="0.93", linewidth=0)
        for row in part.itertuples():
            colour, marker, shift = TRAINED[row.trained]
            height = -names.index(row.architecture) + shift
            face = colour if row.label == 1 else "white"
            axis.plot([row.low, row.high], [height] * 2, color=colour, linewidth=1)
            axis.plot(row.value, height, marker, color=colour, markerfacecolor=face, ms=5)
        axis.set_xscale("log")
    axis.set_xlabel("smallest $\\ell_\\infty$ perturbation by the false structure's distance")
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", markerfacecolor=face)
        for colour, marker, _ in TRAINED.values()
        for face in (colour, "white")
    ]
    texts = [f"{name}, label {label}" for name in TRAINED for label in (1, 0)]
    picture.legend(handles, texts, loc="outside lower center", ncols=2, frameon=False)
    return picture


def cosines(table: pd.DataFrame) -> Figure:
    """|cos| of smallest perturbation and the false structure's normal, one mark a network.

    Columns: problem, architecture, trained, cosine, chance (of a random direction, by problem).
    """
    picture = figure(0.62)
    for axis, part, names in _rows(picture, table):
        axis.axvline(part["chance"].iloc[0], color="0.2", linestyle="--", linewidth=1)
        for trained, (colour, marker, shift) in TRAINED.items():
            own = part[part["trained"] == trained]
            at = [shift - names.index(name) for name in own["architecture"]]
            axis.plot(own["cosine"], at, marker, ms=4, linestyle="none",
                      **dots(colour))  # fmt: skip
        axis.set_xlim(-0.02, 1.02)
    axis.set_xlabel("|cos| of the smallest $\\ell_2$ perturbation and the structure's normal")
    handles = [Line2D([], [], color=c, marker=m, linestyle="none") for c, m, _ in TRAINED.values()]
    handles.append(Line2D([], [], color="0.2", linestyle="--"))
    names = [f"trained with {name}" for name in TRAINED] + ["a random direction, mean"]
    picture.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return picture


def _rows(picture: Figure, table: pd.DataFrame) -> Iterator[tuple[Any, Any, list[str]]]:
    """A panel a problem, one below the other, with its part of the table and its architectures.

    The architecture names[i] has the height −i.
    """
    parts = dict(iter(table.groupby("problem", sort=False)))
    names = [list(dict.fromkeys(part["architecture"])) for part in parts.values()]
    heights = [len(own) + 0.6 for own in names]
    axes = picture.subplots(len(parts), 1, sharex=True, height_ratios=heights, squeeze=False)
    for axis, (problem, part), own in zip(axes[:, 0], parts.items(), names, strict=True):
        axis.set_yticks([-i for i in range(len(own))], own)
        axis.set_ylim(-len(own) + 0.4, 0.6)
        axis.set_title(problem, loc="left")
        yield axis, part, own
        tidy(axis)


def adversaries(table: pd.DataFrame) -> Figure:
    """What training against an adversary changes: three shares above, steps below.

    Columns: problem, variant, what ("original", "accuracy", "robust", "steps"), value, low, high.
    """
    problems = list(dict.fromkeys(table["problem"]))
    looks = {
        "original": ("conflict set read by the original", ORIGINAL, "s", -0.22),
        "accuracy": ("accuracy", GREEN, "^", 0.0),
        "robust": ("robust accuracy", PINK, "D", 0.22),
        "steps": ("steps", "0.2", "o", 0.0),
    }
    picture = figure(0.72)
    axes = picture.subplots(
        2, len(problems), sharex=True, sharey="row", height_ratios=[2, 1], squeeze=False
    )
    for column, problem in enumerate(problems):
        part = table[table["problem"] == problem]
        for row in part.itertuples():
            _, colour, marker, shift = looks[row.what]
            axis = axes[int(row.what == "steps"), column]
            place = VARIANTS.index(row.variant) + shift
            axis.plot([place] * 2, [row.low, row.high], color=colour, linewidth=1)
            axis.plot(place, row.value, marker, color=colour, ms=5)
        axes[0, column].set_title(problem, loc="left")
        axes[1, column].set_xticks(range(len(VARIANTS)), VARIANTS, rotation=40, ha="right")
        for axis in axes[:, column]:
            tidy(axis)
    axes[0, 0].set(ylim=(-0.04, 1.04), ylabel="share")
    axes[1, 0].set(yscale="log", ylabel="steps of training")
    handles = [Line2D([], [], color=c, marker=m, linestyle="none") for _, c, m, _ in looks.values()]
    names = [name for name, *_ in looks.values()]
    picture.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
    return picture
