"""Rules that may foretell the flips of networks that they have not seen, out of nine numbers of an
image.

A family is a few ways to fit a rule. Which of them is taken, the first half of the networks says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from falsestruct.characterise import directions, library
from falsestruct.characterise.asking import inputs
from falsestruct.characterise.candidates import NEIGHBOURS, PENALTIES
from falsestruct.characterise.readings import Way, read_along

NUMBERS = 9  # that a rule reads: as many as the means of ten classes span
WAYS: tuple[Way, ...] = ("plain", "squares")
SETS = 10  # that are drawn at random, each read in both ways


@dataclass(frozen=True)
class Known:
    """What is known of some networks: their answers at images, and where these were flipped.

    Attributes:
        x: Images (images, pixels).
        moved: With 1.5 times each network's perturbation, (networks, images, pixels).
        before, after: Answers there, (networks, images).
        lasting: Whether the new answer is still that of the flip, (networks, images).
    """

    x: np.ndarray
    moved: np.ndarray
    before: np.ndarray
    after: np.ndarray
    lasting: np.ndarray

    def part(self, networks: slice, images: slice) -> Known:
        """Some networks at some images."""
        own = (self.before, self.after, self.lasting)
        return Known(self.x[images], self.moved[networks, images],
                     *(each[networks, images] for each in own))  # fmt: skip

    @property
    def inputs(self) -> np.ndarray:
        """All inputs, (2 · networks · images, pixels)."""
        still = np.broadcast_to(self.x, self.moved.shape)
        return np.concatenate([still, self.moved]).reshape(-1, self.x.shape[1])

    @property
    def answers(self) -> np.ndarray:
        """The networks' own, of `inputs`."""
        return np.concatenate([self.before, self.after]).ravel()


@dataclass(frozen=True)
class Rule:
    """A fitted rule.

    Attributes:
        labels: Of images (n, pixels).
        vectors: Its directions (q, pixels), if it has any.
        terms: What it reads, by name, if that has one.
    """

    labels: Callable[[np.ndarray], np.ndarray]
    vectors: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    terms: tuple[str, ...] = ()


Fit = Callable[[Known], Rule]
Features = Callable[[np.ndarray], np.ndarray]


def foretold(rule: Rule, known: Known) -> np.ndarray:
    """1 where the rule gives the network's answer before and after the flip, else 0; NaN where the
    flip does not last, (networks, images)."""
    start = rule.labels(known.x) == known.before
    end = rule.labels(known.moved.reshape(-1, known.x.shape[1])).reshape(known.after.shape)
    return np.where(known.lasting, (start & (end == known.after)).astype(float), np.nan)


def chosen(fits: Sequence[Fit], known: Known) -> Rule:
    """The fit that foretells most flips of half of the networks at half of the images, having seen
    the other halves; then fitted to all. Of equals, the first."""
    networks, images = len(known.moved) // 2, len(known.x) // 2
    first = known.part(slice(networks), slice(images))
    rest = known.part(slice(networks, None), slice(images, None))
    shares = [np.nanmean(foretold(fit(first), rest)) for fit in fits]
    return fits[int(np.argmax(shares))](known)


def _read(features: Features, x: np.ndarray, answers: np.ndarray, way: Way) -> Features:
    """Labels from features, by the tool's balanced logistic regression on them."""
    codes = np.unique(answers)
    reading = read_along(features(x), np.searchsorted(codes, answers), len(codes), way)
    return lambda own: codes[reading(features(own))]


def _along(vectors: np.ndarray, x: np.ndarray, answers: np.ndarray, way: Way) -> Rule:
    return Rule(_read(lambda own: own @ vectors.T, x, answers, way), vectors)


def discriminant(x: np.ndarray, answers: np.ndarray, penalty: float) -> np.ndarray:
    """At most NUMBERS directions (q, pixels) in which the weights of a balanced logistic regression
    on whitened images differ, the heaviest first; as the tool's, which has at most five."""
    white = directions.whitening(x)
    model = LogisticRegression(C=penalty, class_weight="balanced", max_iter=200, tol=1e-3)
    weights = model.fit(white(x), answers).coef_
    apart = weights - weights.mean(0)
    return white.back(np.linalg.svd(apart, full_matrices=False)[2][: min(NUMBERS, len(apart) - 1)])


def learned() -> list[Fit]:
    """Directions learned from answers, and main directions of the perturbations."""

    def from_answers(penalty: float, way: Way) -> Fit:
        def fit(known: Known) -> Rule:
            x, answers = known.inputs, known.answers
            return _along(discriminant(x, answers, penalty), x, answers, way)

        return fit

    def from_flips(way: Way) -> Fit:
        def fit(known: Known) -> Rule:
            change = (known.moved - known.x).reshape(-1, known.x.shape[1])
            rows = directions.unit(change)
            main = np.linalg.svd(rows, full_matrices=False)[2][:NUMBERS]
            return _along(main, known.inputs, known.answers, way)

        return fit

    ways = [from_answers(penalty, way) for penalty in PENALTIES for way in WAYS]
    return ways + [from_flips(way) for way in WAYS]


def labelled(x: np.ndarray, y: np.ndarray) -> list[Fit]:
    """Directions learned from images and their true labels: no network is asked."""

    def fit(penalty: float, way: Way) -> Fit:
        return lambda _: _along(discriminant(x, y, penalty), x, y, way)

    return [fit(penalty, way) for penalty in PENALTIES for way in WAYS]


def along(sets: Sequence[np.ndarray]) -> list[Fit]:
    """Given sets of directions (q, pixels): class means, or random ones."""

    def fit(vectors: np.ndarray, way: Way) -> Fit:
        return lambda known: _along(vectors, known.inputs, known.answers, way)

    return [fit(vectors, way) for vectors in sets for way in WAYS]


def neighbours() -> list[Fit]:
    """The answers of the nearest inputs that are known."""

    def fit(count: int) -> Fit:
        def fitted(known: Known) -> Rule:
            near = KNeighborsClassifier(count, algorithm="brute")
            near.fit(known.inputs, known.answers)
            return Rule(near.predict)

        return fitted

    return [fit(count) for count in NEIGHBOURS]


@dataclass(frozen=True)
class Statistics:
    """The tool's library of named statistics of images (side, side)."""

    own: library.Library
    side: int

    @classmethod
    def of(cls, x: np.ndarray) -> Statistics:
        """Those that vary on images (n, side, side)."""
        return cls(library.library(inputs(x)), x.shape[1])

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(n, statistics) of images (n, pixels)."""
        return self.own.values(inputs(x.reshape(-1, self.side, self.side))).astype(float)

    def fits(self, pick: Callable[[np.ndarray, np.ndarray], Sequence[int]]) -> list[Fit]:
        """Sums of some statistics, picked by values (n, statistics) and answers."""

        def fit(way: Way) -> Fit:
            def fitted(known: Known) -> Rule:
                x, answers = known.inputs, known.answers
                which = list(pick(self(x), answers))
                labels = _read(lambda own: self(own)[:, which], x, answers, way)
                return Rule(labels, terms=tuple(self.own.names[i] for i in which))

            return fitted

        return [fit(way) for way in WAYS]


def forward(values: np.ndarray, answers: np.ndarray) -> list[int]:
    """NUMBERS columns whose least-squares fit to the answers (one column each) is best, greedily.

    Orthogonal least squares: Chen, Billings and Luo 1989, with several answers at once.
    """
    spread = values.std(0)
    columns = (values - values.mean(0)) / np.where(spread > 0, spread, 1.0)
    left = (answers[:, None] == np.unique(answers)).astype(float)
    left -= left.mean(0)
    found: list[int] = []
    for _ in range(NUMBERS):
        square = (columns**2).sum(0)
        free = square > 1e-6 * len(columns)  # else it is a sum of those that were found
        gain = np.divide(
            ((columns.T @ left) ** 2).sum(1), square, np.zeros(len(square)), where=free
        )
        found.append(int(gain.argmax()))
        way = columns[:, found[-1]] / np.sqrt(square[found[-1]])
        columns = columns - np.outer(way, way @ columns)
        left = left - np.outer(way, way @ left)
    return found


def drawn(names: int, rng: np.random.Generator) -> list[Callable[..., Sequence[int]]]:
    """SETS picks of NUMBERS statistics that look at nothing."""
    sets = [sorted(rng.choice(names, NUMBERS, replace=False)) for _ in range(SETS)]
    return [lambda *_, own=own: own for own in sets]


def families(
    known: Known, true: tuple[np.ndarray, np.ndarray], *, side: int, seed: int
) -> Mapping[str, list[Fit]]:
    """All families by name, from the first half alone.

    Args:
        true: Its training images (n, pixels) and their labels.
        seed: Of what is drawn.
    """
    (x, y), rng = true, np.random.default_rng(seed)
    means = np.stack([x[y == c].mean(0) for c in np.unique(y)])
    named = Statistics.of(known.x.reshape(-1, side, side))
    centred = known.x - known.x.mean(0)
    sets = [directions.at_random(x.shape[1], NUMBERS, centred, rng) for _ in range(SETS)]
    return {
        "random directions": along(sets),
        "random statistics": [
            fit for pick in drawn(len(named.own), rng) for fit in named.fits(pick)
        ],
        "neighbours": neighbours(),
        "class means": along([means[1:] - means[0]]),
        "true labels": labelled(x, y),
        "named statistics": named.fits(forward),
        "learned directions": learned(),
    }
