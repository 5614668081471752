"""What chapter 22 proves about smallest perturbations that must not use a subspace, exactly.

A linear rule of two classes has the label of the sign of ⟨w, x⟩ + b. All numbers are `Fraction`s.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from falsestruct.theory.invariance import solve

ZERO, ONE = Fraction(0), Fraction(1)
Vector = Sequence[Fraction]


def dot(u: Vector, v: Vector) -> Fraction:
    """Inner product."""
    return sum((a * b for a, b in zip(u, v, strict=True)), ZERO)


def least(w: Vector, margin: Fraction, barred: Sequence[Vector]) -> list[Fraction] | None:
    """The shortest η with ⟨w, η⟩ = −margin that is orthogonal to all barred directions.

    From the conditions of the least norm: η = λw + Σ μᵢvᵢ fulfils them; elimination gives λ and μ.

    Returns:
        None if there is none, or if w and the directions depend on each other.
    """
    rows = [w, *barred]
    found = solve([[dot(u, v) for v in rows] for u in rows], [-margin] + [ZERO] * len(barred))
    if found is None:
        return None
    return [sum((a * v[i] for a, v in zip(found, rows, strict=True)), ZERO) for i in range(len(w))]


def held(change: Vector, barred: Sequence[Vector]) -> Fraction:
    """Share of the square of a change in the span of independent directions."""
    weights = solve([[dot(u, v) for v in barred] for u in barred], [dot(v, change) for v in barred])
    if weights is None:
        raise ValueError("the directions depend on each other; expected independent ones")
    part = sum((a * dot(v, change) for a, v in zip(weights, barred, strict=True)), ZERO)
    return part / dot(change, change)


def law_evidence(cases: int, rng: Random) -> tuple[Fraction, Fraction]:
    """Largest |(1 − h)·growth² − 1|, and the smallest with the share of dimensions as h.

    Over random rational rules and subspaces of two to six dimensions.
    """
    off: list[Fraction] = []
    other: list[Fraction] = []
    while len(other) < cases:
        size = rng.randint(2, 6)
        barred = [_drawn(size, rng) for _ in range(rng.randint(1, size - 1))]
        w, margin = _drawn(size, rng), Fraction(rng.randint(1, 9), rng.randint(1, 9))
        free, kept = least(w, margin, []), least(w, margin, barred)
        if free is None or kept is None or (h := held(free, barred)) == Fraction(len(barred), size):
            continue
        growth = dot(kept, kept) / dot(free, free)
        off.append(abs((1 - h) * growth - 1))
        other.append(abs((1 - Fraction(len(barred), size)) * growth - 1))
    return max(off), min(other)


def _drawn(size: int, rng: Random) -> list[Fraction]:
    return [Fraction(rng.randint(-9, 9), rng.randint(1, 9)) for _ in range(size)]
