"""Convolutions that are attacked: the outputs as ever, the gradient in less time.

Of a convolution with one input channel PyTorch's gradient of the input takes longer than all that
comes after it. It is a product of matrices whose columns are added up where they overlap.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, fold

from falsestruct.instability.attacks import Outputs
from falsestruct.learning.engines import Looped
from falsestruct.learning.ensembles import Ensemble


def outputs_of(networks: Ensemble) -> Outputs:
    """What to attack: as `networks.outputs`, within rounding; not differentiable in the weights.

    Each convolutional member becomes a module of its own, whose weights are laid out once.
    """
    trained = networks.trained
    if trained is None or trained.architecture.engine != "looped":
        return networks.outputs
    members = []
    for member in range(len(trained)):
        own = {name: value[member : member + 1] for name, value in trained.parameters.items()}
        network = Looped(trained.architecture, own, 0).network.requires_grad_(False)
        members.append(_with_own_gradient(network))
    dtype = next(iter(trained.parameters.values())).dtype

    def outputs(x: Tensor) -> Tensor:
        parts = zip(members, x.to(dtype), strict=True)
        return torch.stack([network(own).squeeze(1) for network, own in parts])

    return outputs


def _with_own_gradient(network: nn.Module) -> nn.Module:
    """The network, its first convolution replaced if that has one input channel."""
    layers = list(network.children())
    place = next(i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d))
    first = layers[place]
    assert isinstance(first, nn.Conv2d)
    if first.in_channels == 1 and first.stride == (1, 1) and first.groups == 1:
        layers[place] = _First(first)
    return nn.Sequential(*layers)


class _First(nn.Module):
    """A convolution of one channel."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (samples, channels, rows, columns) of images (samples, 1, rows, columns)."""
        outputs: Tensor = _Convolution.apply(x, self.layer)  # type: ignore[no-untyped-call]
        return outputs


class _Convolution(torch.autograd.Function):
    """Convolves; the gradient is of the images only."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: nn.Conv2d) -> Tensor:
        ctx.layer, ctx.size = layer, x.shape[2:]
        return conv2d(x, layer.weight, layer.bias, padding=layer.padding)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        kernel, padding = ctx.layer.kernel_size, ctx.layer.padding
        weight = ctx.layer.weight.flatten(1).T.expand(len(slope), -1, -1)
        columns = torch.bmm(weight, slope.flatten(2))  # (samples, places of the kernel, pixels)
        return fold(columns, ctx.size, kernel, padding=padding), None
