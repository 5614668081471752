"""How many networks a chapter trains of an architecture: the rule, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from falsestruct.learning.networks import Architecture


@dataclass(frozen=True)
class Seeds:
    """Numbers of networks.

    Attributes:
        fast: Of an architecture of dense layers: an ensemble trains in seconds.
        slow: Of any other: convolutions and attention take ten times as long, or more.
    """

    fast: int
    slow: int

    def of(self, architecture: Architecture) -> int:
        """So many of this architecture."""
        return self.fast if architecture.engine == "dense" else self.slow
