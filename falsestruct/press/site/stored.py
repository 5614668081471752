"""The networks that answer in the page: one of each kind, trained as in (C), rounded to float16.

Of chapter 03; no cell imports this, so that it is in no chapter's key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from falsestruct.chapters.stripes.measure import SWEPT
from falsestruct.instability.stripes import captures
from falsestruct.learning import training
from falsestruct.learning.ensembles import ensemble
from falsestruct.learning.networks import ARCHITECTURES, Architecture
from falsestruct.learning.training import Trained
from falsestruct.problems.stripes import Stripes

OFFSET = 0.1  # of the training images: the strong one, as in the picture above it
SEED = 0
STORED = np.dtype("<f2")  # float16, little-endian


@dataclass(frozen=True)
class Packed:
    """Networks as the page reads them.

    Attributes:
        weights: All weights and biases, float16, one network after the other, in the order of
            their layers; an output's weights stand together.
        about: What they are: the problem, offset and seed, and of each network its name, layers,
            loss, steps, and on how many images of the conflict set, as rounded, it reads colour.
    """

    weights: bytes
    about: dict[str, Any]


def pack(architectures: Sequence[Architecture] = ARCHITECTURES) -> Packed:
    """Train one network of each kind, on one thread: the same bytes again on the same machine."""
    stripes, threads = Stripes(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        networks = [rounded(trained(network)) for network in architectures]
    finally:
        torch.set_num_threads(threads)
    about = {
        "problem": asdict(stripes), "offset": OFFSET, "seed": SEED,
        "conflicts": len(stripes.conflict_set(OFFSET)[0]),
        "networks": [described(stripes, network) for network in networks],
    }  # fmt: skip
    flat = [p.numpy().ravel() for network in networks for p in network.parameters.values()]
    return Packed(np.concatenate(flat).astype(STORED).tobytes(), about)


def trained(architecture: Architecture) -> Trained:
    """One network, trained as those of the sweep."""
    data = Stripes().described(OFFSET)
    return training.train(architecture, data, [SEED], SWEPT, device="cpu")


def rounded(network: Trained) -> Trained:
    """The same network with its weights rounded to float16, kept in float64."""
    parameters = {name: p.half().double() for name, p in network.parameters.items()}
    return replace(network, parameters=parameters)


def described(stripes: Stripes, network: Trained) -> dict[str, Any]:
    """What the page has to know of one network: JSON."""
    built = network.architecture.build()
    images = len(stripes.conflict_set(OFFSET)[0])
    return {
        "name": network.architecture.name,
        "layers": list(_layers(built)),
        "loss": float(f"{network.loss.item():.3g}"),
        "steps": int(network.steps),
        "colour": round(captures(stripes, ensemble(network), OFFSET).item() * images),
    }


def _layers(network: nn.Module) -> Iterator[dict[str, Any]]:
    """The layers that compute; what only gives an image another shape is left out."""
    for layer in network.children():
        match layer:
            case nn.Linear():
                sizes = {"inputs": layer.in_features, "outputs": layer.out_features}
                yield {"kind": "dense", **sizes}
            case nn.Conv2d(padding=(padding, _), kernel_size=(side, _)):
                sizes = {"inputs": layer.in_channels, "outputs": layer.out_channels}
                yield {"kind": "convolution", **sizes, "side": side, "padding": padding}
            case nn.MaxPool2d():
                yield {"kind": "largest", "side": layer.kernel_size}
            case nn.AdaptiveAvgPool2d(output_size=1):
                yield {"kind": "mean"}
            case nn.ReLU():
                yield {"kind": "relu"}
            case nn.Flatten() | nn.Unflatten():
                pass
            case _:
                raise ValueError(f"the page can't compute {layer}: teach networks.js, then this")
