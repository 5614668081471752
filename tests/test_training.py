"""Training of image networks: lockstep against one at a time, stopping, errors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from falsestruct import training
from falsestruct.networks import (
    ARCHITECTURES,
    LINEAR,
    MLP,
    PAPER,
    POOLED,
    Architecture,
    apply,
    count_parameters,
    initialise,
)  # fmt: skip
from falsestruct.problems.stripes import Stripes

SET = Stripes().described(0.1)


def plain(
    architecture: Architecture, data: tuple[Tensor, Tensor], seed: int, steps: int
) -> dict[str, Tensor]:
    """The same training, written as plainly as it can be."""
    network = initialise(architecture.build(), seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=architecture.learning_rate)
    x, y = (part.float() for part in data)
    for _ in range(steps):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(x)[:, 0], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {name: p.detach() for name, p in network.named_parameters()}


@pytest.mark.parametrize("architecture", [LINEAR, MLP, POOLED], ids=lambda a: a.name)
def test_a_member_is_trained_as_if_alone(architecture: Architecture) -> None:
    data = [Stripes().described(a) for a in (0.1, 0.3)]
    trained = training.train(architecture, data, [5, 6], steps=8)
    for member, seed in enumerate((5, 6)):
        expected = plain(architecture, data[member], seed, 8)
        for name, value in expected.items():
            torch.testing.assert_close(
                trained.parameters[name][member], value, rtol=1e-4, atol=1e-5
            )


def test_members_stop_at_their_target_and_keep_those_weights() -> None:
    trained = training.train(MLP, [SET] * 3, range(3), steps=500, target=0.05)
    assert trained.reached.all()
    assert (trained.loss <= 0.05).all()
    assert len(set(trained.steps.tolist())) > 1  # they did not all stop together
    for member in range(3):
        one = training.train(MLP, [SET], [member], steps=500, target=0.05)
        assert one.steps[0] == trained.steps[member]
        for name, value in one.parameters.items():
            torch.testing.assert_close(
                trained.parameters[name][member], value[0], rtol=1e-3, atol=1e-5
            )
    out = training.outputs(trained, SET[0])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        out.double(), SET[1].expand(3, -1), reduction="none"
    ).mean(1)
    torch.testing.assert_close(loss, trained.loss, rtol=1e-3, atol=1e-5)


def test_who_does_not_reach_the_target_is_said_so() -> None:
    trained = training.train(MLP, [SET], [0], steps=2, target=1e-6)
    assert not trained.reached[0]
    assert trained.steps[0] == 2


def test_outputs_do_not_depend_on_the_chunk() -> None:
    trained = training.train(POOLED, [SET], [0], steps=1)
    x = SET[0]
    torch.testing.assert_close(
        training.outputs(trained, x, chunk=7), training.outputs(trained, x), rtol=1e-4, atol=1e-6
    )


def test_select_and_concatenate_undo_each_other() -> None:
    trained = training.train(LINEAR, [SET] * 3, range(3), steps=2)
    parts = [training.select(trained, [i]) for i in range(3)]
    again = training.concatenate(parts)
    assert torch.equal(again.parameters["1.weight"], trained.parameters["1.weight"])
    assert len(again) == 3


def test_nan_is_an_error_that_names_the_member() -> None:
    bad = SET[0].clone()
    bad[0, 0, 0] = float("nan")
    with pytest.raises(training.DivergedError, match=r"members \[1\]"):
        training.train(MLP, [SET, (bad, SET[1])], [0, 1], steps=3)


def test_numbers_of_sets_and_seeds_must_agree() -> None:
    with pytest.raises(ValueError, match="1 training sets for 2 seeds"):
        training.train(MLP, [SET], [0, 1], steps=1)


def test_the_paper_network_has_the_paper_shape() -> None:
    conv = 24 * 25 + 24 + 48 * 24 * 25 + 48
    dense = 3072 * 10 + 10 + 10 + 1
    assert count_parameters(PAPER) == conv + dense


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
def test_initialisation_is_glorot_uniform_from_the_seed(architecture: Architecture) -> None:
    networks = [initialise(architecture.build(), seed) for seed in (1, 1, 2)]
    first, same, other = (dict(network.named_parameters()) for network in networks)
    for name, value in first.items():
        assert torch.equal(value, same[name])
        if name.endswith("bias"):
            assert (value == 0).all()
            continue
        assert not torch.equal(value, other[name])
        area = value[0, 0].numel() if value.ndim == 4 else 1
        limit = (6 / ((value.shape[0] + value.shape[1]) * area)) ** 0.5
        assert 0.8 * limit < value.abs().max() <= limit


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
def test_apply_is_the_network_with_other_weights(architecture: Architecture) -> None:
    network, x = initialise(architecture.build(), 0), SET[0][:3].float()
    weights = {n: p.detach() for n, p in initialise(architecture.build(), 1).named_parameters()}
    expected = initialise(architecture.build(), 1)(x)[:, 0]
    torch.testing.assert_close(apply(network, weights, x), expected)
