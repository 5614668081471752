"""Compile `fused`, `beside` and `volume`, and keep it: `python -m falsestruct.learning.compiled`.

A process that compiles and one that loads the kept machine code round differently in the last bit,
and training amplifies it. So a chapter's kernel should find the code kept: the runner calls this
first, in a process of its own. It takes some ten seconds once, and one when there is nothing to do.
"""

from __future__ import annotations

import numpy as np

from falsestruct.learning import beside, fused, volume


def compile_all() -> None:
    """One step, one loss and the outputs of a small network, in both precisions; a short walk."""
    for dtype in (np.float64, np.float32):
        x, y = np.ones((3, 2), dtype), np.ones(3, dtype)
        state = fused.State.of(np.ones(7, dtype), 2, 1, 2)
        fused.advance(state, x, y, np.arange(3)[None], fused.Rule(0.1), steps=1)
        beside.advance(state, (x, y, y), np.arange(3)[None], fused.Rule(0.1))
        fused.loss(state, x, y)
        fused.outputs(state, x)
    volume.advance((np.ones(1), np.ones(1)), (np.ones((5, 1)), np.ones((5, 1))), np.ones(5) / 2)


if __name__ == "__main__":
    compile_all()
