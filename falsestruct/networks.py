"""Architectures for 32 × 32 images, each a function that builds one network with one output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

PIXELS = 32


@dataclass(frozen=True)
class Architecture:
    """A kind of network.

    Attributes:
        name: What figures and claims call it.
        build: Makes a network that maps images (samples, 32, 32) to outputs (samples, 1).
        stacks: Training many in lockstep pays: true for dense layers. A convolution gains nothing
            from it on a processor (benchmarks/).
        learning_rate: Of Adam: the paper's 1e-3, more where a loss of 1e-3 would otherwise take
            thousands of steps.
    """

    name: str
    build: Callable[[], nn.Module]
    stacks: bool
    learning_rate: float = 1e-3


def _linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(PIXELS**2, 1))


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(PIXELS**2, 100), nn.ReLU(), nn.Linear(100, 1))


def _deep_mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(PIXELS**2, 100),
        nn.ReLU(),
        nn.Linear(100, 100),
        nn.ReLU(),
        nn.Linear(100, 1),
    )


def _convolutions(channels: int) -> list[nn.Module]:
    return [
        nn.Unflatten(1, (1, PIXELS)),
        nn.Conv2d(1, channels, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(channels, 2 * channels, 5, padding=2),
        nn.ReLU(),
    ]


def _pooled() -> nn.Module:
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 1)]
    return nn.Sequential(*_convolutions(12), *pool)


def _paper() -> nn.Module:
    head = [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3072, 10), nn.Linear(10, 1)]
    return nn.Sequential(*_convolutions(24), *head)


LINEAR = Architecture("linear", _linear, stacks=True, learning_rate=1e-2)
MLP = Architecture("MLP", _mlp, stacks=True)
DEEP_MLP = Architecture("deep MLP", _deep_mlp, stacks=True)
POOLED = Architecture("pooled CNN", _pooled, stacks=False, learning_rate=5e-3)
# Conv 5×5×24, ReLU, pool, conv 5×5×48, ReLU, pool, 3072-10-1 (arXiv:1906.01478, stripes).
PAPER = Architecture("paper's CNN", _paper, stacks=False)
ARCHITECTURES = (LINEAR, MLP, DEEP_MLP, POOLED, PAPER)


def initialise(network: nn.Module, seed: int) -> nn.Module:
    """Glorot-uniform weights (Glorot and Bengio, 2010) and zero biases, in place, from a seed."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.xavier_uniform_(parameter, generator=generator)
    return network


def count_parameters(architecture: Architecture) -> int:
    """Number of weights and biases."""
    return sum(p.numel() for p in architecture.build().parameters())


def apply(network: nn.Module, parameters: dict[str, Tensor], x: Tensor) -> Tensor:
    """Outputs (samples,) of a network with these parameters for inputs (samples, 32, 32)."""
    outputs: Tensor = torch.func.functional_call(network, parameters, (x,))
    return outputs.squeeze(1)
