"""Rules whose answer is known give it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct.characterise.known import coins, mixture, uniform
from falsestruct.problems.planted import registry


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=10, deadline=None)
@given(share=st.floats(0.1, 0.9), seed=st.integers(0, 2**31))
def test_a_mixture_follows_the_false_structure_on_its_share(share: float, seed: int) -> None:
    problem = registry.by_name("oscillation")
    x, _ = problem.conflict_set(2000, generator(1))
    labels = mixture(problem, share, seed)(x)
    own = (labels[0] == problem.false(x)).double().mean().item()
    assert own == pytest.approx(share, abs=0.05)
    assert torch.equal(labels[:, 7:9], mixture(problem, share, seed)(x[7:9]))


def test_uniform_numbers_are_uniform_and_belong_to_the_input() -> None:
    x = torch.randn(3000, 4, generator=generator(0))
    first, second = uniform(x, 0), uniform(x, 1)
    assert first.min() >= 0 and first.max() < 1
    assert first.mean().item() == pytest.approx(0.5, abs=0.02)
    assert torch.corrcoef(torch.stack((first, second)))[0, 1].abs() < 0.06
    assert torch.equal(uniform(x.flip(0), 0), first.flip(0))


def test_coins_answer_the_same_again_and_each_by_itself() -> None:
    x = torch.randn(1000, 3, generator=generator(0))
    first, second = coins([0, 1])(x)
    assert torch.equal(coins([1])(x[5:9])[0], second[5:9])
    assert first.double().mean().item() == pytest.approx(0.5, abs=0.06)
    assert (first == second).double().mean().item() == pytest.approx(0.5, abs=0.06)
