"""Inputs on which the structures disagree: those of the data, or made by changing one structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from falsestruct.characterise.audit import BEYOND, AuditError
from falsestruct.characterise.cases import Case
from falsestruct.characterise.held import Inputs
from falsestruct.characterise.interventions import SHOWN, Change, Changed, Intervene
from falsestruct.characterise.verdicts import ENOUGH, Counts, Design, Share

CHANGED = 5000  # inputs that are changed, at most
SHAMS = 1000  # inputs that are given the value that they have, at most
FEW = 5  # clusters of conflict inputs that must have another class than most have
NATURAL = "natural conflict"


# ---- changes ----


@dataclass(frozen=True)
class Changes:
    """The false structure changed, and the original; None if that can't be done.

    Attributes:
        sham: Inputs given the value of the false structure that they have.
        told: What a report should say.
    """

    how: str
    false: Changed | None
    original: Changed | None
    sham: Changed | None
    told: tuple[str, ...]


def changes(case: Case, intervene: Intervene | None, seed: int) -> Changes:
    """Change either structure where both agree, as far as that can be done.

    Raises:
        AuditError: The intervention that was given fails, and the data have no conflict to read.
    """
    how = intervene
    if how is None and case.false.column not in (None, case.original.column):
        how = "exchange"
    if how is None:
        return Changes("", None, None, None, ())
    forward = Change(case.x, case.false, case.original, how)
    back = Change(case.x, case.original, case.false, how)
    rows, told = _sources(case, seed), list[str]()
    try:
        false: Changed | None = forward.ask(
            case.asked, rows, case.wrong, case.truth[rows], seed=seed
        )
    except AuditError as error:
        if intervene is not None and not readable(case):
            raise
        told.append(f"{case.false.name} was not changed: {error}.")
        false = None
    original = _tried(case, back, rows, told, seed) if case.original.readable else None
    word = "your intervention on" if callable(how) else f"{how} of"
    sham = None if false is None else _sham(case, forward, rows, seed)
    dropped = _dropped([false, original])
    return Changes(f"{word} {case.false.name}", false, original, sham, (*told, *dropped))


def _tried(
    case: Case, back: Change, rows: np.ndarray, told: list[str], seed: int
) -> Changed | None:
    """The original changed: nice to know, and no reason to stop."""
    try:
        return back.ask(case.asked, rows, case.truth, case.truth[rows], seed=seed)
    except AuditError as error:
        if callable(back.how):
            told.append(f"{case.original.name} was not changed: {error}.")
        return None


def _sham(case: Case, forward: Change, rows: np.ndarray, seed: int) -> Changed | None:
    """None if no such input can be made: then nothing is said against the change."""
    some = np.sort(np.random.default_rng(seed).permutation(rows)[:SHAMS])
    try:
        return forward.sham(case.asked, some, case.wrong, seed=seed)
    except AuditError:
        return None


def _sources(case: Case, seed: int) -> np.ndarray:
    """Inputs that are changed: at most CHANGED, of identical ones the first.

    Where both structures agree, or the false one says nothing.
    """
    silent = (case.labels >= 0) & (case.truth >= 0) & (case.wrong < 0)
    rows = np.union1d(case.agree, np.flatnonzero(silent))
    if not case.design.grouped:
        rows = rows[np.unique(case.design.clusters[rows], return_index=True)[1]]
    return np.sort(np.random.default_rng(seed).permutation(rows)[:CHANGED])


def _dropped(made: Sequence[Changed | None]) -> list[str]:
    return [
        f"{count} of {changed.made} changed inputs were dropped: {reason}."
        for changed in made
        if changed is not None
        for reason, count in changed.dropped.items()
    ]


def flips(case: Case, changed: Changed | None, codes: np.ndarray, name: str) -> Share | None:
    """Share of changed inputs whose answer is another one.

    Args:
        codes: Of the structure that was changed, for all of x, (n,).
    """
    if changed is None:
        return None
    after = codes[changed.donors]
    used = (changed.labels >= 0) & (after >= 0) & (codes[changed.rows] != after)
    rows = changed.rows[used]
    return case.design.share(name, changed.labels[used] != case.labels[rows], rows)


def sham_flips(case: Case, own: Changes) -> Share | None:
    """Share of inputs that were given the value that they have, and got another answer."""
    if own.sham is None:
        return None
    answered = own.sham.labels >= 0
    rows = own.sham.rows[answered]
    other = own.sham.labels[answered] != case.labels[rows]
    return case.design.share(case.false.name, other, rows)


# ---- the conflict set ----


@dataclass(frozen=True)
class Conflict:
    """Inputs on which the structures disagree: codes (m,), and the rows that they come from.

    Some of them are shown; `places` are their positions among the m.
    """

    how: str
    rows: np.ndarray
    labels: np.ndarray
    truth: np.ndarray
    wrong: np.ndarray
    shown: Inputs | None = None
    places: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def sides(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Whether each answer is the original's, the false structure's, or neither."""
        first, second = self.labels == self.truth, self.labels == self.wrong
        return first, second, ~first & ~second

    @property
    def rare(self) -> np.ndarray:
        """Where the original doesn't say what it says most often here, (m,)."""
        if not len(self.truth):
            return np.zeros(0, dtype=bool)
        return np.asarray(self.truth != np.bincount(self.truth).argmax())

    def both_ways(self, side: int, sampled: Design) -> bool:
        """Whether it goes to one side (0 or 1) whatever the original says: no mere bias.

        That takes FEW clusters where the original says something rarer, and a share above .75 both
        there and elsewhere. With fewer, an intervention is believed: its inputs had the other
        answer before.
        """
        rare, went = self.rare, self.sides()[side]
        if sampled.count(self.rows[rare]) < FEW:
            return self.how != NATURAL
        return bool(min(went[rare].mean(), went[~rare].mean()) > BEYOND)


def readable(case: Case) -> bool:
    """Whether the data have conflict inputs enough, and of more than one class."""
    own = _natural(case)
    return case.design.count(own.rows) >= ENOUGH and case.design.count(own.rows[own.rare]) >= FEW


def _natural(case: Case) -> Conflict:
    rows = case.apart
    return Conflict(NATURAL, rows, case.labels[rows], case.truth[rows], case.wrong[rows])


def conflict(case: Case, own: Changes) -> Conflict:
    """Of the data, if they have it; else of the changes, if there are any."""
    rows, made = case.apart, own.false
    if made is None or readable(case):
        found = _natural(case)
        if not len(rows):
            return found
        places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SHOWN)).astype(int))
        return Conflict(NATURAL, rows, found.labels, found.truth, found.wrong,
                        case.x.take(rows[places]), places)  # fmt: skip
    truth, wrong = case.truth[made.rows], case.wrong[made.donors]
    used = (made.labels >= 0) & (wrong >= 0) & (truth != wrong)
    shown = _joined(made.shown)
    seen = used[made.places]
    shown = shown.take(np.flatnonzero(seen)) if shown is not None and seen.any() else None
    places = (np.cumsum(used) - 1)[made.places[seen]]
    codes = made.labels[used], truth[used], wrong[used]
    return Conflict(own.how, made.rows[used], *codes, shown, places)


def _joined(parts: Sequence[Inputs]) -> Inputs | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    if parts[0].kind == "table":
        return Inputs("table", pd.concat([part.frame() for part in parts]))
    return Inputs(parts[0].kind, [one for part in parts for one in part.held])


def counts(
    sampled: Design, names: tuple[str, str], right: tuple[np.ndarray, np.ndarray], own: Conflict
) -> Counts | None:
    """The estimates from which a verdict follows; None if nothing says how often it is right.

    Args:
        right: Whether it is right where both structures say the same, and the rows of these.
    """
    success = sampled.estimate(*right)
    if success is None:
        return None
    first, second, neither = (sampled.estimate(side, own.rows) for side in own.sides())
    if first is None or second is None or neither is None:
        return Counts(names, success, None)
    return Counts(names, success, (first, second, neither))
