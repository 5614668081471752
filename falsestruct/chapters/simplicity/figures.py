"""Figures of the chapter on simplicity."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from falsestruct.plots import shapes
from falsestruct.plots.shapes import Look
from falsestruct.plots.style import BLUE, FALSE, GREEN, GREY, MARKERS, ORIGINAL, figure, tidy

LABELS = {"samples": "samples", "steps": "steps", "bits": "code length in bits"}
STRUCTURES = {
    "original": Look("original", ORIGINAL, "o", shift=-0.03, line="-"),
    "false": Look("false", FALSE, "s", shift=0.03, line="-"),
}
KINDS = {
    "trained": Look("trained", BLUE, "o", line="-"),
    "linearised": Look("linearised", GREEN, "^", line="--"),
}


def needs(
    table: pd.DataFrame, *, names: dict[str, str] | None = None, axis: str = "offset a"
) -> Figure:
    """What each structure takes alone against its strength: a row a learner, a column a measure.

    Args:
        table: As `evidence.needs` gives it. An infinite value was never reached: it is drawn as an
            open mark on the dotted line, above all that was tried.
        names: What to call the structures "original" and "false".
        axis: Of the strength.
    """
    learners = list(dict.fromkeys(table["learner"]))
    picture = figure(0.12 + 0.26 * len(learners))
    axes = picture.subplots(len(learners), len(LABELS), sharex=True, squeeze=False)
    for row, learner in zip(axes, learners, strict=True):
        for panel, name in zip(row, LABELS, strict=True):
            _needs_panel(panel, table[(table["learner"] == learner) & (table["measure"] == name)])
        row[0].set_ylabel(learner)
    for panel, label in zip(axes[0], LABELS.values(), strict=True):
        panel.set_title(label, fontsize="medium")
    for panel in axes[-1]:
        panel.set_xlabel(axis)
    called = names or {which: which for which in STRUCTURES}
    looks = [Look(called[w], own.colour, own.marker, line="-") for w, own in STRUCTURES.items()]
    shapes.legend(picture, [*looks, Look("more than tried", hollow=True, line=":")])
    return picture


def _needs_panel(axis: Axes, part: pd.DataFrame) -> None:
    largest = part["largest"].iloc[0]
    ceiling = 1.6 * largest if np.isfinite(largest) else np.inf
    if np.isfinite(ceiling):
        axis.axhline(ceiling, color=GREY, linestyle=":", linewidth=0.9)
    for look, own in shapes.groups(part.sort_values("a"), "structure", STRUCTURES):
        x = own["a"] * (1 + look.shift)
        value, low, high = (own[name].clip(upper=ceiling) for name in ("value", "low", "high"))
        reached = np.isfinite(own["value"])
        axis.plot(x, value.where(reached), color=look.colour, linewidth=1)
        axis.vlines(x, low, high, color=look.colour, linewidth=1.2)
        for chosen, face in ((reached, look.colour), (~reached, "white")):
            marks = look.mark | {"markerfacecolor": face}
            axis.plot(x[chosen], value[chosen], linestyle="none", ms=4.5, **marks)
    axis.set(xscale="log", yscale="log")
    bottom, top = axis.get_ylim()
    subs = (1, 2, 5) if top / bottom < 100 else (1,)
    axis.yaxis.set_major_locator(LogLocator(subs=subs, numticks=9))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    tidy(axis)


def history(table: pd.DataFrame) -> Figure:
    """Share of the conflict set read by colour against steps, a panel a learner.

    Columns: learner, a, step, mean, low, high, fit (median step of the first fit).
    """
    called = table.assign(offset=[f"a = {a:g}" for a in table["a"]], x=table["step"] + 1)
    looks = shapes.series(called.sort_values("a")["offset"], line="-")
    picture, panels = _shares(called, 2, axis="training steps + 1", share="share read by colour")
    for axis, part in panels:
        for look, curve in shapes.groups(part.sort_values("step"), "offset", looks):
            shapes.curve(axis, curve, "x", "mean", look, band=True, ms=3)
            fit = float(curve["fit"].iloc[0]) + 1
            ring = look.mark | {"markerfacecolor": "none", "markeredgewidth": 1.5, "ms": 9}
            axis.plot(fit, np.interp(fit, curve["x"], curve["mean"]), clip_on=False, **ring)
        axis.axhline(0.5, color=GREY, linestyle=":", linewidth=0.9)
    shapes.legend(picture, looks, columns=4)
    return picture


def linearised(table: pd.DataFrame) -> Figure:
    """Share of the conflict set read by colour, trained and linearised, a panel a learner.

    Columns: learner, a, kind ("trained", "linearised"), share, low, high.
    """
    picture, panels = _shares(table, 4, axis="offset a", share="read by colour", small=True)
    for axis, part in panels:
        for look, curve in shapes.groups(part.sort_values("a"), "kind", KINDS):
            shapes.curve(axis, curve, "a", "share", look, band=True)
    shapes.legend(picture, KINDS)
    return picture


def _shares(
    table: pd.DataFrame, columns: int, *, axis: str, share: str, small: bool = False
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A panel a learner: a share against something on a logarithmic axis.

    Args:
        axis, share: What to call the two.
        small: Of the panels' titles.
    """
    count = table["learner"].nunique()
    picture, panels = shapes.panels(
        table, "learner", columns=columns, aspect=0.1 + 0.27 * -(-count // columns), sharex=True
    )
    for place, (panel, _) in enumerate(panels):
        panel.set(xscale="log", ylim=(-0.04, 1.04))
        if small:
            panel.set_title(panel.get_title(loc="left"), loc="left", fontsize="small")
        if place % columns == 0:
            panel.set_ylabel(share)
        if place >= count - columns:  # lowest of its column
            panel.set_xlabel(axis)
            panel.tick_params(labelbottom=True)
    return picture, panels


def ranking(table: pd.DataFrame) -> Figure:
    """Predicted over measured crossover: a row a predictor, a mark an architecture and width.

    Columns: predictor, learner, ratio, inside, factor, low, high (of the predictor).
    """
    rows = table.groupby("predictor", sort=False)[["factor", "low", "high"]].first()
    rows = rows.sort_values("factor")
    picture, axis = shapes.single(0.75)
    axis.axvspan(1 / 1.5, 1.5, color="0.93", lw=0)
    axis.axvline(1, color=GREY, linewidth=0.9)
    looks = shapes.series(table["learner"], spread=0.5)
    last = list(looks)[-1]
    if len(looks) > len(MARKERS):  # a seventh thing needs a look of its own
        looks[last] = Look(last, "black", "p", looks[last].shift)
    places = {name: -place for place, name in enumerate(rows.index)}
    for name, look in looks.items():
        own = table[table["learner"] == name]
        own = own.assign(height=own["predictor"].map(places))
        for inside, face in ((True, look.colour), (False, "white")):
            part = own[own["inside"] == inside][["ratio", "height"]]
            shapes.marks(axis, part, "ratio", look, markerfacecolor=face)
    shapes.named(axis, [
        f"{name}\n(off by {row.factor:.2f} [{row.low:.2f}, {row.high:.2f}])"
        for name, row in zip(rows.index, rows.itertuples(), strict=True)
    ])  # fmt: skip
    axis.set_xscale("log")
    axis.set_xticks([0.05, 0.1, 0.2, 0.5, 1, 2, 5], ["1/20", "1/10", "1/5", "1/2", "1", "2", "5"])
    axis.minorticks_off()
    axis.set_xlabel("predicted over measured crossover")
    shapes.legend(picture, looks, columns=4)
    return picture
