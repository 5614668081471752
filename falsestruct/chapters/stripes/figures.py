"""Figures of chapter 03: a table in, a Figure out."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from falsestruct.plots.style import FALSE, MARKERS, ORIGINAL, SERIES, dots, figure, tidy

RULES = {"direction": "Direction says", "brightness": "Brightness says", "networks": "Networks say"}
PLACES = (0.86, 0.5, 0.14)  # of the rules' lines, in heights of the text's part


def glance(table: pd.DataFrame) -> Figure:
    """Three images; below each, what direction, brightness and the networks say.

    Args:
        table: As `measure.glance` gives it.
    """
    picture = figure(0.5)
    panels = list(dict.fromkeys(table["panel"]))
    widths = [0.9, *[1.0] * len(panels)]
    top, bottom = picture.subplots(2, len(widths), width_ratios=widths, height_ratios=[2.0, 1.0])
    for axis in (top[0], *bottom):
        axis.set_axis_off()
    for place, words in zip(PLACES, RULES.values(), strict=True):
        bottom[0].text(1.0, place, words, ha="right", va="center")
    low, high = table["value"].min(), table["value"].max()
    for image, text, panel in zip(top[1:], bottom[1:], panels, strict=True):
        own = table[table["panel"] == panel]
        pixels = own.pivot(index="row", columns="column", values="value")
        image.imshow(pixels, cmap="gray", vmin=low - 0.1, vmax=high)
        image.set(xticks=[], yticks=[])
        image.set_title(panel.capitalize(), fontsize="medium")
        _answers(text, own.iloc[0])
    return picture


def _answers(axis: Axes, row: pd.Series) -> None:
    for place, rule in zip(PLACES, RULES, strict=True):
        answer = str(row[rule])
        wrong = answer != row["direction"]
        words = f"{answer} ({row['share']:.0%})" if rule == "networks" else answer
        axis.text(
            0.5, place, words, ha="center", va="center",
            color=FALSE if wrong else ORIGINAL, fontweight="bold" if wrong else "normal",
        )  # fmt: skip


def stripe_examples(table: pd.DataFrame) -> Figure:
    """One image of each kind; `measure.examples`."""
    panels = list(dict.fromkeys(table["panel"]))
    picture = figure(0.3)
    axes = picture.subplots(1, len(panels))
    low, high = table["value"].min(), table["value"].max()
    for axis, panel in zip(axes, panels, strict=True):
        image = table[table["panel"] == panel].pivot(index="row", columns="column", values="value")
        axis.imshow(image, cmap="cividis", vmin=low, vmax=high)
        axis.set_title(panel.replace(", ", ",\n"), fontsize="small")
        axis.set_xticks([])
        axis.set_yticks([])
    return picture


def stripe_bands(table: pd.DataFrame) -> Figure:
    """Accuracy by band of a, colouring and training set; one dot a network, the mean as a bar."""
    picture = figure(0.5)
    axes = picture.subplots(1, 2, sharey=True)
    bands = table[["low", "high"]].drop_duplicates().reset_index(drop=True)
    names = [f"{low:g}–{high:g}" if high else "0" for low, high in bands.to_numpy()]
    looks = {"true": (ORIGINAL, "o", -0.17), "swapped": (FALSE, "s", 0.17)}
    for axis, (variant, part) in zip(axes, table.groupby("variant"), strict=True):
        for colours, (colour, marker, shift) in looks.items():
            for place, low in enumerate(bands["low"]):
                own = part[(part["colours"] == colours) & (part["low"] == low)]["accuracy"]
                spread = place + shift + 0.1 * (own.rank(method="first") / len(own) - 0.5)
                label = f"{colours} colours" if place == 0 else None
                axis.plot(spread, own, marker, ms=3, label=label, **dots(colour))
                axis.hlines(own.mean(), place + shift - 0.15, place + shift + 0.15, color=colour)
        axis.set_xticks(range(len(names)), names, rotation=40, ha="right")
        axis.set_xlabel("offset a of the test images")
        axis.set_title(f"({variant}) trained {'as released' if variant == 'A' else 'as described'}")
        tidy(axis)
    axes[0].set_ylabel("accuracy (share of orientation right)")
    axes[0].set_ylim(-0.03, 1.03)
    axes[1].legend(loc="lower right")
    return picture


def stripe_losses(table: pd.DataFrame, *, stored: float) -> Figure:
    """Final losses of both variants, one mark a seed, and the loss that was stored."""
    picture = figure(0.32)
    axis = picture.subplots()
    names = {"A": "(A) as released", "B": "(B) as described"}
    for place, (variant, part) in enumerate(table.groupby("variant")):
        height = -place + 0.3 * (part["loss"].rank(method="first") / len(part) - 0.5)
        axis.plot(part["loss"], height, MARKERS[place], **dots(SERIES[place]))
        axis.annotate(
            names[str(variant)],
            (max(part["loss"].median() - 0.2, 0.02), -place + 0.3),
            color=SERIES[place],
        )
    axis.axvline(stored, color="0.2", linestyle="--")
    axis.annotate(
        "stored with the\nreleased network",
        (stored, -1),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize="small",
        va="center",
    )
    axis.set_yticks([])
    axis.set_ylim(-1.5, 0.6)
    axis.set_xlim(0, max(stored, table["loss"].max()) * 1.12)
    axis.set_xlabel("training loss after 10 steps (cross-entropy, nats)")
    tidy(axis)
    return picture


def stripe_crossover(table: pd.DataFrame) -> Figure:
    """Share of the conflict set read by colour against the training offset, by architecture.

    Columns: architecture, a, share, low, high, and crossover, crossover_low, crossover_high.
    """
    picture = figure(0.62)
    top, bottom = picture.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for place, (name, part) in enumerate(table.groupby("architecture", sort=False)):
        look = {"color": SERIES[place], "marker": MARKERS[place]}
        errors = (part["share"] - part["low"], part["high"] - part["share"])
        top.errorbar(part["a"], part["share"], yerr=errors, ms=4, capsize=2, label=name, **look)
        value, low, high = part[["crossover", "crossover_low", "crossover_high"]].iloc[0]
        bottom.errorbar(value, -place, xerr=[[value - low], [high - value]], capsize=3, **look)
        bottom.annotate(str(name), (high, -place), xytext=(7, 0), textcoords="offset points",
                        va="center", fontsize="small")  # fmt: skip
    for axis in (top, bottom):
        axis.axvline(0.01, color="0.4", linestyle=":")
        tidy(axis)
    top.annotate("the paper's\noffset", (0.01, 0.7), xytext=(-4, 0), textcoords="offset points",
                 ha="right", fontsize="small")  # fmt: skip
    top.set_ylabel("share of conflict set\nread by colour")
    top.legend(loc="lower right", fontsize="small")
    bottom.set_ylabel("crossover")
    bottom.set_yticks([])
    bottom.set_ylim(-len(table["architecture"].unique()) + 0.3, 0.7)
    bottom.set_xscale("log")
    bottom.set_xlabel("offset a of the training images (contrast of the stripe: 1)")
    return picture


def stripe_attacks(table: pd.DataFrame) -> Figure:
    """Mean smallest constant image that flips the label, one mark a network, by architecture."""
    picture = figure(0.42)
    axis = picture.subplots()
    looks = {0.01: (ORIGINAL, "o", "trained at a = 0.01"), 0.1: (FALSE, "s", "trained at a = 0.1")}
    names = list(dict.fromkeys(table["architecture"]))
    for a, (colour, marker, label) in looks.items():
        for place, name in enumerate(names):
            own = table[(table["a"] == a) & (table["architecture"] == name)]["size"]
            height = place + 0.4 * (own.rank(method="first") / len(own) - 0.5)
            axis.plot(own, height, marker, ms=4, label=label if place == 0 else None,
                      **dots(colour))  # fmt: skip
    for a, (colour, *_) in looks.items():
        axis.axvline(a, color=colour, linestyle="--")
    axis.set_yticks(range(len(names)), names)
    axis.set_xlim(0, 0.52)
    axis.set_xlabel("mean smallest constant image that flips the label (contrast of the stripe: 1)")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=2)
    tidy(axis)
    return picture
