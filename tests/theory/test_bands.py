"""The network of bands against HiGHS; the orientation's Euclidean radius against half-spaces."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from falsestruct.instability.exact import Dense, smallest_linf
from falsestruct.problems.stripes import Stripes
from falsestruct.theory import bands

SMALL = Stripes(size=6, width=2)


def network(shape: Stripes) -> Dense:
    weights = bands.means(shape.size, shape.width)
    sides = np.repeat([[1.0, -1.0]], len(weights) // 2, axis=1)
    shift = np.full(len(weights), -float(bands.threshold(shape.size, shape.width)))
    return Dense((weights, sides), (shift, np.zeros(1)))


def test_it_gives_every_stripe_the_orientation_s_label() -> None:
    for shape, a in ((SMALL, 0.3), (Stripes(), 0.1)):
        for x, y in (shape.described(a), shape.conflict_set(a), shape.described(0.0)):
            assert np.array_equal(network(shape)(x.flatten(1).numpy()) > 0, y.numpy() > 0)


@pytest.mark.parametrize("a", ["0", "1/10", "1/4"])
def test_no_perturbation_below_the_bound_changes_a_label(a: str) -> None:
    """HiGHS proves it; at the darker horizontal stripe the output is 0 at the bound itself."""
    offset, own = Fraction(a), network(SMALL)
    bound = float(bands.kept(SMALL.size, SMALL.width, offset))
    horizontal = torch.tensor([True, True, False, False])
    shifts = float(offset) * torch.tensor([-1.0, 1.0, -1.0, 1.0])
    images = SMALL.images(horizontal, torch.tensor([1, 0, 2, 4]), shifts).flatten(1).numpy()
    for image in images:
        assert smallest_linf(own, image, radius=0.999 * bound, seconds=20.0).status == "none"
    assert own(images[:1] - 0.99 * bound)[0] > 1e-4
    assert own(images[:1] - bound)[0] == pytest.approx(0, abs=1e-12)


def test_the_bound_has_room_for_small_offsets_only() -> None:
    assert bands.kept(32, 3, Fraction(1, 10)) == Fraction(113, 320)
    with pytest.raises(ValueError, match="leaves"):
        bands.kept(32, 3, Fraction(1, 2))


def test_the_euclidean_radius_is_the_distance_to_the_nearest_half_space() -> None:
    """The label changes once some column band has the stripe's mean: one half-space for each."""
    for shape in (SMALL, Stripes()):
        x = shape.images(torch.tensor([True]), torch.tensor([1]), torch.tensor([0.0]))[0]
        rows, columns = np.split(bands.means(shape.size, shape.width), 2)
        normals = columns - rows[1]
        gaps = -(normals @ x.flatten().numpy())
        lengths = np.linalg.norm(normals, axis=1)
        wanted = bands.euclidean(shape.size, shape.width)
        assert (gaps / lengths).min() == pytest.approx(wanted)
        step = torch.from_numpy(normals[2] * gaps[2] / lengths[2] ** 2).view_as(x)
        for factor, label in ((0.999, 1), (1.001, 0)):
            assert shape.orientation((x + factor * step)[None]).item() == label
    assert bands.euclidean(32, 3) == pytest.approx(math.sqrt(43.5))
