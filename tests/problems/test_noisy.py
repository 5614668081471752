"""Wrong labels: as many as asked, the same ones for the same seed, and nothing else is changed."""

import pytest
import torch

from falsestruct.problems.noisy import mislabelled, striped
from falsestruct.problems.stripes import Stripes

SMALL = Stripes(size=8, width=2)


def test_so_many_labels_are_wrong_and_larger_shares_contain_smaller_ones():
    y = torch.arange(100) % 10
    none, few, many = (mislabelled(y, share, 10, seed=3) for share in (0.0, 0.1, 0.3))
    assert torch.equal(none, y)
    assert (few != y).sum() == 10 and (many != y).sum() == 30
    assert torch.equal(many[few != y], few[few != y])
    assert many.min() >= 0 and many.max() <= 9
    assert not torch.equal(mislabelled(y, 0.1, 10, seed=4), few)


def drawn(what, share=0.3):
    return striped(SMALL, what, 0.1, share, copies=20, seed=1)


def test_with_nothing_wrong_both_structures_are_right():
    x, y = drawn("nothing")
    assert x.shape == (2 * 7 * 20, 8, 8) and y.mean() == 0.5
    assert torch.equal(SMALL.orientation(x), y.long()) and torch.equal(SMALL.colour(x), y.long())


def test_labels_are_wrong_on_so_many_of_the_same_images():
    (x, y), (labelled, noisy) = drawn("nothing"), drawn("labels")
    assert torch.equal(labelled, x) and (noisy != y).sum() == round(0.3 * len(y))
    assert torch.equal(SMALL.orientation(x), y.long())


def test_the_same_images_are_left_out():
    (x, y), (_, noisy), (rest, kept) = drawn("nothing"), drawn("labels"), drawn("left out")
    assert torch.equal(rest, x[noisy == y]) and torch.equal(kept, y[noisy == y])
    assert (drawn("labels", 0.1)[1] != y)[noisy == y].sum() == 0


def test_offsets_are_spread_around_theirs():
    x, _ = drawn("nothing")
    sizes = (x.mean((1, 2)) - 2 / 8).abs()
    assert 0.05 <= sizes.min() < 0.06 and 0.14 < sizes.max() <= 0.15


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="'both'"):
        drawn("both")
