"""Figures of chapter 08: planted patterns, and perturbations of plain images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, FALSE, GREEN, GREY, ORIGINAL, PINK, YELLOW, figure

WAYS = {
    "standard": "standard",
    "adversary l2": "adversary, $\\ell_2$",
    "adversary linf": "adversary, $\\ell_\\infty$",
    "noise l2": "noise, $\\ell_2$",
    "noise linf": "noise, $\\ell_\\infty$",
    "one shuffle": "one shuffle",
    "own shuffles": "own shuffles",
}


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


def robust(table: pd.DataFrame) -> Figure:
    """Accuracy on clean and on attacked images, by training: a panel an architecture.

    Columns of `perturbations.summary`, for accuracy, robust_l2, robust_linf.
    """
    looks = {
        "accuracy": Look("clean", ORIGINAL, "o", 0.2),
        "robust_l2": Look("attacked, $\\ell_2$", FALSE, "s"),
        "robust_linf": Look("attacked, $\\ell_\\infty$", GREEN, "^", -0.2),
    }
    return _ways(table, looks, list(WAYS)[:5], "accuracy")


def shared(table: pd.DataFrame) -> Figure:
    """How alike the perturbations of two networks are, and how many work on the other one.

    Columns of `perturbations.summary`, for cosine, transfer, random.
    """
    looks = {
        "cosine": Look("cosine", BLUE, "o", 0.2),
        "transfer": Look("flips the other, twice as long", FALSE, "s"),
        "random": Look("random, as long, flips", GREY, "x", -0.2),
    }
    ways = ["standard", "adversary l2", "noise l2", "one shuffle", "own shuffles"]
    return _ways(table, looks, ways, "cosine, or share of images")


def _ways(
    table: pd.DataFrame, looks: Mapping[str, Look], ways: Sequence[str], label: str
) -> Figure:
    shown = table[table["treatment"].isin(ways)]
    shown = shown.assign(height=[-ways.index(way) for way in shown["treatment"]])
    picture, panels = shapes.panels(shown, "architecture", sharex=True)
    for axis, part in panels:
        for look, own in shapes.groups(part, "measure", looks):
            shapes.marks(axis, own, "value", look)
        axis.set_xlim(-0.06, 1.04)
    panels[len(panels) // 2][0].set_xlabel(label)
    shapes.named(panels[0][0], [WAYS[way] for way in ways])
    shapes.legend(picture, looks)
    return picture


def gallery(table: pd.DataFrame) -> Figure:
    """Images, perturbations, perturbed images: a column an image; `perturbations.gallery`."""
    titles = {
        "image": "image",
        "standard: perturbation": "standard\nperturbation",
        "standard: perturbed": "standard\nperturbed",
        "adversary l2: perturbation": "adversarial\nperturbation",
        "adversary l2: perturbed": "adversarial\nperturbed",
    }
    images = list(dict.fromkeys(table["image"]))
    picture = figure(1.02)
    axes = picture.subplots(len(titles), len(images))
    size = table[table["panel"].str.endswith("perturbation")]["value"].abs().max()
    for line, (panel, title) in zip(axes, titles.items(), strict=True):
        change = panel.endswith("perturbation")
        look = {"vmin": -size, "vmax": size, "cmap": "PuOr"}
        look = look if change else {"vmin": -0.3, "vmax": 1.3, "cmap": "cividis"}
        for axis, image in zip(line, images, strict=True):
            own = table[(table["panel"] == panel) & (table["image"] == image)]
            shapes.pixels(axis, own, **look)
            seen = "shows" if panel == "image" else "read as"
            words = "" if change else f"{seen} {own['says'].iloc[0]}"
            axis.set_xlabel(words, fontsize="small", labelpad=2)
        line[0].set_ylabel(title)
    return picture


def taught(table: pd.DataFrame) -> Figure:
    """Accuracy of networks that were taught by perturbations, one mark a network.

    Columns of `perturbations.taught`.
    """
    looks = {
        "perturbation": Look("perturbations", FALSE, "s", 0.3),
        "perturbation inside": Look("perturbations within the radius", YELLOW, "D", 0.1),
        "random": Look("random", GREY, "x", -0.1),
        "random inside": Look("random within the radius", PINK, "+", -0.3),
    }
    names = list(dict.fromkeys(table["architecture"]))
    picture, axis = shapes.single(0.42)
    for (name, _), own in table.groupby(["architecture", "lesson"], sort=False):
        look = looks[own["lesson"].iloc[0]]
        height = shapes.beside(own["accuracy"], 0.14) - names.index(name)
        shapes.marks(axis, own.assign(height=height), "accuracy", look, ms=4)
    axis.axvline(0.1, color="0.2", linestyle="--")
    axis.annotate("chance", (0.1, 1.0), xycoords=("data", "axes fraction"), xytext=(3, 1),
                  textcoords="offset points", fontsize="small")  # fmt: skip
    shapes.named(axis, names)
    axis.set(xlim=(-0.02, 1.02), xlabel="accuracy on clean held-out images")
    shapes.legend(picture, looks, columns=2)
    return picture
