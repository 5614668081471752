"""Figures of chapter 02: a table in, a Figure out."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from falsestruct.plots.style import FALSE, GREEN, GREY, ORIGINAL, PINK, figure, tidy


def structures_pair(table: pd.DataFrame) -> Figure:
    """f_a along x₁, and the plane as the original and as the hint see it: three rows, one x axis.

    The table is that of `theory.oscillation_tables.pair`.
    """
    fig = figure(0.95)
    axes = fig.subplots(3, 1, sharex=True)
    intervals = table.drop_duplicates("low")
    columns = ("label", "low", "high", "inner_low", "inner_high")
    for label, low, high, *inner in zip(*(intervals[name] for name in columns), strict=True):
        axes[0].plot([low, high], [label] * 2, color=ORIGINAL, linewidth=2)
        axes[0].axvspan(*inner, color="0.92", linewidth=0)
        if label == 1:
            _region(axes[1], (low, high), (-0.6, 1.6), ORIGINAL)
    low, high = table.low.min(), table.high.max()
    _region(axes[2], (low, high), (0.5, 1.6), FALSE)
    for ax in axes[1:]:
        for label, marker, face in ((1, "o", "black"), (0, "s", "white")):
            points = table[table.label == label]
            ax.plot(
                points.x1, points.label, marker, color="black", markerfacecolor=face,
                markersize=3.5, linestyle="none", label=f"data with label {label}",
            )  # fmt: skip
        ax.set(ylim=(-0.6, 1.6), ylabel="$x_2\\,/\\,\\delta$")
    axes[0].set(ylim=(-0.25, 1.25), yticks=[0, 1], ylabel="$f_a(x_1)$")
    axes[0].set_title("the function $f_a$; grey: $S_\\varepsilon$, where the data lie", loc="left")
    axes[1].set_title("the plane as the original structure sees it", loc="left")
    axes[2].set_title("the plane as the hint sees it", loc="left")
    axes[2].set(xlabel="first input $x_1$", xlim=(low, high))
    handles, labels = axes[1].get_legend_handles_labels()
    patch = mpl.patches.Patch(facecolor="0.85", edgecolor="0.4", hatch="///")
    fig.legend(
        [*handles, patch], [*labels, "label 1 is given"],
        loc="outside lower center", ncols=3, frameon=False,
    )  # fmt: skip
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return fig


def _region(
    ax: mpl.axes.Axes, across: tuple[float, float], up: tuple[float, float], color: str
) -> None:
    """A rectangle in which a rule gives label 1: hatched, so that colour isn't needed."""
    corner, width, height = (across[0], up[0]), across[1] - across[0], up[1] - up[0]
    for face, edge, hatch in (((color, 0.18), "none", None), ("none", color, "///")):
        ax.add_patch(
            mpl.patches.Rectangle(
                corner, width, height, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0
            )
        )


def structures_radii(table: pd.DataFrame) -> Figure:
    """Stability radius against x₁ on a logarithmic axis, one curve a structure.

    The table is that of `theory.oscillation_tables.radii`.
    """
    fig = figure(0.48)
    ax = fig.subplots()
    ax.semilogy(
        table.x1, table.original, "o", color=ORIGINAL, markersize=3, label="oscillation (original)"
    )
    ax.semilogy(table.x1, table.hint, "s", color=FALSE, markersize=3, label="hint (false)")
    ax.axhline(table.epsilon[0], color=GREY, linestyle="--", linewidth=1)
    ax.text(table.x1.max(), table.epsilon[0] * 0.9, "$\\varepsilon$", va="top", ha="right")
    ax.text(table.x1.max(), table.hint[0] * 0.8, "$\\delta/2$", va="top", ha="right")
    ax.set(
        xlabel="first input $x_1$", ylabel="stability radius",
        ylim=(table.hint.min() / 3, table.original.max() * 2),
    )  # fmt: skip
    tidy(ax)
    fig.legend(loc="outside upper center", ncols=2, frameon=False)
    return fig


def structures_networks(table: pd.DataFrame) -> Figure:
    """Two ReLU networks along x₁ over the function whose labels they give.

    The table is that of `theory.oscillation_tables.networks`.
    """
    fig = figure(0.75)
    axes = fig.subplots(2, 1, sharex=True)
    original = table[table.what == "f"]
    for ax, what, color, marker in (
        (axes[0], "exact", GREEN, "o"),
        (axes[1], "smallest", PINK, "D"),
    ):
        drawn = table[table.what == what]
        ax.plot(original.x1, original.value, color=ORIGINAL, alpha=0.7, linewidth=4, label="$f_a$")
        ax.plot(drawn.x1, drawn.value, color=color, linewidth=1.3, label="network")
        inner = drawn.iloc[1:-1]
        ax.plot(inner.x1, inner.value, marker, color=color, markersize=4, label="its knots")
        ax.axhline(0.5, color=GREY, linestyle="--", linewidth=0.9)
        ax.set_title(f"the {what} network, {len(inner)} ReLUs", loc="left")
        ax.set_ylabel("value")
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        tidy(ax)
    axes[1].set(xlabel="first input $x_1$", xlim=(table.x1.min(), table.x1.max()))
    return fig
