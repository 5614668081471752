"""Figures of chapter 33: a table in, a Figure out."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.style import MARKERS, SERIES, figure, tidy


def training_engines(table: pd.DataFrame) -> Figure:
    """How fast each engine trains each architecture, and the one that is used.

    Columns: architecture, engine (or plain loop), dtype, rate, chosen.
    """
    names = list(dict.fromkeys(table["architecture"]))
    picture = figure(0.5)
    panels = picture.subplots(1, 2, sharey=True)
    for axis, dtype in zip(panels, ("float32", "float64"), strict=True):
        for place, engine in enumerate(("looped", "stacked", "dense", "fused", "plain loop")):
            own = table[(table["dtype"] == dtype) & (table["engine"] == engine)]
            if own.empty:
                continue
            heights = [-names.index(name) for name in own["architecture"]]
            axis.plot(own["rate"], heights, MARKERS[place], color=SERIES[place], label=engine)
        used = table[(table["dtype"] == dtype) & table["chosen"]]
        heights = [-names.index(name) for name in used["architecture"]]
        axis.plot(used["rate"], heights, "o", color="0.2", markerfacecolor="none", markersize=11,
                  linestyle="none", label="used")  # fmt: skip
        axis.set_xscale("log")
        axis.set_title(dtype, loc="left")
        axis.set_xlabel("networks × steps per second")
        tidy(axis)
    panels[0].set_yticks([-i for i in range(len(names))], names)
    handles, labels = panels[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside upper center", ncols=6, frameon=False)
    return picture


def training_shares(table: pd.DataFrame) -> Figure:
    """What the time of training is spent on: a bar an architecture, a hatch a kind of operation.

    Columns: architecture, kind, share.
    """
    names, kinds = (list(dict.fromkeys(table[column])) for column in ("architecture", "kind"))
    picture = figure(0.5)
    axis = picture.subplots()
    hatches = ("", "///", "xxx", "...", "\\\\\\", "++", "")
    colours = (*SERIES, "0.55")
    for place, kind in enumerate(kinds):
        for height, name in enumerate(names):
            own = table[table["architecture"] == name].set_index("kind")["share"]
            start = own.iloc[:place].sum()
            axis.barh(
                -height, own[kind], left=start, color=colours[place], hatch=hatches[place],
                edgecolor="white", linewidth=0.5, label=kind if height == 0 else None,
            )  # fmt: skip
    axis.set_yticks([-i for i in range(len(names))], names)
    axis.set(xlim=(0, 1), xlabel="share of the time of training")
    picture.legend(loc="outside upper center", ncols=3, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    return picture
