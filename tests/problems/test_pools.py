"""A pool of stripes, and what is chosen from it."""

from __future__ import annotations

import torch

from falsestruct.problems.pools import pool
from falsestruct.problems.stripes import Stripes

SMALL = Stripes(size=16)
POOL = pool(SMALL, 0.2, 100, torch.Generator().manual_seed(1))


def test_half_of_it_has_the_other_colour():
    images = POOL.x.view(-1, 16, 16)
    assert torch.equal(SMALL.orientation(images), POOL.y.long())
    true = SMALL.colour(images) == POOL.y
    assert true[:50].all() and not true[50:].any()


def test_the_same_stripe_has_the_same_number():
    images = POOL.x.view(-1, 16, 16)
    bare = (images - images.amin((1, 2), keepdim=True)).round()
    for stripe in POOL.stripe.unique():
        own = bare[POOL.stripe == stripe]
        assert (own == own[0]).all()
    assert len(bare.unique(dim=0)) == len(POOL.stripe.unique())


def test_no_stripe_twice_if_spread():
    order = torch.arange(100).flip(0)
    assert POOL.chosen(order, 16, spread=False).tolist() == list(range(99, 83, -1))
    rows = POOL.chosen(order, 16, spread=True)
    assert rows[0] == 99 and len(POOL.stripe[rows].unique()) == len(rows) == 16
    assert (rows.diff() < 0).all()  # the first of each, in order


def test_what_is_added_stands_behind():
    plain = (torch.zeros(3, 256, dtype=torch.float64), torch.ones(3, dtype=torch.float64))
    x, y = POOL.added(plain, torch.arange(100), 4, spread=False)
    assert torch.equal(x[3:], POOL.x[:4]) and torch.equal(y[3:], POOL.y[:4]) and len(x) == 7
