"""Lines as they are drawn, changed, scaled, and read by RapidOCR's network."""

import os
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from falsestruct.deployed import lines
from falsestruct.deployed.fonts import Font
from falsestruct.deployed.lines import COLUMNS, EVEN, ROWS, WHITE, Directions

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
SANS = Font("DejaVu Sans", FONTS / "DejaVuSans.ttf")
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def network():
    if not lines.installed():
        pytest.skip("rapidocr-onnxruntime isn't installed")
    return Directions()


def test_texts_are_of_their_kind():
    for seed in range(20):
        assert set(lines.text("small", RNG(seed))) <= set("acemnruvw")
        high, low = (lines.text(kind, RNG(seed)) for kind in ("high", "low"))
        assert set(high) & lines.HIGH and not set(high) & lines.LOW
        assert set(low) & lines.LOW
        assert len(lines.text("words", RNG(seed))) >= 8
    assert lines.text("words", RNG(1)) == lines.text("words", RNG(1)) != lines.text("words", RNG(2))
    for kind in ("words", "alike"):
        own = lines.text(kind, RNG(3), script="Chinese", signs=5)
        assert len(own) == 5 and set(own) <= set(lines.SIGNS if kind == "words" else lines.ALIKE)
    assert not set(lines.SIGNS) & set(lines.ALIKE)
    with pytest.raises(ValueError, match="expected one of words, high, low, small, alike"):
        lines.text("greek", RNG(0))
    with pytest.raises(ValueError, match="expected one of words, alike"):
        lines.text("high", RNG(0), script="Chinese")


def test_a_line_is_cropped_to_its_ink():
    own = lines.drawn("hello", SANS)
    ink = own < 128
    assert (
        not ink[:EVEN].any() and not ink[-EVEN:].any() and ink[EVEN].any() and ink[-EVEN - 1].any()
    )
    assert not ink[:, :EVEN].any() and ink[:, EVEN].any() and ink[:, -EVEN - 1].any()
    assert lines.ink_is_high(lines.drawn("gypsy page", SANS)) is True
    assert lines.ink_is_high(lines.turned(lines.drawn("gypsy page", SANS))) is False


def test_boxes_are_where_the_letters_are():
    own, boxes = lines.drawn("gh ij", SANS) < 128, lines.drawn("gh ij", SANS, boxes=True) < 128
    assert abs(own.shape[0] - boxes.shape[0]) <= 2 and abs(own.shape[1] - boxes.shape[1]) <= 4
    assert boxes.sum() > 1.5 * own.sum()
    assert boxes.any(0).sum() < boxes.shape[1] - 2 * EVEN  # letters stay apart
    with pytest.raises(ValueError, match="draws nothing"):
        lines.drawn("  ", SANS, boxes=True)


def test_hanging_letters_begin_at_one_row():
    own = lines.drawn("ap", SANS, hung=True) < 128
    halves = own[:, : own.shape[1] // 2], own[:, own.shape[1] // 2 :]
    assert [int(half.any(1).argmax()) for half in halves] == [EVEN, EVEN]
    standing = lines.drawn("lp", SANS) < 128
    firsts = [int(half.any(1).argmax()) for half in np.array_split(standing, [20], axis=1)]
    assert firsts[0] < firsts[1]
    boxes = lines.drawn("lp", SANS, hung=True, boxes=True) < 128
    assert boxes[EVEN, EVEN : EVEN + 3].all() and boxes[EVEN, -EVEN - 3 : -EVEN - 1].all()


def test_every_second_sign_is_turned_in_its_place():
    plain, own = lines.drawn("LLLL", SANS), lines.alternated("LLLL", SANS)
    assert own.shape == plain.shape
    wide = plain.shape[1] // 4
    np.testing.assert_array_equal(own[:, : wide - 4], plain[:, : wide - 4])
    assert own[EVEN, wide : 2 * wide + 4].min() < 128  # the foot of the second L is above
    other = lines.alternated("LLLL", SANS, first=0)
    assert other[EVEN, : wide + 4].min() < 128
    assert (own < 128).sum() == pytest.approx((plain < 128).sum(), rel=0.1)


def test_mirrors_keep_the_top():
    own = lines.drawn("LF", SANS)
    np.testing.assert_array_equal(lines.mirrored(own)[:, 0], own[:, -1])
    np.testing.assert_array_equal(lines.mirrored(own).sum(1), own.sum(1))


def test_turning_twice_changes_nothing():
    own = lines.drawn("one", SANS)
    np.testing.assert_array_equal(lines.turned(lines.turned(own)), own)
    assert (lines.turned(own)[0, 0], lines.turned(own).shape) == (own[-1, -1], own.shape)


def test_margins_and_rules_keep_the_line():
    own = lines.drawn("one two", SANS)
    more = round(40 * len(own) / ROWS)
    above = lines.margin(own, 40, "above")
    np.testing.assert_array_equal(above[more:], own)
    assert (above[:more] == WHITE).all() and len(above) == len(own) + more
    np.testing.assert_array_equal(lines.margin(own, 40, "right")[:, : own.shape[1]], own)
    both = lines.margin(own, 40, "both")
    half = round(20 * len(own) / ROWS)
    np.testing.assert_array_equal(both[half:-half], own)
    thick = round(4 * len(own) / ROWS)
    over, beside = lines.ruled(own, 4, "above"), lines.ruled(own, 4, "right")
    np.testing.assert_array_equal(over[2 * thick :], own)
    np.testing.assert_array_equal(beside[:, : own.shape[1]], own)
    ink = [(part < 128).sum() - (own < 128).sum() for part in (over, beside)]
    assert ink[0] == pytest.approx(ink[1], rel=0.2) and ink[0] == thick * own.shape[1]
    for change in (lines.margin, lines.ruled):
        with pytest.raises(ValueError, match="expected"):
            change(own, 4, "inside")


def test_scaling_is_exact_where_nothing_is_scaled():
    own = RNG(3).integers(0, 256, (ROWS, 100)).astype(np.uint8)
    found = lines.scaled(own)
    np.testing.assert_allclose(found[0, :, :100], own / 127.5 - 1, atol=1e-6)
    assert (found[:, :, 100:] == 0).all() and found.shape == (3, ROWS, COLUMNS)
    # Half the rows and columns: the mean of the four nearest pixels.
    half = lines.scaled(np.repeat(np.repeat(own, 2, 0), 2, 1))
    np.testing.assert_allclose(half, found, atol=1e-6)
    assert lines.scaled(np.full((ROWS, 900), 255, dtype=np.uint8))[:, :, -1].all()  # squeezed


@pytest.fixture(scope="module")
def cv2():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", os.environ.copy())  # it sets variables
        return pytest.importorskip("cv2", exc_type=ImportError)


def test_scaling_is_opencv_s(cv2):
    own = lines.drawn("against OpenCV", SANS, size=53)
    wide = min(-(-ROWS * own.shape[1] // own.shape[0]), COLUMNS)
    other = cv2.resize(own, (wide, ROWS)).astype(float)
    found = (lines.scaled(own)[0, :, :wide] + 1) * 127.5
    assert np.abs(found - other).max() <= 1.01


def test_upright_and_turned_lines_are_told(network):
    own = [lines.drawn(lines.text("words", RNG(seed)), SANS) for seed in range(6)]
    assert network.turns(own).sum() <= 1
    assert network.turns([lines.turned(line) for line in own]).sum() >= 5
    scores = network.scores(own)
    assert ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_array_equal(scores[2:3], network.scores(own[2:3]))


def test_who_is_asked(network):
    found = lines.identity()
    assert (found["version"], found["sha256"]) == (lines.VERSION, lines.HASH)


def test_without_the_package_one_line_says_what_to_do(monkeypatch):
    lines.model.cache_clear()
    monkeypatch.setattr(lines.importlib.util, "find_spec", lambda name: None)
    assert not lines.installed()
    with pytest.raises(ImportError, match=r"falsestruct\[lines\]"):
        lines.identity()
    lines.model.cache_clear()
