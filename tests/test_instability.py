"""Perturbations of rules whose radii are known."""

from __future__ import annotations

import torch

from falsestruct import instability
from falsestruct.problems.stripes import Stripes

STRIPES = Stripes()
X, Y = STRIPES.described(0.1)
TOWARDS = torch.where(Y > 0, 1.0, -1.0).double()[:, None, None]


def colour(x: torch.Tensor) -> torch.Tensor:
    return STRIPES.colour(x)[None]


def orientation(x: torch.Tensor) -> torch.Tensor:
    return STRIPES.orientation(x)[None]


def test_constant_images_flip_the_colour_rule_only() -> None:
    assert instability.flipped(colour, X, 0.11 * TOWARDS).all()
    assert not instability.flipped(colour, X, 0.09 * TOWARDS).any()
    assert not instability.flipped(orientation, X, 0.4 * TOWARDS).any()


def test_random_directions_have_the_norm_asked_for_and_flip_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    eta = instability.random_directions(X, 3.2, generator)
    torch.testing.assert_close(eta.flatten(1).norm(dim=1), torch.full((60,), 3.2).double())
    assert not instability.flipped(colour, X, eta).any()
    again = instability.random_directions(X, 3.2, torch.Generator().manual_seed(0))
    assert torch.equal(eta, again)
    assert not torch.equal(eta, instability.random_directions(X, 3.2, generator))


def test_smallest_step_is_the_radius_up_to_the_grid() -> None:
    step = instability.smallest_step(colour, X, TOWARDS, largest=0.7, points=7, halvings=10)
    assert step.shape == (60,)
    assert ((step > 0.0999) & (step < 0.1001)).all()
    never = instability.smallest_step(orientation, X, TOWARDS, largest=0.4, points=8)
    assert never.isinf().all()
    mixed = instability.smallest_step(colour, X, TOWARDS * (Y > 0)[:, None, None], largest=0.4)
    assert torch.equal(mixed.isinf(), Y == 0)
