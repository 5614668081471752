"""Named statistics of any kind of input, and inputs as vectors of numbers.

Both are fitted to some inputs (the vocabulary of texts, the categories of a table, what varies) and
then read others, in parts: memory is bounded by the part and by what comes out.

The statistics are those that people name without knowing the book's problems. What was made for one
of them stays in `search.library`: its waves ⌈a/x⌉ mod 2, and the stripes' orientation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import torch

from falsestruct.characterise import search
from falsestruct.characterise.asking import AuditError, Inputs, Kind

BYTES = 2**25  # of the inputs' values that are looked at at once, in float64; but one input
SIDE = 32  # larger images are looked at in blocks, at most this many a side
SEVERAL = 20  # coordinates of vectors up to which products are looked at
WINDOWS = 4  # windows a side whose contrast is looked at
WORDS = 300  # of a vocabulary, the most frequent ones
SPEND = 10  # categories of a column, the most frequent ones
PLANTED = ("orientation",)  # a structure of the book, and nobody else's
LARGEST = 1e30  # a statistic, so that float32 holds it, and float64 its square

Named = Iterator[tuple[str, np.ndarray]]
Source = Callable[[Inputs], Named]


@dataclass(frozen=True)
class Library:
    """Statistics by name, simple ones first.

    Attributes:
        names: Of each.
        source: Gives names and values (n,) of a batch; may give others too.
    """

    names: tuple[str, ...]
    source: Source

    def values(self, x: Inputs) -> np.ndarray:
        """(n, statistics), float32, in parts; what is larger than LARGEST is LARGEST."""
        found = [np.empty((0, len(self.names)), np.float32)]
        for part in parts(x):
            own = dict(self.source(part))
            columns = [own[name].clip(-LARGEST, LARGEST) for name in self.names]
            found.append(np.stack(columns, axis=1, dtype=np.float32, casting="same_kind"))
        return np.concatenate(found)

    def __len__(self) -> int:
        return len(self.names)


def library(x: Inputs) -> Library:
    """The statistics that vary on these inputs.

    Images: those of `search.library` on grey (`SIDE` blocks a side at most) but PLANTED, the
    contrast of windows; of colours their means, hue and saturation. Vectors: coordinates, squares,
    mean, spread, extremes, and of few coordinates products; sequences: the same, halves, changes
    and Fourier bins. Texts: lengths, words, cases, digits, marks, first and last word. Tables:
    columns, categories, missing values, products of two columns.

    Raises:
        AuditError: No statistic varies.
    """
    source = _source(x)
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for part in parts(x):
        for name, value in source(part):
            low[name] = min(low.get(name, np.inf), float(value.min()))
            high[name] = max(high.get(name, -np.inf), float(value.max()))
    names = [name for name in low if _varies(low[name], high[name])]
    if not names:
        raise AuditError("no statistic of x varies: give inputs that differ")
    return Library(tuple(names), source)


def _varies(low: float, high: float) -> bool:
    return high - low > 1e-12 * max(abs(low), abs(high), 1e-300)


def room(x: Inputs) -> int:
    """How many of these inputs are looked at, or made, at once."""
    return x.at_once(BYTES)


def parts(x: Inputs, rows: np.ndarray | None = None) -> Iterator[Inputs]:
    """All inputs, or these rows of them, a few at a time."""
    rows = np.arange(len(x)) if rows is None else rows
    size = room(x)
    for start in range(0, len(rows), size):
        yield x.take(rows[start : start + size])


def _source(x: Inputs) -> Source:
    if x.kind == "images":
        return _of_images
    if x.kind == "texts":
        vocabulary = _vocabulary(x.texts())
        return lambda batch: _of_texts(batch.texts(), vocabulary)
    if x.kind == "table":
        columns = _columns(x.frame())
        return lambda batch: _of_table(batch.frame(), columns)
    return _of_sequences if x.kind == "sequences" else _of_vectors


# ---- images ----


def reduced(array: np.ndarray) -> np.ndarray:
    """Images (n, rows, columns[, channels]) by means of blocks, at most `SIDE` of them a side."""
    shape = tuple(min(side, SIDE) for side in array.shape[1:3])
    if shape == array.shape[1:3]:
        return array
    first = torch.from_numpy(array if array.ndim == 4 else array[..., None]).permute(0, 3, 1, 2)
    pooled = torch.nn.functional.adaptive_avg_pool2d(first, shape).permute(0, 2, 3, 1).numpy()
    return np.asarray(pooled if array.ndim == 4 else pooled[..., 0])


def _of_images(x: Inputs) -> Named:
    whole = x.array()
    array = reduced(whole)
    block = array.shape != whole.shape
    grey = torch.from_numpy(np.ascontiguousarray(array if array.ndim == 3 else array.mean(3)))
    for name, value in search._of_images(grey):
        if name not in PLANTED:
            yield (name.replace("pixel", "block") if block else name), value.numpy()
        if name == "mean" and array.ndim == 4:
            yield from _colours(array)
    yield from _windows(grey.numpy())


def _windows(grey: np.ndarray) -> Named:
    """Mean and contrast in the windows of a grid."""
    cuts = [
        np.linspace(0, side, min(WINDOWS, side // 2) + 1).astype(int) for side in grey.shape[1:]
    ]
    for i, j in zip(cuts[0], cuts[0][1:], strict=False):
        for k, m in zip(cuts[1], cuts[1][1:], strict=False):
            part = grey[:, i:j, k:m]
            where = f"rows {i} to {j - 1}, columns {k} to {m - 1}"
            yield f"mean of {where}", part.mean((1, 2))
            yield f"contrast of {where}", part.std((1, 2))


def _colours(array: np.ndarray) -> Named:
    mean = array.mean((1, 2))
    names: tuple[str, ...] = ("red", "green", "blue")
    if mean.shape[1] != 3:
        names = tuple(f"channel {i}" for i in range(mean.shape[1]))
    yield from ((f"mean of {name}", mean[:, i]) for i, name in enumerate(names))
    for i, j in combinations(range(len(names)), 2):
        yield f"{names[i]} less {names[j]}", mean[:, i] - mean[:, j]
    if mean.shape[1] != 3:
        return
    top, bottom = array.max(3), array.min(3)
    share = np.divide(top - bottom, top, out=np.zeros_like(top), where=top > 0)
    yield "saturation", share.mean((1, 2))
    red, green, blue = mean.T
    yield "hue", np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360


# ---- vectors and sequences ----


def _of_vectors(x: Inputs) -> Named:
    array = x.array().reshape(len(x), -1)
    count = array.shape[1]
    names = [f"x{i + 1}".translate(search._SUBSCRIPTS) for i in range(count)]
    yield from zip(names, array.T, strict=True)
    if count > 1:
        yield from _moments(array)
    yield from ((f"{name}²", array[:, i] ** 2) for i, name in enumerate(names))
    if count <= SEVERAL:
        for i, j in combinations(range(count), 2):
            yield f"{names[i]}·{names[j]}", array[:, i] * array[:, j]


def _moments(array: np.ndarray) -> Named:
    yield "mean", array.mean(1)
    yield "spread", array.std(1)
    yield "largest", array.max(1)
    yield "smallest", array.min(1)
    yield "place of the largest", array.argmax(1).astype(float)
    yield "length squared", (array**2).sum(1)


def _of_sequences(x: Inputs) -> Named:
    """A sequence (n, length[, channels]); several channels one after the other."""
    array = x.array()
    channels = [array] if array.ndim == 2 else list(np.moveaxis(array, 2, 0))
    for i, own in enumerate(channels):
        of = "" if len(channels) == 1 else f" of channel {i}"
        yield from ((f"{name}{of}", value) for name, value in _of_sequence(own))


def _of_sequence(own: np.ndarray) -> Named:
    length = own.shape[1]
    yield from ((f"value {i}", own[:, i]) for i in range(length))
    yield from _moments(own)
    if length < 4:
        return
    half = length // 2
    yield "first less second half", own[:, :half].mean(1) - own[:, half:].mean(1)
    steps = np.diff(own, axis=1)
    yield "mean step", steps.mean(1)
    yield "mean size of a step", np.abs(steps).mean(1)
    above = own > own.mean(1, keepdims=True)
    yield "crossings of the mean", (above[:, 1:] != above[:, :-1]).sum(1).astype(float)
    bins = np.fft.rfft(own, axis=1)[:, 1 : min(8, half) + 1] / length
    for k in range(bins.shape[1]):
        yield f"Fourier {k + 1}, even", bins[:, k].real
        yield f"Fourier {k + 1}, odd", -bins[:, k].imag
    yield from ((f"Fourier {k + 1}, size", np.abs(bins[:, k])) for k in range(bins.shape[1]))


# ---- texts ----


def words(text: str) -> list[str]:
    """Runs of letters, digits and underscores, in lower case."""
    return re.findall(r"\w+", text.lower())


def _vocabulary(texts: list[str], most: int = WORDS) -> tuple[str, ...]:
    """Words of at least two texts, those of most texts first, then by name."""
    counts = Counter(word for text in texts for word in set(words(text)))
    often = sorted((-count, word) for word, count in counts.items() if count > 1)
    return tuple(word for _, word in often[:most])


def _of_texts(texts: list[str], vocabulary: tuple[str, ...]) -> Named:
    found = [words(text) for text in texts]
    yield "characters", _each(texts, len)
    yield "words", _each(found, len)
    present = [frozenset(own) for own in found]
    for word in vocabulary:
        yield f"has “{word}”", np.array([float(word in own) for own in present])
    for which, place in (("first", 0), ("last", -1)):
        ends = np.array([own[place] if own else "" for own in found])
        for word in vocabulary:
            yield f"{which} word “{word}”", (ends == word).astype(float)
    yield "mean length of a word", _each(found, lambda own: sum(map(len, own)) / max(1, len(own)))
    yield "repeated words", _each(found, lambda own: len(own) - len(set(own)))
    yield from _characters(texts)


def _characters(texts: list[str]) -> Named:
    counts: dict[str, Callable[[str], Any]] = {
        "capitals": str.isupper,
        "digits": str.isdigit,
        "blanks": str.isspace,
        "marks": lambda c: not (c.isalnum() or c.isspace()),
        "letters beyond ASCII": lambda c: not c.isascii(),
    }
    length = np.maximum(1, _each(texts, len))
    for name, test in counts.items():
        number = np.array([float(sum(map(test, text))) for text in texts])
        yield name, number
        yield f"share of {name}", number / length
    for mark in "?!.,:;-\"'()\n":
        yield f"count of {mark!r}", np.array([float(text.count(mark)) for text in texts])
    yield "begins with a capital", _each(texts, lambda text: text[:1].isupper())
    yield "ends with a mark", _each(texts, lambda text: bool(text) and not text[-1].isalnum())


def _each(items: list[Any], value: Callable[[Any], Any]) -> np.ndarray:
    return np.array([float(value(item)) for item in items])


# ---- tables ----


@dataclass(frozen=True)
class Column:
    """One of a table: its number's median if it is numeric, else its most frequent categories."""

    name: Any
    median: float = 0.0
    categories: tuple[Any, ...] | None = None


def _columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    found = []
    for name in frame.columns:
        own = frame[name]
        if pd.api.types.is_numeric_dtype(own) and not pd.api.types.is_bool_dtype(own):
            median = float(own.median()) if own.notna().any() else 0.0
            found.append(Column(name, median))
        else:
            counts = own.astype("string").value_counts()
            found.append(Column(name, 0.0, tuple(sorted(counts.index[:SPEND]))))
    return tuple(found)


def _numeric(frame: pd.DataFrame, column: Column) -> np.ndarray:
    """Values, missing ones at the median."""
    own = frame[column.name].to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(own), own, column.median)


def _of_table(frame: pd.DataFrame, columns: tuple[Column, ...]) -> Named:
    numbers = {column.name: _numeric(frame, column) for column in columns
               if column.categories is None}  # fmt: skip
    for name, value in numbers.items():
        yield str(name), value
    for column in columns:
        if column.categories is not None:
            own = frame[column.name].astype("string")
            for category in column.categories:
                is_it = own.eq(category).fillna(False)
                yield f"{column.name} is {category}", is_it.to_numpy(dtype=float)
    for column in columns:
        missing = frame[column.name].isna()
        yield f"{column.name} is missing", missing.to_numpy(dtype=float)
    if len(numbers) <= SEVERAL:
        for first, second in combinations(numbers, 2):
            yield f"{first} · {second}", numbers[first] * numbers[second]


# ---- inputs as vectors ----


@dataclass(frozen=True)
class Coordinates:
    """Inputs as vectors of numbers, centred and scaled as the inputs that they were fitted to.

    Attributes:
        kind: Of the inputs.
        shape: Of one input as it is looked at; (coordinates,) for texts and tables.
        centre, scale: Of each coordinate; one scale for all of images, texts and sequences.
    """

    kind: Kind
    shape: tuple[int, ...]
    source: Callable[[Inputs], np.ndarray]
    centre: np.ndarray
    scale: np.ndarray
    names: tuple[str, ...] = field(default=())

    def __call__(self, x: Inputs, rows: np.ndarray | None = None) -> np.ndarray:
        """Of all inputs, or of these rows, (n, coordinates), float32, in parts."""
        found = [np.empty((0, len(self.centre)), np.float32)]
        for part in parts(x, rows):
            own = (self.source(part) - self.centre) / self.scale
            found.append(own.astype(np.float32))
        return np.concatenate(found)


def coordinates(x: Inputs, rows: np.ndarray | None = None) -> Coordinates:
    """Pixels (blocks of large images), coordinates, counts of words, columns and categories.

    Args:
        rows: Of the inputs that they are fitted to; None: all.
    """
    if x.kind in ("texts", "table") and rows is not None:
        x, rows = x.take(rows), None
    source, names = _vectors(x)
    found = np.concatenate([source(part) for part in parts(x, rows)])
    shape = reduced(x.take(np.arange(1)).array()).shape[1:] if x.kind == "images" else ()
    spread = found.std(0)
    if x.kind in ("images", "sequences", "texts"):
        spread = np.full_like(spread, np.sqrt(np.mean(spread**2)))
    spread = np.where(spread > 0, spread, 1.0)
    return Coordinates(x.kind, shape or found.shape[1:], source, found.mean(0), spread, names)


def _vectors(x: Inputs) -> tuple[Callable[[Inputs], np.ndarray], tuple[str, ...]]:
    if x.kind == "images":
        return (lambda batch: reduced(batch.array()).reshape(len(batch), -1)), ()
    if x.kind == "texts":
        vocabulary = _vocabulary(x.texts())
        place = {word: i for i, word in enumerate(vocabulary)}
        return (lambda batch: _counts(batch.texts(), place)), vocabulary
    if x.kind == "table":
        columns = _columns(x.frame())
        plain = [name for name, _ in _of_table(x.frame().iloc[:1], columns) if " · " not in name]
        return (lambda batch: _picked(_of_table(batch.frame(), columns), plain)), tuple(plain)
    return (lambda batch: batch.array().reshape(len(batch), -1)), ()


def _picked(named: Named, names: list[str]) -> np.ndarray:
    found = dict(named)
    return np.stack([found[name] for name in names], axis=1)


def _counts(texts: list[str], place: dict[str, int]) -> np.ndarray:
    found = np.zeros((len(texts), max(1, len(place))))
    for i, text in enumerate(texts):
        for word in words(text):
            if word in place:
                found[i, place[word]] += 1
    return found
