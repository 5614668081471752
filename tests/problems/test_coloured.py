"""Coloured stripes: where the colour sits, how large it is, who sees it."""

from __future__ import annotations

import pytest
import torch

from falsestruct.problems.coloured import KINDS, Coloured, without_mean


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0.25, 3.0])
def test_both_structures_are_right_on_the_training_set_and_part_on_the_conflict_set(
    kind, size
) -> None:
    problem = Coloured(kind, size)
    x, y = problem.described()
    assert (problem.orientation(x) == y).all() and (problem.colour(x) == y).all()
    swapped = problem.swapped()
    assert (problem.orientation(swapped) == y).all() and (problem.colour(swapped) == 1 - y).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_the_norm_of_what_is_changed(kind) -> None:
    problem = Coloured(kind, 1.5)
    bare = problem.images(torch.zeros(30))
    change = (problem.described()[0] - bare).flatten(1).norm(dim=1)
    assert change.tolist() == pytest.approx([1.5] * 30)


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_colour_in_the_mean_is_in_the_mean(kind) -> None:
    problem = Coloured(kind, 2.0)
    means = problem.described()[0].mean((1, 2))
    assert (means.std() > 0.05) == (kind == "mean")
    blind = without_mean(problem.described()[0])
    assert blind.mean((1, 2)).abs().max() < 1e-12
    same = torch.allclose(blind, without_mean(problem.swapped()), atol=1e-12)
    assert same == (kind == "mean")


def test_contrast_is_in_the_variance() -> None:
    problem = Coloured("contrast", 2.0)
    x, y = problem.described()
    spread = x.flatten(1).std(1, correction=0) * 16
    assert spread[y == 1].tolist() == pytest.approx([problem.stripe - 2] * 15)
    assert spread[y == 0].tolist() == pytest.approx([problem.stripe + 2] * 15)


@pytest.mark.parametrize("wrong", [("hue", 1.0), ("mean", 0.0), ("contrast", 6.0)])
def test_what_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="expected"):
        Coloured(*wrong)
