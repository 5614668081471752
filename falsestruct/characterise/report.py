"""What an audit or a search found: for a terminal, for programs, and as one page with pictures.

The page is self-contained: it asks no other machine for anything.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from falsestruct.characterise.held import Inputs

if TYPE_CHECKING:
    from falsestruct.characterise.suspicion import Example, Suspicion
    from falsestruct.characterise.verdicts import Share

WIDTH = 160  # of a picture on the page, in pixels
LONGEST = 400  # characters of a text that are shown
WIDEST = 64  # characters of a cell on a terminal, but those of the last column
COLUMNS = 12  # of a table's row that are shown


@dataclass(frozen=True)
class Table:
    """A table with a heading; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """An input, or a direction, with what there is to say about it.

    Attributes:
        shown: Values of an image or a curve; a text.
        caption: What it is; the picture's own size and range are its alternative text.
    """

    shown: np.ndarray | str
    caption: str


@dataclass(frozen=True)
class Page:
    """A report."""

    title: str
    verdict: str
    sentence: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    pictures_title: str = ""
    pictures: tuple[Picture, ...] = ()


# ---- what there is to say ----


def of_suspicion(found: Suspicion) -> Page:
    """The page of an audit."""
    columns = ("structure", "share", "95 % interval", "n")
    right = ("both, where they agree", *_share(found.success)[1:])
    rows = (*map(_share, found.captures), right)
    shares = Table("What it follows", columns, rows)
    checks = Table(
        "Controls",
        ("control", "passed", "what was seen"),
        tuple((c.name, "yes" if c.passed else "no", c.told) for c in found.checks),
    )
    facts = [("conflict inputs", found.how), ("asked", f"{found.queries} inputs")]
    if found.needed is not None:
        facts.append(("would decide", f"about {found.needed} more conflict inputs or groups"))
    if found.needed_agreeing is not None:
        more = f"about {found.needed_agreeing} more inputs or groups on which both agree"
        facts.append(("would say whether it has learnt", more))
    other = Table("How it was found", ("what", "value"), tuple(facts))
    pictures = tuple(_example(one, found) for one in found.examples)
    return Page(
        "Audit of a classifier",
        found.verdict,
        found.sentence,
        (shares, _instability(found), checks, other),
        found.warnings,
        "Inputs on which the structures disagree",
        pictures,
    )


def _share(own: Share) -> tuple[str, ...]:
    if own.share is None:
        return own.structure, "unknown", "0 % to 100 %", "0"
    interval = f"{percent(own.low)} to {percent(own.high)}"
    return own.structure, percent(own.share), interval, str(own.n)


def _instability(found: Suspicion) -> Table:
    own, rows = found.instability, list[tuple[str, ...]]()
    original, false = found.captures[0].structure, found.captures[1].structure
    for name, along in ((false, own.along_false), (original, own.along_original)):
        if along is not None and along.share is not None:
            told = f"{percent(along.share)} [{percent(along.low)}, {percent(along.high)}]"
            rows.append((f"answers that flip when only {name} changes", told))
    least = own.smallest
    for name, size in (("ℓ2", least.l2), ("ℓ∞", least.linf)):
        if size is not None:
            rows.append((f"smallest flip found, {name}", f"{size:.3g} {least.unit}"))
    if least.pieces is not None:
        rows.append(("smallest flip found", f"{least.unit}: {least.pieces:g}"))
    elif least.l2 is None:
        rows.append(("smallest flip found", "none, or none was searched for"))
    return Table("How easily it flips", ("what", "median or share"), tuple(rows))


def _example(own: Example, found: Suspicion) -> Picture:
    original, false = found.captures[0].structure, found.captures[1].structure
    said = f"{original}: {own.original}. {false}: {own.false}. The network: {own.answer}."
    return Picture(shown(own.shown), said)


def of_found(found: Any) -> Page:
    """The page of a search; `found` as `blind.search` returns it."""
    rows = tuple(
        (_rule(one), str(one.rank), *_foretold(one.foretold), _estimate(one.excess), one.over,
         f"{one.p:.2g}", _excess_of_flips(one), "yes" if one.named else "no")
        for one in found.ranked
    )  # fmt: skip
    columns = ("rule", "rank", "undecided", "all kinds", "flips", "excess", "over", "p",
               "excess of flips", "may be named")  # fmt: skip
    terms = tuple((_rule(one), "; ".join(one.terms)) for one in found.ranked if one.terms)
    baselines = tuple((name, *_foretold(own)) for name, own in found.baselines.items())
    facts = (
        ("right on x", _estimate(found.success)),
        ("probes on which the data's own rules disagree", percent(found.undecided)),
        ("probes, to choose and to judge", " and ".join(map(str, found.probes))),
        ("pairs of inputs that they are made of", " and ".join(map(str, found.clusters))),
        ("flips", _flips(found.flips)),
        ("asked", f"{found.queries} inputs"),
    )
    pictures = tuple(picture for one in found.ranked[:3] for picture in _directions(one))
    return Page(
        "Search: what explains a classifier",
        found.verdict,
        found.sentence,
        (
            Table("Rules that were judged", columns, rows),
            Table("What they look at, the heaviest first", ("rule", "terms"), terms),
            Table(
                "What other rules foretell",
                ("baseline", "undecided", "all kinds", "flips"),
                baselines,
            ),
            Table("How it was found", ("what", "value"), facts),
        ),
        tuple(found.warnings),
        "Directions",
        pictures,
    )


def _directions(own: Any) -> Iterator[Picture]:
    """Of a finalist; of texts and tables, whose coordinates have no places, the terms say them."""
    told = dict(term.split(": ", 1) for term in own.terms if re.match(r"direction \d+: ", term))
    for number, values in enumerate(own.pictures, start=1):
        name = f"direction {number}"
        if not told or name in told:
            caption = f"{_rule(own)}: {name} of {len(own.pictures)}."
            yield Picture(told.get(name, np.asarray(values)), caption)


def _excess_of_flips(own: Any) -> str:
    excess = getattr(own, "excess_flips", None)
    return "unknown" if excess is None else _estimate(excess)


def _flips(own: Sequence[Any]) -> str:
    """Those that last and how they were found; and, if known, all of them, and the questions."""
    lasting, how, *more = own
    if not more:
        return f"{lasting}, by {how}" if lasting else "none found"
    found, queries = more
    told = f"{lasting} of {found} last, by {how}" if found else "none found"
    return f"{told}; {queries} inputs asked about for them"


def _rule(own: Any) -> str:
    """A finalist's name, and the class that it tells from the rest."""
    return own.name if own.answer is None else f"{own.name}: whether it answers {own.answer}"


def _foretold(own: Any) -> tuple[str, str, str]:
    everywhere = getattr(own, "everywhere", None)
    return (
        _estimate(own.decisions), "unknown" if everywhere is None else _estimate(everywhere),
        "none found" if own.flips is None else _estimate(own.flips),
    )  # fmt: skip


def _estimate(own: Any) -> str:
    return f"{percent(own.value)} [{percent(own.low)}, {percent(own.high)}]"


def percent(share: float) -> str:
    """A share for a person; 99.96 is not 100."""
    value = 100 * share
    digits = 1 if 0 < abs(value) < 10 or 90 < abs(value) < 100 else 0
    return f"{value:.{digits}f} %"


def shown(x: Inputs) -> np.ndarray | str:
    """The first of these inputs: values of an image or a curve, or words."""
    if x.kind == "texts":
        text = x.texts()[0]
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    if x.kind == "table":
        row = x.frame().iloc[0]
        cells = [f"{name} = {value}" for name, value in row.items()]
        return ", ".join(cells[:COLUMNS]) + (", …" if len(cells) > COLUMNS else "")
    return np.asarray(x.take(np.arange(1)).array()[0])


def plain(value: Any, *, left_out: Collection[str] = ()) -> Any:
    """What JSON can hold: dataclasses as objects, NumPy's numbers as numbers, the rest as text.

    Args:
        left_out: Names of fields that are left out, of every dataclass.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return {own.name: plain(getattr(value, own.name), left_out=left_out)
                for own in fields(value) if own.name not in left_out}  # fmt: skip
    if isinstance(value, Mapping):
        return {str(key): plain(one, left_out=left_out) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one, left_out=left_out) for one in value]
    return str(value)


# ---- as text ----


def as_text(page: Page) -> str:
    """Lines for a terminal or a log."""
    parts = [f"verdict: {page.verdict}\n{page.sentence}"]
    for table in page.tables:
        if table.rows:
            parts.append("\n".join([f"{table.title}:", *_lines(table)]))
    if page.notes:
        parts.append("\n".join(["Notes:", *(f"- {note}" for note in page.notes)]))
    return "\n\n".join(parts)


def _lines(table: Table) -> list[str]:
    rows = [[*map(_short, row[:-1]), row[-1]] for row in (table.columns, *table.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _short(cell: str) -> str:
    """Without its middle: a rule's end says of which class it is. Pages and JSON have it whole."""
    return cell if len(cell) <= WIDEST else f"{cell[: WIDEST - 23]} … {cell[-20:]}"


# ---- as a page ----

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #c8c8c8; --soft: #f3f3f3 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --paper: #161616; --line: #4a4a4a; --soft: #242424 } }
body { margin: 0 auto; max-width: 52rem; padding: 1rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif }
.verdict { background: var(--soft); border-left: .3rem solid var(--ink); padding: .5rem 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .8rem .2rem 0; text-align: left;
  vertical-align: top; font-weight: normal }
thead th { font-weight: bold }
tbody th { min-width: 9rem }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; list-style: none; padding: 0 }
figure { margin: 0; max-width: 20rem }
figure img { image-rendering: pixelated; border: 1px solid var(--line); background: #fff }
figure svg { border: 1px solid var(--line) }
blockquote { margin: 0; padding: .5rem; background: var(--soft); overflow-wrap: anywhere }
"""


def as_html(page: Page) -> str:
    """One page, complete in itself."""
    title = escape(page.title)
    body = [
        f"<h1>{title}</h1>",
        f'<p class="verdict"><strong>Verdict: {escape(page.verdict)}.</strong> '
        f"{escape(page.sentence)}</p>",
    ]
    if page.notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in page.notes)
        body.append(f"<h2>Before you believe it</h2>\n<ul>{items}</ul>")
    body += [_table(table) for table in page.tables if table.rows]
    if page.pictures:
        figures = "\n".join(f"<li>{_figure(picture)}</li>" for picture in page.pictures)
        heading = f"<h2>{escape(page.pictures_title)}</h2>"
        body.append(f'{heading}\n<ul class="pictures">\n{figures}\n</ul>')
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}: {escape(page.verdict)}</title>\n<style>{STYLE}</style>\n</head>\n"
        "<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{_cell(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    # A region that scrolls must be reachable by the keyboard.
    return (
        f"<h2>{escape(table.title)}</h2>\n"
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(table.title)}"><table>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cell(text: str) -> str:
    """No line breaks between a number and its sign."""
    return escape(text).replace(" %", "\u00a0%")


def _figure(picture: Picture) -> str:
    caption = escape(picture.caption)
    if isinstance(picture.shown, str):
        drawn = f"<blockquote>{escape(picture.shown)}</blockquote>"
    elif picture.shown.ndim == 1 or _curves(picture.shown):
        drawn = _curve(picture.shown)
    else:
        data = base64.b64encode(png(picture.shown)).decode()
        rows, columns = picture.shown.shape[:2]
        alt = f"Picture of {rows} × {columns} pixels, {_span(picture.shown)}"
        drawn = f'<img src="data:image/png;base64,{data}" width="{WIDTH}" alt="{alt}">'
    return f"<figure>{drawn}<figcaption>{caption}</figcaption></figure>"


def _span(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    if not known.size:
        return "no value known"
    return f"values from {known.min():.3g} to {known.max():.3g}"


def _curves(values: np.ndarray) -> bool:
    """Whether (steps, features) would be an image too narrow to see."""
    return values.ndim == 2 and min(values.shape) <= 4 < max(values.shape)


def _curve(values: np.ndarray) -> str:
    """Values over their positions; every feature a line."""
    lines = values[None] if values.ndim == 1 else values.T
    low, high = _range(lines)
    height = WIDTH / 2
    across = np.linspace(2, WIDTH - 2, lines.shape[1])
    drawn = ""
    for line in lines:
        up = height - 2 - (np.nan_to_num(line, nan=low) - low) / (high - low) * (height - 4)
        points = " ".join(f"{a:.1f},{u:.1f}" for a, u in zip(across, up, strict=True))
        drawn += f'<polyline points="{points}" fill="none" stroke="currentColor"/>'
    label = f"Curve of {lines.shape[1]} values, {_span(values).removeprefix('values ')}"
    return (
        f'<svg role="img" aria-label="{label}" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}">{drawn}</svg>'
    )


def _range(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    return low, high if high > low else low + 1


def png(values: np.ndarray) -> bytes:
    """A picture of (rows, columns) or (rows, columns, channels), as the bytes of a PNG file.

    Whole numbers from 0 to 255 and shares from 0 to 1 are shown as they are; other values from
    their smallest, black, to their largest, white.
    """
    values = values if values.ndim == 2 or values.shape[2] in (3, 4) else values.mean(2)
    low, high = _range(values)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255 and np.array_equal(values, np.rint(values)):
        low, high = 0.0, 255.0
    grey = (np.nan_to_num(values, nan=low) - low) / (high - low)
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * grey).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
