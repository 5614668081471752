"""Bits and bins by hand."""

from __future__ import annotations

import numpy as np
import pytest

from falsestruct.theory import information as theory


def test_entropies_by_hand():
    assert theory.entropy(np.arange(8)[:, None]) == 3
    assert theory.entropy(np.zeros((5, 2))) == 0
    assert theory.entropy(np.array([[0, 0], [0, 1], [0, 0], [0, 1]])) == 1
    assert theory.entropy(np.array([[0], [0], [0], [1]])) == pytest.approx(0.811278)


def test_the_released_bins_take_what_is_below_for_what_is_above():
    low, inside, high = theory.fixed_bins(np.array([-1.5, 0.01, 2.0]))
    assert low == high == theory.BINS - 1 and 0 < inside < high
    below, above = theory.open_bins(np.array([-1.5, 2.0]))
    assert below < 0 < theory.BINS - 1 < above


def test_inside_both_bin_alike():
    values = np.linspace(-0.99, 0.99, 37)
    assert (theory.fixed_bins(values) == theory.open_bins(values)).all()


def test_fine_bins_halve_fixed_ones():
    values = np.linspace(-0.99, 0.99, 4000)
    assert len(np.unique(theory.fixed_bins(values, bins=60))) == 59
    assert len(np.unique(theory.fixed_bins(values))) == 29


def test_growing_weights_empty_fixed_bins_and_no_others():
    x = np.linspace(-1, 1, 400)[:, None]
    soft, hard = np.tanh(0.5 * x), np.tanh(12 * x)
    assert theory.entropy(theory.fixed_bins(hard)) < theory.entropy(theory.fixed_bins(soft)) - 1
    equal = [theory.entropy(theory.equal_bins(values)) for values in (soft, hard)]
    assert equal == pytest.approx([np.log2(theory.BINS)] * 2, abs=0.02)
    assert theory.entropy(hard) == pytest.approx(np.log2(400))
