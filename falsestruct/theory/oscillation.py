"""What chapter 02 proves about f_a(x) = ⌈a/x₁⌉ mod 2, as exact rational code.

f_a lives on x₁ ∈ [b, 1) with b = a/(K+1). The point x₁ = 1 is left out: the ceiling gives it,
alone, the label of an interval that begins there. All numbers are `Fraction`s; the statements and
their proofs are the book's own (chapter 02), the function is that of arXiv:1906.01478.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from random import Random

from falsestruct.theory.relu import ReluNetwork, knots, sign_changes

LEVEL = Fraction(1, 2)  # a network's label is 1 where its value exceeds this
ZERO = Fraction(0)


def label(x1: Fraction, a: int) -> int:
    """f_a at x₁ > 0: ⌈a/x₁⌉ mod 2."""
    if x1 <= 0:
        raise ValueError(f"x1 is {x1}; expected x1 > 0")
    return math.ceil(Fraction(a) / x1) % 2


def breakpoints(a: int, K: int) -> tuple[Fraction, ...]:
    """The K − a points a/K < … < a/(a+1) inside (b, 1) at which f_a changes its label.

    Raises:
        ValueError: not 1 ≤ a < K.
    """
    if not 1 <= a < K:
        raise ValueError(f"a = {a} and K = {K}; expected 1 ≤ a < K")
    return tuple(Fraction(a, k) for k in range(K, a, -1))


def interval_labels(a: int, K: int) -> tuple[int, ...]:
    """Labels of the K − a + 1 intervals [a/k, a/(k−1)), k = K+1 … a+1, from left to right."""
    return tuple(k % 2 for k in range(K + 1, a, -1))


def largest_epsilon(a: int, K: int) -> Fraction:
    """Half the length of the shortest interval: a/(2K(K+1)), which is b²/(2(a−b))."""
    return Fraction(a, 2 * K * (K + 1))


def radius(x1: Fraction, a: int, K: int) -> Fraction:
    """Stability radius of f_a on [b, 1) × R: the distance from x₁ to the nearest breakpoint."""
    return min(abs(x1 - t) for t in breakpoints(a, K))


def grid(a: int, K: int, epsilon: Fraction, points: int) -> list[Fraction]:
    """`points` evenly spaced inner points of each interval of S_ε, increasing.

    Raises:
        ValueError: ε is not below `largest_epsilon`, so that an interval of S_ε is empty.
    """
    if not 0 < epsilon < largest_epsilon(a, K):
        raise ValueError(f"epsilon is {epsilon}; expected 0 < epsilon < {largest_epsilon(a, K)}")
    ends = [Fraction(a, K + 1), *breakpoints(a, K), Fraction(1)]
    return [
        low + epsilon + (high - low - 2 * epsilon) * Fraction(i, points + 1)
        for low, high in pairwise(ends)
        for i in range(1, points + 1)
    ]


def exact_network(a: int, K: int, half_width: Fraction) -> ReluNetwork:
    """The network of 2(K − a) ReLUs that equals f_a on S_ε × R if half_width ≤ ε.

    ℓ₀ + Σ_i (ℓ_i − ℓ_{i−1}) · (R(x₁ − t_i + h) − R(x₁ − t_i − h)) / (2h), h the half-width, t_i the
    breakpoints and ℓ_i the labels of the intervals. Inputs (x₁, x₂); x₂ has weight 0.

    Raises:
        ValueError: half_width is not positive.
    """
    if half_width <= 0:
        raise ValueError(f"half_width is {half_width}; expected half_width > 0")
    labels = interval_labels(a, K)
    biases, outputs = [], []
    for t, (left, right) in zip(breakpoints(a, K), pairwise(labels), strict=True):
        slope = Fraction(right - left) / (2 * half_width)
        biases += [half_width - t, -half_width - t]
        outputs += [slope, -slope]
    weights = ((Fraction(1), ZERO),) * len(biases)
    return ReluNetwork(weights, tuple(biases), tuple(outputs), Fraction(labels[0]))


def hint_network(delta: Fraction) -> ReluNetwork:
    """One ReLU, R(x₂)/δ: it exceeds 1/2 exactly where x₂ > δ/2. Inputs (x₁, x₂), δ > 0."""
    if delta <= 0:
        raise ValueError(f"delta is {delta}; expected delta > 0")
    return ReluNetwork(((ZERO, Fraction(1)),), (ZERO,), (1 / delta,), ZERO)


def most_changes(units: int) -> int:
    """The most sign changes of a one-hidden-layer ReLU network along a line.

    units + 1, but only `units` for fewer than three units.
    """
    return units + 1 if units >= 3 else units


def minimal_size(changes: int) -> int:
    """The fewest ReLUs with which a network can change sign so often along a line.

    changes − 1 from four changes on, else `changes`: the inverse of `most_changes`.
    """
    return changes - 1 if changes >= 4 else changes


def alternating_network(crossings: Sequence[Fraction], *, first: int = 0) -> ReluNetwork:
    """A network of x₁ with the fewest ReLUs that crosses 1/2 at the given points and nowhere else.

    Slopes 2, −1, 1, −1, … for four crossings and more, where unit 3 looks to the left and so makes
    the first slope; 0, 1, −1, 1 for up to three. A knot lies between two crossings so that it
    divides their distance as the slopes demand.

    Args:
        crossings: Strictly increasing, at least one.
        first: Label left of all crossings, 0 (below 1/2) or 1 (above).

    Raises:
        ValueError: crossings are missing or not strictly increasing.
    """
    z = list(crossings)
    if not z or any(left >= right for left, right in pairwise(z)):
        raise ValueError(f"crossings are {z}; expected at least one, strictly increasing")
    small = len(z) < 4
    steep = [Fraction(1)] * len(z) if small else [Fraction(2)] + [Fraction(1)] * (len(z) - 1)
    sign = 1 if first == 0 else -1
    slopes = [sign * (-1) ** i * m for i, m in enumerate(steep)]
    turns = [
        (m * left + n * right) / (m + n)
        for (left, right), (m, n) in zip(pairwise(z), pairwise(steep), strict=True)
    ]
    if small:  # one more unit makes the first slope, from a flat start
        turns, slopes = [z[0] - 1, *turns], [ZERO, *slopes]
    outputs = [right - left for left, right in pairwise(slopes)]
    ways = [Fraction(-1 if i == 2 and not small else 1) for i in range(len(turns))]
    biases = [-way * u for way, u in zip(ways, turns, strict=True)]
    shape = ReluNetwork(tuple((way,) for way in ways), tuple(biases), tuple(outputs), ZERO)
    return ReluNetwork(shape.weights, shape.biases, shape.outputs, LEVEL - shape((z[0],)))


def smallest_network(a: int, K: int) -> ReluNetwork:
    """A network with the fewest ReLUs that is above 1/2 where f_a is 1, and below where it is 0.

    `minimal_size(K − a)` units; slopes a times those of `alternating_network`, so that its turns
    are of the order of 1/2. Inputs (x₁, x₂); x₂ has weight 0.
    """
    line = alternating_network(breakpoints(a, K), first=interval_labels(a, K)[0])
    weights = tuple((w, ZERO) for (w,) in line.weights)
    outputs = tuple(a * v for v in line.outputs)
    return ReluNetwork(weights, line.biases, outputs, LEVEL + a * (line.bias - LEVEL))


def without_unit(network: ReluNetwork, unit: int) -> ReluNetwork:
    """The network without one hidden ReLU."""

    def rest(values: tuple) -> tuple:  # type: ignore[type-arg]
        return values[:unit] + values[unit + 1 :]

    return ReluNetwork(
        rest(network.weights), rest(network.biases), rest(network.outputs), network.bias
    )


def follows(network: ReluNetwork, a: int, K: int) -> bool:
    """Is the network, on x₂ = 0, on f_a's side of 1/2 inside every interval of [b, 1)?

    Checked at three points of each interval, and by counting: as many sign changes as breakpoints.
    """
    line = network.along_first((ZERO,))
    ends = [Fraction(a, K + 1), *breakpoints(a, K), Fraction(1)]
    points = [u + (v - u) * Fraction(i, 4) for u, v in pairwise(ends) for i in (1, 2, 3)]
    sides = all((line((x,)) > LEVEL) == (label(x, a) == 1) for x in points)
    return sides and sign_changes(line, ends[0], ends[-1], level=LEVEL) == K - a


def random_network(units: int, rng: Random) -> ReluNetwork:
    """A random network of one input whose slope jumps by alternating signs from knot to knot.

    Only such networks can change sign as often as `most_changes` allows. Knots are distinct
    integers, jumps integers of modulus 1 to 9, and a coin turns each unit left or right.
    """
    at = sorted(rng.sample(range(-9 * units, 9 * units + 1), units))
    ways = [rng.choice((-1, 1)) for _ in at]
    jumps = [(-1) ** i * rng.randint(1, 9) for i in range(units)]
    return ReluNetwork(
        tuple((Fraction(way),) for way in ways),
        tuple(Fraction(-way * t) for way, t in zip(ways, at, strict=True)),
        tuple(Fraction(jump) for jump in jumps),
        ZERO,
    )


def observed_changes(network: ReluNetwork) -> int:
    """The most sign changes of a network of one input on the whole line, over all levels.

    The count is constant while the level moves between two values taken at knots, so one level
    between each two neighbours, and one beyond each end, is enough.
    """
    inner = knots(network, *_all_knots(network))
    values = sorted({network((t,)) for t in inner})
    if not values:  # at most one piece
        values = [network((ZERO,))]
    levels = [values[0] - 1, *((u + v) / 2 for u, v in pairwise(values)), values[-1] + 1]
    return max(sign_changes(network, *_reach(network, level), level=level) for level in levels)


def _all_knots(network: ReluNetwork) -> tuple[Fraction, Fraction]:
    """An interval that holds every knot in its inside."""
    at = [-b / w for (w,), b in zip(network.weights, network.biases, strict=True) if w != 0]
    return min(at, default=ZERO) - 1, max(at, default=ZERO) + 1


def _reach(network: ReluNetwork, level: Fraction) -> tuple[Fraction, Fraction]:
    """An interval that also holds every point at which the outer pieces cross the level."""
    low, high = _all_knots(network)
    for end, step in ((low, -1), (high, 1)):
        value = network((end,))
        slope = network((end + step,)) - value  # per step outwards, beyond all knots
        if slope != 0 and (distance := (level - value) / slope) >= 0:
            far = end + step * (distance + 1)
            low, high = min(low, far), max(high, far)
    return low, high


def best_threshold_accuracy(labels: Sequence[int]) -> Fraction:
    """The largest share of labels that a rule with at most one sign change gets right.

    Args:
        labels: 0 or 1, at points in increasing order; all that one ReLU can do along a line.
    """
    total, ones = len(labels), sum(labels)
    best, seen = max(ones, total - ones), 0  # no change at all
    for i, one in enumerate(labels, start=1):
        seen += one
        right = (i - seen) + (ones - seen)  # 0 up to here, 1 from here on
        best = max(best, right, total - right)
    return Fraction(best, total)


def largest_error(network: ReluNetwork, points: Sequence[Fraction], a: int) -> Fraction:
    """Largest |network(x₁, x₂) − f_a(x₁)| over the points x₁, each with five very different x₂."""
    seconds = [Fraction(n) for n in (-1000, -1, 0, 1, 1000)]
    return max(abs(network((x1, x2)) - label(x1, a)) for x1 in points for x2 in seconds)


def pairs(count: int) -> list[tuple[int, int]]:
    """The first `count` pairs (a, K) in the order a = 1, 2, …, each with K − a = 1 … 12."""
    return [(1 + i // 12, 2 + i // 12 + i % 12) for i in range(count)]
