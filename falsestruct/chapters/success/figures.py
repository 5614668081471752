"""Figures of chapter 05: tables of `evidence` in, a Figure out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots.shapes import Look, curve, groups, legend, marks, panels, ticks
from falsestruct.plots.style import (
    FALSE,
    GREEN,
    GREY,
    MARKERS,
    ORIGINAL,
    PINK,
    SERIES,
    figure,
    tidy,
)

# One architecture, one look, in all panels of the chapter; two that no panel shares have the same.
PLACES = {
    "linear": 0, "MLP": 1, "deep MLP": 2, "pooled CNN": 3, "CNN": 3, "paper's CNN": 4,
    "attention": 4, "2-104-1": 5,
}  # fmt: skip
LOOKS = {name: Look(name, SERIES[place], MARKERS[place]) for name, place in PLACES.items()}
SIGNALS = {"stripes": "offset a", "oscillation": "hint δ", "digits-brightness": "brightness"}
TITLES = {name: name.replace("-", ", ") for name in SIGNALS}
FULL = {
    "False": Look("trained with agreement below 1", PINK, "^"),
    "True": Look("trained with full agreement", GREEN, "o"),
}


def unseen(table: pd.DataFrame) -> Figure:
    """Accuracy less the false structure's, ρ′, against ρ′ in the test; structures as lines.

    Columns: problem, architecture, tested, accuracy, low, high.
    """
    table = table.assign(**{c: table[c] - table["tested"] for c in ("accuracy", "low", "high")})
    picture, parts = panels(table, "problem", titles=TITLES)
    for axis, part in parts:
        axis.plot([0, 1], [0, 0], "--", color=FALSE, lw=1.5)
        axis.plot([0, 1], [1, 0], "--", color=ORIGINAL, lw=1.5)
        names = list(dict.fromkeys(part["architecture"]))
        shifts = part["architecture"].map(lambda name, own=names: own.index(name))
        shifted = part.assign(tested=part["tested"] + 0.024 * (shifts - (len(names) - 1) / 2))
        for look, own in groups(shifted, "architecture", _shown(part)):
            curve(axis, own, "tested", "accuracy", look, linestyle="none", ms=4.5)
        axis.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axis.set_xlabel("agreement in the test, ρ′")
    first, second = (axis for axis, _ in parts[:2])
    first.set(ylabel="accuracy in the test, less ρ′", ylim=(-0.22, 1.05))
    second.annotate("original structure", (0.3, 0.74), color=ORIGINAL, fontsize="small")
    second.annotate("false structure", (0.02, -0.19), color=FALSE, fontsize="small")
    legend(picture, _shared(_shown(table)))
    return picture


def _shared(looks: dict[str, Look]) -> list[Look]:
    """One entry for architectures of different problems that share a look."""
    places: dict[int, list[str]] = {}
    for name in looks:
        places.setdefault(PLACES[name], []).append(name)
    return [replace(looks[own[0]], label=" or ".join(own)) for _, own in sorted(places.items())]


def _shown(table: pd.DataFrame) -> dict[str, Look]:
    """The looks of the architectures of a table."""
    return {name: LOOKS[name] for name in dict.fromkeys(table["architecture"])}


def foretold(table: pd.DataFrame) -> Figure:
    """Measured against predicted accuracy, one mark a network and mixture.

    Columns: problem, by, full, predicted, measured.
    """
    cells = table.assign(cell=table["by"] + "/" + table["problem"])
    titles = {f"capture/{name}": title for name, title in TITLES.items()}
    titles |= {f"two numbers/{name}": "" for name in TITLES}
    picture, parts = panels(cells, "cell", aspect=0.78, columns=3, titles=titles, sharex=True)
    for place, (axis, part) in enumerate(parts):
        axis.plot([0, 1], [0, 1], color="0.4", lw=0.8)
        for look, own in groups(part, "full", FULL):
            marks(axis, own, "predicted", look, y="measured", faint=True, ms=3, rasterized=True)
        axis.set_aspect("equal")
        if place % 3 == 0:
            axis.set_ylabel(f"measured accuracy\n(prediction: {part['by'].iloc[0]})")
        if place >= 3:
            axis.set_xlabel("predicted accuracy")
    legend(picture, FULL, columns=2)
    return picture


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    """With the column `place`: agreements in training, stretched towards 1, at equal distances."""
    return table.assign(place=np.unique(table["rho"], return_inverse=True)[1])


def _agreement_axis(axis: Axes, table: pd.DataFrame) -> None:
    values = sorted(table["rho"].unique())
    axis.set_xticks(range(len(values)), [f"{value:g}".removeprefix("0") for value in values])
    axis.set_xlabel("agreement in training, ρ")


def swept(table: pd.DataFrame, *, level: float) -> Figure:
    """Capture against agreement in training: above by architecture, below by strength.

    Columns: problem, architecture, strength, usual, rho, share, low, high.
    """
    placed = _placed(table)
    common, shown = placed[placed["usual"]], _one_network(placed)
    picture = figure(0.85)
    axes = picture.subplots(2, 3, sharey=True)
    for i, name in enumerate(SIGNALS):
        upper, lower = (part[part["problem"] == name] for part in (common, shown))
        strengths = sorted(lower["strength"].unique())
        looks = {f"{s:g}": Look(f"{s:g}", SERIES[j], MARKERS[j]) for j, s in enumerate(strengths)}
        lower = lower.assign(named=[f"{strength:g}" for strength in lower["strength"]])
        _sweep(axes[0, i], upper, "architecture", _shown(upper), level)
        _sweep(axes[1, i], lower, "named", looks, level)
        axes[0, i].set_title(TITLES[name], fontsize="medium")
        axes[1, i].set_title(f"{lower['architecture'].iloc[0]}, by strength", fontsize="medium")
        for axis, title in zip(axes[:, i], (None, SIGNALS[name]), strict=True):
            _agreement_axis(axis, table)
            left = name == "digits-brightness"
            axis.legend(fontsize="small", title=title, title_fontsize="small",
                        loc="upper left" if left else "lower right",
                        bbox_to_anchor=(0, 1) if left else (1, 0.06))  # fmt: skip
    for axis in axes[:, 0]:
        axis.set_ylabel("share of unseen conflict set\nthat sides with false structure")
        axis.set_ylim(-0.04, 1.04)
    return picture


def _one_network(table: pd.DataFrame) -> pd.DataFrame:
    """The architecture that is shown at every strength: the MLP, or the linear one without it."""
    for name in ("MLP", "linear"):
        own = table[table["architecture"].isin([name, "2-104-1"])]
        if own["problem"].nunique() == table["problem"].nunique():
            break
    return own


def _sweep(axis: Axes, part: pd.DataFrame, by: str, looks: dict[str, Look], level: float) -> None:
    for look, own in groups(part, by, looks):
        curve(axis, own, "place", "share", look)
    axis.axhline(level, color=GREY, ls=":")
    tidy(axis)


def changeovers(table: pd.DataFrame) -> Figure:
    """From which agreement in training on networks take the false structure, by strength.

    Columns: problem, architecture, strength, changeover, low, high, never.
    """
    picture, parts = panels(table, "problem", aspect=0.42, titles=TITLES)
    for axis, part in parts:
        for look, own in groups(part, "architecture", _shown(part)):
            shift = 1 + 0.05 * (PLACES[look.label] % 5 - 1)
            shifted = own.assign(strength=shift * own["strength"])
            curve(axis, shifted, "strength", "changeover", look, ms=5, lw=0.8)
            never = shifted[own["never"] > 0.5]
            axis.plot(never["strength"], [1.0] * len(never), "x", color="black", ms=9)
        ticks(axis, sorted(part["strength"].unique()))
        axis.set_xlabel(SIGNALS[part["problem"].iloc[0]])
    parts[0][0].set(ylabel="agreement in training\nfrom which on it is taken", ylim=(0.49, 1.03))
    legend(picture, _shown(table), columns=8)
    return picture


def exceptions(table: pd.DataFrame) -> Figure:
    """Accuracy where the false structure is wrong: on training data and on unseen inputs.

    Columns: problem, architecture, rho, exceptions, share.
    """
    placed = _placed(table[table["usual"] & (table["rho"] < 1)])
    placed = placed.assign(unseen=1 - placed["share"]).drop(columns=["low", "high"])
    picture, parts = panels(placed, "problem", titles=TITLES)
    for axis, part in parts:
        for look, own in groups(part, "architecture", _shown(part)):
            dashed = replace(look, hollow=True, line="--")
            curve(axis, own, "place", "exceptions", dashed, lw=1.5)
            curve(axis, own, "place", "unseen", look, lw=1.5)
        _agreement_axis(axis, placed)
    parts[0][0].set(ylabel="accuracy where the false\nstructure is wrong", ylim=(-0.04, 1.04))
    legend(picture, [
        *_shown(placed).values(), Look("in training", "0.2", hollow=True, line="--"),
        Look("unseen", "0.2", line="-"),
    ], columns=8)  # fmt: skip
    return picture
