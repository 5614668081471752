"""The published figures, as files: what is drawn can be seen, what is written can be read.

They are drawn on white, and white they stay in the dark. Contrast is taken with white, after
blending what is translucent. Exempt: grid and background bands, which carry nothing, fills whose
edge is seen, and pictures and maps, whose colours are their content.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb

FIGURES = Path(__file__).parents[2] / "book" / "figures"
WEIGHTS = np.array([0.2126729, 0.7151522, 0.0721750])
GRID = "#e6e6e6"
DATA = re.compile(r"line2d_|LineCollection_|PathCollection_|text_")


def contrast(colour: str, opacity: float = 1.0) -> float:
    """With white, on white."""
    value = opacity * np.array(to_rgb(colour)) + 1 - opacity
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return float(1.05 / (0.05 + WEIGHTS @ linear))


def style(element: ElementTree.Element) -> dict[str, str]:
    pairs = (part.partition(":") for part in element.get("style", "").split(";") if part)
    return {name.strip(): value.strip() for name, _, value in pairs}


def looks(root: ElementTree.Element) -> Iterator[tuple[str, dict[str, str]]]:
    """Each look in the figure, with the kind of thing that has it: line2d, text and so on.

    What a definition of a marker says is said again where it is used.
    """

    def walk(element, kind, inherited):
        if element.tag.endswith("defs"):
            return
        own = element.get("id", "")
        if DATA.match(own):
            kind = own.rpartition("_")[0]
        now = inherited | style(element)
        if kind and element.tag.rpartition("}")[2] in ("path", "use"):
            yield kind, now
        for child in element:
            yield from walk(child, kind, now)

    yield from walk(root, None, {})


def seen(look: dict[str, str]) -> float:
    """The better contrast of a mark's inside and edge."""
    whole = float(look.get("opacity", 1))
    found = []
    for part, usual in (("fill", "#000000"), ("stroke", "none")):
        colour = look.get(part, usual)
        if colour != "none":
            found.append(contrast(colour, whole * float(look.get(f"{part}-opacity", 1))))
    return max(found, default=21.0)


def faint(path: Path) -> dict[str, float]:
    """The looks in a figure that are too close to white, with their contrast."""
    found = {}
    # A figure without colours at its marks: ticks and glyphs say nothing and are black.
    on_colours = re.search("<image|QuadMesh", path.read_text()) is not None
    for kind, look in looks(ElementTree.parse(path).getroot()):
        if look.get("stroke") == GRID:
            continue
        if on_colours and kind == "line2d" and look.get("stroke") == "#ffffff":
            continue  # the casing of a line on a heat map
        if kind == "text" and look.get("fill") == "#ffffff":
            continue  # on a coloured cell; the plot's own tests look at those
        bound = 4.5 if kind == "text" else 3.0
        if seen(look) < bound:
            about = {name: look[name] for name in look if re.match("fill|stroke(-op|$)|op", name)}
            found[f"{kind} {about}"] = round(seen(look), 2)
    return found


def published() -> list[Path]:
    return sorted(FIGURES.glob("*.svg"))


@pytest.mark.parametrize("path", published(), ids=lambda path: path.stem)
def test_everything_drawn_can_be_seen_and_everything_written_read(path):
    assert faint(path) == {}


def test_contrast_is_that_of_the_standard():
    assert contrast("#ffffff") == pytest.approx(1)
    assert contrast("#000000") == pytest.approx(21)
    assert contrast("#777777") == pytest.approx(4.48, abs=0.01)
    assert contrast("#000000", 0.5) < contrast("#7f7f7f") + 0.01


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (lambda axes: axes.plot([0, 1], color="#E69F00"), "line2d"),
        (lambda axes: axes.plot([0, 1], "o", color="#20518D", alpha=0.3), "line2d"),
        (lambda axes: axes.scatter([0, 1], [0, 1], color="#56B4E9"), "PathCollection"),
        (lambda axes: axes.text(0.5, 0.5, "word", color="#D55E00"), "text"),
    ],
)
def test_what_is_too_faint_is_found(tmp_path, draw, kind):
    from matplotlib.figure import Figure

    figure = Figure()
    draw(figure.subplots())
    figure.savefig(tmp_path / "x.svg")
    assert any(name.startswith(kind) for name in faint(tmp_path / "x.svg"))


def test_what_is_dark_enough_passes(tmp_path):
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], "o-", color="#20518D")
    axes.fill_between([0, 1], [0, 1], color="#20518D", alpha=0.2)
    axes.grid(color="0.9")
    figure.savefig(tmp_path / "x.svg")
    assert faint(tmp_path / "x.svg") == {}
