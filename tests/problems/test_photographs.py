"""Patches of photographs: the files, what is cut from them, the statistics, and what moves them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.problems import photographs as photos
from falsestruct.problems.photographs import BRICKS, PAIRS, PATCH


def stream(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(params=PAIRS)
def pair(request):
    return request.param


def noise(seed, *shape):
    return torch.randn(*shape, PATCH, PATCH, generator=stream(seed), dtype=torch.float64)


def test_a_photograph_is_the_one_the_book_was_made_with(monkeypatch):
    image = photos.photograph("grass")
    assert image.shape == (512, 512) and image.min() >= -1 and image.max() <= 1
    with pytest.raises(ValueError, match="no photograph 'sand'"):
        photos.photograph("sand")
    photos.photograph.cache_clear()
    monkeypatch.setitem(photos.HASHES, "grass", "0" * 64)
    with pytest.raises(ValueError, match="expected 0000"):
        photos.photograph("grass")


def test_training_patches_come_from_the_left_half_and_tiles_are_the_right_half(pair, monkeypatch):
    place = torch.arange(512.0).expand(512, 512)  # a pixel's value is its column
    monkeypatch.setattr(photos, "photograph", lambda _: place)
    x, y = photos.training(pair, 300, stream(1))
    assert x.shape == (600, PATCH, PATCH) and y.tolist() == [1] * 300 + [0] * 300
    assert x.min() == 0 and x.max() == 255
    x, y = photos.tiles(pair)
    assert x.shape == (256, PATCH, PATCH) and y.sum() == 128
    assert x[y == 1].sum() == 512 * torch.arange(256, 512).sum()  # each pixel once
    assert photos.tiles(pair, left=True)[0].max() == 255


def test_tiles_of_a_block_are_neighbours(monkeypatch):
    row, column = (torch.from_numpy(part).double() for part in np.indices((512, 512)))
    monkeypatch.setattr(photos, "photograph", lambda _: 1000 * row + column)
    x, y = photos.tiles("brick-grass")
    corner, own = x[:, 0, 0].numpy(), photos.blocks()
    assert np.bincount(own).tolist() == [4] * 64 and set(own[y == 1]) == set(range(32))
    for block in range(64):
        first, *others = corner[own == block]
        assert [c - first for c in others] == [32, 32_000, 32_032]


def test_statistics_of_a_patch_that_is_known():
    """Rows 0, 3, 0, 3, …: from row to row all change by 3, from column to column nothing does."""
    x = torch.tensor([0.0, 3.0]).repeat(16)[:, None].expand(PATCH, PATCH)
    assert (photos.row_change(x), photos.column_change(x)) == (3, 0)
    assert photos.contrast(x) == 1.5
    assert (photos.row_change(photos.turned(x)), photos.column_change(photos.turned(x))) == (0, 3)


@given(st.integers(0, 99), st.floats(-3, 3), st.floats(-3, 3))
def test_contrast_scales_the_statistics(seed, factor, grey):
    """The proposition's first part."""
    x = noise(seed, 1)
    for statistic in (photos.row_change, photos.contrast):
        assert statistic(grey + factor * x) == pytest.approx(
            abs(factor) * statistic(x).item(), abs=1e-9
        )


@given(st.integers(0, 99), st.floats(0, 1))
def test_no_perturbation_within_the_radius_changes_the_label(seed, share):
    """The proposition's second part, also along the steepest way."""
    x, y = photos.training("brick-grass", 4, stream(seed))
    rule = photos.fitted(photos.row_change, (x, y))
    size = share * 0.999 * photos.radius(rule, x)
    alternate = torch.tensor([1.0, -1.0], dtype=x.dtype).repeat(16)[:, None].expand_as(x)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(rule.margin(x).sum(), x)
    for eta in (-slope, alternate, noise(seed, len(x))):
        unit = eta / eta.flatten(1).norm(dim=1)[:, None, None]
        assert (rule(x + size[:, None, None] * unit) == rule(x)).all()


def test_the_radius_is_nearly_reached():
    """Rows that alternate: no way there is shorter by more than the border's share."""
    x = 0.1 * torch.tensor([1.0, -1.0]).double().repeat(16)[:, None].expand(1, PATCH, PATCH)
    rule = photos.Threshold(photos.row_change, 0.1, -1, 1.0)  # x has 0.2
    found = photos.radius(rule, x).item()
    assert found == pytest.approx(0.1 * math.sqrt(31 * 32) / 2)
    eta = -x / 2
    assert rule(x + 1.001 * eta) != rule(x) and eta.norm() < 1.02 * found


@pytest.mark.parametrize("sign", [1, -1])
def test_the_fitted_threshold_is_the_best(sign):
    """Against all thresholds, tried one by one; ties are never cut."""
    values = torch.tensor([0.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    y = torch.tensor([0, 0, 1, 0, 1, 1, 1]) if sign > 0 else torch.tensor([1, 1, 0, 1, 0, 0, 0])
    rule = photos.fitted(lambda x: x[:, 0], (values[:, None], y))
    assert (rule.cut, rule.sign) == (2.5, sign) and rule.right == pytest.approx(6 / 7)
    assert (rule(values[:, None]) == y).double().mean() == pytest.approx(6 / 7)


@pytest.mark.parametrize("pair", BRICKS)
def test_changes_part_threshold_and_material_and_the_reverse_does_not(pair):
    """On training halves; and brightness says nothing then."""
    x, y = photos.training(pair, 100, stream(3))
    rule = photos.fitted(photos.row_change, (x, y))
    apart = photos.changed(x, y, stream(4))
    agreed = photos.changed(x, y, stream(4), agree=True)
    assert rule.right == 1 and (rule(apart) != y).all() and (rule(agreed) == y).all()
    for part in (apart, agreed):
        assert torch.allclose(part.mean((1, 2)), torch.tensor(photos.GREY).double())


def test_the_mean_grey_is_that_of_the_left_halves():
    means = [photos.photograph(name)[:, :256].mean().item() for name in photos.HASHES]
    assert pytest.approx(np.mean(means), abs=1e-3) == photos.GREY


@pytest.mark.parametrize("statistic", [photos.row_change, photos.contrast])
def test_matched_patches_have_one_value_of_the_statistic_and_one_mean(pair, statistic):
    x, _ = photos.tiles(pair)
    own = photos.matched(x, statistic)
    assert np.ptp(statistic(own).numpy()) < 1e-9 and np.ptp(own.mean((1, 2)).numpy()) < 1e-9
    other = photos.column_change(own)
    assert other.std() > 0.01 * other.mean()
