"""An independent solver, and the statistical dimension against its own integral."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from falsestruct.problems.sparse import sparse
from falsestruct.theory import firenet, recovery
from falsestruct.theory.firenet import Plan
from falsestruct.theory.operators import gaussian


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


def test_half_way_reads_the_last_fall():
    sparsity = np.array([1.0, 2.0, 4.0])
    assert recovery.half_way(sparsity, np.array([1.0, 0.75, 0.25])) == 3
    assert recovery.half_way(sparsity, np.array([1.0, 1.0, 0.6])) == 4
    assert recovery.half_way(sparsity, np.array([0.4, 0.1, 0.0])) == 0
    assert recovery.half_way(sparsity, np.array([0.4, 0.8, 0.2])) == 3


@pytest.mark.parametrize("seed", range(1, 6))
def test_beyond_the_largest_weight_a_signal_does_not_minimise(seed):
    """Along (A_S*A_S)⁻¹s the objective falls from the signal on; at half the weight it rises."""
    generator = torch.Generator().manual_seed(seed)
    operator = gaussian(20, 20, generator)
    x = sparse((), 20, 14, generator)
    largest = recovery.largest_weight(operator.matrix, x)
    own = operator.matrix[:, x != 0]
    way = torch.zeros_like(x)
    way[x != 0] = torch.linalg.solve(own.mT @ own, x[x != 0].sign())
    y, near = operator.forward(x), x - 1e-4 * x[x != 0].abs().min() * way / way.abs().max()

    def change(weight):
        plan = Plan(weight, 1, 1)
        there, here = (firenet.objective(operator, z, y, plan) for z in (near, x))
        return float(there - here)

    assert change(1.01 * largest) < 0 < change(0.99 * largest)


def test_a_single_entry_bears_weights_up_to_its_columns_length():
    matrix = torch.tensor([[3.0, 0.0], [4.0, 1.0]], dtype=torch.float64)
    x = torch.tensor([-2.0, 0.0], dtype=torch.float64)
    assert recovery.largest_weight(matrix, x) == pytest.approx(5)
    assert recovery.largest_weight(matrix, 0 * x) == math.inf
    with pytest.raises(ArithmeticError, match=r"2 columns of .* are dependent"):
        recovery.largest_weight(matrix[:1], x + 1)
