"""Statistics of any kind of input are what their names say, and inputs are vectors."""

from __future__ import annotations

import colorsys

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.characterise import held, search
from falsestruct.characterise import library as module
from falsestruct.characterise.asking import AuditError, Inputs, inputs
from falsestruct.characterise.library import Library, coordinates, library, parts, reduced, room

TEXTS = ["Free cash, FREE!", "see you at noon", "cash at 9 or at 10?", "see you", "", "noon"]


def value(own: Library, name: str, x: Inputs) -> np.ndarray:
    return own.values(x)[:, own.names.index(name)]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


def test_grey_images_have_the_statistics_of_chapter_09() -> None:
    x = noise(6, 8, 8)
    own, old = library(inputs(x)), search.library(torch.from_numpy(x))
    kept = [i for i, name in enumerate(old.names) if name != "orientation"]
    assert own.names[: len(kept)] == tuple(old.names[i] for i in kept) and own.names[0] == "mean"
    assert np.allclose(own.values(inputs(x))[:, : len(kept)], old.values[kept].T, atol=1e-6)
    where = "contrast of rows 2 to 3, columns 4 to 5"
    assert np.allclose(value(own, where, inputs(x)), x[:, 2:4, 4:6].std((1, 2)), atol=1e-6)


def test_colours() -> None:
    colour = np.array([[0.8, 0.4, 0.2], [0.1, 0.9, 0.5], [0.3, 0.2, 0.7]])
    x = inputs(np.broadcast_to(colour[:, None, None], (3, 4, 4, 3)).copy())
    own = library(x)
    hsv = np.array([colorsys.rgb_to_hsv(*one) for one in colour])
    assert np.allclose(value(own, "mean of green", x), colour[:, 1])
    assert np.allclose(value(own, "saturation", x), hsv[:, 1], atol=1e-6)
    assert np.allclose(value(own, "red less blue", x), colour[:, 0] - colour[:, 2], atol=1e-6)
    assert np.abs(value(own, "hue", x) - 360 * hsv[:, 0]).max() < 2  # circle against hexagon


def test_large_images_are_looked_at_in_blocks() -> None:
    x = noise(3, 64, 96)
    small = reduced(x)
    assert small.shape == (3, 32, 32)
    assert np.allclose(small[:, 1, 2], x[:, 2:4, 6:9].mean((1, 2)))
    assert "block (1, 2)" in library(inputs(x)).names
    assert coordinates(inputs(x)).shape == (32, 32)


def test_vectors_few_and_many() -> None:
    x = 0.5 + np.random.default_rng(0).random((9, 2))
    own = library(inputs(x))
    assert np.allclose(value(own, "x₁·x₂", inputs(x)), x[:, 0] * x[:, 1])
    assert np.allclose(value(own, "length squared", inputs(x)), (x**2).sum(1))
    many = inputs(noise(9, 6))
    own = library(many)
    assert np.allclose(value(own, "x₂²", many), many.array()[:, 1] ** 2, atol=1e-6)
    assert np.allclose(value(own, "largest", many), many.array().max(1), atol=1e-6)
    huge = inputs(1e40 * noise(9, 6))
    assert np.isfinite(library(huge).values(huge)).all()


def test_structures_of_the_book_are_nobody_elses() -> None:
    for x in (noise(9, 2), noise(9, 8, 8)):
        names = library(inputs(x)).names
        assert not any("mod" in name or name == "orientation" for name in names)


def test_sequences() -> None:
    t = np.arange(16)
    x = np.stack([np.sin(2 * np.pi * 3 * t / 16), np.cos(2 * np.pi * 2 * t / 16), t / 16.0])
    held = inputs(x, kind="sequences")
    own = library(held)
    assert value(own, "Fourier 3, odd", held)[0] == pytest.approx(0.5)
    assert value(own, "Fourier 2, even", held)[1] == pytest.approx(0.5)
    assert value(own, "mean step", held)[2] == pytest.approx(1 / 16)
    assert value(own, "crossings of the mean", held).tolist()[2] == 1
    both = inputs(np.stack([x, -x], axis=2), kind="sequences")
    assert "value 3 of channel 1" in library(both).names


def test_texts() -> None:
    x = inputs(TEXTS)
    own = library(x)
    expected = {
        "characters": [16, 15, 19, 7, 0, 4],
        "words": [3, 4, 6, 2, 0, 1],
        "has “cash”": [1, 0, 1, 0, 0, 0],
        "first word “see”": [0, 1, 0, 1, 0, 0],
        "last word “noon”": [0, 1, 0, 0, 0, 1],
        "repeated words": [1, 0, 1, 0, 0, 0],
        "capitals": [5, 0, 0, 0, 0, 0],
        "digits": [0, 0, 3, 0, 0, 0],
        "marks": [2, 0, 1, 0, 0, 0],
        "count of '?'": [0, 0, 1, 0, 0, 0],
        "begins with a capital": [1, 0, 0, 0, 0, 0],
        "ends with a mark": [1, 0, 1, 0, 0, 0],
    }
    for name, values in expected.items():
        assert value(own, name, x).tolist() == values, name
    assert value(own, "mean length of a word", x)[1] == pytest.approx(3)
    assert "has “or”" not in own.names  # in one text only


def test_tables() -> None:
    frame = pd.DataFrame(
        {"age": [1.0, np.nan, 3.0, 5.0], "n": [2, 4, 6, 9], "city": ["a", "b", None, "a"]}
    )
    x = inputs(frame)
    own = library(x)
    assert value(own, "age", x).tolist() == [1, 3, 3, 5]  # the median for what is missing
    assert value(own, "city is a", x).tolist() == [1, 0, 0, 1]
    assert value(own, "city is missing", x).tolist() == [0, 0, 1, 0]
    assert value(own, "age is missing", x).tolist() == [0, 1, 0, 0]
    assert value(own, "age · n", x).tolist() == [2, 12, 18, 45]
    assert own.names[:2] == ("age", "n")


def test_the_batch_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Categories, words and what varies are those of the fit, also for a single input."""
    frame = pd.DataFrame({"a": np.arange(7.0), "c": list("xyxyxyx")})
    cases = [inputs(noise(7, 6, 6)), inputs(TEXTS), inputs(frame)]
    whole = [library(x).values(x) for x in cases]
    monkeypatch.setattr(held, "BATCH", 2)
    for x, expected in zip(cases, whole, strict=True):
        own = library(x)
        assert np.array_equal(own.values(x), expected)
        assert np.array_equal(own.values(x.take(np.array([3]))), expected[[3]])
        assert own.values(x.take(np.arange(0))).shape == (0, len(own))


def test_what_does_not_vary_is_left_out() -> None:
    x = noise(5, 4, 4)
    x[:, 0, 0] = 2.0
    assert "pixel (0, 0)" not in library(inputs(x)).names
    with pytest.raises(AuditError, match="no statistic of x varies"):
        library(inputs(np.ones((4, 3))))


def test_parts_are_as_large_as_their_bytes_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES", 8 * 16 * 3)
    x = inputs(noise(7, 4, 4))
    assert room(x) == 3 and [len(part) for part in parts(x)] == [3, 3, 1]
    some = list(parts(x, np.array([6, 0, 1, 5])))
    assert np.array_equal(some[1].array(), x.array()[[5]])
    assert room(inputs(noise(7, 9, 9))) == 1 and room(inputs(TEXTS)) == held.BATCH
    own = coordinates(x, np.array([1, 4]))
    assert np.allclose(own.centre, x.array()[[1, 4]].mean(0).ravel())
    assert np.allclose(own(x, np.array([2])), own(x)[[2]])


def test_coordinates_are_centred_and_scaled() -> None:
    pixels = inputs(noise(50, 3, 3) * 4 + 7)
    z = coordinates(pixels)(pixels)
    assert z.shape == (50, 9) and np.allclose(z.mean(0), 0, atol=1e-5)
    assert np.mean(z**2) == pytest.approx(1, abs=1e-5)  # one scale: pixels keep their ratio
    vectors = inputs(noise(50, 2) * [1, 1000])
    assert np.allclose(coordinates(vectors)(vectors).std(0), 1, atol=1e-5)
    texts = inputs(TEXTS)
    own = coordinates(texts)
    assert len(own.names) == own(texts).shape[1] and "cash" in own.names
    table = inputs(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0], "c": ["x", "y"]}))
    assert not any("·" in name for name in coordinates(table).names)
