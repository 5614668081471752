"""Relative stability of maps whose answer is known."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from falsestruct.instability.deformations import isotropic, stabilities
from falsestruct.theory.invariance import relative_stability


def test_a_linear_map_has_its_closed_form() -> None:
    x = torch.randn(1, 20_000, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    moves = torch.tensor([[1.0, 0, 0], [0, 2, 1]], dtype=torch.float64).repeat(10_000, 1)
    weights = torch.tensor([[1.0, 2, 0], [0, 1, -1]])
    found = stabilities(lambda z: z @ weights.T, x, x + moves, torch.Generator().manual_seed(2))
    exact = relative_stability(
        [[Fraction(int(w)) for w in row] for row in weights.tolist()],
        [[Fraction(1), Fraction(0), Fraction(0)], [Fraction(0), Fraction(2), Fraction(1)]],
    )
    assert found["R"].item() == pytest.approx(float(exact), rel=0.05)
    assert found["R"].item() == pytest.approx((found["D"] / found["G"]).item())


def test_who_ignores_the_deformation_has_none() -> None:
    x = torch.randn(2, 50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    bent = x.clone()
    bent[..., 0] += 1
    found = stabilities(lambda z: z[..., 1:], x, bent, torch.Generator().manual_seed(0))
    assert found["D"].tolist() == pytest.approx([0, 0], abs=1e-12) and (found["G"] > 0).all()


def test_noise_is_as_long_as_the_moves() -> None:
    moves = torch.zeros(2, 30, 5, dtype=torch.float64)
    moves[0, :15, 2], moves[1, :, 0] = 2.0, 3.0
    noise = isotropic(moves, torch.Generator().manual_seed(0))
    assert noise[0].norm(dim=1).tolist() == pytest.approx([2**0.5] * 30)
    assert noise[1].norm(dim=1).tolist() == pytest.approx([3.0] * 30)
