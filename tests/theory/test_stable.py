"""What chapter 10 proves, tried on rational networks."""

import math
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory import stable
from falsestruct.theory.oscillation import LEVEL, hint_network, without_unit
from falsestruct.theory.relu import ReluNetwork, knots, sign_changes

HALF = Fraction(1, 2)
fractions = st.fractions(-3, 3, max_denominator=8)


@given(st.integers(2, 60), st.fractions(Fraction(1, 9), 9))
def test_the_smallest_gap_in_closed_form(r, a):
    x = stable.first_inputs(r, a)
    assert min(u - v for u, v in zip(x, x[1:], strict=False)) == stable.smallest_gap(r, a)


def test_the_gap_is_about_a_over_r_squared():
    assert stable.smallest_gap(200) == Fraction(4, 4 * 200**2 - 1)
    assert abs(stable.smallest_gap(200) * 200**2 - 1) < Fraction(1, 10**5)


@given(st.integers(5, 40), st.fractions(Fraction(1, 9), 9))
def test_the_explicit_network_has_the_size_the_labels_and_the_radius(r, a):
    network = stable.explicit(r, a)
    assert network.size == r - 2
    assert stable.is_stable(network, stable.first_inputs(r, a))
    # Both inputs at once, just inside of the radius, and just outside of it at the tightest point.
    inside = stable.smallest_gap(r, a) / 2 * Fraction(999, 1000)
    for x1, y in zip(stable.first_inputs(r, a), stable.labels(r), strict=True):
        for eta in (inside, -inside):
            assert stable.rule(network)((x1 + eta, Fraction(-1000))) == y
    last = stable.first_inputs(r, a)[-1]
    assert (
        stable.rule(network)((last + stable.smallest_gap(r, a) * Fraction(501, 1000), 0)) != r % 2
    )


@pytest.mark.parametrize("unit", range(6))
def test_no_unit_can_be_spared(unit):
    assert not stable.is_stable(without_unit(stable.explicit(8), unit), stable.first_inputs(8))


def test_a_network_that_is_right_with_another_radius_is_not_the_stable_one():
    network = stable.explicit(6)
    shift = stable.smallest_gap(6) / 5  # to the right: right on all points, nearer to some of them
    moved = ReluNetwork(
        network.weights,
        tuple(b - w * shift for (w, _), b in zip(network.weights, network.biases, strict=True)),
        network.outputs,
        network.bias,
    )
    data = zip(stable.first_inputs(6), stable.labels(6), strict=True)
    assert all(stable.rule(moved)((x, 0)) == y for x, y in data)
    assert not stable.is_stable(moved, stable.first_inputs(6))


def test_a_network_that_uses_the_second_input_is_not_stable():
    network = stable.explicit(6)
    leaning = tuple((w, Fraction(1, 100)) for w, _ in network.weights)
    tilted = ReluNetwork(leaning, network.biases, network.outputs, network.bias)
    assert not stable.is_stable(tilted, stable.first_inputs(6))


@given(st.integers(5, 40), st.fractions(Fraction(1, 9), 9))
def test_evenly_spaced_points_have_a_stable_network_of_the_same_size(r, a):
    x = stable.even_inputs(r, a)
    assert {u - v for u, v in zip(x, x[1:], strict=False)} == {a / r}
    network = stable.through(x)
    assert network.size == r - 2 and stable.is_stable(network, x)
    assert not stable.is_stable(network, stable.first_inputs(r, a))


@given(st.integers(2, 30), st.fractions(Fraction(1, 9), 9))
def test_one_vector_for_both_labels_breaks_every_point_of_the_bump(r, delta):
    says = stable.rule(stable.bump(delta))
    for x1, y in zip(stable.first_inputs(r), stable.labels(r), strict=True):
        assert says((x1, delta * y)) == y and says((x1, delta * y + delta)) == 1 - y
    edges = [delta / 2, delta * 3 / 2]  # label 1 strictly between them
    assert [says((0, t)) for t in (*edges, delta * 51 / 100, delta * 149 / 100)] == [0, 0, 1, 1]
    assert stable.bump(delta).size == 2


@pytest.mark.parametrize("build", [stable.explicit, lambda _: hint_network(Fraction(1, 50))])
@pytest.mark.parametrize("margin", [Fraction(1, 9), Fraction(12)])
def test_stable_and_broken_networks_both_have_as_small_a_loss_as_one_likes(build, margin):
    r = 9
    data = [
        (x, y / Fraction(50)) for x, y in zip(stable.first_inputs(r), stable.labels(r), strict=True)
    ]
    network = stable.with_margin(build(r), data, margin)
    values = [network(at) - LEVEL for at in data]
    assert min(map(abs, values)) == margin
    assert [value > 0 for value in values] == [y == 1 for y in stable.labels(r)]
    loss = sum(math.log1p(math.exp(-abs(value))) for value in values) / r
    assert 0 < loss < math.exp(-margin)
    if build is stable.explicit:
        assert stable.is_stable(network, stable.first_inputs(r))
    else:
        flipped = [(x, 1 / Fraction(50) - u) for x, u in data]
        assert all(
            (network(at) > LEVEL) != (y == 1)
            for at, y in zip(flipped, stable.labels(r), strict=True)
        )


@given(st.integers(1, 8), st.integers(2, 30), st.randoms(use_true_random=False))
def test_no_network_has_negative_slack(width, r, rng):
    assert stable.slack(stable.rule(stable.random_network(width, rng)), r, width) >= 0


@given(
    st.lists(st.tuples(fractions, fractions, fractions, fractions), min_size=1, max_size=6),
    fractions,
    st.integers(2, 12),
)
def test_no_network_with_any_weights_has_negative_slack(units, bias, r):
    w1, w2, b, v = zip(*units, strict=True)
    network = ReluNetwork(tuple(zip(w1, w2, strict=True)), b, v, bias)
    assert stable.slack(stable.rule(network), r, network.size, delta=HALF) >= 0


@pytest.mark.parametrize(("r", "width"), [(r, w) for r in (5, 8, 11, 20) for w in range(3, r - 1)])
def test_truncated_networks_attain_the_bound(r, width):
    network = stable.truncated(r, width)
    assert network.size == width
    assert stable.slack(stable.rule(network), r, width) == (r - width) % 2


def test_the_second_input_is_right_and_broken_everywhere():
    # b = r, e = 0, width 1: r − (r − 3)
    assert stable.slack(stable.rule(hint_network(Fraction(1))), 12, 1) == 3


def test_a_constant_rule_is_wrong_on_one_label():
    assert stable.slack(lambda _: 0, 10, 1) == 2 * 5 - 7


@pytest.mark.parametrize("folds", [1, 4, 9])
def test_two_layers_are_right_with_fewer_relus(folds):
    network, r = stable.folded(folds), 2 * folds + 1
    assert network.size == folds + 2
    data = zip(stable.first_inputs(r), stable.labels(r), strict=True)
    assert all(stable.rule(network)((x, 0)) == y for x, y in data)
    assert stable.slack(stable.rule(network), r, network.size) == 3 - folds


@given(st.integers(1, 9), st.randoms(use_true_random=False))
def test_lines_agree_with_the_slow_count_and_the_network(width, rng):
    network = stable.random_network(width, rng).along_first((Fraction(1, 3),))
    line, low, high = stable.line(network), Fraction(1, 7), Fraction(9, 10)
    assert [t for t in line.ends if low < t < high] == knots(network, low, high)
    changes = sign_changes(network, low, high, level=HALF)
    assert line.counts(low, high) == (len(knots(network, low, high)) + 1, changes)
    assert all(line(t) == network((t,)) for t in (low, *line.ends, high, Fraction(-50)))
    assert all(network((t,)) == HALF for t in line.crossings())
    assert len([t for t in line.crossings() if low < t < high]) >= changes


def test_units_without_weight_and_joint_knots_make_no_piece():
    one, two = Fraction(1), Fraction(2)
    network = ReluNetwork(
        ((Fraction(0),), (one,), (one,), (one,)),
        (one, -one, -one, -two),
        (two, one, -one, one),
        Fraction(0),
    )
    line = stable.line(network)
    assert line.ends == (two,) and line.slopes == (0, 1) and line.constants == (2, 0)


def test_a_level_piece_crosses_at_its_ends():
    flat = ReluNetwork(((Fraction(1),), (Fraction(-1),)), (Fraction(-1), Fraction(-1)),
                       (Fraction(1), Fraction(1)), HALF)  # fmt: skip
    assert stable.line(flat).crossings() == [-1, 1]
    assert stable.line(flat).counts(Fraction(-2), Fraction(2)) == (3, 0)


def test_evidence():
    assert stable.explicit_evidence([5, 6, 13]) == (1, 0)
    shallow, deep = stable.slacks(12, Random(0))
    assert min(shallow) == 0 and max(deep) < 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: stable.first_inputs(1),
        lambda: stable.even_inputs(1),
        lambda: stable.first_inputs(3, Fraction(0)),
        lambda: stable.truncated(8, 2),
        lambda: stable.truncated(8, 7),
        lambda: stable.folded(0),
    ],
)
def test_what_can_t_be_built(wrong):
    with pytest.raises(ValueError, match="expected"):
        wrong()
