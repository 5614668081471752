"""Do the outputs that are built by hand follow their structures?"""

import pytest
import torch

from falsestruct.problems.planted import followers
from falsestruct.problems.planted.digits import digits


@pytest.mark.parametrize("kind", ["brightness", "pixel", "sinusoid"])
def test_each_follows_its_structure_and_not_the_other(kind):
    given = digits(kind, 0.2)
    x, y = given.conflict_set(20, torch.Generator().manual_seed(0))
    pair = torch.stack((x, x))
    pattern, original = (own(given)(pair) for own in (followers.of_pattern, followers.of_original))
    assert pattern.shape == original.shape == (2, 20)
    assert ((pattern > 0).long() == given.false(x)).all()
    assert ((original > 0).long() == given.original(x)).all()
    assert ((original > 0).double() == y).all()
