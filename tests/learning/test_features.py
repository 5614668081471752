"""Random features and least squares, against NumPy and in cases that are known."""

import numpy as np
import pytest

from falsestruct.learning import features


@pytest.mark.parametrize("count", [4, 15, 60])
def test_without_a_ridge_it_is_the_pseudoinverse(count: int) -> None:
    rng = np.random.default_rng(count)
    values, targets = rng.normal(size=(15, count)), rng.normal(size=15)
    assert features.fit(values, targets)[:, 0] == pytest.approx(np.linalg.pinv(values) @ targets)


def test_a_ridge_solves_its_equations_beside_another() -> None:
    rng = np.random.default_rng(0)
    values, targets = rng.normal(size=(9, 5)), rng.normal(size=9)
    found = features.fit(values, targets, (0.0, 0.3))
    extra = 0.3 * np.square(values).sum(1).mean()
    wanted = np.linalg.solve(values.T @ values + extra * np.eye(5), values.T @ targets)
    assert found.shape == (5, 2) and found[:, 1] == pytest.approx(wanted)
    assert found[:, 0] == pytest.approx(features.fit(values, targets)[:, 0])


def test_a_feature_that_is_dead_gets_nothing() -> None:
    values = np.array([[1.0, 0.0], [2.0, 0.0]])
    assert features.fit(values, np.array([1.0, 2.0]))[:, 0] == pytest.approx([1.0, 0.0])


def test_more_features_keep_the_first_and_are_alive() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 30)) + 3
    made, fewer = (features.Features.draw(x, n, np.random.default_rng(2)) for n in (50, 20))
    values = made(x)
    assert values.shape == (200, 50) and (values >= 0).all()
    assert fewer(x) == pytest.approx(values[:, :20])
    planes = (x - made.centre) @ made.weights
    assert planes.std() == pytest.approx(1, abs=0.1) and ((values > 0).mean(0) > 0.05).all()


def test_errors_of_what_a_plane_tells_and_what_nothing_tells() -> None:
    rng = np.random.default_rng(3)
    x, other = rng.normal(size=(200, 8)), rng.normal(size=(500, 8))
    y, coin = (x[:, 0] > 0).astype(float), rng.integers(0, 2, 500)
    tests = [(other, other[:, 0] > 0), (other, coin)]
    found = features.errors((x, y), tests, 400, np.random.default_rng(4), ridges=(0.0, 0.1))
    assert found.shape == (3, 2) and found[0, 0] == 0 and found[1, 1] < found[1, 0] < 0.3
    assert found[2] == pytest.approx([0.5, 0.5], abs=0.07)
