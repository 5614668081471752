"""Noise on weights, lines and matched units: by hand, and against the network itself."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from falsestruct.learning import landscape
from falsestruct.learning.networks import apply, initialise, shallow

NETWORK = shallow(9, 6)


def stacked(*seeds: int) -> dict[str, torch.Tensor]:
    networks = [initialise(NETWORK.build(), seed).double() for seed in seeds]
    generator = torch.Generator().manual_seed(0)
    own = [dict(network.named_parameters()) for network in networks]
    found = {name: torch.stack([one[name].detach() for one in own]) for name in own[0]}
    for name in ("0.bias", "2.bias"):
        found[name] = torch.randn(found[name].shape, generator=generator, dtype=torch.float64)
    return found


def reordered(parameters: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    moved = {name: parameters[name][:, order] for name in ("0.weight", "0.bias")}
    return parameters | moved | {"2.weight": parameters["2.weight"][:, :, order]}


def data(members: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(members, 40, 9, generator=generator, dtype=torch.float64)
    return x, (x[..., 0] > 0).double()


def test_the_loss_is_the_network_s():
    parameters, (x, y) = stacked(1, 2), data(2)
    found = landscape.loss(NETWORK, parameters, x, y)
    for i in range(2):
        outputs = apply(NETWORK.build(), {n: p[i] for n, p in parameters.items()}, x[i])
        assert found[i] == pytest.approx(binary_cross_entropy_with_logits(outputs, y[i]).item())


def test_noise_is_as_long_as_said():
    parameters = stacked(1, 2)
    found = landscape.shaken(parameters, 0.3, torch.Generator().manual_seed(0))
    for name, value in parameters.items():
        off, own = ((v).flatten(1).norm(dim=1) for v in (found[name] - value, value))
        assert torch.allclose(off, 0.3 * own)


def test_a_rescaled_network_is_as_flat():
    parameters, (x, y) = stacked(1), data(1)
    scales = {"0.weight": 5, "0.bias": 5, "2.weight": 0.2, "2.bias": 1}
    other = {name: scales[name] * value for name, value in parameters.items()}
    rises = [
        landscape.rise(
            NETWORK, one, x, y, size=0.5, draws=4, generator=torch.Generator().manual_seed(7)
        )
        for one in (parameters, other)
    ]
    assert rises[0].item() == pytest.approx(rises[1].item()) and rises[0].item() != 0


def test_matching_undoes_another_order_and_keeps_the_function():
    parameters, (x, y) = stacked(1, 2), data(2)
    other = reordered(parameters)
    found = landscape.matched(parameters, other)
    assert all(torch.equal(found[name], value) for name, value in parameters.items())
    strange = landscape.matched(stacked(8, 9), parameters)
    assert torch.allclose(*(landscape.loss(NETWORK, p, x, y) for p in (strange, parameters)))


def test_a_line_is_level_between_equal_networks_and_not_between_orders():
    parameters, own = stacked(1, 2), data(2)
    other = reordered(parameters)
    places = (0.0, 0.5, 1.0)
    level = landscape.line(NETWORK, parameters, parameters, places, own)
    bent = landscape.line(NETWORK, parameters, other, places, own)
    assert level.shape == (2, 3) and level.abs().max() < 1e-12
    assert bent[:, [0, 2]].abs().max() < 1e-12 < bent[:, 1].abs().min()
    half = landscape.loss(NETWORK, landscape.mixed(parameters, other, 0.5), *own)
    assert torch.allclose(bent[:, 1], half - landscape.loss(NETWORK, parameters, *own))
