"""What chapter 12 proves, on cases whose answer is known, and on random ones."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsestruct.theory import artifacts

HALF = Fraction(1, 2)
phases = st.fractions(0, 1, max_denominator=24)


@given(st.integers(8, 40), st.data(), phases)
def test_fast_waves_are_slow_ones_at_two_rates_and_at_no_rate_beside(n, data, phase):
    first, second = data.draw(
        st.lists(st.integers(1, (n - 1) // 2 - 1), min_size=2, max_size=2, unique=True)
    )
    assert artifacts.aliases(n, (first, second), phase)
    assert not artifacts.aliases(n, (first, second), phase, off=1)


def test_the_same_wave_is_told_from_another_one():
    assert artifacts.same_wave(61, 3, 64, (Fraction(1, 8), Fraction(-1, 8)))
    assert not artifacts.same_wave(61, 3, 64, (Fraction(1, 8), Fraction(1, 8)))
    assert not artifacts.same_wave(61, 2, 64, (Fraction(1, 8), Fraction(-1, 8)))
    assert artifacts.same_wave(61, 2, 59, (Fraction(1, 8), Fraction(1, 8)))


def test_the_usefulness_of_a_feature_by_hand():
    data = [([Fraction(2), Fraction(0)], 1), ([Fraction(-1), Fraction(1)], -1)]
    assert artifacts.mean_product(data) == [Fraction(3, 2), -HALF]
    a = [Fraction(1), Fraction(-1)]
    assert artifacts.usefulness(a, data, HALF) == 2 - HALF * 2
    assert artifacts.formula(a, data, HALF, artifacts.first_norm) == 1
    assert artifacts.formula(a, data, HALF, artifacts.largest) == Fraction(3, 2)
    assert artifacts.breaks_where_it_should(data)


@given(st.randoms(use_true_random=False))
def test_the_formula_holds(rng):
    data, size = artifacts.random_data(rng), Fraction(rng.randint(0, 8), 4)
    a = artifacts.random_data(rng, samples=1)[0][0]
    by_trying = artifacts.usefulness(a, data, size)
    assert by_trying == artifacts.formula(a, data, size, artifacts.first_norm)


def test_a_teacher_s_clean_share_by_hand():
    answers, labels = [0, 1, 2, 0], [0, 1, 1, 0]
    stay, share = artifacts.kept(answers, labels, 3, wrong=False)
    assert stay == [0, 1, 2, 3] and share == Fraction(1, 3)
    assert artifacts.kept(answers, labels, 3, wrong=True) == ([2], Fraction(1, 8))
    assert artifacts.clean_share(answers, labels, 3, wrong=False) == 1
    assert artifacts.clean_share(answers, labels, 3, wrong=True) == 0


@given(st.randoms(use_true_random=False))
def test_the_nearest_neighbour_is_right_once_on_every_pair(rng):
    assert artifacts.right_once(artifacts.random_axis(rng), artifacts.off_axis(rng))


def test_a_shear_sees_the_two_sides():
    data = [((Fraction(0), Fraction(0)), 0), ((Fraction(2), Fraction(0)), 1)]
    x = (Fraction(1), Fraction(1))
    assert artifacts.nearest(data, x) == artifacts.nearest(data, (x[0], -x[1]))
    said = [artifacts.nearest(data, point, shear=1) for point in (x, (x[0], -x[1]))]
    assert said == [1, 0]
    assert not artifacts.right_once(data, x, shear=1)  # wrong on both


@pytest.mark.parametrize(
    ("kernel", "stride", "seen"),
    [
        ([1, 1, 1], 2, [2, 1]),
        ([1, 1, 1, 1], 2, [2, 2]),
        ([1, 2, 1], 2, [2, 2]),
        ([1], 2, [1, 0]),
        ([1, 2, 3], 1, [6]),
        ([1, 1, 1, 1, 1], 3, [2, 2, 1]),
    ],
)
def test_what_a_kernel_paints(kernel, stride, seen):
    assert artifacts.painted(kernel, stride) == seen
    assert artifacts.residue_sums(kernel, stride) == seen


@pytest.mark.parametrize("name", artifacts.SHARES)
def test_each_proposition_holds_and_its_neighbour_does_not(name):
    own, other = artifacts.SHARES[name](30, Random(1))
    assert own == 1 and other < 1
