"""Estimates: a value with its 95 % interval and the number of networks behind it.

scipy.stats is imported by the functions that need it: it takes longer than all else that the
command line loads, and that only handles estimates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
RESAMPLES = 9_999


@dataclass(frozen=True)
class Estimate:
    """A number and how sure it is.

    Attributes:
        value: The estimate.
        low, high: Its 95 % interval, low ≤ high; equal to the value if the number is exact. A
            prediction interval need not be centred on the value.
        n: Number of independent units (networks, unless the measure says otherwise).
        method: How the interval was made.
    """

    value: float
    low: float
    high: float
    n: int
    method: str

    def __post_init__(self) -> None:
        numbers = self.value, self.low, self.high
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"value and interval are {numbers}; expected finite numbers")
        if self.low > self.high:
            raise ValueError(f"the interval is [{self.low}, {self.high}]; expected low ≤ high")
        if self.n < 1:
            raise ValueError(f"n is {self.n}; expected at least 1")


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
    """A number without statistical error: counted or proved."""
    return Estimate(float(value), float(value), float(value), n, "exact")


def proportion(outcomes: Sequence[bool] | np.ndarray) -> Estimate:
    """Share of outcomes that are true, with Wilson's interval.

    Wilson (1927), through `scipy.stats.binomtest`. Unlike the normal approximation it stays honest
    at 0 and 1: 20 of 20 gives [0.84, 1].

    Args:
        outcomes: True or false, (n,).
    """
    from scipy import stats

    values = np.asarray(outcomes)
    if values.dtype != bool:
        raise ValueError(f"outcomes have dtype {values.dtype}; expected bool")
    _need(values, 1)
    result = stats.binomtest(int(values.sum()), len(values))
    interval = result.proportion_ci(LEVEL, method="wilson")
    share = float(values.mean())
    # Rounding in Wilson's formula can put the end a hair inside the share at 0 and 1.
    low, high = min(float(interval.low), share), max(float(interval.high), share)
    return Estimate(share, low, high, len(values), "Wilson")


def mean(values: Sequence[float] | np.ndarray, *, seed: int = 0) -> Estimate:
    """Mean with a bootstrap percentile interval over the units.

    Args:
        values: One number a unit, (n,), n ≥ 2.
        seed: Of the resampling.
    """
    return _bootstrap(np.asarray(values, dtype=float), np.mean, seed)


def median(values: Sequence[float] | np.ndarray, *, seed: int = 0) -> Estimate:
    """Median with a bootstrap percentile interval over the units: as `mean`."""
    return _bootstrap(np.asarray(values, dtype=float), np.median, seed)


def geometric_mean(values: Sequence[float] | np.ndarray, *, seed: int = 0) -> Estimate:
    """Geometric mean of positive values, bootstrapped on the logarithms: as `mean`."""
    numbers = np.asarray(values, dtype=float)
    if (numbers <= 0).any():
        raise ValueError(f"the smallest value is {numbers.min()}; expected positive values")
    log = mean(np.log(numbers), seed=seed)
    value, low, high = math.exp(log.value), math.exp(log.low), math.exp(log.high)
    return Estimate(value, low, high, log.n, log.method)


def paired_difference(
    left: Sequence[float] | np.ndarray, right: Sequence[float] | np.ndarray, *, seed: int = 0
) -> Estimate:
    """Mean of left − right over units that were measured both ways: as `mean`."""
    first, second = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if first.shape != second.shape:
        raise ValueError(f"shapes are {first.shape} and {second.shape}; expected pairs")
    return mean(first - second, seed=seed)


def prediction(values: Sequence[float] | np.ndarray) -> Estimate:
    """Mean of the values, with the interval that holds one further value with 95 % probability.

    Student's t for normal values: mean ± t·s·√(1 + 1/n). It answers "could this number have come
    from the same process?".

    Args:
        values: One number a unit, (n,), n ≥ 2.
    """
    from scipy import stats

    numbers = np.asarray(values, dtype=float)
    _need(numbers, 2)
    n, centre = len(numbers), float(numbers.mean())
    quantile = float(stats.t.ppf((1 + LEVEL) / 2, n - 1))
    half = quantile * float(numbers.std(ddof=1)) * math.sqrt(1 + 1 / n)
    return Estimate(centre, centre - half, centre + half, n, "t prediction interval")


def _bootstrap(values: np.ndarray, statistic, seed: int) -> Estimate:  # type: ignore[no-untyped-def]
    _need(values, 2)
    value = float(statistic(values))
    if np.ptp(values) == 0:  # nothing to resample, and scipy would warn
        return Estimate(value, value, value, len(values), "bootstrap")
    from scipy import stats

    interval = stats.bootstrap(
        (values,),
        statistic,
        confidence_level=LEVEL,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high), len(values), "bootstrap")


def _need(values: np.ndarray, least: int) -> None:
    if values.ndim != 1 or len(values) < least:
        raise ValueError(f"values have shape {values.shape}; expected (n,) with n ≥ {least}")
    if not np.isfinite(values).all():
        raise ValueError("values contain NaN or infinity; expected finite numbers")
