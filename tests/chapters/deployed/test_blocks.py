"""The stored comparison of inputs is the one that the page makes."""

import numpy as np
import pytest

from falsestruct.chapters.deployed import blocks, measure
from falsestruct.deployed import filetypes


def test_a_row_for_each_file_of_both_comparisons(monkeypatch):
    pair = np.array([False, True, False]), np.array([True, True, False])
    monkeypatch.setattr(measure, "windows", lambda count, seed: pair)
    found = blocks.compared(count=3, seed=5)
    assert found["outside"].tolist() == [False, True, False]
    assert found["inside"].tolist() == [True, True, False]


@pytest.mark.skipif(not filetypes.installed(), reason="magika isn't installed")
def test_only_bytes_inside_reach_the_network():
    found = blocks.compared(count=1, seed=7)
    assert not found["outside"].any() and found["inside"].all()
