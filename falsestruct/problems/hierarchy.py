"""The random hierarchy (Cagnetta et al., arXiv:2307.02129): a label, spelt out level by level.

A label stands for m pairs of symbols, its *synonyms*; each symbol of a pair stands for m pairs of
the next level, and so on. What is seen is the last level. No pair has two meanings, so the label
can be looked up. The rules are drawn once, from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import torch
from torch import Tensor

PAIR = 2  # symbols that one symbol stands for


@dataclass(frozen=True)
class Hierarchy:
    """One set of rules.

    Attributes:
        symbols: Of each level, v; the labels are as many.
        synonyms: Pairs that a symbol stands for, m ≤ v.
        levels: L; an input has 2^L symbols.
        seed: Of the rules.
    """

    symbols: int = 6
    synonyms: int = 3
    levels: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.synonyms <= self.symbols or self.levels < 1:
            raise ValueError(f"{self}; expected 1 ≤ synonyms ≤ symbols and levels ≥ 1")

    @cached_property
    def rules(self) -> np.ndarray:
        """Pairs as numbers v·first + second, (levels, symbols, synonyms); none comes twice."""
        rng = np.random.default_rng(self.seed)
        chosen = self.symbols * self.synonyms
        drawn = [rng.permutation(self.symbols**PAIR)[:chosen] for _ in range(self.levels)]
        return np.reshape(drawn, (self.levels, self.symbols, self.synonyms))

    @cached_property
    def meanings(self) -> np.ndarray:
        """The symbol that a pair stands for, (levels, pairs); −1 for none."""
        found = np.full((self.levels, self.symbols**PAIR), -1)
        for level, own in enumerate(self.rules):
            for symbol, pairs in enumerate(own):
                found[level, pairs] = symbol
        return found

    @property
    def length(self) -> int:
        """Symbols of an input."""
        return PAIR**self.levels

    @property
    def choices(self) -> int:
        """Synonyms chosen on the way from a label to an input; look-ups on the way back."""
        return self.length - 1

    @property
    def size(self) -> int:
        """Number of inputs: labels times synonyms to the power of the choices."""
        return self.symbols * self.synonyms**self.choices

    @property
    def correlated(self) -> int:
        """n_c·m^L, the number of examples that the paper says deep networks need."""
        return self.symbols * self.synonyms**self.levels

    def spell(self, labels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Inputs (samples, length) of labels (samples,) and choices (samples, choices)."""
        current, used = labels[:, None], 0
        for own in self.rules:
            width = current.shape[1]
            pairs = own[current, chosen[:, used : used + width]]
            current = np.stack((pairs // self.symbols, pairs % self.symbols), 2).reshape(
                len(labels), PAIR * width
            )
            used += width
        return current

    def draw(self, samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Different inputs (samples, length), each as likely as any, and their labels.

        Raises:
            ValueError: there are not so many.
        """
        if samples > self.size:
            raise ValueError(f"{samples} inputs of {self.size}; expected at most all of them")
        codes = rng.choice(self.size, samples, replace=False)
        labels, rest = np.divmod(codes, self.synonyms**self.choices)
        powers = self.synonyms ** np.arange(self.choices)
        return self.spell(labels, rest[:, None] // powers % self.synonyms), labels

    def everything(self) -> tuple[np.ndarray, np.ndarray]:
        """All inputs and their labels."""
        chosen = np.array(list(product(range(self.synonyms), repeat=self.choices)))
        labels = np.repeat(np.arange(self.symbols), len(chosen))
        return self.spell(labels, np.tile(chosen, (self.symbols, 1))), labels

    def look_up(self, x: np.ndarray) -> np.ndarray:
        """Labels (samples,) of inputs (samples, length); −1 where some pair has no meaning."""
        current = x
        for own in self.meanings[::-1]:
            pairs = self.symbols * current[:, ::PAIR] + current[:, 1::PAIR]
            known = (current[:, ::PAIR] >= 0) & (current[:, 1::PAIR] >= 0)
            current = np.where(known, own[np.where(known, pairs, 0)], -1)
        return current[:, 0]

    def exchange(
        self, x: np.ndarray, rng: np.random.Generator, *, synonym: bool = True
    ) -> np.ndarray:
        """Inputs with one pair, at a random place, exchanged for another one.

        Args:
            synonym: For one of the same meaning; else for one of another meaning.

        Raises:
            ValueError: there is only one synonym, or only one symbol.
        """
        others = (self.synonyms if synonym else self.symbols) - 1
        if others < 1:
            raise ValueError(f"{self} has no other pair for one; expected two synonyms or symbols")
        place = rng.integers(self.length // PAIR, size=len(x))
        return self.replace(x, place, 1 + rng.integers(others, size=len(x)), synonym=synonym)

    def replace(
        self, x: np.ndarray, place: np.ndarray, step: np.ndarray, *, synonym: bool
    ) -> np.ndarray:
        """Inputs with the pair at a place (samples,) replaced by the one `step` (samples,) further.

        Args:
            synonym: Further in the list of its own synonyms; else the pair with the same number of
                a symbol that is `step` further.
        """
        rows, first = np.arange(len(x)), PAIR * place
        old = self.symbols * x[rows, first] + x[rows, first + 1]
        meaning = self.meanings[-1][old]
        same = (self.rules[-1][meaning] == old[:, None]).argmax(1)
        if synonym:
            new = self.rules[-1][meaning, (same + step) % self.synonyms]
        else:
            new = self.rules[-1][(meaning + step) % self.symbols, same]
        changed = x.copy()
        changed[rows, first], changed[rows, first + 1] = np.divmod(new, self.symbols)
        return changed

    def exchanges(self, x: np.ndarray, *, synonym: bool) -> np.ndarray:
        """All that one exchange makes of inputs (samples, length): (exchanges, samples, length).

        Args:
            synonym: Every pair for every other synonym; else for a pair of every other meaning.
        """
        steps = range(1, self.synonyms if synonym else self.symbols)
        places = range(self.length // PAIR)
        all_of = (np.full((2, len(x)), [[at], [by]]) for at, by in product(places, steps))
        return np.stack([self.replace(x, at, by, synonym=synonym) for at, by in all_of])

    def encode(self, x: np.ndarray) -> Tensor:
        """Inputs (samples, length) as ones and zeros, (samples, length, symbols), float32."""
        return torch.nn.functional.one_hot(torch.as_tensor(x), self.symbols).float()

    def keeps(self, *, synonym: bool) -> bool:
        """Are all inputs different, as many as `size`, and looked up rightly, also when exchanged?

        Lists all inputs, and all `exchanges` of each.
        """
        x, y = self.everything()
        right = len(np.unique(x, axis=0)) == len(x) == self.size
        right &= bool((self.look_up(x) == y).all())
        exchanged = self.exchanges(x, synonym=synonym)
        return right and all((self.look_up(new) == y).all() for new in exchanged)
