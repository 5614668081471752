"""What holds on every page: no error, no request elsewhere, accessible, readable on any screen."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def serious(violations):
    return [v for v in violations if v["impact"] in ("serious", "critical")]


def test_every_built_page_is_tested(html):
    toc = (Path(__file__).parents[2] / "_toc.yml").read_text()
    stated = {f"{name}.html" for name in re.findall(r"(?:root|file): (\S+)", toc)}
    built = [path for folder in ("book", "notebooks") for path in (html / folder).glob("*.html")]
    assert {str(path.relative_to(html)) for path in built} == stated


def test_nothing_goes_wrong_from_a_server(visits, name):
    assert visits(name).served.errors() == []


def test_nothing_goes_wrong_from_a_file(visits, name):
    assert visits(name).filed.errors() == []


def test_no_request_leaves_the_server(visits, server, name):
    assert visits(name).served.requests
    assert visits(name).served.elsewhere(server) == []


def test_no_request_leaves_the_folder(visits, html, name):
    assert visits(name).filed.requests
    assert visits(name).filed.elsewhere(html.as_uri() + "/") == []


def test_axe_finds_no_violation_that_bars_anyone(visits, name):
    assert serious(visits(name).axe["structure"]) == []
    assert serious(visits(name).axe["phone"]) == []


def test_axe_finds_no_other_violation_either(visits, name):
    assert [(v["id"], v["nodes"]) for v in visits(name).axe["structure"]] == []


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_all_text_has_enough_contrast(visits, name, mode):
    assert len(visits(name).looks[mode]) > 3
    assert visits(name).axe[mode] == []


def test_every_image_is_loaded_and_says_what_it_shows(visits, chapter):
    for image in visits(chapter).seen["images"]:
        alt = " ".join((image["alt"] or "").split())
        assert image["loaded"], image
        assert len(alt.split()) > 3, image
        assert not re.search(r"\.(svg|png|jpe?g)$|^_images", alt), image
        assert alt.rstrip(".") not in (image["caption"].rstrip("."), image["title"]), image


def test_headings_are_in_order(visits, name):
    levels = visits(name).seen["headings"]
    assert [level for level, _ in levels].count(1) == 1
    assert levels[0][0] == 1
    for (before, _), (level, text) in zip(levels, levels[1:], strict=False):
        assert level <= before + 1, text
        assert text


@pytest.mark.parametrize("seen", ["formulas", "formulas of the file"])
def test_formulas_are_set_without_errors(visits, chapter, seen):
    formulas = visits(chapter).seen[seen]
    assert formulas["failed"] == []
    assert formulas["set"] >= formulas["stated"]


@pytest.mark.parametrize("width", [1600, 390])
def test_only_tables_code_and_figures_scroll_sideways(visits, name, width):
    found = visits(name).sideways[width]
    assert found["over"] <= 0, found["wide"]
    assert visits(name).scrollers[width] == []
