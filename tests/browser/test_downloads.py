"""What the gallery offers is what it says: each format opened, and the numbers those drawn."""

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pypdf import PdfReader

from falsestruct.press.notebook import figures
from falsestruct.press.paths import Book

pytestmark = pytest.mark.slow

BOOK = Book(Path(__file__).parents[2])
LINE = "scaling-curve"  # lines on logarithmic axes: points that can be read off the SVG


@pytest.fixture(scope="module")
def downloads(browser, server):
    """Every file that the gallery offers, as it comes when it is clicked: id and kind to bytes."""
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(f"{server}book/32_figures.html")
    found = {}
    for link in page.locator("article a.download").all():
        address = link.evaluate("link => link.href")
        id, _, kind = address.rpartition("/")[2].rpartition(".")
        response = context.request.get(address)
        assert response.ok, address
        found[id, kind] = response.body()
    with page.expect_download() as started:
        page.locator(f"article a.download[href$='/{LINE}.csv']").first.click()
    assert Path(started.value.path()).read_bytes() == found[LINE, "csv"]
    assert started.value.suggested_filename == f"{LINE}.csv"
    context.close()
    return found


def test_every_figure_is_offered_in_every_format(downloads):
    ids = {record.id for record in figures.all_figures(BOOK.published)}
    assert ids
    assert set(downloads) >= {(id, kind) for id in ids for kind in ("svg", "pdf", "png", "csv")}


def test_what_comes_is_what_was_published(downloads):
    for (id, kind), data in downloads.items():
        path = BOOK.published.figures / f"{id}.{kind}"
        if path.exists():
            assert data == path.read_bytes(), path.name


def kinds(downloads, wanted):
    found = {id: data for (id, kind), data in downloads.items() if kind == wanted}
    assert found
    return found.items()


def test_svg_parses_and_has_a_size(downloads):
    for id, data in kinds(downloads, "svg"):
        root = ElementTree.fromstring(data)
        assert root.tag.endswith("svg"), id
        assert re.fullmatch(r"[\d.]+pt", root.get("width")), id
        assert root.findall(".//{http://www.w3.org/2000/svg}path"), id


def test_pdf_is_one_page_with_its_fonts_embedded(downloads):
    for id, data in kinds(downloads, "pdf"):
        (page,) = PdfReader(io.BytesIO(data)).pages
        fonts = page["/Resources"].get("/Font", {})
        assert fonts, id
        for font in (reference.get_object() for reference in fonts.values()):
            inner = font.get("/DescendantFonts", [font])[0].get_object()
            descriptor = inner["/FontDescriptor"].get_object()
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor), id


def test_png_is_as_large_as_svg_and_pdf_say(downloads):
    for id, data in kinds(downloads, "png"):
        picture = Image.open(io.BytesIO(data))
        picture.load()
        points = [
            float(size)
            for size in PdfReader(io.BytesIO(downloads[id, "pdf"])).pages[0].mediabox[2:]
        ]
        assert np.allclose(np.array(picture.size) * 72 / 200, points, atol=0.5), id
        assert picture.size[0] == pytest.approx(figures.WIDTH * 200, abs=2), id


def test_csv_is_the_data_of_the_figure(downloads):
    for id, data in kinds(downloads, "csv"):
        table = pd.read_csv(io.BytesIO(data))
        pd.testing.assert_frame_equal(table, pd.read_csv(BOOK.published.figures / f"{id}.csv"))
        assert len(table) > 0, id


def test_the_numbers_in_the_csv_are_those_in_the_drawing(downloads):
    table = pd.read_csv(io.BytesIO(downloads[LINE, "csv"]))
    table = table[table["plan"] == table["plan"].iloc[0]]  # the line that is drawn first
    places = _longest_path(downloads[LINE, "svg"])
    assert len(places) == len(table)
    # Both axes are logarithmic: what is drawn is an affine image of the logarithms.
    for column, place in (("cores", places[:, 0]), ("seconds", places[:, 1])):
        value = np.log(table[column])
        fitted = np.polyval(np.polyfit(value, place, 1), value)
        assert np.abs(fitted - place).max() < 0.01 * np.ptp(place)


def _longest_path(svg: bytes) -> np.ndarray:
    """The points of the first drawn line of most points."""
    found = []
    for group in ElementTree.fromstring(svg).iter():
        if not group.get("id", "").startswith("line2d_"):
            continue
        for path in group:
            if path.tag.endswith("path"):
                pairs = re.findall(r"[ML] ([\d.-]+) ([\d.-]+)", path.get("d"))
                found.append(np.array(pairs, dtype=float))
    return max(found, key=len)
