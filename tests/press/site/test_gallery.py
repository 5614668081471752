"""The gallery of figures."""

from dataclasses import replace

import pytest
from pybtex.database import parse_string

from falsestruct.press.notebook import figures
from falsestruct.press.paths import Book
from falsestruct.press.site import gallery

FIGURE = figures.Published(
    "a-figure", "01_one", "plots:line", {}, "What to see.", "A line\nthat rises.", {}
)


@pytest.mark.slow
def test_a_figure_comes_with_downloads_citation_and_command(finished_once):
    book = finished_once.book
    records = gallery.read(book, book.published)
    assert [record.id for record in records] == ["one-line"]
    text = gallery.gallery(records, book, book.published)
    for kind in ("svg", "pdf", "png", "csv"):
        assert f"{{download}}`{kind.upper()} </book/figures/one-line.{kind}>`" in text
        assert (book.published.figures / f"one-line.{kind}").exists()
    for part in ("(figure-one-line)=", "A caption.", ":alt: A line.\n", "{doc}`/notebooks/01_one`"):
        assert part in text
    assert "falsestruct figure one-line --style paper" in text
    bibtex = text.partition("```{code-block} bibtex\n")[2].partition("```")[0]
    assert list(parse_string(bibtex, "bibtex").entries) == ["falsestruct:one-line"]


def test_the_index_of_figures_links_to_each():
    assert "[a-figure](#figure-a-figure)" in gallery.index([FIGURE])
    assert "{numref}`fig-a-figure`" in gallery.index([FIGURE])


def test_figures_come_as_their_chapters_publish_them(tmp_path):
    book = Book(tmp_path)
    book.source.mkdir()
    (book.source / "01_one.md").write_text('publish(p, t, "z")\nthen "b", at last "a"')
    (book.source / "02_two.md").write_text('"a-0"')
    places = [("02_two", "a-0"), ("01_one", "z"), ("01_one", "made-up"), ("01_one", "a")]
    places += [("01_one", "b"), ("00_gone", "y")]
    records = [replace(FIGURE, chapter=chapter, id=id) for chapter, id in places]
    ids = [record.id for record in gallery.in_order(records, book)]
    assert ids == ["y", "z", "b", "a", "made-up", "a-0"]


def test_no_figure_is_said(tmp_path):
    book = Book(tmp_path)
    assert gallery.gallery([], book, book.published) == "No figure yet.\n"
