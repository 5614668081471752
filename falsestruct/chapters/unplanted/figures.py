"""Figures of chapter 20: perturbations of images on which nothing was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, FALSE, GREEN, GREY, ORIGINAL, PINK, SKY, YELLOW, figure

Looks = Mapping[str, Look]
WAYS = {
    "standard": "standard",
    "adversary l2": "adversary, $\\ell_2$", "adversary linf": "adversary, $\\ell_\\infty$",
    "noise l2": "noise, $\\ell_2$", "noise linf": "noise, $\\ell_\\infty$",
    "one shuffle": "one shuffle", "own shuffles": "own shuffles",
    "apart": "trained apart", "apart, own shuffles": "apart, shuffled", "longer": "longer",
}  # fmt: skip


def robust(table: pd.DataFrame) -> Figure:
    """Accuracy on clean and on attacked images, by training; `measure.summary`."""
    looks = {
        "accuracy": Look("clean", ORIGINAL, "o", 0.2),
        "robust_l2": Look("attacked, $\\ell_2$", FALSE, "s"),
        "robust_linf": Look("attacked, $\\ell_\\infty$", GREEN, "^", -0.2),
    }
    return _ways(table, looks, list(WAYS)[:5], "accuracy")


def shared(table: pd.DataFrame) -> Figure:
    """How alike the perturbations of two networks are, and how many work on the other one;
    `measure.summary`."""
    looks = {
        "cosine": Look("cosine", BLUE, "o", 0.32),
        "same way": Look("cosine, where read and led alike", GREEN, "^", 0.16),
        "same label": Look("cosine, where read alike", PINK, "v"),
        "transfer": Look("flips the other, twice as long", FALSE, "s", -0.16),
        "random": Look("random, as long, flips", GREY, "x", -0.32),
    }
    ways = ["standard", "longer", "apart", "one shuffle", "own shuffles", "apart, own shuffles"]
    few = (table["measure"] == "same way") & table["treatment"].isin(ways[4:])  # a handful of cases
    return _ways(table[~few], looks, ways, "cosine, or share of images", aspect=0.68)


def _ways(
    table: pd.DataFrame, looks: Looks, ways: Sequence[str], label: str, *, aspect: float = 0.46
) -> Figure:
    shown = table[table["treatment"].isin(ways)]
    shown = shown.assign(height=[-ways.index(way) for way in shown["treatment"]])
    picture, panels = shapes.panels(shown, "architecture", aspect=aspect, sharex=True)
    for axis, part in panels:
        for look, own in shapes.groups(part, "measure", looks):
            shapes.marks(axis, own, "value", look)
        axis.set_xlim(-0.06, 1.04)
    panels[len(panels) // 2][0].set_xlabel(label)
    shapes.named(panels[0][0], [WAYS[way] for way in ways])
    shapes.legend(picture, looks, columns=3 if len(looks) < 4 else 2)
    return picture


def gallery(table: pd.DataFrame) -> Figure:
    """Images, perturbations, perturbed images: a column an image; `measure.gallery`."""
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
    """Accuracy of networks that were taught by perturbations; `measure.taught`."""
    looks = {
        "perturbation": Look("perturbations", FALSE, "s", 0.3),
        "perturbation inside": Look("perturbations, inside", YELLOW, "D", 0.1),
        "random": Look("random", GREY, "x", -0.1),
        "random inside": Look("random, inside", PINK, "+", -0.3),
    }
    return _pupils(table.assign(told=table["lesson"]), looks, aspect=0.5, step=0.1)


def told(table: pd.DataFrame) -> Figure:
    """Accuracy of networks that were taught one lesson in several ways; `measure.told`."""
    looks = {
        "perturbation": Look("perturbation", FALSE, "s", 0.36),
        "across random": Look("without nine random directions", YELLOW, "D", 0.24),
        "across others": Look("without nine others that hold as much", SKY, "P", 0.12),
        "across means": Look("without class means", PINK, "v"),
        "mean": Look("along class means", ORIGINAL, "o", -0.12),
        "nearest": Look("to the nearest image", GREEN, "^", -0.24),
        "random": Look("random", GREY, "x", -0.36),
    }
    return _pupils(table.assign(told=table["arm"]), looks, aspect=0.62, step=0.05)


def _pupils(table: pd.DataFrame, looks: Looks, *, aspect: float, step: float) -> Figure:
    """One mark a network, by what it was told; `step` is between those that lie on each other."""
    names = list(dict.fromkeys(table["architecture"]))
    picture, axis = shapes.single(aspect)
    for (name, told), own in table.groupby(["architecture", "told"], sort=False):
        height = shapes.beside(own["accuracy"], step) - names.index(name)
        shapes.marks(axis, own.assign(height=height), "accuracy", looks[str(told)], ms=4)
    axis.axvline(0.1, color="0.2", linestyle="--")
    axis.annotate("chance", (0.1, 1.0), xycoords=("data", "axes fraction"), xytext=(3, 1),
                  textcoords="offset points", fontsize="small")  # fmt: skip
    shapes.named(axis, names)
    axis.set(xlim=(-0.02, 1.02), xlabel="accuracy on clean held-out images")
    shapes.legend(picture, looks, columns=2)
    return picture
