"""What is added to an output: nothing changes if it is zero, and training if it is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from falsestruct.learning import beside, fused, single
from falsestruct.learning.networks import initialise, shallow

ORDER = np.arange(12).reshape(3, 4)


def trained(start: np.ndarray, *, adam: bool) -> np.ndarray:
    """The weights after three steps on twelve samples, with this added to the output."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 2)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.float32)
    state = single.start(initialise(shallow(2, 5).build(), 0), torch.float32)
    rule = fused.Rule(0.1, 0.0, adam)
    assert beside.advance(state, (x, start, y), ORDER, rule) == fused.FINISHED
    assert state.step == 3
    alone = single.start(initialise(shallow(2, 5).build(), 0), torch.float32)
    fused.advance(alone, x, y, ORDER, rule, steps=3)
    return state.flat - alone.flat


@pytest.mark.parametrize("adam", [True, False])
def test_nothing_added_is_training_alone(adam: bool) -> None:
    assert np.abs(trained(np.zeros(12, np.float32), adam=adam)).max() < 1e-6
    assert np.abs(trained(np.full(12, 3, np.float32), adam=adam)).max() > 1e-2


def test_an_output_that_is_not_finite_is_said() -> None:
    state = single.start(initialise(shallow(2, 5).build(), 0), torch.float32)
    x, y = np.ones((12, 2), np.float32), np.ones(12, np.float32)
    start = np.where(np.arange(12) == 5, np.inf, 0).astype(np.float32)
    assert beside.advance(state, (x, start, y), ORDER, fused.Rule(0.1)) == fused.DIVERGED
    assert state.step == 1


def test_kept_machine_code_knows_the_engine_it_holds() -> None:
    """Numba looks it up by what a function closes over: another source, another key."""
    first, second = (beside._kernel(n) for n in (1, 2))
    keys = [kernel._cache._index_key((), first.targetctx.codegen()) for kernel in (first, second)]
    assert keys[0] != keys[1]
