"""Architectures, each a function that builds one network with one output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

PIXELS = 32


@dataclass(frozen=True)
class Architecture:
    """A kind of network.

    Attributes:
        name: What figures and claims call it.
        build: Makes a network that maps inputs (samples, …) to outputs (samples, 1).
        engine: How many of them train fastest at once (`engines`, decided by measurement).
        learning_rate: Of Adam: the paper's 1e-3, more where a loss of 1e-3 would otherwise take
            thousands of steps.
    """

    name: str
    build: Callable[[], nn.Module]
    engine: Literal["dense", "stacked", "looped"]
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
    """Two convolutions, a pooling between them.

    The ReLU comes after the pooling: the maximum of ReLUs is the ReLU of the maximum, gradients
    included, and it is a quarter of the work.
    """
    return [
        nn.Unflatten(1, (1, PIXELS)),
        nn.Conv2d(1, channels, 5, padding=2),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 5, padding=2),
    ]


def _pooled() -> nn.Module:
    head = [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 1)]
    return nn.Sequential(*_convolutions(12), *head)


def _paper() -> nn.Module:
    head = [nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(3072, 10), nn.Linear(10, 1)]
    return nn.Sequential(*_convolutions(24), *head)


LINEAR = Architecture("linear", _linear, engine="dense", learning_rate=1e-2)
MLP = Architecture("MLP", _mlp, engine="dense")
DEEP_MLP = Architecture("deep MLP", _deep_mlp, engine="dense")
POOLED = Architecture("pooled CNN", _pooled, engine="looped", learning_rate=5e-3)
# Conv 5×5×24, ReLU, pool, conv 5×5×48, ReLU, pool, 3072-10-1 (arXiv:1906.01478, stripes).
PAPER = Architecture("paper's CNN", _paper, engine="looped")
# For 32 × 32 images.
ARCHITECTURES = (LINEAR, MLP, DEEP_MLP, POOLED, PAPER)


def by_name(name: str) -> Architecture:
    """The architecture for images of this name.

    Raises:
        ValueError: there is none.
    """
    for architecture in ARCHITECTURES:
        if architecture.name == name:
            return architecture
    known = ", ".join(architecture.name for architecture in ARCHITECTURES)
    raise ValueError(f"no architecture {name!r}; expected one of {known}")


def shallow(inputs: int, width: int) -> Architecture:
    """One hidden layer of ReLUs on input vectors; 2-104-1 is the paper's oscillation network."""

    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, 1))

    return Architecture(f"{inputs}-{width}-1", build, engine="dense")


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


def apply(network: nn.Module, parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Outputs (samples,) of a network with these parameters for inputs (samples, …)."""
    outputs: Tensor = torch.func.functional_call(network, dict(parameters), (x,))
    return outputs.squeeze(1)
