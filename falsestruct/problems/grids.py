"""Grids with walls and two marked cells: does a path of free cells join them?

The original structure asks for the path. A shortcut that nobody planted looks at the distance of
the marks: cells that are near to each other are connected more often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

DRAWN = 4  # grids drawn at once, for each that is wanted


@dataclass(frozen=True)
class Marked:
    """Grids, a row each.

    Attributes:
        free: Cells without a wall, (samples, side, side) of bool.
        marks: Two different free cells, as indices of the flattened grid, (samples, 2).
        joined: Whether a path joins them, (samples,) of bool.
    """

    free: np.ndarray
    marks: np.ndarray
    joined: np.ndarray

    def __len__(self) -> int:
        return len(self.free)

    def __getitem__(self, rows: np.ndarray) -> Marked:
        return Marked(self.free[rows], self.marks[rows], self.joined[rows])

    @property
    def distance(self) -> np.ndarray:
        """Steps between the marks if there were no walls, (samples,)."""
        row, column = np.divmod(self.marks, self.free.shape[2])
        return np.abs(np.diff(row)[:, 0]) + np.abs(np.diff(column)[:, 0])

    def rows(self) -> Tensor:
        """Inputs (samples, 2·side²) of float32: ±1 for free and wall, then 1 at the marks."""
        walls = np.where(self.free, 1.0, -1.0).reshape(len(self), -1)
        marks = np.zeros(walls.shape)
        np.put_along_axis(marks, self.marks, 1.0, 1)
        return torch.from_numpy(np.concatenate((walls, marks), 1)).float()

    @property
    def labels(self) -> Tensor:
        """1 where a path joins the marks, (samples,)."""
        return torch.from_numpy(self.joined).long()

    def answers(self, said: np.ndarray, reach: int, furthest: int) -> dict[str, float]:
        """How somebody does on these grids who says `said`, true for joined, (samples,).

        Shares called joined: `near` and `far`, of pairs that are not, up to a distance of `reach`,
        where the best rule of the distance says joined, and further; `joined N` and `apart N` up to
        the `furthest`, of pairs at distance N that are, or are not. NaN without such pairs.
        """
        near, apart = self.distance <= reach, ~self.joined
        found = {"near": said[near & apart], "far": said[~near & apart]}
        for n in range(1, furthest + 1):
            found[f"joined {n}"] = said[(self.distance == n) & self.joined]
            found[f"apart {n}"] = said[(self.distance == n) & apart]
        return {name: float(part.mean()) if len(part) else np.nan for name, part in found.items()}


def join(parts: list[Marked]) -> Marked:
    """Several lists of grids as one."""
    return Marked(*(np.concatenate([getattr(p, n) for p in parts]) for n in Marked.__annotations__))


def flood(free: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Cells that a path joins to the start, (samples, side, side) of bool.

    The local rule of chapter 19, until nothing changes: a free cell is lit if it or one of its four
    neighbours was.

    Args:
        start: Index of a free cell of each flattened grid, (samples,).
    """
    lit = np.zeros(free.shape, dtype=bool)
    lit.reshape(len(lit), -1)[np.arange(len(lit)), start] = True
    while True:
        around = np.pad(lit, ((0, 0), (1, 1), (1, 1)))
        spread = lit | around[:, :-2, 1:-1] | around[:, 2:, 1:-1]
        spread = (spread | around[:, 1:-1, :-2] | around[:, 1:-1, 2:]) & free
        if (spread == lit).all():
            return lit
        lit = spread


@dataclass(frozen=True)
class Grids:
    """Random grids.

    Attributes:
        side: Cells in a row and in a column, at least 2.
        walls: Probability of a wall, of each cell by itself.
        level: Of the pairs at each distance, as many are joined as not: then distance says nothing.
            Otherwise that holds for all pairs together.
    """

    side: int = 6
    walls: float = 0.42
    level: bool = False

    def __post_init__(self) -> None:
        if self.side < 2 or not 0 < self.walls < 1:
            raise ValueError(f"{self}; expected side ≥ 2 and a probability between 0 and 1")

    def draw(self, samples: int, rng: np.random.Generator) -> Marked:
        """So many grids, half of them with marks that are joined (but for an odd one)."""
        parts: list[Marked] = []
        while sum(map(len, parts)) < samples:
            parts.append(self._balanced(self._any(DRAWN * samples, rng)))
        return join(parts)[np.arange(samples)]

    def _any(self, count: int, rng: np.random.Generator) -> Marked:
        """Grids with two random free cells; those with fewer are left out."""
        free = rng.random((count, self.side, self.side)) > self.walls
        order = np.where(free.reshape(count, -1), rng.random((count, self.side**2)), -1.0)
        marks = np.argsort(-order, 1)[:, :2]
        enough = free.sum((1, 2)) > 1
        free, marks = free[enough], marks[enough]
        lit = flood(free, marks[:, 0]).reshape(len(free), -1)
        return Marked(free, marks, lit[np.arange(len(lit)), marks[:, 1]])

    def _balanced(self, drawn: Marked) -> Marked:
        """As many joined as not, in turn: over all, or at each distance."""
        groups = drawn.distance if self.level else np.zeros(len(drawn), dtype=int)
        pairs = []
        for group in np.unique(groups):
            own = [np.flatnonzero((groups == group) & (drawn.joined == j)) for j in (True, False)]
            count = min(map(len, own))
            pairs.append(np.stack([rows[:count] for rows in own], 1))
        both = np.concatenate(pairs)
        return drawn[both[np.argsort(both.min(1), kind="stable")].reshape(-1)]


def reach(grids: Grids, samples: int, seed: Sequence[int]) -> int:
    """The largest distance that the best rule of the distance calls joined, on fresh grids."""
    drawn = grids.draw(samples, np.random.default_rng(seed))
    right = [((drawn.distance <= m) == drawn.joined).mean() for m in range(2 * grids.side)]
    return int(np.argmax(right))
