"""The optimisers agree with the proofs of chapter 03; what rules built by hand withstand."""

from __future__ import annotations

import math

import pytest
import torch

from falsestruct.instability.attacks import smallest_step
from falsestruct.instability.stripes import (
    LARGEST,
    euclidean_errors,
    euclidean_radius,
    known_and_unseen,
    orientation_radius,
    radius_errors,
    smallest_constant,
    withstood,
)
from falsestruct.learning.ensembles import Ensemble, by_hand
from falsestruct.learning.networks import MLP
from falsestruct.learning.training import Schedule
from falsestruct.problems.stripes import Stripes

STRIPES = Stripes()


@pytest.mark.parametrize(("position", "a"), [(0, 0.01), (15, 0.01), (29, 0.3)])
def test_linear_program_finds_the_radius_of_the_proof(position: int, a: float) -> None:
    assert orientation_radius(STRIPES, position, a) == pytest.approx(0.5, abs=1e-9)


def test_radius_follows_the_contrast_not_the_size() -> None:
    assert orientation_radius(Stripes(12, 2), 4, 0.1) == pytest.approx(0.5, abs=1e-9)


def test_errors_are_those_of_the_worst_stripe_and_offset() -> None:
    orientation, colour = radius_errors(Stripes(8, 2), [0.1, 0.3])
    assert orientation == pytest.approx(0, abs=1e-9)
    assert colour == pytest.approx(0.4)  # the colour's radius is the offset


@pytest.mark.parametrize(("size", "width", "a"), [(32, 3, 0.01), (12, 5, 0.3), (9, 1, 2.0)])
def test_least_squares_find_the_euclidean_radius(size: int, width: int, a: float) -> None:
    found = euclidean_radius(Stripes(size, width), 2, a)
    assert found == pytest.approx(math.sqrt(width * (size - width) / 2), rel=1e-9)


def test_the_colour_is_the_stabler_structure_from_an_offset_on() -> None:
    """Euclidean: from √(w(n − w)/2)/n on, where its radius na is the same."""
    even = math.sqrt(3 * 29 / 2) / 32
    assert euclidean_errors(STRIPES, [even]) == pytest.approx((0, 0), abs=1e-9)
    assert euclidean_errors(STRIPES, [2 * even])[1] == pytest.approx(1)


def asked(rule: str) -> Ensemble:
    """Five networks that answer by one of the two rules."""
    structure = getattr(STRIPES, rule)
    learn = by_hand(lambda x: torch.stack([2.0 * structure(one) - 1 for one in x]))
    return learn(MLP, STRIPES.described(0.1), range(5), Schedule(1))


def test_rules_built_by_hand_withstand_what_they_should() -> None:
    colour, orientation = (
        withstood(STRIPES, asked(rule), 0.1) for rule in ("colour", "orientation")
    )
    assert colour["constant"].tolist() == pytest.approx([1] * 5, rel=0.02)
    assert (colour[["at_2a", "at_0.2"]] == 1).all(axis=None) and (colour["random"] == 0).all()
    assert (orientation["size"] == LARGEST).all()
    assert (orientation[["at_2a", "at_0.2"]] == 0).all(axis=None)


def test_images_that_flipped_are_not_asked_again() -> None:
    """The same sizes as those of the search that asks about all images at every size."""
    x, y = STRIPES.described(0.1)
    x = x + torch.linspace(-0.6, 0.6, len(x)).double()[:, None, None]
    towards = torch.where(y > 0, 1.0, -1.0).double()[:, None, None]
    questions = []

    def one(images: torch.Tensor) -> torch.Tensor:
        questions.append(len(images))
        return (images.mean((1, 2)) > 0)[None].long()

    plain = smallest_step(one, x, towards, largest=LARGEST)
    before, many = one(x)[0], sum(questions)
    questions.clear()
    assert torch.equal(smallest_constant(one, x, towards, before), plain)
    assert 0 < plain.isinf().sum() < len(x) and plain.unique().numel() > 5
    assert sum(questions) < 0.8 * many


def test_the_rules_know_stripes_everywhere_or_nowhere() -> None:
    """At an offset of 0.1 the sum tells the colour for stripes of two to four pixels."""
    for rule, share in (("orientation", 1.0), ("colour", 0.0)):
        found = known_and_unseen(STRIPES, asked(rule), 0.1)
        assert (found == share).all(axis=None) and list(found) == ["known", "positions", "widths"]
