"""What chapter 13 proves of wrong labels, bounded matrices and the focal loss, exactly.

The statements and their proofs are the book's own. Points of the lattice are tuples of integers
and sizes are squared, so that nothing is rounded; matrices are rational; logarithms are enclosed
between rational numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np

Point = tuple[int, ...]
Labels = Mapping[Point, int]
Matrix = tuple[Fraction, ...]  # its entries in some order: only their squares matter
ZERO, ONE = Fraction(0), Fraction(1)
SIDE = 6  # of the lattice of the random cases
# Integers whose squares add up to a square: the norm of a rest is rational.
BLOCKS = ((1, 2, 2, 0), (2, 3, 6, 0), (1, 4, 8, 0), (1, 1, 1, 1), (1, 1, 3, 5), (2, 4, 5, 6))


# Infection


def infected(original: Labels, wrong: Iterable[Point], size: int) -> Fraction:
    """Share of points that have a point of `wrong` of their own original label within reach.

    Args:
        original: Label of every point of the domain.
        size: Square of the length within which a point is reached, at least 0.
    """
    places = list(wrong)
    hit = [
        any(original[z] == label and _apart(x, z) <= size for z in places)
        for x, label in original.items()
    ]
    return Fraction(sum(hit), len(hit))


def robust_error(rule: Labels, original: Labels, size: int) -> Fraction:
    """Share of points that reach one of their own original label that the rule misreads.

    The same as the infected share with all points that the rule misreads.
    """
    return infected(original, [x for x in original if rule[x] != original[x]], size)


def _apart(x: Point, z: Point) -> int:
    return sum((a - b) ** 2 for a, b in zip(x, z, strict=True))


@dataclass(frozen=True)
class Case:
    """A labelled lattice with a training set of which some labels are wrong.

    Attributes:
        original: Label of every point.
        given: Labels of the training points.
        size: Square of the length of a perturbation.
    """

    original: Labels
    given: Labels
    size: int

    @property
    def wrong(self) -> list[Point]:
        """Training points whose label is wrong."""
        return [z for z, label in self.given.items() if label != self.original[z]]


def random_case(rng: Random) -> Case:
    """Two classes beside each other, twelve training points, at least one with a wrong label."""
    points = list(product(range(SIDE), repeat=2))
    original = {x: int(x[0] >= SIDE // 2) for x in points}
    chosen = rng.sample(points, 12)
    given = {z: original[z] ^ (rng.random() < 0.25 or i == 0) for i, z in enumerate(chosen)}
    return Case(original, given, rng.choice((1, 2, 4, 8)))


def infection_evidence(cases: int, rng: Random) -> tuple[Fraction, Fraction]:
    """Two shares of random cases: the infection theorem says that the first is 1.

    Returns:
        Share in which a random rule that fits all labels errs at least on the infected share, and
        the mildest, the original but for the wrong labels, exactly on it; share in which the
        mildest errs as much without one of the wrong labels: where others reach all that it does.
    """
    held = free = 0
    for case in (random_case(rng) for _ in range(cases)):
        bound = infected(case.original, case.wrong, case.size)
        some = {x: rng.randrange(2) for x in case.original} | dict(case.given)
        mild = {**case.original, **case.given}
        less = mild | {(z := case.wrong[0]): case.original[z]}
        errors = [robust_error(rule, case.original, case.size) for rule in (some, mild, less)]
        held += errors[0] >= bound == errors[1]
        free += errors[2] >= bound
    return Fraction(held, cases), Fraction(free, cases)


def samples_needed(balls: int, noise: float, mass: float, risk: float) -> int:
    """Samples after which, but for a probability of `risk`, every ball has a wrong label in it.

    Of `balls` balls each has a probability of at least `mass` over their number; a label is wrong
    with probability `noise`, independently.

    Raises:
        ValueError: a number is out of range.
    """
    if balls < 1 or not (0 < noise <= 1 and 0 < mass <= 1 and 0 < risk < 1):
        raise ValueError(
            f"balls {balls}, noise {noise}, mass {mass}, risk {risk}; expected at least one ball, "
            "noise and mass in (0, 1], and a risk in (0, 1)"
        )
    return math.ceil(balls / (noise * mass) * math.log(balls / risk))


def missed(balls: int, noise: Fraction, mass: Fraction, samples: int) -> Fraction:
    """Bound of the probability that some ball has no wrong label: N(1 − ηq/N)^m, exactly."""
    return balls * (1 - noise * mass / balls) ** samples


def scattered(points: int, noise: float, size: float) -> float:
    """Infected share to expect far from edges: 1 − (1 − ηπε²)^n, n points of the unit square."""
    return float(1 - (1 - noise * math.pi * size**2) ** points)


# Bounded stable rank


def stable_rank(weight: np.ndarray) -> float:
    """Squared Frobenius norm over the squared largest singular value: from 1 to the rank."""
    return float((weight**2).sum() / np.linalg.norm(weight, 2) ** 2)


def nearest(weight: np.ndarray, most: float) -> np.ndarray:
    """The nearest matrix of stable rank at most `most` with the same leading singular triple.

    σuvᵀ + γE with E = W − σuvᵀ and γ = min(1, σ√(most − 1)/‖E‖), the norm being Frobenius'.

    Args:
        weight: W, (rows, columns), float64.

    Raises:
        ValueError: most < 1, or W is zero.
    """
    left, values, right = np.linalg.svd(weight, full_matrices=False)
    if most < 1 or values[0] == 0:
        raise ValueError(f"most is {most}, σ is {values[0]}; expected most ≥ 1 and σ > 0")
    top = values[0] * np.outer(left[:, 0], right[0])
    rest = weight - top
    norm = float(np.linalg.norm(rest))
    room = float(values[0]) * math.sqrt(most - 1)
    return np.asarray(top + (rest if norm <= room else rest * (room / norm)))


def projection_evidence(cases: int, rng: Random) -> tuple[Fraction, Fraction]:
    """Two shares of random rational cases, which the proposition says are 1 and 0.

    The leading singular vectors are the first unit vectors, without loss of generality. So a
    matrix of the class is σ and a rest B, both apart, with ‖B‖ ≤ σ√(r − 1).

    Returns:
        Share in which no competitor of the class is nearer to the rest than its shrunk self; share
        in which that still holds when the rest itself, which is outside of the class, competes.
    """
    best = beaten = 0
    for _ in range(cases):
        rest, norm, room = _rational_rest(rng)
        shrunk = tuple(room / norm * entry for entry in rest)
        own = _square(rest, shrunk)
        others = [_competitor(shrunk, room, rng) for _ in range(20)]
        wins = all(_square(rest, other) >= own for other in others)
        best += wins and sum(entry**2 for entry in shrunk) == room**2
        beaten += wins and _square(rest, rest) >= own
    return Fraction(best, cases), Fraction(beaten, cases)


def _rational_rest(rng: Random) -> tuple[Matrix, Fraction, Fraction]:
    """A rest E of rational norm, that norm, and the smaller σ√(r − 1).

    The entries are E's singular values, up to signs: σ is at least the largest one.
    """
    block = list(rng.choice(BLOCKS))
    rng.shuffle(block)
    rest = tuple(Fraction(rng.choice((-1, 1)) * entry) for entry in block)
    norm = math.isqrt(sum(entry * entry for entry in block))
    sigma, root = max(block) + rng.randrange(max(block)), Fraction(rng.randrange(1, 8), 16)
    return rest, Fraction(norm), sigma * root


def _competitor(shrunk: Matrix, room: Fraction, rng: Random) -> Matrix:
    """A matrix of the class, often close to the shrunk rest: the class is convex."""
    draw = [Fraction(rng.randrange(-9, 10)) for _ in shrunk]
    length = sum(map(abs, draw)) or ONE  # at least the Frobenius norm
    share = Fraction(1, rng.choice((1, 10, 1000)))
    return tuple(
        (1 - share) * entry + share * room / length * other
        for entry, other in zip(shrunk, draw, strict=True)
    )


def _square(one: Matrix, other: Matrix) -> Fraction:
    return sum(((a - b) ** 2 for a, b in zip(one, other, strict=True)), ZERO)


# Focal loss


def focal_weight(p: float, gamma: float) -> float:
    """φ(p) = (1 − p)^γ/p − γ(1 − p)^(γ−1) ln p, minus the slope of −(1 − p)^γ ln p; 0 < p < 1."""
    first = (1 - p) ** gamma / p
    return first if gamma == 0 else first - gamma * (1 - p) ** (gamma - 1) * math.log(p)


def truth(p: float, gamma: float) -> float:
    """The probability at which the confidence p is stationary: φ(1 − p)/(φ(p) + φ(1 − p))."""
    own, other = focal_weight(p, gamma), focal_weight(1 - p, gamma)
    return other / (own + other)


def minus_log(x: Fraction, terms: int = 40) -> tuple[Fraction, Fraction]:
    """Rational numbers below and above −ln x, for 0 < x < 1.

    −ln x = 2 Σ z^(2k+1)/(2k+1) with z = (1 − x)/(1 + x); the rest is below
    a geometric series.
    """
    if not 0 < x < 1:
        raise ValueError(f"x is {x}; expected a number between 0 and 1")
    z = (1 - x) / (1 + x)
    below = 2 * sum((z ** (2 * k + 1) / (2 * k + 1) for k in range(terms)), ZERO)
    left = 2 * z ** (2 * terms + 1) / ((2 * terms + 1) * (1 - z * z))
    return below, below + left


def is_underconfident(p: Fraction, gamma: int) -> bool:
    """Does `truth(p, gamma)` exceed p for certain? It does if (1 − p)φ(1 − p) > pφ(p).

    Args:
        p: Confidence, above ½ and below 1.
        gamma: Exponent, 0, 1, 2, …
    """
    q = 1 - p
    (least, _), (_, most) = minus_log(q), minus_log(p)
    return p**gamma / p * (p + gamma * q * least) > q**gamma / q * (q + gamma * p * most)


def focal_evidence(
    confidences: Sequence[Fraction], exponents: Sequence[int]
) -> tuple[Fraction, Fraction]:
    """Share of the pairs that are underconfident for certain; the same with the exponent 0."""
    pairs = [is_underconfident(p, gamma) for p in confidences for gamma in exponents]
    without = [is_underconfident(p, 0) for p in confidences]
    return Fraction(sum(pairs), len(pairs)), Fraction(sum(without), len(without))
