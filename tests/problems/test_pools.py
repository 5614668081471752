"""A pool of stripes, and what is chosen from it."""

from __future__ import annotations

import torch

from falsestruct.problems.pools import between, pool
from falsestruct.problems.stripes import Stripes

SMALL = Stripes(size=16)
POOL = pool(SMALL, 0.2, 100, torch.Generator().manual_seed(1))


def test_half_of_it_has_the_other_colour():
    images = POOL.x.view(-1, 16, 16)
    assert torch.equal(SMALL.orientation(images), POOL.y.long())
    true = SMALL.colour(images) == POOL.y
    assert true[:50].all() and not true[50:].any()
    assert POOL.facts(torch.arange(40, 60))["swapped"] == 0.5
    size = (images.mean((1, 2)) - 3 / 16).abs()
    assert abs(POOL.facts(torch.arange(100))["size"] - float(size.mean())) < 1e-9


def test_the_same_stripe_has_the_same_number():
    images = POOL.x.view(-1, 16, 16)
    bare = (images - images.amin((1, 2), keepdim=True)).round()
    for stripe in POOL.stripe.unique():
        own = bare[POOL.stripe == stripe]
        assert (own == own[0]).all()
    assert len(bare.unique(dim=0)) == len(POOL.stripe.unique())


def test_it_shows_no_stripe_on_which_one_is_asked():
    images, others = POOL.x.view(-1, 16, 16), between(SMALL, 0.2)
    assert len(others) == 14 and (SMALL.colour(others) != SMALL.orientation(others)).all()
    shown, asked = (
        {tuple(row) for row in (x - x.amin((1, 2), keepdim=True)).round().flatten(1).tolist()}
        for x in (images, others)
    )
    assert len(shown) == len(asked) == 14 and not shown & asked


def test_no_stripe_twice_if_spread():
    order = torch.arange(100).flip(0)
    assert POOL.chosen(order, 12).tolist() == list(range(99, 87, -1))
    rows = POOL.chosen(order, 12, spread=True)
    assert rows[0] == 99 and POOL.facts(rows)["stripes"] == len(rows) == 12
    assert (rows.diff() < 0).all()  # the first of each, in order


def test_the_smallest_offsets_come_first():
    rows = POOL.questions(torch.arange(100), 12, way="small", repeats="any")
    rest = [row for row in range(100) if row not in rows.tolist()]
    assert POOL.offset[rows].abs().max() <= POOL.offset[rest].abs().min()
    spread = POOL.questions(torch.arange(100), 12, way="small", repeats="none")
    assert POOL.facts(spread)["stripes"] == 12


def test_others_repeat_stripes_as_often():
    assert POOL.chance.sort().values.tolist() == list(range(100))
    usual = POOL.stripe == POOL.stripe.mode().values
    rows = torch.cat((usual.nonzero()[:, 0], (~usual).nonzero()[:3, 0]))
    own = POOL.alike(rows)
    assert len(own.unique()) == len(own) == len(rows)
    times = [POOL.stripe[r].unique(return_counts=True)[1].sort().values for r in (rows, own)]
    assert torch.equal(*times)
    few = rows[-3:]
    assert not torch.equal(POOL.alike(few).sort().values, few)  # they are others


def test_what_is_added_stands_behind():
    plain = (torch.zeros(3, 256, dtype=torch.float64), torch.ones(3, dtype=torch.float64))
    x, y = POOL.added(plain, torch.arange(4))
    assert torch.equal(x[3:], POOL.x[:4]) and torch.equal(y[3:], POOL.y[:4]) and len(x) == 7
