"""The figures that readers cite: their ids, their files, and the width that they need."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pypdf
import pytest

from falsestruct.press.notebook import figures
from falsestruct.press.paths import Book

ROOT = Path(__file__).parents[2]
OUTPUT = Book(ROOT).published
LIST = ROOT / "tests" / "book" / "figure_ids.txt"
FILES = (*figures.FORMATS, "csv", "json")
WIDTHS = {"column": 3.25, "page": 6.75}  # inches; of a page with two columns

HOW = """
Figures are cited by their ids and downloaded by their file names, so these never change silently.
- A new figure: add `ID CHAPTER column` to tests/book/figure_ids.txt, in order of the ids; `page`
  instead of `column` if `falsestruct figure ID --style paper -o x.pdf` says that it is too narrow.
- A figure that is gone or has a new id: make its line `# gone: ID`, and say so in CHANGELOG.md."""


def listed() -> dict[str, tuple[str, str]]:
    lines = [line.split() for line in LIST.read_text().splitlines() if not line.startswith("#")]
    return {id: (chapter, width) for id, chapter, width in lines}


def test_the_list_is_the_book():
    ids = [record.id for record in figures.all_figures(OUTPUT)]
    assert list(listed()) == sorted(ids), HOW
    for record in figures.all_figures(OUTPUT):
        assert listed()[record.id][0] == record.chapter, f"{record.id} has moved{HOW}"
    assert list(listed()) == sorted(listed()), HOW


def test_a_figure_that_is_gone_is_in_the_changelog():
    """Who looks for it should find what became of it."""
    gone = re.findall(r"^# gone: (\S+)$", LIST.read_text(), re.M)
    for id in gone:
        assert id not in listed() and f"`{id}`" in (ROOT / "CHANGELOG.md").read_text(), HOW


def test_no_file_is_missing_and_none_is_left_over():
    names = {f"{id}.{kind}" for id in listed() for kind in FILES}
    assert {path.name for path in OUTPUT.figures.iterdir() if path.is_file()} == names, HOW


@pytest.mark.parametrize("id", listed())
def test_every_file_is_what_its_name_says(id):
    svg = ET.parse(OUTPUT.figures / f"{id}.svg").getroot()
    assert svg.tag.endswith("}svg")
    [page] = pypdf.PdfReader(OUTPUT.figures / f"{id}.pdf").pages
    fonts = [font.get_object() for font in page["/Resources"].get("/Font", {}).values()]
    for font in fonts:
        inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        assert {"/FontFile2", "/FontFile3"} & set(inner["/FontDescriptor"].get_object())
    assert fonts
    assert (OUTPUT.figures / f"{id}.png").read_bytes().startswith(b"\x89PNG\r\n")
    with (OUTPUT.figures / f"{id}.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows and all(None not in row for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize("id", listed())
def test_every_figure_can_be_read_in_a_paper(id):
    """At 8 pt: no text below 6 pt, none cut off, none on another, no legend on the data."""
    width = WIDTHS[listed()[id][1]]
    pdf, misfits = figures.redraw(OUTPUT, id, style="paper", width=width, format="pdf")
    assert misfits == [], HOW
    [page] = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert float(page.mediabox.width) == pytest.approx(72 * width)
