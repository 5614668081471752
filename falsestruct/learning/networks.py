"""Architectures, each a function that builds one network: one output, or one a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

PIXELS = 32
# Inputs up to which `fused` was faster, at widths 16 and 104, in batches of 50 and with all 200
# samples; with sixteen inputs and width 104 it was no longer.
FEW = 8


@dataclass(frozen=True)
class Architecture:
    """A kind of network.

    Attributes:
        name: What figures and claims call it.
        build: Makes a network that maps inputs (samples, …) to outputs (samples, outputs).
        engine: How many of them train fastest at once (`engines`, decided by measurement).
        learning_rate: Of Adam: the paper's 1e-3, more where a loss of 1e-3 would otherwise take
            thousands of steps.
        outputs: 1 for two classes, told apart by the sign; otherwise the number of classes, and
            the largest output is the answer.
    """

    name: str
    build: Callable[[], nn.Module]
    engine: Literal["fused", "dense", "stacked", "looped"]
    learning_rate: float = 1e-3
    outputs: int = 1

    @property
    def is_dense(self) -> bool:
        """Whether it is a stack of dense layers with ReLUs between them."""
        return self.engine in ("fused", "dense")


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


def by_name(name: str, among: Sequence[Architecture] = ARCHITECTURES) -> Architecture:
    """The architecture of this name.

    Raises:
        ValueError: there is none.
    """
    for architecture in among:
        if architecture.name == name:
            return architecture
    known = ", ".join(architecture.name for architecture in among)
    raise ValueError(f"no architecture {name!r}; expected one of {known}")


class Attention(nn.Module):
    """One block of self-attention (arXiv:1706.03762) over the rows of an image.

    Rows become tokens, a learnt position is added, each token looks at all others and passes one
    hidden layer, both with a residual; the mean token is the answer's input.
    """

    def __init__(self, side: int, outputs: int, *, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Linear(side, width)
        self.position = nn.Parameter(torch.zeros(side, width))
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        hidden = 2 * width
        self.mix = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (samples, outputs) of images (samples, side, side)."""
        tokens = self.embed(x) + self.position
        scores = self.query(tokens) @ self.key(tokens).transpose(-2, -1)
        weights = torch.softmax(scores / tokens.shape[-1] ** 0.5, dim=-1)
        tokens = tokens + weights @ self.value(tokens)
        outputs: Tensor = self.head((tokens + self.mix(tokens)).mean(-2))
        return outputs


def for_images(side: int, outputs: int = 1) -> tuple[Architecture, ...]:
    """Five architectures for small images (samples, side, side): digits have a side of 8 or 28.

    Raises:
        ValueError: the side is no multiple of 4, which the two poolings of the CNN need.
    """
    if side < 4 or side % 4:
        raise ValueError(f"side is {side}; expected a multiple of 4")

    def dense(*widths: int) -> nn.Module:
        sizes = (side**2, *widths, outputs)
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def convolutions() -> nn.Module:
        return nn.Sequential(
            nn.Unflatten(1, (1, side)),
            nn.Conv2d(1, 16, 3, padding=1),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * (side // 4) ** 2, outputs),
        )

    return (
        Architecture("linear", dense, engine="dense", learning_rate=1e-2, outputs=outputs),
        Architecture("MLP", lambda: dense(100), engine="dense", outputs=outputs),
        Architecture("deep MLP", lambda: dense(100, 100, 100), engine="dense", outputs=outputs),
        Architecture("CNN", convolutions, engine="looped", outputs=outputs),
        Architecture(
            "attention", lambda: Attention(side, outputs), engine="stacked", outputs=outputs
        ),
    )


def shallow(inputs: int, width: int) -> Architecture:
    """One hidden layer of ReLUs on input vectors; 2-104-1 is the paper's oscillation network."""

    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, 1))

    engine: Literal["fused", "dense"] = "fused" if inputs <= FEW else "dense"
    return Architecture(f"{inputs}-{width}-1", build, engine=engine)


def fitting(shape: Sequence[int]) -> tuple[Architecture, ...]:
    """The architectures that the book trains on inputs of this shape, without the samples.

    Raises:
        ValueError: there are none for it.
    """
    match tuple(shape):
        case (int(inputs),):
            return (shallow(inputs, 104),)
        case (rows, columns) if rows == columns == PIXELS:
            return ARCHITECTURES
        case (rows, columns) if rows == columns:
            return for_images(rows)
    raise ValueError(f"inputs have shape {tuple(shape)}; expected (inputs,) or a square image")


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
    """Outputs (samples,) or (samples, classes) of a network with these parameters."""
    outputs: Tensor = torch.func.functional_call(network, dict(parameters), (x,))
    return outputs.squeeze(1)  # one class is no axis; several stay
