"""Distances to what a rule misreads, and nearest neighbour on the square."""

import math

import pytest
import torch

from falsestruct.instability import infection
from falsestruct.theory.label_noise import scattered


def test_distances_are_to_misread_points_of_the_own_class():
    x, y = torch.tensor([[0.0], [5.0]]), torch.tensor([0, 1])
    points, truth = torch.tensor([[1.0], [2.0], [6.5]]), torch.tensor([0, 0, 1])
    misread = torch.tensor([[True, True, False], [False, True, True]])
    found = infection.distances(x, y, points, truth, misread)
    assert found.tolist() == [[1.0, math.inf], [2.0, 1.5]]


def test_the_mildest_rule_falls_where_it_is_not_safe_or_a_wrong_point_is_near():
    x, points = torch.tensor([[0.0], [5.0], [9.0]]), torch.tensor([[1.0], [6.5], [9.0]])
    safe, wrong = (
        torch.tensor([True, True, False]),
        torch.tensor([[True, True, False], [False] * 3]),
    )
    found = infection.mildest(safe, x, points, wrong, length=1.0)
    assert found.tolist() == [[True, False, True], [False, False, True]]
    assert infection.mildest(safe, x, points, wrong, length=1.5)[0].all()


@pytest.fixture(scope="module")
def square():
    return infection.square([0.02, 0.05, 0.1], 0.1, range(5), points=1000, nodes=100)


def test_the_infected_share_is_what_the_formula_expects(square):
    means = square.groupby("length")["infected"].mean()
    for length, mean in means.items():
        assert mean == pytest.approx(scattered(1000, 0.1, length), abs=0.08)


def test_errors_are_at_least_the_bound_and_grow(square):
    assert (square["fallen"] >= square["infected"]).all()
    assert (square["fallen"] >= square["error"]).all()
    wide = square.pivot(index="seed", columns="length", values="fallen")
    assert (wide[0.02] < wide[0.05]).all() and (wide[0.05] < wide[0.1]).all()
    assert square["error"].mean() == pytest.approx(0.1, abs=0.03)


def test_without_wrong_labels_nothing_is_infected():
    table = infection.square([0.05], 0.0, range(2), points=500, nodes=50)
    assert (table["infected"] == 0).all() and (table["error"] < 0.05).all()
