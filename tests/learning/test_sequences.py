"""Layers for sequences: against a convolution, and what they are blind to."""

from __future__ import annotations

import pytest
import torch

from falsestruct.learning import training
from falsestruct.learning.networks import initialise
from falsestruct.learning.sequences import (
    Halve,
    Pairs,
    Pool,
    Windows,
    flat,
    for_signals,
    tree,
)
from falsestruct.learning.training import Schedule

FLAT = (flat(8, 6, 16), flat(8, 6, 16, 16))


def test_flat_layers_are_as_many_and_as_wide_as_asked() -> None:
    for architecture, widths in zip(FLAT, ([16, 6], [16, 16, 6]), strict=True):
        assert [m.out_features for m in architecture.build() if hasattr(m, "bias")] == widths
    pair = (tree(8, 6, 48), flat(8, 6, 58, 58, 58))
    weights = [sum(p.numel() for p in a.build().parameters()) for a in pair]
    assert weights[0] / weights[1] == pytest.approx(1, abs=0.05)


def test_windows_are_a_convolution() -> None:
    x, layer = torch.randn(3, 9, 2), torch.nn.Linear(6, 4)
    kernel = layer.weight.view(4, 3, 2).permute(0, 2, 1)
    expected = torch.nn.functional.conv1d(x.transpose(1, 2), kernel, layer.bias).transpose(1, 2)
    assert torch.allclose(layer(Windows(3)(x)), expected, atol=1e-6)
    assert Windows(3)(torch.arange(5.0)[None]).tolist() == [[[0, 1, 2], [1, 2, 3], [2, 3, 4]]]


def test_pairs_and_pools() -> None:
    x = torch.arange(8.0).view(1, 4, 2)
    assert Pairs()(x).tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7]]]
    assert Halve()(x[:, :3]).tolist() == [[[2, 3]]]
    assert Pool("mean")(x).tolist() == [[3, 4]] and Pool("max")(x).tolist() == [[6, 7]]


def test_a_pool_forgets_the_place() -> None:
    network = initialise({a.name: a for a in for_signals(40, 10)}["mean pool"].build(), 0)
    x = torch.zeros(1, 40)
    x[0, 14:18] = torch.tensor([1.0, -1.0, 2.0, 1.0])
    assert torch.allclose(network(x), network(x.roll(6, 1)), atol=1e-6)
    other = initialise({a.name: a for a in for_signals(40, 10)}["windows"].build(), 0)
    assert not torch.allclose(other(x), other(x.roll(6, 1)), atol=1e-3)


def test_the_tree_shares_its_weights_within_a_level() -> None:
    network = tree(8, 6, 16).build()
    shapes = [tuple(p.shape) for n, p in network.named_parameters() if n.endswith("weight")]
    assert shapes == [(16, 12), (16, 32), (16, 32), (6, 16)]


@pytest.mark.parametrize("architecture", [*for_signals(40, 10), tree(8, 6, 16), *FLAT])
def test_each_trains(architecture) -> None:
    shape = (40,) if architecture.outputs == 10 else (8, 6)
    x = torch.randn(20, *shape, generator=torch.Generator().manual_seed(0))
    y = torch.arange(20) % 2
    x[y == 1] *= 3  # louder: what pooled networks can tell, too
    done = training.train(architecture, (x, y), [0, 1], Schedule(60, batch=10))
    assert (done.loss < 0.5).all()  # a network that knows no more than two equal shares: ln 2
    assert training.as_function(done)(x.expand(2, *x.shape)).shape == (2, 20, architecture.outputs)
