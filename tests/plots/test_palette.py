"""The book's colours: dark enough on white, and apart for every eye."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from falsestruct.plots import style as plots

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
EYES = {
    "common": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def linear(colour):
    value = np.array(to_rgb(colour))
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast_with_white(colour):
    return 1.05 / (0.05 + XYZ[1] @ linear(colour))


def lab(light):
    ratio = XYZ @ light / (XYZ @ np.ones(3))
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def nearest(colours, eye):
    seen = [lab(np.clip(EYES[eye] @ linear(colour), 0, 1)) for colour in colours]
    return min(np.linalg.norm(one - other) for one, other in combinations(seen, 2))


def test_known_values():
    assert contrast_with_white("black") == pytest.approx(21)
    assert contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)
    assert lab(linear("white")) == pytest.approx([100, 0, 0], abs=1e-6)
    # Red and green of one lightness are nearly one to some eyes.
    pair = ["#c00000", "#5a7a00"]
    assert nearest(pair, "protanopia") < 25
    assert nearest(pair, "common") > 60


@pytest.mark.parametrize("colour", [*plots.SERIES, plots.GREY])
def test_every_colour_can_be_seen_on_white(colour):
    assert contrast_with_white(colour) >= 3


@pytest.mark.parametrize("colour", [plots.ORIGINAL, plots.FALSE, plots.GREY, plots.BLUE])
def test_colours_that_words_have_can_be_read_on_white(colour):
    assert contrast_with_white(colour) >= 4.5


@pytest.mark.parametrize("eye", EYES)
def test_all_series_stay_apart_for_every_eye(eye):
    assert nearest(plots.SERIES, eye) >= 20
    assert nearest(plots.SERIES, eye) > nearest(OKABE_ITO, eye) - 1e-9 or eye == "common"


@pytest.mark.parametrize("eye", EYES)
def test_original_and_false_are_far_apart_for_every_eye(eye):
    assert nearest([plots.ORIGINAL, plots.FALSE], eye) > 40
