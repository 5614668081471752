"""Figures of chapter 09: a table in, a Figure out."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from falsestruct.plots.style import (
    BLUE,
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


def luck(table: pd.DataFrame, *, floor: float) -> Figure:
    """How well statistics predict coin flips against the number of inputs.

    Args:
        table: As `measure.luck` gives it.
        floor: What a statistic must reach to be named.
    """
    picture = figure(0.5)
    axis = picture.subplots()
    for place, (name, part) in enumerate(table.groupby("of", sort=False)):
        axis.plot(part["inputs"], part["score"], marker=MARKERS[place], color=SERIES[1 - place],
                  label=str(name))  # fmt: skip
    axis.axhline(floor, color=GREY, linestyle="--", label="floor")
    axis.axhline(0.5, color=GREY, linestyle=":", label="chance")
    axis.set_xscale("log")
    _plain_ticks(axis, sorted(set(table["inputs"])))
    axis.set(xlabel="inputs, one half to fit and one to judge", ylabel="balanced accuracy\n"
             "on coin flips, 95th percentile", ylim=(0.45, 1.02))  # fmt: skip
    axis.legend(frameon=False)
    tidy(axis)
    return picture


def confusion(table: pd.DataFrame) -> Figure:
    """What is named, for each kind of network: a table of counts, darker where there are more.

    Args:
        table: As `measure.confusion` gives it.
    """
    rows, columns = (list(dict.fromkeys(table[column])) for column in ("networks", "named"))
    picture = figure(0.08 + 0.052 * len(rows))
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
    axis.set_ylabel("networks")
    axis.xaxis.set_label_position("top")
    axis.set_xlabel("what the search names")
    axis.spines[:].set_visible(False)
    return picture


def offsets(table: pd.DataFrame, *, floor: float) -> Figure:
    """Scores of the candidates against the offset of training, with intervals over networks.

    Args:
        table: As `measure.offsets` gives it.
    """
    looks = {"orientation": (ORIGINAL, "o"), "mean": (FALSE, "s")}
    picture = figure(0.5)
    axis = picture.subplots()
    for name, part in table.groupby("statistic", sort=False):
        colour, marker = looks.get(str(name), (PINK, "^"))
        _line(axis, part, "a", str(name), colour, marker)
    axis.axhline(floor, color=GREY, linestyle="--", label="floor")
    axis.set_xscale("log")
    _plain_ticks(axis, [0.01, 0.02, 0.05, 0.1, 0.2])
    axis.set(xlabel="offset a in training", ylabel="balanced accuracy", ylim=(0.45, 1.02))
    picture.legend(loc="outside upper center", ncols=4, frameon=False)
    tidy(axis)
    return picture


def reaches(table: pd.DataFrame, *, floor: float) -> Figure:
    """Score of the planted statistic against the reach of the inputs.

    Args:
        table: As `measure.reaches` gives it.
    """
    looks = {
        "planted": (FALSE, "s", "trained, pattern gives the label away"),
        "independent": (ORIGINAL, "o", "trained, pattern says nothing"),
        "untrained": (GREEN, "^", "untrained"),
    }
    picture = figure(0.5)
    axis = picture.subplots()
    for name, part in table.groupby("training", sort=False):
        colour, marker, label = looks[str(name)]
        _line(axis, part, "reach", label, colour, marker)
    axis.axhline(floor, color=GREY, linestyle="--", label="floor")
    axis.axvline(1, color=GREY, linestyle=":", label="used here")
    axis.set_xscale("log")
    _plain_ticks(axis, sorted(set(table["reach"])))
    axis.set(xlabel="mean size of the pattern in the inputs, in units of its size in training",
             ylabel="balanced accuracy\nof the planted statistic", ylim=(0.42, 1.02))  # fmt: skip
    picture.legend(loc="outside upper center", ncols=3, frameon=False, fontsize="small")
    tidy(axis)
    return picture


def mixtures(table: pd.DataFrame) -> Figure:
    """Share that the audit measures against the share built in, a mark an audit.

    Args:
        table: As `measure.mixtures` gives it.
    """
    names = list(dict.fromkeys(table["problem"]))
    picture = figure(0.42)
    axes = picture.subplots(1, len(names), sharey=True)
    looks = {"mixture": (GREEN, "^"), "undecided": (GREY, "x"), "none": (PINK, "D")}
    for axis, name in zip(axes, names, strict=True):
        own = table[table["problem"] == name]
        axis.axline((0, 0), slope=1, color="0.5", linewidth=0.8)
        for _, part in own.groupby("p"):
            spread = 0.1 * ((part["seed"] + 0.5) / (part["seed"].max() + 1) - 0.5)
            for (_, row), shift in zip(part.iterrows(), spread, strict=True):
                named = (FALSE, "s") if row["p"] > 0.5 else (ORIGINAL, "o")
                colour, marker = looks.get(row["verdict"], named)
                axis.plot([row["p"] + shift] * 2, [row["low"], row["high"]], color=colour,
                          linewidth=0.5)  # fmt: skip
                axis.plot(row["p"] + shift, row["share"], marker, color=colour, markersize=2.5)
        axis.set_title(name, loc="left", fontsize="medium")
        axis.set(xlim=(-0.1, 1.1), ylim=(-0.03, 1.03))
        axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
        tidy(axis)
    axes[0].set_ylabel("share that the audit finds")
    axes[len(names) // 2].set_xlabel(
        "share of the inputs on which the false structure was built in"
    )
    entries = {"named: original": (ORIGINAL, "o"), "named: false": (FALSE, "s"), **looks}
    shown = [name for name in entries if name in {*table["verdict"]} or name not in looks]
    handles = [
        axes[0].plot([], [], entries[name][1], color=entries[name][0], markersize=4, label=name)[0]
        for name in shown
    ]
    picture.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False,
                   fontsize="small")  # fmt: skip
    return picture


def sizes(table: pd.DataFrame) -> Figure:
    """Sizes that labels find against a gradient attack's: a mark a network.

    Args:
        table: As `measure.gaps` gives it.
    """
    names = list(dict.fromkeys(table["kind"]))
    picture = figure(0.42)
    axis = picture.subplots()
    for place, (column, label, colour) in enumerate(
        (("ratio", "the audit", BLUE), ("random", "random directions only", FALSE))
    ):
        heights = [-names.index(kind) for kind in table["kind"]]
        axis.plot(table[column], heights, MARKERS[place], label=label, **dots(colour))
    axis.axvline(1, color=GREY, linestyle="--")
    axis.set_xscale("log")
    _plain_ticks(axis, [1, 2, 5, 10, 20])
    axis.set_yticks([-i for i in range(len(names))], names)
    axis.set_xlabel("size found, in units of what an attack with gradients finds")
    axis.legend(frameon=False, loc="lower right")
    tidy(axis)
    return picture


def models(table: pd.DataFrame) -> Figure:
    """Share of the conflict set on which scikit-learn's models follow the pattern: a mark a fit.

    Args:
        table: As `measure.models` gives it.
    """
    table = table[table["rho"] == 1]
    names, kinds = (list(dict.fromkeys(table[column])) for column in ("model", "kind"))
    picture = figure(0.45)
    axis = picture.subplots()
    for place, kind in enumerate(kinds):
        own = table[table["kind"] == kind]
        heights = [-names.index(m) - 0.22 * (place - 1) for m in own["model"]]
        axis.plot(own["share"], heights, MARKERS[place], markersize=4, label=kind,
                  **dots(SERIES[place]))  # fmt: skip
    axis.set_yticks([-i for i in range(len(names))], names)
    axis.set(xlim=(-0.02, 1.02), xlabel="share of the conflict set on which the pattern decides")
    picture.legend(loc="outside upper center", ncols=len(kinds), frameon=False)
    tidy(axis)
    return picture


def _line(axis, part: pd.DataFrame, x: str, label: str, colour: str, marker: str) -> None:  # type: ignore[no-untyped-def]
    part = part.sort_values(x)
    axis.plot(part[x], part["score"], marker=marker, color=colour, label=label)
    axis.fill_between(part[x], part["low"], part["high"], color=colour, alpha=0.2, linewidth=0)


def _plain_ticks(axis, values: list[float]) -> None:  # type: ignore[no-untyped-def]
    axis.set_xticks(values, [f"{value:g}" for value in values])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
