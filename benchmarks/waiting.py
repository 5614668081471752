"""Points that wait instead of computing. Workers import this, so nothing heavy is in it."""

from __future__ import annotations

import time


def wait(*, seconds: float, index: int) -> dict[str, int]:
    """A point that takes so long and nothing of a core; `index` tells it from its equals."""
    time.sleep(seconds)
    return {"index": index}
