"""The alternating points: their scale, their second input, their gaps."""

import pytest
import torch

from falsestruct.problems.alternating import Points, on_one_scale


def test_points_are_standardised_and_keep_their_order():
    points = Points(10)
    assert float(points.first.mean()) == pytest.approx(0, abs=1e-12)
    assert float(points.first.std(correction=0)) == pytest.approx(1)
    assert points.labels.tolist() == [1, 0] * 5
    gaps = -points.first.diff()
    assert float(gaps.min()) == pytest.approx(points.gap) and float(gaps.argmin()) == 8


def test_the_second_input_says_the_label_nothing_or_a_coin():
    points = Points(50, strength=0.3)
    by_label, y = points.training_set("label", 0)
    assert by_label[:, 1].tolist() == [0.3 if one else -0.3 for one in y]
    assert set(points.training_set("zero", 0)[0][:, 1].tolist()) == {-0.3}
    coins = [points.training_set("random", seed)[0][:, 1] for seed in (0, 0, 1)]
    assert torch.equal(coins[0], coins[1]) and not torch.equal(coins[0], coins[2])
    assert 10 < int((coins[0] > 0).sum()) < 40


def test_on_one_scale_the_ratio_is_that_to_the_gap():
    case = on_one_scale(20, 0.25)
    assert 2 * case.strength == pytest.approx(case.gap / 4)


def test_evenly_spaced_points_have_one_gap():
    case = on_one_scale(10, 4.0, even=True)
    assert float(case.first.std(correction=0)) == pytest.approx(1)
    assert (-case.first.diff()).tolist() == pytest.approx([case.gap] * 9)
    assert 2 * case.strength == pytest.approx(4 * case.gap) and case.labels.tolist() == [1, 0] * 5
    assert case.tight(4.0).all() and not case.tight(0.25).any()


@pytest.mark.parametrize(
    "wrong", [lambda: Points(1), lambda: Points(5, 0.0), lambda: Points(5).training_set("hint", 0)]
)
def test_points_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match="expected"):
        wrong()


@pytest.mark.parametrize("factor", [1.01, 4.0])
def test_points_are_tight_where_a_neighbour_is_near(factor):
    points = Points(10)
    x = [1 / (k + 0.5) for k in range(1, 11)]
    nearest = [min(abs(a - b) for b in x if b != a) for a in x]
    assert points.tight(factor).tolist() == [one < factor * min(nearest) for one in nearest]
