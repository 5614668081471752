"""Three engines, one answer: gradients against automatic differentiation, members that leave."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from falsestruct.learning import engines
from falsestruct.learning.networks import (
    DEEP_MLP,
    LINEAR,
    MLP,
    PAPER,
    POOLED,
    Architecture,
    for_images,
    initialise,
    shallow,
)
from falsestruct.problems.stripes import Stripes

STRIPES = Stripes().described(0.3)
VECTORS = (torch.rand(60, 2, dtype=torch.float64), STRIPES[1])
DENSE = (LINEAR, MLP, DEEP_MLP, shallow(2, 104))
CASES = [(a, e) for a in DENSE for e in ("dense", "stacked")]
CASES += [(POOLED, "stacked"), (POOLED, "looped"), (PAPER, "looped"), (MLP, "looped")]


def data(architecture: Architecture) -> tuple[Tensor, Tensor]:
    return VECTORS if architecture.name.startswith("2-") else STRIPES


def start(architecture: Architecture, seeds: list[int]) -> engines.Parameters:
    networks = [initialise(architecture.build(), seed) for seed in seeds]
    stacked, _ = torch.func.stack_module_state(networks)
    return {name: value.detach().double() for name, value in stacked.items()}


def by_hand(architecture: Architecture, seed: int, x: Tensor, y: Tensor) -> tuple[float, nn.Module]:
    """Loss and, in `.grad`, gradients of one network as PyTorch's tutorials compute them."""
    network = initialise(architecture.build(), seed).double()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(network(x)[:, 0], y)
    loss.backward()
    return loss.item(), network


@pytest.mark.parametrize(("architecture", "name"), CASES, ids=lambda v: getattr(v, "name", v))
def test_losses_and_gradients_are_those_of_one_network(
    architecture: Architecture, name: str
) -> None:
    seeds = [3] if name == "looped" else [3, 4]
    x, y = data(architecture)
    engine = engines.ENGINES[name](architecture, start(architecture, seeds), len(x))
    sets = x.expand(len(seeds), *x.shape), y.expand(len(seeds), -1)
    for _ in range(2):  # a second call must not add to the first one's gradients
        losses = engine.differentiate(*sets)
    gradients = {
        key: value.grad if name != "looped" else value.grad[None]  # type: ignore[index]
        for key, value in engine.parameters.items()
    }
    for member, seed in enumerate(seeds):
        loss, network = by_hand(architecture, seed, x, y)
        assert losses[member].item() == pytest.approx(loss, rel=1e-12)
        for key, value in network.named_parameters():
            torch.testing.assert_close(gradients[key][member], value.grad, rtol=1e-9, atol=1e-14)  # type: ignore[index]


@pytest.mark.parametrize("architecture", for_images(8, 10), ids=lambda a: a.name)
def test_several_classes_train_by_the_softmax_of_their_outputs(architecture: Architecture) -> None:
    seeds = [3] if architecture.engine == "looped" else [3, 4]
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(20, 8, 8, dtype=torch.float64, generator=generator)
    y = torch.randint(10, (20,), generator=generator).double()
    make = engines.ENGINES[architecture.engine]
    engine = make(architecture, start(architecture, seeds), len(x))
    sets = x.expand(len(seeds), *x.shape), y.expand(len(seeds), -1)
    losses = engine.differentiate(*sets)
    parameters = engine.stacked()
    for member, seed in enumerate(seeds):
        network = initialise(architecture.build(), seed).double()
        loss = torch.nn.functional.cross_entropy(network(x), y.long())
        loss.backward()
        assert losses[member].item() == pytest.approx(loss.item(), rel=1e-12)
        for key, value in network.named_parameters():
            own = engine.parameters[key].grad
            assert own is not None
            own = own if architecture.engine == "looped" else own[member]
            torch.testing.assert_close(own, value.grad, rtol=1e-9, atol=1e-14)
        shown = engine.outputs(sets[0])[member]
        torch.testing.assert_close(shown, network(x), rtol=1e-9, atol=1e-12)
        again = engines.forward(architecture)(parameters, sets[0])[member]
        torch.testing.assert_close(again, network(x), rtol=1e-9, atol=1e-12)
    outputs = torch.tensor([[[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]]])
    assert engines.correct(outputs, torch.tensor([[1.0, 2.0]])).tolist() == [[True, False]]


@pytest.mark.parametrize(("architecture", "name"), CASES, ids=lambda v: getattr(v, "name", v))
def test_forward_is_the_network_and_differentiable(architecture: Architecture, name: str) -> None:
    x, _ = data(architecture)
    other = replace(architecture, engine=name)  # type: ignore[arg-type]
    inputs = x[None, :4].repeat(2, *[1] * x.ndim).requires_grad_()
    out = engines.forward(other)(start(architecture, [3, 4]), inputs)
    (slope,) = torch.autograd.grad(out.sum(), inputs)
    for member, seed in enumerate((3, 4)):
        network, one = initialise(architecture.build(), seed).double(), x[:4].clone()
        expected = network(one.requires_grad_())[:, 0]
        torch.testing.assert_close(out[member], expected, rtol=1e-9, atol=1e-12)
        (own,) = torch.autograd.grad(expected.sum(), one)
        torch.testing.assert_close(slope[member], own, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["dense", "stacked"])
def test_who_stays_goes_on_as_if_nothing_had_happened(name: str) -> None:
    x, y = STRIPES
    stay = torch.tensor([True, False, True])
    engine = engines.ENGINES[name](MLP, start(MLP, [0, 1, 2]), len(x))
    engine.keep(stay)
    fresh = engines.ENGINES[name](MLP, start(MLP, [0, 2]), len(x))
    sets = x.expand(2, *x.shape), y.expand(2, -1)
    torch.testing.assert_close(engine.differentiate(*sets), fresh.differentiate(*sets))
    for key, value in fresh.stacked().items():
        assert torch.equal(engine.stacked()[key], value)
        torch.testing.assert_close(engine.parameters[key].grad, fresh.parameters[key].grad)


def test_convolutions_are_laid_out_channels_last_from_the_first_one() -> None:
    """With one input channel a weight counts as contiguous in both layouts; strides decide."""
    engine = engines.ENGINES["looped"](PAPER, start(PAPER, [0]), 1)
    seen: list[Tensor] = []
    assert isinstance(engine, engines.Looped)
    for module in engine.network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _, __, out: seen.append(out))
    engine.differentiate(STRIPES[0][None, :4], STRIPES[1][None, :4])
    assert len(seen) == 2
    for out in seen:
        assert out.is_contiguous(memory_format=torch.channels_last)
        assert not out.is_contiguous()


def test_an_ensemble_shrinks_in_its_own_memory() -> None:
    value = torch.arange(12.0).view(4, 3)
    kept = engines.compact(value, torch.tensor([False, True, False, True]))
    assert kept.tolist() == [[3, 4, 5], [9, 10, 11]]
    assert kept.data_ptr() == value.data_ptr()


@pytest.mark.parametrize(
    "body",
    [
        [nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)],
        [nn.Linear(4, 3), nn.Linear(3, 1)],
        [nn.Linear(4, 3), nn.ReLU()],
        [nn.Flatten()],
    ],
)
def test_only_stacks_of_dense_relu_layers_are_dense(body: list[nn.Module]) -> None:
    with pytest.raises(ValueError, match="use the engine `stacked` or `looped`"):
        engines.dense_layers(nn.Sequential(*body))
