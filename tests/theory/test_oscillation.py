"""Chapter 02's propositions, each tried on rational inputs that hypothesis chooses."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct.chapters.structures import measure as tables
from falsestruct.problems.oscillation import Oscillation
from falsestruct.theory import oscillation as o
from falsestruct.theory.relu import ReluNetwork, knots, pieces, sign_changes

F = Fraction
sizes = st.tuples(st.integers(1, 30), st.integers(1, 12)).map(lambda p: (p[0], p[0] + p[1]))
unit = st.fractions(F(1, 100), F(99, 100), max_denominator=100)
rational = st.fractions(-9, 9, max_denominator=12)


@st.composite
def inputs(draw):
    """(a, K, ε, x₁ in S_ε)."""
    a, K = draw(sizes)
    epsilon = draw(unit) * o.largest_epsilon(a, K)
    k = draw(st.integers(a, K))
    low, high = F(a, k + 1) + epsilon, F(a, k) - epsilon
    return a, K, epsilon, low + draw(unit) * (high - low)


@st.composite
def lines(draw, units):
    """Arbitrary rational networks of one input."""
    n = draw(units)
    numbers = st.lists(rational, min_size=n, max_size=n).map(tuple)
    weights = tuple((w,) for w in draw(numbers))
    return ReluNetwork(weights, draw(numbers), draw(numbers), draw(rational))


# ---- the function ----


def test_the_papers_function():
    assert len(o.breakpoints(20, 26)) == 6
    assert o.breakpoints(20, 26)[0] == F(10, 13) and o.breakpoints(20, 26)[-1] == F(20, 21)
    assert o.interval_labels(20, 26) == (1, 0, 1, 0, 1, 0, 1)
    assert o.largest_epsilon(20, 26) == F(20, 1404)


@given(sizes, st.data())
def test_labels_of_the_intervals(pair, data):
    a, K = pair
    bounds = tables.ends(a, K)
    for (low, high), label in zip(pairwise(bounds), o.interval_labels(a, K), strict=True):
        assert o.label(low, a) == label
        assert o.label(low + data.draw(unit) * (high - low), a) == label


@given(sizes)
def test_epsilon_is_bounded_by_half_the_shortest_interval(pair):
    a, K = pair
    b = F(a, K + 1)
    assert o.largest_epsilon(a, K) == min(v - u for u, v in pairwise(tables.ends(a, K))) / 2
    assert o.largest_epsilon(a, K) == b**2 / (2 * (a - b))


@pytest.mark.parametrize(("a", "K"), [(0, 3), (3, 3), (4, 3)])
def test_a_and_k_out_of_range(a, K):
    with pytest.raises(ValueError, match=f"a = {a} and K = {K}"):
        o.breakpoints(a, K)


def test_other_arguments_out_of_range():
    with pytest.raises(ValueError, match="x1 > 0"):
        o.label(F(0), 20)
    with pytest.raises(ValueError, match="epsilon"):
        o.grid(20, 26, o.largest_epsilon(20, 26), 3)
    with pytest.raises(ValueError, match="half_width > 0"):
        o.exact_network(20, 26, F(0))
    with pytest.raises(ValueError, match="delta > 0"):
        o.hint_network(F(0))
    with pytest.raises(ValueError, match="strictly increasing"):
        o.alternating_network([F(1), F(1)])


def test_agrees_with_the_problem_that_networks_are_trained_on():
    problem = Oscillation()
    x, y = problem.grid(9, "hint")
    exact = o.grid(20, 26, F(1, 100), 9)
    assert [o.label(F(v), 20) for v in x[:, 0].tolist()] == y.tolist()
    assert torch.allclose(
        problem.breakpoints, torch.tensor([float(t) for t in o.breakpoints(20, 26)], dtype=x.dtype)
    )
    radius = torch.tensor([float(o.radius(F(v), 20, 26)) for v in x[:, 0].tolist()])
    assert torch.allclose(problem.original.radius(x).float(), radius)
    assert len(exact) == len(x) and [o.label(v, 20) for v in exact] == y.tolist()


# ---- proposition: radius of the original ----


@given(inputs(), st.fractions(-1, 1))
def test_label_stays_below_the_radius_and_changes_just_beyond(point, share):
    a, K, epsilon, x1 = point
    radius = o.radius(x1, a, K)
    inside = x1 + share * radius
    assert radius > epsilon
    if abs(share) < 1 and F(a, K + 1) <= inside < 1:
        assert o.label(inside, a) == o.label(x1, a)
    nearest = min(o.breakpoints(a, K), key=lambda t: abs(x1 - t))
    beyond = nearest if x1 < nearest else nearest - radius / 1000
    assert F(a, K + 1) < beyond < 1
    assert o.label(beyond, a) != o.label(x1, a)


@given(inputs())
def test_the_grid_lies_in_s_epsilon(point):
    a, K, epsilon, _ = point
    found = o.grid(a, K, epsilon, 3)
    assert len(found) == 3 * (K - a + 1) and found == sorted(found)
    assert all(o.radius(x1, a, K) > epsilon for x1 in found)
    assert all(F(a, K + 1) + epsilon < x1 < 1 - epsilon for x1 in found)


# ---- proposition: the hint ----


@given(inputs(), st.fractions(F(1, 10**6), F(1, 10)), st.fractions(0, F(99, 100)))
def test_the_hint_is_right_on_the_data_and_flips_beyond_half_delta(point, delta, share):
    a, _, _, x1 = point
    network = o.hint_network(delta)
    label = o.label(x1, a)
    x2, way = delta * label, 1 - 2 * label

    def says(second):
        return int(network((x1, second)) > o.LEVEL)

    assert network.size == 1
    assert says(x2) == label
    assert says(x2 + way * share * delta / 2) == label
    assert says(x2 + way * delta * F(501, 1000)) == says(x2 + way * delta) == 1 - label


# ---- proposition: the exact network ----


@given(inputs(), rational)
def test_exact_network_equals_the_function_on_s_epsilon(point, x2):
    a, K, epsilon, x1 = point
    network = o.exact_network(a, K, epsilon)
    assert network.size == 2 * (K - a)
    assert network((x1, x2)) == o.label(x1, a)


@given(inputs(), rational, st.fractions(-1, 1))
def test_exact_network_keeps_its_label_under_epsilon(point, eta2, share):
    a, K, epsilon, x1 = point
    network = o.exact_network(a, K, epsilon)
    moved = (x1 + share * epsilon, eta2)
    assert (network(moved) > o.LEVEL) == (o.label(x1, a) == 1)


@given(sizes, unit)
def test_exact_network_spends_two_knots_in_every_gap(pair, share):
    a, K = pair
    epsilon = share * o.largest_epsilon(a, K)
    line = o.exact_network(a, K, epsilon).along_first((F(0),))
    expected = [t + s * epsilon for t in o.breakpoints(a, K) for s in (-1, 1)]
    assert knots(line, F(a, K + 1), F(1)) == expected
    assert pieces(line, F(a, K + 1), F(1)) == line.size + 1


@given(inputs(), st.data())
def test_exact_network_needs_narrow_ramps_and_all_units(point, data):
    a, K, epsilon, _ = point
    grid = o.grid(a, K, epsilon, 1) + [t + epsilon * F(11, 10) for t in o.breakpoints(a, K)]
    assert o.largest_error(o.exact_network(a, K, epsilon), grid, a) == 0
    assert o.largest_error(o.exact_network(a, K, 2 * epsilon), grid, a) > 0
    less = o.without_unit(
        o.exact_network(a, K, epsilon), data.draw(st.integers(0, 2 * (K - a) - 1))
    )
    assert o.largest_error(less, grid, a) > 0


# ---- proposition: the lower bound ----


@settings(max_examples=200)
@given(lines(st.integers(0, 6)))
def test_no_network_changes_sign_more_often_than_the_bound(network):
    assert o.observed_changes(network) <= o.most_changes(network.size)


@given(st.integers(0, 6), st.integers(0, 10**6))
def test_nor_does_one_with_alternating_jumps(units, seed):
    network = o.random_network(units, Random(seed))
    assert network.size == units
    assert len(knots(network, F(-100), F(100))) == units
    assert o.observed_changes(network) <= o.most_changes(units)


@given(lines(st.integers(0, 6)), rational)
def test_observed_changes_is_the_most_over_all_levels(network, level):
    assert sign_changes(network, F(-300), F(300), level=level) <= o.observed_changes(network)


def test_observed_changes_of_known_networks():
    line = ReluNetwork(((F(1),), (F(-1),)), (F(0), F(0)), (F(1), F(-1)), F(0))  # x
    assert o.observed_changes(line) == 1
    assert o.observed_changes(ReluNetwork((), (), (), F(3))) == 0
    far = ReluNetwork(((F(1),), (F(-1),)), (F(0), F(0)), (F(1, 10**9), F(1)), F(0))
    assert o.observed_changes(far) == 2  # a V with one nearly flat arm


def test_sizes():
    assert [o.most_changes(n) for n in range(7)] == [0, 1, 2, 4, 5, 6, 7]
    assert [o.minimal_size(c) for c in range(8)] == [0, 1, 2, 3, 3, 4, 5, 6]


@given(st.integers(0, 50))
def test_minimal_size_is_the_least_that_is_enough(changes):
    size = o.minimal_size(changes)
    assert o.most_changes(size) >= changes
    assert size == 0 or o.most_changes(size - 1) < changes


# ---- proposition: how sharp it is ----


@given(
    st.sets(st.fractions(-5, 5, max_denominator=30), min_size=1, max_size=10),
    st.sampled_from([0, 1]),
    st.data(),
)
def test_crosses_at_any_given_points_and_nowhere_else(points, first, data):
    crossings = sorted(points)
    network = o.alternating_network(crossings, first=first)
    assert network.size == o.minimal_size(len(crossings))
    assert all(network((z,)) == o.LEVEL for z in crossings)
    bounds = [crossings[0] - 7, *crossings, crossings[-1] + 7]
    for i, (low, high) in enumerate(pairwise(bounds)):
        value = network((low + data.draw(unit) * (high - low),))
        assert (value > o.LEVEL) == ((first + i) % 2 == 1) and value != o.LEVEL


@given(inputs(), rational)
def test_smallest_network_has_the_labels_and_the_margin(point, x2):
    a, K, epsilon, x1 = point
    network = o.smallest_network(a, K)
    value = network((x1, x2))
    assert network.size == o.minimal_size(K - a)
    assert (value > o.LEVEL) == (o.label(x1, a) == 1)
    if K - a >= 4:
        assert abs(value - o.LEVEL) >= a * o.radius(x1, a, K) > a * epsilon


def test_five_units_instead_of_twelve():
    assert o.smallest_network(20, 26).size == 5
    assert o.exact_network(20, 26, F(1, 100)).size == 12
    assert o.follows(o.smallest_network(20, 26), 20, 26)


@given(sizes, st.data())
def test_a_smallest_network_can_spare_no_unit(pair, data):
    network = o.smallest_network(*pair)
    unit = data.draw(st.integers(0, network.size - 1))
    assert o.follows(network, *pair)
    assert not o.follows(o.without_unit(network, unit), *pair)


@given(sizes)
def test_follows_sees_wrong_sides(pair):
    a, K = pair
    right = o.smallest_network(a, K)
    upside_down = ReluNetwork(
        right.weights, right.biases, tuple(-v for v in right.outputs), 1 - right.bias
    )
    assert not o.follows(upside_down, a, K)


# ---- one ReLU ----


@given(st.lists(st.sampled_from([0, 1]), min_size=1, max_size=9))
def test_best_threshold_by_trying_them_all(labels):
    rules = [
        [low] * cut + [1 - low] * (len(labels) - cut)
        for cut in range(len(labels) + 1)
        for low in (0, 1)
    ]
    best = max(sum(p == q for p, q in zip(rule, labels, strict=True)) for rule in rules)
    assert o.best_threshold_accuracy(labels) == F(best, len(labels))


# ---- tables ----


def test_pairs_are_distinct_and_legal():
    found = o.pairs(30)
    assert len(set(found)) == 30 and found[0] == (1, 2) and found[12] == (2, 3)
    assert all(1 <= a < K <= a + 12 for a, K in found)


def test_pair_table_has_each_point_inside_its_interval():
    table = tables.pair(20, 26, F(1, 100), 4)
    assert len(table) == 28 and table.label.tolist() == [(1 + i // 4) % 2 for i in range(28)]
    assert (table.low < table.inner_low).all() and (table.inner_low < table.x1).all()
    assert (table.x1 < table.inner_high).all() and (table.inner_high < table.high).all()


def test_radii_table():
    table = tables.radii(20, 26, F(1, 100), delta=F(1, 10**4), points=5)
    assert (table.original > 0.01).all() and (table.hint == 5e-5).all()


def test_network_table_has_a_row_a_corner():
    table = tables.networks(20, 26, F(1, 100))
    counts = table.what.value_counts()
    assert counts["exact"] == 14 and counts["smallest"] == 7 and counts["f"] == 14
    assert table[table.what == "f"].value.tolist()[:4] == [1, 1, 0, 0]


def test_survey_of_smallest_networks():
    table = tables.smallest_networks(o.pairs(7))
    assert table.units.tolist() == table.minimal.tolist() == [1, 2, 3, 3, 4, 5, 6]
    assert table.follows.all() and (table.spared == 0).all()
