"""Lockstep training against automatic differentiation, torch's Adam, and itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from falsestruct.learning import shallow


def ensemble_of(seeds: list[int], width: int = 7) -> shallow.Ensemble:
    ensemble = shallow.glorot(seeds, 2, width)
    ensemble.hidden[:, -1] += 0.1  # biases at zero would hide a wrong bias gradient
    return ensemble


def sets_of(seeds: list[int], samples: int = 20) -> list[tuple[Tensor, Tensor]]:
    sets = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(100 + seed)
        x = torch.randn(samples, 2, dtype=torch.float64, generator=generator)
        y = (torch.rand(samples, generator=generator) > 0.5).double()
        sets.append((x, y))
    return sets


def run(seeds: list[int], steps: int = 50, dtype: torch.dtype = torch.float64) -> shallow.Ensemble:
    initial = ensemble_of(seeds)
    initial = shallow.Ensemble(initial.flat.to(dtype), 2, 7)
    batches = shallow.make_batches(sets_of(seeds), 10, dtype=dtype)
    observe = lambda step, ensemble: ensemble.clone()  # noqa: E731
    return shallow.train(initial, batches, seeds=seeds, steps=steps, observe=observe)[-1]


def reference(seed: int, steps: int = 50) -> Tensor:
    """The same member with autograd and torch.optim.Adam, one batch at a time."""
    start, (x, y) = ensemble_of([seed]), sets_of([seed])[0]
    leaves = [start.hidden[0, :2], start.hidden[0, 2], start.output[0], start.bias[0]]
    w, b, v, c = (leaf.clone().requires_grad_() for leaf in leaves)
    optimizer = torch.optim.Adam([w, b, v, c], lr=1e-3)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randint(2, (shallow.BLOCK,), generator=generator)
    for batch in order[:steps]:
        part = slice(10 * int(batch), 10 * int(batch) + 10)
        out = torch.relu(x[part] @ w + b) @ v + c
        loss = torch.nn.functional.binary_cross_entropy_with_logits(out, y[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.cat([w.flatten(), b, v, c[None]]).detach()


def test_steps_are_those_of_autograd_and_adam() -> None:
    trained = run([0, 1, 2])
    for member in range(3):
        expected = reference(member)
        moved = (expected - ensemble_of([member]).flat[0]).abs().max()
        assert moved > 0.01  # otherwise equality would say nothing
        torch.testing.assert_close(trained.flat[member], expected, rtol=0, atol=1e-12)


def test_member_does_not_depend_on_its_ensemble() -> None:
    together = run([3, 4, 5, 6])
    alone = run([5])
    torch.testing.assert_close(together.flat[2], alone.flat[0], rtol=0, atol=1e-12)


def test_same_seeds_same_bytes() -> None:
    assert torch.equal(run([1, 2]).flat, run([1, 2]).flat)


def test_seed_means_the_same_network_in_both_precisions() -> None:
    double = shallow.glorot([4], 2, 9)
    single = shallow.glorot([4], 2, 9, dtype=torch.float32)
    assert torch.equal(double.flat.float(), single.flat)
    assert single.flat.dtype == torch.float32


def test_single_precision_stays_close() -> None:
    torch.testing.assert_close(
        run([0], dtype=torch.float32).flat.double(), run([0]).flat, rtol=0, atol=1e-4
    )


def test_training_leaves_the_initial_networks_alone() -> None:
    initial = ensemble_of([0])
    before = initial.flat.clone()
    shallow.train(
        initial,
        shallow.make_batches(sets_of([0]), 10),
        seeds=[0],
        steps=3,
        observe=lambda step, ensemble: None,
    )
    assert torch.equal(initial.flat, before)


def test_observed_at_the_named_steps_and_the_last() -> None:
    seen = shallow.train(
        ensemble_of([0]),
        shallow.make_batches(sets_of([0]), 10),
        seeds=[0],
        steps=1_203,
        at=[1, 7, 1_000],
        observe=lambda step, ensemble: step,
    )
    assert seen == [1, 7, 1_000, 1_203]


def test_logits_are_the_formula() -> None:
    ensemble = ensemble_of([0, 1])
    x = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for member in range(2):
        w, b = ensemble.hidden[member, :2], ensemble.hidden[member, 2]
        expected = torch.relu(x @ w + b) @ ensemble.output[member] + ensemble.bias[member]
        torch.testing.assert_close(shallow.logits(ensemble, x)[member], expected)


def test_members_may_have_sets_of_different_size() -> None:
    sets = [sets_of([0], 20)[0], sets_of([1], 50)[0]]
    batches = shallow.make_batches(sets, 10)
    assert batches.counts == (2, 5)
    assert batches.starts == [0, 2]
    alone = shallow.train(
        ensemble_of([1]),
        shallow.make_batches(sets[1:], 10),
        seeds=[1],
        steps=30,
        observe=lambda step, ensemble: ensemble.clone(),
    )[0]
    both = shallow.train(
        ensemble_of([0, 1]),
        batches,
        seeds=[0, 1],
        steps=30,
        observe=lambda step, ensemble: ensemble.clone(),
    )[0]
    torch.testing.assert_close(both.flat[1], alone.flat[0], rtol=0, atol=1e-12)


def test_incomplete_batch_is_left_out_and_too_small_a_set_refused() -> None:
    batches = shallow.make_batches(sets_of([0], 25), 10)
    assert batches.counts == (2,)
    with pytest.raises(ValueError, match="batch size is 30 but a member has 25"):
        shallow.make_batches(sets_of([0], 25), 30)


def test_divergence_is_an_error_that_names_the_member() -> None:
    initial = ensemble_of([0, 1])
    initial.flat[1, 0] = float("nan")
    with pytest.raises(shallow.DivergedError, match=r"members \[1\]"):
        shallow.train(
            initial,
            shallow.make_batches(sets_of([0, 1]), 10),
            seeds=[0, 1],
            steps=5,
            observe=lambda step, ensemble: None,
        )


def test_numbers_of_networks_sets_and_seeds_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(2, 1, 2\)"):
        shallow.train(
            ensemble_of([0, 1]),
            shallow.make_batches(sets_of([0]), 10),
            seeds=[0, 1],
            steps=1,
            observe=lambda step, ensemble: None,
        )
