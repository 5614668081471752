"""The linearised network against closed forms and fine gradient descent."""

from __future__ import annotations

import math

import pytest
import torch

from falsestruct.learning import linearised, networks
from falsestruct.learning.linearised import Linearised
from falsestruct.learning.networks import DEEP_MLP, LINEAR, MLP, POOLED


def images(samples: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(samples, 32, 32, generator=generator, dtype=torch.float64)


def by_gradients(architecture: networks.Architecture, seed: int, x: torch.Tensor):
    network = networks.initialise(architecture.build(), seed).double()
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    return linearised.by_gradients(
        lambda p, one: networks.apply(network, p, one[None])[0], parameters, x
    )


def test_a_linear_network_has_the_kernel_of_its_inputs() -> None:
    x = images(5)
    values, kernel = linearised.tangents(LINEAR, 3, x)
    flat = x.flatten(1)
    torch.testing.assert_close(kernel, flat @ flat.T + 1)
    weight = networks.initialise(LINEAR.build(), 3)[1].weight.double()
    torch.testing.assert_close(values, (flat @ weight.T)[:, 0])


@pytest.mark.parametrize("architecture", [MLP, DEEP_MLP], ids=lambda a: a.name)
def test_dense_networks_go_the_short_way_to_the_same_kernel(
    architecture: networks.Architecture,
) -> None:
    x = images(4)
    short, long = linearised.tangents(architecture, 1, x), by_gradients(architecture, 1, x)
    for a, b in zip(short, long, strict=True):
        torch.testing.assert_close(a, b)


def test_a_convolution_has_the_kernel_of_its_gradients() -> None:
    x = images(3)
    values, kernel = linearised.tangents(POOLED, 0, x)
    network = networks.initialise(POOLED.build(), 0).double()
    out = network(x)[:, 0]
    torch.testing.assert_close(values, out.detach())
    rows = []
    for i in range(3):
        slopes = torch.autograd.grad(out[i], list(network.parameters()), retain_graph=True)
        rows.append(torch.cat([slope.flatten() for slope in slopes]))
    jacobian = torch.stack(rows)
    torch.testing.assert_close(kernel, jacobian @ jacobian.T)


def test_several_outputs_are_refused() -> None:
    several = networks.for_images(8, outputs=10)[0]
    with pytest.raises(ValueError, match="has 10 outputs; expected 1"):
        linearised.tangents(several, 0, torch.zeros(2, 8, 8))


@pytest.mark.parametrize("time", [0.0, 0.01, 0.1, 1.0])
def test_flow_of_a_linear_network_is_fine_gradient_descent(time: float) -> None:
    generator = torch.Generator().manual_seed(0)
    x, test = (torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in (5, 2))
    y = torch.tensor([1.0, -1, 1, 1, -1], dtype=torch.float64)
    linear = networks.Architecture(
        "3-1", lambda: torch.nn.Sequential(torch.nn.Linear(3, 1)), "dense"
    )
    flow = Linearised.of(linear, 2, x, test).flow(y, time)
    network = networks.initialise(linear.build(), 2).double()
    weight, bias = network[0].weight.detach()[0].clone(), network[0].bias.detach()[0].clone()
    steps = 20_000
    for _ in range(steps):
        error = x @ weight + bias - y
        weight -= time / steps * error @ x
        bias -= time / steps * error.sum()
    torch.testing.assert_close(flow, test @ weight + bias, rtol=1e-3, atol=1e-4)


def test_at_time_zero_nothing_has_moved_and_in_the_end_the_training_set_is_fitted() -> None:
    x = images(6)
    y = torch.tensor([1.0, -1, 1, -1, 1, -1], dtype=torch.float64)
    model = Linearised.of(MLP, 0, x, x)
    torch.testing.assert_close(model.flow(y, 0.0), model.start)
    torch.testing.assert_close(model.flow(y), y)
    torch.testing.assert_close(model.flow(y, 1e6), y, rtol=1e-4, atol=1e-4)


def test_a_small_step_of_training_is_what_the_kernel_says() -> None:
    """The true network after one tiny gradient step, and the flow for as long."""
    x, test = images(4), images(3, seed=1)
    y = torch.tensor([1.0, -1, 1, -1], dtype=torch.float64)
    network, time = networks.initialise(DEEP_MLP.build(), 5).double(), 1e-6
    loss = (network(x)[:, 0] - y).square().sum() / 2
    parameters = list(network.parameters())
    slopes = torch.autograd.grad(loss, parameters)
    with torch.no_grad():
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter.sub_(time * slope)
        moved = network(test)[:, 0]
    model = Linearised.of(DEEP_MLP, 5, x, test)
    change, predicted = moved - model.test_start, model.flow(y, time) - model.test_start
    torch.testing.assert_close(predicted, change, rtol=1e-2, atol=1e-9)


def test_descent_on_the_kernel_is_descent_on_the_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    x, test = (torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in (5, 2))
    y = torch.tensor([1.0, -1, 1, 1, -1], dtype=torch.float64)
    linear = networks.Architecture(
        "3-1", lambda: torch.nn.Sequential(torch.nn.Linear(3, 1)), "dense"
    )
    found = Linearised.of(linear, 2, x, test).descend(y, steps=50, rate=0.3)
    network = networks.initialise(linear.build(), 2).double()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.3)
    for _ in range(50):
        optimiser.zero_grad()
        torch.nn.functional.softplus(-y * network(x)[:, 0]).mean().backward()
        optimiser.step()
    torch.testing.assert_close(found, network(test)[:, 0].detach())


def test_norm_and_alignment_in_closed_form() -> None:
    y = torch.tensor([1.0, 1, -1, -1], dtype=torch.float64)
    ideal = y[:, None] * y  # the structure itself as a kernel
    assert linearised.misalignment(ideal, y) == pytest.approx(1)
    eye = torch.eye(4, dtype=torch.float64)
    # the centred identity has norm √3, and yᵀy = 4
    assert linearised.misalignment(eye, y) == pytest.approx(math.sqrt(3))
    assert linearised.norm(4 * eye, y) == pytest.approx(0.5, rel=1e-5)
    # along y the ideal kernel has the eigenvalue 4: √(yᵀy/4/4) = 1/2; other labels cost thousands
    assert linearised.norm(ideal, y) == pytest.approx(0.5, rel=1e-5)
    other = torch.tensor([1.0, -1, 1, -1], dtype=torch.float64)
    assert linearised.norm(ideal, other) > 500
    assert linearised.misalignment(ideal + 0.01 * eye, other) > 100
