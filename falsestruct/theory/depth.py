"""What chapter 16 proves about depth and about averages, in rational arithmetic.

The points j/2ᵏ with the label j mod 2 and the composition of tents are those of arXiv:1509.08101;
the count is chapter 10's. Statements whose source is not named are the book's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, product
from random import Random

from falsestruct.theory.oscillation import alternating_network
from falsestruct.theory.relu import ReluNetwork

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)
Vector = tuple[Fraction, ...]
Segment = list[tuple[Fraction, Vector]]  # places from 0 to 1, and values there; linear between


@dataclass(frozen=True)
class Layer:
    """x ↦ Wx + b.

    Attributes:
        weights: A row a unit.
        biases: One a unit.
    """

    weights: tuple[Vector, ...]
    biases: Vector

    def __call__(self, x: Vector) -> Vector:
        """The units' values before any ReLU."""
        rows = zip(self.weights, self.biases, strict=True)
        return tuple(sum((w * v for w, v in zip(row, x, strict=True)), b) for row, b in rows)


@dataclass(frozen=True)
class DeepNetwork:
    """Layers of ReLUs, and a last layer with one unit and without. Label 1 where it exceeds ½."""

    layers: tuple[Layer, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of ReLUs."""
        return tuple(len(layer.biases) for layer in self.layers[:-1])

    def __call__(self, x: Vector) -> Fraction:
        """The value at an input."""
        return self.along(x, x)[0][1]

    def along(self, first: Vector, last: Vector) -> list[tuple[Fraction, Fraction]]:
        """The value on a segment: at its ends and at every knot, by place; linear between."""
        ends: Segment = [(ZERO, first), (ONE, last)]
        for layer in self.layers[:-1]:
            ends = _bent([(t, layer(x)) for t, x in ends])
        return [(t, self.layers[-1](x)[0]) for t, x in ends]

    def without(self, layer: int, unit: int) -> DeepNetwork:
        """The network without one ReLU: what comes after doesn't hear it."""
        after = self.layers[layer + 1]
        rows = tuple((*row[:unit], ZERO, *row[unit + 1 :]) for row in after.weights)
        layers = list(self.layers)
        layers[layer + 1] = replace(after, weights=rows)
        return DeepNetwork(tuple(layers))


def _bent(ends: Segment) -> Segment:
    """ReLUs of values that are linear between ends: new ends where one of them changes its sign."""
    found = ends[:1]
    for (s, u), (t, v) in pairwise(ends):
        signs = [(a, b) for a, b in zip(u, v, strict=True) if a * b < 0]
        for part in sorted({a / (a - b) for a, b in signs}):
            here = tuple(a + part * (b - a) for a, b in zip(u, v, strict=True))
            found.append((s + part * (t - s), here))
        found.append((t, v))
    return [(t, tuple(max(a, ZERO) for a in x)) for t, x in found]


def changes(values: Sequence[tuple[Fraction, Fraction]]) -> list[Fraction]:
    """Where the label changes along a segment, from what `DeepNetwork.along` gives."""
    return [
        s + (HALF - u) / (v - u) * (t - s)
        for (s, u), (t, v) in pairwise(values)
        if (u > HALF) != (v > HALF)
    ]


# Alternating points


def points(k: int) -> list[tuple[Fraction, int]]:
    """j/2ᵏ for j from 0 to 2ᵏ, with the labels j mod 2."""
    return [(Fraction(j, 2**k), j % 2) for j in range(2**k + 1)]


def tents(k: int) -> DeepNetwork:
    """T∘…∘T of the first of two inputs, k times, with T(u) = 2R(u) − 4R(u − ½).

    Raises:
        ValueError: k < 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}; expected at least 1")
    tent, biases = (Fraction(2), Fraction(-4)), (ZERO, -HALF)
    first, later = Layer(((ONE, ZERO),) * 2, biases), Layer((tent,) * 2, biases)
    return DeepNetwork((first, *[later] * (k - 1), Layer((tent,), (ZERO,))))


def shallow(network: ReluNetwork) -> DeepNetwork:
    """A network of one input and one layer, as one of the first of two inputs."""
    hidden = Layer(tuple((w, ZERO) for (w,) in network.weights), network.biases)
    return DeepNetwork((hidden, Layer((network.outputs,), (network.bias,))))


def sawtooth(k: int) -> DeepNetwork:
    """One layer of 2ᵏ − 1 ReLUs, or two for k = 1, with the labels of `tents`."""
    middles = [Fraction(2 * j + 1, 2 ** (k + 1)) for j in range(2**k)]
    return shallow(alternating_network(middles, first=0))


def hint() -> DeepNetwork:
    """One ReLU: the second input where it is positive."""
    return DeepNetwork((Layer(((ZERO, ONE),), (ZERO,)), Layer(((ONE,),), (ZERO,))))


def failing(network: DeepNetwork, k: int) -> Fraction:
    """Share of the points at which value or radius along the first input isn't that of `tents`."""
    values = network.along((ZERO, ZERO), (ONE, ZERO))
    places, wanted = changes(values), Fraction(1, 2 ** (k + 1))
    wrong = [
        network((x, ZERO)) != y or min((abs(x - t) for t in places), default=ZERO) != wanted
        for x, y in points(k)
    ]
    return Fraction(sum(wrong), len(wrong))


def slack(network: DeepNetwork, k: int, pieces: int) -> int:
    """broken + 2·wrong − 2ᵏ + pieces. The second input is 1 where it says label 1, and else −1.

    Wrong are points that don't get their label; broken are those that get it, but not with the
    opposite second input.
    """
    wrong = broken = 0
    for x, y in points(k):
        right, kept = (
            (network((x, Fraction(sign * (2 * y - 1)))) > HALF) == (y == 1) for sign in (1, -1)
        )
        wrong += not right
        broken += right and not kept
    return broken + 2 * wrong - 2**k + pieces


def pieces(network: DeepNetwork) -> int:
    """Most linear pieces along a line: the product of the numbers of ReLUs plus one."""
    return math.prod(width + 1 for width in network.widths)


def random_network(widths: Sequence[int], rng: Random) -> DeepNetwork:
    """Two inputs, layers of so many ReLUs, weights and biases that are multiples of a ninth."""
    sizes = [2, *widths, 1]

    def draw(count: int) -> Vector:
        return tuple(Fraction(rng.randint(-9, 9), 9) for _ in range(count))

    return DeepNetwork(
        tuple(Layer(tuple(draw(n) for _ in range(m)), draw(m)) for n, m in pairwise(sizes))
    )


# Averages


def squared_error(values: Sequence[Vector], weights: Vector, draws: int) -> Fraction:
    """Mean of ‖f − f_N‖²: f the average of the values by weight, f_N that of so many draws.

    All sequences of draws are gone through, each with its probability.
    """
    total, target = ZERO, _average(values, weights)
    for chosen in product(range(len(values)), repeat=draws):
        chance = math.prod((weights[i] for i in chosen), start=ONE)
        drawn = _average([values[i] for i in chosen], (Fraction(1, draws),) * draws)
        total += chance * _square(target, drawn)
    return total


def variance(values: Sequence[Vector], weights: Vector) -> Fraction:
    """Σ p_i‖g_i‖² − ‖Σ p_i g_i‖²."""
    origin = (ZERO,) * len(values[0])
    squares = (p * _square(g, origin) for p, g in zip(weights, values, strict=True))
    return sum(squares, ZERO) - _square(_average(values, weights), origin)


def _average(values: Sequence[Vector], weights: Vector) -> Vector:
    columns = zip(*values, strict=True)
    return tuple(
        sum((p * a for p, a in zip(weights, column, strict=True)), ZERO) for column in columns
    )


def _square(u: Vector, v: Vector) -> Fraction:
    return sum(((a - b) ** 2 for a, b in zip(u, v, strict=True)), ZERO)


# What the chapter records: the number that decides, and its control's


def evidence(cases: int) -> dict[str, tuple[Fraction, Fraction]]:
    """Every statement tried: by name, the number that decides and that of its control.

    Args:
        cases: Random networks of each shape, and random averages of each dimension.
    """
    return {
        "tents": tent_evidence(range(1, 7)),
        "count": count_evidence(range(3, 6), cases),
        "average": average_evidence(cases),
    }


def tent_evidence(sizes: Iterable[int]) -> tuple[Fraction, Fraction]:
    """Largest share of points that fail; smallest one without a ReLU."""
    whole, less = [], []
    for k in sizes:
        network = tents(k)
        whole.append(failing(network, k))
        less += [failing(network.without(i, unit), k) for i in range(k) for unit in range(2)]
    return max(whole), min(less)


def count_evidence(sizes: Iterable[int], cases: int) -> tuple[Fraction, Fraction]:
    """Least slack with the product of the layers' sizes; with their sum."""
    rng, found, summed = Random(0), [], []
    for k in sizes:
        for network in _tried(k, cases, rng):
            most = pieces(network)
            found.append(slack(network, k, most))
            summed.append(found[-1] - most + sum(network.widths) + 1)
    return Fraction(min(found)), Fraction(min(summed))


def _tried(k: int, cases: int, rng: Random) -> Iterator[DeepNetwork]:
    yield from (tents(k), sawtooth(k), hint())
    for depth in (1, 2, 3):
        for _ in range(cases):
            yield random_network([rng.randint(1, 4) for _ in range(depth)], rng)


def average_evidence(cases: int) -> tuple[Fraction, Fraction]:
    """Largest error of the formula; smallest one for a single draw that counts several times."""
    rng, off, once = Random(0), [], []
    for dimension in range(1, 7):
        for _ in range(cases):
            values = [tuple(Fraction(rng.randint(-9, 9), 9) for _ in range(dimension))
                      for _ in range(3)]  # fmt: skip
            values[1] = (values[0][0] + 1, *values[1][1:])  # not all of them equal
            raw = [rng.randint(1, 9) for _ in values]
            weights = tuple(Fraction(p, sum(raw)) for p in raw)
            own = variance(values, weights)
            off += [abs(squared_error(values, weights, n) - own / n) for n in range(1, 5)]
            once += [own - own / n for n in range(2, 5)]
    return max(off), min(once)
