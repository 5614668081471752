"""What the build adds to a chapter: it comes from the run's own results."""

from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
import pytest

from falsestruct.press.notebook import claims, figures
from falsestruct.press.paths import Book, UserError, find_book
from falsestruct.press.run import chapters
from falsestruct.press.site import chapter_pages, interactive
from falsestruct.press.site.chapter_pages import duration, explained
from falsestruct.press.site.ledger import Entry
from tests.worlds.ledger import entry


@pytest.fixture(scope="module")
def shown(finished_once) -> tuple[Book, dict[str, Any]]:
    """The throw-away book after a run, and its first chapter with what the build adds."""
    return finished_once.book, augmented(finished_once.book)


def augmented(book: Book) -> dict[str, Any]:
    stored = nbformat.read(book.published.notebooks / "01_one.ipynb", as_version=4)
    page = chapter_pages.page(book, "01_one", stored, output=book.published)
    return chapter_pages.augment(page, book, book.published)


def texts(notebook: dict[str, Any]) -> list[str]:
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]


def test_the_head_comes_between_title_and_text(shown):
    first = texts(shown[1])[0]
    assert first.startswith("# One\n")
    assert "**1 claim**: [1 supported]{.verdict .verdict-supported}." in first
    assert "It holds. [Result](#claim-one-holds)" in first
    assert "`falsestruct run 01_one`" in first


def test_a_figure_has_a_fold_with_everything_to_cite_it(shown):
    fold = next(text for text in texts(shown[1]) if "Cite or download" in text)
    for kind in ("svg", "pdf", "png", "csv"):
        assert f"</book/figures/one-line.{kind}>" in fold
    assert "@misc{falsestruct:one-line," in fold
    assert "falsestruct figure one-line" in fold
    cells = shown[1]["cells"]
    place = next(i for i, cell in enumerate(cells) if "Cite or download" in cell["source"])
    assert chapter_pages.published_in(cells[place - 1]) == ["one-line"]


def test_the_foot_says_what_the_page_was_made_with(shown):
    foot = texts(shown[1])[-1]
    mark = shown[1]["metadata"][chapters.MARK]
    for word in ("Commit", "Machine", "Threads", "Seconds", "Versions", "seeds = 3"):
        assert word in foot
    assert mark["environment"]["torch"] in foot and f"{mark['seconds']:g}" in foot
    assert "<01_one.ipynb>" in foot and "<../book/01_one.md>" in foot
    assert "falsestruct run 01_one -p seeds=2" in foot
    assert "`scale`" in foot and "`1.5`" in foot


def test_the_stored_notebook_stays_as_it_is(shown):
    book = shown[0]
    stored = nbformat.read(book.published.notebooks / "01_one.ipynb", as_version=4)
    before = copy.deepcopy(stored)
    page = chapter_pages.page(book, "01_one", stored, output=book.published)
    chapter_pages.augment(page, book, book.published)
    assert stored == before


def test_a_chapter_without_run_and_claims_has_no_head(shown):
    page = chapter_pages.Page("x", {"cells": [], "metadata": {}}, [], {})
    assert chapter_pages.head(page) == ""


def test_a_chapter_begins_with_its_title(shown):
    bad = {"cells": [{"cell_type": "markdown", "source": "No title"}], "metadata": {}}
    page = chapter_pages.Page("x", bad, [], {})
    with pytest.raises(ValueError, match="x: the first cell is no heading"):
        chapter_pages.augment(page, shown[0], shown[0].published)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.1, "about 5 seconds"),
        (22, "about 25 seconds"),
        (59, "about 60 seconds"),
        (60, "about 1 minute"),
        (119, "about 2 minutes"),
        (202.4, "about 4 minutes"),
    ],
)
def test_durations_are_rounded_up(seconds, text):
    assert duration(seconds) == text


def test_comments_explain_parameters():
    source = 'a = 1  # a # sign\nb = [\n  1,\n]  # a list\nc = "# none"\n'
    assert explained(source) == {"a": "a # sign", "b": "a list", "c": ""}


@pytest.mark.parametrize("name", chapters.read_chapters(find_book()))
def test_every_parameter_of_the_book_is_explained(name):
    chapter = chapters.read_chapters(find_book())[name]
    code = next(cell for cell in chapter.notebook.cells if cell.cell_type == "code")
    assert [k for k, v in explained(code.source).items() if not v] == []


def test_claims_of_several_architectures_share_a_line():
    book = find_book()
    stated = claims.read_claims(book)
    own = [c for c in stated.values() if c.chapter == "06_instability"]
    entries = [Entry(claim, None) for claim in own]
    page = chapter_pages.Page("06_instability", {"cells": [], "metadata": {}}, entries, {})
    head = chapter_pages.head(page)
    lines = [line for line in head.splitlines() if line.startswith("- ")]
    assert len(lines) == len({chapter_pages.stem(entry) for entry in entries}) < len(own)
    assert all(f"#ledger-{claim.id})" in head for claim in own)


@pytest.mark.parametrize("id", interactive.SLIDERS)
def test_a_slider_shows_what_its_figure_shows(id):
    book = find_book()
    data = interactive.data_of(id, book.published)
    import pandas as pd

    table = pd.read_csv(book.published.figures / f"{id}.csv")
    slider = interactive.SLIDERS[id]
    assert [row["at"] for row in data["rows"]] == table[slider.column].tolist()
    assert [row["share"] for row in data["rows"]] == table[slider.share].tolist()
    assert all(r["low"] <= r["share"] <= r["high"] for r in data["rows"])


def test_a_slider_without_its_column_is_an_error(shown, monkeypatch):
    slider = interactive.SLIDERS["oscillation-delta"]
    monkeypatch.setitem(interactive.SLIDERS, "one-line", slider)
    record = figures.find_figure(shown[0].published, "one-line")
    with pytest.raises(UserError, match="figure 'one-line' has no column delta, share, low, high"):
        interactive.block(record, shown[0].published)


def test_a_chapter_without_seeds_has_no_example_of_a_parameter():
    mark = {chapters.MARK: {"parameters": {"seed": 0, "K": 30}, "threads": 1}}
    page = chapter_pages.Page("x", {"cells": [], "metadata": mark}, [], {})
    assert chapter_pages.run_command(page) == "falsestruct run x --force"


def test_the_fold_stands_between_a_figure_and_what_its_cell_shows_next(shown):
    """A cell that shows a figure and then a table is shown in two parts, its code once."""
    book = shown[0]
    notebook = json.loads((book.published.notebooks / "01_one.ipynb").read_text())
    cell = next(c for c in notebook["cells"] if chapter_pages.published_in(c))
    later = {"output_type": "display_data", "data": {"text/plain": "a table"}, "metadata": {}}
    shows = [out for out in cell["outputs"] if chapter_pages.published_in({"outputs": [out]})]
    cell["outputs"] = [later, *shows, later]
    page = chapter_pages.page(book, "01_one", notebook, output=book.published)
    cells = chapter_pages.augment(page, book, book.published)["cells"]
    place = next(i for i, cell in enumerate(cells) if "Cite or download" in cell["source"])
    before, after = cells[place - 1], cells[place + 1]
    assert before["source"] == cell["source"] and len(before["outputs"]) == 2
    assert after["source"] == "# continued" and after["outputs"] == [later]
    assert "hide-input" in before["metadata"]["tags"]
    assert "remove-input" in after["metadata"]["tags"] and after["id"] != before["id"]


def test_the_example_changes_the_seeds_and_lists_of_seeds_are_shown():
    parameters = {"attack_seeds": 2, "seeds": 20, "plain_seeds": [20, 10]}
    mark = {chapters.MARK: {"parameters": parameters, "threads": 1}}
    page = chapter_pages.Page("x", {"cells": [], "metadata": mark}, [], {})
    assert "run x -p seeds=5 " in chapter_pages.run_command(page)
    foot = chapter_pages.foot(page)
    assert "`attack_seeds = 2`, `seeds = 20`, `plain_seeds = [20, 10]`" in foot


def test_a_figure_is_shown_from_where_the_output_has_it(shown):
    pictures = [
        out["data"]["text/markdown"]
        for cell in shown[1]["cells"]
        for out in cell.get("outputs", [])
        if chapter_pages.published_in({"outputs": [out]})
    ]
    assert [text.splitlines()[0] for text in pictures] == [":::{figure} /book/figures/one-line.svg"]


def test_recorded_numbers_become_a_card_by_the_rules_of_today(shown):
    book = shown[0]
    stored = nbformat.read(book.published.notebooks / "01_one.ipynb", as_version=4)
    page = chapter_pages.page(book, "01_one", stored, output=book.published)
    out = {"data": {claims.MIME: {"ids": ["one-holds"]}, "text/plain": "one-holds: 3"}}
    chapter_pages.decide(out, page)
    assert list(out["data"]) == ["text/markdown"]
    assert "{admonition} Supported: It holds." in out["data"]["text/markdown"]
    unknown = {"data": {claims.MIME: {"ids": ["gone"]}, "text/plain": "gone: 3"}}
    chapter_pages.decide(unknown, page)
    assert unknown["data"]["text/plain"] == "gone: 3"


def test_checks_are_no_part_of_the_count():
    entries = [entry(), entry("b-claim", kind="check")]
    page = chapter_pages.Page("01_one", {"cells": [], "metadata": {}}, entries, {})
    head = chapter_pages.head(page)
    assert "**1 claim**: [1 supported]" in head and "Beside them 1 check." in head
    assert "[check supported]{.verdict .verdict-check}" in head


def test_a_page_begins_with_its_title(shown):
    book = shown[0]
    with pytest.raises(ValueError, match="31_x: the text begins with no heading"):
        chapter_pages.with_ends("Text", "31_x", book, book.published)
