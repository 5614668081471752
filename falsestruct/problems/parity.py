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
        last: 1 if the last two bits are equal, −1 if they differ, 0 if they are free. So that there
            are rows that training never shows.
    """

    bits: int
    size: int
    right: float = 0.5
    true: float = 1.0
    mean: float = 0.0
    last: int = 0

    def __post_init__(self) -> None:
        shares = all(0 <= share <= 1 for share in (self.right, self.true))
        others = -1 < self.mean < 1 and (not self.last or self.size < self.bits - 1)
        if not 1 <= self.size <= self.bits or not shares or not others:
            raise ValueError(
                f"{self}; expected 1 ≤ size ≤ bits, probabilities from 0 to 1, −1 < mean < 1, and "
                "two bits beyond the parity's if they depend on each other"
            )

    @property
    def inputs(self) -> int:
        """Numbers in an input: the bits and the hint."""
        return self.bits + 1

    def draw(self, samples: int, rng: np.random.Generator) -> Arrays:
        """Fresh inputs (samples, bits + 1) of −1 and 1, and their labels 0 or 1: float32."""
        ones = rng.random((samples, self.inputs), dtype=np.float32) < (1 + self.mean) / 2
        x = 2 * ones.astype(np.float32) - 1
        if self.last:
            x[:, self.bits - 1] = self.last * x[:, self.bits - 2]
        says = x[:, : self.size].prod(1)
        x[:, -1] = np.where(rng.random(samples) < self.right, says, -says)
        y = np.where(rng.random(samples) < self.true, says, -says)
        return x, (y > 0).astype(np.float32)

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
