"""What chapter 18 proves about explanations: masks, values, waves; exact on the inputs of a cube.

An input of d bits is the number whose binary digits they are, and so is a set of coordinates. A
mask keeps the coordinates of a set; the others are free, and each of their values is as likely. Its
distortion (arXiv:1905.11092) is how often the label then is another one. Statements are the book's
own where no source is named.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import combinations
from random import Random

import numpy as np

from falsestruct.theory.relu import ReluNetwork

ONE, ZERO = Fraction(1), Fraction(0)
Pair = tuple[Fraction, Fraction]  # the number that decides, and its control's

# All masks at once


def ones(d: int) -> np.ndarray:
    """Number of elements of each set of d coordinates, (2ᵈ,)."""
    return np.bitwise_count(np.arange(1 << d)).astype(np.int64)


def free_sums(values: np.ndarray, x: int, *, coordinates: int | None = None) -> np.ndarray:
    """For each set U of free coordinates: Σ over z ⊆ U of values[x ⊕ z], (2ᵈ,).

    The zeta transform: d·2ᵈ⁻¹ additions, exact for integers.

    Args:
        values: Of a function at all 2ᵈ inputs, any type that can be added.
        coordinates: Of the transform, the first so many; None: all of them.
    """
    d = _bits(values)
    found = values[np.arange(len(values)) ^ x]  # by z; a copy
    for i in range(d if coordinates is None else coordinates):
        pairs = found.reshape(-1, 2, 1 << i)
        pairs[:, 1] += pairs[:, 0]
    return found


def _bits(values: np.ndarray) -> int:
    d = len(values).bit_length() - 1
    if len(values) != 1 << d:
        raise ValueError(f"{len(values)} values; expected one for each input, a power of two")
    return d


def kept_means(values: np.ndarray, x: int) -> np.ndarray:
    """For each set S of kept coordinates: the mean of the values where they are x's, (2ᵈ,)."""
    d = _bits(values)
    return (free_sums(values, x) / (1 << ones(d)))[::-1]  # the complement of U is 2ᵈ − 1 − U


def distortions(labels: np.ndarray, x: int) -> np.ndarray:
    """For each set S of kept coordinates: how often the label is not x's, (2ᵈ,), in [0, 1]."""
    return kept_means((labels != labels[x]).astype(np.int64), x)


def smallest(labels: np.ndarray, x: int, epsilon: float) -> tuple[int, np.ndarray]:
    """Size of the smallest mask of a distortion of at most epsilon, and all sets of that size."""
    d = _bits(labels)
    good = np.flatnonzero(distortions(labels, x) <= epsilon)
    sizes = ones(d)[good]
    return int(sizes.min()), good[sizes == sizes.min()]


def needed(distortion: np.ndarray, order: np.ndarray, epsilon: float) -> int:
    """How many coordinates must be kept, in this order, until the distortion is at most epsilon.

    Args:
        distortion: Of each set of kept coordinates, (2ᵈ,).
        order: A permutation of the coordinates, the first one is kept first.
    """
    sets = np.concatenate(([0], np.cumsum(1 << np.asarray(order, dtype=np.int64))))
    return int(np.flatnonzero(distortion[sets] <= epsilon)[0])


def occlusion(means: np.ndarray) -> np.ndarray:
    """Mean change of the value if one coordinate is made free, (d,), from `kept_means`."""
    full = len(means) - 1
    return np.array([means[full] - means[full ^ (1 << i)] for i in range(_bits(means))])


def shapley(means: np.ndarray) -> np.ndarray:
    """Shapley values (d,) of the game whose sets have these values, from `kept_means`."""
    d = _bits(means)
    sets, sizes = np.arange(len(means)), ones(d)
    weights = np.array([Fraction(1, d * math.comb(d - 1, k)) for k in range(d)], dtype=object)
    if means.dtype != object:
        weights = weights.astype(float)
    found = []
    for i in range(d):
        without = sets[(sets >> i) & 1 == 0]
        gains = means[without | (1 << i)] - means[without]
        found.append((weights[sizes[without]] * gains).sum())
    return np.array(found)


# A wave that only a gradient sees


def wave(u: Fraction) -> Fraction:
    """Triangles of period 4 and height 1: 0 at 0, 1 at 1, −1 at −1; slopes 1 and −1."""
    return abs((u - 1) % 4 - 2) - 1


def rounded(u: Fraction) -> Fraction:
    """The same wave with rounded edges."""
    return wave(u) * (3 - wave(u) ** 2) / 2


def waved(
    network: ReluNetwork, shape: Callable[[Fraction], Fraction], height: Fraction, slope: Fraction
) -> Callable[[list[Fraction]], Fraction]:
    """A network with a wave of its first input added, of this height and slope."""
    return lambda x: network(x) + height * shape(slope * x[0] / height)


def bent(
    network: ReluNetwork,
    shape: Callable[[Fraction], Fraction],
    x: list[Fraction],
    height: Fraction,
    slope: Fraction,
) -> bool:
    """Whether the wave adds ±slope to the first entry of the gradient at x, and no more to others.

    By differences over a step that stays between two edges of the wave; x is on no edge.
    """
    other = waved(network, shape, height, slope)
    ahead = 2 - (slope * x[0] / height - 1) % 2  # to the next edge; edges are 2 apart
    step = height / slope / (2 if ahead > 1 else -2)

    def off(y: list[Fraction]) -> Fraction:
        return other(y) - network(y)

    moved = [[v + step * (i == j) for i, v in enumerate(x)] for j in range(len(x))]
    slopes = [(off(y) - off(x)) / step for y in moved]
    low = abs(off(x)) <= height
    return low and abs(slopes[0]) == slope and not any(slopes[1:])


# What the chapter records


def evidence(cases: int) -> dict[str, Pair]:
    """Every statement tried: by name, the number that decides and that of its control.

    Args:
        cases: Random networks, functions or rules of each size.
    """
    return {
        "sawtooth": sawtooth_evidence(cases),
        "values": values_evidence(cases),
        "zeta": zeta_evidence(cases),
        "no-one": no_one_evidence(range(1, 9)),
        "softmax": softmax_evidence(1000),
    }


def sawtooth_evidence(cases: int) -> Pair:
    """Share of random points at which the wave does what it should; of the rounded one."""
    rng = Random(0)

    def draw(count: int) -> tuple[Fraction, ...]:
        return tuple(Fraction(rng.randint(-9, 9), 9) for _ in range(count))

    sharp, round_ = [], []
    for _ in range(20 * cases):
        network = ReluNetwork(tuple(draw(3) for _ in range(4)), draw(4), draw(4), draw(1)[0])
        height, slope = Fraction(1, rng.randint(2, 20)), Fraction(rng.randint(1, 50), 7)
        x = [Fraction(rng.randint(-999, 999), 1009) for _ in range(3)]
        if (slope * x[0] / height) % 2 == 1:  # on an edge, where there is no gradient
            continue
        sharp.append(bent(network, wave, x, height, slope))
        round_.append(bent(network, rounded, x, height, slope))
    return Fraction(sum(sharp), len(sharp)), Fraction(sum(round_), len(round_))


def values_evidence(cases: int) -> Pair:
    """Largest change of values over 2κ, where functions differ by κ; of a difference quotient."""
    rng, largest, steep = Random(0), [ZERO], []
    kappa = Fraction(1, 10)
    for d in range(1, 6):
        for _ in range(cases):
            f = _random(d, rng, ONE)
            g = f + _random(d, rng, kappa)
            largest += [value_change(f, g, x) / (2 * kappa) for x in range(1 << d)]
            excess = [root_excess(f, g, x, kappa) for x in range(1 << d)]
            largest += [Fraction(2) * any(excess)]
            steep.append(abs((g - f)[0] - (g - f)[1]) * 10 / (2 * kappa))
    return max(largest), max(steep)


def _random(d: int, rng: Random, scale: Fraction) -> np.ndarray:
    """Random values of at most this size at all inputs, (2ᵈ,), Fractions."""
    return np.array([scale * Fraction(rng.randint(-9, 9), 9) for _ in range(1 << d)], dtype=object)


def value_change(f: np.ndarray, g: np.ndarray, x: int) -> Fraction:
    """Largest difference between the two functions' occlusion and Shapley values at x."""
    means = [_exact_means(values, x) for values in (f, g)]
    pairs = [[method(own) for own in means] for method in (occlusion, shapley)]
    return max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))


def _exact_means(values: np.ndarray, x: int) -> np.ndarray:
    counts = np.array([Fraction(1, 1 << int(n)) for n in ones(_bits(values))], dtype=object)
    means: np.ndarray = (free_sums(values, x) * counts)[::-1]
    return means


def root_excess(f: np.ndarray, g: np.ndarray, x: int, kappa: Fraction) -> bool:
    """Whether the roots of the mean squared changes differ by more than 2κ for some mask.

    √a ≤ √b + 2κ is a − b − 4κ² ≤ 4κ√b, which can be squared.
    """
    first, second = (_exact_means((values - values[x]) ** 2, x) for values in (f, g))
    for a, b in (*zip(first, second, strict=True), *zip(second, first, strict=True)):
        left = a - b - 4 * kappa**2
        if left > 0 and left**2 > 16 * kappa**2 * b:
            return True
    return False


def zeta_evidence(cases: int) -> Pair:
    """Largest difference of the transform to the definition; of one that leaves the last bit out.

    The second is the smallest over rules of the largest difference.
    """
    rng, off, less = Random(0), [0], []
    for d in range(2, 7):
        for _ in range(cases):
            labels = np.array([rng.randint(0, 1) for _ in range(1 << d)])
            labels[:2] = 0, 1  # so that it depends on what is left
            wrong = [(labels != labels[x]).astype(np.int64) for x in range(1 << d)]
            said = [_by_definition(labels, x) for x in range(1 << d)]
            pairs = list(zip(wrong, said, strict=True))
            off += [abs(free_sums(w, x) - s).max() for x, (w, s) in enumerate(pairs)]
            short = (free_sums(w, x, coordinates=d - 1) - s for x, (w, s) in enumerate(pairs))
            less.append(max(abs(part).max() for part in short))
    return Fraction(int(max(off))), Fraction(int(min(less)))


def _by_definition(labels: np.ndarray, x: int) -> np.ndarray:
    inputs = range(len(labels))
    counts = [sum(labels[x ^ z] != labels[x] for z in inputs if z & u == z) for u in inputs]
    return np.array(counts, dtype=np.int64)


def no_one_evidence(sizes: Iterable[int]) -> Pair:
    """Share of inputs above the level whose smallest masks are all sets of k ones; for parity."""
    counted, parity = [], []
    for d in sizes:
        number = ones(d)
        for level in range(d):
            for epsilon in (0.05, 0.25, 0.4):
                k = tail(d, level, epsilon)
                for x in np.flatnonzero(number > level).tolist():
                    wanted = sets_of_ones(x, k)
                    counted.append(set(smallest(number > level, x, epsilon)[1]) == wanted)
                    if level == 0:
                        parity.append(set(smallest(number % 2, x, epsilon)[1]) == wanted)
    return Fraction(sum(counted), len(counted)), Fraction(sum(parity), len(parity))


def softmax_evidence(classes: int) -> Pair:
    """How far cross-entropies reach over logits, with the softmax taken twice; once, as it should.

    As the package of arXiv:2110.03485 has it: what it takes for logits are probabilities already.
    """
    steps = np.arange(-40, 41, 10)
    logits = np.zeros((len(steps), len(steps), classes))
    logits[..., 0] = steps[:, None]  # of the right class
    logits[..., 1] = steps
    losses = []
    for own in (_softmax(logits), logits):
        losses.append(-np.log(_softmax(own)[..., 0]))
    twice, once = (Fraction(float(loss.max() - loss.min())) for loss in losses)
    return twice, once


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers: np.ndarray = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def tail(d: int, level: int, epsilon: float) -> int:
    """Least k with P(k + Bin(d − k, ½) ≤ level) ≤ epsilon."""
    for k in range(level + 2):
        ways = sum(math.comb(d - k, j) for j in range(level - k + 1))
        if ways <= epsilon * 2 ** (d - k):
            return k
    raise AssertionError("with level + 1 ones kept the sum is above the level")


def sets_of_ones(x: int, k: int) -> set[int]:
    """All sets of k of the ones of an input."""
    places = [i for i in range(x.bit_length()) if x >> i & 1]
    return {sum(1 << i for i in chosen) for chosen in combinations(places, k)}
