"""Networks on the alternating points: built by hand, counted and measured exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from falsestruct.instability import exact
from falsestruct.instability.exact import Dense
from falsestruct.problems.alternating import Points, standardised
from falsestruct.theory import stable
from falsestruct.theory.relu import ReluNetwork, from_floats

DISTANCES = 12  # points of a network whose smallest perturbation is computed


def without_second(network: Dense, points: Points) -> Dense:
    """The network with its second input held at x₂ = 0, which is u = −strength: it ignores x₂."""
    (inner, outer), (biases, bias) = network.weights, network.biases
    return Dense((inner * [1.0, 0.0], outer), (biases - points.strength * inner[:, 1], bias))


def counts(network: Dense, points: Points) -> tuple[int, int]:
    """Linear pieces and changes of the label on the line x₂ = 0, between the outermost points."""
    along = stable.line(rational(network).along_first((Fraction(-points.strength),)))
    low, high = (Fraction(float(t)) for t in (points.first[-1], points.first[0]))
    return along.counts(low, high, level=Fraction(0))


def rational(network: Dense) -> ReluNetwork:
    """A network of one hidden layer with the same weights, as fractions."""
    (inner, outer), (biases, bias) = network.weights, network.biases
    return from_floats(inner.tolist(), biases.tolist(), outer[0].tolist(), float(bias[0]))


def relative_distance(network: Dense, points: Points, *, limit: int = DISTANCES) -> float:
    """Smallest perturbation of the network over the explicit network's, median over points.

    In the maximum norm, exact (`exact.smallest_in_plane`), at up to `limit` of the points that the
    network has right. The explicit network changes its label half way to the nearest neighbour. NaN
    if the network is right nowhere, or gives all points the same label.
    """
    x = np.concatenate([points.inputs(s).numpy() for s in (points.labels, 1 - points.labels)])
    said = network(x) > 0
    right = np.flatnonzero(said[: points.r] == (points.labels.numpy() == 1))
    if len(right) == 0 or said.all() or not said.any():
        return float("nan")
    t = points.first.numpy()
    own = np.abs(np.diff(t, prepend=np.inf, append=-np.inf))
    half_gaps = np.minimum(own[:-1], own[1:]) / 2
    found = []
    for k in right[np.linspace(0, len(right) - 1, min(limit, len(right))).round().astype(int)]:
        flips = np.abs(x[said != said[k]] - x[k]).max(1).min()  # such a flip is known
        size = exact.smallest_in_plane(network, x[k], norm="linf", radius=1.001 * flips).size
        found.append(size / half_gaps[k])
    return float(np.median(found))


def explicit(points: Points) -> Dense:
    """`theory.stable.explicit` in the points' coordinates, in float64."""
    return placed(stable.explicit(points.r), points)


def placed(network: ReluNetwork, points: Points) -> Dense:
    """A network of (x₁, x₂) that ignores x₂ and labels 1 above ½, in the points' coordinates."""
    _, mean, spread = standardised(points.r)
    w = np.array([[float(a), float(b)] for a, b in network.weights])
    biases = np.array([float(b) for b in network.biases]) + w[:, 0] * mean
    outputs = np.array([[float(v) for v in network.outputs]])
    return Dense((w * [spread, 0.0], outputs), (biases, np.array([float(network.bias) - 0.5])))


def second_input(points: Points) -> Dense:
    """The rule of x₂ as a network of one ReLU: label 1 where x₂ > δ/2."""
    weights = np.array([[0.0, 1 / points.strength]]), np.array([[1.0]])
    return Dense(weights, (np.array([1.0]), np.array([-1.0])))


def where_possible(width: int, points: Points) -> Dense:
    """Follows x₁ wherever `width` ReLUs are enough, and else x₂."""
    return explicit(points) if points.r <= width + 2 else second_input(points)
