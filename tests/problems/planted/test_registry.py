"""Planted problems: two structures, where they agree and disagree, and the false one's distance."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct.problems.planted import Planted
from falsestruct.problems.planted import digits as patterns
from falsestruct.problems.planted.registry import PROBLEMS, by_name

NAMES = list(PROBLEMS)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module", params=NAMES)
def problem(request: pytest.FixtureRequest) -> Planted:
    return by_name(request.param)


def test_both_structures_are_right_in_training(problem: Planted) -> None:
    x, y = problem.draw(60, generator())
    assert torch.equal(problem.original(x), y.long())
    assert torch.equal(problem.false(x), y.long())
    assert 0.3 < y.mean() < 0.7


def test_on_the_conflict_set_only_the_original_is_right(problem: Planted) -> None:
    x, y = problem.conflict_set(60, generator())
    assert torch.equal(problem.original(x), y.long())
    assert torch.equal(problem.false(x), 1 - y.long())


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(NAMES), rho=st.floats(0, 1), samples=st.integers(20, 70))
def test_rho_is_the_share_on_which_the_false_structure_is_right(
    name: str, rho: float, samples: int
) -> None:
    problem = by_name(name)
    x, y = problem.draw(samples, generator(1), rho=rho)
    assert torch.equal(problem.original(x), y.long())
    assert (problem.false(x) == y.long()).sum() == round(rho * samples)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_distance_is_where_the_label_changes(problem: Planted, norm: str) -> None:
    """The worst perturbation, a little shorter, changes nothing; a little longer, everything."""
    x, _ = problem.draw(40, generator())
    size = problem.distance(x, norm)  # type: ignore[arg-type]
    unit = problem.direction if norm == "l2" else problem.direction.sign()
    away = torch.where(problem.false(x) == 1, -1.0, 1.0).double() * size
    eta = away.view(-1, *[1] * (x.ndim - 1)) * unit
    assert torch.equal(problem.false(x + 0.999 * eta), problem.false(x))
    assert torch.equal(problem.false(x + 1.001 * eta), 1 - problem.false(x))
    noise = torch.rand(x.shape, generator=generator(), dtype=torch.float64) * 2 - 1
    length = noise.flatten(1).norm(dim=1) if norm == "l2" else noise.flatten(1).abs().amax(1)
    other = noise * (0.999 * size / length).view(-1, *[1] * (x.ndim - 1))
    assert torch.equal(problem.false(x + other), problem.false(x))


def test_strength_is_the_largest_change_of_a_pixel() -> None:
    for kind in ("brightness", "pixel", "sinusoid"):
        weak, strong = (patterns.digits(kind, s).draw(30, generator())[0] for s in (0.0, 0.3))
        change = (strong - weak).flatten(1)
        assert change.abs().amax(1).tolist() == pytest.approx([0.3] * 30)
        # The planted pattern is all that differs: the same but for the sign in every image.
        assert torch.linalg.matrix_rank(change) == 1


def test_training_and_held_out_digits_share_no_image() -> None:
    problem = by_name("digits-pixel", 0.0)
    train = problem.draw(problem.samples, generator())[0].flatten(1)
    test = problem.draw(597, generator(), held_out=True)[0].flatten(1)
    assert torch.cdist(test, train).min() > 1e-6


def test_a_stripes_training_set_has_every_stripe_once() -> None:
    x, _ = by_name("stripes", 0.1).draw(60, generator())
    assert len(x.unique(dim=0)) == 60


def test_the_parity_rule_keeps_its_label_within_its_radius() -> None:
    problem = by_name("digits-brightness")
    x, _ = problem.draw(50, generator(), held_out=True)
    assert problem.original.radius is not None
    radius = problem.original.radius(x)
    noise = torch.randn(x.shape, generator=generator(), dtype=torch.float64)
    unit = noise / noise.flatten(1).norm(dim=1)[:, None, None]
    moved = x + 0.99 * radius[:, None, None] * unit
    assert torch.equal(problem.original(moved), problem.original(x))
    # Towards the nearest image of the other parity it changes, at twice the bound plus a little.
    assert (radius > 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: by_name("stripe"), "no problem 'stripe'; expected one of stripes"),
        (lambda: by_name("stripes", -1.0), "strength is -1.0"),
        (lambda: by_name("stripes").draw(10, generator(), rho=1.5), "rho is 1.5"),
        (lambda: by_name("digits-pixel").conflict_set(598, generator()), "at most 597"),
        (lambda: by_name("stripes").distance(torch.zeros(1, 32, 32), "l1"), "norm is 'l1'"),  # type: ignore[arg-type]
        (lambda: patterns.pattern("spot", 8), "kind is 'spot'"),  # type: ignore[arg-type]
    ],
)
def test_errors_name_what_does_not_fit(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call()
