"""Plants of every family: exact on what they are put into, and unseen by the original."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from falsestruct.characterise import library
from falsestruct.characterise.asking import inputs
from falsestruct.problems import plants
from falsestruct.problems.plants import FAMILIES, PROBLEMS, Plant, plant, strengths

PLANTED = FAMILIES[:-1]
EVERY = [(family, problem) for family in PLANTED for problem in PROBLEMS]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def of(family: str, problem: str, seed: int = 3) -> Plant:
    return plant(family, seed, problem=problem)  # type: ignore[arg-type]


@pytest.mark.parametrize(("family", "problem"), EVERY)
@pytest.mark.parametrize("rho", [1.0, 0.5, 0.0])
def test_the_plant_gives_the_label_as_often_as_it_should(
    family: str, problem: str, rho: float
) -> None:
    own = of(family, problem)
    x, y = own.draw(120, rng(1), "training", rho=rho)
    assert (own.false(x) == y).double().mean() == rho
    assert x.dtype == y.dtype == torch.float64 and set(y.tolist()) == {0.0, 1.0}


@pytest.mark.parametrize(("family", "problem"), EVERY)
def test_the_original_does_not_see_it(family: str, problem: str) -> None:
    own = of(family, problem)
    bare, y = own.images.draw(120, rng(2), "fresh")
    for side in (torch.zeros(120), torch.ones(120)):
        x = own.put(bare, side, torch.full((120,), 1.5), rng(3))
        assert torch.equal(own.original(x), own.original(bare))
        assert (own.false(x) == side).all()
        assert torch.allclose(own.bare(x), own.bare(bare))
    assert (own.original(bare) == y).double().mean() > 0.95


@pytest.mark.parametrize(("family", "problem"), EVERY)
def test_what_is_put_in_is_as_long_as_its_strength(family: str, problem: str) -> None:
    own = of(family, problem)
    bare, y = own.images.draw(120, rng(4), "training")
    moved = own.put(bare, y, torch.ones(120), rng(5)) - own.bare(bare)
    length = moved.flatten(1).norm(dim=1)
    wanted = own.strength * (y if family == "quadratic" else torch.ones(120))
    assert torch.allclose(length, wanted.double(), atol=1e-9)
    assert torch.allclose(own.basis @ own.basis.T, torch.eye(len(own.basis)).double())


@pytest.mark.parametrize(("family", "problem"), EVERY)
def test_where_plant_and_original_part(family: str, problem: str) -> None:
    own = of(family, problem)
    bare, _ = own.images.draw(120, rng(6), "fresh")
    x, side = own.conflict(bare, rng(7), sizes=(0.75, 1.5))
    assert torch.equal(own.false(x), side.long())
    assert torch.equal(own.original(x), 1 - side.long())


def test_of_none_nothing_is_put_in() -> None:
    own = of("none", "digits")
    bare, y = own.images.draw(50, rng(8), "search")
    x, side = own.conflict(bare, rng(9))
    assert torch.equal(x, bare) and torch.equal(side, y)
    assert torch.equal(own.false(x), own.original(x)) and not own.direction.any()


@pytest.mark.parametrize("seed", range(12))
def test_a_named_plant_is_that_statistic(seed: int) -> None:
    own = plant("named", seed)
    x, y = own.draw(100, rng(seed), "training")
    found = library.library(inputs(x.numpy()))
    value = found.values(inputs(x.numpy()))[:, found.names.index(own.name)]
    assert value[y.numpy() > 0].min() > value[y.numpy() == 0].max()


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("family", plants.NAMELESS)
def test_no_other_plant_is_a_statistic(family: str, problem: str) -> None:
    """None gives nine tenths of the labels where the rest of the image says nothing."""
    own = of(family, problem, seed=5)
    bare, _ = own.images.draw(200, rng(10), "training")
    side = torch.from_numpy(rng(11).integers(2, size=200))
    x = inputs(own.put(bare, side, torch.ones(200), rng(12)).numpy())
    values, ones = library.library(x).values(x), side.numpy() > 0
    order = np.argsort(values, axis=0)
    ranks = np.cumsum(np.where(ones[order], 1 / ones.sum(), -1 / (~ones).sum()), axis=0)
    best = (1 + np.abs(ranks).max()) / 2
    assert best < 0.9 or own.strength > 1


def test_a_phase_has_one_size_and_two_parts() -> None:
    own = of("phase", "digits")
    bare, y = own.images.draw(200, rng(13), "training")
    x = own.put(bare, y, torch.ones(200), rng(14))
    parts = (x.flatten(1) @ own.basis.T - own.centre).numpy()
    assert np.allclose(np.hypot(*parts.T), own.strength)
    assert (np.abs(parts[:, 1] / parts[:, 0]) <= math.tan(plants.PHASES)).all()


def test_an_unseen_direction_hardly_varies() -> None:
    own = of("unseen", "digits")
    flat = own.images.reference.flatten(1)
    assert (flat @ own.direction).std() < 0.1 * flat.std(0).max()


def test_a_window_has_nine_pixels_and_no_mean() -> None:
    direction = of("window", "stripes").direction
    assert int((direction != 0).sum()) == 9 and abs(direction.sum()) < 1e-12


def test_which_mask_counts_depends_on_the_image() -> None:
    own = of("conditional", "digits")
    x, y = own.draw(400, rng(15), "training")
    signs = (x.flatten(1) @ own.basis.T - own.centre > 0).double()
    share = (signs == y[:, None]).double().mean(0)
    assert ((share[:2] > 0.6) & (share[:2] < 0.9)).all()  # each alone gives three quarters
    assert 0.4 < share[2] < 0.6  # and the gate nothing
    opened = signs[:, 2] > 0
    assert torch.equal(signs[opened, 0], y[opened]) and torch.equal(signs[~opened, 1], y[~opened])


def test_the_same_seed_gives_the_same_and_others_differ() -> None:
    one, same, other = (plant("mask", seed) for seed in (7, 7, 8))
    assert torch.equal(one.basis, same.basis) and one.strength == same.strength
    assert one.strength != other.strength
    drawn = [plant(FAMILIES[seed % 8], seed) for seed in range(80)]
    assert {own.images.name for own in drawn} == set(PROBLEMS)
    levels = [own.level for own in drawn]
    assert 0 < min(levels) < 0.1 and 0.9 < max(levels) < 1
    for own in drawn:
        low, high = strengths(own.images.name, own.family)
        assert own.strength == pytest.approx(low * (high / low) ** own.level)


def test_digits_are_in_one_part_only() -> None:
    own = plants.images("digits")
    parts = [own.draw(count, rng(16), part)[0] for part, count in
             (("training", 1200), ("search", plants.SEARCHED), ("fresh", 200))]  # type: ignore[arg-type]  # fmt: skip
    rows = [tuple(image.flatten().tolist()) for part in parts for image in part]
    assert len(rows) == 1797 and len(set(rows)) > 1790


def test_errors() -> None:
    with pytest.raises(ValueError, match="family is 'colour'; expected one of named"):
        plant("colour", 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="problem is 'cats'; expected one of digits, stripes"):
        of("mask", "cats")
    with pytest.raises(ValueError, match=r"rho is 1.5"):
        of("mask", "digits").draw(10, rng(), "training", rho=1.5)
    with pytest.raises(ValueError, match="201 samples; expected at most 200 for fresh"):
        of("mask", "digits").draw(201, rng(), "fresh")
