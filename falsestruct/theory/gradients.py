"""What chapter 15 proves about gradients, hints and curves, in rational arithmetic.

After the papers in the collection arXiv:1705.03921, above all arXiv:1703.07950. Statements whose
source is not named are the book's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import combinations, product
from random import Random

from falsestruct.theory.relu import ReluNetwork

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)
Bits = tuple[int, ...]
Table = Sequence[int]  # values of a rule on the inputs of `cube`
Matrix = Sequence[Sequence[Fraction]]

# What a gradient knows of a parity


def cube(d: int) -> list[Bits]:
    """All inputs of d bits, −1 or 1; (1, …, 1) comes first."""
    return list(product((1, -1), repeat=d))


def parities(d: int) -> list[Table]:
    """All 2ᵈ parities of d bits: products of the bits of each subset."""
    return [[math.prod(x[i] for i in s) for x in cube(d)] for s in _subsets(d)]


def conjunctions(d: int) -> list[Table]:
    """For each subset of the bits: 1 where all of them are 1, else −1."""
    return [[1 if all(x[i] == 1 for i in s) else -1 for x in cube(d)] for s in _subsets(d)]


def _subsets(d: int) -> Iterable[tuple[int, ...]]:
    return (s for size in range(d + 1) for s in combinations(range(d), size))


def gradient(network: ReluNetwork, x: Bits) -> list[Fraction]:
    """Of the network's output at x in all its weights; a ReLU at its knot counts as off."""
    found = [ONE]  # of the constant
    for w, b, v in zip(network.weights, network.biases, network.outputs, strict=True):
        z = sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)
        on = ONE if z > 0 else ZERO
        found += [on * z, on * v, *(on * v * xi for xi in x)]
    return found


def variance(slopes: Matrix, rules: Sequence[Table]) -> Fraction:
    """Variance over the rules h of the gradient of ½E(p − h)²: of E[h·g], summed over weights.

    Args:
        slopes: g at each input of the cube, (inputs, weights).
        rules: Values of each h at the same inputs.
    """
    columns, inputs = list(zip(*slopes, strict=True)), len(slopes)
    seen = [
        [sum((h * g for h, g in zip(rule, own, strict=True)), ZERO) / inputs for own in columns]
        for rule in rules
    ]
    means = [sum(column, ZERO) / len(rules) for column in zip(*seen, strict=True)]
    off = ((value - m) ** 2 for row in seen for value, m in zip(row, means, strict=True))
    return sum(off, ZERO) / len(rules)


def parity_variance(slopes: Matrix) -> Fraction:
    """The same over all parities, in closed form: 2⁻ᵈ(E‖g‖² − 2⁻ᵈ‖g(1, …, 1)‖²)."""
    share = Fraction(1, len(slopes))
    squares = [sum((g * g for g in row), ZERO) for row in slopes]
    return share * (share * sum(squares, ZERO) - share * squares[0])


def random_network(inputs: int, width: int, rng: Random) -> ReluNetwork:
    """ReLUs with weights that are multiples of a ninth, from −1 to 1."""

    def draw(count: int) -> tuple[Fraction, ...]:
        return tuple(Fraction(rng.randint(-9, 9), 9) for _ in range(count))

    return ReluNetwork(
        tuple(draw(inputs) for _ in range(width)), draw(width), draw(width), draw(1)[0]
    )


# A hint that is right now and then


def remaining(
    told: Callable[[Bits], Fraction], *, bits: int, size: int
) -> dict[Bits, tuple[Fraction, Fraction]]:
    """What is left to teach about each row of bits once the hint has been learnt.

    The label is the parity of the first `size` bits. The hint says it with the probability
    `told(x)`, and the best rule of the hint alone gives label 1 a probability p.

    Returns:
        For each row of bits: the mean of label − p, times the label's sign; and the mean of
        p(1 − p), by which that falls for each unit that is added to the logit.
    """
    share = {1: [ZERO, ZERO], -1: [ZERO, ZERO]}  # by hint: all, and those with label 1
    for x in cube(bits):
        y = math.prod(x[:size])
        for s, weight in ((1, told(x)), (-1, 1 - told(x))):
            share[y * s][0] += weight
            share[y * s][1] += weight * (y == 1)
    p = {hint: ones / both if both else HALF for hint, (both, ones) in share.items()}
    found = {}
    for x in cube(bits):
        y = math.prod(x[:size])
        seen = ((told(x), p[y]), (1 - told(x), p[-y]))
        off = sum((weight * ((y == 1) - one) for weight, one in seen), ZERO)
        found[x] = (y * off, sum((weight * one * (1 - one) for weight, one in seen), ZERO))
    return found


def stretch(q: Fraction) -> Fraction:
    """4q(1 − q): what a hint that is right with probability q leaves of the signal."""
    return 4 * q * (1 - q)


def law_error(q: Fraction, told: Callable[[Bits], Fraction], *, bits: int, size: int) -> Fraction:
    """Largest difference between `remaining` and `stretch` times that of a coin: ½ and ¼."""
    left = remaining(told, bits=bits, size=size).values()
    return max(
        max(abs(off - stretch(q) * HALF), abs(slope - stretch(q) * HALF**2)) for off, slope in left
    )


def residual(q: Fraction, odds: Fraction) -> Fraction:
    """Mean of 1 − σ(az + u) where the label is 1: the hint learnt, a = ln(q/(1 − q)).

    Args:
        odds: eᵘ of what is added to the logit, above 0.
    """
    right, wrong = (1 - q) / (1 - q + q * odds), q / (q + (1 - q) * odds)
    return q * right + (1 - q) * wrong


def kept(q: Fraction, odds: Fraction) -> Fraction:
    """That residual over a coin's at the same u: 4q(1 − q) at u = 0, and more elsewhere."""
    p = q * (1 - q)
    return p * (1 + odds) ** 2 / (p * (odds - 1) ** 2 + odds)


# Tents, pairs, curves


def tents(centres: Iterable[int]) -> ReluNetwork:
    """A network of one input that is 1 at these integers and 0 at all others: three ReLUs each."""
    at = [Fraction(c + shift) for c in centres for shift in (-1, 0, 1)]
    outputs = tuple(Fraction((1, -2, 1)[i % 3]) for i in range(len(at)))
    return ReluNetwork(((ONE,),) * len(at), tuple(-t for t in at), outputs, ZERO)


def mislabelled(network: ReluNetwork, d: int, *, ones: int) -> Fraction:
    """Share of 0 … d where the network's side of ½ is not whether the number is `ones` mod 2."""
    wrong = [(network((Fraction(t),)) > HALF) != (t % 2 == ones) for t in range(d + 1)]
    return Fraction(sum(wrong), d + 1)


def pairing(values: int, patches: int) -> Matrix:
    """Whether patches are equal in pairs: a row for the odd ones, a column for the even ones."""
    sides = list(product(range(values), repeat=patches // 2))
    return [
        [Fraction(all(a == b for a, b in zip(u, v, strict=True))) for v in sides] for u in sides
    ]


def random_sum(values: int, patches: int, terms: int, rng: Random) -> Matrix:
    """The same matrix of a sum of products of random functions of one patch each."""
    sides = list(product(range(values), repeat=patches // 2))
    total = [[ZERO] * len(sides) for _ in sides]
    for _ in range(terms):
        f = [[Fraction(rng.randint(-9, 9)) for _ in range(values)] for _ in range(patches)]
        odd, even = (
            [math.prod((g[v] for g, v in zip(own, side, strict=True)), start=ONE) for side in sides]
            for own in (f[::2], f[1::2])
        )
        total = [[t + a * b for t, b in zip(row, even, strict=True)]
                 for row, a in zip(total, odd, strict=True)]  # fmt: skip
    return total


def rank(matrix: Matrix) -> int:
    """By elimination."""
    rows, found = [list(row) for row in matrix], 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(found, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        top = rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][column] / top[column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], top, strict=True)]
        found += 1
    return found


def curves(n: int) -> Matrix:
    """From changes of slope to the values of a curve: max(0, i − j + 1)."""
    return [[Fraction(max(0, i - j + 1)) for j in range(n)] for i in range(n)]


def straightened(matrix: Matrix) -> Matrix:
    """Second differences of the columns, the curve being zero before it begins."""
    padded = [[ZERO] * len(matrix), [ZERO] * len(matrix), *map(list, matrix)]
    return [
        [a - 2 * b + c for a, b, c in zip(padded[i + 2], padded[i + 1], padded[i], strict=True)]
        for i in range(len(matrix))
    ]


def condition_bound(matrix: Matrix) -> Fraction:
    """‖W1‖²/n·‖W⁻¹e₁‖², at most the squared condition number; W is lower triangular."""
    n = len(matrix)
    solved: list[Fraction] = []
    for i, row in enumerate(matrix):
        known = sum((row[j] * solved[j] for j in range(i)), ZERO)
        solved.append((Fraction(i == 0) - known) / row[i])
    grown = sum((sum(row, ZERO) ** 2 for row in matrix), ZERO) / n
    return grown * sum((u * u for u in solved), ZERO)


def left_over(step: Fraction, steps: int) -> Fraction:
    """Distance to a quadratic's minimum after so many steps, from 1; `step` is rate · curvature."""
    distance = ONE
    for _ in range(steps):
        distance -= step * distance
    return abs(distance)


# What the chapter records: the number that decides, and its control's


def evidence(cases: int) -> dict[str, tuple[Fraction, Fraction]]:
    """Every statement tried: by name, the number that decides and that of its control.

    Args:
        cases: Random networks for each number of inputs, and random sums for each tensor.
    """
    return {
        "variance": variance_evidence(cases),
        "signal": signal_evidence(),
        "construction": tent_evidence(range(2, 21)),
        "pairing": pairing_evidence(cases),
        "conditioning": curve_evidence(range(3, 61)),
        "threshold": (left_over(Fraction(15, 10), 50), left_over(Fraction(21, 10), 50)),
    }


def variance_evidence(cases: int) -> tuple[Fraction, Fraction]:
    """Largest error of the identity; smallest relative one for conjunctions instead."""
    rng, off, others = Random(0), [], []
    for d in (2, 3, 4, 5):
        for _ in range(cases):
            network = random_network(d, 3, rng)
            slopes = [gradient(network, x) for x in cube(d)]
            said = parity_variance(slopes)
            off.append(abs(variance(slopes, parities(d)) - said))
            others.append(abs(variance(slopes, conjunctions(d)) / said - 1))
    return max(off), min(others)


def signal_evidence() -> tuple[Fraction, Fraction]:
    """Largest error of the law over q and u; for a hint that is wrong at one bit's −1 only."""
    qs = [Fraction(n, 20) for n in range(10, 21)]

    def once(q: Fraction) -> Callable[[Bits], Fraction]:
        return lambda x: ONE if x[0] == 1 else 2 * q - 1

    def always(q: Fraction) -> Callable[[Bits], Fraction]:
        return lambda x: q

    law, other = (max(law_error(q, told(q), bits=3, size=2) for q in qs) for told in (always, once))
    us = [Fraction(n, 4) for n in range(1, 17)]
    exact = (abs(residual(q, e) - kept(q, e) * residual(HALF, e)) for q in qs for e in us)
    return max(law, *exact), other


def tent_evidence(sizes: Iterable[int]) -> tuple[Fraction, Fraction]:
    """Largest share that tents at the odd numbers mislabel; smallest of those at the even ones."""
    odd, even = zip(
        *(
            (
                mislabelled(tents(range(1, d + 1, 2)), d, ones=1),
                mislabelled(tents(range(2, d + 1, 2)), d, ones=0),
            )
            for d in sizes
        ),
        strict=True,
    )
    return max(odd), min(even)


def pairing_evidence(cases: int) -> tuple[Fraction, Fraction]:
    """Least rank of the pairing over rᴺᐟ²; largest for sums of one product fewer than that."""
    rng, full, less = Random(0), [], []
    for values, patches in ((2, 2), (2, 4), (3, 4), (2, 6)):
        most = values ** (patches // 2)
        full.append(Fraction(rank(pairing(values, patches)), most))
        for _ in range(cases):
            less.append(Fraction(rank(random_sum(values, patches, most - 1, rng)), most))
    return min(full), max(less)


def curve_evidence(sizes: Sequence[int]) -> tuple[Fraction, Fraction]:
    """Least bound over n⁴; that of the last size once it has been straightened."""
    bounds = [condition_bound(curves(n)) / n**4 for n in sizes]
    return min(bounds), condition_bound(straightened(curves(sizes[-1]))) / sizes[-1] ** 4
