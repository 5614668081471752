"""Figures in narrower columns than they were designed for: what to change, and what doesn't fit.

Plots are designed for the book's column. In a narrower one the same words need more of the width:
`fit` wraps labels and titles, stacks legends and moves them off the data, thins ticks, and makes
the figure taller. It never makes a text smaller. `misfits` tells what can't be read all the same.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    # Matplotlib's own stubs leave out much of what is needed here.
    Axes: TypeAlias = Any
    Axis: TypeAlias = Any
    Bbox: TypeAlias = Any
    Figure: TypeAlias = Any
    Legend: TypeAlias = Any
    Text: TypeAlias = Any

SMALLEST = 0.75  # of the size asked for; "small" is more, "x-small" less
ROUNDS = 8  # each sees what the one before has changed
TALLER = 1.15  # per round in which something doesn't fit its height
TALLEST = 2.0  # times the plot's own height
LOWEST = 5.5  # the highest panel's height in units of the font size, at least
COVERED = 0.15  # of a panel that its legend may cover, at most
_NUMBER = re.compile(r"[-−+.,0-9eE%k\s]*|\$\\mathdefault\{.*\}\$")


def fit(figure: Figure) -> None:
    """Rearrange labels, legends and ticks until they fit, without making a text smaller."""
    _lay_out(figure)
    labels = [(text, text.get_text(), axes) for axes in figure.axes for text in _labels(axes)]
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _settle(axis)
    tallest = TALLEST * figure.get_figheight()
    for _ in range(ROUNDS):
        changed = [_uncover(figure), *(_stack(legend, figure) for legend in _legends(figure))]
        changed += [_thin(axis) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
        changed += [_wrap(text, words, _room(text, axes)) for text, words, axes in labels]
        changed.append(_grow(figure, tallest))
        if not any(changed):
            return
        _lay_out(figure)


def misfits(figure: Figure, font_size: float) -> list[str]:
    """What can't be read: texts that are too small, cut off at the edge, or on each other."""
    _lay_out(figure)
    drawn, found = _drawn(figure), []
    slack = 0.3 * figure.dpi / 72  # points
    edge = figure.bbox
    for text in drawn:
        if text.get_fontsize() < SMALLEST * font_size - 1e-6:
            found.append(f"{_name(text)} has {text.get_fontsize():.1f} points")
        box = text.get_window_extent()
        over = max(edge.x0 - box.x0, edge.y0 - box.y0, box.x1 - edge.x1, box.y1 - edge.y1)
        if over > slack:
            found.append(f"{_name(text)} is cut off at the edge")
    # The box of a slanted text is mostly empty.
    level = [text for text in drawn if text.get_rotation() % 90 == 0]
    for index, text in enumerate(level):
        touched = (other for other in level[index + 1 :] if _touch(text, other))
        found += [f"{_name(text)} touches {_name(other)}" for other in touched]
    covers = [legend for legend in map(_legend, figure.axes) if legend and _covers(legend)]
    return found + [f"a legend covers {_covers(legend):.0%} of its panel" for legend in covers]


def _name(text: Text) -> str:
    return f'"{" ".join(text.get_text().split())}"'


def _touch(one: Text, other: Text) -> bool:
    """Along a line a little room must be left; above and below it the boxes have some already."""
    unit = one.get_fontsize() * one.get_figure().dpi / 72
    turns = {one.get_rotation(), other.get_rotation()}
    if len(turns) == 2:
        spare = (0.05 * unit, 0.05 * unit)
    else:
        spare = (0.2 * unit, -0.2 * unit) if turns == {90} else (-0.2 * unit, 0.2 * unit)
    return _overlap(one.get_window_extent(), other.get_window_extent(), *spare)


def _overlap(one: Bbox, other: Bbox, wide: float, high: float) -> bool:
    """Do boxes overlap by more than this in both directions? Negative: are they closer?"""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    up = min(one.y1, other.y1) - max(one.y0, other.y0)
    return bool(across > wide and up > high)


def _lay_out(figure: Figure) -> bool:
    """As it will be drawn; sizes are known then. Whether the labels leave room for the panels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if not isinstance(figure.canvas, FigureCanvasAgg):
        FigureCanvasAgg(figure)
    with warnings.catch_warnings(record=True) as said:
        warnings.filterwarnings("always", message="constrained_layout not applied")
        figure.draw_without_rendering()
    return not said


def _drawn(figure: Figure) -> list[Text]:
    """The texts that come onto the page: not the ticks outside of the view, say."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.text import Text as AnyText

    seen: set[str] = set()

    class Listening(RendererAgg):  # type: ignore[misc]
        def open_group(self, s: str, gid: str | None = None) -> None:
            if s == "text" and gid is not None:
                seen.add(gid)

    texts = {f"text-{index}": text for index, text in enumerate(figure.findobj(AnyText))}
    names = {id(text): text.get_gid() for text in texts.values()}
    for name, text in texts.items():
        text.set_gid(name)
    width, height = figure.bbox.size
    figure.draw(Listening(width, height, figure.dpi))
    for text in texts.values():
        text.set_gid(names[id(text)])
    return [text for name, text in texts.items() if name in seen and text.get_text().strip()]


def _labels(axes: Axes) -> Iterator[Text]:
    """Title and labels; the titles on the left and on the right are private to Matplotlib."""
    found = (axes.title, axes._left_title, axes._right_title, axes.xaxis.label, axes.yaxis.label)
    return (text for text in found if text.get_text().strip() and text.get_visible())


def _legend(axes: Axes) -> Legend | None:
    return axes.get_legend()


def _legends(figure: Figure) -> list[Legend]:
    return [*figure.legends, *filter(None, map(_legend, figure.axes))]


def _covers(legend: Legend) -> float:
    """The share of its panel that a legend covers, if that is too much; else 0."""
    box, panel = legend.get_window_extent(), legend.axes.bbox
    wide = min(box.x1, panel.x1) - max(box.x0, panel.x0)
    high = min(box.y1, panel.y1) - max(box.y0, panel.y0)
    share = max(wide, 0) * max(high, 0) / (panel.width * panel.height)
    return float(share) if share > COVERED else 0.0


def _uncover(figure: Figure) -> bool:
    """Move a panel's legend above the figure if it covers the data and is the only one."""
    legends = _legends(figure)
    if len(legends) != 1 or legends[0] in figure.legends or not _covers(legends[0]):
        return False
    (old,) = legends
    handles, labels = old.axes.get_legend_handles_labels()
    if labels != [text.get_text() for text in old.get_texts()]:
        handles, labels = old.legend_handles, [text.get_text() for text in old.get_texts()]
    title, size = old.get_title(), old.get_texts()[0].get_fontsize()
    old.remove()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(labels), frameon=False,
        fontsize=size, title=title.get_text() or None, title_fontsize=size,
    )  # fmt: skip
    _lay_out(figure)
    return True


def _room(text: Text, axes: Axes) -> float:
    """How long a line may be, so that it meets neither the edge nor the next panel's label."""
    if text is axes.yaxis.label:
        return float(1.1 * axes.bbox.height)
    figure, box = axes.get_figure(), text.get_window_extent()
    pad = 0.5 * text.get_fontsize() * figure.dpi / 72
    same = [other.bbox for other in figure.axes if other is not axes and _same(text, axes, other)]
    low = max((other.x1 for other in same if other.x1 <= axes.bbox.x0), default=None)
    high = min((other.x0 for other in same if other.x0 >= axes.bbox.x1), default=None)
    # A neighbour's label reaches as far into the gap as ours.
    start = 0.0 if low is None else (low + axes.bbox.x0) / 2
    end = figure.bbox.width if high is None else (high + axes.bbox.x1) / 2
    if text.get_horizontalalignment() == "left":
        return float(end - box.x0 - pad)
    centre = (box.x0 + box.x1) / 2
    return float(2 * min(centre - start, end - centre) - pad)


def _same(text: Text, axes: Axes, other: Axes) -> bool:
    """Has another panel a label or title where this one has `text`?"""
    if text is axes.xaxis.label:
        return bool(other.get_xlabel())
    return any(other.get_title(loc=place) for place in ("left", "center", "right"))


def _wrap(text: Text, words: str, room: float) -> bool:
    """Break `words` into lines that fit; whether that changed the text."""
    before, upright = text.get_text(), text.get_rotation() % 180 == 90

    def length(line: str) -> float:
        text.set_text(line)
        box = text.get_window_extent()
        return float(box.height if upright else box.width)

    # The author's own breaks are for the book's column: they stay only where they are enough.
    enough = all(length(line) <= room for line in words.split("\n"))
    text.set_text(words if enough else "\n".join(_break(words, room, length)))
    return text.get_text() != before


def _break(words: str, room: float, length: Callable[[str], float]) -> list[str]:
    """Lines broken at spaces and after hyphens, but not in formulas."""
    lines = [""]
    for word in re.findall(r"(?:\$[^$]*\$|\S)+", words):
        for index, part in enumerate(re.split(r"(?<=[^\W\d]-)(?=[^\W\d])", word)):
            longer = f"{lines[-1]}{'' if index or not lines[-1] else ' '}{part}"
            if not lines[-1] or length(longer) <= room:
                lines[-1] = longer
            else:
                lines.append(part)
    return lines


def _stack(legend: Legend, figure: Figure) -> bool:
    """One column less if the legend is wider than there is room; whether it was."""
    from matplotlib.offsetbox import VPacker

    box = legend._legend_handle_box  # Matplotlib can't rearrange a legend by public means
    columns = box.get_children()
    extent, edge = legend.get_window_extent(), figure.bbox
    fits = extent.x0 >= edge.x0 and extent.x1 <= edge.x1
    if fits or len(columns) < 2:
        return False
    items = [item for column in columns for item in column.get_children()]
    high = math.ceil(len(items) / (len(columns) - 1))
    kind = {"pad": 0, "sep": columns[0].sep, "align": columns[0].align}
    parts = [items[start : start + high] for start in range(0, len(items), high)]
    box._children = [VPacker(children=part, **kind) for part in parts]
    for part in box._children:
        part.set_figure(figure)
    return True


def _settle(axis: Axis) -> None:
    """Ticks that don't depend on the size, so that the layout leaves room for those drawn."""
    from matplotlib.ticker import MaxNLocator

    locator = axis.get_major_locator()
    if isinstance(locator, MaxNLocator):
        low, high = sorted(axis.get_view_interval())
        locator.set_params(nbins=max(2, sum(low <= tick <= high for tick in locator()) - 1))


def _thin(axis: Axis) -> bool:
    """Fewer numbers or upright words where the labels of ticks run into each other."""
    major = _thin_ticks(axis, axis.get_major_ticks(), minor=False)
    return _thin_ticks(axis, axis.get_minor_ticks(), minor=True) or major


def _thin_ticks(axis: Axis, ticks: list[Any], *, minor: bool) -> bool:
    low, high = sorted(axis.get_view_interval())
    places, labels = [], []
    for tick in ticks:
        shown = [text for text in (tick.label1, tick.label2) if text.get_visible()]
        shown = [text for text in shown if text.get_text().strip()]
        if shown and low <= tick.get_loc() <= high:
            places.append(tick.get_loc())
            labels.append(shown[0])
    if not _close(axis, labels):
        return False
    if all(_NUMBER.fullmatch(label.get_text()) for label in labels):
        return _fewer(axis, places, minor=minor)
    if axis.axis_name == "y":
        return False  # the figure grows
    axis.set_tick_params(rotation=90)
    return True


def _close(axis: Axis, labels: list[Text]) -> bool:
    if not labels or any(label.get_rotation() % 180 for label in labels):
        return False
    boxes = [label.get_window_extent() for label in labels]
    gap = 0.25 * labels[0].get_fontsize() * axis.axes.get_figure().dpi / 72
    if axis.axis_name == "x":
        return any(b.x0 - a.x1 < gap and a.x0 - b.x1 < gap for a, b in pairwise(boxes))
    return any(b.y0 < a.y1 and a.y0 < b.y1 for a, b in pairwise(boxes))


def _fewer(axis: Axis, shown: list[float], *, minor: bool) -> bool:
    """About half as many ticks, at even distances."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    locator = axis.get_minor_locator() if minor else axis.get_major_locator()
    if len(shown) < 2:
        return False
    if isinstance(locator, MaxNLocator):
        locator.set_params(nbins=max(1, len(shown) - 2))
        return len(shown) > 2
    if minor:
        axis.set_minor_locator(FixedLocator(shown[::2]))
    elif isinstance(locator, FixedLocator):
        ticks = list(locator())
        axis.set_ticks(ticks[::2], axis.get_major_formatter().format_ticks(ticks)[::2])
    else:
        axis.set_major_locator(FixedLocator(shown[::2]))
    return True


def _grow(figure: Figure, tallest: float) -> bool:
    """Make the figure taller if that gives something room which has too little; whether it did."""
    enough = _lay_out(figure) and not any(map(_tight, figure.axes)) and not _flat(figure)
    width, height = figure.get_size_inches()
    if enough or TALLER * height > tallest:
        return False
    figure.set_size_inches(width, TALLER * height)
    return True


def _flat(figure: Figure) -> bool:
    """Have labels and legends left hardly any height to the data?"""
    heights = [axes.bbox.height for axes in figure.axes if axes.get_aspect() == "auto"]
    size = max((text.get_fontsize() for axes in figure.axes for text in axes.get_xticklabels()),
               default=0.0)  # fmt: skip
    return bool(heights) and max(heights) < LOWEST * size * figure.dpi / 72


def _tight(axes: Axes) -> bool:
    """Is the label longer than the panel is high, or do texts lie above each other too closely?"""
    label = axes.yaxis.label
    if label.get_text().strip() and label.get_visible() and axes.get_aspect() == "auto":
        longer = label.get_window_extent().height > 1.15 * axes.bbox.height
        if longer or label.get_text().count("\n") > 1:
            return True
    ticks = [label for label in axes.get_yticklabels() if label.get_text().strip()]
    boxes = [text.get_window_extent() for text in (*ticks, *axes.texts)]
    return any(
        _overlap(one, other, 1.0, 1.0) and abs(one.y0 - other.y0) > 0.3 * one.height
        for index, one in enumerate(boxes)
        for other in boxes[index + 1 :]
    )
