"""A bag of words that tells types of files."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SMOOTH = 1.0  # added to each word's count of each type


@dataclass(frozen=True)
class Words:
    """A bag of words: naive Bayes over the words of files, with equal priors.

    Attributes:
        logs: Of each type, log-probabilities of its words.
        unseen: Of each type, that of a word that isn't among them.
    """

    logs: dict[str, dict[str, float]]
    unseen: dict[str, float]

    @classmethod
    def of(cls, files: Sequence[bytes], kinds: Sequence[str]) -> Words:
        """From files whose types are known."""
        counts: dict[str, Counter[str]] = {}
        for data, kind in zip(files, kinds, strict=True):
            counts.setdefault(kind, Counter()).update(words(data))
        size = len(set().union(*counts.values()))
        logs, unseen = {}, {}
        for kind, own in counts.items():
            total = math.log(sum(own.values()) + SMOOTH * size)
            logs[kind] = {word: math.log(n + SMOOTH) - total for word, n in own.items()}
            unseen[kind] = math.log(SMOOTH) - total
        return cls(logs, unseen)

    def evidence(self, data: bytes, kind: str) -> float:
        """Log-probability of the file's words if it were of this type."""
        own, rest = self.logs[kind], self.unseen[kind]
        return sum(own.get(word, rest) for word in words(data))

    def kind(self, data: bytes) -> str:
        """The likeliest type."""
        return max(self.logs, key=lambda kind: self.evidence(data, kind))


def words(data: bytes) -> list[str]:
    """Runs of letters and digits, and each other sign that is no whitespace."""
    found, run = [], ""
    for sign in data.decode("utf-8", "replace"):
        if sign.isalnum() or sign == "_":
            run += sign
            continue
        found += [run] if run else []
        found += [] if sign.isspace() else [sign]
        run = ""
    return [*found, run] if run else found
