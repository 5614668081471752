"""How far attacks are above the exact distances, on networks whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from falsestruct.instability import exact, gaps, rules
from falsestruct.instability.trained import ensembles
from falsestruct.learning.ensembles import ensemble
from falsestruct.problems.planted import registry


def test_what_a_flat_network_hides_from_the_attack_the_exact_distance_sees() -> None:
    found = gaps.masked(points=14)
    assert found["flat_masked"] == 1.0
    assert found["missed_one"] == 1.0
    assert 0 <= found["missed_many"] < 1.0
    assert found["ratio_masked"] == pytest.approx(
        rules.stability(registry.by_name("oscillation"), points=90).value, rel=0.1
    )
    problem, network = registry.by_name("oscillation"), rules.oscillation_network()
    x, _ = problem.draw(8, torch.Generator().manual_seed(0))
    assert problem.original.radius is not None
    for point, radius in zip(x.numpy(), problem.original.radius(x).tolist(), strict=True):
        for norm in ("l2", "linf"):
            exactly = exact.smallest_in_plane(network, point, norm=norm, radius=0.1)
            assert exactly.size == pytest.approx(radius, rel=1e-6)


def test_a_network_that_always_answers_the_same_has_no_gap() -> None:
    """Neither search finds anything, and that is no excess."""
    problem = registry.by_name("oscillation")
    (own,) = ensembles("oscillation", "2-104-1", [(0.01, 1.0)], [0])
    trained = own.trained
    assert trained is not None
    values = {name: value.double() for name, value in trained.parameters.items()}
    last = [name for name in values if name.startswith("2.")]
    values |= {name: torch.full_like(values[name], float("bias" in name)) for name in last}
    table = gaps.gap_rows(
        problem, ensemble(replace(trained, parameters=values)), points=2, solved=0
    )
    assert (table[["worst", "middle", "near", "weak"]] == 0).all(axis=None)
    assert table["other"].tolist() == pytest.approx([gaps.FAR / 0.01] * 2)
