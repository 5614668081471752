"""Estimates: a value with its interval, and the interval that follows from what was sampled.

Which function serves which design:

- counted, proved, or a run without chance: `exact`; nobody qualified: `Nobody`;
- independent outcomes, true or false (one a network, or fresh inputs to one): `proportion`;
- few networks, one number each: `mean`, `median`, `geometric_mean`; both ways: `paired_difference`,
  `ratio`; is a further number of the same kind: `prediction`;
- networks × inputs, both sampled: `two_way`;
- clusters sampled (images of one origin, architectures that stand for more): `clustered`; groups
  that are all there are (the five architectures of a sentence that names them): `stratified`.

A sampled quantity never gets an interval of width 0. Two floors widen the mean of few networks:
an event that n independent draws didn't show may have a probability up to u = 1 − α^(1/n), by
mid-P. Values without any spread may so often hide one at the far bound (or, without bounds, one
`resolution` away): the interval reaches u times as far. So may values near a bound that are as far
apart as they are from it: then the law is skewed, and Student's t too short. To its half width
u·room·min(1, s/d)³ is added in quadrature, towards the far bound: room to that bound, standard
deviation s, distance d of the mean to the near bound. The form comes from simulation: it covers all
beta laws that were tried, and widens nothing where the values agree well away from the bounds.
There they hint at no failure, and no interval of few values guards against one that is rare.

`benchmarks/coverage.py` measures the coverage of each design. scipy.stats is imported by the
functions that need it: it takes longer than all else that the command line loads, and that only
handles estimates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

LEVEL = 0.95
LEVELS = (0.5, 0.8, 0.9, LEVEL, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999)
ALPHAS = tuple(round(1 - level, 4) for level in LEVELS)
TINY = 1e-12  # values that differ by less, relatively, are equal but for rounding
SMALL = 1e-100  # squares of smaller values aren't numbers any more
LOGS = 700.0  # beyond it, exp is not a finite number
FACTOR = 2.0  # between geometric means without spread, if nothing better is known

Values = Sequence[float] | np.ndarray
Bounds = tuple[float, float]
Reach = tuple[np.ndarray, np.ndarray]  # below and above the value, at each of LEVELS


@dataclass(frozen=True)
class Estimate:
    """A number and how sure it is.

    Attributes:
        value: The estimate.
        low, high: Its 95 % interval, low ≤ high; equal to the value if the number is exact. A
            prediction interval need not be centred on the value.
        n: Number of independent units (networks, unless the measure says otherwise).
        method: How the interval was made.
        ends: The interval at each of LEVELS, each inside the next; empty if the number is exact.
            Lists, as JSON gives them, become tuples.
    """

    value: float
    low: float
    high: float
    n: int
    method: str
    ends: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        numbers = self.value, self.low, self.high
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"value and interval are {numbers}; expected finite numbers")
        if self.low > self.high:
            raise ValueError(f"the interval is [{self.low}, {self.high}]; expected low ≤ high")
        if self.n < 1:
            raise ValueError(f"n is {self.n}; expected at least 1")
        object.__setattr__(self, "ends", tuple((low, high) for low, high in self.ends))
        if self.ends:
            self._check_ends()

    def _check_ends(self) -> None:
        if len(self.ends) != len(LEVELS):
            raise ValueError(f"{len(self.ends)} intervals; expected one at each of {LEVELS}")
        if not all(math.isfinite(end) for pair in self.ends for end in pair):
            raise ValueError(f"ends are {self.ends}; expected finite numbers")
        inner = (self.ends[0][::-1], *self.ends[:-1])  # the first must only be in order
        for (low, high), (lower, higher) in zip(inner, self.ends, strict=True):
            if lower > low or high > higher:
                raise ValueError(
                    f"[{low}, {high}] is not inside [{lower}, {higher}]; expected nested ends"
                )
        if self.at(LEVEL) != (self.low, self.high) or self.low == self.high:
            raise ValueError(
                f"the interval is [{self.low}, {self.high}], its end at {LEVEL} "
                f"{list(self.at(LEVEL))}; expected the same, and wider than 0: take `exact` for "
                "what is not sampled"
            )

    def at(self, level: float) -> tuple[float, float]:
        """Its interval at one of LEVELS; (value, value) if the number is exact.

        Raises:
            ValueError: Another level, or an interval that was never made at this one.
        """
        if level not in LEVELS:
            raise ValueError(f"level is {level}; expected one of {LEVELS}")
        if self.ends:
            return self.ends[LEVELS.index(level)]
        if level != LEVEL and self.low < self.high:
            raise ValueError(f"no interval at level {level}, only at {LEVEL}; measure again")
        return self.low, self.high

    def __neg__(self) -> Estimate:
        """The estimate of −value."""
        ends = tuple((-high, -low) for low, high in self.ends)
        return Estimate(-self.value, -self.high, -self.low, self.n, self.method, ends)


@dataclass(frozen=True)
class Nobody:
    """No estimate, because too few networks qualify for one: a claim about them stays open.

    Attributes:
        reason: Why, for a person.
        n: How many qualified.
    """

    reason: str
    n: int = 0


def exact(value: float, n: int = 1) -> Estimate:
    """A number without statistical error: counted, proved, or from a run without chance."""
    return Estimate(float(value), float(value), float(value), n, "exact")


def proportion(outcomes: Sequence[bool] | np.ndarray) -> Estimate:
    """Share of outcomes that are true, of independent draws, with the mid-P interval.

    Clopper and Pearson's interval with half the probability of what was seen (Lancaster 1961):
    exact but for the discreteness, and shorter. 20 of 20 give [0.861, 1]. If networks and inputs
    are both sampled, the draws aren't independent: `two_way`.

    Args:
        outcomes: True or false, (n,), n ≥ 1.

    Raises:
        ValueError: No outcomes, or others than true and false.
    """
    values = np.asarray(outcomes)
    if values.dtype != bool:
        raise ValueError(f"outcomes have dtype {values.dtype}; expected bool")
    _need(values, 1)
    n, k = len(values), int(values.sum())
    return _estimate(k / n, _mid_p(k, n), 1 - _mid_p(n - k, n), n, "mid-P")


def mean(
    values: Values, *, bounds: Bounds | None = None, resolution: float | None = None
) -> Estimate:
    """Mean of independent units, few of them: Student's t, and the floors of the module.

    Args:
        values: One number a unit, (n,), n ≥ 2.
        bounds: What values can be at least and at most; (0, 1) for shares. Without them nothing
            guards against skewed laws.
        resolution: Smallest difference that two values can show, > 0: how far an unseen value is
            off, if there are no bounds. None: the size of the values (1 if that is 0), if all are
            equal.

    Raises:
        ValueError: Fewer than two values, or one that is not finite or out of bounds.
    """
    numbers = _numbers(values, bounds)
    reach = _reach(_half(numbers), _floor(numbers, bounds, resolution))
    return _around(float(numbers.mean()), reach, len(numbers), "Student's t", bounds=bounds)


def median(values: Values, *, resolution: float | None = None) -> Estimate:
    """Median of independent units, with order statistics for ends.

    P(x₍ᵣ₎ ≤ median ≤ x₍ₙ₊₁₋ᵣ₎) ≥ 1 − 2 P(B < r) with B binomial (n, ½), whatever the law. Such an
    interval exists at 95 % from six values on, at 99.99 % from fifteen. Where n is too small for a
    level, no interval holds for every law: then it is the range of the values, widened to Student's
    t interval of the mean. That is enough for normal values, and long tails widen it.

    Args:
        values: One number a unit, (n,), n ≥ 2.
        resolution: Smallest difference that two values can show, > 0: how far an unseen value is
            off, where both ends fall on one value. None: the range of the values; if all are
            equal, as for `mean`.

    Raises:
        ValueError: As `mean`.
    """
    numbers = np.sort(_numbers(values))
    n, value, rank = len(numbers), float(np.median(numbers)), _ranks(len(numbers))
    low, high = numbers[np.maximum(rank, 1) - 1], numbers[n - np.maximum(rank, 1)]
    half, few = _half(numbers), rank == 0
    low = np.where(few, np.minimum(low, numbers.mean() - half), low)
    high = np.where(few, np.maximum(high, numbers.mean() + half), high)
    if resolution is None and _vary(numbers):
        resolution = float(np.ptp(numbers))
    tied = high - low <= TINY * np.abs(numbers).max()
    off = np.where(tied, _unseen(n) * _step(value, resolution), 0.0)
    return _estimate(value, low - off, high + off, n, "order statistics")


def geometric_mean(values: Values, *, resolution: float | None = None) -> Estimate:
    """Geometric mean of positive values: Student's t on their logarithms.

    Args:
        values: One positive number a unit, (n,), n ≥ 2.
        resolution: Smallest factor between two values that differ, > 1. None: 2, if all are equal.

    Raises:
        ValueError: As `mean`, or a value that is not positive.
    """
    numbers = _numbers(values)
    if (numbers <= 0).any():
        raise ValueError(f"the smallest value is {numbers.min()}; expected positive values")
    if resolution is not None and resolution <= 1:
        raise ValueError(f"resolution is {resolution}; expected a factor above 1")
    logs = np.log(numbers)
    factor = resolution or (1.0 if _vary(logs) else FACTOR)
    return exponential(mean(logs, resolution=math.log(factor) or None))


def exponential(log: Estimate) -> Estimate:
    """The estimate of e^q from the estimate of q, a mean of logarithms; ends stay finite."""
    lows, highs = np.exp(np.clip(np.transpose(log.ends), -LOGS, LOGS))
    method = f"{log.method} of the logarithms"
    return _estimate(math.exp(log.value), lows, highs, log.n, method)


def ratio(numerators: Values, denominators: Values, *, resolution: float | None = None) -> Estimate:
    """Geometric mean of numerator / denominator over units that were measured both ways.

    Student's t on the logarithms, not Fieller's interval of the ratio of means: sizes and norms
    differ between networks by factors, the swapped ratio has the swapped interval, and with few
    networks Fieller's can be the whole line.

    Args:
        numerators, denominators: Two positive numbers a unit, (n,) each, n ≥ 2.
        resolution: As for `geometric_mean`.

    Raises:
        ValueError: As `geometric_mean`, or shapes that differ.
    """
    above, below = _pairs(numerators, denominators)
    smallest = min(above.min(), below.min())
    if smallest <= 0:
        raise ValueError(f"the smallest value is {smallest}; expected positive values")
    return geometric_mean(above / below, resolution=resolution)


def paired_difference(
    left: Values, right: Values, *, bounds: Bounds | None = None, resolution: float | None = None
) -> Estimate:
    """Mean of left − right over units that were measured both ways: as `mean`.

    The floor against skewed laws is the larger one of both sides: what was never seen can befall
    either.

    Args:
        left, right: Two numbers a unit, (n,) each, n ≥ 2.
        bounds: Of left and of right, not of their difference.
        resolution: As for `mean`.

    Raises:
        ValueError: As `mean`, or shapes that differ.
    """
    first, second = _pairs(left, right, bounds)
    numbers = first - second
    numbers[np.abs(numbers) <= TINY * np.abs([first, second]).max()] = 0  # but for rounding, equal
    n, value = len(numbers), float(numbers.mean())
    around = None if bounds is None else (bounds[0] - bounds[1], bounds[1] - bounds[0])
    floors = [_blank(value, n, around, resolution)]
    if _vary(numbers, around):
        (fall, rise), (down, up) = (_tail(side, bounds, resolution) for side in (first, second))
        floors = [(fall, rise), (up, down)]
    reach = _reach(_half(numbers), *floors)
    return _around(value, reach, n, "Student's t of the differences", bounds=around)


def prediction(values: Values, *, resolution: float | None = None) -> Estimate:
    """Mean of the values, with the interval that holds one further value.

    Student's t for normal values: mean ± t·s·√(1 + 1/n). It answers "could this number have come
    from the same process?". Equal values give ± one `resolution`.

    Args:
        values: One number a unit, (n,), n ≥ 2.
        resolution: As for `mean`.

    Raises:
        ValueError: As `mean`.
    """
    numbers = _numbers(values)
    n, centre = len(numbers), float(numbers.mean())
    half = _half(numbers) * math.sqrt(n + 1)
    if resolution is not None or not _vary(numbers):
        half = np.maximum(half, _step(centre, resolution))
    return _around(centre, (half, half), n, "t prediction interval")


def two_way(values: Sequence[Values] | np.ndarray, *, bounds: Bounds | None = None) -> Estimate:
    """Mean over networks × inputs, both sampled: Student's t on the crossed variance.

    The variance is var(row means)/s + var(column means)/m − residual/(s·m) (two-way random
    effects; Cornfield and Tukey 1956), at least the larger one of the first two, with
    min(s, m) − 1 degrees of freedom: many inputs don't make up for few networks. The floor against
    skewed laws counts networks or inputs, whichever reaches further.

    NaN marks a cell that doesn't qualify (an input that this network misreads). All cells that do
    count the same, since the sentence is about them: a network with more of them weighs more. The
    variance is then that of a ratio of means, linearised: deviations from the mean over the share
    of cells that qualify. Rows and columns without any are left out.

    Args:
        values: One number a cell, (s, m): s networks × m inputs, both ≥ 2.
        bounds: As for `mean`.

    Returns:
        With n = s.

    Raises:
        ValueError: Fewer rows or columns that qualify, or a value infinite or out of bounds.
    """
    cells = np.asarray(values, dtype=float)
    if cells.ndim == 2:
        seen = ~np.isnan(cells)
        cells = cells[seen.any(1)][:, seen.any(0)]
    if cells.ndim != 2 or min(cells.shape) < 2:
        raise ValueError(
            f"values that qualify have shape {cells.shape}; expected (networks, inputs), both ≥ 2: "
            "take `mean` or `proportion` if only one is sampled"
        )
    known, least = _numbers(cells[~np.isnan(cells)], bounds), min(cells.shape)
    value = float(known.mean())
    floors = [_tail(np.nanmean(cells, axis), bounds, None) for axis in (1, 0)]
    if not _vary(known, bounds):
        floors = [_blank(value, least, bounds, None)]
    reach = _reach(_t(least - 1) * math.sqrt(_crossed(cells, value)), *floors)
    s, m = cells.shape
    return _around(value, reach, s, f"Student's t, {s} networks × {m} inputs", bounds=bounds)


def clustered(
    values: Values,
    clusters: Sequence[object] | np.ndarray,
    *,
    bounds: Bounds | None = None,
    resolution: float | None = None,
) -> Estimate:
    """Mean over clusters that were sampled themselves: Student's t over the clusters' means.

    The mean of a cluster carries what varies inside it, so networks in architectures, or inputs
    made from one image, need no second term. Each cluster counts the same, whatever its size.

    Args:
        values: One number a unit, (n,).
        clusters: The cluster of each, (n,), at least two different ones.
        bounds: As for `mean`.
        resolution: As for `mean`, if all clusters' means are equal.

    Returns:
        With n the number of clusters.

    Raises:
        ValueError: As `mean`, or shapes that differ, or one cluster.
    """
    parts = _grouped(_numbers(values, bounds), clusters)
    means = np.array([part.mean() for part in parts])
    step = None if _vary(means, bounds) else resolution
    found = mean(means, bounds=bounds, resolution=step)
    return replace(found, method=f"Student's t over {len(parts)} clusters")


def stratified(
    values: Values,
    strata: Sequence[object] | np.ndarray,
    *,
    bounds: Bounds | None = None,
    resolution: float | None = None,
) -> Estimate:
    """Mean over groups that are all there are; only the units inside of each were sampled.

    As for the five architectures of a sentence that names them: it says nothing about a sixth.
    Each stratum counts the same. Student's t with Welch and Satterthwaite's degrees of freedom
    (Satterthwaite 1946), at least the smallest stratum's. An unseen event may be in any stratum:
    the floor counts all units, and takes the mean of the strata's floors.

    Args:
        values: One number a unit, (n,).
        strata: The stratum of each, (n,), at least two, with two units or more in each.
        bounds: As for `mean`.
        resolution: As for `mean`, of strata whose values are all equal.

    Returns:
        With n the number of units.

    Raises:
        ValueError: As `mean`, or shapes that differ, or a stratum of one.
    """
    numbers = _numbers(values, bounds)
    parts = _grouped(numbers, strata)
    least = min(len(part) for part in parts)
    if least < 2:
        raise ValueError(f"the smallest stratum has {least} value; expected at least 2 in each")
    variances = np.array([part.var(ddof=1) / len(part) for part in parts])
    half, floors = np.zeros(len(LEVELS)), list[Reach]()
    for part in parts:
        step = None if _vary(part, bounds) else resolution
        floors.append(_floor(part, bounds, step, n=len(numbers)))
    if variances.any():
        own = variances**2 / [len(part) - 1 for part in parts]
        freedom = max(variances.sum() ** 2 / own.sum(), least - 1)
        half = _t(float(freedom)) * math.sqrt(variances.sum()) / len(parts)
    value = float(np.mean([part.mean() for part in parts]))
    floor = np.mean(floors, axis=0)
    method = f"Student's t in {len(parts)} strata"
    return _around(value, _reach(half, floor), len(numbers), method, bounds=bounds)


def alpha(estimate: Estimate, holds: Callable[[float, float], bool]) -> float | None:
    """The p-value of a verdict, by inversion of the interval: p is at most what is returned.

    Args:
        estimate: With its ends.
        holds: Whether the verdict follows from an interval (low, high).

    Returns:
        The smallest α of ALPHAS for which it follows from the 1 − α interval: from 0.0001, and 1
        if it follows from none. None if the estimate is exact.

    Raises:
        ValueError: An interval that was only made at one level.
    """
    if not estimate.ends and estimate.low == estimate.high:
        return None
    fulfilled = [a for a, level in zip(ALPHAS, LEVELS, strict=True) if holds(*estimate.at(level))]
    return min(fulfilled, default=1.0)


def holm(p: Values) -> np.ndarray:
    """p-values adjusted for the chance of any false rejection (Holm 1979), (n,) in their order.

    Raises:
        ValueError: A number outside of [0, 1].
    """
    numbers = _numbers(p, (0, 1), least=0)
    order = np.argsort(numbers)
    steps = np.maximum.accumulate(np.arange(len(numbers), 0, -1) * numbers[order])
    adjusted = np.empty(len(numbers))
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


def benjamini_hochberg(p: Values) -> np.ndarray:
    """p-values adjusted for the share of false rejections (Benjamini and Hochberg 1995): as `holm`.

    Through `scipy.stats.false_discovery_control`; holds for p-values that are independent or
    positively dependent.
    """
    from scipy import stats

    numbers = _numbers(p, (0, 1), least=0)
    return np.asarray(stats.false_discovery_control(numbers)) if len(numbers) else numbers


def _estimate(value: float, lows: np.ndarray, highs: np.ndarray, n: int, method: str) -> Estimate:
    """Ends that hold the value and are nested: rounding, or a floor, may break either by a hair."""
    lows = np.minimum.accumulate(np.minimum(lows, value))
    highs = np.maximum.accumulate(np.maximum(highs, value))
    ends = tuple(zip(lows.tolist(), highs.tolist(), strict=True))
    return Estimate(value, *ends[LEVELS.index(LEVEL)], n, method, ends)


def _around(
    value: float, reach: Reach, n: int, method: str, *, bounds: Bounds | None = None
) -> Estimate:
    lowest, highest = bounds or (-math.inf, math.inf)
    lows, highs = np.maximum(value - reach[0], lowest), np.minimum(value + reach[1], highest)
    return _estimate(value, lows, highs, n, method)


@lru_cache(maxsize=1024)
def _t(freedom: float) -> np.ndarray:
    """Student's t, two-sided, at each of LEVELS."""
    from scipy import stats

    return np.asarray(stats.t.isf(np.divide(ALPHAS, 2), freedom))


def _half(numbers: np.ndarray) -> np.ndarray:
    return _t(len(numbers) - 1) * float(numbers.std(ddof=1)) / math.sqrt(len(numbers))


def _unseen(n: int) -> np.ndarray:
    """Probability up to which an event may have and still be absent from n draws, by mid-P."""
    return 1 - np.power(ALPHAS, 1 / n)


def _reach(half: np.ndarray, *floors: Reach) -> Reach:
    """The half width and the largest floor, in quadrature: at their larger one, networks that are
    right on all or on nothing are covered as rarely as .87."""
    down, up = (np.hypot(half, np.maximum.reduce(side)) for side in zip(*floors, strict=True))
    return down, up


def _floor(
    numbers: np.ndarray, bounds: Bounds | None, resolution: float | None, *, n: int | None = None
) -> Reach:
    if _vary(numbers, bounds):
        return _tail(numbers, bounds, resolution, n=n)
    return _blank(float(numbers.mean()), n or len(numbers), bounds, resolution)


def _tail(
    numbers: np.ndarray, bounds: Bounds | None, resolution: float | None, *, n: int | None = None
) -> Reach:
    """The floor for values that vary; n: if not theirs."""
    unseen = _unseen(n or len(numbers))
    if bounds is None:
        return (unseen * (0.0 if resolution is None else _step(0.0, resolution)),) * 2
    centre, spread = float(numbers.mean()), float(numbers.std(ddof=1))
    below, above = max(centre - bounds[0], 0.0), max(bounds[1] - centre, 0.0)
    down = below * (spread / above if spread < above else 1.0) ** 3
    up = above * (spread / below if spread < below else 1.0) ** 3
    return unseen * down, unseen * up


def _blank(value: float, n: int, bounds: Bounds | None, resolution: float | None) -> Reach:
    """The floor for values that are all equal."""
    if bounds is None:
        return (_unseen(n) * _step(value, resolution),) * 2
    return _unseen(n) * (value - bounds[0]), _unseen(n) * (bounds[1] - value)


def _step(value: float, resolution: float | None) -> float:
    if resolution is not None and resolution <= 0:
        raise ValueError(f"resolution is {resolution}; expected a positive number")
    return resolution or abs(value) or 1.0


def _vary(numbers: np.ndarray, bounds: Bounds | None = None) -> bool:
    """Whether values differ by more than rounding, against their bounds or else their size."""
    scale = float(np.abs(numbers).max()) if bounds is None else bounds[1] - bounds[0]
    return bool(np.ptp(numbers) > TINY * max(scale, SMALL))


def _crossed(cells: np.ndarray, value: float) -> float:
    """Variance of the mean of a matrix with NaN, rows and columns sampled; see `two_way`."""
    seen, (s, m) = ~np.isnan(cells), cells.shape
    off = np.where(seen, cells - value, 0.0) / seen.mean()
    rows, columns = off.mean(1), off.mean(0)
    parts = rows.var(ddof=1) / s, columns.var(ddof=1) / m
    residual = np.square(off - rows[:, None] - columns).sum() / ((s - 1) * (m - 1))
    return max(*parts, sum(parts) - residual / (s * m))


@lru_cache(maxsize=4096)
def _mid_p(k: int, n: int) -> np.ndarray:
    """Lower ends at each of LEVELS: p with P(B > k) + P(B = k)/2 = α/2, B binomial (n, p)."""
    from scipy import optimize, special

    def excess(p: float, a: float) -> float:
        beyond = special.betainc(k + 1, n - k, p) if k < n else 0.0
        return float((special.betainc(k, n - k + 1, p) + beyond - a) / 2)

    if k == 0:
        return np.zeros(len(LEVELS))
    ends = [optimize.brentq(excess, 0, k / n, args=(a,), xtol=1e-15) for a in ALPHAS]
    return np.array(ends)


@lru_cache(maxsize=1024)
def _ranks(n: int) -> np.ndarray:
    """Largest r at each of LEVELS with 2 P(B < r) ≤ α, B binomial (n, ½); 0 if there is none."""
    from scipy import stats

    below = stats.binom.cdf(np.arange((n + 1) // 2), n, 0.5)
    return np.searchsorted(below, np.divide(ALPHAS, 2), side="right")


def _grouped(numbers: np.ndarray, names: Sequence[object] | np.ndarray) -> list[np.ndarray]:
    """The values of each group, in the groups' order."""
    different, group = np.unique(np.asarray(names), return_inverse=True)
    if group.shape != numbers.shape:
        raise ValueError(f"{len(group)} names of groups; expected one for each of {len(numbers)}")
    if len(different) < 2:
        raise ValueError(f"the only group is {different.tolist()}; expected at least two")
    return [numbers[group == one] for one in range(len(different))]


def _pairs(
    left: Values, right: Values, bounds: Bounds | None = None
) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if first.shape != second.shape:
        raise ValueError(f"shapes are {first.shape} and {second.shape}; expected pairs")
    return _numbers(first, bounds), _numbers(second, bounds)


def _numbers(values: Values, bounds: Bounds | None = None, *, least: int = 2) -> np.ndarray:
    numbers = np.asarray(values, dtype=float)
    _need(numbers, least)
    if bounds is not None and len(numbers):
        low, high = float(numbers.min()), float(numbers.max())
        if low < bounds[0] or high > bounds[1]:
            raise ValueError(f"values are in [{low}, {high}]; expected them in {list(bounds)}")
    return numbers


def _need(values: np.ndarray, least: int) -> None:
    if values.ndim != 1 or len(values) < least:
        raise ValueError(f"values have shape {values.shape}; expected (n,) with n ≥ {least}")
    if not np.isfinite(values).all():
        raise ValueError("values contain NaN or infinity; expected finite numbers")
