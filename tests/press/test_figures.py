"""Figures that can be cited and drawn again."""

import csv
import json
import re
import sys
import types
import zlib

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from pybtex.database import parse_string

from falsestruct.press import figures, staging
from falsestruct.press.paths import UserError

TABLE = pd.DataFrame({"x": [1, 2, 3], "y": [0.1, 1 / 3, -2e-17]})
FONT_SIZES = []


def curve(table, label="y label"):
    width = mpl.rcParams["figure.figsize"][0]
    FONT_SIZES.append(mpl.rcParams["font.size"])
    figure = Figure(figsize=(width, width / 2), layout="constrained")
    axes = figure.subplots()
    axes.plot(table["x"], table["y"])
    axes.set_ylabel(label)
    return figure


@pytest.fixture(autouse=True)
def plotting(monkeypatch):
    """`curve` in a module of its own, as those of falsestruct.plots are."""
    module = types.ModuleType("plotting")
    module.curve = curve
    monkeypatch.setitem(sys.modules, "plotting", module)
    monkeypatch.setattr(curve, "__module__", "plotting")


@pytest.fixture
def published(run_of_one):
    figures.publish(curve, TABLE, "a-curve", "Caption.", 'The "alt"\n text.', label="other")
    folder = run_of_one.root / "_build" / "staged"
    return run_of_one.book.output(folder)


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
    at_home = {"width": figures.WIDTH, "font_size": figures.FONT_SIZE, "format": format}
    stored = (published.figures / f"a-curve.{format}").read_bytes()
    assert figures.redraw(published, "a-curve", **at_home) == stored
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "red", "svg.hashsalt": "x"}):
        assert figures.redraw(published, "a-curve", **at_home) == stored  # a reader's own style


def test_another_curve_is_another_file(published):
    first = figures.save(figures.draw(curve, TABLE.to_csv(index=False), {}), "svg", "a")
    flipped = TABLE.assign(y=-TABLE["y"]).to_csv(index=False)
    assert figures.save(figures.draw(curve, flipped, {}), "svg", "a") != first


@pytest.mark.parametrize(("width", "points"), [(3.25, 234.0), (6.3, 453.6), (85 / 25.4, 240.9449)])
def test_redrawn_at_exactly_this_width(published, width, points):
    def redraw(format):
        return figures.redraw(published, "a-curve", width=width, font_size=8, format=format)

    svg = re.search(rb'<svg [^>]*width="([0-9.]+)pt"', redraw("svg"))
    assert float(svg[1]) == pytest.approx(points, abs=1e-3)
    box = re.search(rb"/MediaBox \[ 0 0 ([0-9.]+) ([0-9.]+) \]", redraw("pdf"))
    assert float(box[1]) == pytest.approx(points, abs=1e-3)
    pixels = int.from_bytes(redraw("png")[16:20], "big")
    assert pixels == pytest.approx(200 * width, abs=1)


def test_redrawn_in_this_font_size(published):
    pdf = figures.redraw(published, "a-curve", width=3.25, font_size=7.5, format="pdf")
    assert FONT_SIZES[-1] == 7.5
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    texts = [zlib.decompress(s) for s in streams if s.startswith(b"x")]
    sizes = {float(size) for text in texts for size in re.findall(rb"/F\d+ ([0-9.]+) Tf", text)}
    assert sizes == {7.5}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "gif"}, "expected one of svg, pdf, png"),
        ({"format": ""}, "expected one of svg, pdf, png"),
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


def test_a_citation_is_bibtex(published, run_of_one):
    target = run_of_one.book.published.figures
    target.mkdir()
    for path in published.figures.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    [(key, entry)] = parse_string(
        figures.cite(run_of_one.book, "a-curve"), "bibtex"
    ).entries.items()
    assert key == "falsestruct:a-curve"
    people = entry.persons["author"]
    assert [str(person) for person in people] == ["Curie, Marie", "{The Book Group}"]
    assert entry.fields["title"] == r"A Book \& more: figure a-curve"
    assert entry.fields["year"] == "2026" and entry.fields["version"] == "0.1.0"
    assert entry.fields["note"] == r"Figure a-curve, chapter 01\_one, commit unknown"
    assert entry.fields["url"] == "https://example.org/book"


def test_no_citation_file_is_one_line(published, run_of_one):
    published.figures.rename(run_of_one.book.published.figures)
    run_of_one.file("CITATION.cff").unlink()
    with pytest.raises(UserError, match=r"CITATION\.cff is missing"):
        figures.cite(run_of_one.book, "a-curve")
