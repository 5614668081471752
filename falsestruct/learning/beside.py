"""Training of a network whose output is added to something known: steps in one compiled function.

The parts are those of `fused`. It stands by itself because a recorded run is held to every
definition of that file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from falsestruct.learning import fused
from falsestruct.learning.fused import BLOCK, Rule, State, Three


def advance(state: State, data: Three, order: np.ndarray, rule: Rule) -> int:
    """Take a step a row of `order`.

    Args:
        state: Changed in place; one output.
        data: Samples (samples, inputs), what the output is added to (samples,), labels (samples,).
        order: The samples of each step, (steps, batch).
        rule: Without a target.

    Returns:
        `fused.FINISHED` or `fused.DIVERGED`.
    """
    taken, finite = _advance(
        (state.flat, state.first, state.second), data, order, (state.width, state.step),
        (rule.rate, rule.decay, rule.adam),
    )  # fmt: skip
    state.step += taken
    return fused.FINISHED if finite else fused.DIVERGED


def _kernel(engine: int) -> Callable[..., tuple[int, bool]]:
    """The steps, with `fused` as it is now.

    Args:
        engine: A number that changes with the source of `fused`. Kept machine code holds parts of
            it, and is looked up by this file and by what the function closes over.
    """

    @fused._compiled
    def steps(
        weights: Three, data: Three, order: np.ndarray, place: tuple[int, int],
        how: tuple[float, float, bool],
    ) -> tuple[int, bool]:  # fmt: skip
        (flat, first, second), (seen, start, y) = weights, data
        (width, step), (rate, decay, adam) = place, how
        block = np.empty((seen.shape[1], BLOCK), flat.dtype)
        active = np.empty((width, BLOCK), flat.dtype)
        out, below, slope = active[:1].copy(), active[0].copy(), flat.copy()
        for taken in range(len(order) if engine else 0):
            slope[:] = 0
            for begin in range(0, order.shape[1], BLOCK):
                rows = order[taken, begin : begin + BLOCK]
                fused._gather(seen, rows, block)
                fused._forward(flat, block, len(rows), active, out)
                for s in range(len(rows)):
                    out[0, s] += start[rows[s]]
                if not fused._finite(out, len(rows)):
                    return taken, False
                fused._errors(out, y, rows, order.shape[1])
                fused._backward(flat, block, len(rows), active, out, below, slope)
            if adam:
                fused._adam(flat, first, second, slope, step + taken + 1, rate, decay)
            else:
                fused._descent(flat, slope, rate, decay)
        return len(order), True

    return steps


_SOURCE = hashlib.sha256(Path(fused.__file__).read_bytes()).hexdigest()
_advance = _kernel(int(_SOURCE[:12], 16) + 1)
