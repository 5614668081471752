"""Figures with a slider: drawn in the browser from the stored data, the still beside them.

A slider chooses a value of one column; the page shows the rows that have it. The data is in the
page, so it works without a network and from a folder. Without scripts, and on paper, there is the
still figure alone.
"""

from __future__ import annotations

import csv
import html
import io
import json
from dataclasses import asdict, dataclass
from typing import Any

from falsestruct.press.notebook.figures import Published
from falsestruct.press.paths import Output, UserError


@dataclass(frozen=True)
class Slider:
    """How a figure's table becomes interactive.

    Attributes:
        column: What the slider chooses.
        label: What it is called.
        group: A column whose values get a bar each; empty for a single bar.
        share: The column that the bar shows, with `low` and `high` around it.
        reading: What a bar says.
        picture: What is drawn beside the bars: "stripes" or "hint".
        explanation: One sentence on what to try.
    """

    column: str
    label: str
    group: str
    share: str
    reading: str
    picture: str
    explanation: str


SLIDERS = {
    "stripes-crossover": Slider(
        "a", "offset a", "architecture", "share", "Share of the conflict set read by colour",
        "stripes",
        "Move the offset. Networks are trained on pictures like the first two. The third has the "
        "direction of the first and the colour of the second.",
    ),
    "oscillation-delta": Slider(
        "delta", "size of the hint δ", "", "share", "Share of the conflict set read by the hint",
        "hint",
        "Make the hint fainter. The picture shows it enlarged a thousand times. At a "
        "ten-thousandth it can hardly be seen even so, and networks still read it; below that "
        "they cease to.",
    ),
}  # fmt: skip


def has(record: Published) -> bool:
    """Whether a figure has a slider."""
    return record.id in SLIDERS


def block(record: Published, output: Output) -> str:
    """MyST with the slider's data; `_static/interactive.js` draws it."""
    data = html.escape(json.dumps(data_of(record.id, output), ensure_ascii=False), quote=False)
    return (
        "```{raw} html\n"
        f'<div class="interactive" data-figure="{record.id}" hidden>'
        f'<script type="application/json">{data}</script></div>\n'
        "```\n"
    )


def data_of(id: str, output: Output) -> dict[str, Any]:
    """The slider of a figure and its rows: value of the slider, group, share and interval.

    Raises:
        UserError: the stored table lacks a column.
    """
    slider = SLIDERS[id]
    rows = list(csv.DictReader(io.StringIO((output.figures / f"{id}.csv").read_text())))
    columns = [slider.column, slider.share, "low", "high", *filter(None, [slider.group])]
    missing = [name for name in columns if not rows or name not in rows[0]]
    if missing:
        raise UserError(f"figure {id!r} has no column {', '.join(missing)}: its slider needs it")
    shown = [
        {
            "at": float(row[slider.column]),
            "group": row[slider.group] if slider.group else "",
            "share": float(row[slider.share]),
            "low": float(row["low"]),
            "high": float(row["high"]),
        }
        for row in rows
    ]
    return asdict(slider) | {"rows": shown}
