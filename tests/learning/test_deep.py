"""Deep stacks: their sizes, and what the kinds do to a signal."""

import math

import pytest
import torch

from falsestruct.learning import deep as module
from falsestruct.learning import training
from falsestruct.learning.networks import count_parameters, initialise
from falsestruct.learning.schedule import Schedule


@pytest.mark.parametrize("kind", module.KINDS)
def test_all_kinds_have_the_same_weights(kind):
    network = module.deep(5, 7, 3, kind=kind)
    assert count_parameters(network) == module.weights(5, 7, 3) == 42 + 2 * 56 + 8


@pytest.mark.parametrize(("inputs", "depth"), [(256, 1), (256, 8), (2, 2), (64, 4)])
def test_equal_is_the_nearest_width(inputs, depth):
    width = module.equal(inputs, depth, 16_513)
    off = [abs(module.weights(inputs, w, depth) - 16_513) for w in (width - 1, width, width + 1)]
    assert off[1] == min(off)
    assert module.equal(256, 1, 16_513) == 64


def test_the_layers_of_a_plain_stack():
    network = module.deep(3, 4, 2).build()
    assert [type(part).__name__ for part in network] == ["Linear", "ReLU"] * 2 + ["Linear"]


def test_scaled_relus_keep_the_size_of_a_signal():
    x = torch.randn(200, 100, generator=torch.Generator().manual_seed(0))
    sizes = {}
    for kind in ("plain", "scaled"):
        network = initialise(module.deep(100, 100, 8, kind=kind).build(), 1)
        sizes[kind] = (network[:-1](x).norm() / x.norm()).item()
    assert sizes["scaled"] == pytest.approx(16 * sizes["plain"], rel=1e-4)
    assert 0.5 < sizes["scaled"] < 2


def test_a_skip_connection_adds_what_came_in():
    layer = module.Skip(3)
    torch.nn.init.zeros_(layer.linear.weight)
    torch.nn.init.constant_(layer.linear.bias, 2.0)
    assert layer(torch.ones(1, 3)).tolist() == [[3.0, 3.0, 3.0]]


def test_normalised_signals_do_not_depend_on_the_size_of_the_input():
    network = initialise(module.deep(6, 5, 2, kind="normalisation").build(), 1)
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(network(x), network(100 * x), atol=1e-3)


@pytest.mark.parametrize("kind", module.KINDS)
def test_every_kind_trains(kind):
    x = torch.tensor([[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    y = (x[:, 0] > 0).double()
    done = training.train(
        module.deep(2, 8, 3, kind=kind),
        (x, y),
        [1, 2],
        Schedule(500, target=0.1, learning_rate=1e-2),
    )
    assert done.reached.all()


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="no layers"):
        module.deep(2, 2, 1, kind="no layers")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="depth 0"):
        module.deep(2, 2, 0)
    assert math.isclose(module.Scaled()(torch.ones(1)).item(), math.sqrt(2), rel_tol=1e-6)
