"""Inputs that convince a linear rule, whose path is known."""

from __future__ import annotations

import math

import pytest
import torch

from falsestruct.instability.synthetic import convince, from_noise


def outputs(x):
    return 3 * x[..., 0] + 4 * x[..., 1]


def test_steps_go_along_the_gradient_until_it_is_sure():
    x, wanted = torch.zeros(2, 2, 3), torch.tensor([0, 1])
    moved, convinced = convince(outputs, x, wanted, sure=0.99, stride=0.1, patience=50)
    steps = math.ceil(math.log(99) / 0.5)  # each adds 5 · 0.1
    assert convinced.all() and (x == 0).all()
    assert moved[0, 1].tolist() == pytest.approx([0.06 * steps, 0.08 * steps, 0], abs=1e-5)
    assert torch.allclose(moved[:, 0], -moved[:, 1])


def test_what_convinces_from_the_start_stays_and_patience_ends():
    x = torch.tensor([[[9.0, 9.0], [0.0, 0.0]]])
    moved, convinced = convince(outputs, x, torch.tensor([1, 1]), sure=0.99, stride=0.1, patience=3)
    assert torch.equal(moved[0, 0], x[0, 0]) and convinced.tolist() == [[True, False]]
    assert moved[0, 1].norm() == pytest.approx(0.3)


def test_noise_is_each_network_s_own():
    def draws():
        return [torch.Generator().manual_seed(seed) for seed in (1, 2)]

    x, wanted, convinced = from_noise(outputs, draws(), (4, 3), level=0.2, spread=0.1)
    assert wanted.tolist() == [0, 1, 0, 1] and convinced.all() and x.shape == (2, 4, 3)
    assert ((outputs(x) > 0) == (wanted == 1)).all()
    start = torch.randn((4, 3), generator=draws()[1])
    assert torch.allclose(x[1, :, 2], 0.2 + 0.1 * start[:, 2])  # no gradient goes there
    assert not torch.allclose(x[0, :, 2], x[1, :, 2])
