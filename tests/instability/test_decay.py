"""Readers of the orientation: what a margin costs, and the network that is built by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.instability import decay, rules
from falsestruct.instability.exact import Dense
from falsestruct.theory import bands


def test_the_cost_is_the_least_norm_over_the_margin() -> None:
    """Rescaling a ReLU's two sides changes no output and no cost; half of the squares is more."""
    rng = np.random.default_rng(0)
    first, shift, second = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=(1, 4))
    network = Dense((first, second), (shift, np.zeros(1)))
    x = torch.from_numpy(rng.normal(size=(50, 3)))
    x = x[np.abs(network(x.numpy())) > 0.1]  # no input on the boundary
    y = torch.from_numpy((network(x.numpy()) > 0).astype(float))
    found, margin = decay.cost(network, x, y), np.abs(network(x.numpy())).min()
    for c in rng.uniform(0.2, 5, size=(20, 4)):
        other = Dense((first * c[:, None], second / c), (shift * c, np.zeros(1)))
        assert decay.cost(other, x, y) == pytest.approx(found)
        squares = sum((w**2).sum() for w in (*other.weights, other.biases[0])) / 2
        assert squares / margin >= found * (1 - 1e-9)
    best = np.sqrt(np.abs(second[0]) / np.hypot(np.linalg.norm(first, axis=1), shift))
    even = [first * best[:, None], second / best, shift * best]
    assert sum((w**2).sum() for w in even) / 2 / margin == pytest.approx(found)
    assert decay.cost(network, x, 1 - y) == np.inf
    with pytest.raises(ValueError, match="one is hidden"):
        decay.cost(Dense((second,), (np.zeros(1),)), x, y)


def test_the_network_built_by_hand_keeps_its_bound() -> None:
    row = decay.by_hand(points=8).iloc[0]
    assert row["right"] == 1 and row["capture"] == 0
    assert row["size"] >= 0.353 and row["size"] <= rules.STRIPE_RADIUS + 0.1
    assert row["euclid"] <= bands.euclidean(32, 3)


def test_decay_shrinks_the_norm_that_a_margin_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decay, "STEPS", 200)
    free, strong = (decay.decayed(value, seeds=[1], points=4).iloc[0] for value in (0.0, 10.0))
    assert free["right"] == strong["right"] == 1
    assert strong["cost"] < free["cost"] < decay.by_hand(points=4)["cost"].iloc[0]
    assert strong["loss"] > free["loss"] and free["steps"] == strong["steps"] == decay.STEPS


def test_sizes_are_told_in_units_of_the_orientation_s_radius() -> None:
    table = decay.by_hand(points=4).assign(decay=np.nan, loss=np.nan)
    both = pd.concat([table, table.assign(decay=0.0)], ignore_index=True)
    found = decay.numbers(both)
    assert found["size_hand"] == pytest.approx(2 * table["size"].iloc[0])
    assert found["bound"] == decay.bound() == 113 / 160 and decay.bound(4) == 17 / 160
    assert found["euclid_0_0"] == pytest.approx(found["euclid_hand"])
