"""Figures that can be cited and drawn again."""

import csv
import io
import json
import re
import sys
import types

import matplotlib as mpl
import pandas as pd
import pypdf
import pytest
from matplotlib.figure import Figure

from falsestruct.press.notebook import figures, staging
from falsestruct.press.paths import UserError

TABLE = pd.DataFrame({"x": [1, 2, 3], "y": [0.1, 1 / 3, -2e-17]})


def curve(table, label="y label"):
    width = mpl.rcParams["figure.figsize"][0]
    figure = Figure(figsize=(width, width / 2), layout="constrained")
    axes = figure.subplots()
    axes.plot(table["x"], table["y"])
    axes.set(ylabel=label, title="δ, a title")
    return figure


@pytest.fixture(autouse=True)
def plotting(monkeypatch):
    """`curve` in a module of its own, as those of falsestruct.plots.style are."""
    module = types.ModuleType("plotting")
    module.curve = curve
    monkeypatch.setitem(sys.modules, "plotting", module)
    monkeypatch.setattr(curve, "__module__", "plotting")


@pytest.fixture
def published(run_of_one):
    figures.publish(curve, TABLE, "a-curve", "Caption.", 'The "alt"\n text.', label="other")
    folder = run_of_one.root / "_build" / "staged"
    return run_of_one.book.output(folder)


def redraw(published, format="pdf", **options):
    data, misfits = figures.redraw(published, "a-curve", format=format, **options)
    assert misfits == []
    return data


def test_all_files_are_staged(published):
    names = {path.name for path in published.figures.iterdir()}
    assert names == {f"a-curve.{kind}" for kind in ("svg", "pdf", "png", "csv", "json")}


def test_the_data_has_the_plotted_numbers(published):
    with (published.figures / "a-curve.csv").open() as file:
        rows = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
    assert rows == list(zip(TABLE["x"], TABLE["y"], strict=True))


def test_the_record_says_how_it_came_about(published):
    record = json.loads((published.figures / "a-curve.json").read_text())
    assert record["plot"] == "plotting:curve" and record["options"] == {"label": "other"}
    assert (record["id"], record["chapter"], record["caption"]) == (
        "a-curve", "01_one", "Caption.",
    )  # fmt: skip
    about = record["about"]
    assert about["parameters"] == {"seeds": 3} and about["key"] == "a key"
    assert {"environment", "version", "commit"} <= set(about)


@pytest.mark.parametrize("format", figures.FORMATS)
def test_the_same_bytes_each_time(published, format):
    stored = (published.figures / f"a-curve.{format}").read_bytes()
    assert redraw(published, format=format) == stored
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "red", "svg.hashsalt": "x"}):
        assert redraw(published, format=format) == stored  # a reader's own style


def test_panels_are_laid_out_once_for_all_formats():
    table = TABLE.to_csv(index=False)
    figure = figures.draw(curve, table, {}, figures.STYLES["book"])
    place = figure.axes[0].get_position().bounds
    unplanned = curve(TABLE)  # outside of the styles there is no layout
    assert place != pytest.approx(unplanned.axes[0].get_position().bounds, abs=1e-3)
    for format in figures.FORMATS:
        figure.axes[0].set_ylabel("a label\nof three\nlines")  # another layout would make room
        figures.save(figure, format, "a")
        assert figure.axes[0].get_position().bounds == place


def test_another_curve_is_another_file(published):
    def saved(table):
        drawn = figures.draw(curve, table.to_csv(index=False), {}, figures.STYLES["book"])
        return figures.save(drawn, "svg", "a")

    assert saved(TABLE.assign(y=-TABLE["y"])) != saved(TABLE)


@pytest.mark.parametrize(("width", "points"), [(3.25, 234.0), (6.3, 453.6), (85 / 25.4, 240.9449)])
def test_redrawn_at_exactly_this_width(published, width, points):
    size = {"width": width, "font_size": 8}
    svg = re.search(rb'<svg [^>]*width="([0-9.]+)pt"', redraw(published, "svg", **size))
    assert float(svg[1]) == pytest.approx(points, abs=1e-3)
    [page] = pypdf.PdfReader(io.BytesIO(redraw(published, **size))).pages
    assert float(page.mediabox.width) == pytest.approx(points, abs=1e-3)
    pixels = int.from_bytes(redraw(published, "png", **size)[16:20], "big")
    assert pixels == pytest.approx(200 * width, abs=1)


def look_into(pdf):
    """Font sizes in points and line widths, as the page's commands have them; its fonts."""
    [page] = pypdf.PdfReader(io.BytesIO(pdf)).pages
    commands = page.get_contents().operations
    sizes = {float(words[1]) for words, name in commands if name == b"Tf"}
    # The unit of a font size is the page's point as long as nothing scales the page.
    turns = [tuple(map(float, words[:4])) for words, name in commands if name == b"cm"]
    assert all(a * d - b * c == 1 for a, b, c, d in turns)
    widths = {float(words[0]) for words, name in commands if name == b"w"}
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    return sizes, widths, fonts


def descriptor(font):
    inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
    return inner["/FontDescriptor"].get_object()


def embedded(font):
    return {"/FontFile2", "/FontFile3"} & set(descriptor(font))


@pytest.mark.parametrize(
    ("options", "size", "width"),
    [
        ({"width": 3.25, "font_size": 7.5}, {7.5, 9.0}, 234),  # the title is larger, by 1.2
        ({"style": "paper"}, {8.0}, 234),
        ({"style": "slides"}, {18.0}, 720),
        ({"style": "paper", "width": 6.75}, {8.0}, 486),  # what is said counts
        ({"style": "slides", "font_size": 24.0}, {24.0}, 720),
    ],
)
def test_redrawn_in_these_points_with_embedded_fonts(published, options, size, width):
    pdf = redraw(published, **options)
    sizes, _, fonts = look_into(pdf)
    assert sizes == size
    assert fonts and all(embedded(font) for font in fonts)
    assert float(pypdf.PdfReader(io.BytesIO(pdf)).pages[0].mediabox.width) == width


def test_a_font_that_is_not_embedded_is_seen(published):
    _, _, fonts = look_into(redraw(published))
    del descriptor(fonts[0])["/FontFile2"]
    assert not embedded(fonts[0])


def test_lines_are_thin_on_paper_and_thick_on_slides(published):
    paper, book, slides = (
        max(look_into(redraw(published, style=style))[1]) for style in ("paper", "book", "slides")
    )
    assert paper < book < slides


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "gif"}, "expected one of svg, pdf, png"),
        ({"format": ""}, "expected one of svg, pdf, png"),
        ({"style": "poster"}, "expected one of book, paper, slides"),
        ({"width": 0}, "expected positive sizes"),
        ({"font_size": -1}, "expected positive sizes"),
    ],
)
def test_impossible_sizes_and_formats(published, changes, message):
    good = {"width": 3.0, "font_size": 8.0, "format": "svg"}
    with pytest.raises(UserError, match=message):
        figures.redraw(published, "a-curve", **good | changes)


@pytest.mark.parametrize(
    ("text", "inches"),
    [("3.25in", 3.25), (".5 in", 0.5), ("2.54cm", 1), ("25.4mm", 1), ("72.27pt", 1)],
)
def test_lengths(text, inches):
    assert figures.inches(text) == pytest.approx(inches)


@pytest.mark.parametrize("text", ["3.25", "wide", "-3in", "3 inches", "1e3in", "nanin", ""])
def test_no_lengths(text):
    with pytest.raises(UserError, match="expected a length like"):
        figures.inches(text)


def test_the_nearest_figures_are_named(published):
    with pytest.raises(UserError, match="no figure 'a-curv'; did you mean a-curve"):
        figures.find_figure(published, "a-curv")
    with pytest.raises(UserError, match="see `falsestruct figures`"):
        figures.find_figure(published, "zzz")


@pytest.mark.parametrize("id", ["Upper", "a_b", "a b", "../x", "-a", ""])
def test_ids_are_file_names(run_of_one, id):
    with pytest.raises(UserError, match="lower-case words joined by hyphens"):
        figures.publish(curve, TABLE, id, "", "")


def test_a_function_of_the_notebook_cannot_draw_it_again(run_of_one, monkeypatch):
    monkeypatch.setattr(curve, "__module__", "__main__")
    with pytest.raises(UserError, match="only a function of a module"):
        figures.publish(curve, TABLE, "a-curve", "", "")


def test_an_id_is_published_once(published):
    with pytest.raises(UserError, match="published twice in 01_one"):
        figures.publish(curve, TABLE, "a-curve", "", "")


def test_an_id_belongs_to_one_chapter(run_of_one):
    path = run_of_one.book.published.figures / "a-curve.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"chapter": "02_two"}))
    with pytest.raises(UserError, match="belongs to 02_two"):
        figures.publish(curve, TABLE, "a-curve", "", "")
    path.write_text(json.dumps({"chapter": "09_gone"}))
    figures.publish(curve, TABLE, "a-curve", "", "")


def test_by_hand_a_cell_may_run_twice(run_of_one, monkeypatch):
    monkeypatch.delenv(staging.VARIABLE)
    for _ in range(2):
        figures.publish(curve, TABLE, "a-curve", "", "")


def test_what_a_page_and_a_notebook_show(run_of_one, monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "show", lambda **forms: shown.append(forms))
    figures.publish(curve, TABLE, "a-curve", "If a < b.", 'The "alt"\n text.')
    [forms] = shown
    assert ":name: fig-a-curve\n" in forms["markdown"]
    assert ':alt: The "alt" text.\n' in forms["markdown"]
    assert "../book/figures/a-curve.svg" in forms["markdown"]
    assert 'alt="The &quot;alt&quot; text."' in forms["html"] and "If a &lt; b." in forms["html"]
