"""From counts to a verdict: shares with the interval of the design, and what would decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from falsestruct import statistics
from falsestruct.characterise.audit import BEYOND, CAPTURED, judge
from falsestruct.statistics import Estimate

ENOUGH = 20  # clusters of inputs in conflict from which the data alone are asked
MOST = 100_000  # clusters up to which it is worth saying how many would decide


@dataclass(frozen=True)
class Share:
    """Share of the clusters of inputs of which something holds.

    Attributes:
        share: None without any input.
        low, high: The 95 % interval.
        n: Clusters: inputs that differ, or the groups that were given.
        inputs: All inputs.
    """

    structure: str
    share: float | None
    low: float
    high: float
    n: int
    inputs: int


@dataclass(frozen=True)
class Design:
    """What was sampled: inputs, or groups of them.

    Attributes:
        clusters: Of each input, (n,), int.
        grouped: Whether they were given. If not, they are sets of identical inputs, of which each
            counts once.
    """

    clusters: np.ndarray
    grouped: bool

    def count(self, rows: np.ndarray) -> int:
        """Clusters among these inputs."""
        return len(np.unique(self.clusters[rows]))

    def estimate(self, holds: np.ndarray, rows: np.ndarray) -> Estimate | None:
        """Share of the clusters of rows (m,) for which it holds (m,); None if there are too few."""
        own, first = np.unique(self.clusters[rows], return_index=True)
        if len(own) == 0 or (self.grouped and len(own) < 2):
            return None
        if not self.grouped or len(own) == len(rows):
            return statistics.proportion(holds[np.sort(first)])
        return statistics.clustered(holds.astype(float), self.clusters[rows], bounds=(0, 1))

    def share(self, name: str, holds: np.ndarray, rows: np.ndarray) -> Share:
        """The same for the report."""
        found = self.estimate(holds, rows)
        if found is None:
            known = float(holds.mean()) if len(rows) else None
            return Share(name, known, 0.0, 1.0, self.count(rows), len(rows))
        return Share(name, found.value, found.low, found.high, found.n, len(rows))


@dataclass(frozen=True)
class Counts:
    """The estimates from which a verdict follows.

    Attributes:
        names: The original's and the false structure's.
        success: Share right where both structures say the same.
        sides: Where they disagree, shares of the original, the false structure and neither; None
            without inputs enough for an interval.
    """

    names: tuple[str, str]
    success: Estimate
    sides: tuple[Estimate, Estimate, Estimate] | None

    def verdict(self) -> str:
        """As `audit.judge`; "none", too, if neither structure's label is what it answers.

        That takes as much as a name does: a share of at least .9 and an interval above .75.
        """
        if self.sides is None:
            return "none" if self.success.high < BEYOND else "undecided"
        first, second, neither = self.sides
        found = judge(self.success, ((self.names[0], first), (self.names[1], second)))
        decided = self.success.low > BEYOND
        if decided and neither.value >= CAPTURED and neither.low > BEYOND:
            return "none"
        return found

    def needed(self) -> int | None:
        """How many more clusters of conflict inputs would decide, at the present shares.

        None if they do already, if no number up to MOST would, or if what is undecided is the
        success. Without any conflict input: how many would decide if all said the same.
        """
        if self.verdict() != "undecided" or self.success.low <= BEYOND:
            return None
        return _more(0 if self.sides is None else self.sides[0].n, self._decides)

    def needed_agreeing(self) -> int | None:
        """How many more clusters where the structures agree would settle the present success.

        None if it is settled, or if no number up to MOST would.
        """
        if not self.unsure:
            return None

        def settles(n: int) -> bool:
            own = _with(self.success, n)
            return own.low > BEYOND or own.high < BEYOND

        return _more(self.success.n, settles)

    @property
    def unsure(self) -> bool:
        """Whether nothing says if it has learnt what both structures say."""
        return self.success.low <= BEYOND <= self.success.high

    def _decides(self, n: int) -> bool:
        if self.sides is None:
            all_, none = np.ones(n, bool), np.zeros(n, bool)
            first, second = statistics.proportion(all_), statistics.proportion(none)
            return replace(self, sides=(first, second, second)).verdict() != "undecided"
        first, second, neither = (_with(own, n) for own in self.sides)
        return replace(self, sides=(first, second, neither)).verdict() != "undecided"


def _more(present: int, decides: Callable[[int], bool]) -> int | None:
    """How many more than these are the fewest, up to MOST in all, that decide."""
    if not decides(MOST):
        return None
    low, high = present, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high - present


def _with(own: Estimate, n: int) -> Estimate:
    """The same share of n clusters instead of own.n."""
    if own.method == "mid-P":
        outcomes = np.arange(n) < round(own.value * n)
        found = statistics.proportion(outcomes)
        low, high = min(found.low, own.value), max(found.high, own.value)
    else:
        scale = (own.n / n) ** 0.5
        low = own.value - scale * (own.value - own.low)
        high = own.value + scale * (own.high - own.value)
    return Estimate(own.value, low, high, n, "scaled")
