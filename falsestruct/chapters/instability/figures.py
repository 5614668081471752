"""Figures of chapter 06: a table in, a Figure out."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look, curve, groups, legend, line, marks, panels, rows
from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL, PINK, figure, tidy

BELOW = "outside lower center"
GROUPS = {
    name: Look(name, colour, marker)
    for name, colour, marker in (
        ("reads the false structure", FALSE, "o"),
        ("a mixture, or neither", GREY, "D"),
        ("reads the original", ORIGINAL, "s"),
    )
}
TRAINED = {
    "ρ = 1": Look("trained with ρ = 1", FALSE, "o", 0.17),
    "ρ = 1/2": Look("trained with ρ = 1/2", ORIGINAL, "s", -0.17),
}
LABELLED = {
    f"{name}, label {label}": Look(
        f"{name}, label {label}", look.colour, look.marker, look.shift, hollow=label == 0
    )
    for name, look in TRAINED.items()
    for label in (1, 0)
}
NORMS = {
    "size": Look("$\\ell_\\infty$", ORIGINAL, "o"),
    "euclid": Look("$\\ell_2$", GREEN, "s"),
}
VARIANTS = ("plain", "faint", "noise", "adversary")
CHANGED = {
    "original": Look("conflict set read by the original", ORIGINAL, "s", -0.22),
    "accuracy": Look("accuracy", GREEN, "^"),
    "robust": Look("robust accuracy", PINK, "D", 0.22),
    "steps": Look("steps", "0.2", "o"),
}


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
    axis.axhline(table["level"].iloc[0], color=FALSE, linestyle="--")
    points = table[table["kind"] == "point"]
    looks = [Look(f"data with label {i}", "black", "so"[i], hollow=i == 0) for i in (1, 0)]
    for label, look in zip((1, 0), looks, strict=True):
        own = points[points["label"] == label]
        marks(axis, own, "x1", look, y="x2", ms=4, zorder=3)
    for x1, x2, to1, to2 in points[["x1", "x2", "to1", "to2"]].to_numpy():
        axis.annotate("", (to1, to2), (x1, x2), arrowprops={"arrowstyle": "->", "color": ORIGINAL})
    axis.set(xlabel="first input $x_1$", ylabel="second input $x_2$")
    legend(picture, looks, place=BELOW, more={
        "the hint's boundary": line(FALSE), "smallest perturbation": line(ORIGINAL, "-"),
        "the network gives label 1": mpl.patches.Patch(facecolor="0.85", edgecolor="0.4"),
    })  # fmt: skip
    axis.spines[["top", "right"]].set_visible(False)
    return picture


def sizes(table: pd.DataFrame) -> Figure:
    """Size of the networks' perturbations against the false structure's, one mark a network.

    Columns: problem, radius, size, group, original (the original's radius, NaN where unknown).
    """
    picture, parts = panels(table, "problem", sharey=False)
    for axis, part in parts:
        ends = np.array([part["radius"].min() / 1.4, part["radius"].max() * 1.4])
        for factor, style in ((1, "-"), (2, ":")):
            axis.loglog(ends, factor * ends, color=FALSE, linestyle=style, linewidth=1.2)
        if part["original"].notna().any():
            axis.axhline(part["original"].iloc[0], color=ORIGINAL, linestyle="--", linewidth=1.2)
        for look, own in groups(part, "group", GROUPS):
            marks(axis, own, "radius", look, y="size", faint=True, ms=3.5)
    parts[len(parts) // 2][0].set_xlabel("distance of the false structure, $\\ell_\\infty$")
    parts[0][0].set_ylabel("smallest $\\ell_\\infty$ perturbation")
    legend(picture, GROUPS, place=BELOW, more={
        "as the false structure": line(FALSE, "-"), "twice that": line(FALSE, ":"),
        "as the original structure": line(ORIGINAL),
    })  # fmt: skip
    return picture


def ratios(table: pd.DataFrame, *, low: float, high: float) -> Figure:
    """Size by the false structure's distance, for each label: mean and interval over networks.

    Columns: problem, architecture, trained ("ρ = 1", "ρ = 1/2"), label, value, low, high.
    """
    named = table["trained"] + ", label " + table["label"].astype(str)
    picture, parts = rows(table.assign(group=named), "problem", "architecture", aspect=0.75)
    for axis, part in parts:
        axis.axvspan(low, high, color="0.93", linewidth=0)
        for look, own in groups(part, "group", LABELLED):
            marks(axis, own, "value", look, capsize=0)
        axis.set_xscale("log")
    axis.set_xlabel("smallest $\\ell_\\infty$ perturbation by the false structure's distance")
    legend(picture, LABELLED, columns=2, place=BELOW)
    return picture


def strengths(table: pd.DataFrame) -> Figure:
    """MLPs on digits by the brightness's strength: what they read, how stable they are.

    Columns: strength, trained, what ("capture", "size"), value, low, high, parity (least distance).
    """
    titles = {"capture": "read by the brightness", "size": "smallest $\\ell_\\infty$ perturbation"}
    picture, parts = panels(table, "what", titles=titles, sharey=False)
    for axis, part in parts:
        for look, own in groups(part, "trained", TRAINED):
            curve(axis, own.sort_values("strength"), "strength", "value", look)
        axis.axvline(part["parity"].iloc[0], color="0.2", linestyle=":", linewidth=1.2)
        shapes.ticks(axis, sorted(set(part["strength"])))
        axis.set(xlabel="strength: its $\\ell_\\infty$ distance", ylim=(0, None))
    reach = np.geomspace(table["strength"].min(), table["strength"].max())
    parts[-1][0].plot(reach, reach, color=FALSE, linewidth=1.2)
    legend(picture, TRAINED, columns=2, place=BELOW, more={
        "as the brightness": line(FALSE, "-"), "left of it parity is stabler": line("0.2", ":"),
    })  # fmt: skip
    return picture


def decays(table: pd.DataFrame) -> Figure:
    """Readers of the orientation by weight decay, and the network built by hand: a mark a network.

    Columns: decay (NaN: built by hand), size, euclid, in units of the orientation's radius.
    """
    picture, axis = shapes.single(0.5)
    names = [*sorted(table["decay"].dropna().unique()), np.nan]
    places = table["decay"].map({name: float(i) for i, name in enumerate(names)})
    own = table.assign(place=places.fillna(len(names) - 1))
    for shift, (what, look) in zip((-0.12, 0.12), NORMS.items(), strict=True):
        marks(axis, own.assign(place=own["place"] + shift), "place", look, y=what, faint=True)
    axis.axhline(0.5, color="0.2", linestyle=":", linewidth=1.2)
    axis.set_xticks(range(len(names)), [f"{name:g}" for name in names[:-1]] + ["built by hand"])
    axis.set(xlabel="weight decay", ylabel="share of the orientation's radius", ylim=(0, 1.02))
    legend(picture, NORMS, place=BELOW)
    return picture


def cosines(table: pd.DataFrame) -> Figure:
    """|cos| of smallest perturbation and the false structure's normal, one mark a network.

    Columns: problem, architecture, trained, cosine, chance (of a random direction, by problem).
    """
    picture, parts = rows(table, "problem", "architecture", aspect=0.62)
    for axis, part in parts:
        axis.axvline(part["chance"].iloc[0], color="0.2", linestyle="--", linewidth=1)
        for look, own in groups(part, "trained", TRAINED):
            marks(axis, own, "cosine", look, faint=True)
        axis.set_xlim(-0.02, 1.02)
    axis.set_xlabel("|cos| of the smallest $\\ell_2$ perturbation and the structure's normal")
    legend(picture, TRAINED, place=BELOW, more={"a random direction, mean": line("0.2", width=1)})
    return picture


def adversaries(table: pd.DataFrame) -> Figure:
    """What training against an adversary changes: three shares above, steps below.

    Columns: problem, variant, what ("original", "accuracy", "robust", "steps"), value, low, high.
    """
    picture, problems = figure(0.72), list(dict.fromkeys(table["problem"]))
    axes = picture.subplots(
        2, len(problems), sharex=True, sharey="row", height_ratios=[2, 1], squeeze=False
    )
    for column, problem in zip(axes.T, problems, strict=True):
        part = table[table["problem"] == problem]
        for what, look in CHANGED.items():
            _variants(column[int(what == "steps")], part[part["what"] == what], look)
        column[0].set_title(problem, loc="left")
    axes[0, 0].set(ylim=(-0.04, 1.04), ylabel="share")
    axes[1, 0].set(yscale="log", ylabel="steps of training")
    legend(picture, CHANGED, columns=2, place=BELOW)
    return picture


def _variants(axis: Axes, part: pd.DataFrame, look: Look) -> None:
    places = part["variant"].map(VARIANTS.index) + look.shift
    own = part.assign(place=places)
    curve(axis, own, "place", "value", look, linestyle="none", ms=5)
    axis.set_xticks(range(len(VARIANTS)), VARIANTS, rotation=40, ha="right")
    tidy(axis)
