"""Smallest perturbations without a subspace, by hand and against floats."""

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from falsestruct.theory import forbidden


def vector(*numbers):
    return [Fraction(n) for n in numbers]


def test_by_hand():
    w, barred = vector(3, 4), [vector(0, 1)]
    assert forbidden.least(w, Fraction(25), []) == vector(-3, -4)
    assert forbidden.least(w, Fraction(3), barred) == vector(-1, 0)
    assert forbidden.held(w, barred) == Fraction(16, 25)
    # Growth 1/√(1 − 16/25) = 5/3: from margin/5 to margin/3.
    assert forbidden.least(vector(0, 1), Fraction(1), barred) is None  # nothing is left of w
    with pytest.raises(ValueError, match="depend on each other"):
        forbidden.held(w, [vector(1, 1), vector(2, 2)])


def test_the_shortest_of_all_that_fulfil_the_conditions():
    w, barred = vector(1, 2, -1, 3), [vector(1, 0, 1, 1), vector(2, 1, 0, 0)]
    found = forbidden.least(w, Fraction(5), barred)
    rows = np.array([w, *barred], dtype=float)
    assert np.array(found, dtype=float) == pytest.approx(np.linalg.pinv(rows) @ [-5, 0, 0])


def test_the_law_is_exact_and_the_share_of_dimensions_is_another():
    off, other = forbidden.law_evidence(30, Random(3))
    assert off == 0 < other
