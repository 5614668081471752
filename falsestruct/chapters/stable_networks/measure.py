"""Networks trained on points that a stable network of known size gets right (chapter 10).

x₁ = a/(k + ½) with the label k mod 2, and x₂ = δ times the label (after arXiv:2109.06098).
Training (`trained`) and measuring (`measure`) are apart, so that networks built by hand
(`by_hand`) can be measured in place of trained ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Literal, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from falsestruct.instability import exact
from falsestruct.instability.exact import Dense
from falsestruct.learning import training
from falsestruct.learning.networks import shallow
from falsestruct.learning.training import Schedule, Set
from falsestruct.sweep.grid import sweep
from falsestruct.theory import stable
from falsestruct.theory.relu import ReluNetwork, from_floats

Second = Literal["label", "zero", "random"]
LEARNING_RATE = (
    1e-2  # the largest sign counts without x₂ among 1e-3 … 3e-2, and the fastest with it
)
FROM_STABLE_RATE = 1e-3  # a larger one destroys the network at once, whatever x₂ is
LESS, MORE = 0.25, 4.0  # δ over the smallest gap: x₂ is the less, the more stable structure
TARGET = 0.05  # nats; a member stops there
RANDOM_SEED = 70_000  # of a second input that is independent of the label
DISTANCES = 12  # points of a network whose smallest perturbation is computed


@dataclass(frozen=True)
class Points:
    """The r points in the coordinates (t, u) in which networks train.

    t is x₁ with mean 0 and standard deviation 1 over the points. u is −strength where x₂ = 0 and
    +strength where x₂ = δ. If each input is standardised by itself, strength is 1 whatever δ is; on
    one common scale (`on_one_scale`) it is δ/2 in units of x₁'s standard deviation.

    Attributes:
        r: Number of points, at least 2.
        strength: Positive.
    """

    r: int
    strength: float = 1.0

    def __post_init__(self) -> None:
        if self.r < 2 or not self.strength > 0:
            raise ValueError(f"{self}; expected at least two points and a positive strength")

    @property
    def labels(self) -> Tensor:
        """(r,), 0 or 1."""
        return torch.tensor(stable.labels(self.r), dtype=torch.float64)

    @property
    def first(self) -> Tensor:
        """t, (r,), decreasing."""
        return standardised(self.r)[0]

    @property
    def gap(self) -> float:
        """The smallest distance of two points along t."""
        return float(stable.smallest_gap(self.r)) / standardised(self.r)[2]

    @property
    def tight(self) -> np.ndarray:
        """Points (r,) with a neighbour nearer than `MORE` times the smallest gap."""
        t = self.first.numpy()
        own = np.abs(np.diff(t, prepend=np.inf, append=-np.inf))
        return np.minimum(own[:-1], own[1:]) < MORE * self.gap

    def inputs(self, second: Tensor) -> Tensor:
        """(r, 2), with x₂ = δ·second for second (r,), 0 or 1."""
        return torch.stack((self.first, self.strength * (2 * second - 1)), 1)

    def training_set(self, second: Second, seed: int) -> Set:
        """Inputs and labels: x₂ by the label, zero, or a fair coin of this seed for each point."""
        if second not in get_args(Second):
            raise ValueError(f"second is {second!r}; expected one of {', '.join(get_args(Second))}")
        coins = torch.Generator().manual_seed(RANDOM_SEED + seed)
        bits = {
            "label": lambda: self.labels,
            "zero": lambda: torch.zeros(self.r, dtype=torch.float64),
            "random": lambda: torch.randint(2, (self.r,), generator=coins).double(),
        }
        return self.inputs(bits[second]()), self.labels


@cache
def standardised(r: int) -> tuple[Tensor, float, float]:
    """t (r,), and the mean and standard deviation of x₁ over the points (a = 1)."""
    x1 = torch.tensor([float(x) for x in stable.first_inputs(r)], dtype=torch.float64)
    mean, spread = float(x1.mean()), float(x1.std(correction=0))
    return (x1 - mean) / spread, mean, spread


def on_one_scale(r: int, ratio: float) -> Points:
    """Both inputs divided by x₁'s standard deviation; δ is `ratio` times the smallest gap."""
    return Points(r, ratio * Points(r).gap / 2)


# Training


def trained(
    width: int, cases: Sequence[Points], seeds: Sequence[int], second: Second, steps: int
) -> list[Dense]:
    """Networks of `width` ReLUs, one a case and seed, cases first, trained in one ensemble.

    Those that train with x₂ at zero are used with x₂ at zero too (`without_second`).
    Cases of fewer points are repeated as often as the largest one needs: the mean loss is the same.

    Raises:
        ValueError: a number of points doesn't divide the largest.
    """
    largest = max(case.r for case in cases)
    if any(largest % case.r for case in cases):
        sizes = sorted({case.r for case in cases})
        raise ValueError(f"sizes are {sizes}; expected divisors of the largest")
    sets = []
    for case in cases:
        own = [case.training_set(second, seed) for seed in seeds]
        if second != "random":  # one set for all seeds, held once
            own = own[:1] * len(seeds)
        times = largest // case.r
        tiled = {id(x): (x.repeat(times, 1), y.repeat(times)) for x, y in own}
        sets += [tiled[id(x)] for x, _ in own]
    schedule = Schedule(steps, target=TARGET, learning_rate=LEARNING_RATE)
    done = training.train(shallow(2, width), sets, list(seeds) * len(cases), schedule)
    networks = [exact.dense(done, member) for member in range(len(done))]
    if second != "zero":
        return networks
    places = [case for case in cases for _ in seeds]
    return [without_second(network, case) for network, case in zip(networks, places, strict=True)]


def without_second(network: Dense, points: Points) -> Dense:
    """The network with its second input held at x₂ = 0, which is u = −strength: it ignores x₂."""
    (inner, outer), (biases, bias) = network.weights, network.biases
    return Dense((inner * [1.0, 0.0], outer), (biases - points.strength * inner[:, 1], bias))


def group_point(
    *, width: int, sizes: list[int], seeds: int, second: str, steps: int
) -> pd.DataFrame:
    """A point of `phase`: networks of one width on several numbers of points."""
    cases = [Points(r) for r in sizes]
    networks = trained(width, cases, range(seeds), second, steps)  # type: ignore[arg-type]
    return _rows(networks, cases, width, seeds)


def phase(
    widths: Sequence[int],
    groups: Sequence[Sequence[int]],
    *,
    second: Second,
    seeds: int,
    steps: int,
) -> pd.DataFrame:
    """Networks of all widths on all numbers of points, each input standardised.

    Columns: width, r, seed, second and those of `measure`.

    Args:
        groups: Numbers of points that train together; each divides the largest of its group.
        second: The second input in training. All are measured with x₂ = δ times the label.
    """
    fixed = {"seeds": seeds, "second": second, "steps": steps}
    grid = [{"width": w, "sizes": list(g), **fixed} for w in widths for g in groups]
    return sweep(group_point, grid).drop(columns=["seeds", "steps"])


def scale_point(*, width: int, r: int, ratios: list[float], seeds: int, steps: int) -> pd.DataFrame:
    """A point of `scales`: networks of one width on r points, x₂ of several sizes."""
    cases = [on_one_scale(r, ratio) for ratio in ratios]
    networks = trained(width, cases, range(seeds), "label", steps)
    rows = _rows(networks, cases, width, seeds).assign(ratio=np.repeat(ratios, seeds))
    own = [case for case in cases for _ in range(seeds)]
    rows["relative"] = [relative_distance(n, case) for n, case in zip(networks, own, strict=True)]
    return rows


def scales(
    width: int, sizes: Sequence[int], ratios: Sequence[float], *, seeds: int, steps: int
) -> pd.DataFrame:
    """Networks on one common scale; δ is each of `ratios` times the smallest gap.

    Columns: width, r, seed, ratio, those of `measure`, and relative (`relative_distance`).
    """
    fixed = {"width": width, "ratios": list(ratios), "seeds": seeds, "steps": steps}
    return sweep(scale_point, [{"r": r, **fixed} for r in sizes]).drop(columns=["seeds", "steps"])


def from_stable(
    sizes: Sequence[int], *, ratio: float | None = None, second: Second = "label", steps: int
) -> pd.DataFrame:
    """Training that starts at the explicit network, for each number of points: `measure`'s columns.

    Args:
        ratio: As in `on_one_scale`; None: each input standardised.
    """
    rows = []
    for r in sizes:
        case = Points(r) if ratio is None else on_one_scale(r, ratio)
        network = _descend(explicit(case), case.training_set(second, 0), steps)
        if second == "zero":
            network = without_second(network, case)
        rows.append({"r": r} | measure(network, case, r - 2))
    return pd.DataFrame(rows)


def _descend(network: Dense, data: Set, steps: int) -> Dense:
    """Adam from the network's weights, scaled to a margin of one, on all points in each step."""
    x, y = data
    factor = 1 / np.abs(network(x.numpy())).min()
    (inner, outer), (biases, bias) = network.weights, network.biases
    # Both layers get the same share of the factor.
    start = (inner * factor**0.5, biases * factor**0.5, outer * factor**0.5, bias * factor)
    w, b, v, c = (torch.tensor(value, requires_grad=True) for value in start)
    optimiser = torch.optim.Adam([w, b, v, c], lr=FROM_STABLE_RATE)
    for _ in range(steps):
        optimiser.zero_grad()
        output = torch.relu(x @ w.T + b) @ v[0] + c
        binary_cross_entropy_with_logits(output, y).backward()
        optimiser.step()
    done = [value.detach().numpy() for value in (w, b, v, c)]
    return Dense((done[0], done[2]), (done[1], done[3]))


def _rows(
    networks: Sequence[Dense], cases: Sequence[Points], width: int, seeds: int
) -> pd.DataFrame:
    pairs = [(case, seed) for case in cases for seed in range(seeds)]
    return pd.DataFrame([
        {"width": width, "r": case.r, "seed": seed} | measure(network, case, width)
        for network, (case, seed) in zip(networks, pairs, strict=True)
    ])  # fmt: skip


# Measuring


def measure(network: Dense, points: Points, width: int) -> dict[str, float]:
    """What one network does on the points; shares are of all r points.

    Returns:
        accuracy: Right, with x₂ = δ·label.
        broken: Right, and wrong with x₂ = δ·(1 − label): one perturbation of x₂ for each label.
        reads: Sides with x₂ on that conflict set.
        turns: The same among the points whose stabler structure turns from x₁ to x₂ as δ grows from
            less than the smallest gap to `MORE` times as much: a neighbour is nearer than that.
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
    return {
        "accuracy": float(right.mean()),
        "broken": float(broken.mean()),
        "reads": float(against.mean()),
        "turns": float(against[points.tight].mean()),
        "follows": float((say(torch.zeros_like(points.labels)) == y).mean()),
        "pieces": pieces,
        "crossings": crossings,
        "slack": int(broken.sum() + 2 * (~right).sum()) - (points.r - width - 2),
    }


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


# Networks built by hand


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


def by_hand(
    build: Callable[[int, Points], Dense], widths: Iterable[int], cases: Iterable[Points]
) -> pd.DataFrame:
    """What `phase` gives, for networks that a function of width and points builds: one a cell."""
    places = list(cases)
    return pd.concat(
        [_rows([build(w, case) for case in places], places, w, 1) for w in widths],
        ignore_index=True,
    )
