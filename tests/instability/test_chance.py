"""Random perturbations of points beside a plane, where their luck has a closed form."""

import math

import pytest
import torch

from falsestruct.instability import chance


def plane(x: torch.Tensor) -> torch.Tensor:
    """Two members: the first coordinate, and the second."""
    return torch.stack((x[0, :, 0], x[1, :, 1]))


def test_two_dimensions_and_a_length_of_twice_the_distance():
    """Beyond the plane lie the directions within 60° of its normal: a third of them."""
    x = torch.ones(50, 2, dtype=torch.float64)
    length = torch.tensor([2.0, 0.5], dtype=torch.float64)[:, None].expand(2, 50).clone()
    length[0, 0] = math.inf
    found = chance.flipped(plane, x, length, draws=200, generator=torch.Generator().manual_seed(0))
    assert found.shape == (2, 50) and found[0, 0].isnan()
    assert found[0, 1:].mean().item() == pytest.approx(1 / 3, abs=0.02)
    assert not found[1].any()  # too short for any direction


def test_beside_the_shortest_one():
    x = torch.ones(50, 2, dtype=torch.float64)
    shortest, found = chance.beside_shortest(plane, x, members=2, times=2.0, draws=200, seed=0)
    assert shortest.tolist() == pytest.approx([1, 1], abs=1e-6)
    assert found.tolist() == pytest.approx([1 / 3, 1 / 3], abs=0.02)
