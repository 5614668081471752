"""What every way of training shares: members side by side, and the error if one diverges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Given = TypeVar("Given")
Result = TypeVar("Result")


class DivergedError(ArithmeticError):
    """A loss or a weight became NaN or infinite: such a run is an error, never evidence."""


def spread(function: Callable[[Given], Result], items: Sequence[Given]) -> list[Result]:
    """The function of each item, as many at once as PyTorch has threads, each on one thread."""
    threads = min(torch.get_num_threads(), len(items))
    if threads <= 1:
        return [function(item) for item in items]
    before = torch.get_num_threads()
    try:
        # PyTorch counts threads for each thread that calls it, but a new one takes the last count.
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(function, items))
    finally:
        torch.set_num_threads(before)
