"""How much of a perturbation's effect passes on."""

import numpy as np
import pytest

from falsestruct.instability.transfers import relative_flips


def test_it_is_the_ratio_of_two_shares_image_by_image() -> None:
    """Two networks and four images; the second source flips what the first one's own does not."""
    own = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    moved = np.array([[own[0], [1.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 1.0, 0.0], own[1]]])
    itself = relative_flips(moved, own, itself=True)
    assert itself.mean(1) == pytest.approx([0.25 / 1, 0.25 / 0.5])
    # R + (f − R·g)/mean(g): an image that both flip weighs less than one that only one does
    assert itself[1] == pytest.approx([-0.5, -0.5, 2.5, 0.5])
    others = relative_flips(moved, own, itself=False)
    assert others.mean(1) == pytest.approx([(0.5 + 0.25) / 1.5, (0.25 + 1) / 1.5])
    assert (relative_flips(moved, 0 * own, itself=False) == 0).all()
