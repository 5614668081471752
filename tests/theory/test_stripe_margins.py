"""The rule of largest margin: against solvers that know no proof, and by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import linprog, nnls
from sklearn.svm import SVC
from torch import Tensor

from falsestruct.problems.stripes import Stripes
from falsestruct.theory import stripe_margins as theory

STIFF = 30.0


def solved(x: Tensor, y: Tensor) -> tuple[np.ndarray, float]:
    """The largest margin with b counted, by non-negative least squares: W and b."""
    flat = torch.cat((x.flatten(1), torch.ones(len(x), 1)), 1).double()
    signed = (torch.where(y > 0, 1.0, -1.0)[:, None] * flat).numpy()
    rows = np.vstack((signed.T, STIFF * np.ones(len(x))))
    weights, _ = nnls(rows, np.append(np.zeros(len(rows) - 1), STIFF), maxiter=100_000)
    direction = signed.T @ weights
    rule = direction / (signed @ direction).min()
    return rule[:-1], float(rule[-1])


def by_colour(normal: np.ndarray, b: float, stripes: Stripes, a: float) -> float:
    x, y = stripes.conflict_set(a)
    said = torch.from_numpy(x.flatten(1).numpy() @ normal + b) > 0
    return (said != (y > 0)).double().mean().item()


@pytest.mark.parametrize(("size", "width"), [(32, 3), (16, 3), (12, 7), (13, 4), (7, 2)])
@pytest.mark.parametrize("factor", [0.9, 1.1, 3.0, 30.0])
def test_a_solver_finds_the_same_rule_with_b_counted(size: int, width: int, factor: float) -> None:
    stripes, a = Stripes(size, width), factor * theory.threshold(size, width, counted=True)
    rule = theory.largest_margin(size, width, Fraction(a), counted=True)
    assert rule.certify()
    normal, b = solved(*stripes.described(a))
    assert b == pytest.approx(float(rule.b), rel=1e-3)
    assert normal @ normal == pytest.approx(norm(rule), rel=1e-3)
    assert by_colour(normal, b, stripes, a) == (factor > 1)
    assert rule.read_by_colour() == (factor > 1) * 2 * stripes.positions


@pytest.mark.parametrize("factor", [0.94, 1.07])
def test_a_support_vector_machine_finds_the_same_offset_with_b_free(factor: float) -> None:
    stripes, a = Stripes(), factor * theory.threshold(32, 3, counted=False)
    x, y = stripes.described(a)
    machine = SVC(kernel="linear", C=1e8, tol=1e-10).fit(x.flatten(1), y)
    assert by_colour(machine.coef_[0], machine.intercept_[0], stripes, a) == (factor > 1)
    rule = theory.largest_margin(32, 3, Fraction(a), counted=False)
    assert rule.certify()
    assert (machine.coef_[0] ** 2).sum() == pytest.approx(norm(rule), rel=1e-3)


def norm(rule: theory.Rule) -> float:
    """‖W‖², W made of pixels."""
    stripes, a = Stripes(rule.size, rule.width), float(rule.offset)
    x, _ = stripes.described(a)
    signs = [*map(float, rule.horizontal), *(-float(one) for one in rule.vertical)]
    return float((torch.tensor(signs).double() @ x.flatten(1)).square().sum())


def test_margins_are_those_of_the_images() -> None:
    """`Rule.margins` uses sums of rows; here all pixels are multiplied."""
    stripes, a = Stripes(11, 4), Fraction(1, 8)
    rule = theory.largest_margin(11, 4, a, counted=True)
    signs = np.array([*rule.horizontal, *(-m for m in rule.vertical)], dtype=float)
    normal = torch.from_numpy(signs) @ stripes.described(float(a))[0].flatten(1)
    for own, (x, y) in (
        (rule.margins(a), stripes.described(float(a))),
        (rule.margins(-a), stripes.conflict_set(float(a))),
    ):
        said = (x.flatten(1) @ normal + float(rule.b)) * torch.where(y > 0, 1.0, -1.0)
        assert said.tolist() == pytest.approx([float(m) for part in own for m in part])


def test_the_numbers_of_the_page() -> None:
    assert theory.threshold_squared(32, 3, counted=False) == Fraction(1, 110 * 32**2)
    assert theory.threshold(32, 3, counted=True) == pytest.approx(0.0093840, abs=1e-7)
    weights = theory.position_weights(32, 3)
    assert sum(weights) == 1 and min(weights) == 0
    covered = np.convolve(weights, [1, 1, 1])
    assert set(covered) == {Fraction(1, 11), Fraction(1, 10)}


@pytest.mark.parametrize("counted", [False, True])
def test_the_bands_weigh_the_same(counted: bool) -> None:
    for size, width in theory.all_sizes(13, range(2, 6)):
        rule = theory.largest_margin(size, width, Fraction(1, 50), counted=counted)
        assert len({*rule._over(rule.horizontal)}) == 1
        assert rule.certify()


def test_what_is_not_the_largest_margin_is_not_certified() -> None:
    rule = theory.largest_margin(10, 4, Fraction(1, 10), counted=True)
    others: list[dict[str, Any]] = [
        {"b": rule.b + 1},
        {"counted": False},
        {"horizontal": (rule.horizontal[-1], *rule.horizontal[:-1])},
        {"horizontal": tuple(2 * one for one in rule.horizontal)},
        {"vertical": tuple(-one for one in rule.vertical)},
    ]
    assert not any(replace(rule, **other).certify() for other in others)


def test_the_proposition_and_its_control() -> None:
    sizes = [(32, 3), (9, 4)]
    assert theory.misread(sizes) == 0
    assert theory.misread(sizes, as_if_free=True) > 0


def test_all_sizes_leave_out_multiples() -> None:
    assert theory.all_sizes(6, [2, 4]) == [(3, 2), (5, 2), (5, 4), (6, 4)]


def test_a_width_that_divides_the_size_is_refused() -> None:
    with pytest.raises(ValueError, match="width 4, size 8; expected a width that doesn't divide"):
        theory.threshold(8, 4, counted=True)


def test_adam_s_margin_is_another_one() -> None:
    """In the maximum norm (arXiv:2406.10650) the orientation wins where it has lost here."""
    stripes, a = Stripes(), 0.05
    x, y = stripes.described(a)
    sign = np.where(y.numpy() > 0, 1.0, -1.0)[:, None]
    signed = sign * np.c_[x.flatten(1).numpy(), np.ones(len(x))]
    cost = np.append(np.zeros(signed.shape[1]), -1.0)
    bounds = [(-1, 1)] * signed.shape[1] + [(None, None)]
    found = linprog(cost, A_ub=np.c_[-signed, np.ones(60)], b_ub=np.zeros(60), bounds=bounds)
    read = stripes.conflict_set(a)[0].flatten(1).numpy() @ found.x[:-2] + found.x[-2]
    assert ((read > 0) == (y.numpy() > 0)).all()
    assert math.sqrt(theory.threshold_squared(32, 3, counted=True)) < a
