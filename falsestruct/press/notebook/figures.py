"""Figures that can be cited and drawn again: files, data and a record of how they came about.

Matplotlib and pandas are imported only by what draws: the command line starts sooner without.
"""

from __future__ import annotations

import base64
import difflib
import html
import importlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import falsestruct
from falsestruct.press.notebook import environment, staging
from falsestruct.press.notebook.display import show
from falsestruct.press.paper import fitting
from falsestruct.press.paths import (
    Output,
    UserError,
    find_book,
    read_json,
    read_text,
    write_asked,
    write_atomically,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Plot = Callable[..., "Figure"]
FORMATS = ("svg", "pdf", "png")
FORMAT = 1  # raise it when `draw`, `save` or `fitting` make other pictures of the same data
WIDTH, FONT_SIZE = 6.3, 9.0  # inches, points: the book's column


@dataclass(frozen=True)
class Style:
    """What a figure is drawn for: its width and font size, and Matplotlib's settings beside them.

    Attributes:
        width, font_size: In inches and points.
        settings: Matplotlib's own names and values.
    """

    width: float
    font_size: float
    settings: Mapping[str, Any]


def _lines(scale: float) -> dict[str, Any]:
    """Matplotlib's own widths and lengths, times `scale`; every text as large as was asked for."""
    lengths = {
        "lines.linewidth": 1.5, "lines.markersize": 6.0, "errorbar.capsize": 0.0,
        "axes.linewidth": 0.8, "grid.linewidth": 0.8, "patch.linewidth": 1.0,
        "hatch.linewidth": 1.0, "xtick.major.width": 0.8, "ytick.major.width": 0.8,
        "xtick.minor.width": 0.6, "ytick.minor.width": 0.6,
        "xtick.major.size": 3.5, "ytick.major.size": 3.5,
        "xtick.minor.size": 2.0, "ytick.minor.size": 2.0,
    }  # fmt: skip
    return {name: scale * value for name, value in lengths.items()} | {"axes.titlesize": "medium"}


STYLES = {
    "book": Style(WIDTH, FONT_SIZE, {}),
    "paper": Style(3.25, 8.0, _lines(0.7)),  # a column of a two-column page
    "slides": Style(10.0, 18.0, _lines(2.0)),
}
_UNITS = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72.27}
_NOT_A_STYLE = {"date.epoch": "1970-01-01T00:00:00", "timezone": "UTC"}  # "default" leaves them
_NO_DATES = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


@dataclass(frozen=True)
class Published:
    """The record of a figure.

    Attributes:
        plot: "module:function" that draws it from its data.
        options: Keyword arguments of that function.
        caption, alt: What to see; what it shows to who can't see it.
        about: Parameters, versions, commit, and the key of the chapter that made its data.
        drawn: Key of what drew it, and the commit; empty if nobody knows.
    """

    id: str
    chapter: str
    plot: str
    options: dict[str, Any]
    caption: str
    alt: str
    about: dict[str, Any] = field(default_factory=dict)
    drawn: dict[str, str] = field(default_factory=dict)

    @property
    def function(self) -> Plot:
        """What draws it."""
        module, _, name = self.plot.partition(":")
        found: Plot = getattr(importlib.import_module(module), name)
        return found


def publish(
    plot: Plot, data: pd.DataFrame, id: str, caption: str, alt: str, **options: Any
) -> None:
    """Draw a figure, stage its files and show it.

    Args:
        plot: A function of `falsestruct.plots.style`: a table in, a Figure out.
        data: Everything that is drawn, in one table.
        id: Lower-case words joined by hyphens; the figure's name in files and citations.
        caption: What to see.
        alt: What the figure shows, for who can't see it.
        options: Passed on to `plot`; plain values only, for they are stored.

    Raises:
        UserError: the id is ill-formed or taken, or `plot` can't be found again.
    """
    run = staging.current()
    _check(plot, id, run)
    table = data.to_csv(index=False)
    figure = draw(plot, table, options, STYLES["book"])
    folder = run.folder / "figures"
    for format in FORMATS:
        write_atomically(folder / f"{id}.{format}", save(figure, format, id))
    write_atomically(folder / f"{id}.csv", table)
    where = f"{plot.__module__}:{plot.__name__}"
    about = {
        "parameters": run.parameters,
        "environment": environment.describe(),
        "version": falsestruct.__version__,
        "commit": environment.commit(find_book().root),
        "key": run.key,
    }
    record = Published(id, run.chapter, where, options, caption, alt, about)
    write_atomically(folder / f"{id}.json", json.dumps(asdict(record), indent=1) + "\n")
    _show(record, (folder / f"{id}.png").read_bytes())


def _check(plot: Plot, id: str, run: staging.Run) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id):
        raise UserError(f"figure id {id!r}: use lower-case words joined by hyphens")
    if plot.__module__ == "__main__" or not plot.__name__.isidentifier():
        raise UserError(f"figure {id!r}: only a function of a module can draw it again")
    if run.chapter == "by-hand":
        return
    if (run.folder / "figures" / f"{id}.json").exists():
        raise UserError(f"figure {id!r} is published twice in {run.chapter}")
    book = find_book()
    published = book.published.figures / f"{id}.json"
    owner = read_json(published)["chapter"] if published.exists() else run.chapter
    if owner != run.chapter and (book.source / f"{owner}.md").exists():
        raise UserError(f"figure id {id!r} belongs to {owner}: choose another one")


@contextmanager
def _shielded(settings: Mapping[str, Any]) -> Iterator[None]:
    """From Matplotlib's own defaults: a reader's matplotlibrc changes none of our figures."""
    import matplotlib.style

    defaults = matplotlib.style.context(["default", dict(settings)])
    with defaults, matplotlib.rc_context(_NOT_A_STYLE):
        yield


def draw(plot: Plot, table: str, options: Mapping[str, Any], style: Style) -> Figure:
    """Draw from the stored form of the data, so that it can be done again.

    Args:
        table: The data as CSV.
        style: The height follows from its width and the plot.
    """
    import pandas as pd

    settings = {
        "figure.figsize": (style.width, 0.62 * style.width),
        "font.size": style.font_size,
        "figure.constrained_layout.use": True,
        "savefig.facecolor": "white",
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
    }
    with _shielded({**settings, **style.settings}):
        figure = plot(pd.read_csv(io.StringIO(table)), **options)
        if style.width / style.font_size < WIDTH / FONT_SIZE:
            fitting.fit(figure)
        # Laid out once: each file format would do it again, which takes as long as drawing.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        return figure


def save(figure: Figure, format: str, salt: str) -> bytes:
    """A figure's file, the same bytes each time, whatever the reader's matplotlibrc says."""
    buffer = io.BytesIO()
    with _shielded({"svg.hashsalt": salt, "pdf.fonttype": 42}):
        figure.savefig(buffer, format=format, dpi=200, metadata=_NO_DATES[format])
    return buffer.getvalue()


def _show(record: Published, png: bytes) -> None:
    alt = " ".join(record.alt.split())
    show(
        markdown=(
            f":::{{figure}} ../book/figures/{record.id}.svg\n:name: fig-{record.id}\n"
            f":alt: {alt}\n:width: 100%\n\n{record.caption}\n:::\n"
        ),
        html=_html(record, png),
        text=f"figure {record.id}",
    )


def _html(record: Published, png: bytes) -> str:
    encoded, alt = base64.b64encode(png).decode(), " ".join(record.alt.split())
    return (
        f'<figure><img alt="{html.escape(alt)}" style="max-width:100%" '
        f'src="data:image/png;base64,{encoded}">'
        f"<figcaption>{html.escape(record.caption)}</figcaption>"
        "</figure>"
    )


def replace_picture(notebook: Mapping[str, Any], record: Published, png: bytes) -> None:
    """Put a figure that was drawn again where an executed notebook shows it."""
    for cell in notebook["cells"]:
        for shown in cell.get("outputs", []):
            data = shown.get("data", {})
            if "".join(data.get("text/plain", "")) == f"figure {record.id}":
                data["text/html"] = _html(record, png)


def store(output: Output, record: Published) -> None:
    """Write a figure's record."""
    text = json.dumps(asdict(record), indent=1) + "\n"
    write_atomically(output.figures / f"{record.id}.json", text)


def redrawn(output: Output, record: Published) -> dict[str, bytes]:
    """A figure's files as the book has them, by format, from its stored data.

    Raises:
        UserError: its function fails, or is gone.
    """
    table = read_text(output.figures / f"{record.id}.csv")
    try:
        figure = draw(record.function, table, record.options, STYLES["book"])
        return {format: save(figure, format, record.id) for format in FORMATS}
    except Exception as error:  # whatever a chapter's own function raises
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"figure {record.id!r} can't be drawn again: {what}") from error


def all_figures(output: Output) -> list[Published]:
    """The records of all figures of an output, by chapter and id."""
    found = [_record(path) for path in output.figures.glob("*.json")]
    return sorted(found, key=lambda record: (record.chapter, record.id))


def _record(path: Path) -> Published:
    try:
        return Published(**read_json(path))
    except TypeError:
        raise UserError(
            f"{path} is no record of a figure: restore it, or run its chapter"
        ) from None


def find_figure(output: Output, id: str) -> Published:
    """The record of one figure.

    Raises:
        UserError: there is none; the text names the nearest ids.
    """
    known = {record.id: record for record in all_figures(output)}
    if id not in known:
        near = difflib.get_close_matches(id, known, n=3, cutoff=0.3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ": see `falsestruct figures`"
        raise UserError(f"no figure {id!r}{hint}")
    return known[id]


def redraw(
    output: Output,
    id: str,
    *,
    format: str,
    width: float | None = None,
    font_size: float | None = None,
    style: str = "book",
) -> tuple[bytes, list[str]]:
    """A figure's file at another size, from the stored data; nothing is computed again.

    Args:
        format: One of `FORMATS`.
        width, font_size: In inches and points, positive; the style's own if None.
        style: One of `STYLES`.

    Returns:
        The file, and what in it can't be read at this size, as `fitting.misfits` has it.

    Raises:
        UserError: one of these is impossible, or there is no such figure.
    """
    if format not in FORMATS:
        raise UserError(f"format {format!r}: expected one of {', '.join(FORMATS)}")
    if style not in STYLES:
        raise UserError(f"style {style!r}: expected one of {', '.join(STYLES)}")
    look = STYLES[style]
    look = Style(
        look.width if width is None else width,
        look.font_size if font_size is None else font_size,
        look.settings,
    )
    if not (0 < look.width < 100 and 0 < look.font_size < 200):
        sizes = f"width {look.width:g} in, font size {look.font_size:g} pt"
        raise UserError(f"{sizes}: expected positive sizes, less than 100 in and 200 pt")
    record = find_figure(output, id)
    table = read_text(output.figures / f"{id}.csv")
    try:
        drawn = draw(record.function, table, record.options, look)
        return save(drawn, format, id), fitting.misfits(drawn, look.font_size)
    except Exception as error:  # whatever a chapter's own function raises
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"figure {id!r} can't be drawn from its data: {what}") from error


def inches(text: str) -> float:
    """A length like 3.25in, 8.5cm, 85mm or 240pt in inches.

    Raises:
        UserError: the text is no length.
    """
    match = re.fullmatch(r"([0-9]*\.?[0-9]+) *(in|cm|mm|pt)", text.strip())
    if not match:
        raise UserError(f"width {text!r}: expected a length like 3.25in, 8.5cm, 85mm or 240pt")
    return float(match[1]) * _UNITS[match[2]]


def write_figure(path: Path, data: bytes) -> None:
    """Write a figure's file where the reader asked for it."""
    write_asked(path, data)
