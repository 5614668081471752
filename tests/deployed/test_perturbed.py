"""The smallest changes, on a network of which they are known."""

import math

import numpy as np
import pytest
import torch

from falsestruct.deployed import lines, perturbed
from falsestruct.deployed.lines import ROWS
from falsestruct.deployed.perturbed import SMALL, rms

GREY = 120.0


class Bright:
    """Says "turned" where the mean of a line is above GREY, steeply; in torch and in bytes."""

    inside = 100 * ROWS  # pixels of the lines here

    def logits(self, x):
        above = (x[:, 0].sum((1, 2)) / self.inside + 1) * 127.5 - GREY
        return torch.stack([torch.zeros_like(above), above], 1)

    def scores(self, shown):
        return np.array([1 / (1 + math.exp(GREY - line.astype(float).mean())) for line in shown])


def flat(value):
    line = np.full((ROWS, 100), value, dtype=np.uint8)
    line[0, 0] += 1  # so that it isn't its own turned line
    return line


def test_the_smallest_change_is_found_and_lies_inside_the_line():
    own = Bright()
    line = flat(117)
    table = perturbed.smallest([line], own, own, bar=0.5, steps=60, seed=0)
    row = table.iloc[0]
    assert 3 <= row["size"] <= 4 and row["small flips"] == 1  # of whole grey levels: 4 at most
    assert not row["before"]
    np.testing.assert_array_equal(perturbed.unpacked(row["clean"]), line)
    changed = perturbed.unpacked(row["changed"])
    assert changed.mean() > GREY and rms(changed, line) == row["size"]
    assert row["noise flips"] == 0  # noise has no mean


def test_the_bar_is_what_must_be_passed():
    own = Bright()
    low, high = (perturbed.smallest([flat(117)], own, own, bar=bar, steps=60, seed=0)["size"][0]
                 for bar in (0.5, 0.9))  # fmt: skip
    assert high >= low + math.log(9) - 1


def test_a_change_that_is_not_found_has_no_size():
    own = Bright()
    line = flat(0)  # 120 grey levels away from the bar, where so few steps don't lead
    row = perturbed.smallest([line], own, own, bar=0.5, steps=1, seed=0).iloc[0]
    assert math.isnan(row["size"]) and row["ratio"] == 1 and row["changed"] == ""
    assert row["small flips"] == 0


def test_two_readings_that_differ_are_refused():
    other = Bright()
    other.scores = lambda shown: np.zeros(len(shown))
    with pytest.raises(ValueError, match="both readings differ"):
        perturbed.smallest([flat(119)], other, Bright(), bar=0.5, steps=2, seed=0)


def test_random_changes_have_their_size_after_rounding():
    line = np.repeat([[0, 255]], 50, axis=1).repeat(ROWS, axis=0).astype(np.uint8)
    noise = np.random.default_rng(1).standard_normal(line.shape)
    loud = perturbed._loud(line, noise)
    assert rms(perturbed._bytes(line + loud * noise), line) == pytest.approx(SMALL, rel=0.01)
    assert loud > SMALL  # half of it is clipped


def test_pictures_are_what_scaling_leaves_as_it_is():
    line = np.random.default_rng(2).integers(0, 256, (60, 200)).astype(np.uint8)
    (own,) = perturbed.pictures([line])
    assert own.shape == (ROWS, 160) and own.dtype == np.uint8
    np.testing.assert_allclose(lines.scaled(own), lines.scaled(line), atol=1e-6)
    assert (perturbed.unpacked(perturbed.packed(own)) == own).all()
