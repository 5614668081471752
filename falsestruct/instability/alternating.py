"""Networks on the alternating points: built by hand, counted and measured exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from falsestruct.instability import exact
from falsestruct.instability.exact import Dense
from falsestruct.learning import shallow
from falsestruct.problems.alternating import Points, standardised
from falsestruct.theory import stable
from falsestruct.theory.relu import ReluNetwork, from_floats

WIDE = 4.0  # δ over the smallest gap at which x₂ is the more stable structure of tight points
DISTANCES = 12  # points of a network whose smallest perturbation is computed


def without_second(network: Dense, points: Points) -> Dense:
    """The network with its second input held at x₂ = 0, which is u = −strength: it ignores x₂."""
    (inner, outer), (biases, bias) = network.weights, network.biases
    return Dense((inner * [1.0, 0.0], outer), (biases - points.strength * inner[:, 1], bias))


def with_constant(x: Tensor) -> Tensor:
    """Inputs (samples, 2) with a third one that is always 1."""
    return torch.nn.functional.pad(x, (0, 1), value=1.0)


def without_constant(network: Dense) -> Dense:
    """The network of two inputs that it is where a third one, if there is one, is always 1."""
    (inner, outer), (biases, bias) = network.weights, network.biases
    return Dense((inner[:, :2], outer), (biases + inner[:, 2:].sum(1), bias))


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


def rows(
    networks: Sequence[Dense], cases: Sequence[Points], width: int, seeds: Sequence[int]
) -> pd.DataFrame:
    """`measure` of each network, cases first, with its width, r and seed."""
    pairs = [(case, seed) for case in cases for seed in seeds]
    return pd.DataFrame([
        {"width": width, "r": case.r, "seed": seed} | measure(network, case, width)
        for network, (case, seed) in zip(networks, pairs, strict=True)
    ])  # fmt: skip


def measure(network: Dense, points: Points, width: int) -> dict[str, float]:
    """What one network does on the points; shares are of all r points.

    Returns:
        accuracy: Right, with x₂ = δ·label.
        broken: Right, and wrong with x₂ = δ·(1 − label): one perturbation of x₂ for each label.
        single: Right, and wrong with x₂ larger by δ, or with x₂ smaller by δ: whichever are more.
        reads: Sides with x₂ on that conflict set.
        turns: The same among the points whose stabler structure turns from x₁ to x₂ as δ grows from
            less than the smallest gap to `WIDE` times as much: a neighbour is nearer than that.
        follows: Right with x₂ = 0.
        pieces, crossings: Linear pieces and changes of the label along the line x₂ = 0 between the
            outermost points, counted exactly: the weights are floating-point numbers, so rational.
        slack: `theory.stable.slack`.
    """
    y = points.labels.numpy() == 1

    def say(second: Tensor) -> np.ndarray:
        return network(points.inputs(second).numpy()) > 0

    right = say(points.labels) == y
    against = say(1 - points.labels) != y
    pieces, crossings = counts(network, points)
    broken = right & against
    moved = [(right & (say(points.labels + step) != y)).mean() for step in (1, -1)]
    return {
        "accuracy": float(right.mean()),
        "broken": float(broken.mean()),
        "single": float(max(moved)),
        "reads": float(against.mean()),
        "turns": float(against[points.tight(WIDE)].mean()),
        "follows": float((say(torch.zeros_like(points.labels)) == y).mean()),
        "pieces": pieces,
        "crossings": crossings,
        "slack": int(broken.sum() + 2 * (~right).sum()) - (points.r - width - 2),
    }


def by_hand(
    build: Callable[[int, Points], Dense], widths: Iterable[int], cases: Iterable[Points]
) -> pd.DataFrame:
    """`rows` of networks that a function of width and points builds: one a cell, of seed 0."""
    places = list(cases)
    return pd.concat(
        [rows([build(w, case) for case in places], places, w, [0]) for w in widths],
        ignore_index=True,
    )


def explicit(points: Points) -> Dense:
    """`theory.stable.through` in the points' coordinates, in float64."""
    return placed(stable.through(points.exact), points)


def placed(network: ReluNetwork, points: Points) -> Dense:
    """A network of (x₁, x₂) that ignores x₂ and labels 1 above ½, in the points' coordinates."""
    _, mean, spread = standardised(points.r, even=points.even)
    w = np.array([[float(a), float(b)] for a, b in network.weights])
    biases = np.array([float(b) for b in network.biases]) + w[:, 0] * mean
    outputs = np.array([[float(v) for v in network.outputs]])
    return Dense((w * [spread, 0.0], outputs), (biases, np.array([float(network.bias) - 0.5])))


def second_input(points: Points) -> Dense:
    """The rule of x₂ as a network of one ReLU: label 1 where x₂ > δ/2."""
    weights = np.array([[0.0, 1 / points.strength]]), np.array([[1.0]])
    return Dense(weights, (np.array([1.0]), np.array([-1.0])))


def bump(points: Points) -> Dense:
    """`theory.stable.bump` in the points' coordinates: label 1 where |x₂ − δ| < δ/2."""
    weights = np.array([[0.0, 1.0], [0.0, -1.0]]) / points.strength, np.array([[-1.0, -1.0]])
    return Dense(weights, (np.array([-1.0, 1.0]), np.array([1.0])))


def where_possible(width: int, points: Points) -> Dense:
    """Follows x₁ wherever `width` ReLUs are enough, and else x₂."""
    return explicit(points) if points.r <= width + 2 else second_input(points)


def pictured(networks: Mapping[str, Dense], points: Points) -> pd.DataFrame:
    """Networks on a grid of the plane, and the points that crowd.

    Columns: panel (the network's name); what ("network" at a grid point, or "point" of the data);
    x1; x2 in units of δ; value (the output, label 1 above 0; or the point's label).
    """
    _, mean, spread = standardised(points.r)
    known = [float(x) for x in points.exact]
    x1 = np.geomspace(0.8 * known[-1], 0.8, 160)
    grid = np.array([(a, b) for a in x1 for b in np.linspace(-0.6, 1.6, 12)])
    inputs = np.stack(((grid[:, 0] - mean) / spread, points.strength * (2 * grid[:, 1] - 1)), 1)
    y = points.labels.numpy()
    data, columns = np.stack((known, y), 1), ["panel", "what", "x1", "x2", "value"]
    parts = []
    for name, network in networks.items():
        output = np.round(network(inputs), 5)
        for what, at, value in (("network", grid, output), ("point", data, y)):
            own = [name, what, at[:, 0].round(5), at[:, 1].round(5), value]
            parts.append(pd.DataFrame(dict(zip(columns, own, strict=True))))
    return pd.concat(parts, ignore_index=True)


# Weights to train from, and back


def splits(network: Dense, points: Points, seeds: Sequence[int]) -> shallow.Ensemble:
    """The network once a seed, scaled so that its smallest output on the points is 1 in modulus.

    The function is the same for all: a seed draws how a ReLU's factor is split between the layers,
    from half and half to twice as much in either.
    """
    (inner, outer), (biases, bias) = network.weights, network.biases
    factor = 1 / np.abs(network(points.inputs(points.labels).numpy())).min()
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        draw = torch.rand(len(biases), dtype=torch.float64, generator=generator).numpy()
        first = factor**0.5 * np.exp(math.log(2) * (2 * draw - 1))  # (ReLUs,)
        parts = (inner.T * first).ravel(), biases * first, outer[0] * factor / first, bias * factor
        rows.append(np.concatenate(parts))
    return shallow.Ensemble(torch.tensor(np.array(rows)), inner.shape[1], len(biases))


def members(ensemble: shallow.Ensemble) -> list[Dense]:
    """The networks of an ensemble of one hidden layer, as copies."""
    hidden, output = (part.clone().numpy() for part in (ensemble.hidden, ensemble.output))
    constants = ensemble.bias.clone().numpy()
    return [
        Dense((rows[:-1].T, last[None]), (rows[-1], constant[None]))
        for rows, last, constant in zip(hidden, output, constants, strict=True)
    ]
