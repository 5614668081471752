"""Pictures of ten key pages, for people to look at: _build/screenshots/."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "_build" / "screenshots"
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
SHOTS = [
    ("book/index", "light", "wide"),
    ("book/index", "dark", "phone"),
    ("notebooks/01_paradox", "light", "wide"),
    ("notebooks/02_structures", "dark", "wide"),
    ("notebooks/03_stripes", "light", "phone"),
    ("notebooks/05_success", "dark", "wide"),
    ("notebooks/08_images", "light", "phone"),
    ("book/31_evidence", "light", "wide"),
    ("book/31_evidence", "dark", "phone"),
    ("book/32_figures", "dark", "wide"),
]


@pytest.mark.parametrize(("shown", "mode", "size"), SHOTS)
def test_a_picture_for_people(window, server, shown, mode, size):
    width, height = SIZES[size]
    page = window(
        f"{server}{shown}.html", color_scheme=mode, viewport={"width": width, "height": height}
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{Path(shown).name}-{mode}-{size}.png"
    # Twelve windows down: whole ledgers are too tall for a picture.
    tall = page.evaluate("document.scrollingElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": min(tall, 12 * height)})
    page.screenshot(path=path)
    assert path.stat().st_size > 20_000
