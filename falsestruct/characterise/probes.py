"""Generic probes: inputs between and beyond the data, made without a planted direction.

Each probe is made from a *pair* of inputs, its cluster. Every input, or every group of inputs that
share a source, is in one pair only. What all clusters of a half share are the range of its images,
and the covariance of its vectors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from falsestruct.characterise.asking import Inputs, Kind
from falsestruct.characterise.library import BYTES, parts

RANGE = 200  # images whose range is that of the probes, at most
SAMPLE = 2000  # vectors whose covariance the noise has, at most

Pairs = tuple[Inputs, Inputs]
Rng = np.random.Generator


@dataclass(frozen=True)
class Probes:
    """Inputs and what they were made from.

    Attributes:
        x: (n, …).
        base: The two rows that each was made from, (n, 2).
        cluster: Its pair, (n,), a number.
    """

    x: Inputs
    base: np.ndarray
    cluster: np.ndarray

    def __len__(self) -> int:
        return len(self.base)

    def take(self, rows: np.ndarray) -> Probes:
        """Some of them, in this order."""
        return Probes(self.x.take(rows), self.base[rows], self.cluster[rows])


def paired(groups: np.ndarray, y: np.ndarray, rng: Rng) -> np.ndarray:
    """Pairs of groups, (groups // 2, 2), each in one; of different labels where that can be.

    Groups are put in the order of their labels (the most frequent one of each), at random within,
    and each is joined with the one half the list further on.

    Args:
        groups, y: Of each input, (n,), whole numbers.
    """
    names, group = np.unique(groups, return_inverse=True)
    votes = np.zeros((len(names), int(y.max()) + 1))
    np.add.at(votes, (group, y), 1)
    order = rng.permutation(len(names))
    order = order[np.argsort(votes.argmax(1)[order], kind="stable")]
    half = len(names) // 2
    both = np.stack([order[:half], order[half : 2 * half]], axis=1)
    both = both[rng.permutation(half)]
    turned = rng.random(half) < 0.5
    both[turned] = both[turned, ::-1]
    return np.asarray(names[both])


class Maker:
    """Makes probes from pairs in turn, about equally many of every kind.

    Args:
        pairs: Of groups, (pairs, 2), as `paired` makes them.
        groups: Of each input, (n,).

    Attributes:
        made: Probes so far.
    """

    def __init__(self, x: Inputs, pairs: np.ndarray, groups: np.ndarray, rng: Rng) -> None:
        self.x, self.pairs, self.rng, self.made = x, pairs, rng, 0
        self.kinds = tuple(makers(x, np.flatnonzero(np.isin(groups, pairs)), rng).values())
        self.order = np.argsort(groups, kind="stable")
        self.names, self.start, self.count = np.unique(
            groups[self.order], return_index=True, return_counts=True
        )

    def make(self, count: int) -> Probes:
        """The next ones."""
        cluster = (self.made + np.arange(count)) % len(self.pairs)
        self.made += count
        first = int(self.rng.integers(len(self.kinds)))
        kind = self.rng.permutation((first + np.arange(count)) % len(self.kinds))
        base = self._members(self.pairs[cluster])
        swap = self.rng.random(count) < 0.5
        base[swap] = base[swap, ::-1]
        found, rows = [], []
        for i, make in enumerate(self.kinds):
            own = np.flatnonzero(kind == i)
            if len(own):
                rows.append(own)
                found.append(make((self.x.take(base[own, 0]), self.x.take(base[own, 1]))))
        order = np.concatenate(rows)
        x = self.x.like(_values(found, self.x.kind)).take(np.argsort(order))
        return Probes(x, base, cluster)

    def _members(self, wanted: np.ndarray) -> np.ndarray:
        """An input at random of each of these groups, in their shape."""
        which = np.searchsorted(self.names, wanted)
        place = (self.rng.random(wanted.shape) * self.count[which]).astype(int)
        return self.order[self.start[which] + place]


def makers(x: Inputs, rows: np.ndarray, rng: Rng) -> dict[str, Callable[[Pairs], Any]]:
    """How probes are made, by the name of the kind: from first and second inputs to values.

    Args:
        rows: Of x, whose range and covariance probes have.
    """
    if x.kind == "texts":
        return _of_texts(rng)
    if x.kind == "table":
        return _of_tables(rng)
    if x.kind == "images":
        return _of_images(x, rows, rng)
    return _of_vectors(x, rows, rng)


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many, spread over all of them: data are often sorted by class."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(int))]


def _values(made: list[Any], kind: Kind) -> Any:
    if kind == "texts":
        return [text for part in made for text in part]
    return pd.concat(made, ignore_index=True) if kind == "table" else np.concatenate(made)


# ---- images ----


def _of_images(x: Inputs, rows: np.ndarray, rng: Rng) -> dict[str, Callable[[Pairs], np.ndarray]]:
    ends = [(one.min(), one.max()) for one in (p.array() for p in parts(x, _some(rows, RANGE)))]
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))

    def clipped(array: np.ndarray) -> np.ndarray:
        return array.clip(low, high)

    def blank(pair: Pairs) -> np.ndarray:
        first = pair[0].array()
        level = rng.uniform(low, high, (len(first), *[1] * (first.ndim - 1)))
        return np.where(_window(first.shape, rng), level, first)

    return {
        "mixtures": lambda pair: clipped(_mixed(pair, rng)),
        "windows": lambda pair: np.where(
            _window(pair[0].array().shape, rng), pair[1].array(), pair[0].array()
        ),
        "phases": lambda pair: clipped(_phases(pair)),
        "frequencies": lambda pair: clipped(_frequencies(pair, rng)),
        "noise": lambda pair: clipped(_field(pair, rng)),
        "blanks": blank,
    }


def _mixed(pair: Pairs, rng: Rng) -> np.ndarray:
    """Points on the line through two inputs: half of them between, half beyond."""
    first, second = (own.array() for own in pair)
    share = rng.uniform(-0.5, 1.5, (len(first), *[1] * (first.ndim - 1)))
    return share * first + (1 - share) * second


def _window(shape: tuple[int, ...], rng: Rng) -> np.ndarray:
    """A rectangle for each image, from a tenth to two thirds of the area, (n, rows, columns, …)."""
    n, sides = shape[0], np.array(shape[1:3])
    area, stretch = rng.uniform(0.1, 0.67, n), np.exp(rng.uniform(-0.7, 0.7, n))
    share = np.stack([np.sqrt(area) * stretch, np.sqrt(area) / stretch], axis=1).clip(0, 1)
    size = np.maximum(1, np.round(share * sides)).astype(int)
    start = (rng.random((n, 2)) * (sides - size + 1)).astype(int)
    inside = [
        (np.arange(side) >= start[:, i, None]) & (np.arange(side) < (start + size)[:, i, None])
        for i, side in enumerate(sides)
    ]
    mask = inside[0][:, :, None] & inside[1][:, None, :]
    return mask if len(shape) == 3 else mask[..., None]


def _phases(pair: Pairs) -> np.ndarray:
    """The sizes of the first one's Fourier bins with the phases of the second."""
    first, second = (np.fft.rfft2(own.array(), axes=(1, 2)) for own in pair)
    turned = np.abs(first) * np.exp(1j * np.angle(second))
    return np.fft.irfft2(turned, s=pair[0].array().shape[1:3], axes=(1, 2))


def _frequencies(pair: Pairs, rng: Rng) -> np.ndarray:
    """The low frequencies of the first one and the high ones of the second."""
    first, second = (own.array() for own in pair)
    rows, columns = first.shape[1:3]
    radius = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns))
    cut = rng.uniform(0.05, 0.45, (len(first), 1, 1))
    low = radius < cut
    low = low if first.ndim == 3 else low[..., None]
    bins = [np.fft.rfft2(own, axes=(1, 2)) for own in (first, second)]
    return np.fft.irfft2(np.where(low, *bins), s=(rows, columns), axes=(1, 2))


def _field(pair: Pairs, rng: Rng) -> np.ndarray:
    """Smooth noise over the second one: bins of the first one's sizes, and random phases."""
    first, second = (own.array() for own in pair)
    noise = np.fft.rfft2(rng.normal(size=first.shape), axes=(1, 2))
    sizes = np.abs(np.fft.rfft2(first, axes=(1, 2)))
    noise[:, 0, 0] = np.abs(noise[:, 0, 0])  # the mean stays
    phase = noise / np.maximum(np.abs(noise), 1e-300)
    field = np.fft.irfft2(sizes * phase, s=first.shape[1:3], axes=(1, 2))
    share = rng.uniform(0.3, 1.0, (len(first), *[1] * (first.ndim - 1)))
    return share * field + (1 - share) * second


# ---- vectors and sequences ----


def _of_vectors(x: Inputs, rows: np.ndarray, rng: Rng) -> dict[str, Callable[[Pairs], np.ndarray]]:
    fits = BYTES // (2 * x.take(rows[:1]).array().size)  # four times the bytes of a part
    sample = x.take(_some(rows, max(50, min(SAMPLE, fits)))).array()
    flat = sample.reshape(len(sample), -1)
    centre = flat.mean(0)

    def exchanged(pair: Pairs) -> np.ndarray:
        first, second = (own.array() for own in pair)
        share = rng.uniform(0.1, 0.9, (len(first), *[1] * (first.ndim - 1)))
        return np.where(rng.random(first.shape) < share, first, second)

    def noise(pair: Pairs) -> np.ndarray:
        """Half of an input, and half of noise with the data's covariance, made of inputs."""
        first = pair[0].array()
        weight = rng.normal(size=(len(first), len(flat))) / np.sqrt(len(flat))
        own = weight @ (flat - centre)
        kept = first.reshape(len(first), -1) - centre
        share = rng.random((len(first), 1))
        both = centre + np.sqrt(share) * own + np.sqrt(1 - share) * kept
        return both.reshape(first.shape)

    makers: dict[str, Callable[[Pairs], np.ndarray]] = {
        "exchanges": exchanged,
        "mixtures": lambda pair: _mixed(pair, rng),
        "noise": noise,
    }
    if x.kind == "sequences":
        makers["windows"] = lambda pair: _spliced(pair, rng)
    return makers


def _spliced(pair: Pairs, rng: Rng) -> np.ndarray:
    """A stretch of the second one in the first."""
    first, second = (own.array() for own in pair)
    length = first.shape[1]
    ends = np.sort(rng.random((len(first), 2)) * (length + 1), axis=1)
    place = np.arange(length)
    inside = (place >= ends[:, :1]) & (place < ends[:, 1:])
    return np.where(inside if first.ndim == 2 else inside[..., None], second, first)


# ---- texts ----


def pieces(text: str) -> list[str]:
    """Words with the blanks and line breaks after them; sewn together they are the text."""
    return re.findall(r"\s*\S+\s*", text)


def sewn(parts: Iterable[str]) -> str:
    """Pieces as one text, with a blank where two words would touch."""
    text = ""
    for part in parts:
        touch = text and not text[-1].isspace() and not part[:1].isspace()
        text += f" {part}" if touch else part
    return text


def swapped(piece: str, word: str) -> str:
    """The piece with this word for its own."""
    return piece.replace(piece.strip(), word, 1)


def _of_texts(rng: Rng) -> dict[str, Callable[[Pairs], list[str]]]:
    def each(make: Callable[[list[str], list[str]], list[str]]) -> Callable[[Pairs], list[str]]:
        def made(pair: Pairs) -> list[str]:
            both = zip(pair[0].texts(), pair[1].texts(), strict=True)
            return [sewn(make(pieces(first), pieces(second))) for first, second in both]

        return made

    return {
        "exchanges": each(lambda first, second: _substituted(first, second, rng)),
        "halves": each(lambda first, second: _halved(first, second, rng)),
        "deletions": each(lambda first, _: _kept(first, rng)),
        "orders": each(lambda first, _: _shuffled(first, rng)),
        "repetitions": each(lambda first, _: _repeated(first, rng)),
    }


def _substituted(first: list[str], second: list[str], rng: Rng) -> list[str]:
    """Some words of the first text are words of the second."""
    if not first or not second:
        return first
    share = rng.uniform(0.1, 0.9)
    taken, place = rng.random(len(first)) < share, rng.integers(len(second), size=len(first))
    return [
        swapped(own, second[i].strip()) if take else own
        for own, take, i in zip(first, taken, place, strict=True)
    ]


def _halved(first: list[str], second: list[str], rng: Rng) -> list[str]:
    return first[: int(rng.integers(len(first) + 1))] + second[int(rng.integers(len(second) + 1)) :]


def _kept(first: list[str], rng: Rng) -> list[str]:
    share = rng.uniform(0.2, 0.9)
    return [word for word in first if rng.random() < share]


def _shuffled(first: list[str], rng: Rng) -> list[str]:
    """Words in another order, blanks and line breaks as they were."""
    order = rng.permutation(len(first))
    return [swapped(own, first[i].strip()) for own, i in zip(first, order, strict=True)]


def _repeated(first: list[str], rng: Rng) -> list[str]:
    return [word for word in first for _ in range(1 + int(rng.random() < 0.3))]


# ---- tables ----


def _of_tables(rng: Rng) -> dict[str, Callable[[Pairs], pd.DataFrame]]:
    def exchanged(pair: Pairs, low: float, high: float) -> pd.DataFrame:
        first, second = (own.frame().reset_index(drop=True) for own in pair)
        share = rng.uniform(low, high, (len(first), 1))
        taken = rng.random(first.shape) < share
        columns = {
            name: first[name].where(~taken[:, i], second[name])
            for i, name in enumerate(first.columns)
        }
        return pd.DataFrame(columns).astype(dict(first.dtypes))

    return {
        "few exchanges": lambda pair: exchanged(pair, 0.0, 0.3),
        "exchanges": lambda pair: exchanged(pair, 0.3, 0.7),
    }


def together(made: list[Probes]) -> Probes:
    """One after the other."""
    made = [part for part in made if len(part)] or made[:1]
    if len(made) == 1:
        return made[0]
    base, cluster = (np.concatenate([getattr(part, name) for part in made])
                     for name in ("base", "cluster"))  # fmt: skip
    return Probes(joined([part.x for part in made]), base, cluster)


def joined(batches: list[Inputs]) -> Inputs:
    """Inputs of one form, one after the other."""
    form = batches[0]
    if form.kind == "texts":
        return form.like([text for batch in batches for text in batch.texts()])
    if form.kind == "table":
        return form.like(pd.concat([batch.frame() for batch in batches], ignore_index=True))
    return form.like(np.concatenate([batch.array() for batch in batches]))
