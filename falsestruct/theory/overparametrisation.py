"""What chapter 17 proves about networks and rules with more parameters than samples, exactly.

Statements whose source is not named are the book's own. All numbers are `Fraction`s, but for those
of `risk`, for a model like those of arXiv:1903.07571.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from random import Random

from falsestruct.theory import oscillation
from falsestruct.theory.gradients import random_network
from falsestruct.theory.invariance import solve
from falsestruct.theory.relu import ReluNetwork

ZERO, ONE = Fraction(0), Fraction(1)
Vector = Sequence[Fraction]
INPUTS, UNITS, POINTS = 2, 3, 9  # of a random network, and where it is looked at
STEPS = tuple(Fraction(k, 4) for k in range(5))  # of a path, 0 and 1 included
A, K, POINTS_EACH = 20, 26, 3  # the oscillation of chapter 02, and points of each interval
EPSILON, DELTA = Fraction(1, 100), Fraction(1, 10_000)


def dot(u: Vector, v: Vector) -> Fraction:
    """Inner product."""
    return sum((a * b for a, b in zip(u, v, strict=True)), ZERO)


def gram(rows: Sequence[Vector]) -> list[list[Fraction]]:
    """Inner products of all pairs of rows."""
    return [[dot(one, other) for other in rows] for one in rows]


# A path between any two networks


def between(first: ReluNetwork, second: ReluNetwork, t: Fraction) -> ReluNetwork:
    """Both networks side by side, outgoing weights times 1 − t and t: the path's second line."""
    outputs = [(1 - t) * v for v in first.outputs] + [t * v for v in second.outputs]
    bias = (1 - t) * first.bias + t * second.bias
    weights, biases = first.weights + second.weights, first.biases + second.biases
    return ReluNetwork(weights, biases, tuple(outputs), bias)


def carried(first: ReluNetwork, idle: ReluNetwork, second: ReluNetwork, t: Fraction) -> ReluNetwork:
    """The first line: a network beside idle units, moved to those of the second one.

    The third line is the first one of the way back.

    Args:
        idle: Where these units begin; what leaves them has the weight 0 throughout.
    """
    moved = straight(idle, second, t)
    resting = (ZERO,) * moved.size
    return ReluNetwork(
        first.weights + moved.weights, first.biases + moved.biases,
        first.outputs + resting, first.bias,
    )  # fmt: skip


def straight(first: ReluNetwork, second: ReluNetwork, t: Fraction) -> ReluNetwork:
    """The straight line between two networks of one size, unit by unit."""

    def mix(u: Vector, v: Vector) -> tuple[Fraction, ...]:
        return tuple((1 - t) * a + t * b for a, b in zip(u, v, strict=True))

    weights = tuple(mix(u, v) for u, v in zip(first.weights, second.weights, strict=True))
    outputs, (bias,) = mix(first.outputs, second.outputs), mix((first.bias,), (second.bias,))
    return ReluNetwork(weights, mix(first.biases, second.biases), outputs, bias)


def valley_evidence(cases: int, rng: Random) -> tuple[Fraction, Fraction]:
    """Largest distance from what the path should be, and smallest one of straight lines."""
    off, apart = [walk_error()], []
    for _ in range(cases):
        first, idle, second = (random_network(INPUTS, UNITS, rng) for _ in range(3))
        points = _points(rng)
        for t in STEPS:
            mixed = [(1 - t) * first(x) + t * second(x) for x in points]
            off.append(_apart(between(first, second, t), points, mixed))
            off.append(_apart(carried(first, idle, second, t), points, [first(x) for x in points]))
        half = Fraction(1, 2)
        mixed = [half * (first(x) + second(x)) for x in points]
        apart.append(_apart(straight(first, second, half), points, mixed))
    return max(off), min(apart)


def walk_error() -> Fraction:
    """Largest error on the data of chapter 02, from its exact network to that of the hint."""
    truth = [(x, oscillation.label(x, A)) for x in oscillation.grid(A, K, EPSILON, POINTS_EACH)]
    points, labels = [(x, DELTA * y) for x, y in truth], [Fraction(y) for _, y in truth]
    return max(_apart(walk(t), points, labels) for t in STEPS)


def walk(t: Fraction) -> ReluNetwork:
    """A network on the path from the original structure of chapter 02 to its hint."""
    exact = oscillation.exact_network(A, K, EPSILON)
    return between(exact, oscillation.hint_network(DELTA), t)


def _points(rng: Random) -> list[tuple[Fraction, ...]]:
    return [tuple(Fraction(rng.randint(-18, 18), 9) for _ in range(INPUTS)) for _ in range(POINTS)]


def _apart(network: ReluNetwork, points: Sequence[Vector], values: Vector) -> Fraction:
    return max(abs(network(x) - value) for x, value in zip(points, values, strict=True))


# Room to learn by heart


def interpolant(rows: Sequence[Vector], labels: Vector) -> list[Fraction] | None:
    """The weights of least norm that give these labels; None if the rows aren't independent."""
    shares = solve(gram(rows), labels)
    if shares is None:
        return None
    columns = zip(*rows, strict=True)
    return [dot(shares, column) for column in columns]


def with_false(a: Fraction, c: Fraction, room: Fraction, r: Fraction, n: int) -> bool:
    """Does the least-norm interpolant side with g on unseen exceptions? The proposition's formula.

    Args:
        a, c: Sizes of the original feature a·f and of the false one c·g.
        room: s², the square of each sample's own coordinate.
        r: 2ρ − 1 for an agreement ρ on the training set.
        n: Samples.
    """
    return room * (c * c * r - a * a) > a * a * c * c * n * (1 - r * r)


def ridge_evidence(cases: int, rng: Random) -> tuple[Fraction, Fraction]:
    """Shares of cases in which the formula is right: a coordinate for each sample, and one for all.

    One for all is no room: then least squares, which fit, go with the original.
    """
    right = shared = 0
    for _ in range(cases):
        n = rng.randint(4, 7)
        wrong = rng.randint(1, (n - 1) // 2)
        a, c, s = (Fraction(rng.randint(*ends), 3) for ends in ((1, 3), (3, 9), (1, 18)))
        y = [Fraction((-1) ** i) for i in range(n)]
        g = [-label if i < wrong else label for i, label in enumerate(y)]
        told = with_false(a, c, s * s, Fraction(n - 2 * wrong, n), n)
        features = [(a * label, c * said) for label, said in zip(y, g, strict=True)]
        own = [
            (*pair, *(s if j == i else ZERO for j in range(n))) for i, pair in enumerate(features)
        ]
        one = [(*pair, s) for pair in features]
        columns = list(zip(*one, strict=True))
        least = (interpolant(own, y), solve(gram(columns), [dot(col, y) for col in columns]))
        sides = [found is not None and c * found[1] > a * found[0] for found in least]
        right += sides[0] == told
        shared += sides[1] == told
    return Fraction(right, cases), Fraction(shared, cases)


# The peak


def noise_taken(rows: Sequence[Vector]) -> Fraction:
    """Trace of the inverse Gram matrix: expected square norm of the fit to noise of variance one.

    Raises:
        ArithmeticError: the rows aren't independent.
    """
    matrix, total = gram(rows), ZERO
    for i in range(len(rows)):
        column = solve(matrix, [ONE if j == i else ZERO for j in range(len(rows))])
        if column is None:
            raise ArithmeticError(f"{len(rows)} rows are dependent; expected independent ones")
        total += column[i]
    return total


def distance(rows: Sequence[Vector], i: int) -> Fraction:
    """Squared distance of row i from the span of the others, which are independent."""
    others = [row for j, row in enumerate(rows) if j != i]
    shares = solve(gram(others), [dot(row, rows[i]) for row in others]) if others else []
    assert shares is not None
    parts = [dot(shares, column) for column in zip(*others, strict=True)] if others else []
    rest = [a - b for a, b in zip(rows[i], parts, strict=True)] if others else rows[i]
    return dot(rest, rest)


def distances_evidence(cases: int, rng: Random) -> tuple[Fraction, Fraction]:
    """Largest difference of `noise_taken` from the distances' sum; least from that of lengths."""
    off: list[Fraction] = []
    lengths: list[Fraction] = []
    while len(off) < cases:
        n = rng.randint(2, 4)
        rows = [[Fraction(rng.randint(-5, 5)) for _ in range(n + 1)] for _ in range(n)]
        if solve(gram(rows), [ZERO] * n) is None or all(
            dot(u, v) == 0 for i, u in enumerate(rows) for v in rows[:i]
        ):
            continue  # dependent, or orthogonal: then lengths are the distances
        taken = noise_taken(rows)
        off.append(abs(taken - sum((1 / distance(rows, i) for i in range(n)), ZERO)))
        lengths.append(abs(taken - sum((1 / dot(row, row) for row in rows), ZERO)) / taken)
    return max(off), min(lengths)


def risk(n: int, p: int, *, inside: float, outside: float) -> float:
    """Expected squared error on fresh data of least squares with p Gaussian features, n samples.

    Beyond p = n the interpolant of least norm.

    Args:
        inside: Square norm of the part of the truth that the features show.
        outside: Variance of the rest, noise included.

    Raises:
        ValueError: n − 1 ≤ p ≤ n + 1, where the expectation is infinite.
    """
    if abs(n - p) < 2:
        raise ValueError(f"p is {p}, n is {n}; expected at least two apart")
    if p < n:
        return outside * (1 + p / (n - p - 1))
    return inside * (1 - n / p) + outside * (1 + n / (p - n - 1))


def descent(n: int, total: int, *, noise: float) -> list[tuple[int, float]]:
    """Numbers of features p, from 10 on, with their `risk`, where all weigh the same.

    NaN at p = n, where there is none, so that a curve through the rest has a gap.

    Args:
        total: Features that the truth has, of square norm one together.
        noise: Variance of what is added.
    """
    counts = {n} | {round(10 * (total / 10) ** (k / 200)) for k in range(201)}
    return [
        (p, math.nan if p == n else risk(n, p, inside=p / total, outside=1 - p / total + noise))
        for p in sorted(counts)
        if p == n or abs(n - p) >= 2
    ]


# Sharpness and scale


def rescaled(network: ReluNetwork, k: Fraction) -> ReluNetwork:
    """What enters the hidden units times k, what leaves them over k, for k > 0."""
    return ReluNetwork(
        tuple(tuple(k * w for w in row) for row in network.weights),
        tuple(k * b for b in network.biases), tuple(v / k for v in network.outputs), network.bias,
    )  # fmt: skip


def curvature(network: ReluNetwork, unit: int, points: Sequence[Vector]) -> Fraction:
    """Second derivative of half the mean squared error in one outgoing weight: mean of R²."""
    w, b = network.weights[unit], network.biases[unit]
    active = [max(dot(w, x) + b, ZERO) for x in points]
    return dot(active, active) / len(points)


def rescaled_evidence(cases: int, rng: Random) -> tuple[Fraction, Fraction]:
    """Largest error of the proposition; smallest of k² for curvature times squared weight."""
    off, free = [], []
    for _ in range(cases):
        network, points = random_network(INPUTS, UNITS, rng), _points(rng)
        k = Fraction(rng.choice((2, 3, 5)), rng.choice((1, 7)))
        other = rescaled(network, k)
        off.append(_apart(other, points, [network(x) for x in points]))
        for unit in range(UNITS):
            before, after = (curvature(one, unit, points) for one in (network, other))
            if before and network.outputs[unit]:
                off.append(abs(after / before - k * k))
                weights = (other.outputs[unit] / network.outputs[unit]) ** 2
                free.append(abs(after / before * weights - k * k))
    return max(off), min(free)


# Random directions


def over_plane(normal: Sequence[int], square: Fraction) -> Fraction:
    """Share of the directions with entries ±1/√d that cross a plane at √square of their length.

    Args:
        normal: Of the plane, of any length.
        square: r²/L², the squared distance over the squared length of the perturbation.
    """
    d, size = len(normal), sum(w * w for w in normal)
    along = [sum(s * w for s, w in zip(signs, normal, strict=True))
             for signs in product((1, -1), repeat=d)]  # fmt: skip
    crossing = [value > 0 and value * value >= square * d * size for value in along]
    return Fraction(sum(crossing), len(crossing))


def directions_evidence(cases: int, rng: Random) -> tuple[Fraction, Fraction]:
    """Largest excess over the bound L²/(2dr²): directions with equal entries, and ± the first.

    The first case is fixed: a plane that faces the first coordinate, near enough for ± the first
    to exceed the bound. Few random planes do.
    """
    planes = [([9, 1, 1], Fraction(1, 2))]
    for _ in range(cases):
        normal = [rng.randint(1, 9) for _ in range(rng.randint(2, 7))]
        planes.append((normal, Fraction(rng.randint(1, 40), 10 * len(normal))))
    equal, first = [], []
    for normal, square in planes:
        d, size = len(normal), sum(w * w for w in normal)
        bound = 1 / (2 * d * square)
        equal.append(over_plane(normal, square) - bound)
        first.append(Fraction(normal[0] ** 2 >= square * size, 2) - bound)
    return max(equal), max(first)


def evidence(cases: int) -> dict[str, tuple[Fraction, Fraction]]:
    """Value and control of each proved claim of the chapter, by the end of its id."""
    found: dict[str, Callable[[int, Random], tuple[Fraction, Fraction]]] = {
        "valley": valley_evidence, "ridge": ridge_evidence, "distances": distances_evidence,
        "rescaled": rescaled_evidence, "directions": directions_evidence,
    }  # fmt: skip
    return {name: function(cases, Random(0)) for name, function in found.items()}
