"""Figures of chapter 08: planted patterns, and perturbations of plain images."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots.style import (
    BLUE,
    FALSE,
    GREEN,
    GREY,
    MARKERS,
    ORIGINAL,
    PINK,
    SERIES,
    YELLOW,
    figure,
    tidy,
)


def examples(table: pd.DataFrame) -> Figure:
    """An even and an odd digit, bare and with each pattern; `measure.examples`."""
    panels, rows = (list(dict.fromkeys(table[column])) for column in ("panel", "digit"))
    picture = figure(0.44)
    axes = picture.subplots(len(rows), len(panels))
    low, high = table["value"].min(), table["value"].max()
    for line, digit in zip(axes, rows, strict=True):
        for axis, panel in zip(line, panels, strict=True):
            own = table[(table["panel"] == panel) & (table["digit"] == digit)]
            shown = _image(axis, own, low, high)
            if digit == rows[0]:
                axis.set_title(panel)
        line[0].set_ylabel(digit)
    picture.colorbar(shown, ax=axes, label="pixel", shrink=0.8)
    return picture


def capture(table: pd.DataFrame, *, radius: float) -> Figure:
    """Share of the conflict set read by the pattern against its norm, a panel a pattern.

    Columns of `measure.sweep_summary`; the original's median radius as a line.
    """
    kinds = list(dict.fromkeys(table["kind"]))
    picture = figure(0.48)
    axes = picture.subplots(1, len(kinds), sharey=True)
    for axis, kind in zip(axes, kinds, strict=True):
        axis.axvline(radius, color=GREY, linestyle=":")
        axis.axhline(0.5, color=GREY, linewidth=0.7)
        own = table[table["kind"] == kind]
        for place, (name, part) in enumerate(own.groupby("architecture", sort=False)):
            axis.errorbar(
                part["norm"], part["share"], yerr=_errors(part, "share"), color=SERIES[place],
                marker=MARKERS[place], ms=4, capsize=2, label=name,
            )  # fmt: skip
        _logarithmic(axis, [0.1, 0.2, 0.5, 1.0, 2.0])
        axis.set_title(kind)
        tidy(axis)
    axes[1].set_xlabel("Euclidean norm of the pattern (dotted: the original's median radius)")
    axes[0].set(ylim=(-0.03, 1.03), ylabel="share of conflict set\nread by the pattern")
    _legend(picture, axes[0], 5)
    return picture


def crossovers(table: pd.DataFrame) -> Figure:
    """Where each architecture changes over to each pattern, in two units.

    Columns of `measure.crossover_summary`. Hollow marks: some seeds lie beyond the
    sweep's ends, so that the mark is a bound.
    """
    units = {"norm": "Euclidean norm at the crossover", "strength": "largest pixel change there"}
    kinds, names = (list(dict.fromkeys(table[column])) for column in ("kind", "architecture"))
    picture = figure(0.5)
    axes = picture.subplots(1, 2, sharey=True)
    for axis, (unit, label) in zip(axes, units.items(), strict=True):
        for place, name in enumerate(names):
            own = table[(table["architecture"] == name) & (table["unit"] == unit)]
            height = [-kinds.index(kind) - 0.14 * (place - 2) for kind in own["kind"]]
            axis.errorbar(
                own["value"], height, xerr=_errors(own, "value"), color=SERIES[place],
                linestyle="none", capsize=2,
            )  # fmt: skip
            for x, y, beyond in zip(own["value"], height, own["beyond"], strict=True):
                axis.plot(x, y, MARKERS[place], color=SERIES[place], ms=5,
                          markerfacecolor="white" if beyond else SERIES[place],
                          label=name if y == height[0] else None)  # fmt: skip
        _logarithmic(axis, [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0])
        low, high = (table[table["unit"] == unit][end] for end in ("low", "high"))
        axis.set_xlim(0.8 * low.min(), 1.25 * high.max())
        axis.set_xlabel(label)
        tidy(axis)
    axes[0].set_yticks([-i for i in range(len(kinds))], kinds)
    _legend(picture, axes[0], 5)
    return picture


WAYS = {
    "standard": "standard",
    "adversary l2": "adversary, $\\ell_2$",
    "adversary linf": "adversary, $\\ell_\\infty$",
    "noise l2": "noise, $\\ell_2$",
    "noise linf": "noise, $\\ell_\\infty$",
    "one shuffle": "one shuffle",
    "own shuffles": "own shuffles",
}


def robust(table: pd.DataFrame) -> Figure:
    """Accuracy on clean and on attacked images, by training: a panel an architecture.

    Columns of `perturbations.summary`, for accuracy, robust_l2, robust_linf.
    """
    looks = {
        "accuracy": (ORIGINAL, "o", "clean"),
        "robust_l2": (FALSE, "s", "attacked, $\\ell_2$"),
        "robust_linf": (GREEN, "^", "attacked, $\\ell_\\infty$"),
    }
    return _ways(table, looks, list(WAYS)[:5], "accuracy")


def shared(table: pd.DataFrame) -> Figure:
    """How alike the perturbations of two networks are, and how many work on the other one.

    Columns of `perturbations.summary`, for cosine, transfer, random.
    """
    looks = {
        "cosine": (BLUE, "o", "cosine"),
        "transfer": (FALSE, "s", "flips the other, twice as long"),
        "random": (GREY, "x", "random, as long, flips"),
    }
    ways = ["standard", "adversary l2", "noise l2", "one shuffle", "own shuffles"]
    return _ways(table, looks, ways, "cosine, or share of images")


def _ways(
    table: pd.DataFrame, looks: dict[str, tuple[str, str, str]], ways: list[str], label: str
) -> Figure:
    names = list(dict.fromkeys(table["architecture"]))
    picture = figure(0.46)
    axes = picture.subplots(1, len(names), sharey=True, sharex=True, squeeze=False)[0]
    for axis, name in zip(axes, names, strict=True):
        for place, (measure, (colour, marker, text)) in enumerate(looks.items()):
            own = table[(table["architecture"] == name) & (table["measure"] == measure)]
            own = own.set_index("treatment").loc[ways]
            height = [-i - 0.2 * (place - 1) for i in range(len(ways))]
            axis.errorbar(
                own["value"], height, xerr=_errors(own, "value"), color=colour, marker=marker,
                ms=5, capsize=2, linestyle="none", label=text,
            )  # fmt: skip
        axis.set(title=name, xlim=(-0.06, 1.04))
        tidy(axis)
    axes[len(names) // 2].set_xlabel(label)
    axes[0].set_yticks([-i for i in range(len(ways))], [WAYS[way] for way in ways])
    _legend(picture, axes[0], 3)
    return picture


def gallery(table: pd.DataFrame) -> Figure:
    """Images, perturbations, perturbed images: a column an image; `perturbations.gallery`."""
    panels = {
        "image": "image",
        "standard: perturbation": "perturbation",
        "standard: perturbed": "perturbed",
        "adversary l2: perturbation": "perturbation",
        "adversary l2: perturbed": "perturbed",
    }
    images = list(dict.fromkeys(table["image"]))
    picture = figure(1.02)
    axes = picture.subplots(len(panels), len(images))
    size = table[table["panel"].str.endswith("perturbation")]["value"].abs().max()
    for line, (panel, text) in zip(axes, panels.items(), strict=True):
        for axis, image in zip(line, images, strict=True):
            own = table[(table["panel"] == panel) & (table["image"] == image)]
            if panel.endswith("perturbation"):
                _image(axis, own, -size, size, cmap="PuOr")
            else:
                _image(axis, own, -0.3, 1.3)
                seen = "shows" if panel == "image" else "read as"
                axis.set_xlabel(f"{seen} {own['says'].iloc[0]}", fontsize="small", labelpad=2)
        way = {"standard": "standard\n", "adversary l2": "adversarial\n"}
        line[0].set_ylabel(way.get(panel.partition(":")[0], "") + text)
    return picture


def taught(table: pd.DataFrame) -> Figure:
    """Accuracy of networks that were taught by perturbations, one mark a network.

    Columns of `perturbations.taught`.
    """
    looks = {
        "perturbation": (FALSE, "s", "perturbations"),
        "perturbation inside": (YELLOW, "D", "perturbations within the radius"),
        "random": (GREY, "x", "random"),
        "random inside": (PINK, "+", "random within the radius"),
    }
    names = list(dict.fromkeys(table["architecture"]))
    picture = figure(0.42)
    axis = picture.subplots()
    for place, (lesson, (colour, marker, text)) in enumerate(looks.items()):
        for height, name in enumerate(names):
            own = table[(table["lesson"] == lesson) & (table["architecture"] == name)]["accuracy"]
            spread = 0.14 * (own.rank(method="first") / len(own) - 0.5)
            axis.plot(own, -height - 0.2 * (place - 1.5) + spread, marker, color=colour, ms=4,
                      label=text if height == 0 else None)  # fmt: skip
    axis.axvline(0.1, color="0.2", linestyle="--")
    axis.annotate("chance", (0.1, 1.0), xycoords=("data", "axes fraction"), xytext=(3, 1),
                  textcoords="offset points", fontsize="small")  # fmt: skip
    axis.set_yticks([-i for i in range(len(names))], names)
    axis.set(xlim=(-0.02, 1.02), xlabel="accuracy on clean held-out images")
    tidy(axis)
    _legend(picture, axis, 2)
    return picture


def _errors(own: pd.DataFrame, column: str) -> tuple[pd.Series, pd.Series]:
    """How far the interval, the columns low and high, reaches to both sides of a value."""
    return own[column] - own["low"], own["high"] - own[column]


def _logarithmic(axis: Axes, ticks: list[float]) -> None:
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()


def _legend(picture: Figure, axis: Axes, columns: int) -> None:
    """One legend above all panels, of what one of them shows."""
    handles = axis.get_legend_handles_labels()
    picture.legend(*handles, loc="outside upper center", ncols=columns, frameon=False)


def _image(
    axis: Axes, cells: pd.DataFrame, low: float, high: float, *, cmap: str = "cividis"
) -> Any:
    """One small picture without ticks."""
    pixels = cells.pivot(index="row", columns="column", values="value")
    axis.set_xticks([])
    axis.set_yticks([])
    return axis.imshow(pixels, cmap=cmap, vmin=low, vmax=high)
