"""What chapter 10 proves about points with alternating labels on a line, in rational arithmetic.

The points are x_k = a/(k + ½), k = 1 … r, with the label k mod 2, and a second input that is δ
times the label (after arXiv:2109.06098). Everything here is a `Fraction` or a count; the statements
and their proofs are the book's own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from random import Random

from falsestruct.theory.oscillation import LEVEL, alternating_network, hint_network, without_unit
from falsestruct.theory.relu import ReluNetwork

ZERO, ONE = Fraction(0), Fraction(1)
Rule = Callable[[Sequence[Fraction]], int]  # a label, 0 or 1, for (x₁, x₂)


def first_inputs(r: int, a: Fraction = ONE) -> tuple[Fraction, ...]:
    """a/(k + ½) for k = 1 … r, decreasing.

    Raises:
        ValueError: r < 2, or a is not positive.
    """
    if r < 2 or a <= 0:
        raise ValueError(f"r = {r} and a = {a}; expected at least two points and a > 0")
    return tuple(a / (k + Fraction(1, 2)) for k in range(1, r + 1))


def labels(r: int) -> tuple[int, ...]:
    """k mod 2 for k = 1 … r."""
    return tuple(k % 2 for k in range(1, r + 1))


def even_inputs(r: int, a: Fraction = ONE) -> tuple[Fraction, ...]:
    """a(r + 1 − k)/r for k = 1 … r, decreasing: the same labels, and no point crowds another.

    Raises:
        ValueError: r < 2, or a is not positive.
    """
    if r < 2 or a <= 0:
        raise ValueError(f"r = {r} and a = {a}; expected at least two points and a > 0")
    return tuple(a * Fraction(r + 1 - k, r) for k in range(1, r + 1))


def smallest_gap(r: int, a: Fraction = ONE) -> Fraction:
    """Distance of the two closest x_k, those with k = r − 1 and r: 4a/(4r² − 1)."""
    return 4 * a / (4 * r * r - 1)


def midpoints(x: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The points half way between neighbours, increasing: one less than x has."""
    return tuple((u + v) / 2 for u, v in pairwise(sorted(x)))


def explicit(r: int, a: Fraction = ONE) -> ReluNetwork:
    """The stable network of x_1 … x_r."""
    return through(first_inputs(r, a))


def through(x: Sequence[Fraction]) -> ReluNetwork:
    """The stable network of any points with labels 1, 0, 1, … from the largest one on.

    It changes its label half way between neighbours, and ignores x₂. Of r ≥ 5 points, r − 2 ReLUs.
    Inputs (x₁, x₂); label 1 where the value exceeds ½.
    """
    return _of_first(alternating_network(midpoints(x), first=len(x) % 2))


def bump(delta: Fraction) -> ReluNetwork:
    """Two ReLUs, 1 − |x₂ − δ|/δ: label 1 where |x₂ − δ| < δ/2. (0, δ) breaks every point."""
    ways = (ONE, -ONE)
    weights, biases = tuple((ZERO, way) for way in ways), tuple(-way * delta for way in ways)
    return ReluNetwork(weights, biases, (-1 / delta, -1 / delta), ONE)


def with_margin(
    network: ReluNetwork, x: Iterable[Sequence[Fraction]], margin: Fraction
) -> ReluNetwork:
    """The network's distance from ½ times a number, such that it is at least `margin` at each x.

    Labels stay. With the distance for its output, its cross-entropy is below e^(−margin) at every
    x that it has right: log(1 + e^(−z)) < e^(−z).
    """
    factor = margin / min(abs(network(at) - LEVEL) for at in x)
    outputs = tuple(factor * v for v in network.outputs)
    constant = LEVEL + factor * (network.bias - LEVEL)
    return ReluNetwork(network.weights, network.biases, outputs, constant)


def truncated(r: int, width: int, a: Fraction = ONE) -> ReluNetwork:
    """`width` ReLUs that follow the width + 2 largest x_k, and give the others one label.

    Raises:
        ValueError: not 3 ≤ width ≤ r − 2.
    """
    if not 3 <= width <= r - 2:
        raise ValueError(f"width = {width} and r = {r}; expected 3 ≤ width ≤ r − 2")
    turns = midpoints(first_inputs(r, a))[-(width + 1) :]
    return _of_first(alternating_network(turns, first=width % 2))


def _of_first(line: ReluNetwork) -> ReluNetwork:
    return ReluNetwork(
        tuple((w, ZERO) for (w,) in line.weights), line.biases, line.outputs, line.bias
    )


@dataclass(frozen=True)
class Folded:
    """Two hidden layers: `outer` after `inner`, both networks of one input.

    A point is labelled 1 where outer(inner(x₁)) exceeds ½. The output of `inner` is linear in its
    ReLUs, so it needs no units of its own.
    """

    inner: ReluNetwork
    outer: ReluNetwork

    @property
    def size(self) -> int:
        """Number of hidden ReLUs in both layers."""
        return self.inner.size + self.outer.size

    def __call__(self, x: Sequence[Fraction]) -> Fraction:
        """The value at the input x, exactly."""
        return self.outer((self.inner((x[0],)),))


def folded(folds: int, a: Fraction = ONE) -> Folded:
    """Two layers with folds + 2 ReLUs that are right on 2·folds + 1 points.

    The inner layer folds the line at every second point, so that these lie at 0 and 1 in turn and
    the points between them inside of (0, 1); the outer layer tells the inside from the ends.

    Raises:
        ValueError: folds < 1.
    """
    if folds < 1:
        raise ValueError(f"folds = {folds}; expected at least 1")
    x = sorted(first_inputs(2 * folds + 1, a))
    turns = x[::2]
    slopes = [(-1) ** i / (right - left) for i, (left, right) in enumerate(pairwise(turns))]
    jumps = [after - before for before, after in pairwise([ZERO, *slopes])]
    units = len(slopes)
    inner = ReluNetwork(((ONE,),) * units, tuple(-t for t in turns[:-1]), tuple(jumps), ZERO)
    inside = [inner((t,)) for t in x[1::2]]
    # An odd number of points begins and ends with label 1, at the folds; those between have 0.
    outer = alternating_network([min(inside) / 2, (1 + max(inside)) / 2], first=1)
    return Folded(inner, outer)


def rule(network: Callable[[Sequence[Fraction]], Fraction]) -> Rule:
    """The label that a network gives: 1 where its value exceeds ½."""
    return lambda x: int(network(x) > LEVEL)


def slack(rule: Rule, r: int, width: int, *, a: Fraction = ONE, delta: Fraction = ONE) -> int:
    """broken + 2·wrong − (r − width − 2): not negative if the rule is a network of `width` ReLUs.

    Wrong are points (x_k, δ·y_k) that don't get their label y_k; broken are those that get it, but
    not at (x_k, δ·(1 − y_k)).
    """
    wrong = broken = 0
    for x1, y in zip(first_inputs(r, a), labels(r), strict=True):
        right = rule((x1, delta * y)) == y
        wrong += not right
        broken += right and rule((x1, delta * (1 - y))) != y
    return broken + 2 * wrong - (r - width - 2)


def random_network(width: int, rng: Random) -> ReluNetwork:
    """`width` ReLUs of (x₁, x₂) with rational weights and with knots between the points."""
    knots = [Fraction(rng.randint(1, 400), 400) for _ in range(width)]
    ways = [rng.choice((-1, 1)) for _ in range(width)]
    return ReluNetwork(
        tuple((Fraction(way), Fraction(rng.randint(-9, 9), 9)) for way in ways),
        tuple(-way * t for way, t in zip(ways, knots, strict=True)),
        tuple(Fraction((-1) ** i * rng.randint(1, 99)) for i in range(width)),
        Fraction(rng.randint(-9, 9), 9),
    )


def slacks(cases: int, rng: Random) -> tuple[list[int], list[int]]:
    """`slack` of networks with one hidden layer, then of those with two.

    With one: `cases` random ones, the rule of x₂, the explicit network and the truncated ones; of
    these some have slack 0. With two: `folded`, whose ReLUs count as if they were in one.
    """
    shallow = []
    for case in range(cases):
        width, r = 1 + case % 12, rng.randint(5, 40)
        shallow.append(slack(rule(random_network(width, rng)), r, width))
    for r in (8, 15, 24):
        shallow.append(slack(rule(hint_network(ONE)), r, 1))
        shallow.append(slack(rule(explicit(r)), r, r - 2))
        shallow += [slack(rule(truncated(r, w)), r, w) for w in range(3, r - 1)]
    deep = [folded(folds) for folds in (4, 6, 8, 12)]
    return shallow, [slack(rule(net), 2 * net.inner.size + 1, net.size) for net in deep]


# A network of one input, piece by piece


@dataclass(frozen=True)
class Line:
    """A network of one input as its linear pieces, from left to right.

    Attributes:
        ends: Left end of each piece but the first, increasing: the knots.
        slopes, constants: The network is slope·t + constant on each piece, one more than knots.
    """

    ends: tuple[Fraction, ...]
    slopes: tuple[Fraction, ...]
    constants: tuple[Fraction, ...]

    def __call__(self, t: Fraction) -> Fraction:
        """The value at t."""
        piece = bisect_right(self.ends, t)
        return self.slopes[piece] * t + self.constants[piece]

    def crossings(self, level: Fraction = LEVEL) -> list[Fraction]:
        """Where the value equals the level, increasing. On a piece that is level: at its ends."""
        found = set()
        rights: list[Fraction | None] = [*self.ends, None]
        lefts: list[Fraction | None] = [None, *self.ends]
        for left, right, s, c in zip(lefts, rights, self.slopes, self.constants, strict=True):
            if s != 0:
                t = (level - c) / s
                if (left is None or left <= t) and (right is None or t <= right):
                    found.add(t)
            elif c == level:
                found |= {t for t in (left, right) if t is not None}
        return sorted(found)

    def counts(self, low: Fraction, high: Fraction, *, level: Fraction = LEVEL) -> tuple[int, int]:
        """Linear pieces on [low, high], and how often the side of the level changes there."""
        inside = [t for t in self.ends if low < t < high]
        values = [self(t) for t in (low, *inside, high)]
        sides = [value > level for value in values if value != level]
        return len(inside) + 1, sum(u != v for u, v in pairwise(sides))


def line(network: ReluNetwork) -> Line:
    """The pieces of a network of one input, knots at which no slope changes left out.

    The slope and constant of a piece are sums over the ReLUs that are on, so numbers stay short:
    for N ReLUs this takes N steps, and evaluating the network at each knot N².
    """
    slope, constant = ZERO, network.bias
    jumps: dict[Fraction, tuple[Fraction, Fraction]] = {}
    for (w,), b, v in zip(network.weights, network.biases, network.outputs, strict=True):
        if w == 0:
            constant += v * max(b, ZERO)
            continue
        if w < 0:  # on at the far left, off past its knot
            slope, constant = slope + v * w, constant + v * b
        s, c = jumps.get(-b / w, (ZERO, ZERO))
        sign = 1 if w > 0 else -1
        jumps[-b / w] = s + sign * v * w, c + sign * v * b
    ends, slopes, constants = [], [slope], [constant]
    for t in sorted(t for t, (s, _) in jumps.items() if s != 0):
        ends.append(t)
        slopes.append(slopes[-1] + jumps[t][0])
        constants.append(constants[-1] + jumps[t][1])
    return Line(tuple(ends), tuple(slopes), tuple(constants))


def is_stable(network: ReluNetwork, points: Sequence[Fraction]) -> bool:
    """Is the network right on all points, with its nearest change of label half a gap away?

    Exactly half of the smallest gap, for every second input: the network must not use it.

    Args:
        points: Decreasing, with the labels of `labels`.
    """
    if any(w != 0 for _, w in network.weights):
        return False
    along = line(network.along_first((ZERO,)))
    known = zip(points, labels(len(points)), strict=True)
    if any((along(x) > LEVEL) != (y == 1) for x, y in known):
        return False
    both = sorted([*((x, 0) for x in points), *((z, 1) for z in along.crossings())])
    apart = [v - u for (u, one), (v, other) in pairwise(both) if one != other]
    return min(apart) == min(u - v for u, v in pairwise(points)) / 2


def explicit_evidence(sizes: Iterable[int]) -> tuple[Fraction, Fraction]:
    """Share of r ≥ 5 with a network as stated, of its size; and of such without one ReLU."""
    right, spared, tried = [], 0, 0
    for r in sizes:
        network = explicit(r)
        right.append(network.size == r - 2 and is_stable(network, first_inputs(r)))
        for unit in range(network.size):
            spared += is_stable(without_unit(network, unit), first_inputs(r))
            tried += 1
    return Fraction(sum(right), len(right)), Fraction(spared, tried)
