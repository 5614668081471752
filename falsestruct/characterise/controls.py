"""What should hold if an audit's verdict is to be believed, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from falsestruct.characterise.cases import Case
from falsestruct.characterise.conflicts import NATURAL, Conflict, counts
from falsestruct.characterise.verdicts import Share

PERMUTED = 5000  # inputs among which a structure is permuted, at most
PERMUTATIONS = 20
CHANCE = 1  # of them that may name a structure
MIXTURE = "mixture"
SHAM = 0.1  # share of answers that a change to the value that is there may flip


@dataclass(frozen=True)
class Check:
    """A control: what should hold if the verdict is to be believed."""

    name: str
    passed: bool
    told: str


@dataclass(frozen=True)
class Controls:
    """What was seen.

    Attributes:
        named: Of PERMUTATIONS, how often chance gets this verdict, by verdict: a structure's name,
            or "mixture".
        sham: Flips if the false structure is set to the value that it has; None if it isn't set.
    """

    case: Case
    conflict: Conflict
    named: dict[str, int]
    sham: Share | None

    def against(self, verdict: str) -> str | None:
        """Why this verdict about the conflict set does not hold; the end of a sentence."""
        case, own = self.case, self.conflict
        changed = own.how != NATURAL
        if changed and self.sham is not None and (self.sham.share or 0) > SHAM:
            return (
                f"set to the value that it has, {case.false.name} flips "
                f"{100 * (self.sham.share or 0):.3g} % of the answers, too: that is the change's "
                "doing, not the structure's"
            )
        if verdict == MIXTURE and self.named[MIXTURE] > CHANCE:
            return "answers at random would look the same"
        if verdict not in case.names:
            return None
        if not own.both_ways(case.names.index(verdict), case.design):
            only, rare = case.classes[np.bincount(own.truth).argmax()], int(own.rare.sum())
            where = f"on all but {rare} of them" if rare else "on all of them"
            return (
                f"{where}, {case.original.name} says {only}, and a mere bias would look the same; "
                f"hand over more of another class{'' if changed else ', or intervene='}"
            )
        if self.named[verdict] > CHANCE:
            return "a structure at random would be named as often"
        return None

    def checks(self, verdict: str) -> tuple[Check, ...]:
        """All of them, for the report; `verdict` is that of the shares alone."""
        case, own = self.case, self.conflict
        answers = len(np.unique(case.labels[case.labels >= 0]))
        changed, there = case.asked.changed, len(np.unique(own.labels))
        said = ", ".join(f"{count} {how}" for how, count in changed.items())
        named = ", ".join(f"{name} in {count}" for name, count in self.named.items())
        what = "a structure, or the answers," if own.how == NATURAL else "the answers"
        often = [n for one, n in self.named.items() if one == verdict or verdict not in self.named]
        found = [
            Check("its answers differ", answers > 1, f"{answers} different answers to x"),
            Check(
                "it answers the same again",
                not any(changed.values()),
                f"of {case.asked.rechecked} inputs, other answers: {said}",
            ),
            Check(
                "a structure at random is not named",
                max(often) <= CHANCE,
                f"{what} permuted among inputs {PERMUTATIONS} times: {named}",
            ),
            Check(
                "its answers differ where the structures disagree",
                there > 1,
                f"{there} different answers there",
            ),
        ]
        if self.sham is not None and self.sham.share is not None:
            found.append(
                Check(
                    f"setting {case.false.name} to the value that it has flips nothing",
                    self.sham.share <= SHAM,
                    f"{100 * self.sham.share:.3g} % of {self.sham.n} answers flipped",
                )
            )
        return tuple(found)


def controls(case: Case, own: Conflict, sham: Share | None, seed: int) -> Controls:
    """How often the whole rule names what has nothing to do with the answers.

    Of a natural conflict, each structure in turn is permuted among the inputs, for its own name.
    For a mixture, and where an intervention made the conflict, the answers are: to the inputs on
    which both structures agree, and to those in conflict, before the change and after it.
    """
    named = dict.fromkeys((*case.names, MIXTURE), 0)
    if not case.constant:
        rng = np.random.default_rng(seed)
        trials = _answers(case, own, rng)
        if own.how == NATURAL:
            trials = chain(_structures(case, rng), trials)
        for about, right, made in trials:
            verdict = _verdict(case, right, made)
            if verdict in about:
                named[verdict] += 1
    return Controls(case, own, named, sham)


def _verdict(case: Case, right: tuple[np.ndarray, np.ndarray], own: Conflict) -> str:
    """By the shares, and, of a name, whether it holds both ways."""
    found = counts(case.design, case.names, right, own)
    verdict = "undecided" if found is None else found.verdict()
    if verdict in case.names and not own.both_ways(case.names.index(verdict), case.design):
        return "undecided"
    return verdict


Trial = tuple[tuple[str, ...], tuple[np.ndarray, np.ndarray], Conflict]


def _structures(case: Case, rng: np.random.Generator) -> Iterator[Trial]:
    """For which verdict, success, and conflict."""
    rows = np.sort(rng.permutation(np.flatnonzero(case.both))[:PERMUTED])
    labels = case.labels[rows]
    for which, name in enumerate(case.names):
        for _ in range(PERMUTATIONS):
            codes = [case.truth[rows], case.wrong[rows]]
            codes[which] = rng.permutation(codes[which])
            truth, wrong = codes
            agree, apart = truth == wrong, truth != wrong
            right = (labels == truth)[agree], rows[agree]
            codes = [labels[apart], truth[apart], wrong[apart]]
            yield (name,), right, Conflict(NATURAL, rows[apart], *codes)


def _answers(case: Case, own: Conflict, rng: np.random.Generator) -> Iterator[Trial]:
    some = np.sort(rng.permutation(len(own.rows))[:PERMUTED])
    rows, truth, wrong = own.rows[some], own.truth[some], own.wrong[some]
    agree = np.sort(rng.permutation(case.agree)[:PERMUTED])
    pool = np.concatenate([case.labels[agree], case.labels[rows], own.labels[some]])
    about = (MIXTURE,) if own.how == NATURAL else (*case.names, MIXTURE)
    for _ in range(PERMUTATIONS):
        labels = rng.permutation(pool)
        here, there = labels[: len(agree)], labels[len(agree) : len(agree) + len(rows)]
        yield (
            about,
            (here == case.truth[agree], agree),
            Conflict(own.how, rows, there, truth, wrong),
        )
