"""Noise that names samples: its length, its groups, its draws."""

import pytest
import torch

from falsestruct.problems import room


def drawn(*shape, **options) -> torch.Tensor:
    return room.noise(*shape, torch.Generator().manual_seed(1), **options)


def test_every_sample_has_its_own_vector_of_the_energy():
    noise = drawn(50, 4000, 4.0)
    lengths = noise.square().sum(1)
    assert lengths.mean() == pytest.approx(4, rel=0.02)
    cosines = (noise @ noise.T) / 4 - torch.eye(50)
    assert cosines.abs().max() < 0.1


def test_groups_share_a_vector():
    noise = drawn(10, 5, 1.0, groups=4)
    assert torch.equal(noise[0], noise[4]) and torch.equal(noise[1], noise[9])
    assert len(noise.unique(dim=0)) == 4


def test_no_energy_is_no_noise_and_none_is_negative():
    assert not drawn(3, 4, 0.0).any() and drawn(3, 0, 1.0).shape == (3, 0)
    with pytest.raises(ValueError, match="below 0"):
        drawn(3, 4, -1.0)


def test_split_pixels_are_as_long_and_as_far_apart():
    x = drawn(6, 5, 2.0)
    found = room.split(x, 4)
    assert found.shape == (6, 20) and torch.equal(found[:, 0], found[:, 3])
    assert torch.allclose(torch.cdist(found, found), torch.cdist(x, x))


def test_parts_that_move_alike():
    x = drawn(6, 5, 2.0)
    total = room.on_whole(lambda parts: parts.sum(-1), 4)
    assert torch.allclose(total(x), 2 * x.sum(-1))


def test_a_share_of_labels_trades_places():
    y, generator = torch.arange(100) % 2, torch.Generator().manual_seed(2)
    assert torch.equal(room.shuffled(y, 0.0, generator), y)
    some = room.shuffled(torch.arange(100), 0.3, generator)
    assert torch.equal(some.sort().values, torch.arange(100))
    assert 20 < (some != torch.arange(100)).sum() <= 30
    assert (room.shuffled(torch.arange(100), 1.0, generator) != torch.arange(100)).sum() > 90
