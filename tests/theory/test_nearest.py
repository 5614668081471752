"""The nearest neighbour's rule against scikit-learn, a dense grid, and an attack."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from falsestruct.instability import attacks
from falsestruct.problems.digits import digits
from falsestruct.theory import nearest


def points(seed: int, count: int, classes: int, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    data = torch.randn(count, *shape, dtype=torch.float64, generator=generator)
    return data, torch.arange(count) % classes


def test_two_points_on_a_line() -> None:
    data, labels = torch.tensor([[0.0], [2.0]]).double(), torch.tensor([0, 1])
    x, y = torch.tensor([[0.0], [0.5], [2.0], [5.0]]).double(), torch.tensor([0, 0, 1, 1])
    assert nearest.rule(data, labels, x).tolist() == y.tolist()
    half, index = nearest.half_distances(data, labels, x, y)
    assert half.tolist() == [1.0, 0.75, 1.0, 2.5]
    assert index.tolist() == [1, 1, 0, 0]
    # The boundary is at 1, whatever x is: on a line the certificate is exact.
    assert nearest.certificate(data, labels, x).tolist() == [1.0, 0.5, 1.0, 4.0]


def test_rule_and_outputs_are_those_of_scikit_learn() -> None:
    data = digits()
    theirs = KNeighborsClassifier(1).fit(data.train_images.flatten(1), data.train_labels)
    expected = torch.from_numpy(theirs.predict(data.test_images.flatten(1)))
    assert torch.equal(nearest.rule(*data.train, data.test_images), expected)
    scores = nearest.outputs(*data.train, 10)(data.test_images[None])
    assert scores.shape == (1, 597, 10)
    assert torch.equal(scores[0].argmax(-1), expected)
    apart = torch.cdist(data.test_images.flatten(1), data.train_images.flatten(1)).amin(1)
    torch.testing.assert_close((-2 * scores[0].amax(-1)).sqrt(), apart)


@settings(max_examples=20)
@given(seed=st.integers(0, 1_000), classes=st.integers(2, 4))
def test_nothing_shorter_than_the_certificate_flips(seed: int, classes: int) -> None:
    data, labels = points(seed, 12, classes, (2,))
    x, _ = points(seed + 1, 6, classes, (2,))
    bound, before = nearest.certificate(data, labels, x), nearest.rule(data, labels, x)
    angle = torch.linspace(0, 2 * torch.pi, 100, dtype=torch.float64)
    circle = torch.stack((angle.cos(), angle.sin()), 1)
    for share in (0.3, 0.7, 0.999):
        moved = x[:, None] + share * bound[:, None, None] * circle
        after = nearest.rule(data, labels, moved.flatten(0, 1)).view(6, 100)
        assert (after == before[:, None]).all()
    attack = attacks.smallest_perturbations(
        nearest.outputs(data, labels, classes), x, norm="l2", members=1, starts=4
    )
    assert (attack.size[0] >= bound * (1 - 1e-9)).all()


def test_points_of_the_data_keep_their_label_for_half_the_distance() -> None:
    """The proposition of the chapter, on every image."""
    data = digits()
    images, labels = (torch.cat(parts) for parts in zip(data.train, data.test, strict=True))
    half, other = nearest.half_distances(images, labels, images, labels)
    assert torch.equal(nearest.rule(images, labels, images), labels)
    some = slice(None, None, 10)
    bound = nearest.certificate(images, labels, images[some])
    assert (bound >= half[some] * (1 - 1e-12)).all()
    moved = images + 0.999 * (images[other] - images) / 2  # the straightest way out
    assert torch.equal(nearest.rule(images, labels, moved), labels)
    assert torch.equal(nearest.rule(images, labels, images[other]), labels[other])


def test_attack_meets_the_certificate_where_one_plane_decides() -> None:
    data, labels = points(3, 2, 2, (5,))
    x, _ = points(4, 7, 2, (5,))
    attack = attacks.smallest_perturbations(
        nearest.outputs(data, labels, 2), x, norm="l2", members=1
    )
    torch.testing.assert_close(attack.size[0], nearest.certificate(data, labels, x))


def test_what_does_not_fit_is_named() -> None:
    data, labels = points(0, 4, 2, (3,))
    with pytest.raises(ValueError, match=r"x has shape \(2, 2\), the data \(4, 3\)"):
        nearest.rule(data, labels, torch.zeros(2, 2).double())
    with pytest.raises(ValueError, match=r"classes \[2\] have no data point"):
        nearest.outputs(data, labels, 3)
    one = torch.zeros(4, dtype=torch.long)
    with pytest.raises(ValueError, match="two classes"):
        nearest.half_distances(data, one, data, one)
    with pytest.raises(ValueError, match="two classes"):
        nearest.certificate(data, one, data)
