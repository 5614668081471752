"""Estimates against published values and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct import statistics
from falsestruct.statistics import Estimate

Z = 1.959963984540054  # the 97.5 % quantile of the standard normal


def wilson(k, n):
    """Wilson (1927), as every textbook prints it."""
    p = k / n
    centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return centre - half, centre + half


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (20, 20, 0.8389, 1.0),
        (0, 20, 0.0, 0.1611),
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(k, n, low, high):
    estimate = statistics.proportion(np.arange(n) < k)
    assert estimate.value == k / n and estimate.n == n
    assert (round(estimate.low, 4), round(estimate.high, 4)) == (low, high)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_in_closed_form(counts):
    k, n = counts
    estimate = statistics.proportion(np.arange(n) < k)
    low, high = wilson(k, n)
    assert estimate.low == pytest.approx(low, abs=1e-9)
    assert estimate.high == pytest.approx(high, abs=1e-9)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_outcomes_are_true_or_false():
    with pytest.raises(ValueError, match="dtype int64; expected bool"):
        statistics.proportion([0, 1])
    with pytest.raises(ValueError, match=r"shape \(0,\)"):
        statistics.proportion(np.zeros(0, dtype=bool))


@pytest.mark.parametrize("numbers", [(math.nan, 0, 1), (0, -math.inf, 1), (0, 0, math.inf)])
def test_nan_is_no_evidence(numbers):
    with pytest.raises(ValueError, match="expected finite numbers"):
        Estimate(*numbers, 1, "x")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "make", [statistics.mean, statistics.median, statistics.geometric_mean, statistics.prediction]
)
def test_nan_in_the_data_is_an_error(make, bad):
    with pytest.raises(ValueError, match="expected"):
        make([1.0, 2.0, bad])


def test_an_estimate_is_an_interval():
    with pytest.raises(ValueError, match="low ≤ high"):
        Estimate(0, 1, 0, 1, "x")
    with pytest.raises(ValueError, match="at least 1"):
        Estimate(0, 0, 1, 0, "x")


def test_exact():
    assert statistics.exact(6) == Estimate(6.0, 6.0, 6.0, 1, "exact")


def draws(units, trials):
    return np.random.default_rng(1).normal(3.0, 2.0, (trials, units))


@pytest.mark.parametrize("make", [statistics.mean, statistics.median])
def test_the_bootstrap_covers(make, monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 499)
    found = [make(values, seed=trial) for trial, values in enumerate(draws(40, 300))]
    covered = np.mean([estimate.low <= 3 <= estimate.high for estimate in found])
    assert 0.90 <= covered <= 0.98  # ± 2.7 standard errors about a little under 0.95


def test_the_bootstrap_is_as_wide_as_the_normal_interval():
    values = draws(100, 1)[0]
    estimate = statistics.mean(values)
    half = Z * values.std() / 10
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.high - estimate.low == pytest.approx(2 * half, rel=0.05)


def test_the_same_seed_is_the_same_interval():
    values = draws(20, 1)[0]
    assert statistics.mean(values, seed=1) == statistics.mean(values, seed=1)
    assert statistics.mean(values, seed=1) != statistics.mean(values, seed=2)


def test_equal_values_need_no_resampling():
    assert statistics.mean([2.0, 2.0, 2.0]) == Estimate(2.0, 2.0, 2.0, 3, "bootstrap")


def test_a_prediction_interval_holds_the_next_value():
    rows = draws(9, 4000)
    found = [statistics.prediction(row[:-1]) for row in rows]
    inside = [e.low <= row[-1] <= e.high for e, row in zip(found, rows, strict=True)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.011)  # 3 standard errors


def test_a_prediction_interval_by_hand():
    # t(0.975, 2) = 4.3027, s = 1, n = 3
    estimate = statistics.prediction([1.0, 2.0, 3.0])
    assert estimate.value == 2
    assert estimate.high - 2 == pytest.approx(4.302653 * math.sqrt(4 / 3), abs=1e-5)


def test_geometric_mean():
    estimate = statistics.geometric_mean([0.1, 1.0, 10.0])
    assert estimate.value == pytest.approx(1.0) and estimate.low > 0
    with pytest.raises(ValueError, match=r"smallest value is 0\.0"):
        statistics.geometric_mean([0.0, 1.0])


def test_pairs():
    left, right = np.arange(10.0) ** 2, np.arange(10.0) ** 2 - 1
    assert statistics.paired_difference(left, right) == Estimate(1.0, 1.0, 1.0, 10, "bootstrap")
    with pytest.raises(ValueError, match="expected pairs"):
        statistics.paired_difference(left, right[:-1])


@pytest.mark.parametrize("values", [[], [1.0], [[1.0, 2.0]]])
def test_units_are_needed(values):
    with pytest.raises(ValueError, match="values have shape"):
        statistics.mean(values)
