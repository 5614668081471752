"""Which bytes reach the network, as a recorded run for where the package isn't installed."""

from __future__ import annotations

import pandas as pd

from falsestruct.chapters.deployed import measure


def compared(*, count: int, seed: int) -> pd.DataFrame:
    """`measure.windows`: a row a file, whether its input changes with bytes outside and inside."""
    outside, inside = measure.windows(count, seed=seed)
    return pd.DataFrame({"outside": outside, "inside": inside})
