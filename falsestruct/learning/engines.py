"""Ways to take one training step of many networks at once.

Which serves which architecture was measured (`benchmarks/training.py`; the page *Where the time
goes* has the table). On a processor:

- `dense`, gradients by hand in buffers that are allocated once: the fastest for stacks of dense
  ReLU layers;
- `stacked`, `torch.func.vmap` and automatic differentiation: for any network that PyTorch can map;
- `looped`, one member after the other: a convolution fills the processor alone and gains nothing
  from being stacked.

For one hidden layer of few inputs there is a fourth, `fused`, which takes no steps of many networks
but all steps of one after the other: see `single`. What it can't do, `dense` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot
from torch.nn.functional import cross_entropy as softmax_cross_entropy

from falsestruct.learning.networks import Architecture, apply

Parameters = dict[str, Tensor]
Forward = Callable[[Mapping[str, Tensor], Tensor], Tensor]


class Engine(Protocol):
    """Takes training steps of an ensemble.

    Attributes:
        parameters: What an optimiser changes. `differentiate` fills their `.grad`.
    """

    parameters: Parameters

    def differentiate(self, x: Tensor, y: Tensor) -> Tensor:
        """Losses (members,) for x (members, samples, …), y (members, samples); fills `.grad`."""

    def outputs(self, x: Tensor) -> Tensor:
        """Outputs (members, samples) for x (members, samples, …), to be used before the next call.

        With several classes (members, samples, classes). Without gradients.
        """

    def keep(self, stay: Tensor) -> None:
        """Drop the members outside of the mask stay (members,)."""

    def stacked(self) -> Parameters:
        """The parameters, each (members, …), sharing memory with what is trained."""


def cross_entropy(outputs: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy (members,) of outputs and labels (members, samples), in nats.

    Outputs (members, samples) are the logits of label 1; outputs (members, samples, classes) those
    of every class.
    """
    if outputs.ndim == y.ndim:
        return binary_cross_entropy_with_logits(outputs, y, reduction="none").mean(1)
    flat = softmax_cross_entropy(outputs.flatten(0, 1), y.long().flatten(), reduction="none")
    return flat.view(y.shape).mean(1)


def correct(outputs: Tensor, y: Tensor) -> Tensor:
    """Mask (members, samples): where the sign, or the largest of several outputs, is right."""
    if outputs.ndim == y.ndim:
        return (outputs > 0) == (y > 0.5)
    return outputs.argmax(-1) == y.long()


def dense_layers(network: nn.Module) -> list[str]:
    """Names of the layers of a stack of dense layers with ReLUs between them.

    Raises:
        ValueError: the network has another form.
    """
    modules = dict(network.named_children())
    names = [name for name, module in modules.items() if isinstance(module, nn.Linear)]
    body = [type(module) for module in modules.values() if not isinstance(module, nn.Flatten)]
    wanted = [nn.Linear, nn.ReLU] * (len(names) - 1) + [nn.Linear]
    if not names or body != wanted:
        raise ValueError(
            f"{network} is no stack of dense layers with ReLUs between them: use the engine "
            "`stacked` or `looped`"
        )
    return names


def forward(architecture: Architecture) -> Forward:
    """Outputs (members, samples) from parameters (members, …), inputs (members, samples, …).

    With several classes (members, samples, classes). Differentiable in both.
    """
    network = architecture.build()
    if architecture.is_dense:
        names = dense_layers(network)
        return lambda parameters, x: _dense(parameters, names, x)

    def one(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return apply(network, parameters, x)

    def loop(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        members = [{k: _channels_last(p[i]) for k, p in parameters.items()} for i in range(len(x))]
        return torch.stack([one(member, x[i]) for i, member in enumerate(members)])

    return torch.func.vmap(one) if architecture.engine == "stacked" else loop


def _dense(parameters: Mapping[str, Tensor], names: list[str], x: Tensor) -> Tensor:
    active = x.flatten(2)
    for name in names:
        weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
        active = torch.baddbmm(bias[:, None, :], active, weight.transpose(1, 2))
        active = active if name == names[-1] else active.relu()
    return active.squeeze(2)


def _channels_last(weight: Tensor) -> Tensor:
    """Convolutions on a processor are faster this way round (the benchmarks say how much).

    Not by `contiguous`: a weight with one input channel is contiguous in both layouts, would stay
    as it is, and everything after that convolution would be laid out the slow way.
    """
    if weight.ndim != 4:
        return weight
    return torch.empty_like(weight, memory_format=torch.channels_last).copy_(weight)


class Dense:
    """Stacks of dense ReLU layers, gradients written by hand (`Engine`).

    With e = (p − y)/samples for the last layer, where p is the sigmoid of the output or the softmax
    of the outputs and y the label or its indicator, going down: ∂W = eᵀ·input, ∂b = Σe, and
    e ← (e·W) ⊙ 1{input > 0}. `tests/learning/test_engines.py` compares with automatic
    differentiation.
    """

    def __init__(self, architecture: Architecture, parameters: Parameters, samples: int) -> None:
        self.names = dense_layers(architecture.build())
        self.parameters = parameters
        shapes = [(*parameters[f"{name}.weight"].shape[:2],) for name in self.names]
        some = parameters[f"{self.names[0]}.weight"]
        self.active = [some.new_empty(m, samples, width) for m, width in shapes]
        self.error = [some.new_empty(m, samples, width) for m, width in shapes[:-1]]
        for value in parameters.values():
            value.grad = torch.empty_like(value)

    def differentiate(self, x: Tensor, y: Tensor) -> Tensor:
        """See `Engine`."""
        inputs = [x.flatten(2), *self.active[:-1]]
        self._forward(inputs[0])
        out = self.active[-1].squeeze(2)
        losses = cross_entropy(out, y)
        if out.ndim == y.ndim:
            error = out.sigmoid_().sub_(y).div_(y.shape[1])[..., None]
        else:
            error = out.softmax(2).sub_(one_hot(y.long(), out.shape[2])).div_(y.shape[1])
        for layer in reversed(range(len(self.names))):
            weight, bias = self._layer(layer)
            torch.bmm(error.transpose(1, 2), inputs[layer], out=weight.grad)
            torch.sum(error, 1, out=bias.grad)
            if layer:
                below = self.error[layer - 1]
                torch.bmm(error, weight, out=below)
                # In place: where the input is not positive, nothing passes.
                error = torch.ops.aten.threshold_backward.grad_input(
                    below, inputs[layer], 0, grad_input=below
                )
        return losses

    def outputs(self, x: Tensor) -> Tensor:
        """See `Engine`. As many samples as a step has go through its buffers.

        A fresh buffer for each part of a large set breaks up the heap, which then grows tenfold.
        """
        if x.shape[1] != self.active[0].shape[1]:
            return _dense(self.parameters, self.names, x)
        self._forward(x.flatten(2))
        return self.active[-1].squeeze(2)

    def keep(self, stay: Tensor) -> None:
        """See `Engine`."""
        members = int(stay.sum())
        for name, value in self.parameters.items():
            self.parameters[name] = compact(value, stay)
            assert value.grad is not None
            self.parameters[name].grad = value.grad[:members]
        self.active = [buffer[:members] for buffer in self.active]
        self.error = [buffer[:members] for buffer in self.error]

    def stacked(self) -> Parameters:
        """See `Engine`."""
        return self.parameters

    def _forward(self, x: Tensor) -> None:
        active = x
        for layer, out in enumerate(self.active):
            weight, bias = self._layer(layer)
            torch.baddbmm(bias[:, None, :], active, weight.transpose(1, 2), out=out)
            active = out if layer == len(self.active) - 1 else out.clamp_min_(0)

    def _layer(self, layer: int) -> tuple[Tensor, Tensor]:
        name = self.names[layer]
        return self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]


class Stacked:
    """Any network that `torch.func.vmap` can map (`Engine`)."""

    def __init__(self, architecture: Architecture, parameters: Parameters, samples: int) -> None:
        self.forward = forward(architecture)
        self.parameters = {name: value.requires_grad_() for name, value in parameters.items()}

    def differentiate(self, x: Tensor, y: Tensor) -> Tensor:
        """See `Engine`."""
        for value in self.parameters.values():
            value.grad = None
        losses = cross_entropy(self.forward(self.parameters, x), y)
        # Members share nothing, so the sum's gradient is each member's own.
        losses.sum().backward()
        return losses.detach()

    @torch.no_grad()
    def outputs(self, x: Tensor) -> Tensor:
        """See `Engine`."""
        return self.forward(self.parameters, x)

    def keep(self, stay: Tensor) -> None:
        """See `Engine`."""
        for name, value in self.parameters.items():
            self.parameters[name] = compact(value, stay).requires_grad_()

    def stacked(self) -> Parameters:
        """See `Engine`."""
        return {name: value.detach() for name, value in self.parameters.items()}


class Looped:
    """One member, its weights laid out as convolutions like them (`Engine`).

    The weights are a module's own and have no axis of members: a weight that is cut out of a larger
    tensor in every step costs a third more.
    """

    def __init__(self, architecture: Architecture, parameters: Parameters, samples: int) -> None:
        self.network = architecture.build()
        for name, value in self.network.named_parameters():
            value.data = _channels_last(parameters[name][0])
        self.parameters: Parameters = dict(self.network.named_parameters())

    def differentiate(self, x: Tensor, y: Tensor) -> Tensor:
        """See `Engine`."""
        self.network.zero_grad()
        loss = cross_entropy(self._outputs(x), y)
        loss.sum().backward()
        return loss.detach()

    @torch.no_grad()
    def outputs(self, x: Tensor) -> Tensor:
        """See `Engine`."""
        return self._outputs(x)

    def _outputs(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.network(x[0])
        return outputs.squeeze(1)[None]

    def keep(self, stay: Tensor) -> None:
        """See `Engine`: of one member there is nothing to drop."""

    def stacked(self) -> Parameters:
        """See `Engine`."""
        return {name: value.detach()[None] for name, value in self.parameters.items()}


ENGINES: dict[str, Callable[[Architecture, Parameters, int], Engine]] = {
    "dense": Dense,
    "fused": Dense,
    "stacked": Stacked,
    "looped": Looped,
}


def compact(value: Tensor, stay: Tensor) -> Tensor:
    """The rows of value (members, …) in the mask stay, moved up in place: a view.

    So an ensemble that shrinks never needs more memory than it had.
    """
    value = value.detach()
    kept = value[stay]
    value[: len(kept)] = kept
    return value[: len(kept)]
