"""Exact masks of networks built by hand."""

import numpy as np
import pytest
import torch

from falsestruct.characterise import masks
from falsestruct.characterise.explanations import Effort
from falsestruct.learning.ensembles import Ensemble
from falsestruct.problems import binary

CORNER = Ensemble(lambda x: 2 * x[..., 0] - 1, (1, 2))
EVERY = torch.from_numpy(binary.images())


@pytest.fixture(scope="module")
def outputs() -> np.ndarray:
    return masks.everywhere(CORNER, EVERY)


def test_all_images_are_asked(outputs):
    assert outputs.shape == (2, 65_536)
    assert ((outputs[1] > 0) == binary.labels("corner")).all()


def test_a_corner_needs_one_pixel(outputs):
    maps = masks.sampled(
        CORNER, EVERY[[3, 4]].expand(2, 2, 16), EVERY[:50], torch.Generator().manual_seed(0),
        Effort(points=2, steps=20),
    )  # fmt: skip
    assert set(maps) == set(masks.SAMPLED) and maps["masks"].shape == (2, 2, 16)
    last = np.arange(16)[::-1]
    for i, n in enumerate((3, 4)):  # the corner is one, and zero
        own = {name: values[0, i] for name, values in maps.items()}
        found = masks.kept(outputs[0], n, own, epsilon=0.05, random=last)
        assert found.pop("random") == 16 and set(found.values()) == {1}, (n, found)
    own = {name: values[0] for name, values in maps.items()}
    means = masks.mean_kept(outputs[0], np.array([3, 4]), own, 0.05, seed=7)
    assert 1 <= means.pop("random") <= 16 and set(means.values()) == {1.0}


def test_a_parity_needs_its_three_pixels():
    labels = binary.labels("parity")
    assert masks.sizes(labels, range(5), 0.05).tolist() == [3] * 5
    assert masks.sizes(binary.labels("corner"), [0, 1, 77], 0.05).tolist() == [1, 1, 1]
