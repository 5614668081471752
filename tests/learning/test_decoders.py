"""Decoders train each by itself."""

import pytest
import torch

from falsestruct.learning.decoders import amplification, fit
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


def test_the_amplification_of_a_linear_decoder_is_its_largest_singular_value():
    maps = torch.randn(3, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    y = torch.randn(3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    wanted = torch.linalg.svdvals(maps)[:, :1].expand(3, 4)
    torch.testing.assert_close(amplification(lambda data: data @ maps, y), wanted)


def test_the_amplification_is_that_of_small_perturbations_where_the_measurements_are():
    y = torch.tensor([[[1.0, 2.0], [0.5, 3.0]]], dtype=torch.float64)
    found = amplification(lambda data: data**2, y)
    torch.testing.assert_close(found, torch.tensor([[4.0, 6.0]], dtype=torch.float64))
