"""Exact masks of networks on a cube of bits: which coordinates must be kept to keep the label.

With sixteen bits all inputs can be asked, so the distortion of every mask is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from falsestruct.characterise.explanations import METHODS, Effort, Question
from falsestruct.learning.ensembles import Ensemble
from falsestruct.theory import explanations as exact

SAMPLED = ("gradient times difference", "integrated gradients", "SmoothGrad", "masks")
CHUNK = 4096  # inputs at once: bounds the memory


def everywhere(own: Ensemble, x: Tensor) -> np.ndarray:
    """Outputs (members, inputs) of shared inputs (inputs, d), float64."""
    with torch.no_grad():
        parts = [own.outputs(part.expand(len(own), *part.shape)) for part in x.split(CHUNK)]
    return torch.cat(parts, 1).double().numpy()


def sampled(
    own: Ensemble, x: Tensor, donors: Tensor, generator: torch.Generator, effort: Effort
) -> dict[str, np.ndarray]:
    """Maps (members, inputs, d) of the methods that don't need all inputs of the cube.

    SmoothGrad's slopes are multiplied by the difference to the donors' mean: a slope alone can't
    say whether a pixel, as it is, speaks for the label or against it.

    Args:
        x: Each member's own inputs, (members, inputs, d).
    """
    ask = Question(own.outputs, x, donors, generator)
    found = {name: METHODS[name](ask, effort) for name in SAMPLED}
    found["SmoothGrad"] *= x - donors.mean(0)
    return {name: values.numpy() for name, values in found.items()}


def kept(
    outputs: np.ndarray,
    n: int,
    maps: Mapping[str, np.ndarray],
    *,
    epsilon: float,
    random: np.ndarray,
) -> dict[str, int]:
    """Coordinates that must be kept of input n until the distortion is at most epsilon.

    By name: in the order of each map, of exact occlusion and exact Shapley values by how much they
    speak for the label, at "random", and in the smallest mask ("exact").

    Args:
        outputs: Of a network at all inputs of the cube, (2ᵈ,).
        maps: Of this input, (d,) each; "masks" go by size, whatever they speak for.
        random: An order of the coordinates.
    """
    labels = (outputs > 0).astype(np.int64)
    sign, means = 1 if labels[n] else -1, exact.kept_means(outputs, n)
    distortion = exact.distortions(labels, n)
    values = {"occlusion": exact.occlusion(means), "shapley": exact.shapley(means)} | dict(maps)
    orders: dict[str, np.ndarray] = {"random": random}
    for name, own in values.items():
        orders[name] = np.argsort(-own if name == "masks" else -sign * own, kind="stable")
    found = {name: exact.needed(distortion, order, epsilon) for name, order in orders.items()}
    return found | {"exact": exact.smallest(labels, n, epsilon)[0]}


def mean_kept(
    outputs: np.ndarray,
    inputs: np.ndarray,
    maps: Mapping[str, np.ndarray],
    epsilon: float,
    seed: int,
) -> dict[str, float]:
    """Means of `kept` over some inputs, whose maps are (inputs, d); random orders by the seed."""
    rng = np.random.default_rng([seed, 3])  # 1 and 2 draw data and inputs
    found = []
    for i, n in enumerate(inputs):
        own = {name: values[i] for name, values in maps.items()}
        order = rng.permutation(len(outputs).bit_length() - 1)
        found.append(kept(outputs, int(n), own, epsilon=epsilon, random=order))
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def sizes(labels: np.ndarray, inputs: Iterable[int], epsilon: float) -> np.ndarray:
    """Sizes of the smallest masks of some inputs, (inputs,): labels are those of the whole cube."""
    return np.array([exact.smallest(labels, int(n), epsilon)[0] for n in inputs])
