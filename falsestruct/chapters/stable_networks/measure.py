"""Networks trained on points that a stable network of known size gets right (chapter 10).

Training (`trained`) and measuring (`measure`) are apart, so that networks built by hand
(`by_hand`) can be measured in place of trained ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from falsestruct.instability import exact
from falsestruct.instability.alternating import counts, explicit, relative_distance, without_second
from falsestruct.instability.exact import Dense
from falsestruct.learning import training
from falsestruct.learning.networks import shallow
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.alternating import Points, Second, on_one_scale
from falsestruct.sweep.grid import sweep

# The largest sign counts without x₂ among 1e-3 … 3e-2, and the fastest with it.
LEARNING_RATE = 1e-2
FROM_STABLE_RATE = 1e-3  # a larger one destroys the network at once, whatever x₂ is
LESS, MORE = 0.25, 4.0  # δ over the smallest gap: x₂ is the less, the more stable structure
TARGET = 0.05  # nats; a member stops there


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
    sizes: Sequence[int],
    *,
    ratio: float | None = None,
    second: Second = "label",
    seeds: int,
    steps: int,
) -> pd.DataFrame:
    """Training that starts at the explicit network, for each number of points: `measure`'s columns.

    A network is the same function however each ReLU's size is split between the two layers. A seed
    draws these splits; columns r and seed are in front.

    Args:
        ratio: As in `on_one_scale`; None: each input standardised.
    """
    tables = []
    for r in sizes:
        case = Points(r) if ratio is None else on_one_scale(r, ratio)
        networks = _descend(explicit(case), case.training_set(second, 0), seeds, steps)
        if second == "zero":
            networks = [without_second(network, case) for network in networks]
        tables.append(_rows(networks, [case], r - 2, seeds))
    return pd.concat(tables, ignore_index=True)


def _descend(network: Dense, data: Set, seeds: int, steps: int) -> list[Dense]:
    """Adam from the network's weights, scaled to a margin of one, on all points in each step.

    Of each ReLU the layers share that factor by a seed's draw, half and half up to twice as much.
    """
    x, y = data
    factor = 1 / np.abs(network(x.numpy())).min()
    (inner, outer), (biases, bias) = network.weights, network.biases
    draws = [torch.Generator().manual_seed(seed) for seed in range(seeds)]
    splits = torch.stack([torch.rand(len(biases), 1, generator=own).double() for own in draws])
    first = factor**0.5 * (math.log(2) * (2 * splits - 1)).exp().numpy()  # (seeds, ReLUs, 1)
    start = (
        inner * first, biases[:, None] * first,
        outer * (factor / first).swapaxes(1, 2), np.full((seeds, 1, 1), bias * factor),
    )  # fmt: skip
    w, b, v, c = parts = [torch.tensor(value, requires_grad=True) for value in start]
    optimiser = torch.optim.Adam(parts, lr=FROM_STABLE_RATE)
    for _ in range(steps):
        optimiser.zero_grad()
        output = (v @ torch.relu(w @ x.T + b) + c)[:, 0]  # (seeds, points)
        loss = binary_cross_entropy_with_logits(output, y.expand_as(output), reduction="none")
        loss.mean(1).sum().backward()
        optimiser.step()
    done = [value.detach().numpy() for value in parts]
    return [Dense((w, v), (b[:, 0], c[0])) for w, b, v, c in zip(*done, strict=True)]


def _rows(
    networks: Sequence[Dense], cases: Sequence[Points], width: int, seeds: int
) -> pd.DataFrame:
    pairs = [(case, seed) for case in cases for seed in range(seeds)]
    return pd.DataFrame([
        {"width": width, "r": case.r, "seed": seed} | measure(network, case, width)
        for network, (case, seed) in zip(networks, pairs, strict=True)
    ])  # fmt: skip


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
        "turns": float(against[points.tight(MORE)].mean()),
        "follows": float((say(torch.zeros_like(points.labels)) == y).mean()),
        "pieces": pieces,
        "crossings": crossings,
        "slack": int(broken.sum() + 2 * (~right).sum()) - (points.r - width - 2),
    }


def by_hand(
    build: Callable[[int, Points], Dense], widths: Iterable[int], cases: Iterable[Points]
) -> pd.DataFrame:
    """What `phase` gives, for networks that a function of width and points builds: one a cell."""
    places = list(cases)
    return pd.concat(
        [_rows([build(w, case) for case in places], places, w, 1) for w in widths],
        ignore_index=True,
    )
