"""Rules that may foretell a network's decisions: how they are fitted, and which is taken.

Everything here sees two parts of one half of the probes: rules are fitted to the first, and the
second chooses between them. What is chosen is fitted again to both, and judged elsewhere. A rule is
a few numbers of an input (*features*) and a reading of them (`readings`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from falsestruct.characterise import directions
from falsestruct.characterise.readings import (
    Codes,
    Way,
    by_cluster,
    chosen,
    read,
    read_along,
    read_steps,
    thresholds,
)

Rows = np.ndarray | slice

LEARNED: dict[Way, str] = {
    "plain": "directions",
    "squares": "directions and squares",
    "switch": "directions and a switch",
}
MEANS = "class means"  # of the data: a baseline, and a rule that may be named
SIMPLER = ("statistic", "sum of two")  # than class means, which read all of an input
FAMILIES = (*SIMPLER, MEANS, *LEARNED.values(), "sparse sum")
PAIRS = 30  # sums of two that get a threshold
LEADERS = 12  # statistics of which all sums with others are looked at
TERMS = 40  # statistics that may enter it
PENALTIES = (0.001, 0.01, 0.1, 1.0)  # of learned directions: C of scikit-learn
SPARSE = (0.01, 0.02, 0.05, 0.1)  # of the sparse sum
DRAWS = 20, 200  # sets of random directions of which the best is taken: at least, at most
NEIGHBOURS = (1, 5, 15)


@dataclass(frozen=True)
class Look:
    """Inputs as the search sees them.

    Attributes:
        values: The library's statistics, (n, statistics).
        z: Coordinates, (n, coordinates).
        slopes: Gradients in coordinates, (n, coordinates), of a network that has them; rows of
            zeros where they weren't taken.
        changes: Of a black box, (flips, coordinates): what flipped inputs of the first part.
        whitening, whitened: Once they are known: fitted to all probes of the half, without labels.
    """

    values: np.ndarray
    z: np.ndarray
    slopes: np.ndarray | None = None
    changes: np.ndarray | None = None
    whitening: directions.Whitening | None = None
    whitened: np.ndarray | None = None

    @cached_property
    def white(self) -> directions.Whitening:
        """Of these coordinates."""
        return self.whitening or directions.whitening(self.z)

    @cached_property
    def w(self) -> np.ndarray:
        """Whitened coordinates, (n, parts)."""
        return self.white(self.z) if self.whitened is None else self.whitened

    def once(self) -> Look:
        """The same, whitened now, for all that is taken from it: it costs the most."""
        return replace(self, whitening=self.white, whitened=self.w)

    def take(self, rows: Rows) -> Look:
        """Some of them; a slice copies nothing."""
        slopes = None if self.slopes is None else self.slopes[rows]
        whitened = None if self.whitened is None else self.whitened[rows]
        return Look(self.values[rows], self.z[rows], slopes, self.changes, self.whitening, whitened)

    def __len__(self) -> int:
        return len(self.z)


@dataclass(frozen=True)
class Rule:
    """A fitted rule.

    Attributes:
        predict: Codes of a look.
        terms: What it looks at, by name, the heaviest first.
        vectors: Its directions in coordinates, (q, coordinates); q may be 0.
    """

    predict: Callable[[Look], Codes]
    terms: tuple[str, ...]
    vectors: np.ndarray


@dataclass(frozen=True)
class Candidate:
    """A rule that can be fitted.

    Attributes:
        features: Numbers of an input that it reads.
        way: How it reads them.
        fit: From a look, codes and how many there are.
        compared: Rules of its family of which it was the best.
    """

    family: str
    name: str
    features: int
    way: Way
    fit: Callable[[Look, Codes, int], Rule]
    compared: int = 1


@dataclass(frozen=True)
class Half:
    """What rules are fitted to, and what chooses.

    Attributes:
        fitting, choosing: Rows of the look.
        cluster: Of each row.
    """

    look: Look
    codes: Codes
    classes: int
    cluster: np.ndarray
    fitting: Rows
    choosing: Rows

    @cached_property
    def part(self) -> Look:
        """What rules are fitted to."""
        return self.look.take(self.fitting)

    @cached_property
    def rest(self) -> Look:
        """What chooses."""
        return self.look.take(self.choosing)

    @property
    def truth(self) -> Codes:
        """The answers of what chooses."""
        return self.codes[self.choosing]

    def fitted(self, candidate: Candidate) -> Rule:
        """To the first part."""
        return candidate.fit(self.part, self.codes[self.fitting], self.classes)

    def refitted(self, candidate: Candidate) -> Rule:
        """To both parts, and what belongs to neither."""
        return candidate.fit(self.look, self.codes, self.classes)

    def score(self, rule: Rule) -> float:
        """Balanced accuracy on the second part."""
        return float(self._gains(rule).mean())

    def surely(self, rule: Rule) -> float:
        """`score` less its standard error: with a rare answer, a perfect score may be luck."""
        gains = self._gains(rule)
        return float(gains.mean() - gains.std(ddof=1) / np.sqrt(len(gains)))

    def _gains(self, rule: Rule) -> np.ndarray:
        right = rule.predict(self.rest) == self.truth
        return by_cluster(right, self.truth, self.cluster[self.choosing])

    def best(self, rules: Sequence[Rule], sizes: Sequence[int]) -> int:
        """Which of these is right most often, simpler ones before others; see `chosen`."""
        right = np.stack([rule.predict(self.rest) for rule in rules]) == self.truth
        return chosen(right, self.truth, self.cluster[self.choosing], sizes)


# ---- tier 1 ----


def statistic(half: Half, names: Sequence[str]) -> Candidate:
    """The best single statistic; for more than two labels, of the TERMS that part them best."""
    first, second = half.part.values, half.rest.values
    y, z = half.codes[half.fitting], half.truth
    if half.classes == 2:
        cut, sign, _ = thresholds(first, y)
        right = (((second - cut) * sign > 0) == (z > 0)[:, None]).T
        which = chosen(right, z, half.cluster[half.choosing])
    else:
        order = np.sort(_leaders(first, y)[:TERMS])
        fits = [read(first[:, [i]], y, half.classes) for i in order]
        right = np.stack([fit(second[:, [i]]) == z for fit, i in zip(fits, order, strict=True)])
        which = int(order[chosen(right, z, half.cluster[half.choosing])])
    fit = partial(_single, which, names[which])
    return Candidate("statistic", names[which], 1, "plain", fit, len(names))


def _single(which: int, name: str, look: Look, codes: Codes, classes: int) -> Rule:
    reading = read(look.values[:, [which]], codes, classes)
    none = np.empty((0, look.z.shape[1]))
    return Rule(lambda own: reading(own.values[:, [which]]), (name,), none)


def _leaders(values: np.ndarray, codes: Codes) -> np.ndarray:
    """Columns in the order of how well a threshold parts the labels, one against the rest."""
    j = [thresholds(values, (codes == label).astype(np.int64))[2] for label in np.unique(codes)]
    return np.argsort(-np.sum(j, axis=0), kind="stable")


def sum_of_two(half: Half, names: Sequence[str]) -> Candidate | None:
    """The best sum of two statistics with a threshold; None for more than two labels."""
    if half.classes > 2 or half.look.values.shape[1] < 2:
        return None
    first, second = half.part.values, half.rest.values
    y, z = half.codes[half.fitting], half.truth
    pairs = _pairs(first, y)
    fits = [read(first[:, list(pair)], y, 2) for pair in pairs]
    said = [fit(second[:, list(pair)]) for fit, pair in zip(fits, pairs, strict=True)]
    right = np.stack(said) == z
    i, j = pairs[chosen(right, z, half.cluster[half.choosing])]
    name = f"{names[i]} and {names[j]}"
    fit = partial(_both, i, j, (names[i], names[j]))
    return Candidate("sum of two", name, 2, "plain", fit, LEADERS * len(names))


def _pairs(values: np.ndarray, codes: Codes) -> list[tuple[int, int]]:
    """PAIRS pairs, of a leader and any other, with the largest Mahalanobis distance of means."""
    own, ones = values.astype(float), codes > 0
    gap = own[ones].mean(0) - own[~ones].mean(0)
    inner = own - np.where(ones[:, None], own[ones].mean(0), own[~ones].mean(0))
    spread = inner.std(0)
    moves = spread > 1e-9 * np.maximum(np.abs(own).max(0), 1e-300)
    scale = np.where(moves, spread, 1.0)
    lead = _leaders(values, codes)[:LEADERS]
    r = (inner[:, lead] / scale[lead]).T @ (inner / scale) / len(inner)
    a, b = (gap / scale)[lead][:, None], gap / scale
    free = 1 - r**2
    apart = free > 1e-3  # else two names of one statistic
    distance = np.full(r.shape, -np.inf)
    np.divide(a**2 - 2 * r * a * b + b**2, free, out=distance, where=apart)
    distance[np.arange(len(lead)), lead] = -np.inf
    found: dict[tuple[int, int], None] = {}
    for flat in np.argsort(-distance, axis=None, kind="stable"):
        k, j = np.unravel_index(flat, distance.shape)
        i = int(lead[k])
        found[(min(i, int(j)), max(i, int(j)))] = None
        if len(found) == PAIRS:
            break
    return list(found)


def _both(i: int, j: int, terms: tuple[str, str], look: Look, codes: Codes, classes: int) -> Rule:
    reading = read(look.values[:, [i, j]], codes, classes)
    none = np.empty((0, look.z.shape[1]))
    return Rule(lambda own: reading(own.values[:, [i, j]]), terms, none)


# ---- tier 2 ----

Learn = Callable[[Look, Codes], np.ndarray]


def learned(half: Half, way: Way) -> Candidate | None:
    """The best set of learned directions, read in this way; None if there is none to read so."""
    made = [_directions(name, learn, count, way)
            for name, learn, count in _learners(half.look, half.classes, way)]  # fmt: skip
    if not made:
        return None
    best = half.best([half.fitted(own) for own in made], [own.features for own in made])
    return replace(made[best], compared=len(made))


def _learners(look: Look, classes: int, way: Way) -> list[tuple[str, Learn, int]]:
    """Name, function, number of directions; few directions first."""
    few = min(directions.MOST, classes - 1, look.z.shape[1])
    many = min(directions.MOST, look.z.shape[1])
    found: list[tuple[str, Learn, int]] = []
    if way == "switch":
        return [("learned from answers", _switched, 3)] if classes == 2 and many > 2 else []
    if way == "plain":
        found.append(
            ("between the means of answers", lambda v, y: directions.prototypes(v.z, y), few)
        )
        for penalty in PENALTIES:
            learn = partial(_discriminant, penalty)
            found.append(("learned from answers", learn, few))
    else:
        found.append(("learned from answers", partial(_pursued, 1), 1))
        found.append(("learned from answers", partial(_pursued, many), many))
    shared = {"learned from gradients": look.slopes, "learned from flips": look.changes}
    for name, rows in shared.items():
        most = 0 if rows is None else min(many, len(rows))
        for count in sorted({1, min(2, most), most} if most else ()):
            found.append((name, partial(_shared, name, count), count))
    return sorted(found, key=lambda own: own[2])


def _discriminant(penalty: float, look: Look, codes: Codes) -> np.ndarray:
    return directions.discriminant(look.white, look.w, codes, penalty=penalty)


def _shared(name: str, count: int, look: Look, codes: Codes) -> np.ndarray:
    """What gradients, or changes that flip inputs, have in common."""
    rows = look.slopes if name == "learned from gradients" else look.changes
    assert rows is not None
    return directions.from_gradients(rows)[:count]


def _pursued(count: int, look: Look, codes: Codes) -> np.ndarray:
    """From second moments, and the discriminant last."""
    most = max(2, len(look) // 20)  # more parts than that hide in the noise of their covariance
    start = directions.second_moments(look.white, look.w, codes, most=most)
    if count > 1:
        start = np.concatenate([_discriminant(0.01, look, codes), start])
    return directions.pursuit(look.white, look.w, codes, start[:count])


def _switched(look: Look, codes: Codes) -> np.ndarray:
    """Each direction of the best quadratic form is tried as the switch."""
    form = _pursued(min(directions.MOST, look.z.shape[1]), look, codes)
    found = directions.switch(look.w, codes, look.white.along(form))
    return look.white.back(found.vectors)


def _directions(name: str, learn: Learn, count: int, way: Way) -> Candidate:
    plural = "1 direction" if count == 1 else f"{count} directions"
    square = " and its square" if count == 1 else " and their squares"
    how = {"plain": "", "squares": square, "switch": ", one a switch,"}[way]
    known: dict[int, tuple[Look, Rule]] = {}  # of one task: the codes belong to the look

    def fit(look: Look, codes: Codes, classes: int) -> Rule:
        if id(look) not in known:
            vectors = learn(look, codes)[:count]
            reading = read_along(look.z @ vectors.T, codes, classes, way)
            terms = tuple(f"direction {i + 1}" for i in range(len(vectors)))
            known[id(look)] = look, Rule(lambda own: reading(own.z @ vectors.T), terms, vectors)
        return known[id(look)][1]

    return Candidate(LEARNED[way], f"{plural}{how} {name}", count * (1 + (way == "squares")), way,
                     fit)  # fmt: skip


# ---- tier 3 ----


def sparse(half: Half, names: Sequence[str], learners: Sequence[Candidate]) -> Candidate:
    """L1 logistic regression on steps of the best statistics and of learned directions."""
    lead = np.sort(_leaders(half.part.values, half.codes[half.fitting])[:TERMS])
    made = [
        Candidate("sparse sum", "", 0, "steps", partial(_sparse, penalty, lead, names, learners))
        for penalty in SPARSE
    ]
    rules = [half.fitted(own) for own in made]
    best = half.best(rules, [len(rule.terms) for rule in rules])
    return settled(replace(made[best], compared=len(made)), rules[best])


def settled(candidate: Candidate, rule: Rule) -> Candidate:
    """With the name and the size of this fit of it: fitted again, a sparse sum has other terms."""
    if candidate.family != "sparse sum":
        return candidate
    terms = rule.terms
    shown = ", ".join(terms[:3]) + (f" and {len(terms) - 3} more" if len(terms) > 3 else "")
    return replace(candidate, name=f"sum of steps of {shown}", features=max(1, len(terms)))


def _sparse(
    penalty: float, lead: np.ndarray, names: Sequence[str], learners: Sequence[Candidate],
    look: Look, codes: Codes, classes: int,
) -> Rule:  # fmt: skip
    vectors = np.concatenate([own.fit(look, codes, classes).vectors for own in learners])
    labels = [names[i] for i in lead] + [f"direction {i + 1}" for i in range(len(vectors))]

    def columns(own: Look) -> np.ndarray:
        return np.concatenate([own.values[:, lead], own.z @ vectors.T], axis=1)

    reading = read_steps(columns(look), codes, classes, penalty)
    order = np.argsort(-reading.weight, kind="stable")
    terms = tuple(labels[i] for i in order if reading.weight[i] > 0)
    return Rule(lambda own: reading(columns(own)), terms, vectors)


def families(half: Half, names: Sequence[str], *, switch: bool = True) -> Iterator[Candidate]:
    """The best rule of each family, in turn, simple ones first; switches take the longest."""
    yield statistic(half, names)
    if (both := sum_of_two(half, names)) is not None:
        yield both
    learners: list[Candidate] = []
    ways: tuple[Way, ...] = ("plain", "squares")
    for way in ways:
        if (own := learned(half, way)) is not None:
            learners.append(own)
            yield own
    if switch and (own := learned(half, "switch")) is not None:
        yield own
    yield sparse(half, names, learners)


# ---- baselines ----


def class_means(centres: np.ndarray, way: Way) -> Candidate:
    """Distances to the class means of the data (classes, coordinates), read in this way.

    Of two classes, its vector is the direction from one mean to the other.
    """
    vectors = directions.unit(centres[1:] - centres[:1]) if len(centres) == 2 else centres[:0]

    def features(look: Look) -> np.ndarray:
        square = (centres**2).sum(1) - 2 * look.z @ centres.T
        return np.asarray(square[:, 1:] - square[:, :1])

    return _numbers(MEANS, features, len(centres) - 1, way, vectors)


def _numbers(
    name: str, features: Callable[[Look], np.ndarray], count: int, way: Way, vectors: np.ndarray
) -> Candidate:
    def fit(look: Look, codes: Codes, classes: int) -> Rule:
        reading = read_along(features(look), codes, classes, way)
        return Rule(lambda own: reading(features(own)), (name,), vectors)

    return Candidate(name, name, count, way, fit)


def neighbours(half: Half, most: int, *, seed: int) -> Candidate:
    """A nearest-neighbour rule on the network's own answers, with the best of NEIGHBOURS.

    Args:
        most: Answers that it knows, at random, at most.
    """
    known = np.random.default_rng(seed).permutation(len(half.part))[:most]
    counts = [count for count in NEIGHBOURS if count <= len(known)]
    codes, truth = half.codes[half.fitting][known], half.truth
    near = _nearest(half.part.z[known], half.rest.z, max(counts))
    cluster = half.cluster[half.choosing]
    scores = []
    for count in counts:
        said = _voted(codes[near[:, :count]], codes, half.classes)
        scores.append(by_cluster((said == truth).astype(float), truth, cluster).mean())
    return _neighbours(counts[int(np.argmax(scores))], most, seed)


def _nearest(known: np.ndarray, z: np.ndarray, count: int) -> np.ndarray:
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(known)
    return np.asarray(near.kneighbors(z, return_distance=False))


def _voted(votes: Codes, codes: Codes, classes: int) -> Codes:
    """Votes weigh as much as their label is rare: balanced, as all the other rules are."""
    tally = np.stack([(votes == label).sum(1) for label in range(classes)], axis=1)
    return np.asarray((tally / np.maximum(1, np.bincount(codes, minlength=classes))).argmax(1))


def _neighbours(count: int, most: int, seed: int) -> Candidate:
    def fit(look: Look, codes: Codes, classes: int) -> Rule:
        rows = np.random.default_rng(seed).permutation(len(look))[:most]
        points, answers = look.z[rows], codes[rows]
        known: dict[int, tuple[Look, Codes]] = {}  # several finalists ask for the same

        def predict(own: Look) -> Codes:
            if id(own) not in known:
                votes = answers[_nearest(points, own.z, count)]
                known[id(own)] = own, _voted(votes, answers, classes)
            return known[id(own)][1]

        return Rule(predict, ("answers of neighbours",), np.empty((0, look.z.shape[1])))

    return Candidate("baseline", "distilled nearest neighbour", count, "plain", fit)


def at_random(half: Half, features: int, way: Way, *, compared: int, seed: int) -> Candidate:
    """The best of sets of as many random directions, read as learned ones are.

    Args:
        compared: Rules of which the candidate was the best: as many sets are drawn, within DRAWS.
    """
    rng = np.random.default_rng(seed)
    count = max(1, features // 2 if way == "squares" else features)
    made = []
    for _ in range(min(DRAWS[1], max(DRAWS[0], compared))):
        vectors = directions.at_random(half.look.z.shape[1], count, half.look.z, rng)
        made.append(_random(vectors, features, way))
    scores = [half.score(half.fitted(own)) for own in made]
    return made[int(np.argmax(scores))]


def _random(vectors: np.ndarray, features: int, way: Way) -> Candidate:
    def along(look: Look) -> np.ndarray:
        return np.asarray(look.z @ vectors.T)

    return _numbers("random directions", along, features, way, vectors)
