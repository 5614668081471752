"""An independent solver, and the statistical dimension against its own integral."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from falsestruct.theory import recovery


def test_basis_pursuit_says_when_there_is_no_solution():
    with pytest.raises(ArithmeticError, match="HiGHS found nothing"):
        recovery.basis_pursuit(np.array([[1.0], [1.0]]), np.array([0.0, 1.0]))


def test_basis_pursuit_takes_the_least_first_norm():
    found = recovery.basis_pursuit(np.array([[1.0, 2.0]]), np.array([-4.0]))
    np.testing.assert_allclose(found, [0, -2])


@pytest.mark.parametrize("share", [0.01, 0.2, 0.7])
def test_the_statistical_dimension_is_its_integral_at_the_best_threshold(share):
    def at(t):
        tail = quad(lambda u: (u - t) ** 2 * math.exp(-u * u / 2), t, np.inf)[0]
        return share * (1 + t * t) + (1 - share) * math.sqrt(2 / math.pi) * tail

    best = min(at(t) for t in np.linspace(0, 6, 3001))
    assert recovery.statistical_dimension(share) == pytest.approx(best, abs=1e-6)
    assert recovery.largest_sparsity(recovery.statistical_dimension(share)) == pytest.approx(share)


def test_the_statistical_dimension_ends_where_it_must():
    assert recovery.statistical_dimension(0.0) == 0 and recovery.statistical_dimension(1.0) == 1
    with pytest.raises(ValueError, match=r"share is 1.5; expected 0 to 1"):
        recovery.statistical_dimension(1.5)
    with pytest.raises(ValueError, match="measurements are 0"):
        recovery.largest_sparsity(0)
