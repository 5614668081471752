"""Learned directions are those that a rule looks along, and none is handed over."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad

from falsestruct.characterise import directions as module
from falsestruct.characterise.asking import inputs, network
from falsestruct.characterise.directions import (
    at_random,
    discriminant,
    from_gradients,
    gradients,
    prototypes,
    pursuit,
    second_moments,
    unit,
    whitening,
)
from falsestruct.characterise.library import coordinates


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn(n: int = 3000, d: int = 6) -> np.ndarray:
    """Correlated, with spreads between ½ and 3."""
    mix = np.diag(np.linspace(0.5, 3, d)) @ np.linalg.qr(rng(1).normal(size=(d, d)))[0]
    return rng(2).normal(size=(n, d)) @ mix


V = unit(rng(3).normal(size=(1, 6)))[0]


def test_whitening_gives_unit_covariance_and_leads_back() -> None:
    z = drawn()
    white = whitening(z)
    spread = np.cov(white(z), rowvar=False)
    assert np.allclose(spread, np.diag(np.diag(spread)), atol=1e-10)
    assert (np.diag(spread) > 0.8).all() and (np.diag(spread) < 1).all()
    direction = rng(4).normal(size=(1, 6))
    scores, back = white(z) @ direction[0], (z - z.mean(0)) @ white.back(direction)[0]
    assert abs(np.corrcoef(scores, back)[0, 1]) == pytest.approx(1)


def test_flat_coordinates_are_no_obstacle() -> None:
    z = drawn()
    z[:, 2] = 0
    assert np.isfinite(whitening(z)(z)).all() and whitening(z).matrix.shape == (6, 5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 8))
def test_unit(seed: int, rows: int, columns: int) -> None:
    own = unit(rng(seed).normal(size=(rows, columns)))
    assert np.allclose(np.linalg.norm(own, axis=1), 1)
    assert (own[np.arange(rows), np.abs(own).argmax(1)] > 0).all()
    assert np.array_equal(unit(np.zeros((1, 3))), np.zeros((1, 3)))


def test_a_linear_rule_is_found_though_the_inputs_are_correlated() -> None:
    z = drawn()
    labels = (z @ V > 0.3).astype(int)
    white = whitening(z)
    found = discriminant(white, white(z), labels, penalty=1.0)
    assert found.shape == (1, 6) and abs(found[0] @ V) > 0.99
    assert abs(prototypes(z, labels)[0] @ V) < 0.95  # the means alone lean to where z spreads


def test_prototypes_are_the_means() -> None:
    z = np.array([[0, 0], [2, 0], [4, 3], [6, 3.0]])
    assert np.allclose(prototypes(z, np.array([0, 0, 1, 1])), [[0.8, 0.6]])
    assert prototypes(drawn(), rng().integers(4, size=3000)).shape == (3, 6)


def test_several_classes_have_several_directions() -> None:
    z = rng(5).normal(size=(3000, 6))
    labels = np.digitize(z[:, 1], [-0.5, 0.5])
    white = whitening(z)
    found = discriminant(white, white(z), labels, penalty=1.0)
    assert found.shape == (3, 6) and abs(found[0, 1]) > 0.99


def test_an_even_rule_is_found() -> None:
    z = drawn()
    white = whitening(z)
    spread = np.sqrt(V @ np.cov(z, rowvar=False) @ V)
    labels = (np.abs(z @ V) > 0.7 * spread).astype(int)
    first = second_moments(white, white(z), labels, most=6)
    assert first.shape == (5, 6) and abs(first[0] @ V) > 0.95
    better = pursuit(white, white(z), labels, first[:1])
    assert abs(better[0] @ V) > 0.99
    line = discriminant(white, white(z), labels, penalty=1.0)
    assert abs(line[0] @ V) < 0.9


def test_a_label_that_is_seen_once() -> None:
    z = drawn(200)
    white = whitening(z)
    labels = np.repeat([0, 1, 2], [150, 49, 1])
    assert np.isfinite(second_moments(white, white(z), labels, most=6)).all()


def test_a_product_of_two_directions_is_found_in_their_plane() -> None:
    z = rng(6).normal(size=(3000, 6))
    labels = (z[:, 0] * z[:, 3] > 0).astype(int)
    white = whitening(z)
    found = pursuit(white, white(z), labels, second_moments(white, white(z), labels, most=6)[:2])
    assert (np.linalg.norm(found[:, [0, 3]], axis=1) > 0.98).all()
    assert abs(found[0] @ found[1]) < 0.2


@pytest.mark.parametrize("classes", [2, 3])
def test_the_gradient_of_the_pursuit(classes: int) -> None:
    w, labels = rng(7).normal(size=(40, 4)), rng(8).integers(classes, size=40)
    problem = module._Quadratic(w, labels, 2)
    start = rng(9).normal(size=2 * 4 + 5 * classes)
    error = check_grad(lambda p: problem(p)[0], lambda p: problem(p)[1], start)
    assert error < 1e-5 * np.linalg.norm(problem(start)[1])


def test_the_gradient_of_the_switch() -> None:
    w, labels = rng(7).normal(size=(40, 4)), rng(8).integers(2, size=40)
    problem = module._Switched(w, labels)
    start = rng(9).normal(size=15)
    error = check_grad(lambda p: problem(p)[0], lambda p: problem(p)[1], start)
    assert error < 1e-5 * np.linalg.norm(problem(start)[1])


def test_a_switch_is_found() -> None:
    w = rng(16).normal(size=(4000, 6))
    labels = (np.where(w[:, 0] > 0, w[:, 1], w[:, 2]) > 0).astype(int)
    found = module.switch(w, labels, np.eye(6)[[3, 0]])
    assert ((found.score(w) > 0) == labels).mean() > 0.95
    gate, *scores = np.abs(unit(found.vectors))
    assert gate[0] > 0.98 and sorted(own.argmax() for own in scores) == [1, 2]
    assert found.loss < module.switch(w, labels, np.eye(6)[[3]]).loss + 1e-9


def test_along_is_the_reverse_of_back() -> None:
    z = drawn()
    white = whitening(z)
    own = unit(rng(4).normal(size=(2, 6)))
    assert np.allclose(white.along(white.back(own)), own)


def test_gradients_share_a_direction_whatever_their_signs_and_sizes() -> None:
    sizes = rng(10).normal(size=(200, 1)) * 10.0 ** rng(11).integers(-3, 3, size=(200, 1))
    noisy = sizes * V + 0.01 * np.abs(sizes) * rng(12).normal(size=(200, 6))
    assert abs(from_gradients(noisy)[0] @ V) > 0.999


def test_gradients_are_in_coordinates() -> None:
    """The chain rule: of scaled coordinates, and of means of blocks of large images."""
    weight = torch.zeros(2, 64 * 64)
    weight[1] = torch.from_numpy(np.repeat(np.repeat(rng(13).normal(size=(32, 32)), 2, 0), 2, 1)
                                 .reshape(-1))  # fmt: skip
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64 * 64, 2, bias=False))
    model[1].weight.data = weight
    x = inputs(torch.from_numpy(rng(14).normal(size=(8, 64, 64))).float() * 3)
    own, asked = coordinates(x), network(model)
    asked.labels(x)
    found = gradients(asked, x, np.ones(8, int), np.zeros(8, int), own)
    assert found is not None and found.shape == (8, 1024)
    expected = weight[1].reshape(64, 64)[::2, ::2].reshape(-1).numpy()
    assert np.allclose(unit(found), unit(expected[None]), atol=1e-6)
    box = network(lambda batch: model(batch).argmax(1))
    assert gradients(box, x, np.ones(8, int), np.zeros(8, int), own) is None


def test_random_directions() -> None:
    z = drawn(50)
    z[:, 0] = 0
    found = at_random(6, 8, z, rng())
    assert found.shape == (8, 6) and np.allclose(np.linalg.norm(found, axis=1), 1)
    assert (found[::2, 0] == 0).all() and (found[1::2, 0] != 0).all()  # of inputs; of anything
