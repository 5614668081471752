"""Volume among random weights, against closed forms and against networks drawn at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from falsestruct.learning import networks, volume
from falsestruct.learning.networks import shallow

WALK = {"chains": 200, "steps": 1_000}


def with_one(x: torch.Tensor) -> torch.Tensor:
    """The inputs and one more that is always one: a bias is its weight."""
    return torch.cat((x, torch.ones(len(x), 1, dtype=x.dtype)), 1).float()


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def orthant(matrix: torch.Tensor) -> float:
    """Probability that three standard normals with this correlation are all positive."""
    r = [math.asin(matrix[i, j].item()) for i, j in ((0, 1), (0, 2), (1, 2))]
    return 1 / 8 + sum(r) / (4 * math.pi)


def test_two_labels_foretell_a_third_as_the_orthants_say():
    matrix = torch.tensor([[1.0, 0.3, 0.6], [0.3, 1.0, -0.2], [0.6, -0.2, 1.0]]).double()
    flip = torch.diag(torch.tensor([1.0, -1.0, 1.0])).double()
    for y, mirrored in (([1, 1], matrix), ([1, 0], flip @ matrix @ flip)):
        signs = torch.tensor([1.0, 1.0, -1.0]).double()
        wanted = orthant(mirrored)
        wanted /= wanted + orthant(signs[:, None] * mirrored * signs)
        found = volume.conditioned(matrix, torch.tensor(y), rng=np.random.default_rng(0), **WALK)
        error = found.std() / math.sqrt(len(found))
        assert abs(found.mean() - wanted) < 4 * error < 0.03


def test_the_covariance_is_that_of_networks_drawn_at_random():
    x = torch.randn(4, 5, generator=draws(), dtype=torch.float64)
    network = shallow(6, 50).build()
    outputs = torch.stack(
        [networks.initialise(network, seed)(with_one(x))[:, 0].detach() for seed in range(4_000)]
    )
    seen, wanted = torch.cov(outputs.T.double()), volume.covariance(x, 1)
    torch.testing.assert_close(seen / seen.trace(), wanted / wanted.trace(), atol=0.015, rtol=0)


def test_networks_drawn_at_random_and_kept_if_right_say_the_same():
    x = torch.randn(7, 3, generator=draws(1), dtype=torch.float64)
    y = torch.tensor([1, 0, 1, 1])
    network = shallow(4, 200).build()
    said = torch.stack(
        [
            networks.initialise(network, seed)(with_one(x))[:, 0].detach() > 0
            for seed in range(6_000)
        ]
    )
    right = said[(said[:, :4] == (y > 0)).all(1)][:, 4:].double()
    matrix = volume.covariance(x, 1)
    found = volume.conditioned(matrix, y, rng=np.random.default_rng(0), **WALK).mean(0)
    assert len(right) > 100
    assert np.abs(right.mean(0).numpy() - found).max() < 4 * 0.5 / math.sqrt(len(right))


def test_a_linear_network_is_bound_between_its_inputs_and_free_beyond():
    x = torch.tensor([[1.0, 0.0], [3.0, 2.0], [2.0, 1.0], [-9.0, 9.0]]).double()
    matrix = volume.covariance(x, 0)
    found = volume.conditioned(matrix, torch.tensor([1, 1]), rng=np.random.default_rng(0), **WALK)
    assert (found[:, 0] == 1).all() and 0.2 < found[:, 1].mean() < 0.8


def test_labels_that_no_weights_have_are_refused():
    x = torch.tensor([[1.0, 0.0], [1.0, 0.0]]).double()
    with pytest.raises(ValueError, match="no weights are right on all 2 training inputs"):
        volume.conditioned(
            volume.covariance(x, 0), torch.tensor([1, 0]), rng=np.random.default_rng(0), **WALK
        )
