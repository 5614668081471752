"""Decoders train each by itself."""

import pytest
import torch

from falsestruct.learning.decoders import fit
from falsestruct.problems import sparse


def test_a_member_does_not_depend_on_the_others():
    given = sparse.world(seeds=2, trace=0.02, samples=50)
    x = given.signals(sparse.present(given))
    y = given.operator.forward(x)
    both = fit(y, x, [0, 1], steps=20)(y)
    alone = fit(y[1:], x[1:], [1], steps=20)(y[1:])
    torch.testing.assert_close(both[1:], alone)


def test_sizes_that_differ_are_named():
    y, x = torch.zeros(2, 3, 4), torch.zeros(2, 4, 5)
    with pytest.raises(ValueError, match=r"\(2, 3, 4\), x \(2, 4, 5\), with 2 seeds"):
        fit(y, x, [0, 1])
