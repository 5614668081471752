"""Figures of chapter 05: tables of `experiments.success` in, a Figure out."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.style import (
    FALSE,
    GREEN,
    GREY,
    MARKERS,
    ORIGINAL,
    PINK,
    SERIES,
    dots,
    figure,
    tidy,
)

# One architecture, one look, in all panels of the chapter.
PLACES = {
    "linear": 0, "MLP": 1, "deep MLP": 2, "pooled CNN": 3, "CNN": 3, "paper's CNN": 4,
    "attention": 4, "2-104-1": 5,
}  # fmt: skip
SIGNALS = {"stripes": "offset a", "oscillation": "hint δ", "digits-brightness": "brightness"}


def _panels(
    table: pd.DataFrame, axes: list[mpl.axes.Axes]
) -> list[tuple[mpl.axes.Axes, pd.DataFrame]]:
    """One panel a problem, with its name as title."""
    found = []
    for axis, (name, part) in zip(axes, table.groupby("problem", sort=False), strict=True):
        axis.set_title(str(name).replace("-", ", "), fontsize="medium")
        tidy(axis)
        found.append((axis, part))
    return found


def _look(place: int) -> dict[str, Any]:
    return {"color": SERIES[place], "marker": MARKERS[place]}


def _legend(picture: Figure, axes: list[mpl.axes.Axes], columns: int) -> None:
    """One legend for all panels, above them."""
    found: dict[str, Any] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    picture.legend(list(found.values()), list(found), loc="outside upper center", ncols=columns,
                   frameon=False, fontsize="small")  # fmt: skip


def _curves(axis: mpl.axes.Axes, part: pd.DataFrame, x: str, y: str, by: str) -> None:
    """One curve with intervals for each value of a column."""
    for place, (name, own) in enumerate(part.groupby(by, sort=False)):
        errors = (own[y] - own["low"], own["high"] - own[y])
        label = f"{name:g}" if isinstance(name, float) else str(name)
        look = _look(PLACES.get(label, place))
        axis.errorbar(own[x], own[y], yerr=errors, ms=4, lw=1.2, capsize=2, label=label, **look)


def unseen(table: pd.DataFrame) -> Figure:
    """Accuracy against the agreement of the test data; the two structures as lines.

    Columns: problem, architecture, tested, accuracy, low, high.
    """
    picture = figure(0.46)
    axes = picture.subplots(1, 3, sharey=True)
    for axis, part in _panels(table, list(axes)):
        axis.plot([0, 1], [0, 1], "--", color=FALSE, lw=1.5)
        axis.plot([0, 1], [1, 1], "--", color=ORIGINAL, lw=1.5)
        names = list(dict.fromkeys(part["architecture"]))
        for place, (name, own) in enumerate(part.groupby("architecture", sort=False)):
            shift = 0.024 * (place - (len(names) - 1) / 2)
            errors = (own["accuracy"] - own["low"], own["high"] - own["accuracy"])
            axis.errorbar(own["tested"] + shift, own["accuracy"], yerr=errors, ls="none", ms=4.5,
                          capsize=2, label=name, **_look(PLACES[str(name)]))  # fmt: skip
        axis.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axis.set_xlabel("agreement in the test, ρ′")
    # Two architectures of different problems may share a look.
    looks: dict[int, tuple[mpl.artist.Artist, list[str]]] = {}
    for axis in axes:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            names = looks.setdefault(PLACES[name], (handle, []))[1]
            names.extend({name}.difference(names))
    picture.legend(
        [looks[place][0] for place in sorted(looks)],
        [" or ".join(looks[place][1]) for place in sorted(looks)],
        loc="outside upper center", ncols=3, frameon=False, fontsize="small",
    )  # fmt: skip
    axes[0].set_ylabel("accuracy on the test data")
    axes[0].set_ylim(-0.04, 1.09)
    axes[1].annotate("original structure", (0.02, 1.02), color=ORIGINAL, fontsize="small")
    axes[1].annotate("false structure", (0.25, 0.31), color=FALSE, fontsize="small", rotation=45,
                     rotation_mode="anchor", transform_rotates_text=True)  # fmt: skip
    return picture


def foretold(table: pd.DataFrame) -> Figure:
    """Measured against predicted accuracy, one mark a network and mixture.

    Columns: problem, by, full, predicted, measured.
    """
    picture = figure(0.78)
    predictors = list(dict.fromkeys(table["by"]))
    rows = picture.subplots(len(predictors), 3, sharex=True, sharey=True)
    for axes, by in zip(rows, predictors, strict=True):
        for axis, part in _panels(table[table["by"] == by], list(axes)):
            axis.plot([0, 1], [0, 1], color="0.4", lw=0.8)
            for full, colour, marker, label in (
                (False, PINK, "^", "trained with agreement below 1"),
                (True, GREEN, "o", "trained with full agreement"),
            ):
                own = part[part["full"] == full]
                axis.plot(own["predicted"], own["measured"], marker, ms=3, label=label,
                          rasterized=True, **dots(colour))  # fmt: skip
            axis.set_aspect("equal")
        axes[0].set_ylabel(f"measured accuracy\n(prediction: {by})")
    for axis in rows[0]:
        axis.set_xlabel("")
    for axis in rows[-1]:
        axis.set_title("")
        axis.set_xlabel("predicted accuracy")
    handles, labels = rows[0][0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False,
                   markerscale=2)  # fmt: skip
    return picture


def _agreement_axis(axis: mpl.axes.Axes, table: pd.DataFrame) -> None:
    """Agreement in training, stretched towards 1: every value has a place of its own."""
    values = sorted(table["rho"].unique())
    axis.set_xticks(range(len(values)), [f"{value:g}".removeprefix("0") for value in values])
    axis.set_xlabel("agreement in training, ρ")


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    places = {value: place for place, value in enumerate(sorted(table["rho"].unique()))}
    return table.assign(place=table["rho"].map(places))


def swept(table: pd.DataFrame, *, level: float) -> Figure:
    """Capture against agreement in training: above by architecture, below by strength.

    Columns: problem, architecture, strength, usual, rho, share, low, high.
    """
    picture = figure(0.85)
    rows = picture.subplots(2, 3, sharey=True)
    placed = _placed(table)
    shown = placed["architecture"].isin(["MLP", "2-104-1"])
    if placed[shown]["problem"].nunique() < 3:
        shown = placed["architecture"].isin(["linear", "2-104-1"])
    for axes, part, by in (
        (rows[0], placed[placed["usual"]], "architecture"),
        (rows[1], placed[shown], "strength"),
    ):
        for axis, own in _panels(part, list(axes)):
            _curves(axis, own, "place", "share", by)
            axis.axhline(level, color=GREY, ls=":")
            _agreement_axis(axis, table)
            title = None if by == "architecture" else SIGNALS[own["problem"].iloc[0]]
            corner, anchor = ("lower right", (1, 0.06))
            if own["problem"].iloc[0] == "digits-brightness":
                corner, anchor = ("upper left", (0, 1))
            axis.legend(fontsize="small", title=title, title_fontsize="small", loc=corner,
                        bbox_to_anchor=anchor)  # fmt: skip
        axes[0].set_ylabel("share of unseen conflict set\nthat sides with false structure")
        axes[0].set_ylim(-0.04, 1.04)
    for axis, name in zip(rows[1], SIGNALS, strict=True):
        network = placed[shown & (placed["problem"] == name)]["architecture"].iloc[0]
        axis.set_title(f"{network}, by strength", fontsize="medium")
    return picture


def changeovers(table: pd.DataFrame) -> Figure:
    """From which agreement in training on networks take the false structure, by strength.

    Columns: problem, architecture, strength, changeover, low, high, never.
    """
    picture = figure(0.42)
    axes = picture.subplots(1, 3, sharey=True)
    for axis, part in _panels(table, list(axes)):
        for name, own in part.groupby("architecture", sort=False):
            place = PLACES[str(name)]
            shift = 1 + 0.05 * (place % 5 - 1)
            errors = (own["changeover"] - own["low"], own["high"] - own["changeover"])
            look = _look(place)
            axis.errorbar(shift * own["strength"], own["changeover"], yerr=errors, ms=5, lw=0.8,
                          capsize=2, label=str(name), **look)  # fmt: skip
            never = own[own["never"] > 0.5]
            axis.plot(shift * never["strength"], [1.0] * len(never), "x", color="black", ms=9)
        axis.set_xscale("log")
        values = sorted(part["strength"].unique())
        axis.set_xticks(values, [f"{value:g}" for value in values])
        axis.minorticks_off()
        axis.set_xlabel(SIGNALS[part["problem"].iloc[0]])
    axes[0].set_ylabel("agreement in training\nfrom which on it is taken")
    axes[0].set_ylim(0.49, 1.03)
    _legend(picture, list(axes), 8)
    return picture


def exceptions(table: pd.DataFrame) -> Figure:
    """Accuracy where the false structure is wrong: on training data and on unseen inputs.

    Columns: problem, architecture, rho, exceptions, share.
    """
    picture = figure(0.46)
    axes = picture.subplots(1, 3, sharey=True)
    placed = _placed(table[table["usual"] & (table["rho"] < 1)])
    for axis, part in _panels(placed, list(axes)):
        for name, own in part.groupby("architecture", sort=False):
            look = _look(PLACES[str(name)]) | {"ms": 4}
            axis.plot(own["place"], own["exceptions"], mfc="white", ls="--", **look)
            axis.plot(own["place"], 1 - own["share"], label=str(name), **look)
        _agreement_axis(axis, placed)
    axes[0].set_ylabel("accuracy where the false\nstructure is wrong")
    axes[0].set_ylim(-0.04, 1.04)
    for dashes, face, label in (("--", "white", "in training"), ("-", "0.2", "unseen")):
        axes[2].plot([], [], color="0.2", ls=dashes, marker="o", mfc=face, ms=4, label=label)
    _legend(picture, list(axes), 8)
    return picture


def interventions(table: pd.DataFrame) -> Figure:
    """Share of labels changed by each intervention against capture, one mark a network.

    Columns: problem, captured, exchange, randomise, along.
    """
    picture = figure(0.44)
    axes = picture.subplots(1, 3, sharey=True)
    looks = {
        "exchange": (FALSE, "o", "exchange"),
        "randomise": (GREEN, "^", "randomise"),
        "along": (GREY, "x", "exchange along a random direction"),
    }
    for axis, part in _panels(table, list(axes)):
        axis.plot([0, 1], [0, 1], "--", color=FALSE, lw=0.8)
        axis.plot([0, 1], [0, 0.5], "--", color=GREEN, lw=0.8)
        for column, (colour, marker, label) in looks.items():
            axis.plot(part["captured"], part[column], marker, ms=4, ls="none", label=label,
                      **dots(colour))  # fmt: skip
        axis.set_xlabel("capture of the false structure")
    axes[0].set_ylabel("share of labels changed")
    axes[0].set_ylim(-0.04, 1.04)
    handles, labels = axes[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return picture
