"""When is a feature real? What chapter 12 proves, in exact arithmetic.

Each part has the thing itself, counted or tried out, and what the proposition says of it. Numbers
are integers or `Fraction`s; nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise, product
from random import Random

Vector = Sequence[Fraction]
Data = Sequence[tuple[Vector, int]]  # inputs with labels ±1
Point = tuple[Fraction, Fraction]
Pair = tuple[Fraction, Fraction]  # a share of cases, and its control's


# Two worlds and one instrument


def same_wave(one: int, other: int, rate: int, phases: tuple[Fraction, Fraction]) -> bool:
    """Whether two sampled cosines are the same numbers, as long as one likes.

    Two cosines are equal if their angles, in whole turns, are equal or opposite up to an integer;
    both have the period `rate` in the number of the sample.

    Args:
        one, other: Periods a unit of time, integers.
        rate: Samples a unit of time, an integer above 0.
        phases: Of the two, in turns.
    """
    first, second = phases
    for i in range(rate):
        left, right = Fraction(one * i, rate) + first, Fraction(other * i, rate) + second
        if (left - right) % 1 and (left + right) % 1:
            return False
    return True


def aliases(n: int, periods: tuple[int, int], phase: Fraction, *, off: int = 0) -> bool:
    """Whether fast waves are slow ones as the proposition says, for both labels.

    At n + off samples a unit a fast wave, n − k_y periods a unit, is the slow one of its own label
    with the phase reversed; at n + off − k_0 − k_1 it is that of the other label.
    """
    lower = n + off - sum(periods)
    return all(
        same_wave(n - k, k, n + off, (phase, -phase))
        and same_wave(n - k, other, lower, (phase, phase))
        for k, other in (periods, periods[::-1])
    )


def random_world(rng: Random) -> tuple[int, tuple[int, int], Fraction]:
    """n, two different numbers of periods below n/2 − 1, and a phase."""
    n = rng.randint(8, 40)
    first, second = rng.sample(range(1, (n - 1) // 2), 2)
    return n, (first, second), Fraction(rng.randrange(60), 60)


# What is left of a feature under attack


def mean_product(data: Data) -> list[Fraction]:
    """E[yx], entry by entry."""
    total = [sum((y * x[i] for x, y in data), Fraction(0)) for i in range(len(data[0][0]))]
    return [value / len(data) for value in total]


def usefulness(weights: Vector, data: Data, size: Fraction) -> Fraction:
    """E inf y⟨a, x + η⟩ over ‖η‖∞ ≤ size, by trying every corner of the cube."""
    corners = list(product((-size, size), repeat=len(weights)))

    def least(x: Vector, y: int) -> Fraction:
        return min(y * _dot(weights, [u + e for u, e in zip(x, c, strict=True)]) for c in corners)

    return sum((least(x, y) for x, y in data), Fraction(0)) / len(data)


def formula(
    weights: Vector, data: Data, size: Fraction, norm: Callable[[Vector], Fraction]
) -> Fraction:
    """⟨a, E yx⟩ − size·‖a‖: the proposition, with the dual norm (`first_norm` here)."""
    return _dot(weights, mean_product(data)) - size * norm(weights)


def first_norm(a: Vector) -> Fraction:
    """Σ|a_i|, the dual of the maximum norm."""
    return sum((abs(value) for value in a), Fraction(0))


def largest(a: Vector) -> Fraction:
    """max |a_i|."""
    return max(abs(value) for value in a)


def breaks_where_it_should(data: Data) -> bool:
    """Whether some corner of the dual ball is useful at .9·‖E yx‖∞, and none at 1.1 times it."""
    mean = mean_product(data)
    places = range(len(mean))
    corners = [[Fraction(s * (i == j)) for j in places] for i in places for s in (-1, 1)]

    def useful(factor: Fraction) -> bool:
        return any(usefulness(corner, data, factor * largest(mean)) > 0 for corner in corners)

    return largest(mean) == 0 or (useful(Fraction(9, 10)) and not useful(Fraction(11, 10)))


def random_data(rng: Random, *, samples: int = 4, inputs: int = 3) -> Data:
    """Inputs of small fractions with labels ±1."""
    return [
        ([Fraction(rng.randint(-9, 9), 4) for _ in range(inputs)], rng.choice((-1, 1)))
        for _ in range(samples)
    ]


# Which images a lesson keeps as they are


def kept(
    answers: Sequence[int], labels: Sequence[int], classes: int, *, wrong: bool
) -> tuple[list[int], Fraction]:
    """Images that have their target already, and their share of all pairs of image and target.

    Args:
        answers: What the teacher says of each image.
        labels: Of each image.
        classes: Targets are drawn from 0 … classes − 1, all equally likely.
        wrong: Only from those that are not the image's label.
    """
    pairs = [(i, t) for i, y in enumerate(labels) for t in range(classes) if not (wrong and t == y)]
    stay = [i for i, t in pairs if answers[i] == t]
    return stay, Fraction(len(stay), len(pairs))


def clean_share(
    answers: Sequence[int], labels: Sequence[int], classes: int, *, wrong: bool
) -> Fraction:
    """Share of the kept images that are rightly labelled, over the teacher's accuracy.

    0 where they don't contain each image once, or are not one in `classes`.
    """
    stay, share = kept(answers, labels, classes, wrong=wrong)
    if stay != list(range(len(labels))) or share != Fraction(1, classes):
        return Fraction(0)
    right = [a == y for a, y in zip(answers, labels, strict=True)]
    return Fraction(sum(right[i] for i in stay), len(stay)) / Fraction(sum(right), len(right))


# Inputs that all data treat alike


def nearest(data: Sequence[tuple[Point, int]], x: Point, *, shear: Fraction | int = 0) -> int:
    """Label of the nearest point, the first of several.

    Args:
        shear: Distances are taken after adding this many times x₂ to x₁: not 0, and the rule
            treats the two sides of the axis x₂ = 0 differently.
    """

    def distance(point: Point) -> Fraction:
        first, second = (u - v for u, v in zip(point, x, strict=True))
        return (first + shear * second) ** 2 + second**2

    return min(data, key=lambda own: distance(own[0]))[1]


def right_once(data: Sequence[tuple[Point, int]], x: Point, *, shear: Fraction | int = 0) -> bool:
    """Whether the rule is right on one of x and its mirror image, whose labels are 0 and 1."""
    mirrored = (x[0], -x[1])
    right = [nearest(data, p, shear=shear) == y for y, p in enumerate((x, mirrored))]
    return sum(right) == 1


def random_axis(rng: Random, *, samples: int = 6) -> list[tuple[Point, int]]:
    """Labelled points on the axis x₂ = 0, which mirroring x₂ leaves where they are."""
    places = rng.sample(range(-12, 13), samples)
    return [((Fraction(place, 4), Fraction(0)), rng.randrange(2)) for place in places]


def off_axis(rng: Random) -> Point:
    """A point that is not on the axis."""
    return Fraction(rng.randint(-12, 12), 4), Fraction(rng.randint(1, 12), 4)


# Checkerboards


def painted(kernel: Sequence[int], stride: int) -> list[int]:
    """What a transposed convolution makes of a constant 1, away from the ends: one stride of it.

    Input i paints the kernel at the places i·stride, i·stride + 1, …; paint adds up.
    """
    inputs = 2 * len(kernel) + 2
    canvas = [0] * (inputs * stride + len(kernel))
    for i in range(inputs):
        for j, weight in enumerate(kernel):
            canvas[i * stride + j] += weight
    middle = len(kernel) * stride
    return canvas[middle : middle + stride]


def is_constant(values: Sequence[int]) -> bool:
    """Whether all values are the same."""
    return all(u == v for u, v in pairwise(values))


def residue_sums(kernel: Sequence[int], stride: int) -> list[int]:
    """Sum of the weights whose place leaves each remainder modulo the stride."""
    return [sum(kernel[r::stride]) for r in range(stride)]


# How often each proposition holds on random cases, and what is said beside it


def alias_shares(cases: int, rng: Random) -> Pair:
    """Worlds in which the fast waves are the slow ones; the same with one sample more a unit."""
    worlds = [random_world(rng) for _ in range(cases)]
    return _part([aliases(*own) for own in worlds]), _part([aliases(*own, off=1) for own in worlds])


def value_shares(cases: int, rng: Random) -> Pair:
    """Data on which the formula and its consequence hold; with another norm than the dual one."""
    dual, other = list[bool](), list[bool]()
    for _ in range(cases):
        data, size = random_data(rng), Fraction(rng.randint(1, 8), 4)
        a = random_data(rng, samples=1)[0][0]
        tried, whole = usefulness(a, data, size), breaks_where_it_should(data)
        dual.append(whole and tried == formula(a, data, size, first_norm))
        other.append(whole and tried == formula(a, data, size, largest))
    return _part(dual), _part(other)


def clean_shares(cases: int, rng: Random) -> Pair:
    """The smallest `clean_share` of random teachers; the largest where targets are wrong."""
    every, wrong = list[Fraction](), list[Fraction]()
    for _ in range(cases):
        classes = rng.randint(2, 6)
        labels = [rng.randrange(classes) for _ in range(12)]
        answers = [y if rng.random() < 0.7 else rng.randrange(classes) for y in labels]
        answers[0] = labels[0]  # right at least once
        every.append(clean_share(answers, labels, classes, wrong=False))
        wrong.append(clean_share(answers, labels, classes, wrong=True))
    return min(every), max(wrong)


def mirror_shares(cases: int, rng: Random) -> Pair:
    """Pairs on which the nearest neighbour is right once; the same through a shear."""
    pairs = [(random_axis(rng), off_axis(rng)) for _ in range(cases)]
    return (
        _part([right_once(data, x) for data, x in pairs]),
        _part([right_once(data, x, shear=1) for data, x in pairs]),
    )


def checkerboard_shares(cases: int, rng: Random) -> Pair:
    """Kernels that the criterion is right about; that "at least as long as the stride" is."""
    places = [(length, stride) for length in range(1, 9) for stride in range(1, 5)]
    holds, longer = list[bool](), list[bool]()
    for length, stride in places:
        flat = is_constant(painted([1] * length, stride))
        holds.append(flat == (length % stride == 0))
        longer.append(flat == (length >= stride))
    for length, stride in rng.choices(places, k=cases):
        kernel = [rng.randint(-1, 1) for _ in range(length)]
        flat = is_constant(painted(kernel, stride))
        holds.append(flat == is_constant(residue_sums(kernel, stride)))
        longer.append(flat == (length >= stride))
    return _part(holds), _part(longer)


SHARES: dict[str, Callable[[int, Random], Pair]] = {
    "indistinguishable": alias_shares,
    "robust-value": value_shares,
    "selection": clean_shares,
    "grue": mirror_shares,
    "checkerboard": checkerboard_shares,
}


def _part(holds: Sequence[bool]) -> Fraction:
    return Fraction(sum(holds), len(holds))


def _dot(u: Vector, v: Vector) -> Fraction:
    return sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0))
