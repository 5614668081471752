"""The gallery of figures, as MyST text."""

from __future__ import annotations

from collections.abc import Iterable

from falsestruct.press.notebook import figures
from falsestruct.press.notebook.figures import FORMATS, Published
from falsestruct.press.paths import Book, Output
from falsestruct.press.site import citing
from falsestruct.press.site.pages import at, download, table

FILES = (*FORMATS, "csv")


def read(book: Book, output: Output) -> list[Published]:
    """All figures of an output in the order of their numbers."""
    return in_order(figures.all_figures(output), book)


def in_order(records: Iterable[Published], book: Book) -> list[Published]:
    """Figures by chapter, and in a chapter as its text publishes them.

    A figure whose id doesn't stand literally in the text comes after those that do.
    """

    def place(record: Published) -> tuple[str, float, str]:
        path = book.source / f"{record.chapter}.md"
        position = path.read_text().find(f'"{record.id}"') if path.exists() else -1
        return record.chapter, position if position >= 0 else float("inf"), record.id

    return sorted(records, key=place)


def index(records: Iterable[Published]) -> str:
    """A table of the figures: number and link, id, chapter."""
    rows = [
        [f"{{numref}}`fig-{record.id}`", f"[{record.id}](#figure-{record.id})", record.chapter]
        for record in records
    ]
    return table(["Figure", "Id", "Chapter"], rows, "figure-index", widths=[20, 50, 30])


def gallery(records: Iterable[Published], book: Book, output: Output) -> str:
    """All figures, each whole."""
    shown = (figure_entry(record, book, output) for record in records)
    return "\n".join(shown) or "No figure yet.\n"


def downloads(record: Published, book: Book, output: Output) -> str:
    """Links to a figure's files."""
    paths = ((kind, output.figures / f"{record.id}.{kind}") for kind in FILES)
    return f"Download {', '.join(download(book, path, kind.upper()) for kind, path in paths)}."


def redraw_command(record: Published) -> str:
    """The command that draws a figure for a paper's column, from its stored data."""
    return f"falsestruct figure {record.id} --style paper -o {record.id}.pdf"


def figure_entry(record: Published, book: Book, output: Output) -> str:
    """A figure with its picture, caption, chapter, downloads, citation, and how to make it again.

    Two ways: from the stored data, at another size; or from nothing, with its chapter.
    """
    id, alt = record.id, " ".join(record.alt.split())
    picture = at(book, output.figures / f"{id}.svg")
    return (
        f"(figure-{id})=\n"
        f"::::::{{admonition}} {id}\n:class: figure-entry\n\n"
        f"```{{image}} {picture}\n:alt: {alt}\n:class: thumbnail\n```\n\n"
        f"{{numref}}`fig-{id}`, in {{doc}}`/notebooks/{record.chapter}`. {record.caption}\n\n"
        f"{downloads(record, book, output)}\n\n"
        f"Draw it again for a paper's column, from the stored data; compute its data again:\n\n"
        f"```{{code-block}} bash\n"
        f"{redraw_command(record)}\n"
        f"falsestruct run {record.chapter} --force\n```\n\n"
        f"`````{{dropdown}} Cite it\n```{{code-block}} bibtex\n"
        f"{citing.figure_entry(book, record, output=output)}```\n`````\n"
        f"::::::\n"
    )
