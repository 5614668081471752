"""Parities of bits, and a hint beside them that is wrong now and then.

An input is a row of bits, −1 or 1, and one more at the end: the hint. The original structure is the
product of the first bits, the false one repeats the hint. Both change their label if one bit is
changed, so neither is the stabler one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Parity:
    """The parity of the first `size` of `bits` bits, and a hint at it.

    Attributes:
        bits: Of an input, without the hint.
        size: Bits that the parity looks at, 1 to `bits`.
        right: Probability q that the hint says the parity, whatever the bits are. At ½ it is a
            coin, at 1 the data can't tell it from the parity.
        true: Probability that the label is the parity: below 1 there is noise in the labels.
        mean: Of each bit, above −1 and below 1; 0 where both values are equally likely.
    """

    bits: int
    size: int
    right: float = 0.5
    true: float = 1.0
    mean: float = 0.0

    def __post_init__(self) -> None:
        sizes, shares = 1 <= self.size <= self.bits, (self.right, self.true)
        if not sizes or not all(0 <= share <= 1 for share in shares) or not -1 < self.mean < 1:
            raise ValueError(
                f"{self}; expected 1 ≤ size ≤ bits, probabilities from 0 to 1, −1 < mean < 1"
            )

    @property
    def inputs(self) -> int:
        """Numbers in an input: the bits and the hint."""
        return self.bits + 1

    def draw(self, samples: int, rng: np.random.Generator) -> Arrays:
        """Fresh inputs (samples, bits + 1) of −1 and 1, and their labels 0 or 1: float32."""
        x = np.where(rng.random((samples, self.inputs)) < (1 + self.mean) / 2, 1.0, -1.0)
        says = self.original(torch.from_numpy(x)).numpy()
        told = np.where(rng.random(samples) < self.right, says, 1 - says)
        x[:, -1] = 2 * told - 1
        y = np.where(rng.random(samples) < self.true, says, 1 - says)
        return x.astype(np.float32), y.astype(np.float32)

    def conflict(self) -> Parity:
        """The same where the hint is always wrong and the label is the parity."""
        return replace(self, right=0.0, true=1.0)

    def original(self, x: Tensor) -> Tensor:
        """The parity (samples,) of inputs (samples, bits + 1): 1 where the product is 1."""
        return (x[:, : self.size].prod(1) > 0).long()

    def false(self, x: Tensor) -> Tensor:
        """What the hint says, (samples,)."""
        return (x[:, -1] > 0).long()


def rows(bits: int) -> Tensor:
    """All rows of so many bits, −1 or 1: (2^bits, bits), float64."""
    return torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * bits)
