"""Words of bits, their parity, and a hint beside each bit.

All words of up to so many bits are a tree: a word's two children have one bit more. A recurrent
network reads the tree level by level, so that every beginning of a word is read once. A network
without recursion gets each word as one row, which ends at the same place in all words, with zeros
before it begins. Both see the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from falsestruct.structures import Structure

Set = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Words:
    """All words of up to `length` bits.

    Attributes:
        length: Of the longest words, at least 1.
        hint: Size of the hint beside each bit, at least 0. Its sign says the parity up to there.
        sign: 1 where hints are right, −1 where all are wrong.
    """

    length: int
    hint: float = 0.0
    sign: int = 1

    def __post_init__(self) -> None:
        if self.length < 1 or self.hint < 0 or self.sign not in (1, -1):
            raise ValueError(f"{self}; expected length ≥ 1, hint ≥ 0, and sign 1 or −1")

    def levels(self) -> list[Set]:
        """For t = 1 … length: the last bit and hint (2ᵗ, 2) of each word of t bits, and parities.

        The children of word i are 2i, with the bit −1, and 2i + 1, with the bit 1.
        """
        found, odd = [], torch.zeros(1)
        for _ in range(self.length):
            bit = torch.tensor([0.0, 1.0]).repeat(len(odd))
            odd = (odd.repeat_interleave(2) - bit).abs()
            hint = self.sign * self.hint * (2 * odd - 1)
            found.append((torch.stack((2 * bit - 1, hint), 1), odd))
        return found

    def rows(self, lengths: Iterable[int]) -> Set:
        """Words of these lengths as rows (words, 2·length), the bits and then the hints.

        In the order of `levels`. Every word ends at the last place, with zeros before it begins.
        """
        levels, parts, labels = self.levels(), [], []
        for length in lengths:
            at, start = torch.arange(2**length), self.length - length
            row = torch.zeros(len(at), 2, self.length)
            for t in range(length):
                row[:, :, start + t] = levels[t][0][at >> (length - 1 - t)]
            parts.append(row.flatten(1))
            labels.append(levels[length - 1][1])
        return torch.cat(parts), torch.cat(labels)

    def labelled(self, which: str, generator: torch.Generator) -> Tensor:
        """Which words of all lengths have labels, in the order of `levels`: (words,) of bool.

        Args:
            which: "all"; the "full" ones, of `length` bits; "half" of these; or as many as there
                are full ones, "drawn" from all.
        """
        count, full = 2 ** (self.length + 1) - 2, 2**self.length
        found = torch.full((count,), which == "all")
        if which == "full":
            found[-full:] = True
        if which == "drawn":
            found[torch.randperm(count, generator=generator)[:full]] = True
        if which == "half":
            found[count - full + torch.randperm(full, generator=generator)[: full // 2]] = True
        return found

    @property
    def parity(self) -> Structure:
        """The original structure, of rows: is the number of ones odd?"""
        return Structure("parity", lambda x: (x[:, : self.length] > 0).sum(1) % 2)

    @property
    def told(self) -> Structure:
        """The false structure, of rows: what the hint beside the last bit says."""
        return Structure("hint", lambda x: (x[:, -1] > 0).long())


def random_words(count: int, length: int, rng: np.random.Generator) -> Set:
    """Bits of −1 and 1 (count, length, 2), without hints, and the parity of every beginning.

    The parities are (count, length).
    """
    ones = torch.from_numpy(rng.integers(0, 2, (count, length)))
    x = torch.stack((2.0 * ones - 1, torch.zeros(ones.shape)), 2).float()
    return x, ones.cumsum(1) % 2


def letters(bits: Sequence[int] = (0, 1)) -> Tensor:
    """The inputs (letters, 2) of these bits, without hints."""
    return torch.tensor([[2.0 * bit - 1, 0.0] for bit in bits])
