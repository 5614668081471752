"""Readers of the orientation: what a margin costs, and the network that is built by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.instability import decay, rules
from falsestruct.instability.exact import Dense
from falsestruct.theory import bands


def test_costs_are_the_least_over_rescalings() -> None:
    """Rescaling a ReLU's two sides changes no output and no cost, and reaches no less."""
    rng = np.random.default_rng(0)
    first, shift, second = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=(1, 4))
    network = Dense((first, second), (shift, np.zeros(1)))
    x = torch.from_numpy(rng.normal(size=(50, 3)))
    x = x[np.abs(network(x.numpy())) > 0.1]  # no input on the boundary
    y = torch.from_numpy((network(x.numpy()) > 0).astype(float))
    found, margin = decay.costs(network, x, y), np.abs(network(x.numpy())).min()

    def scaled(c: np.ndarray) -> tuple[Dense, float, float]:
        parts = [first * c[:, None], shift * c, second / c]
        other = Dense((parts[0], parts[2]), (parts[1], np.zeros(1)))
        squares, largest = sum((w**2).sum() for w in parts) / 2, max(abs(w).max() for w in parts)
        return other, squares / margin, largest**2 / margin

    for c in rng.uniform(0.2, 5, size=(20, 4)):
        other, squares, largest = scaled(c)
        assert decay.costs(other, x, y) == pytest.approx(found)
        assert squares >= found[0] * (1 - 1e-9) and largest >= found[1] * (1 - 1e-9)
    before, after = np.column_stack([first, shift]), np.abs(second[0])
    assert scaled((after / np.linalg.norm(before, axis=1)) ** 0.5)[1] == pytest.approx(found[0])
    assert scaled((after / np.abs(before).max(1)) ** 0.5)[2] == pytest.approx(found[1])
    twice = Dense((2 * first, 2 * second), (2 * shift, np.zeros(1)))
    assert decay.costs(twice, x, y) == pytest.approx(found)
    assert decay.costs(network, x, 1 - y) == (np.inf, np.inf)
    with pytest.raises(ValueError, match="one is hidden"):
        decay.costs(Dense((second,), (np.zeros(1),)), x, y)


def test_the_network_built_by_hand_keeps_its_bound() -> None:
    row = decay.by_hand(points=8).iloc[0]
    assert row["right"] == 1 and row["capture"] == 0
    assert row["size"] >= 0.353 and row["size"] <= rules.STRIPE_RADIUS + 0.1
    assert row["euclid"] <= bands.euclidean(32, 3)


def test_decay_shrinks_the_norm_that_a_margin_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decay, "STEPS", 200)
    free, strong = (decay.decayed(value, seeds=[1], points=4).iloc[0] for value in (0.0, 10.0))
    assert free["right"] == strong["right"] == 1
    hand = decay.by_hand(points=4).iloc[0]
    assert strong["cost"] < free["cost"] < hand["cost"]
    assert max(strong["peak"], free["peak"]) < hand["peak"]
    assert strong["loss"] > free["loss"] and free["steps"] == strong["steps"] == decay.STEPS


def test_sizes_are_told_in_units_of_the_orientation_s_radius() -> None:
    table = decay.by_hand(points=4).assign(decay=np.nan, loss=np.nan)
    both = pd.concat([table, table.assign(decay=0.0)], ignore_index=True)
    found = decay.numbers(both)
    assert found["size_hand"] == pytest.approx(2 * table["size"].iloc[0])
    assert found["bound"] == decay.bound() == 113 / 160 and decay.bound(4) == 17 / 160
    assert found["euclid_0_0"] == pytest.approx(found["euclid_hand"])
