"""FIRENET against solvers that share nothing with it, its rate, its gradient, its errors."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import linprog, minimize

from falsestruct.theory import firenet as module
from falsestruct.theory.firenet import Plan, firenet, objective, primal_dual, unrestarted
from falsestruct.theory.operators import Cosine, Dense, Fourier, Walsh, gaussian, sampled_rows

DEEP = Plan(lam=0.05, restarts=24, inner=100)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def sparse(*shape, sparsity, seed=0, dtype=torch.float64):
    g = generator(seed)
    order = torch.rand(shape, generator=g).argsort(-1).argsort(-1)
    return torch.where(order < sparsity, torch.randn(shape, dtype=dtype, generator=g), 0)


def operators():
    rows = sampled_rows(32, 64, generator())
    return {"Gaussian": gaussian(32, 64, generator()), "cosine": Cosine(64, rows)} | {
        "Walsh": Walsh(64, rows)
    }


@pytest.mark.parametrize("kind", ["Gaussian", "cosine", "Walsh"])
@pytest.mark.parametrize("sparsity", [3, 5])
def test_it_agrees_with_a_linear_program(kind, sparsity):
    operator = operators()[kind]
    x = sparse(5, 64, sparsity=sparsity, seed=1)
    y = operator.forward(x)
    found = firenet(operator, y, DEEP)
    matrix = operator.forward(torch.eye(64, dtype=torch.float64)).mT.numpy()
    for own, measured in zip(found.numpy(), y.numpy(), strict=True):
        lp = linprog(np.ones(128), A_eq=np.hstack((matrix, -matrix)), b_eq=measured)
        best = lp.x[:64] - lp.x[64:]
        assert np.linalg.norm(own - best) <= 1e-6 * np.linalg.norm(best)


def test_weights_agree_with_a_weighted_linear_program():
    operator, weights = gaussian(20, 40, generator()), 0.5 + torch.rand(40, generator=generator(3))
    y = operator.forward(sparse(40, sparsity=3, seed=2))
    found = firenet(operator, y, replace(DEEP, weights=weights.double()))
    matrix, cost = operator.matrix.numpy(), weights.numpy().repeat(2).reshape(40, 2).T.flatten()
    lp = linprog(cost, A_eq=np.hstack((matrix, -matrix)), b_eq=y.numpy())
    np.testing.assert_allclose(found.numpy(), lp.x[:40] - lp.x[40:], atol=1e-6)


def test_with_noise_it_minimises_the_square_root_lasso():
    # λ is so large and the data so noisy that no solution fits: the misfit is part of the optimum.
    operator = gaussian(8, 12, generator())
    y = torch.randn(8, dtype=torch.float64, generator=generator(1))
    plan = Plan(lam=0.3, restarts=14, inner=2000)
    found = firenet(operator, y, plan)
    matrix = operator.matrix.numpy()

    def value(z):  # x = positive part − negative part
        return 0.3 * z.sum() + np.linalg.norm(matrix @ (z[:12] - z[12:]) - y.numpy())

    start = np.full(24, 0.1)
    best = minimize(value, start, method="SLSQP", bounds=[(0, None)] * 24, tol=1e-14,
                    options={"maxiter": 1000})  # fmt: skip
    assert (operator.forward(found) - y).norm() > 0.1
    assert objective(operator, found, y, plan).item() <= best.fun + 1e-6


def test_complex_signals_are_found():
    operator = Fourier(64, sampled_rows(32, 64, generator()))
    x = sparse(3, 64, sparsity=4, dtype=torch.complex128)
    found = firenet(operator, operator.forward(x), DEEP)
    torch.testing.assert_close(found, x, rtol=0, atol=1e-8)


def test_a_batch_is_its_problems_one_by_one():
    operator = operators()["Gaussian"]
    x = sparse(2, 3, 64, sparsity=4)
    y = operator.forward(x) * torch.tensor([1e-3, 1, 1e3], dtype=torch.float64)[:, None]
    together = firenet(operator, y, DEEP)
    for place in np.ndindex(2, 3):
        torch.testing.assert_close(together[place], firenet(operator, y[place], DEEP))


def test_groups_of_matrices_are_one_network_each():
    operator = gaussian(32, 64, generator(), groups=(3,))
    y = operator.forward(sparse(3, 2, 64, sparsity=4))
    together = firenet(operator, y, DEEP)
    for group in range(3):
        alone = firenet(Dense(operator.matrix[group]), y[group], DEEP)
        torch.testing.assert_close(together[group], alone)


def test_it_is_the_paper_s_iteration_on_scaled_data():
    operator, plan = gaussian(6, 9, generator()), Plan(lam=0.2, restarts=3, inner=7, slack=0.01)
    y = torch.randn(6, dtype=torch.float64, generator=generator(1))
    psi, eps, norm = torch.zeros(9, dtype=torch.float64), y.norm(), operator.norm
    for _ in range(plan.restarts):
        eps = (plan.slack + eps) / math.e
        alpha = 2 * norm / (eps * plan.inner)
        scaled = primal_dual(operator, alpha * y, plan, start=alpha * psi)
        psi = scaled / alpha
    torch.testing.assert_close(firenet(operator, y, plan), psi)


def test_three_layers_by_hand():
    """A = 2, y = 1, from x = 1: x = 0.9, u = 0.12; x = 0.752, u = 0.1616; x = 0.58736."""
    operator, plan = Dense(torch.tensor([[2.0]]).double()), Plan(0.5, 1, 3, steps=(0.2, 0.2))
    y = start = torch.ones(1, dtype=torch.float64)
    mean = primal_dual(operator, y, plan, start=start)
    assert mean.item() == pytest.approx((0.9 + 0.752 + 0.58736) / 3, abs=1e-15)


def test_each_restart_divides_the_error_by_e_and_too_few_steps_stall():
    operator = gaussian(80, 200, generator())
    x = sparse(200, sparsity=8)
    errors = {}
    for p in (10, 50):
        history = firenet(operator, operator.forward(x), Plan(0.05, 16, p), history=True)
        assert history.shape == (17, 200) and not history[0].any()
        errors[p] = (history - x).norm(dim=-1).log()
    rate = (errors[50][16] - errors[50][8]) / 8
    assert -1.1 < rate < -0.9
    assert errors[10][16] > errors[10][8] - 1


def test_without_restarts_the_bound_holds_and_its_rate_is_one_over_k():
    operator = gaussian(80, 200, generator())
    x = sparse(200, sparsity=8)
    y, plan, at = operator.forward(x), Plan(0.05, 1, 1), (1, 10, 100, 1000)
    found = unrestarted(operator, y, plan, at=at)
    for steps, mean in zip(at, found, strict=True):
        excess = objective(operator, mean, y, plan) - objective(operator, x, y, plan)
        start = torch.zeros_like(x)
        assert excess <= module.bound(operator, plan, start=start, x=x, steps=steps)
    assert (found[3] - x).norm() / (found[2] - x).norm() == pytest.approx(0.1, rel=0.1)
    once = primal_dual(operator, y, replace(plan, inner=100), start=torch.zeros_like(x))
    torch.testing.assert_close(found[2], once)


def test_the_bound_is_the_formula():
    operator = Dense(2 * torch.eye(3, dtype=torch.float64))
    start, x = torch.zeros(3, dtype=torch.float64), torch.tensor([3.0, 0, 4.0]).double()
    plan = Plan(1.0, 1, 1, steps=(0.1, 0.5))
    assert module.bound(operator, plan, start=start, x=x, steps=4) == (25 / 0.1 + 2) / 4


def test_gradients_are_those_of_differences():
    operator = gaussian(4, 6, generator())
    y = torch.randn(2, 4, dtype=torch.float64, generator=generator(1)).requires_grad_()
    plan = Plan(lam=0.1, restarts=2, inner=5)
    assert torch.autograd.gradcheck(lambda v: firenet(operator, v, plan), (y,))
    matrix = operator.matrix.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda m: firenet(Dense(m), y.detach(), plan), (matrix,))


def test_no_data_no_signal():
    operator = operators()["cosine"]
    y = torch.zeros(32, dtype=torch.float64, requires_grad=True)
    found = firenet(operator, y, DEEP)
    assert not found.any()


def test_single_precision_stays_single():
    operator = Dense(gaussian(32, 64, generator(), groups=(2,)).matrix.float())
    y = operator.forward(sparse(2, 3, 64, sparsity=4).float())
    assert firenet(operator, y, Plan(0.05, 3, 20)).dtype == torch.float32


@pytest.mark.parametrize("complex", [False, True])
def test_soft_moves_entries_towards_zero(complex):
    x = torch.tensor([3.0, -1.0, 0.5, 0.0]).double()
    turn = torch.polar(torch.tensor(1.0).double(), torch.tensor(0.7).double()) if complex else 1
    wanted = torch.tensor([2.0, 0.0, 0.0, 0.0]).double() * turn
    torch.testing.assert_close(module.soft(x * turn, torch.tensor(1.0).double()), wanted)


OPERATOR = gaussian(4, 6, generator())
Y = torch.ones(4, dtype=torch.float64)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Plan(-0.1, 1, 1), "lam is -0.1; expected"),
        (lambda: Plan(math.nan, 1, 1), "lam is nan"),
        (lambda: Plan(0.1, 0, 1), "restarts is 0; .* at least 1"),
        (lambda: Plan(0.1, 1, 0), "inner is 0"),
        (lambda: Plan(0.1, 1, 1, slack=-1), "slack is -1"),
        (lambda: Plan(0.1, 1, 1, weights=torch.tensor([1.0, 0.0])), "smallest weight is 0"),
        (lambda: firenet(OPERATOR, Y[:3], DEEP), r"\(3,\) and the operator 4 rows"),
        (lambda: firenet(OPERATOR, Y * torch.inf, DEEP), "y has 4 values that are not finite"),
        (lambda: firenet(OPERATOR, Y, replace(DEEP, steps=(1.0, 2.0))),
         "steps are 1 and 2, the norm .* product is .* τσ‖A‖² < 1"),
        (lambda: firenet(OPERATOR, Y, replace(DEEP, steps=(-0.1, -0.1))), "positive steps"),
        (lambda: firenet(OPERATOR, Y, replace(DEEP, weights=torch.ones(5))), r"\(5,\) .* 6 u"),
        (lambda: unrestarted(OPERATOR, Y[:3], DEEP, at=(1,)), "the operator 4 rows"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_last_steps_are_what_means_are_made_of():
    operator, plan = gaussian(12, 20, generator()), Plan(0.05, 1, 6, last=True)
    y = operator.forward(sparse(20, sparsity=2, seed=3))
    steps = unrestarted(operator, y, plan, at=tuple(range(1, 7)))
    mean = unrestarted(operator, y, replace(plan, last=False), at=(6,))[0]
    torch.testing.assert_close(steps.mean(0), mean)
    own = primal_dual(operator, y, plan, start=torch.zeros(20, dtype=torch.float64))
    torch.testing.assert_close(own, steps[-1])
