"""Rules whose answer is known: what an audit and a search are tried on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from falsestruct.problems.planted import Planted

Predict = Callable[[Tensor], Tensor]  # inputs (samples, …) to labels (members, samples)


def uniform(x: Tensor, seed: int) -> Tensor:
    """A number in [0, 1) for each input (samples, …), by a hash of its bytes: (samples,).

    It looks random and is a function: it does not depend on the batch, nor on rounding.
    """
    salt = seed.to_bytes(8, "little")
    rows = x.double().flatten(1).contiguous().numpy()
    digests = [hashlib.blake2b(row.tobytes(), digest_size=8, salt=salt).digest() for row in rows]
    whole = np.array([int.from_bytes(digest[:6], "little") for digest in digests], dtype=float)
    return torch.from_numpy(whole / 2**48)


def mixture(problem: Planted, share: float, seed: int) -> Predict:
    """A network built by hand: the false structure on this share of the inputs, else the original.

    One member: (1, samples).
    """
    return lambda x: torch.where(uniform(x, seed) < share, problem.false(x), problem.original(x))[
        None
    ]


def coins(seeds: list[int]) -> Predict:
    """Rules that answer at random, but always the same: one a seed."""
    return lambda x: torch.stack([(uniform(x, seed) < 0.5).long() for seed in seeds])
