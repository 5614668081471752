"""Exact smallest perturbations: closed forms, dense grids, and the two ways against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct.instability import attacks, exact
from falsestruct.instability.attacks import Norm
from falsestruct.instability.exact import Dense
from falsestruct.learning import training
from falsestruct.learning.networks import POOLED, shallow
from falsestruct.learning.training import Schedule

NORMS: tuple[Norm, Norm] = ("l2", "linf")


def random_network(*widths: int, seed: int) -> Dense:
    """Normal weights and biases."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) / a**0.5 for a, b in zip(widths, widths[1:], strict=False)]
    return Dense(tuple(weights), tuple(rng.normal(size=len(w)) / 2 for w in weights))


def size(eta: np.ndarray, norm: Norm) -> np.ndarray:
    return np.linalg.norm(eta, axis=-1) if norm == "l2" else np.abs(eta).max(-1)


def on_grid(network: Dense, x: np.ndarray, norm: Norm, reach: float, points: int) -> float:
    """Smallest of a dense grid of perturbations that flips the label; infinite if none does."""
    line = np.linspace(-reach, reach, points)
    eta = np.stack(np.meshgrid(line, line), 2).reshape(-1, 2)
    flips = (network(x + eta) > 0) != (network(x[None])[0] > 0)
    return float(size(eta[flips], norm).min(initial=math.inf))


def assert_flips(network: Dense, x: np.ndarray, found: exact.Exact, norm: Norm) -> None:
    before, after = network(np.stack([x, x + found.perturbation])) > 0
    assert before != after
    assert found.size == pytest.approx(float(size(found.perturbation, norm)), rel=1e-12)
    assert found.lower <= found.size


@given(seed=st.integers(0, 1_000), inputs=st.integers(1, 6))
@settings(max_examples=25)
def test_linear_networks_in_closed_form(seed: int, inputs: int) -> None:
    network = random_network(inputs, 1, seed=seed)
    x = np.random.default_rng(seed + 1).normal(size=inputs)
    distance = abs(float(network(x[None])[0])) / np.abs(network.weights[0]).sum()
    found = exact.smallest_linf(network, x, radius=2 * distance)
    assert found.size == pytest.approx(distance, rel=2e-5)
    assert (found.status, found.pieces) == ("optimal", 0)
    assert found.lower == pytest.approx(distance, rel=2e-5)
    assert found.gap < 1e-4
    assert_flips(network, x, found, "linf")


@given(seed=st.integers(0, 1_000), width=st.integers(1, 12))
@settings(max_examples=25)
def test_two_ways_agree_in_the_plane(seed: int, width: int) -> None:
    network = random_network(2, width, 1, seed=seed)
    x = np.random.default_rng(seed + 1).normal(size=2)
    listed = exact.smallest_in_plane(network, x, norm="linf", radius=2.0)
    solved = exact.smallest_linf(network, x, radius=2.0)
    assert listed.status == solved.status
    if listed.status == "none":
        assert listed.size == solved.size == math.inf
        assert listed.lower == solved.lower == 2.0
        assert not listed.perturbation.any()
    else:
        assert solved.size == pytest.approx(listed.size, rel=1e-3)
        assert solved.lower <= listed.size * (1 + 1e-3)
        assert listed.gap < 1e-6
        assert_flips(network, x, listed, "linf")
        assert_flips(network, x, solved, "linf")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("width", "seed"), [(3, 0), (8, 1), (8, 2), (30, 3), (104, 4)])
def test_no_point_of_a_dense_grid_is_closer(norm: Norm, width: int, seed: int) -> None:
    network = random_network(2, width, 1, seed=seed)
    for x in np.random.default_rng(seed).normal(size=(2, 2)):
        reach, points = 2.0, 601
        near = on_grid(network, x, norm, reach, points)
        found = exact.smallest_in_plane(network, x, norm=norm, radius=reach)
        if math.isinf(near):
            assert found.size > reach - 2 * 2 * reach / points
            continue
        assert found.size <= near * (1 + 1e-9)
        assert found.size >= near - 5 * 2 * reach / points
        assert_flips(network, x, found, norm)


def test_a_corner_of_the_boundary_and_creases_through_one_point() -> None:
    """Label 1 where max(u, 0) + max(v, 0) > 1; all creases, two of them idle, meet at 0."""
    network = Dense(
        (np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 1.0]]), np.array([[1.0, 1, 0, 0]])),
        (np.zeros(4), np.array([-1.0])),
    )
    below_left = exact.smallest_in_plane(network, np.array([-1.0, -1.0]), norm="l2", radius=5.0)
    # The region u ≥ 1, or v ≥ 1, or u + v ≥ 1 with both positive: nearest is (1, −1) or (−1, 1).
    assert below_left.size == pytest.approx(2.0, rel=1e-6)
    inside = exact.smallest_in_plane(network, np.array([0.1, 0.1]), norm="l2", radius=5.0)
    assert inside.size == pytest.approx(0.8 / 2**0.5, rel=1e-6)
    crease = exact.smallest_in_plane(network, np.array([-0.5, 0.2]), norm="linf", radius=5.0)
    assert crease.size == pytest.approx(0.65, rel=1e-6)  # to (0.15, 0.85)


def balanced(network: Dense) -> Dense:
    """The same network with as much of either label around the origin."""
    middle = np.mean(network(np.random.default_rng(0).normal(size=(1_000, network.inputs))))
    return Dense(network.weights, (*network.biases[:-1], network.biases[-1] - middle))


def test_deep_networks_by_brute_force() -> None:
    tried = 0
    for seed, x in enumerate(np.random.default_rng(0).normal(size=(12, 2))):
        network = balanced(random_network(2, 8, 6, 1, seed=seed))
        near = on_grid(network, x, "linf", 1.5, 401)
        found = exact.smallest_linf(network, x, radius=1.5)
        if math.isinf(near):
            assert found.status == "none" or found.size > 1.5 - 0.03
            continue
        tried += 1
        assert near - 0.04 <= found.size <= near * (1 + 1e-4)
        assert_flips(network, x, found, "linf")
    assert tried >= 3


def test_trained_members_are_read_as_they_are() -> None:
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    trained = training.train(shallow(3, 7), (x, (x[:, 0] > 0).double()), [0, 1], Schedule(50))
    for member in range(2):
        own = exact.dense(trained, member)(x.numpy())
        wanted = training.outputs(trained, x.float())[member].double().numpy()
        np.testing.assert_allclose(own, wanted, rtol=1e-4, atol=1e-5)


def test_an_attack_is_bounded_from_below() -> None:
    """What the module is for: attack ≥ exact, and the radius that the attack gives is enough."""
    network = random_network(2, 20, 1, seed=11)
    weights, biases = (
        [torch.from_numpy(v) for v in vs] for vs in (network.weights, network.biases)
    )

    def outputs(x: torch.Tensor) -> torch.Tensor:
        return (torch.relu(x @ weights[0].T + biases[0]) @ weights[1].T + biases[1])[..., 0]

    x = torch.randn(10, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for norm in NORMS:
        attack = attacks.smallest_perturbations(outputs, x, norm=norm, members=1, starts=24)
        for point, bound in zip(x.numpy(), attack.size[0].tolist(), strict=True):
            if math.isfinite(bound):
                found = exact.smallest_in_plane(network, point, norm=norm, radius=bound * 1.000001)
                assert found.size <= bound * (1 + 1e-6)
                assert bound <= 1.01 * found.size


def test_what_does_not_fit_is_refused() -> None:
    network, x = random_network(2, 4, 1, seed=0), np.array([0.3, 0.4])
    with pytest.raises(ValueError, match=r"shape \(3,\); expected \(2,\)"):
        exact.smallest_linf(network, np.zeros(3), radius=1.0)
    with pytest.raises(ValueError, match=r"radius is inf"):
        exact.smallest_in_plane(network, x, norm="l2", radius=math.inf)
    with pytest.raises(ValueError, match="3 inputs, 2 layers"):
        exact.smallest_in_plane(random_network(3, 4, 1, seed=0), np.ones(3), norm="l2", radius=1.0)
    with pytest.raises(ValueError, match="lies on the boundary"):
        zero = Dense((np.array([[1.0, 0.0]]),), (np.array([0.0]),))
        exact.smallest_linf(zero, np.array([0.0, 1.0]), radius=1.0)
    with pytest.raises(ValueError, match="ends in one output"):
        Dense((np.ones((2, 2)),), (np.ones(2),))
    with pytest.raises(ValueError, match="NaN"):
        Dense((np.array([[math.nan]]),), (np.ones(1),))
    images = torch.zeros(2, 32, 32, dtype=torch.float64)
    trained = training.train(POOLED, (images, torch.tensor([0.0, 1.0])), [0], Schedule(0))
    with pytest.raises(ValueError, match="no chain of dense layers"):
        exact.dense(trained, 0)


def test_highs_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failed:
        status, message, x = 4, "numerical trouble", None

    monkeypatch.setattr(exact, "milp", lambda *_, **__: Failed())
    with pytest.raises(ArithmeticError, match="status 4: numerical trouble"):
        exact.smallest_linf(random_network(2, 4, 1, seed=0), np.ones(2), radius=1.0)


def test_a_solution_that_does_not_flip_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong:
        status, message, fun, mip_dual_bound, x = 0, "", 0.0, 0.0, np.zeros(100)

    monkeypatch.setattr(exact, "milp", lambda *_, **__: Wrong())
    with pytest.raises(ArithmeticError, match="does not flip"):
        exact.smallest_linf(random_network(2, 4, 1, seed=0), np.ones(2), radius=1.0)


def test_out_of_time_says_so() -> None:
    network = random_network(8, 60, 60, 1, seed=3)
    x = np.random.default_rng(3).normal(size=8)
    found = exact.smallest_linf(network, x, radius=3.0, seconds=0.3)
    assert found.status == "limit"
    assert found.lower <= found.size


def test_stability_is_proved_below_the_smallest_perturbation_only() -> None:
    network, x = random_network(4, 6, 1, seed=3), np.zeros(4)
    size = exact.smallest_linf(network, x, radius=9.0).size
    assert np.isfinite(size)
    assert exact.proved_stable(network, x, radius=0.99 * size)
    assert not exact.proved_stable(network, x, radius=1.01 * size)
    with pytest.raises(ValueError, match="radius"):
        exact.proved_stable(network, x, radius=0.0)
