"""Intervals against closed forms, published values, and how often they hold the truth."""

import dataclasses
import itertools
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks import coverage
from falsestruct import statistics
from falsestruct.statistics import ALPHAS, LEVELS, Estimate

SHARES = (0, 1)
T2, T4, T9 = 4.302652729911275, 2.7764451051977987, 2.2621571628540993  # Student's t, 97.5 %
STEPS = st.integers(-40, 40).map(lambda step: step / 8)  # exact in binary, equal ones among them
NUMBERS = st.lists(STEPS, min_size=2, max_size=12)
PARTS = st.lists(st.integers(0, 20).map(lambda step: step / 20), min_size=4, max_size=24)


def halves(numbers):
    return [0, *[1] * (len(numbers) - 1)] if len(numbers) < 4 else np.arange(len(numbers)) % 2


SAMPLED = {
    "proportion": lambda v: statistics.proportion(np.array(v) > 0.5),
    "mean": statistics.mean,
    "mean of shares": lambda v: statistics.mean(v, bounds=SHARES),
    "median": statistics.median,
    "geometric mean": lambda v: statistics.geometric_mean(np.array(v) + 1),
    "ratio": lambda v: statistics.ratio(np.array(v) + 1, np.array(v[::-1]) + 1),
    "paired": lambda v: statistics.paired_difference(v, v[::-1]),
    "paired shares": lambda v: statistics.paired_difference(v, v[::-1], bounds=SHARES),
    "prediction": statistics.prediction,
    "two-way": lambda v: statistics.two_way(np.outer(v, v[:3])),
    "two-way shares": lambda v: statistics.two_way(np.outer(v, v[:3]), bounds=SHARES),
    "clustered": lambda v: statistics.clustered(v, halves(v), bounds=SHARES),
    "stratified": lambda v: statistics.stratified(v, halves(v), bounds=SHARES),
}


# An estimate


def test_exact():
    assert statistics.exact(6) == Estimate(6.0, 6.0, 6.0, 1, "exact")
    assert statistics.exact(6).at(0.5) == statistics.exact(6).at(0.9999) == (6, 6)


@pytest.mark.parametrize("numbers", [(math.nan, 0, 1), (0, -math.inf, 1), (0, 0, math.inf)])
def test_nan_is_no_evidence(numbers):
    with pytest.raises(ValueError, match="expected finite numbers"):
        Estimate(*numbers, 1, "x")


def test_an_estimate_is_an_interval():
    with pytest.raises(ValueError, match="low ≤ high"):
        Estimate(0, 1, 0, 1, "x")
    with pytest.raises(ValueError, match="at least 1"):
        Estimate(0, 0, 1, 0, "x")


def grown(**changed):
    ends = [[-level, level] for level in LEVELS]
    for index, pair in changed.items():
        ends[int(index[1:])] = pair
    return ends


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (grown()[:-1], "11 intervals; expected one at each"),
        (grown(_11=[-1, math.inf]), "expected finite"),
        (grown(_0=[0.2, 0.1]), r"\[0\.1, 0\.2\] is not inside \[0\.2, 0\.1\]"),
        (grown(_6=[-0.5, 1.0]), "expected nested ends"),
        (grown(_3=[-0.96, 0.95]), "expected the same"),
        ([[0.0, 0.0]] * 12, "wider than 0: take `exact`"),
    ],
)
def test_ends_are_nested_and_agree(ends, message):
    width = 0.0 if ends == [[0.0, 0.0]] * 12 else 0.95
    with pytest.raises(ValueError, match=message):
        Estimate(0.0, -width, width, 5, "x", ends)


def test_json_and_back():
    estimate = statistics.mean([0.2, 0.7, 0.9])
    assert Estimate(**json.loads(json.dumps(dataclasses.asdict(estimate)))) == estimate


def test_at_a_level():
    estimate = statistics.mean([0.2, 0.7, 0.9])
    assert estimate.at(0.95) == (estimate.low, estimate.high)
    with pytest.raises(ValueError, match=r"level is 0\.94; expected one of"):
        estimate.at(0.94)
    with pytest.raises(ValueError, match=r"no interval at level 0\.99"):
        Estimate(0.5, 0, 1, 3, "by hand").at(0.99)
    assert Estimate(0.5, 0, 1, 3, "by hand").at(0.95) == (0, 1)


def test_turned_round():
    estimate = statistics.mean([0.2, 0.7, 0.9])
    assert -estimate == statistics.mean([-0.2, -0.7, -0.9])


def test_statistics_load_without_scipy_stats():
    """The command line handles estimates, and scipy.stats takes longer than all else."""
    code = "import sys, falsestruct.statistics; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Every design


@pytest.mark.parametrize("name", SAMPLED)
@given(values=PARTS)
def test_each_interval_holds_its_value_and_grows(name, values):
    estimate = SAMPLED[name](values)
    lows, highs = np.transpose(estimate.ends)
    assert (lows <= estimate.value).all() and (estimate.value <= highs).all()
    assert (np.diff(lows) <= 0).all() and (np.diff(highs) >= 0).all()
    assert (highs > lows).all(), "a sampled quantity without an interval"
    assert name == "prediction" or highs[-1] - lows[-1] > highs[0] - lows[0]


@pytest.mark.parametrize("name", ["mean of shares", "two-way shares", "clustered", "stratified"])
@given(values=PARTS)
def test_shares_stay_in_their_bounds(name, values):
    lows, highs = np.transpose(SAMPLED[name](values).ends)
    assert lows.min() >= 0 and highs.max() <= 1


@pytest.mark.parametrize(
    "make",
    [
        statistics.mean,
        statistics.median,
        statistics.prediction,
        lambda v: statistics.two_way([v, np.roll(v, 1), v]),
        lambda v: statistics.clustered(v, halves(v)),
    ],
)
@given(values=NUMBERS, shift=STEPS, scale=st.sampled_from([-2, 0.25, 8]))
def test_shifted_and_scaled(make, values, shift, scale):
    if np.ptp(values) == 0 or np.ptp([np.mean(values[::2]), np.mean(values[1::2])]) < 1e-9:
        return  # without spread the size of the values sets the scale, and a shift changes it
    before, after = make(values), make(shift + scale * np.array(values))
    ends = np.sort(shift + scale * np.array(before.ends), axis=1)
    np.testing.assert_allclose(after.ends, ends, rtol=1e-9, atol=1e-9)
    assert after.value == pytest.approx(shift + scale * before.value)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "make", [statistics.mean, statistics.median, statistics.geometric_mean, statistics.prediction]
)
def test_nan_in_the_data_is_an_error(make, bad):
    with pytest.raises(ValueError, match="expected"):
        make([1.0, 2.0, bad])


@pytest.mark.parametrize("values", [[], [1.0], [[1.0, 2.0]]])
def test_units_are_needed(values):
    with pytest.raises(ValueError, match="values have shape"):
        statistics.mean(values)


@pytest.mark.parametrize(
    "make",
    [
        lambda v: statistics.mean(v, bounds=SHARES),
        lambda v: statistics.paired_difference(v, [0, 0], bounds=SHARES),
        lambda v: statistics.two_way([v, v], bounds=SHARES),
        lambda v: statistics.clustered(v, [1, 2], bounds=SHARES),
    ],
)
def test_out_of_bounds(make):
    with pytest.raises(ValueError, match=r"values are in \[.*2\.0\]; expected them in \[0, 1\]"):
        make([0.5, 2.0])


# Independent draws


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_mid_p_by_its_equation(counts):
    k, n = counts
    estimate = statistics.proportion(np.arange(n) < k)
    assert estimate.value == k / n and estimate.n == n and estimate.method == "mid-P"
    for (low, high), a in zip(estimate.ends, ALPHAS, strict=True):
        above = stats.binom.sf(k, n, low) + stats.binom.pmf(k, n, low) / 2
        below = stats.binom.cdf(k - 1, n, high) + stats.binom.pmf(k, n, high) / 2
        assert above == pytest.approx(a / 2, rel=1e-6) if k else low == 0
        assert below == pytest.approx(a / 2, rel=1e-6) if k < n else high == 1


def test_all_or_none_in_closed_form():
    lows = [low for low, _ in statistics.proportion(np.ones(20, dtype=bool)).ends]
    np.testing.assert_allclose(lows, np.power(ALPHAS, 1 / 20))


def test_outcomes_are_true_or_false():
    with pytest.raises(ValueError, match="dtype int64; expected bool"):
        statistics.proportion([0, 1])
    with pytest.raises(ValueError, match=r"shape \(0,\)"):
        statistics.proportion(np.zeros(0, dtype=bool))


# Few networks


def test_student_by_hand():
    estimate = statistics.mean([1.0, 2.0, 3.0])
    assert (estimate.value, estimate.n, estimate.method) == (2, 3, "Student's t")
    assert estimate.high - 2 == 2 - estimate.low == pytest.approx(T2 / math.sqrt(3))


@pytest.mark.parametrize(
    ("values", "options", "low", "high"),
    [
        ([1.0] * 10, {"bounds": SHARES}, 0.05**0.1, 1),
        ([0.0] * 10, {"bounds": SHARES}, 0, 1 - 0.05**0.1),
        ([0.5] * 10, {"bounds": SHARES}, 0.5 * 0.05**0.1, 1 - 0.5 * 0.05**0.1),
        ([4.0] * 10, {"resolution": 0.5}, 4 - (1 - 0.05**0.1) / 2, 4 + (1 - 0.05**0.1) / 2),
        ([4.0] * 10, {}, 4 * 0.05**0.1, 8 - 4 * 0.05**0.1),
        ([0.0] * 10, {}, 0.05**0.1 - 1, 1 - 0.05**0.1),
    ],
)
def test_equal_values_may_hide_an_event(values, options, low, high):
    estimate = statistics.mean(values, **options)
    assert (estimate.low, estimate.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("hair", [1e-16, 1e-241])
def test_values_that_differ_by_rounding_are_equal(hair):
    """Their standard deviation may be too small for a width, or for a number."""
    estimate = statistics.mean([0.0, hair, 2 * hair], bounds=SHARES)
    assert estimate.high == pytest.approx(1 - 0.05 ** (1 / 3))
    assert statistics.mean([0.3, 0.1 + 0.2]).high > 0.4
    assert statistics.mean([0.0, 1e-200]).high > 0


def test_the_floor_for_skewed_laws_by_hand():
    values = [0.9, 1.0, 1.0, 1.0, 1.0]
    spread, distance, unseen = np.std(values, ddof=1), 0.02, 1 - 0.05**0.2
    assert spread > distance
    half = T4 * spread / math.sqrt(5)
    estimate = statistics.mean(values, bounds=SHARES)
    assert estimate.low == pytest.approx(0.98 - math.hypot(half, unseen * 0.98))
    calm = np.array([0.7, 0.75, 0.8, 0.85, 0.9])
    spread, half = calm.std(ddof=1), T4 * calm.std(ddof=1) / math.sqrt(5)
    floor = unseen * 0.8 * (spread / 0.2) ** 3
    assert statistics.mean(calm, bounds=SHARES).low == pytest.approx(0.8 - math.hypot(half, floor))


def test_values_that_agree_away_from_the_bounds_have_students_interval():
    values = [0.49, 0.5, 0.51, 0.5]
    shares, numbers = statistics.mean(values, bounds=SHARES), statistics.mean(values)
    np.testing.assert_allclose(shares.ends[:6], numbers.ends[:6], rtol=1e-3)


def test_a_resolution_is_a_floor_and_positive():
    values = [1.0, 1.0 + 1e-6, 1.0]
    half = 1 + (1 - 0.05 ** (1 / 3))
    assert statistics.mean(values, resolution=1).high == pytest.approx(half, abs=1e-4)
    with pytest.raises(ValueError, match="resolution is -1; expected a positive number"):
        statistics.mean(values, resolution=-1)


@pytest.mark.parametrize(
    ("n", "level", "rank"),
    [(6, 0.95, 1), (8, 0.99, 1), (15, 0.9999, 1), (17, 0.95, 5), (2, 0.5, 1)],
)
def test_order_statistics_of_a_median(n, level, rank):
    """The ranks of the usual tables (Conover 1999, table A3)."""
    values = np.arange(n) ** 2.0
    assert statistics.median(values).at(level) == (values[rank - 1], values[n - rank])


@pytest.mark.parametrize(("n", "level"), [(5, 0.95), (7, 0.99), (14, 0.9999)])
def test_a_median_of_too_few_falls_back(n, level):
    values = np.arange(n, dtype=float)
    low, high = statistics.median(values).at(level)
    half = stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / math.sqrt(n)
    assert low == pytest.approx(min(0, values.mean() - half))
    assert high == pytest.approx(max(n - 1, values.mean() + half))


def test_a_median_of_tied_values():
    unseen = 1 - 0.05**0.05
    tied = statistics.median([0.0, *[1.0] * 18, 3.0])
    assert (tied.low, tied.high) == (pytest.approx(1 - 3 * unseen), pytest.approx(1 + 3 * unseen))
    fine = statistics.median([0.0, *[1.0] * 18, 3.0], resolution=0.1)
    assert fine.high == pytest.approx(1 + 0.1 * unseen)


def test_geometric_mean():
    estimate = statistics.geometric_mean([0.1, 1.0, 10.0])
    assert estimate.value == pytest.approx(1.0)
    assert estimate.high == pytest.approx(math.exp(T2 * math.log(10) / math.sqrt(3)))
    assert estimate.low * estimate.high == pytest.approx(1)
    with pytest.raises(ValueError, match=r"smallest value is 0\.0"):
        statistics.geometric_mean([0.0, 1.0])


def test_equal_factors():
    unseen = 1 - 0.05 ** (1 / 3)
    assert statistics.geometric_mean([5.0] * 3).high == pytest.approx(5 * 2**unseen)
    fine = statistics.geometric_mean([5.0] * 3, resolution=1.1)
    assert fine.high == pytest.approx(5 * 1.1**unseen)
    with pytest.raises(ValueError, match=r"resolution is 0\.1; expected a factor above 1"):
        statistics.geometric_mean([5.0] * 3, resolution=0.1)


def test_two_values_far_apart_have_finite_ends():
    assert statistics.geometric_mean([1e-5, 1e5]).at(0.9999)[1] > 1e300


def test_the_exponential_of_an_estimate():
    log = statistics.clustered([-1.0, 1.0, 3.0, 5.0], list("aabb"))
    found = statistics.exponential(log)
    assert found.value == pytest.approx(math.exp(2)) and found.n == log.n == 2
    assert found.method == "Student's t over 2 clusters of the logarithms"
    wide = np.abs(log.ends).max(1) > statistics.LOGS
    assert wide.any() and not wide.all() and found.ends[-1][0] > 0, "finite, and positive"
    np.testing.assert_allclose(
        np.log(np.array(found.ends)[~wide]), np.array(log.ends)[~wide], atol=1e-12
    )
    assert [math.log(end) for end in found.at(0.9999)] == pytest.approx([-700, 700])


def test_a_swapped_ratio_has_the_swapped_interval():
    above, below = [1.0, 2.0, 5.0, 3.0], [2.0, 2.0, 3.0, 1.0]
    first, second = statistics.ratio(above, below), statistics.ratio(below, above)
    assert first.value == pytest.approx(math.prod(above) ** 0.25 / math.prod(below) ** 0.25)
    assert (first.low, first.high) == (
        pytest.approx(1 / second.high),
        pytest.approx(1 / second.low),
    )
    with pytest.raises(ValueError, match=r"smallest value is -1\.0; expected positive"):
        statistics.ratio([-1, 1], [-1, 1])


def test_pairs():
    left, right = np.array([0.5, 0.7, 0.6]), np.array([0.4, 0.5, 0.3])
    estimate = statistics.paired_difference(left, right)
    assert estimate.value == pytest.approx(0.2)
    assert estimate.high - 0.2 == pytest.approx(T2 * 0.1 / math.sqrt(3))
    with pytest.raises(ValueError, match="expected pairs"):
        statistics.paired_difference(left, right[:-1])


def test_what_was_never_seen_can_befall_either_side():
    jumpy, calm = [1.0, 1.0, 1.0, 0.98], [0.5, 0.49, 0.51, 0.5]
    one = statistics.paired_difference(jumpy, calm, bounds=SHARES)
    other = statistics.paired_difference(calm, jumpy, bounds=SHARES)
    np.testing.assert_allclose((-one).ends, other.ends)
    assert one.value - one.low > 0.5 > one.high - one.value + 0.4


def test_equal_pairs():
    estimate = statistics.paired_difference([0.75] * 3, [0.25] * 3, bounds=SHARES)
    unseen = 1 - 0.05 ** (1 / 3)
    assert estimate.low == pytest.approx(0.5 - 1.5 * unseen)
    assert estimate.high == pytest.approx(0.5 + 0.5 * unseen)


@pytest.mark.parametrize("bounds", [SHARES, None])
def test_pairs_that_differ_by_rounding_are_equal(bounds):
    estimate = statistics.paired_difference([0.1 + 0.2, 0.5], [0.3, 0.5], bounds=bounds)
    assert -estimate.low == estimate.high == pytest.approx(1 - 0.05**0.5)


def test_the_bounds_tell_what_is_rounding():
    estimate = statistics.mean([0.0, 0.0, 1e-9], bounds=(0, 1e6))
    assert estimate.high == pytest.approx(1e6 * (1 - 0.05 ** (1 / 3)))
    assert statistics.mean([4.0, 4.0 + 1e-9], bounds=(0, 1e6)).high > 1e5


def test_a_prediction_interval_holds_the_next_value():
    rows = np.random.default_rng(1).normal(3.0, 2.0, (4000, 9))
    found = [statistics.prediction(row[:-1]) for row in rows]
    inside = [e.low <= row[-1] <= e.high for e, row in zip(found, rows, strict=True)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.011)  # 3 standard errors


def test_a_prediction_interval_by_hand():
    estimate = statistics.prediction([1.0, 2.0, 3.0])
    assert estimate.value == 2 and estimate.high - 2 == pytest.approx(T2 * math.sqrt(4 / 3))
    assert statistics.prediction([2.0, 2.0], resolution=0.5).at(0.5) == (1.5, 2.5)


# Networks × inputs


def crossed(rows, columns, rest):
    """A matrix with these effects, and the variance of its mean by hand."""
    s, m = rest.shape
    rest = rest - rest.mean(0) - rest.mean(1, keepdims=True) + rest.mean()
    parts = rows.var(ddof=1) / s, columns.var(ddof=1) / m
    residual = np.square(rest).sum() / ((s - 1) * (m - 1)) / (s * m)
    return rows[:, None] + columns + rest, max(*parts, sum(parts) - residual)


@pytest.mark.parametrize("size", [0.1, 1.0, 30.0])
def test_crossed_variance_by_hand(size):
    rng = np.random.default_rng(2)
    values, variance = crossed(
        rng.normal(size=5), rng.normal(size=40), size * rng.normal(size=(5, 40))
    )
    estimate = statistics.two_way(values)
    assert (estimate.n, estimate.method) == (5, "Student's t, 5 networks × 40 inputs")
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.high - estimate.value == pytest.approx(T4 * math.sqrt(variance))


def test_more_inputs_do_not_make_up_for_few_networks():
    rows = np.arange(5.0)[:, None]
    few, many = (statistics.two_way(rows + np.zeros((5, m))) for m in (5, 500))
    assert many.high - 2 == few.high - 2 == pytest.approx(T4 * rows.std(ddof=1) / math.sqrt(5))


def test_turning_the_matrix_keeps_the_interval():
    values = np.random.default_rng(3).random((4, 9)).round(1)
    values[1, 2] = math.nan
    first, second = (statistics.two_way(v, bounds=SHARES) for v in (values, values.T))
    np.testing.assert_allclose(first.ends, second.ends)


def test_cells_that_do_not_qualify():
    rng = np.random.default_rng(4)
    values = rng.random((6, 30))
    values[rng.random((6, 30)) < 0.4] = math.nan
    blank = np.pad(values, ((0, 2), (0, 1)), constant_values=math.nan)
    estimate = statistics.two_way(values)
    assert estimate.value == pytest.approx(np.nanmean(values))
    assert statistics.two_way(blank) == estimate, "a network without inputs counts for nothing"
    by_network = np.nanmean(np.nanmean(values, 1))
    assert estimate.value != pytest.approx(by_network), "each cell counts the same"


def test_the_variance_with_missing_cells_is_that_of_a_ratio():
    """Against the spread of the estimate itself, over many draws."""
    rng, found = np.random.default_rng(5), []
    for _ in range(2000):
        kept = rng.random((8, 30)) < rng.random(
            (8, 1)
        )  # some networks qualify on much, some rarely
        values = (
            0.3 * rng.normal(size=(8, 1)) + 0.2 * rng.normal(size=30) + rng.normal(size=(8, 30))
        )
        kept[:, 0] = kept[0] = True
        cells = np.where(kept, values, math.nan)
        found.append((np.nanmean(cells), statistics._crossed(cells, float(np.nanmean(cells)))))
    value, variance = np.transpose(found)
    assert variance.mean() == pytest.approx(value.var(), rel=0.15)


def test_a_matrix_without_any_spread():
    low, high = statistics.two_way(np.ones((10, 200)), bounds=SHARES).at(0.95)
    assert (low, high) == (pytest.approx(0.05**0.1), 1)
    assert statistics.two_way(np.zeros((10, 5))).high == pytest.approx(1 - 0.05**0.2)


def test_networks_that_hardly_differ_keep_the_inputs_interval():
    values = np.tile(np.arange(200) % 2, (10, 1)).astype(float)
    half = T9 * values[0].std(ddof=1) / math.sqrt(200)
    estimate = statistics.two_way(values, bounds=SHARES)
    assert estimate.high == pytest.approx(0.5 + math.hypot(half, (1 - 0.05**0.005) / 2))


@pytest.mark.parametrize("values", [[1.0, 2.0], [[1.0, 2.0]], [[1.0, math.nan], [2.0, math.nan]]])
def test_both_ways_are_needed(values):
    with pytest.raises(ValueError, match="take `mean` or `proportion` if only one is sampled"):
        statistics.two_way(values)


# Clusters and strata


def test_clusters_count_the_same_whatever_their_size():
    estimate = statistics.clustered([1, 1, 1, 1, 2, 4, 2], list("aaaabba"))
    mixed = statistics.mean([1.2, 3.0])
    assert estimate == dataclasses.replace(mixed, method="Student's t over 2 clusters")


def test_a_cluster_is_one_unit_however_often_it_was_asked():
    once = statistics.clustered([0.0, 1.0, 0.4], list("abc"))
    often = statistics.clustered([0.0, 1.0, 0.4] * 50, list("abc") * 50)
    np.testing.assert_allclose(once.ends, often.ends)


def test_strata_by_hand():
    """Equal variances and sizes: 2 + 2 degrees of freedom."""
    estimate = statistics.stratified([1, 2, 3, 11, 12, 13], list("aaabbb"))
    assert (estimate.value, estimate.n) == (7, 6)
    assert estimate.high - 7 == pytest.approx(T4 * math.sqrt(2 / 3) / 2)
    welch = stats.ttest_ind([1, 2, 3, 4], [20, 30, 70], equal_var=False).confidence_interval()
    halved = statistics.stratified([1, 2, 3, 4, -20, -30, -70], list("aaaabbb"))
    assert 2 * (halved.high - halved.low) == pytest.approx(welch.high - welch.low)


def test_strata_without_spread():
    estimate = statistics.stratified([1.0] * 10, list("ab") * 5, bounds=SHARES)
    assert (estimate.low, estimate.high) == (pytest.approx(0.05**0.1), 1)


def test_the_floor_of_strata_is_their_mean():
    estimate = statistics.stratified([1.0, 1.0, 0.5, 0.5], list("aabb"), bounds=SHARES)
    unseen = 1 - 0.05**0.25
    assert estimate.low == pytest.approx(0.75 * (1 - unseen))
    assert estimate.high == pytest.approx(0.75 + 0.25 * unseen)


def test_groups_are_needed():
    with pytest.raises(ValueError, match="1 names of groups; expected one for each of 2"):
        statistics.clustered([1, 2], ["a"])
    with pytest.raises(ValueError, match=r"the only group is \['a'\]"):
        statistics.clustered([1, 2], ["a", "a"])
    with pytest.raises(ValueError, match="smallest stratum has 1 value"):
        statistics.stratified([1, 2, 3], list("aab"))


# Many claims


def test_alpha_turns_the_interval_round():
    estimate = statistics.mean([0.5, 0.6, 0.8, 0.7, 0.9])
    p = stats.ttest_1samp([0.5, 0.6, 0.8, 0.7, 0.9], 0.5).pvalue
    found = statistics.alpha(estimate, lambda low, high: low > 0.5)
    below = max(a for a in ALPHAS if a < p)
    assert below < p <= found == ALPHAS[ALPHAS.index(below) - 1]


def test_alpha_at_the_ends_of_the_grid():
    estimate = statistics.mean([0.5, 0.6])
    assert statistics.alpha(estimate, lambda low, high: True) == 0.0001
    assert statistics.alpha(estimate, lambda low, high: False) == 1.0
    assert statistics.alpha(statistics.exact(3), lambda low, high: True) is None


def test_holm_and_benjamini_hochberg_by_hand():
    p = [0.03, 0.01, 0.04, 0.005]
    np.testing.assert_allclose(statistics.holm(p), [0.06, 0.03, 0.06, 0.02])
    np.testing.assert_allclose(statistics.benjamini_hochberg(p), [0.04, 0.02, 0.04, 0.02])
    for adjust in (statistics.holm, statistics.benjamini_hochberg):
        assert adjust([]).tolist() == [] and adjust([1.0]).tolist() == [1.0]
        with pytest.raises(ValueError, match=r"values are in \[0\.5, 1\.5\]"):
            adjust([0.5, 1.5])


@given(st.lists(st.integers(0, 100).map(lambda k: k / 100), min_size=1, max_size=12))
def test_adjusted_p_values_keep_the_order(p):
    holm, hochberg = statistics.holm(p), statistics.benjamini_hochberg(p)
    assert (p <= hochberg + 1e-12).all() and (hochberg <= holm + 1e-12).all() and holm.max() <= 1
    assert (np.diff(holm[np.argsort(p, kind="stable")]) >= 0).all()


# Coverage

DESIGNS = [
    "proportion", "mean, 0 or 1", "mean, shares", "mean, unbounded", "median", "geometric mean",
    "ratio", "paired difference", "two-way", "clustered", "stratified",
]  # fmt: skip


@pytest.fixture(scope="module")
def covered():
    rows = sorted(coverage.coverages(), key=lambda row: (row.design, row.level))
    groups = itertools.groupby(rows, key=lambda row: (row.design, row.level))
    return {key: list(part) for key, part in groups}


@pytest.mark.parametrize(("level", "average", "least"), [(0.95, 0.93, 0.9), (0.99, 0.98, 0.96)])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_interval_of_each_design_covers(covered, design, level, average, least):
    rows = covered[design, level]
    assert len({row.name for row in rows}) >= 4
    assert np.mean([row.coverage for row in rows]) >= average
    worst = min(rows, key=lambda row: row.coverage)
    assert worst.coverage >= least, worst


def test_no_design_is_left_out(covered):
    assert {design for design, _ in covered} == set(DESIGNS)
