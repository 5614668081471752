"""Inputs in which one structure is changed and the other one stays: made, verified and asked about.

What can be read again is verified: values of a function or of the table's columns. An input in
which the change failed, or took the other structure with it, is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from falsestruct.characterise.asking import Network
from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.held import Inputs, inputs
from falsestruct.characterise.suspected import UNDEFINED, Structure

Function = Callable[[Any, str, Any, np.random.Generator], Any]
Intervene = Literal["exchange", "randomise"] | Function
SHOWN = 8  # changed inputs that are kept, for the report, of all values together


@dataclass(frozen=True)
class Changed:
    """Inputs with one structure changed.

    Attributes:
        rows: The inputs of x that they were made of, (m,).
        donors: The inputs of x whose value the structure was given, (m,).
        labels: What the network answers, codes (m,).
        dropped: How many failed, by the reason.
        shown: Some of them, about SHOWN.
        places: Their positions in rows.
    """

    rows: np.ndarray
    donors: np.ndarray
    labels: np.ndarray
    dropped: dict[str, int]
    shown: tuple[Inputs, ...]
    places: np.ndarray

    @property
    def made(self) -> int:
        """All that were tried."""
        return len(self.rows) + sum(self.dropped.values())


@dataclass(frozen=True)
class Change:
    """An intervention on one structure.

    Attributes:
        how: "exchange" gives the structure's column the value of an input of another class,
            "randomise" that of any input; a function (x, structure, value, rng) → x is given a
            batch as it is held, the structure's name and the one value that all shall have.
    """

    x: Inputs
    structure: Structure
    other: Structure
    how: Intervene

    def check(self) -> None:
        """Raises AuditError, if this structure can't be changed in this way."""
        if callable(self.how):
            return
        if self.how not in ("exchange", "randomise"):
            raise AuditError(
                f"intervene is {self.how!r}; expected 'exchange', 'randomise' or a function "
                "(x, structure, value, rng) → x"
            )
        if self.structure.column is None:
            raise AuditError(
                f"{self.how} changes a column of the table x, and {self.structure.name} is none; "
                "give intervene= a function (x, structure, value, rng) → x"
            )
        if self.structure.column == self.other.column:
            raise AuditError(f"{self.structure.name} is both structures' column; expected two")

    def donors(
        self, codes: np.ndarray, against: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Inputs (m,) with the value to take: any, or of a class but this one; −1 if there is none.

        Args:
            codes: Of the structure that is changed, for all of x, (n,).
            against: The class that each of the m is to leave.
        """
        if self.how == "randomise":
            return rng.integers(0, len(codes), size=len(against))
        return _drawn(against, lambda code: (codes != code) & (codes != UNDEFINED), rng)

    def ask(
        self, network: Network, rows: np.ndarray, codes: np.ndarray, against: np.ndarray, *,
        seed: int = 0,
    ) -> Changed:  # fmt: skip
        """Change these inputs, batch by batch, and ask the network about them.

        Args:
            rows: Of x, (m,).
            codes, against: As `donors` has them.

        Raises:
            AuditError: The function raises or returns no such batch, most changes failed, or no
                value could be taken.
        """
        self.check()
        rng = np.random.default_rng(seed)
        return self._asked(network, rows, self.donors(codes, against, rng), rng)

    def sham(
        self, network: Network, rows: np.ndarray, codes: np.ndarray, *, seed: int = 0
    ) -> Changed:
        """The same, but each input is given what it has: its own value, or its class in a column.

        Raises:
            AuditError: As `ask`.
        """
        self.check()
        rng, donors = np.random.default_rng(seed), rows
        if not callable(self.how):
            donors = _drawn(codes[rows], lambda code: codes == code, rng)
        return self._asked(network, rows, np.where(codes[rows] == UNDEFINED, -1, donors), rng)

    def _asked(
        self, network: Network, rows: np.ndarray, donors: np.ndarray, rng: np.random.Generator
    ) -> Changed:
        rows, donors = rows[donors >= 0], donors[donors >= 0]
        if not len(rows):
            raise AuditError(f"{self.structure.name} has no value of another class to take")
        dropped: dict[str, int] = {}
        kept, labels, shown, places, done = [], [], list[Inputs](), list[int](), 0
        batches = self._batches(donors, network.size(self.x))
        few = -(-SHOWN // len(batches))
        for part in batches:
            new = self._made(rows[part], donors[part], rng)
            good = np.flatnonzero(self._verified(new, rows[part], donors[part], dropped))
            kept.append(part[good])
            labels.append(network.labels(new, good) if len(good) else np.empty(0, np.int64))
            if len(good) and len(shown) < SHOWN:
                shown.append(new.take(good[:few]))
                places += range(done, done + len(shown[-1]))
            done += len(good)
        self._refuse(dropped, len(rows))
        order = np.concatenate(kept)
        return Changed(
            rows[order], donors[order], np.concatenate(labels), dropped, tuple(shown),
            np.array(places, dtype=np.int64),
        )  # fmt: skip

    def _refuse(self, dropped: dict[str, int], made: int) -> None:
        if 2 * sum(dropped.values()) > made:
            told = ", ".join(f"{reason} ({count})" for reason, count in dropped.items())
            raise AuditError(
                f"changing {self.structure.name} failed for {sum(dropped.values())} of {made} "
                f"inputs: {told}"
            )

    def _batches(self, donors: np.ndarray, size: int) -> list[np.ndarray]:
        """Positions in batches; for a function, of one value each."""
        if not callable(self.how):
            groups = [np.arange(len(donors))]
        else:
            values = self.structure.values[donors]
            different = list(dict.fromkeys(values))
            groups = [np.flatnonzero(values == value) for value in different]
        return [group[i : i + size] for group in groups for i in range(0, len(group), size)]

    def _made(self, rows: np.ndarray, donors: np.ndarray, rng: np.random.Generator) -> Inputs:
        old = self.x.take(rows)
        if not callable(self.how):
            column = self.structure.column
            values = self.x.frame()[column].iloc[donors].array
            return Inputs("table", old.frame().assign(**{column: values}))
        name, value = self.structure.name, self.structure.values[donors[0]]
        try:
            answer = self.how(old.held, name, value, rng)
        except Exception as error:
            text = " ".join(str(error).split()) or "no message"
            raise AuditError(
                f"intervene raised {type(error).__name__} when it set {name} to {value!r}: {text}"
            ) from error
        new = inputs(answer, kind=self.x.kind)
        if len(new) != len(rows):
            raise AuditError(f"intervene returned {len(new)} inputs for {len(rows)}")
        return new

    def _verified(
        self, new: Inputs, rows: np.ndarray, donors: np.ndarray, dropped: dict[str, int]
    ) -> np.ndarray:
        """Which inputs (m,) have the new value, and kept the other structure's."""
        good = np.ones(len(rows), dtype=bool)
        wanted = (
            (self.structure, donors, f"{self.structure.name} did not take the value"),
            (self.other, rows, f"{self.other.name} did not keep its value"),
        )
        for structure, source, reason in wanted:
            if structure.readable and (structure.column is None or callable(self.how)):
                same = structure.read(new) == structure.values[source]
                if (good & ~same).any():
                    dropped[reason] = dropped.get(reason, 0) + int((good & ~same).sum())
                good &= same
        return good


def _drawn(
    against: np.ndarray, fits: Callable[[int], np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """For each class, an input that fits to it, (m,); −1 if there is none.

    Args:
        fits: Whether each input of x does, (n,).
    """
    found = np.full(len(against), -1, dtype=np.int64)
    for code in np.unique(against):
        others, mine = np.flatnonzero(fits(code)), against == code
        if len(others):
            found[mine] = rng.choice(others, size=mine.sum())
    return found
