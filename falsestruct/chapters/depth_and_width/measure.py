"""Networks of several depths, widths and kinds, on alternating points and on stripes (chapter 16).

Tables have a row a network. Training sets are all that there is, nine points or every stripe once:
seeds draw first weights and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from falsestruct import success
from falsestruct.learning import ensembles, lazy
from falsestruct.learning.deep import KINDS, deep, equal, weights
from falsestruct.learning.ensembles import Learner
from falsestruct.learning.halving import halved
from falsestruct.learning.networks import Architecture
from falsestruct.learning.schedule import Schedule
from falsestruct.problems.stripes import Stripes
from falsestruct.problems.tents import Tents
from falsestruct.sweep.grid import sweep
from falsestruct.theory import depth as theory

FIRST = 1000  # seed of the first network; smaller ones were for trials
TARGET = 0.01  # of the loss; one wrong label of 28 alone would make it ln 2 / 28

# Alternating points

SIX = weights(2, 64, 6)
SHAPES = {  # hidden layers, and ReLUs in each
    "two": (2, 64),
    "two, more weights": (2, equal(2, 2, SIX)),
    "three": (3, 64),
    "four": (4, 64),
    "six": (6, 64),
    "four of two": (4, 2),
}
RATES = (3e-3, 1e-3)  # of Adam
EVEN = 3e-4  # at which six layers take about as many steps as two wider ones at the larger rate
NAMES = {"two": "two", "two, more weights": "more", "six": "six"}  # with a hint of every size
COMPARED = tuple(NAMES)


def tents(sizes: Sequence[float], *, seeds: int, many: int, steps: int) -> pd.DataFrame:
    """All networks on alternating points; `sizes` are those of the hint.

    Columns: shape, k, size, rate, and those of `tents_point`.

    Args:
        seeds: Networks of a kind.
        many: With the faintest hint.
    """
    faint, loud = min(sizes), max(sizes)
    grid: list[dict[str, Any]] = [
        {"shape": shape, "k": 3, "size": size, "rate": rate}
        for shape in COMPARED
        for size in sizes
        for rate in (RATES if size == faint else RATES[:1])
    ]
    grid += [{"shape": "six", "k": 3, "size": faint, "rate": EVEN}]
    grid += [
        {"shape": shape, "k": k, "size": size, "rate": RATES[0]}
        for shape, k, size in (
            ("three", 3, loud), ("three", 3, 0.0), ("four", 4, 0.0), ("four of two", 4, 0.0),
        )
    ]  # fmt: skip
    for point in grid:
        count = many if point["size"] == faint else seeds
        point |= {"seeds": list(range(FIRST, FIRST + count)), "steps": steps}
    return sweep(tents_point, grid)


def tents_point(
    *, shape: str, k: int, size: float, rate: float, seeds: list[int], steps: int,
    learn: Learner | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Train some networks with Adam on the points of k tents: a row each.

    Columns: seed, loss, steps, reached, accuracy (share of the training points), capture (share of
    the points with the opposite hint on which the network says what the hint says).

    Args:
        size: Of the hint; 0: it is zero on all points.
    """
    problem, (depth, width) = Tents(k, size or 1.0), SHAPES[shape]
    known, other = problem.inputs("right" if size else "none"), problem.inputs("opposite")
    schedule = Schedule(steps, target=TARGET, learning_rate=rate)
    data = (known, problem.labels)
    asked = (learn or ensembles.train)(deep(2, width, depth), data, seeds, schedule)
    said = asked.labels(other.float())
    return asked.table(
        accuracy=success.accuracy(asked.labels(known.float()), problem.labels),
        capture=success.capture(said, problem.hint, problem.original, other),
    )


def sawtooths(ks: Sequence[int]) -> pd.DataFrame:
    """The k-fold tents along the first input, at their knots: columns k, x, value."""
    rows = [
        {"k": k, "x": float(t), "value": float(value)}
        for k in ks
        for t, value in theory.tents(k).along((theory.ZERO,) * 2, (theory.ONE, theory.ZERO))
    ]
    return pd.DataFrame(rows)


# Stripes

SMALL = Stripes(size=16)
WEIGHTS = weights(SMALL.size**2, 64, 1)  # of networks with one hidden layer of 64 ReLUs
POOLS: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "mean-pooled images": avg_pool2d,
    "max-pooled images": max_pool2d,
}


@dataclass(frozen=True)
class Arm:
    """A way to build networks for stripes, to train them on whole sets, and to ask them.

    Attributes:
        depth: Hidden layers.
        rate: Of learning. Chosen in trials with other seeds, so that arms that are compared need
            about as many steps.
        kind: Of `learning.deep`, or of images whose two by two pixels are pooled before.
        width: ReLUs in a layer; 0: as many as make about `WEIGHTS` weights.
        optimiser: Adam, or gradient descent without momentum.
        alpha: The factor of `learning.lazy`; 0: the output as it is.
        level: Share of the conflict set that is read by the colour from the place on.
        count: How many of them, by the name of the page's parameter.
    """

    depth: int
    rate: float
    kind: str = "plain"
    width: int = 0
    optimiser: Literal["adam", "sgd"] = "adam"
    alpha: float = 0.0
    level: float = success.TAKES
    count: Literal["few", "seeds", "many"] = "seeds"

    @property
    def network(self) -> Architecture:
        """What is trained."""
        inputs = SMALL.size**2 // (4 if self.kind in POOLS else 1)
        kind = self.kind if self.kind in KINDS else "plain"
        width = self.width or equal(inputs, self.depth, WEIGHTS)
        return deep(inputs, width, self.depth, kind=kind)

    @property
    def learner(self) -> Learner:
        """What trains it."""
        return lazy.learner(self.alpha) if self.alpha else ensembles.train

    def seen(self, images: Tensor) -> Tensor:
        """What a network sees of images (samples, side, side): (samples, inputs)."""
        pool = POOLS.get(self.kind)
        return (pool(images[:, None], 2) if pool else images).flatten(1)


# Rates are from trials with seeds below 500, which make steps about equal where claims say so.
ADAM = {1: 5.4e-4, 2: 3.6e-4, 4: 2.5e-4, 8: 2.1e-4}
DESCENT = {1: 0.1, 2: 0.06, 4: 0.045, 8: 0.05}
FACTORS = 0.07  # of descent with a large and with a small factor
HALF: Mapping[str, Any] = {"level": success.SIDES, "count": "few"}
ARMS = {
    "1": Arm(1, ADAM[1]),
    "2": Arm(2, ADAM[2], count="few"),
    "4": Arm(4, ADAM[4], count="many"),
    "8": Arm(8, ADAM[8]),
    "8 wide": Arm(8, 1.1e-4, width=64, count="few"),
    **{f"{d} descent": Arm(d, r, optimiser="sgd") for d, r in DESCENT.items()},
    "8 wide descent": Arm(8, 0.04, width=64, optimiser="sgd", count="few"),
    "1 half": Arm(1, 6.4e-4, **HALF),  # its offsets are smaller, and take more steps
    "8 half": Arm(8, ADAM[8], **HALF),
    "8 wide half": Arm(8, 1.1e-4, width=64, **HALF),
    "1 slow": Arm(1, ADAM[8]),
    "8 fast": Arm(8, ADAM[1]),
    "1 scaled": Arm(1, 4.3e-4, "scaled"),
    "8 scaled": Arm(8, 1.4e-4, "scaled"),
    "16 units": Arm(1, 1.3e-3, width=16),
    "256 units": Arm(1, 3.1e-4, width=256),
    "lazy": Arm(1, FACTORS, width=64, optimiser="sgd", alpha=100.0, count="few"),
    "rich": Arm(1, FACTORS, width=64, optimiser="sgd", alpha=0.1, count="few"),
    "skip connections": Arm(4, 2.2e-4, "skip connections", count="many"),
    "normalisation": Arm(4, 5.3e-4, "normalisation", count="many"),
    "mean-pooled images": Arm(4, 2.4e-4, "mean-pooled images", count="many"),
    "max-pooled images": Arm(4, 2.4e-4, "max-pooled images"),
}


def stripes(between: Sequence[float], *, halvings: int, steps: int, **counts: int) -> pd.DataFrame:
    """Networks of all `ARMS`, each where its seed changes over: as `stripes_point`, and arm.

    Args:
        counts: few, seeds and many: networks of an arm at each of the halvings.
    """
    grid: list[dict[str, Any]] = [
        {"arm": name, "between": list(between), "halvings": halvings, "steps": steps}
        | {"seeds": list(range(FIRST, FIRST + counts[arm.count]))}
        for name, arm in ARMS.items()
    ]
    return sweep(stripes_point, grid)


def stripes_point(
    *, arm: str, between: list[float], halvings: int, seeds: list[int], steps: int,
    learn: Learner | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Train networks of an arm on every stripe once: a row an offset a and a seed, by `halved`.

    Columns: seed, a, steps, reached (the loss), accuracy (share of the training set), colour (share
    of the conflict set that is read by colour), and what the arm's learner knows beside.
    """
    own, train = ARMS[arm], learn or ARMS[arm].learner
    schedule = Schedule(steps, target=TARGET, learning_rate=own.rate, optimizer=own.optimiser)

    def trained(offsets: Sequence[float]) -> pd.DataFrame:
        sets = [(own.seen(x), y) for x, y in map(SMALL.described, offsets)]
        asked, y = train(own.network, sets, seeds, schedule), sets[0][1]
        swapped = [own.seen(SMALL.conflict_set(a)[0]) for a in offsets]
        known, other = (
            success.accuracy(asked.labels(torch.stack(part).float(), own=True), y)
            for part in ([x for x, _ in sets], swapped)
        )  # labels of the conflict set are y as well: the colour says the opposite
        return asked.table(a=list(offsets), accuracy=known, colour=1 - other)

    return halved(trained, seeds, between, halvings, share="colour", level=own.level)


def counts() -> dict[str, float]:
    """For the prose: the loss; weights of what is compared; weights, units by depth, pooled."""
    found: dict[str, float] = {"target": TARGET}
    for shape, name in NAMES.items():
        depth, width = SHAPES[shape]
        found[f"weights_{name}"] = weights(2, width, depth)
    found["weights_wide"] = weights(SMALL.size**2, 64, 8)
    found["units_pooled"] = equal(SMALL.size**2 // 4, 4, WEIGHTS)
    for depth in ADAM:
        found[f"units_{depth}"] = width = equal(SMALL.size**2, depth, WEIGHTS)
        found[f"weights_{depth}"] = weights(SMALL.size**2, width, depth)
    return found
