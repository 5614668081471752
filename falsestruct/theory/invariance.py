"""What can be proved and solved about invariance: linear maps, ReLUs on a circle, deformations.

Exact where fractions allow it. Chapter 14 has the statements and their proofs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
from scipy.optimize import linprog

from falsestruct.theory.relu import ReluNetwork

Vector = Sequence[Fraction]
Rule = Callable[[Vector], Fraction]

CASE = 3  # coordinates of a random case
MOVES = 4  # displacements of a random case


# The relative stability of a linear map


def relative_stability(weights: Sequence[Vector], moves: Sequence[Vector]) -> Fraction:
    """R of x ↦ Wx by its formula, d·tr(WCWᵀ)/(‖W‖²·tr C), for equally likely moves τx − x.

    Args:
        weights: W, a row an output, not zero.
        moves: Vectors τx − x, (moves, d), not all zero; C is their second moment.
    """
    inner = _second_moment(moves)
    size = len(inner)
    top = sum(
        (
            row[i] * inner[i][j] * row[j]
            for row in weights
            for i in range(size)
            for j in range(size)
        ),
        Fraction(0),
    )
    return size * top / (_square(weights) * sum(inner[i][i] for i in range(size)))


def measured_stability(weights: Sequence[Vector], moves: Sequence[Vector]) -> Fraction:
    """R by its definition: mean of ‖W(τx − x)‖² over the mean of ‖Wη‖².

    η is √(tr C) times a coordinate direction, each as often: isotropic, and as long as the moves.
    """
    changes = [sum((_dot(row, move) ** 2 for row in weights), Fraction(0)) for move in moves]
    length = _square(moves) / len(moves)
    columns = [sum((row[i] ** 2 for row in weights), Fraction(0)) for i in range(len(moves[0]))]
    noise = length * sum(columns, Fraction(0)) / len(columns)
    return sum(changes, Fraction(0)) / len(changes) / noise


def expected_stability(values: Sequence[int], moves: Sequence[Vector]) -> Fraction:
    """Mean numerator of R over mean denominator, one output with independent weights.

    Args:
        values: What each weight is, equally likely; −1 and 1 make the denominator constant.
    """
    inner = _second_moment(moves)
    size = len(inner)
    rows = list(product(values, repeat=size))
    top = sum(
        (w[i] * inner[i][j] * w[j] for w in rows for i in range(size) for j in range(size)),
        Fraction(0),
    )
    below = sum(sum(one * one for one in w) for w in rows)
    return size * top / (below * sum(inner[i][i] for i in range(size)))


def linear_evidence(cases: int, rng: Random) -> tuple[Fraction, Fraction]:
    """Share of random cases in which the proposition holds, for signs and for zeros and ones."""
    right = spared = 0
    for _ in range(cases):
        moves = [[Fraction(rng.randint(1, 9)) for _ in range(CASE)] for _ in range(MOVES)]
        weights = [[Fraction(rng.randint(1, 9)) for _ in range(CASE)] for _ in range(2)]
        agree = relative_stability(weights, moves) == measured_stability(weights, moves)
        right += agree and expected_stability((-1, 1), moves) == 1
        spared += agree and expected_stability((0, 1), moves) == 1
    return Fraction(right, cases), Fraction(spared, cases)


def _dot(u: Vector, v: Vector) -> Fraction:
    return sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0))


def _square(rows: Sequence[Vector]) -> Fraction:
    return sum((_dot(row, row) for row in rows), Fraction(0))


def _second_moment(moves: Sequence[Vector]) -> list[list[Fraction]]:
    size = range(len(moves[0]))
    count = len(moves)
    return [
        [sum((move[i] * move[j] for move in moves), Fraction(0)) / count for j in size]
        for i in size
    ]


# ReLUs without biases on the circle


def on_circle(t: Fraction) -> tuple[Fraction, Fraction]:
    """A rational point of the unit circle; each but (−1, 0) has one t."""
    below = 1 + t * t
    return (1 - t * t) / below, 2 * t / below


def without_biases(units: Sequence[Vector], outputs: Vector) -> ReluNetwork:
    """x ↦ Σ_i output_i · max(0, ⟨unit_i, x⟩)."""
    zeros = (Fraction(0),) * len(units)
    return ReluNetwork(tuple(map(tuple, units)), zeros, tuple(outputs), Fraction(0))


def absolute_first() -> ReluNetwork:
    """Two ReLUs that make |x₁|."""
    one, zero = Fraction(1), Fraction(0)
    return without_biases([(one, zero), (-one, zero)], [one, one])


def solved(
    units: Sequence[Vector], points: Sequence[Vector], value: Fraction
) -> ReluNetwork | None:
    """The layer of these units that has this value at as many points; None if there is not one."""
    matrix = [[max(_dot(unit, point), Fraction(0)) for unit in units] for point in points]
    outputs = solve(matrix, [value] * len(points))
    return None if outputs is None else without_biases(units, outputs)


def solve(matrix: Sequence[Vector], right: Vector) -> list[Fraction] | None:
    """The solution of a square system by elimination; None if the matrix is singular."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(len(rows)):
        pivot = next((i for i in range(column, len(rows)) if rows[i][column]), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column][column]
        rows[column] = [entry / head for entry in rows[column]]
        for i, row in enumerate(rows):
            if i != column and row[column]:
                factor = row[column]
                rows[i] = [a - factor * b for a, b in zip(row, rows[column], strict=True)]
    return [row[-1] for row in rows]


def differing(network: ReluNetwork, target: Rule, points: Sequence[Vector]) -> int:
    """On how many of the points the network is not the target."""
    return sum(network(point) != target(point) for point in points)


def circle_evidence(units: Sequence[int], rng: Random) -> tuple[int, int]:
    """Fewest of 4n + 1 points on which n solved ReLUs miss the constant, for these n.

    And the most on which two ReLUs miss |x₁|. Each layer is the constant one on n of the points.
    """
    fewest, most = [], []
    for n in units:
        network, known = None, list[tuple[Fraction, Fraction]]()
        while network is None:
            known = _draw(n, rng)
            network = solved(_draw(n, rng), known, Fraction(1))
        points = list(dict.fromkeys(known + _draw(6 * n + 1, rng)))[: 4 * n + 1]
        fewest.append(differing(network, lambda _: Fraction(1), points))
        most.append(differing(absolute_first(), lambda x: abs(x[0]), points))
    return min(fewest), max(most)


def _draw(count: int, rng: Random) -> list[tuple[Fraction, Fraction]]:
    """Different rational points all around the circle."""
    found = dict[tuple[Fraction, Fraction], None]()
    while len(found) < count:
        x, y = on_circle(Fraction(rng.randint(-40, 40), 40))
        found[rng.choice([(x, y), (-x, y)])] = None
    return list(found)


# Interpolants of random ReLUs


def relus(x: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Outputs (samples, atoms) of ReLUs without biases: max(0, ⟨atom, x⟩)."""
    return np.maximum(x @ atoms.T, 0)


def least_sum(features: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Output weights (atoms,) of least Σ|w| that give the values (samples,) exactly.

    A linear program in the positive and the negative parts; HiGHS' simplex ends in a basic
    solution, so that no more weights than samples are different from zero.

    Raises:
        ArithmeticError: nothing interpolates, or the solver gave up.
    """
    both = np.hstack((features, -features))
    found = linprog(
        np.ones(both.shape[1]), A_eq=both, b_eq=values, bounds=(0, None), method="highs-ds"
    )
    if found.status != 0:
        raise ArithmeticError(f"HiGHS ended with status {found.status}: {found.message}")
    positive, negative = np.split(found.x, 2)
    return np.asarray(positive - negative)


def least_squares(features: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Output weights (atoms,) of least Σw² that give the values (samples,) exactly."""
    return np.asarray(np.linalg.lstsq(features, values, rcond=None)[0])


# How far a typical deformation moves a point


def displacement(cutoff: Fraction) -> Fraction:
    """Mean square displacement of an image's centre, over n²T, in two dimensions.

    2·Σ 1/(i² + j²) over odd i, j ≥ 1 with i² + j² ≤ cutoff²: both coordinates have coefficients
    N(0, T/(i² + j²)) on sin(iπu)·sin(jπv). arXiv:2105.02468 gives (π/4)·ln(cutoff), which is its
    growth for large cut-offs.
    """
    odd = range(1, int(cutoff) + 1, 2)
    squares = (i * i + j * j for i, j in product(odd, odd))
    return 2 * sum((Fraction(1, s) for s in squares if s <= cutoff**2), Fraction(0))


def displacements(cutoff: int = 3) -> dict[str, float]:
    """How much further than by (π/4)·ln(cutoff) the centre moves, root mean square, as a share.

    With the modes up to the cut-off, and with those up to half a mode more, as in the released code
    of arXiv:2105.02468.
    """
    formula = math.pi / 4 * math.log(cutoff)
    cuts = {"exact": Fraction(cutoff), "released": Fraction(2 * cutoff + 1, 2)}
    return {name: math.sqrt(displacement(cut) / formula) - 1 for name, cut in cuts.items()}
