"""Networks trained on points that a stable network of known size gets right (chapter 10).

Training is here and measuring in `instability.alternating`, so that networks built by hand can be
measured in place of trained ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from torch import Tensor

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
SECONDS: tuple[Second, ...] = ("label", "zero")
TARGET = 0.05  # nats; a member stops there
# From where, and the size of x₂ over the gap, 0 where each input is standardised. "alone" is the
# explicit network, trained with x₂ at zero on the same scale.
STARTS = (
    ("explicit", 0.0), ("explicit", LESS), ("random", 0.0), ("random", LESS),
    ("alone", 0.0), ("alone", LESS),
)  # fmt: skip


def fresh(seeds: int) -> range:
    """Seeds of the networks that were added last: no trial had seen them."""
    return range(1000, 1000 + seeds)


def trained(
    width: int, cases: Sequence[Points], seeds: Sequence[int], second: Second, steps: int,
    *, biased: bool = False,
) -> list[Dense]:  # fmt: skip
    """Networks of `width` ReLUs, one a case and seed, cases first, trained in one ensemble.

    Those that train with x₂ at zero are used with x₂ at zero too (`without_second`).
    Cases of fewer points are repeated as often as the largest one needs: the mean loss is the same.

    Args:
        biased: Biases begin as weights do, not at zero: they are those of a third input, always 1.

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
        wide = hand.with_constant if biased else Tensor.clone
        tiled = {id(x): (wide(x).repeat(times, 1), y.repeat(times)) for x, y in own}
        sets += [tiled[id(x)] for x, _ in own]
    schedule = Schedule(steps, target=TARGET, learning_rate=LEARNING_RATE)
    done = training.train(one_layer(2 + biased, width), sets, list(seeds) * len(cases), schedule)
    networks = [hand.without_constant(exact.dense(done, member)) for member in range(len(done))]
    if second != "zero":
        return networks
    places = [case for case in cases for _ in seeds]
    return [hand.without_second(n, case) for n, case in zip(networks, places, strict=True)]


def group_point(
    *, width: int, sizes: list[int], seeds: list[int], second: Second, steps: int, even: bool
) -> pd.DataFrame:
    """A point of `phase`: networks of one width on several numbers of points."""
    cases = [Points(r, even=even) for r in sizes]
    return hand.rows(trained(width, cases, seeds, second, steps), cases, width, seeds)


def phase(
    widths: Sequence[int],
    groups: Sequence[Sequence[int]],
    *,
    second: Second,
    seeds: Sequence[int],
    steps: int,
    even: bool = False,
) -> pd.DataFrame:
    """Networks of all widths on all numbers of points, each input standardised.

    Columns: width, r, seed, second, even and those of `hand.measure`.

    Args:
        groups: Numbers of points that train together; each divides the largest of its group.
        second: The second input in training. All are measured with x₂ = δ times the label.
        even: The points are evenly spaced.
    """
    fixed = {"seeds": list(seeds), "second": second, "steps": steps, "even": even}
    grid = [{"width": w, "sizes": list(g), **fixed} for w in widths for g in groups]
    return sweep(group_point, grid).drop(columns=["steps"])


def apart(widths: Sequence[int], *, seeds: Sequence[int], steps: int) -> pd.DataFrame:
    """Ten and twenty points, evenly spaced and crowded, with and without x₂: `phase`'s columns."""
    tables = [
        phase(widths, [[10, 20]], second=second, seeds=seeds, steps=steps, even=even)
        for second in SECONDS
        for even in (True, False)
    ]
    return pd.concat(tables, ignore_index=True)


def scale_point(
    *, width: int, r: int, ratios: list[float], seeds: list[int], steps: int, even: bool
) -> pd.DataFrame:
    """A point of `scales`: networks of one width on r points, x₂ of several sizes."""
    parts = []
    for ratio in ratios:
        case = on_one_scale(r, ratio or LESS, even=even)
        second: Second = "label" if ratio else "zero"
        networks = trained(width, [case], seeds, second, steps, biased=even)
        relative = [hand.relative_distance(network, case) for network in networks]
        rows = hand.rows(networks, [case], width, seeds)
        parts.append(rows.assign(ratio=ratio, relative=relative))
    return pd.concat(parts, ignore_index=True)


def scales(
    width: int,
    sizes: Sequence[int],
    ratios: Sequence[float],
    *,
    seeds: Sequence[int],
    steps: int,
    even: bool = False,
) -> pd.DataFrame:
    """Networks on one common scale; δ is each of `ratios` times the smallest gap.

    Columns: width, r, seed, even, ratio, relative (`relative_distance`), those of `hand.measure`.
    Rows of ratio 0 have x₂ at zero in training, on the scale of `LESS`.

    Args:
        even: Evenly spaced points, and biases that are drawn: without x₂ training finds x₁'s rule.
    """
    fixed = {"width": width, "ratios": [0.0, *ratios], "steps": steps, "even": even}
    grid = [{"r": r, "seeds": list(seeds), **fixed} for r in sizes]
    return sweep(scale_point, grid).drop(columns=["steps"])


def start_point(
    *, r: int, start: str, ratio: float, rate: float, seeds: list[int], steps: int
) -> pd.DataFrame:
    """A point of `started`: r − 2 ReLUs, Adam on all r points in each step, to the last one."""
    case = on_one_scale(r, ratio) if ratio else Points(r)
    begin = shallow.glorot(seeds, 2, r - 2)
    if start != "random":
        begin = hand.splits(hand.explicit(case), case, seeds)
    data = case.training_set("zero" if start == "alone" else "label", 0)
    (networks,) = shallow.train(
        begin, shallow.make_batches([data] * len(seeds), r), seeds=seeds, steps=steps,
        observe=lambda _, ensemble: hand.members(ensemble), learning_rate=rate,
    )  # fmt: skip
    if start == "alone":
        networks = [hand.without_second(network, case) for network in networks]
    return hand.rows(networks, [case], r - 2, seeds)


def started(sizes: Sequence[int], *, seeds: Sequence[int], steps: int) -> pd.DataFrame:
    """Training from the explicit network and from random weights, with equal budgets.

    Columns: r, seed, start, ratio, rate, those of `hand.measure`; for all `STARTS` and `RATES`.
    From the explicit network a seed draws what `splits` does.
    """
    fixed = {"seeds": list(seeds), "steps": steps}
    grid = [
        {"r": r, "start": start, "ratio": ratio, "rate": rate, **fixed}
        for start, ratio in STARTS
        for rate in RATES
        for r in sizes
    ]
    return sweep(start_point, grid).drop(columns=["steps"])
