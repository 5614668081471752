"""Pages of lines, and what the package's detector crops from them."""

import os
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from falsestruct.deployed import lines, pages
from falsestruct.deployed.fonts import Font
from falsestruct.deployed.pages import BAND, EDGE, LEAST, WIDE

SANS = Font("DejaVu Sans", Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf")
TEXTS = ("upright lines", "of a page", "are found")


@pytest.fixture(scope="module")
def detector():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", os.environ.copy())  # OpenCV sets variables
        pytest.importorskip("cv2", exc_type=ImportError)
        pytest.importorskip("rapidocr_onnxruntime", exc_type=ImportError)
        return pages.Detector()


def three():
    return [lines.drawn(text, SANS) for text in TEXTS]


def test_a_page_shows_each_line_where_it_says():
    own = three()
    page = pages.page(own)
    assert page.picture.shape == (max(LEAST, 2 * EDGE + 3 * BAND), WIDE)
    for line, (top, bottom, left, right) in zip(own, page.spots, strict=True):
        shown = page.picture[top : top + len(line), left:right]
        np.testing.assert_array_equal(shown, line)
        assert bottom - top == BAND
    turned = page.turned()
    top, bottom, left, right = turned.spots[1]
    np.testing.assert_array_equal(
        turned.picture[bottom - len(own[1]) : bottom, left:right], lines.turned(own[1])
    )
    with pytest.raises(ValueError, match="expected at most 110"):
        pages.page([np.zeros((BAND + 1, 5), dtype=np.uint8)])


def test_a_line_has_the_one_box_that_covers_it():
    def box(left, top, right, bottom):
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=float)

    spot = (60, 170, 60, 260)
    own, short, below = box(55, 70, 265, 110), box(55, 70, 150, 110), box(55, 180, 265, 220)
    assert pages._only([own, below], spot) is own
    assert pages._only([short, below], spot) is None  # half of the line
    assert pages._only([own, short], spot) is None  # two
    assert pages._only([below], spot) is None


def test_the_detector_crops_lines_both_ways(detector):
    own = three()
    for page in (pages.page(own), pages.page(own).turned()):
        quads = detector.quads(page)
        crops = detector.crops(page, quads)
        assert all(crop is not None for crop in crops)
        for line, crop, spot in zip(own, crops, page.spots, strict=True):
            assert abs(crop.shape[1] - line.shape[1]) < 40 and (crop < 128).any()
            assert spot[0] <= quads[page.spots.index(spot)][:, 1].mean() < spot[1]
    empty = pages.page([np.full((40, 200), 255, dtype=np.uint8)])
    assert detector.quads(empty) == [None] and detector.crops(empty, [None]) == [None]


def test_crops_get_the_package_s_own_answer(detector):
    page = pages.page(three()).turned()
    crops = detector.crops(page, detector.quads(page))
    own = detector.package.text_cls([np.repeat(crop[:, :, None], 3, axis=2) for crop in crops])[1]
    scores = lines.Directions().scores(crops)
    said = [float(score) if label == "180" else 1 - float(score) for label, score in own]
    np.testing.assert_allclose(scores, said, atol=0.01)
