"""A new last layer on features of which it is known what they hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from falsestruct.evidence import cells, where
from falsestruct.learning import last_layer
from falsestruct.learning.networks import LINEAR, MLP, Architecture, fitting, initialise, shallow
from falsestruct.learning.schedule import Schedule, Trained
from falsestruct.problems.planted import registry


def by_hand(network: Architecture, **parameters: torch.Tensor) -> Trained:
    """One network with these weights."""
    module = initialise(network.build(), 1)
    own = {name: value.detach() for name, value in module.named_parameters()} | parameters
    one = torch.ones(1)
    return Trained(
        network, (1,), {k: v[None] for k, v in own.items()}, one, one, one, pd.DataFrame()
    )


def test_features_are_what_the_last_layer_sees():
    trained = by_hand(shallow(3, 7))
    x = torch.randn(1, 5, 3)
    weight, bias = (trained.parameters[f"2.{name}"][0] for name in ("weight", "bias"))
    found = last_layer.features(trained, x)
    assert found.shape == (1, 5, 7) and (found >= 0).all()
    wanted = torch.relu(x[0] @ trained.parameters["0.weight"][0].T)
    torch.testing.assert_close(found[0], wanted)
    from falsestruct.learning import training

    torch.testing.assert_close((wanted @ weight.T + bias)[:, 0], training.outputs(trained, x[0])[0])


def test_a_network_without_hidden_layer_has_no_features():
    with pytest.raises(ValueError, match="linear has no hidden layer"):
        last_layer.features(by_hand(LINEAR), torch.zeros(1, 2, 32, 32))


def test_a_feature_that_is_there_is_found_and_one_that_is_not_is_not():
    generator = torch.Generator().manual_seed(3)
    y = (torch.rand(400, generator=generator) < 0.5).double().numpy()
    noise = torch.randn(400, 5, generator=generator).double().numpy()
    seen = noise.copy()
    seen[:, 2] = 1e-3 * y  # faint: a feature's scale must not matter
    held = slice(200, None)
    shares = [
        (last_layer.relearnt(values[:200], y[:200], values[held]) == y[held]).mean()
        for values in (seen, noise)
    ]
    assert shares[0] == 1 and 0.35 < shares[1] < 0.65


def test_inputs_that_were_known_are_told_from_others():
    known = torch.tensor([[[0.1, 0.2]], [[0.3, 0.4]]])
    asked = torch.stack([known[1], known[1] + 1e-6, known[0]])
    assert last_layer.unseen(asked, known).tolist() == [False, True, False]


def test_networks_that_read_the_colour_read_it_before_and_arms_share_their_start():
    stripes = registry.by_name("stripes", 0.3)
    table = last_layer.compare(stripes, MLP, [1, 2], samples=60, schedule=Schedule(100))
    trained, untrained, shuffled = (
        table[table["arm"] == arm].set_index("seed") for arm in ("trained", "untrained", "shuffled")
    )
    assert (trained["accuracy"] == 1).all() and (trained["before"] < 0.1).all()
    assert (shuffled["accuracy"] > untrained["accuracy"]).all()
    assert (shuffled["before"] - 0.5).abs().max() < 0.4
    none = last_layer.compare(stripes, MLP, [1, 2], samples=60, schedule=Schedule(0))
    assert none.groupby("seed")["after"].nunique().eq(1).all()


def test_what_a_new_last_layer_was_learnt_on_does_not_count():
    """Of the sixty stripes in the wrong colour, half are among those that it was learnt on."""
    stripes, seeds = registry.by_name("stripes"), [1, 2]
    table = last_layer.compare(stripes, MLP, seeds, samples=60, schedule=Schedule(0))
    right = cells(where(table, arm="trained"), "right")
    assert right.shape == (2, 60) and (np.isnan(right).sum(1) == 30).all()
    assert (np.isnan(right[0]) != np.isnan(right[1])).any()
    wanted = where(table, arm="trained")["after"].to_numpy()
    np.testing.assert_allclose(np.nanmean(right, axis=1), wanted)


def test_the_oscillations_network_has_features_too():
    (network,) = fitting(registry.by_name("oscillation").direction.shape)
    table = last_layer.compare(
        registry.by_name("oscillation"), network, [1], samples=100, schedule=Schedule(20, batch=50)
    )
    assert sorted(table["arm"]) == ["shuffled", "trained", "untrained"]
    assert table[["before", "after", "accuracy"]].stack().between(0, 1).all()
    assert cells(where(table, arm="trained"), "right").shape == (1, last_layer.TESTED)


def test_one_answer_to_all_is_named(monkeypatch):
    stripes, how = registry.by_name("stripes"), {"samples": 60, "schedule": Schedule(0)}
    assert not last_layer.compare(stripes, MLP, [1], **how)["one"].any()
    monkeypatch.setattr(last_layer, "relearnt", lambda known, y, asked: np.ones(len(asked)))
    table = last_layer.compare(stripes, MLP, [1], **how)
    assert table["one"].all() and table["after"].between(0.2, 0.8).all()
