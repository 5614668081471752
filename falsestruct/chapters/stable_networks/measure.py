"""Networks trained on points that a stable network of known size gets right (chapter 10).

Training is here and measuring in `instability.alternating`, so that networks built by hand can be
measured in place of trained ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from falsestruct.instability import alternating as hand
from falsestruct.instability import exact
from falsestruct.instability.exact import Dense
from falsestruct.learning import shallow, training
from falsestruct.learning.networks import shallow as one_layer
from falsestruct.learning.training import Schedule
from falsestruct.problems.alternating import Points, Second, on_one_scale
from falsestruct.sweep.grid import sweep

# The largest sign counts without x₂ among 1e-3 … 3e-2, and the fastest with it.
LEARNING_RATE = 1e-2
RATES = (1e-3, LEARNING_RATE)  # of training from the stable network, and of that beside it
LESS, MORE = 0.25, hand.WIDE  # δ over the smallest gap: x₂ is the less, the more stable structure
TARGET = 0.05  # nats; a member stops there
FIRST = 1000  # seed of the networks that were added later, which no trial had seen
# From where, x₂ in training, its size over the gap (0: each input standardised).
STARTS = (
    ("explicit", "label", 0.0), ("explicit", "zero", 0.0), ("explicit", "label", LESS),
    ("random", "label", 0.0), ("random", "label", LESS),
)  # fmt: skip


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
    done = training.train(one_layer(2, width), sets, list(seeds) * len(cases), schedule)
    networks = [exact.dense(done, member) for member in range(len(done))]
    if second != "zero":
        return networks
    places = [case for case in cases for _ in seeds]
    return [hand.without_second(n, case) for n, case in zip(networks, places, strict=True)]


def group_point(
    *, width: int, sizes: list[int], seeds: int, second: Second, steps: int, even: bool, first: int
) -> pd.DataFrame:
    """A point of `phase`: networks of one width on several numbers of points."""
    cases, names = [Points(r, even=even) for r in sizes], range(first, first + seeds)
    return hand.rows(trained(width, cases, names, second, steps), cases, width, names)


def phase(
    widths: Sequence[int],
    groups: Sequence[Sequence[int]],
    *,
    second: Second,
    seeds: int,
    steps: int,
    even: bool = False,
    first: int = 0,
) -> pd.DataFrame:
    """Networks of all widths on all numbers of points, each input standardised.

    Columns: width, r, seed, second, even and those of `hand.measure`.

    Args:
        groups: Numbers of points that train together; each divides the largest of its group.
        second: The second input in training. All are measured with x₂ = δ times the label.
        even: The points are evenly spaced.
        first: The first seed.
    """
    fixed = {"seeds": seeds, "second": second, "steps": steps, "even": even, "first": first}
    grid = [{"width": w, "sizes": list(g), **fixed} for w in widths for g in groups]
    return sweep(group_point, grid).drop(columns=["seeds", "steps", "first"])


def apart(widths: Sequence[int], *, seeds: int, steps: int) -> pd.DataFrame:
    """Ten and twenty points, evenly spaced and crowded, with and without x₂: `phase`'s columns."""
    fixed = {"seeds": seeds, "steps": steps, "first": FIRST}
    return pd.concat(
        [
            phase(widths, [[10, 20]], second=second, even=even, **fixed)
            for second in ("label", "zero")
            for even in (True, False)
        ],  # type: ignore[list-item]
        ignore_index=True,
    )


def scale_point(
    *, width: int, r: int, ratios: list[float], seeds: int, steps: int, even: bool
) -> pd.DataFrame:
    """A point of `scales`: networks of one width on r points, x₂ of several sizes."""
    cases = [on_one_scale(r, ratio, even=even) for ratio in ratios]
    names = range(FIRST, FIRST + seeds) if even else range(seeds)
    networks = trained(width, cases, names, "label", steps)
    rows = hand.rows(networks, cases, width, names).assign(ratio=np.repeat(ratios, seeds))
    own = [case for case in cases for _ in names]
    rows["relative"] = [
        hand.relative_distance(n, case) for n, case in zip(networks, own, strict=True)
    ]
    return rows


def scales(
    width: int,
    sizes: Sequence[int],
    ratios: Sequence[float],
    *,
    seeds: int,
    steps: int,
    even: bool = False,
) -> pd.DataFrame:
    """Networks on one common scale; δ is each of `ratios` times the smallest gap.

    Columns: width, r, seed, even, ratio, relative (`relative_distance`), those of `hand.measure`.
    """
    fixed = {"width": width, "ratios": list(ratios), "seeds": seeds, "steps": steps, "even": even}
    return sweep(scale_point, [{"r": r, **fixed} for r in sizes]).drop(columns=["seeds", "steps"])


def start_point(
    *, r: int, start: str, second: Second, ratio: float, rate: float, seeds: int, steps: int
) -> pd.DataFrame:
    """A point of `started`: r − 2 ReLUs, Adam on all r points in each step, to the last one."""
    case, names = on_one_scale(r, ratio) if ratio else Points(r), range(FIRST, FIRST + seeds)
    begin = shallow.glorot(names, 2, r - 2)
    if start == "explicit":
        begin = hand.splits(hand.explicit(case), case, names)
    (networks,) = shallow.train(
        begin, shallow.make_batches([case.training_set(second, 0)] * seeds, r), seeds=names,
        steps=steps, observe=lambda _, ensemble: hand.members(ensemble), learning_rate=rate,
    )  # fmt: skip
    if second == "zero":
        networks = [hand.without_second(network, case) for network in networks]
    return hand.rows(networks, [case], r - 2, names)


def started(sizes: Sequence[int], *, seeds: int, steps: int) -> pd.DataFrame:
    """Training from the explicit network and from random weights, with equal budgets.

    Columns: r, seed, start, second, ratio, rate, those of `hand.measure`; for all `STARTS` and
    `RATES`. From the explicit network a seed draws what `splits` does.
    """
    grid = [
        dict(r=r, start=start, second=second, ratio=ratio, rate=rate, seeds=seeds, steps=steps)
        for start, second, ratio in STARTS
        for rate in RATES
        for r in sizes
    ]
    return sweep(start_point, grid).drop(columns=["seeds", "steps"])
