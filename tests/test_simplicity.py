"""Measures of simplicity on learners that were made by hand, and against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from falsestruct import simplicity
from falsestruct.learning.networks import DEEP_MLP
from falsestruct.learning.training import Schedule, Set
from falsestruct.problems.planted import registry
from falsestruct.problems.planted.stripes import stripes as planted_stripes
from falsestruct.simplicity import Learn, Learnt, Trial

STRIPES = planted_stripes(0.1)
SURE = 20.0  # an output whose label is as good as certain


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def by_hand(rule: Callable[[Tensor], Tensor], *, outputs: float = SURE, known: int = 0) -> Learn:
    """A learner that follows a rule, whatever it is taught, once it has seen `known` samples."""

    def learn(sets: Sequence[Set], seeds: Sequence[int], test: Set | None) -> Learnt:
        size = outputs if len(sets[0][1]) >= known else 0.0

        def function(x: Tensor) -> Tensor:
            labels = rule(x.flatten(0, 1).double()).view(x.shape[:2])
            return size * (2.0 * labels - 1)

        rows = []
        for member, _ in enumerate(seeds):
            for step in (0, 10) if test is not None else ():
                own = (rule(test[0]) == test[1].long()).double().mean().item()
                rows.append({"member": member, "step": step, "test": own if step else 0.5})
        return Learnt(function, pd.DataFrame(rows))

    return learn


@pytest.mark.parametrize("name", ["stripes", "oscillation", "digits-brightness"])
def test_alone_one_structure_is_right_and_the_other_is_a_coin(name: str) -> None:
    problem = registry.by_name(name)
    rules = {"original": problem.original, "false": problem.false}
    for which, other in (("original", "false"), ("false", "original")):
        x, y = simplicity.alone(problem, which, 100, generator())
        assert torch.equal(rules[which](x), y.long())
        assert (rules[other](x) == y.long()).double().mean() == 0.5
    original, false, coin = (
        simplicity.alone(problem, which, 100, generator()) for which in simplicity.LABELLINGS
    )
    assert torch.equal(original[0], false[0]) and torch.equal(original[0], coin[0])
    for _, y in (original, false):
        assert 0.3 < (coin[1] == y).double().mean() < 0.7


def test_without_a_planted_signal_the_false_labels_are_a_coin() -> None:
    x, false = simplicity.alone(planted_stripes(0.0), "false", 2_000, generator())
    horizontal = planted_stripes(0.0).original(x) == 1
    assert abs(false[horizontal].mean() - false[~horizontal].mean()) < 0.1
    assert abs(false.mean() - 0.5) < 0.1


def test_an_unknown_labelling_is_named() -> None:
    with pytest.raises(ValueError, match="'both'; expected one of original, false, coin"):
        simplicity.alone(STRIPES, "both", 10, generator())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("captured", "expected"),
    [
        ([0, 0, 1, 1], 4),
        ([1, 1, 1, 1], 1),
        ([0, 1, 0, 1], 8),  # captured, lost, captured again
        ([1, 1, 1, 0], math.inf),
        ([0, 0, 0, 0], math.inf),
    ],
)
def test_first_kept_counts_what_stays(captured: list[int], expected: float) -> None:
    column = np.array(captured, dtype=bool)[:, None]
    assert simplicity.first_kept([1, 2, 4, 8], column).tolist() == [expected]


@settings(max_examples=50, deadline=None)
@given(outputs=st.lists(st.floats(-40, 40), min_size=1, max_size=30), seed=st.integers(0, 9))
def test_the_mixture_costs_at_most_two_bits_more_than_its_best_scale(
    outputs: list[float], seed: int
) -> None:
    logits = torch.tensor([outputs], dtype=torch.float64)
    y = torch.randint(2, logits.shape, generator=generator(seed)).double()
    length = simplicity.code_length(logits, y).item()
    single = [
        -torch.nn.functional.logsigmoid(scale * (2 * y - 1) * logits).sum().item() / math.log(2)
        for scale in simplicity.SCALES
    ]
    assert min(single) - 1e-9 <= length <= min(single) + 2 + 1e-9
    assert length <= len(outputs) + 2 + 1e-9


def test_lengths_of_all_sequences_are_a_code() -> None:
    """Kraft's equality: 2^−length adds up to one over all labels, for fixed outputs."""
    logits = torch.tensor([[3.0, -1.0, 0.5, 10.0]])
    every = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 4)
    lengths = simplicity.code_length(logits.expand(16, 4), every)
    assert torch.exp2(-lengths).sum().item() == pytest.approx(1, abs=1e-12)


def test_a_follower_of_a_structure_pays_for_the_other() -> None:
    trial = Trial([4, 8], 60, range(3))
    for rule, cheap, dear in (
        (STRIPES.original, "original", "false"),
        (STRIPES.false, "false", "original"),
    ):
        learn = by_hand(rule)
        # 4 labels as they are, and 2 bits for the mixture of which one part is always right
        assert simplicity.bits(STRIPES, cheap, learn, trial).tolist() == pytest.approx(
            [4 + 1] * 3, abs=0.5
        )
        # always right on one half: nothing beats one bit a label, and the mixture costs two
        assert simplicity.bits(STRIPES, dear, learn, trial).tolist() == pytest.approx(
            [62] * 3, abs=0.1
        )


def test_an_untrained_learner_spends_one_bit_a_label() -> None:
    learn = by_hand(STRIPES.original, outputs=0.0)
    spent = simplicity.bits(STRIPES, "original", learn, Trial([4], 60, range(2)))
    assert spent.tolist() == pytest.approx([60, 60])


def test_measure_finds_when_a_learner_understands() -> None:
    learn = by_hand(STRIPES.original, known=8)
    table = simplicity.measure(STRIPES, "original", learn, Trial([4, 8, 16], 32, range(2)))
    assert table["samples"].tolist() == [8, 8]
    assert table["steps"].tolist() == [10, 10]
    # 4 as they are, 4 at one bit while it knows nothing, then nothing; less than 2 for the mixture
    assert ((table["bits"] >= 8) & (table["bits"] <= 10)).all()
    other = simplicity.measure(STRIPES, "false", learn, Trial([4, 8], 16, range(2)))
    assert np.isinf(other[["samples", "steps"]]).all(axis=None)


def test_a_trained_network_needs_more_without_a_signal() -> None:
    learn = simplicity.learner(DEEP_MLP, Schedule(100, target=0.05), at=(1, 2, 4, 8, 16))
    lengths = {
        strength: simplicity.bits(
            planted_stripes(strength), "false", learn, Trial([4, 16], 60, range(2))
        ).mean()
        for strength in (0.0, 0.4)
    }
    assert lengths[0.4] < 20
    assert lengths[0.0] > 55
    table = simplicity.measure(planted_stripes(0.4), "false", learn, Trial([8, 16], 32, range(2)))
    assert (table["samples"] <= 16).all() and (table["steps"] <= 16).all()


@pytest.mark.parametrize(
    ("sizes", "labels"), [([], 4), ([4, 4], 8), ([8, 4], 16), ([4], 4), ([0], 4)]
)
def test_sizes_that_do_not_grow_are_named(sizes: list[int], labels: int) -> None:
    with pytest.raises(ValueError, match="increasing sizes"):
        Trial(sizes, labels, [0])


def test_what_95_percent_need_keeps_the_censored() -> None:
    def needed(*values: float) -> float:
        return float(simplicity.quantile(np.array(values)))

    assert needed(*[8.0] * 20) == 8
    assert needed(*[8.0] * 19, math.inf) == 8
    assert needed(*[8.0] * 18, math.inf, math.inf) == math.inf
    assert needed(*[8.0] * 9, math.inf) == math.inf


INF = math.inf


@pytest.mark.parametrize(
    ("original", "false", "value", "inside"),
    [
        ([8, 8, 8], [16, 8, 4], 0.1, True),  # equal at a point of the sweep
        ([8, 8, 8], [32, 16, 4], math.sqrt(0.1), True),  # half way in logarithms
        ([8, 8, 8], [INF, INF, 4], math.sqrt(0.1), True),  # only the order is known
        ([INF, INF, 8], [INF, INF, 4], 0.01, False),  # never harder, as far as one can tell
        ([8, 8, 8], [4, 4, 4], 0.01, False),
        ([8, 8, 8], [16, 16, 16], 1.0, False),
        ([8, 8, 8], [4, 4, 16], 1.0, False),  # simpler only where it should not be
        ([8, INF, INF], [INF, INF, 4], 0.1, True),  # the middle of a stretch without an answer
    ],
)
def test_crossing(original: list[float], false: list[float], value: float, inside: bool) -> None:
    cross = simplicity.crossing([0.01, 0.1, 1.0], original, false)
    assert cross.value == pytest.approx(value)
    assert cross.inside == inside


@settings(max_examples=50, deadline=None)
@given(power=st.floats(0.2, 3), at=st.floats(0.02, 0.5))
def test_a_power_law_crosses_where_it_should(power: float, at: float) -> None:
    strengths = np.geomspace(0.01, 1, 5)
    cross = simplicity.crossing(strengths, [10.0] * 5, 10 * (strengths / at) ** -power)
    assert cross.inside and cross.value == pytest.approx(at)


def test_a_factor_is_symmetric() -> None:
    assert simplicity.factor(0.2, 0.1) == pytest.approx(2) == simplicity.factor(0.1, 0.2)
