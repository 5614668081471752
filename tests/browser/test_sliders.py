"""Figures with a slider show the stored numbers, from the keyboard too; not on paper."""

import csv
import re
from pathlib import Path

import pytest

from falsestruct.press.site.interactive import SLIDERS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PLACES = {"stripes-crossover": "03_stripes", "oscillation-delta": "04_oscillation"}


def rows(id):
    return list(csv.DictReader((ROOT / f"book/figures/{id}.csv").open()))


def spoken(box):
    """Shares in percent that the slider reads out, by group."""
    text = box.locator(".spoken").text_content().split(": ", 1)[1].rstrip(".")
    parts = [re.fullmatch(r"(.*?) ?(\d+) %", part.strip()) for part in text.split(",")]
    return {part[1]: int(part[2]) for part in parts}


@pytest.mark.parametrize("home", ["server", "file"])
@pytest.mark.parametrize("id", SLIDERS)
def test_a_slider_shows_the_stored_numbers(window, server, html, home, id):
    root = server if home == "server" else f"{html.as_uri()}/"
    page = window(f"{root}notebooks/{PLACES[id]}.html")
    box = page.locator(f".interactive[data-figure={id}]")
    slider, chosen, table = box.locator("input"), SLIDERS[id], rows(id)
    values = sorted({float(row[chosen.column]) for row in table})
    slider.focus()
    page.keyboard.press("Home")
    for value in values:
        assert float(box.locator("output").text_content()) == value
        own = [row for row in table if float(row[chosen.column]) == value]
        group = chosen.group or chosen.column
        expected = {row[group] if chosen.group else "": float(row[chosen.share]) for row in own}
        assert box.locator(".chart > p").text_content() == chosen.reading
        found = spoken(box)
        assert found.keys() == expected.keys()
        assert all(abs(found[name] - 100 * expected[name]) <= 0.51 for name in found)
        assert box.locator("svg.bars rect.bar").count() == len(own)
        page.keyboard.press("ArrowRight")
    assert float(box.locator("output").text_content()) == values[-1]


@pytest.mark.parametrize("id", SLIDERS)
def test_a_bar_is_as_long_as_its_share(window, server, id):
    page = window(f"{server}notebooks/{PLACES[id]}.html")
    box = page.locator(f".interactive[data-figure={id}]")
    widths = box.evaluate(
        "b => [...b.querySelectorAll('rect.bar')].map(r => r.width.baseVal.value)"
    )
    lines = box.evaluate(
        "b => [...b.querySelectorAll('svg.bars line.grid')].map(l => l.x1.baseVal.value)"
    )
    whole = max(lines) - min(lines)
    chosen = SLIDERS[id]
    value = float(box.locator("output").text_content())
    own = [row for row in rows(id) if float(row[chosen.column]) == value]
    shares = [float(row[chosen.share]) for row in own]
    expected = [max(1, share * whole) for share in shares]
    assert widths == pytest.approx(expected, abs=0.5)


def test_on_paper_there_is_the_still_alone(window, server):
    page = window(f"{server}notebooks/03_stripes.html")
    assert page.locator(".interactive").is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".interactive").is_visible()
    assert page.locator("#fig-stripes-crossover img").is_visible()


def test_without_scripts_there_is_the_still_alone(browser, server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server}notebooks/03_stripes.html")
    assert not page.locator(".interactive").is_visible()
    assert page.locator("#fig-stripes-crossover img").is_visible()
    context.close()


def test_the_brightness_of_the_pictures_follows_the_slider(window, server):
    page = window(f"{server}notebooks/03_stripes.html")
    box = page.locator(".interactive")
    corner = """b => [...b.querySelectorAll("canvas")].map(
        c => c.getContext("2d").getImageData(1, 1, 1, 1).data[0])"""
    box.locator("input").focus()
    page.keyboard.press("Home")
    faint = box.evaluate(corner)
    page.keyboard.press("End")
    strong = box.evaluate(corner)
    horizontal, vertical, conflict = strong
    assert horizontal < vertical == conflict
    assert max(faint) - min(faint) <= 2 < vertical - horizontal
