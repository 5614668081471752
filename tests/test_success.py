"""Capture, accuracy, interventions and crossover on predictions made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from falsestruct import success
from falsestruct.problems.planted import Planted
from falsestruct.problems.planted.registry import by_name
from falsestruct.problems.stripes import Stripes
from falsestruct.structures import Structure

STRIPES = Stripes()
X, Y = STRIPES.conflict_set(0.1)


def test_hand_made_readers_are_named_rightly() -> None:
    colour, orientation = STRIPES.colour(X), STRIPES.orientation(X)
    mixture = torch.where(torch.arange(60) < 15, colour, orientation)
    predicted = torch.stack((colour, orientation, mixture))
    share = success.capture(predicted, STRIPES.colour, STRIPES.orientation, X)
    assert share.tolist() == [1.0, 0.0, 0.25]
    other = success.capture(predicted, STRIPES.orientation, STRIPES.colour, X)
    assert torch.equal(share + other, torch.ones(3).double())


def test_only_the_conflict_counts() -> None:
    agreeing, _ = STRIPES.described(0.1)
    both = torch.cat((X, agreeing))
    predicted = torch.cat((STRIPES.colour(X), 1 - STRIPES.colour(agreeing)))[None]
    assert success.capture(predicted, STRIPES.colour, STRIPES.orientation, both).item() == 1.0


def test_no_conflict_is_an_error() -> None:
    x, _ = STRIPES.described(0.1)
    with pytest.raises(ValueError, match="agree on all 60"):
        success.capture(torch.zeros(1, 60), STRIPES.colour, STRIPES.orientation, x)


def test_accuracy_and_labels() -> None:
    outputs = torch.tensor([[1.0, -1.0, 2.0], [-3.0, 0.0, 4.0]])
    predicted = success.labels(outputs)
    assert predicted.tolist() == [[1, 0, 1], [0, 0, 1]]
    y = torch.tensor([1.0, 1.0, 1.0])
    assert success.accuracy(predicted, y).tolist() == pytest.approx([2 / 3, 1 / 3])


@given(st.floats(0.02, 0.9), st.floats(1.0, 20.0))
def test_crossover_of_a_curve_linear_in_the_logarithm(centre: float, slope: float) -> None:
    offsets = torch.logspace(-4, 2, 400, dtype=torch.float64)
    share = (0.5 + slope * torch.log(offsets / centre)).clamp(0, 1)
    assert success.crossover(offsets, share) == pytest.approx(centre, rel=2e-2)


def test_crossover_between_two_points_is_exact() -> None:
    offsets, share = torch.tensor([0.01, 1.0]), torch.tensor([0.0, 1.0])
    assert success.crossover(offsets, share) == pytest.approx(0.1, rel=1e-6)
    assert success.crossover(offsets, share, level=0.75) == pytest.approx(10**-0.5, rel=1e-6)


@pytest.mark.parametrize("share", [[0.0, 0.2], [0.8, 1.0]])
def test_no_crossover_is_an_error(share: list[float]) -> None:
    with pytest.raises(ValueError, match=r"don't pass 0\.5"):
        success.crossover(torch.tensor([0.1, 1.0]), torch.tensor(share))


# Several structures and classes


def structure(name: str, labels: list[int]) -> Structure:
    return Structure(name, lambda x: torch.tensor(labels)[x.long()])


F, G = structure("f", [0, 1, 2, 3, 0, 1]), structure("g", [0, 1, 3, 2, 1, 2])
POINTS = torch.arange(6)


def test_sides_with_several_classes() -> None:
    """The structures part on four inputs: two labelled as f, one as g, one as neither."""
    predicted = torch.tensor([[5, 5, 2, 2, 0, 3]])
    found = success.sides(predicted, [F, G], POINTS)
    assert found.names == ("f", "g", "neither")
    assert found.inputs == 4
    assert found.shares.tolist() == [[0.5, 0.25, 0.25]]
    assert found.of("neither").item() == 0.25


def test_sides_of_two_structures_with_two_labels_is_capture() -> None:
    predicted = torch.randint(2, (3, 60), generator=torch.Generator().manual_seed(0))
    found = success.sides(predicted, [STRIPES.orientation, STRIPES.colour], X)
    share = success.capture(predicted, STRIPES.colour, STRIPES.orientation, X)
    assert torch.equal(found.of("colour"), share)
    assert found.of("neither").tolist() == [0, 0, 0]
    estimate = found.estimate("colour")
    assert estimate.value == pytest.approx(share.mean().item())
    assert estimate.low < estimate.value < estimate.high
    assert estimate.n == 3


def test_two_of_three_structures_can_share_a_label() -> None:
    third = structure("h", [0, 1, 2, 2, 0, 1])  # f, but for one input, where it is g
    found = success.sides(F(POINTS)[None], [F, G, third], POINTS)
    assert found.shares.tolist() == [[1.0, 0.0, 0.75, 0.0]]


@pytest.mark.parametrize("given", [[F], [F, F], [F, structure("neither", [0] * 6)]])
def test_structures_need_names_of_their_own(given: list[Structure]) -> None:
    with pytest.raises(ValueError, match="two or more different names"):
        success.sides(torch.zeros(1, 6), given, POINTS)


def test_sides_without_a_conflict_or_with_an_unknown_name() -> None:
    with pytest.raises(ValueError, match="agree on all 2"):
        success.sides(torch.zeros(1, 2), [F, G], POINTS[:2])
    with pytest.raises(ValueError, match="no structure 'k'; expected one of f, g, neither"):
        success.sides(torch.zeros(1, 6), [F, G], POINTS).of("k")


# Success follows agreement


@given(st.integers(0, 2**31), st.integers(2, 5), st.floats(0, 1))
def test_accuracy_lies_within_kappa_of_the_agreement(seed: int, classes: int, noise: float) -> None:
    """Any labels of f, g and a network, and any weights of the inputs."""
    generator = torch.Generator().manual_seed(seed)
    f, g, n = torch.randint(classes, (3, 40), generator=generator)
    n = torch.where(torch.rand(40, generator=generator) < noise, n, g)
    weights = torch.rand(40, generator=generator).double()
    weights /= weights.sum()
    kappa = weights[n != g].sum()
    gap = (weights[n == f].sum() - weights[g == f].sum()).abs()
    assert gap <= kappa + 1e-12


@given(st.integers(0, 2**31), st.floats(0, 1))
def test_the_accuracy_on_a_mixture_is_foretold_exactly(seed: int, rho: float) -> None:
    """Weights ρ on inputs where g = f, 1 − ρ where not: ρ·A₁ + (1 − ρ)·(1 − capture)."""
    right = torch.rand(2, 3, 30, generator=torch.Generator().manual_seed(seed)) < 0.7
    agreeing, apart = right.double().mean(2)
    weights = torch.cat((torch.full((30,), rho / 30), torch.full((30,), (1 - rho) / 30)))
    measured = (torch.cat((right[0], right[1]), 1) * weights).sum(1).double()
    assert torch.allclose(success.foretold(rho, 1 - apart, agreeing), measured, atol=1e-6)


def test_capture_alone_takes_agreement_for_success() -> None:
    captured = torch.tensor([0.0, 0.25, 1.0])
    assert success.foretold(0.8, captured).tolist() == pytest.approx([1.0, 0.95, 0.8])
    with pytest.raises(ValueError, match=r"agreement is 1\.5"):
        success.foretold(1.5, captured)


# Interventions


@pytest.fixture(scope="module", params=["stripes", "oscillation", "digits-sinusoid"])
def planted(request: pytest.FixtureRequest) -> Planted:
    return by_name(request.param)


def draw(problem: Planted, rho: float = 1.0) -> torch.Tensor:
    return problem.draw(60, torch.Generator().manual_seed(1), rho=rho)[0]


def test_reflection_flips_the_false_structure_alone(planted: Planted) -> None:
    x = draw(planted, 0.7)
    moved = success.reflect(planted, x)
    assert torch.equal(planted.false(moved), 1 - planted.false(x))
    assert torch.equal(planted.original(moved), planted.original(x))
    assert torch.allclose(planted.distance(moved, "l2"), planted.distance(x, "l2"))
    assert torch.allclose(success.reflect(planted, moved), x)


@given(factor=st.floats(-3, 3), name=st.sampled_from(["stripes", "oscillation"]))
def test_rescaling_scales_the_distance(factor: float, name: str) -> None:
    problem = by_name(name)
    x = draw(problem)
    moved = success.rescale(problem, x, factor)
    want = abs(factor) * problem.distance(x, "l2")
    assert torch.allclose(problem.distance(moved, "l2"), want, atol=1e-9)
    across = (moved - x).flatten(1)
    along = success.component(problem, moved) - success.component(problem, x)
    assert torch.allclose(across, along[:, None] * problem.direction.flatten(), atol=1e-9)


def readers(problem: Planted, x: torch.Tensor) -> success.Predict:
    """False, original, and a mixture that is false on a fifth, chosen by another component."""
    direction = torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(2)).double()
    direction -= (direction * problem.direction).sum() * problem.direction
    values = success.component(problem, x, along=direction)
    limit = values.sort().values[11:13].mean()  # twelve of sixty lie below

    def predict(inputs: torch.Tensor) -> torch.Tensor:
        false, original = problem.false(inputs), problem.original(inputs)
        chosen = success.component(problem, inputs, along=direction) < limit
        return torch.stack((false, original, torch.where(chosen, false, original)))

    return predict


def test_exchange_changes_the_captured_share_exactly(planted: Planted) -> None:
    x = draw(planted)
    share = success.changed(readers(planted, x), planted, x, success.exchange, seed=0)
    assert share.tolist() == pytest.approx([1.0, 0.0, 0.2])


def test_randomise_changes_half_of_it(planted: Planted) -> None:
    x = draw(planted)
    options = {"seed": 0, "repeats": 200}
    share = success.changed(readers(planted, x), planted, x, success.randomise, **options)
    high = planted.false(x).double().mean().item()
    assert share[0].item() == pytest.approx(2 * high * (1 - high), abs=0.02)
    assert share[1].item() == 0
    assert share[2].item() == pytest.approx(0.1, abs=0.02)


def test_an_exchange_along_another_direction_leaves_the_false_structure(planted: Planted) -> None:
    x = draw(planted)
    along = torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(3)).double()
    along -= (along * planted.direction).sum() * planted.direction
    along /= along.norm()
    moved = success.exchange(planted, x, torch.Generator().manual_seed(0), along=along)
    assert torch.equal(planted.false(moved), planted.false(x))
    assert not torch.allclose(moved, x)


def test_interventions_are_seeded(planted: Planted) -> None:
    x = draw(planted)
    first, again, other = (
        success.randomise(planted, x, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_exchange_needs_both_feature_values() -> None:
    problem = by_name("stripes")
    x = draw(problem)
    dark = x[problem.false(x) == 1]
    with pytest.raises(ValueError, match="have the false label 1; give both"):
        success.exchange(problem, dark, torch.Generator())
    with pytest.raises(ValueError, match="repeats is 0"):
        success.changed(problem.false, problem, x, success.exchange, seed=0, repeats=0)


# Changing over


@pytest.mark.parametrize(
    ("share", "want"),
    [
        ([0.0, 0.5, 1.0], 1.5),
        ([0.9, 0.5, 1.0], 1.5),  # the last passage counts
        ([0.8, 0.75, 0.9], 0.0),
        ([1.0, 1.0, 0.7], float("inf")),
        ([0.0, 0.0, 0.75], 3.0),
    ],
)
def test_changeover(share: list[float], want: float) -> None:
    values = torch.tensor([0.0, 1.0, 2.0]) if want != 3.0 else torch.tensor([1.0, 2.0, 3.0])
    assert success.changeover(values, torch.tensor(share), level=0.75) == pytest.approx(want)


def test_crossover_by_input_has_the_crossover_for_its_mean() -> None:
    """And its spread is that of the crossover when inputs are drawn again (first order)."""
    generator = np.random.default_rng(0)
    offsets, inputs = np.array([1.0, 2.0, 4.0, 8.0]), 400
    taste = generator.uniform(0.2, 2.2, inputs)  # logarithm from which on an input counts
    sides = (np.log(offsets)[:, None] > taste).astype(float)

    def crossover(chosen: np.ndarray) -> float:
        shares = torch.tensor(sides[:, chosen].mean(1))
        return math.log(success.crossover(torch.tensor(offsets), shares))

    logs, beyond = success.crossover_by_input(offsets, sides)
    assert beyond == 0
    assert logs.mean() == pytest.approx(crossover(np.arange(inputs)))
    drawn = [crossover(generator.integers(inputs, size=inputs)) for _ in range(500)]
    assert logs.std() / math.sqrt(inputs) == pytest.approx(np.std(drawn), rel=0.15)


@pytest.mark.parametrize(("share", "end", "beyond"), [(0.0, 8.0, 1), (1.0, 1.0, -1)])
def test_crossovers_beyond_the_offsets_are_their_ends(
    share: float, end: float, beyond: int
) -> None:
    sides = np.full((2, 3), share)
    logs, found = success.crossover_by_input(np.array([1.0, 8.0]), sides)
    assert found == beyond
    assert np.exp(logs).tolist() == pytest.approx([end] * 3)
