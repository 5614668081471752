"""Exact ReLU networks: values, knots and sign changes against what is known by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory.relu import ReluNetwork, from_floats, knots, pieces, sign_changes

F = Fraction
rational = st.fractions(-9, 9, max_denominator=12)


@st.composite
def networks(draw, *, inputs=1):
    """Arbitrary rational networks, units with weight zero and equal knots included."""
    n = draw(st.integers(0, 6))

    def numbers(length):
        return tuple(draw(st.lists(rational, min_size=length, max_size=length)))

    weights = tuple(numbers(inputs) for _ in range(n))
    return ReluNetwork(weights, numbers(n), numbers(n), draw(rational))


def hat() -> ReluNetwork:
    """0 up to 0, 1 at 1, 0 from 2 on."""
    ones = (F(1),) * 3
    return ReluNetwork(tuple((w,) for w in ones), (F(0), F(-1), F(-2)), (F(1), F(-2), F(1)), F(0))


def test_values_of_a_hat():
    values = [hat()((x,)) for x in (F(-1), F(0), F(1, 3), F(1), F(3, 2), F(2), F(7))]
    assert values == [0, 0, F(1, 3), 1, F(1, 2), 0, 0]


def test_knots_pieces_and_sign_changes_of_a_hat():
    assert knots(hat(), F(-5), F(5)) == [0, 1, 2]
    assert knots(hat(), F(0), F(2)) == [1]  # the ends are not inside
    assert pieces(hat(), F(-5), F(5)) == 4
    assert sign_changes(hat(), F(-5), F(5), level=F(1, 2)) == 2
    assert sign_changes(hat(), F(-5), F(1), level=F(1, 2)) == 1


def test_touching_is_no_sign_change():
    assert sign_changes(hat(), F(-5), F(5), level=F(1)) == 0
    assert sign_changes(hat(), F(-5), F(5), level=F(0)) == 0


def test_units_that_cancel_leave_no_knot():
    left_and_right = ReluNetwork(((F(1),), (F(-1),)), (F(0), F(0)), (F(1), F(-1)), F(0))
    assert knots(left_and_right, F(-1), F(1)) == []  # R(x) − R(−x) = x
    assert [left_and_right((x,)) for x in (F(-2), F(3))] == [-2, 3]


def test_a_flat_unit_has_no_knot():
    flat = ReluNetwork(((F(0),),), (F(3),), (F(2),), F(1))
    assert knots(flat, F(-9), F(9)) == []
    assert flat((F(5),)) == 7


def test_floats_are_taken_as_they_are():
    network = from_floats([[0.1]], [0.2], [0.3], 0.4)
    assert network.weights[0][0] == F(0.1) != F(1, 10)
    assert network((F(1),)) == F(0.4) + F(0.3) * (F(0.1) + F(0.2))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_floats_must_be_finite(bad):
    with pytest.raises((ValueError, OverflowError)):
        from_floats([[bad]], [0.0], [1.0], 0.0)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r"\(1, 2, 1\)"):
        ReluNetwork(((F(1),),), (F(0), F(1)), (F(1),), F(0))


@given(networks(inputs=3), rational, rational, rational)
def test_restricting_to_the_first_input_keeps_values(network, x, y, z):
    assert network.along_first((y, z))((x,)) == network((x, y, z))


@given(networks())
def test_linear_between_knots_and_only_there(network):
    points = [F(-200), *knots(network, F(-200), F(200)), F(200)]
    for left, right in zip(points, points[1:], strict=False):
        middle = network(((left + right) / 2,))
        assert middle == (network((left,)) + network((right,))) / 2
    for before, knot, after in zip(points, points[1:], points[2:], strict=False):
        slopes = [
            (network((v,)) - network((u,))) / (v - u) for u, v in ((before, knot), (knot, after))
        ]
        assert slopes[0] != slopes[1]


@given(networks())
def test_no_more_knots_than_units(network):
    assert pieces(network, F(-200), F(200)) <= network.size + 1


@given(networks(), rational)
def test_sign_changes_are_seen_by_sampling_and_no_more(network, level):
    low, high = F(-10), F(10)
    points = [low + (high - low) * F(i, 80) for i in range(81)]
    points = sorted({*points, *knots(network, low, high)})
    signs = [network((x,)) > level for x in points if network((x,)) != level]
    seen = sum(a != b for a, b in zip(signs, signs[1:], strict=False))
    assert sign_changes(network, low, high, level=level) == seen
