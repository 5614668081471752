"""The network linearised at initialisation: what its tangent kernel predicts without training it.

With few changes of its parameters a network f_θ is close to f_θ₀ + J(θ − θ₀), a linear model whose
kernel is K(x, x') = J(x)J(x')ᵀ, the tangent kernel (Jacot, Gabriel, Hongler, arXiv:1806.07572).
Gradient flow on the squared loss ½ Σ (f(x_i) − y_i)² then has a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from falsestruct.learning import engines, networks
from falsestruct.learning.networks import Architecture

RIDGE = 1e-6  # relative to the mean eigenvalue: what counts as a direction that the kernel lacks


def tangents(architecture: Architecture, seed: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs (samples,) and kernel (samples, samples) of a network at its seed, in float64.

    Dense ReLU networks by one pass forwards and one backwards, all others by a gradient a sample.

    Args:
        x: Inputs (samples, …).
    """
    if architecture.outputs != 1:
        raise ValueError(f"{architecture.name} has {architecture.outputs} outputs; expected 1")
    network = networks.initialise(architecture.build(), seed).double()
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    if architecture.is_dense:
        return _dense(parameters, engines.dense_layers(network), x.double())
    return by_gradients(lambda p, one: networks.apply(network, p, one[None])[0], parameters, x)


def by_gradients(
    output: Callable[[dict[str, Tensor], Tensor], Tensor], parameters: dict[str, Tensor], x: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs and K = JJᵀ for any network: the gradient of every sample's output.

    Args:
        output: Parameters and one input to one number.
    """
    one = torch.func.grad_and_value(output)
    gradients, values = torch.func.vmap(one, in_dims=(None, 0))(parameters, x.double())
    flat = [gradient.flatten(1) for gradient in gradients.values()]
    kernel = torch.stack([part @ part.T for part in flat]).sum(0)
    return values, kernel


def _dense(parameters: dict[str, Tensor], names: list[str], x: Tensor) -> tuple[Tensor, Tensor]:
    """K = Σ over layers of (AAᵀ + 1) ⊙ DDᵀ: A what comes in, D the output's slope in what leaves.

    The gradient in a layer's weights is the outer product of the two, in its bias the slope alone.
    """
    active = [x.flatten(1)]
    for name in names:
        out = active[-1] @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]
        active.append(out if name == names[-1] else out.relu())
    slope = torch.ones_like(active[-1])
    kernel = x.new_zeros(len(x), len(x))
    for layer in reversed(range(len(names))):
        kernel += (active[layer] @ active[layer].T + 1) * (slope @ slope.T)
        if layer:
            slope = (slope @ parameters[f"{names[layer]}.weight"]) * (active[layer] > 0)
    return active[-1][:, 0], kernel


@dataclass(frozen=True)
class Linearised:
    """A linear model around a network at its seed.

    Attributes:
        kernel: Between training inputs, (n, n).
        across: Between test and training inputs, (m, n).
        start: Outputs on the training inputs before training, (n,).
        test_start: On the test inputs, (m,).
    """

    kernel: Tensor
    across: Tensor
    start: Tensor
    test_start: Tensor

    @classmethod
    def of(cls, architecture: Architecture, seed: int, x: Tensor, test: Tensor) -> Linearised:
        """Of a network at its seed, for training inputs (n, …) and test inputs (m, …)."""
        values, kernel = tangents(architecture, seed, torch.cat((x, test)))
        n = len(x)
        return cls(kernel[:n, :n], kernel[n:, :n], values[:n], values[n:])

    @cached_property
    def _spectrum(self) -> tuple[Tensor, Tensor]:
        return torch.linalg.eigh(self.kernel)

    def flow(self, y: Tensor, time: float = math.inf) -> Tensor:
        """Outputs (m,) on the test inputs after training for a time on targets y (n,).

        f_t = f₀* + K* K⁻¹ (1 − e^{−Kt}) (y − f₀). With time infinite the interpolant of least
        norm; directions whose eigenvalue is below `RIDGE` of the mean are left alone there.
        """
        values, vectors = self._spectrum
        if math.isinf(time):
            gain = torch.where(values > RIDGE * values.mean(), 1 / values, torch.zeros_like(values))
        else:  # (1 − e^{−λt})/λ, which tends to t as λ does to 0
            small = values.abs() * time < 1e-12
            gain = -torch.expm1(-values * time) / torch.where(
                small, torch.ones_like(values), values
            )
            gain = torch.where(small, torch.full_like(values, time), gain)
        return self.test_start + self.across @ (vectors @ (gain * (vectors.T @ (y - self.start))))

    def descend(self, y: Tensor, *, steps: int, rate: float) -> Tensor:
        """Outputs (…, m) after gradient descent on the mean cross-entropy of labels y of ±1, (n,).

        Each step moves f by −rate·K·g and f* by −rate·K*·g, with g_i = −y_i σ(−y_i f_i)/n: what
        plain gradient descent on the parameters does to a network that is linear in them. Several
        starts (…, n) and (…, m) with one kernel go side by side.
        """
        f = self.start.clone()
        total = torch.zeros_like(f)
        for _ in range(steps):
            slope = -y * torch.sigmoid(-y * f) / len(y)
            total -= rate * slope
            f -= rate * (slope @ self.kernel)
        return self.test_start + total @ self.across.T


def norm(kernel: Tensor, y: Tensor) -> float:
    """√(yᵀK⁻¹y/n): the norm that a function needs to fit labels y of ±1; less is simpler.

    The complexity in the bound of Arora et al. (arXiv:1901.08584), up to a constant. A ridge of
    `RIDGE` times the mean eigenvalue keeps it finite, and large, for labels that K can't fit.
    """
    n = len(y)
    ridge = RIDGE * kernel.diagonal().mean() * torch.eye(n, dtype=kernel.dtype)
    return math.sqrt((y @ torch.linalg.solve(kernel + ridge, y)).item() / n)


def misalignment(kernel: Tensor, y: Tensor) -> float:
    """1/A with A = yᵀK_c y/(‖K_c‖ ‖y_c‖²), the centred alignment; less is simpler.

    Cortes, Mohri, Rostamizadeh (JMLR 13, 2012), definition 4: K_c and y_c are centred.
    """
    centred = kernel - kernel.mean(0) - kernel.mean(1, keepdim=True) + kernel.mean()
    target = y - y.mean()
    return (centred.norm() * target.square().sum() / (target @ centred @ target)).item()
