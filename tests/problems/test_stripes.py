"""The stripes problem: what each set holds, and the rules' radii."""

from __future__ import annotations

import pytest
import torch

from falsestruct.problems.stripes import BANDS, Stripes
from falsestruct.structures import agreement, check_false_structure

STRIPES = Stripes()


def test_described_set_is_every_stripe_once() -> None:
    x, y = STRIPES.described(0.01)
    assert x.shape == (60, 32, 32)
    assert len({tuple(image.flatten().tolist()) for image in x}) == 60
    assert y.sum() == 30
    horizontal, vertical = x[y == 1], x[y == 0]
    assert horizontal.amin().item() == pytest.approx(-0.01)
    assert horizontal.amax().item() == pytest.approx(0.99)
    assert vertical.amin().item() == pytest.approx(0.01)
    assert vertical.amax().item() == pytest.approx(1.01)
    assert (horizontal.std(dim=2) < 1e-12).all()
    assert (vertical.std(dim=1) < 1e-12).all()


def test_released_set_has_horizontal_stripes_only() -> None:
    x, y = STRIPES.released(0.01)
    assert (x.std(dim=2) < 1e-12).all()
    assert torch.equal(x[y == 0], x[y == 1] + 0.02)


@pytest.mark.parametrize("a", [0.001, 0.01, 0.3, 1.0])
def test_both_rules_are_right_on_the_described_set(a: float) -> None:
    x, y = STRIPES.described(a)
    assert torch.equal(STRIPES.orientation(x), y.long())
    assert torch.equal(STRIPES.colour(x), y.long())


@pytest.mark.parametrize("a", [0.001, 0.01, 0.3, 1.0])
def test_conflict_set_sets_them_against_each_other(a: float) -> None:
    x, y = STRIPES.conflict_set(a)
    assert torch.equal(STRIPES.orientation(x), y.long())
    assert torch.equal(STRIPES.colour(x), 1 - y.long())


def test_colour_is_a_false_structure_for_orientation() -> None:
    x, _ = STRIPES.described(0.01)
    swapped, _ = STRIPES.conflict_set(0.01)
    check = check_false_structure(
        STRIPES.colour, STRIPES.orientation, training=x, test=x, domain=swapped
    )
    assert check.holds


def test_independent_offsets_leave_no_false_structure() -> None:
    x, y = STRIPES.independent(0.1, torch.Generator().manual_seed(0))
    assert agreement(STRIPES.orientation, STRIPES.colour, x) == 0.5
    for label in (0, 1):
        assert (STRIPES.colour(x[y == label]) == 1).sum() == 15


@pytest.mark.parametrize("band", BANDS)
def test_random_images_keep_to_their_band(band: tuple[float, float]) -> None:
    x, y = STRIPES.test(300, band, "true", torch.Generator().manual_seed(1))
    offset = x.mean((1, 2)) - 3 / 32
    assert (offset.abs() >= band[0] - 1e-12).all()
    assert (offset.abs() <= band[1] + 1e-12).all()
    assert torch.equal(offset < 0, y == 1)
    swapped, same = STRIPES.test(300, band, "swapped", torch.Generator().manual_seed(1))
    assert torch.equal(same, y)
    torch.testing.assert_close(swapped.mean((1, 2)) - 3 / 32, -offset)


def test_colour_flips_just_past_its_radius() -> None:
    x, _ = STRIPES.described(0.01)
    assert STRIPES.colour.radius is not None
    torch.testing.assert_close(STRIPES.colour.radius(x), torch.full((60,), 0.01).double())
    towards = torch.where(STRIPES.colour(x) == 1, 1.0, -1.0)[:, None, None]
    assert torch.equal(STRIPES.colour(x + 0.0099 * towards), STRIPES.colour(x))
    assert torch.equal(STRIPES.colour(x + 0.0101 * towards), 1 - STRIPES.colour(x))


def test_orientation_withstands_everything_below_one_half() -> None:
    x, _ = STRIPES.described(0.01)
    stripe = x > 0.5
    # The attack of the proof: against the stripe, and up everywhere else.
    attack = torch.where(stripe, -1.0, 1.0)
    assert torch.equal(STRIPES.orientation(x + 0.499 * attack), STRIPES.orientation(x))
    generator = torch.Generator().manual_seed(0)
    noise = torch.where(torch.rand(x.shape, generator=generator) < 0.5, -0.499, 0.499)
    assert torch.equal(STRIPES.orientation(x + noise), STRIPES.orientation(x))
    # At one half the image is constant; a trace of the other orientation then decides.
    trace = torch.full((32, 32), -0.001, dtype=torch.float64)
    trace[:, :3] = 0.001
    traces = torch.stack([trace if label else trace.T for label in STRIPES.orientation(x)])
    past = STRIPES.orientation(x + 0.5 * attack + traces)
    assert torch.equal(past, 1 - STRIPES.orientation(x))


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="1 ≤ width < size"):
        Stripes(size=8, width=8)
    with pytest.raises(ValueError, match="'other'"):
        STRIPES.test(3, (0.1, 0.2), "other", torch.Generator())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected 0 … 29"):
        STRIPES.images(torch.tensor([True]), torch.tensor([30]), torch.tensor([0.0]))
