"""The structures' own radii, and networks that only agree with them."""

from __future__ import annotations

import math

import pytest
import torch

from falsestruct.instability import rules
from falsestruct.problems.planted import registry
from falsestruct.problems.planted.registry import STRENGTHS


def test_bounds_of_the_originals_are_in_order_and_the_upper_one_flips() -> None:
    problem = registry.by_name("digits-brightness")
    x, _ = problem.draw(8, torch.Generator().manual_seed(1), held_out=True)
    low, high = rules.radii(problem, x)
    assert (low > 0).all()
    assert (low <= high * (1 + 1e-6)).all()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    inside = x + 0.99 * low[:, None, None] * noise / noise.flatten(1).norm(dim=1)[:, None, None]
    assert (problem.original(inside) == problem.original(x)).all()


def test_structures_change_places_when_the_false_one_is_strong() -> None:
    for name, value in (("stripes", 5.0), ("oscillation", None)):
        usual = rules.stability(registry.by_name(name), points=14)
        assert usual.low > 1
        if value is not None:
            assert usual.value == pytest.approx(value)
        strong = rules.stability(registry.by_name(name, 10 * STRENGTHS[name]), points=14)
        assert strong.value == pytest.approx(usual.value / 10)


@pytest.mark.parametrize("size", [0.0, 3.0])
def test_the_follower_agrees_and_is_as_unstable_as_the_proposition_says(size: float) -> None:
    problem = registry.by_name("stripes")
    x, _ = problem.draw(60, torch.Generator().manual_seed(0))
    ratio, gap = rules.follower_ratio(problem, x, size=size)
    assert ratio == pytest.approx(1 / math.sqrt(1 + size**2), rel=1e-9)
    assert gap < 1e-9


def test_no_follower_where_the_data_span_everything() -> None:
    problem = registry.by_name("oscillation")
    with pytest.raises(ValueError, match="span all 2 dimensions"):
        rules.follower(problem, torch.eye(2, dtype=torch.float64), 1.0)


def test_the_mirror_bounds_every_network_that_reads_both() -> None:
    """The second proposition on random linear networks, whose distances are closed forms."""
    problem = registry.by_name("oscillation")
    x, _ = problem.draw(50, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    mirror, seen = x + 2 * rules.towards(problem, x), 0
    for _ in range(300):
        w = problem.direction + 0.02 * torch.randn(2, generator=generator, dtype=torch.float64)
        level = problem.level + 0.01 * torch.randn(1, generator=generator, dtype=torch.float64)
        value, other = x @ w - level, mirror @ w - level
        reads = ((value > 0) == problem.false(x)) & ((other > 0) != problem.false(x))
        for dual in (w.norm(), w.abs().sum()):
            total = (value.abs() + other.abs()) / dual
            assert (total[reads] <= 2 * problem.distance(x, "l2")[reads] * (1 + 1e-9)).all()
        seen += int(reads.sum())
    assert seen > 100


def test_a_median_over_drawn_inputs_has_an_interval_and_a_proved_constant_has_none() -> None:
    constant = rules.stability(registry.by_name("stripes"), points=14)
    assert (constant.low, constant.high, constant.method) == (constant.value,) * 2 + ("exact",)
    for name in ("oscillation", "digits-brightness"):
        found = rules.stability(registry.by_name(name), points=14)
        assert found.low < found.value < found.high and found.ends
