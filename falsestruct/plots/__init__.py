"""Figures: a table in, a Figure out. Nothing is computed here but positions and colours.

Here are the style and the first chapters' figures; other chapters have a module of their own.

Every function takes the table that `press.figures.publish` stores, so any figure can be drawn
again from its data, at another width or font size.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Okabe and Ito's hues, darker: each has a contrast of 3 to 1 with white, the first two, which are
# also written with, 4.5 to 1, and they stay further apart than the originals under every common
# colour blindness (tests/plots/test_palette.py). One structure, one colour, in the whole book.
BLUE, ORANGE, GREEN, PINK = "#20518D", "#AC3C00", "#098651", "#C0588A"
YELLOW, SKY, GREY = "#BB8900", "#2E95F5", "#6B6B6B"
ORIGINAL, FALSE = BLUE, ORANGE
SERIES = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")


def figure(aspect: float = 0.55) -> Figure:
    """An empty Figure as wide as the style says; aspect is height by width."""
    width = mpl.rcParams["figure.figsize"][0]
    return Figure(figsize=(width, aspect * width), layout="constrained")


def tidy(axes: mpl.axes.Axes) -> None:
    """No frame on the right and on top, a faint grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)


def dots(colour: str, face: float = 0.35) -> dict[str, Any]:
    """Keywords of marks that may lie on each other: a translucent face in an edge that is seen."""
    return {
        "color": colour,
        "markerfacecolor": mpl.colors.to_rgba(colour, face),
        "markeredgecolor": colour,
        "markeredgewidth": 0.6,
    }


def structures_pair(table: pd.DataFrame) -> Figure:
    """f_a along x₁, and the plane as the original and as the hint see it: three rows, one x axis.

    Args:
        table: As `theory.oscillation_tables.pair` gives it.
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

    Args:
        table: As `theory.oscillation_tables.radii` gives it.
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

    Args:
        table: As `theory.oscillation_tables.networks` gives it.
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


def stripe_examples(table: pd.DataFrame) -> Figure:
    """One image of each kind; `experiments.stripes.examples`."""
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


def oscillation_history(table: pd.DataFrame) -> Figure:
    """Accuracy against steps for each run: mean over seeds, and the middle 90 % of them.

    Columns: run, step, test (hint, zero, swapped), mean, low, high.
    """
    names = list(dict.fromkeys(table["run"]))
    picture = figure(0.62)
    axes = picture.subplots(2, 2, sharex=True, sharey=True).flatten()
    looks = {
        "hint": (GREEN, "o", "right hint"),
        "zero": (ORIGINAL, "^", "no hint"),
        "swapped": (FALSE, "s", "wrong hint"),
    }
    for axis, name in zip(axes, names, strict=True):
        for test, (colour, marker, label) in looks.items():
            part = table[(table["run"] == name) & (table["test"] == test)]
            axis.plot(part["step"], part["mean"], marker=marker, ms=3, color=colour, label=label)
            axis.fill_between(
                part["step"], part["low"], part["high"], color=colour, alpha=0.2, lw=0
            )
        axis.set_title(name, fontsize="medium")
        axis.set_xscale("log")
        axis.set_ylim(-0.03, 1.03)
        tidy(axis)
    for axis in axes[::2]:
        axis.set_ylabel("accuracy")
    for axis in axes[2:]:
        axis.set_xlabel("training steps")
    axes[0].legend(title="tested with the", fontsize="small", title_fontsize="small")
    return picture


def oscillation_delta(table: pd.DataFrame) -> Figure:
    """Share of the conflict set that sides with the hint against δ; columns of `delta_summary`."""
    picture = figure(0.45)
    axis = picture.subplots()
    errors = (table["share"] - table["low"], table["high"] - table["share"])
    axis.errorbar(table["delta"], table["share"], yerr=errors, color=FALSE, marker="s", capsize=3)
    axis.axhline(0.75, color="0.4", linestyle=":")
    axis.set_xscale("log")
    axis.set_ylim(-0.03, 1.03)
    axis.set_xlabel("δ, the size of the hint in x₂ (x₁ spans a quarter)")
    axis.set_ylabel("share of conflict set\nsiding with the hint")
    tidy(axis)
    return picture


def oscillation_record(table: pd.DataFrame) -> Figure:
    """Accuracy with x₂ = 0 against steps, a line a seed, for training with 10,000 and 5,000.

    Columns: training, seed, step, zero, paper (what the released network of that run reaches).
    """
    picture = figure(0.5)
    axes = picture.subplots(1, 2, sharey=True)
    for axis, (name, part) in zip(axes, table.groupby("training"), strict=True):
        for _, own in part.groupby("seed"):
            axis.plot(own["step"], own["zero"], color=ORIGINAL, alpha=0.7, lw=0.6)
        mean = part.groupby("step")["zero"].mean()
        axis.plot(mean.index, mean, color="black", lw=2, label="mean over seeds")
        axis.plot(part["step"].max(), part["paper"].iloc[0], "*", ms=12, color=FALSE,
                  label="released network", clip_on=False, zorder=5)  # fmt: skip
        axis.set_title(str(name), fontsize="medium")
        axis.set_xscale("log")
        axis.set_xlabel("training steps")
        tidy(axis)
    axes[0].set_ylabel(r"accuracy on $S_\varepsilon$, no hint")
    axes[0].set_ylim(0.35, 1.03)
    axes[1].legend(loc="lower right", fontsize="small")
    return picture


def oscillation_changes(table: pd.DataFrame, *, needed: int) -> Figure:
    """Exact numbers of pieces and sign changes along x₁, one mark a network.

    Columns: label, pieces, changes.
    """
    names = list(dict.fromkeys(table["label"]))
    picture = figure(0.42)
    axes = picture.subplots(1, 2, sharey=True)
    for axis, column in zip(axes, ("pieces", "changes"), strict=True):
        for place, name in enumerate(names):
            own = table[table["label"] == name][column]
            ranks = own.groupby(own).cumcount() / len(own)
            axis.plot(own, place + 0.6 * ranks - 0.1, MARKERS[place], color=SERIES[place], ms=4)
        axis.axvline(needed, color="0.2", linestyle="--")
        axis.set_xlim(left=-0.5)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        tidy(axis)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(-0.4, len(names) - 0.2)
    axes[0].set_xlabel("linear pieces at x₂ = 0")
    axes[1].set_xlabel("sign changes at x₂ = 0")
    return picture


def training_engines(table: pd.DataFrame) -> Figure:
    """How fast each engine trains each architecture, and the one that is used.

    Columns: architecture, engine, dtype, rate, chosen.
    """
    names = list(dict.fromkeys(table["architecture"]))
    picture = figure(0.5)
    panels = picture.subplots(1, 2, sharey=True)
    for axis, dtype in zip(panels, ("float32", "float64"), strict=True):
        for place, engine in enumerate(("looped", "stacked", "dense")):
            own = table[(table["dtype"] == dtype) & (table["engine"] == engine)]
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
    picture.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
    return picture


def training_shares(table: pd.DataFrame) -> Figure:
    """What the time of training is spent on: a bar an architecture, a hatch a kind of operation.

    Columns: architecture, kind, share.
    """
    names, kinds = (list(dict.fromkeys(table[column])) for column in ("architecture", "kind"))
    picture = figure(0.5)
    axis = picture.subplots()
    hatches = ("", "///", "xxx", "...", "\\\\\\", "")
    colours = (*SERIES[:5], "0.55")
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


def scaling_curve(table: pd.DataFrame) -> Figure:
    """Time of a run against cores, with the line of perfect scaling.

    Columns: cores, seconds, ideal.
    """
    picture = figure(0.5)
    axis = picture.subplots()
    axis.loglog(table["cores"], table["seconds"] / 60, "o-", color=BLUE, label="the model")
    axis.loglog(
        table["cores"], table["ideal"] / 60, "--", color=GREY, label="work divided by cores"
    )
    axis.set(xlabel="cores", ylabel="minutes")
    ticks = [1, 2, 16, 256, 4096]
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_yticks([1, 2, 5, 10, 20, 50])
    axis.minorticks_off()
    axis.set_ylim(bottom=0.3 * table["seconds"].min() / 60)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.legend(frameon=False)
    tidy(axis)
    return picture


def scaling_check(table: pd.DataFrame) -> Figure:
    """Seconds on real workers beside the model's: one mark a run, the model as a bar.

    Columns: workers, run, measured, predicted.
    """
    picture = figure(0.34)
    axis = picture.subplots()
    for place, (workers, part) in enumerate(table.groupby("workers")):
        axis.plot(part["measured"], [-place] * len(part), "o", **dots(BLUE),
                  label="measured" if place == 0 else None)  # fmt: skip
        axis.plot([part["predicted"].iloc[0]] * 2, [-place - 0.3, -place + 0.3], color=ORANGE,
                  linewidth=2, label="the model" if place == 0 else None)  # fmt: skip
        axis.annotate(f"workers: {workers}", (0, -place), xytext=(6, 8),
                      textcoords="offset points")  # fmt: skip
    axis.set(xlim=(0, None), ylim=(-table["workers"].nunique() + 0.4, 0.6), yticks=[])
    axis.set_xlabel("seconds of the sweep")
    axis.legend(frameon=False, loc="lower right")
    tidy(axis)
    return picture
