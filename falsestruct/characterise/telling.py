"""What an audit found, in a sentence; and what to know before it is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from falsestruct.characterise.cases import Case
from falsestruct.characterise.conflicts import NATURAL, Changes, Conflict
from falsestruct.characterise.verdicts import Counts, Share


@dataclass(frozen=True)
class Finding:
    """What the sentence says.

    Attributes:
        counted: Whether the success is settled, and how many more inputs would decide.
        against: Why the shares don't decide though they are clear; the end of a sentence.
    """

    verdict: str
    success: Share
    captures: tuple[Share, ...]
    counted: Counts
    against: str | None


def sentence(case: Case, found: Finding, how: str) -> str:
    """One sentence for a person."""
    first = found.captures[0]
    original, false = case.names
    right = (
        f"It is right on {part(found.success)} of {_units(case, found.success)} on which "
        f"{original} and {false} agree"
    )
    if case.constant:
        answer = case.classes[case.labels[case.labels >= 0][0]]
        return f"It answers {answer} to every input: it follows neither {original} nor {false}."
    if first.n == 0:
        more = _unsure(case, found.counted) or _wanted(case, found.counted.needed(), "that do")
        return f"{right}. No input has them disagree, so nothing says which one it follows{more}."
    told = _shares(case, found, how)
    if found.verdict == "none":
        return f"{right}; {told}: it follows neither."
    if found.verdict == "mixture":
        return f"{right}, and is a mixture: {told}."
    if found.verdict == "undecided":
        more = _unsure(case, found.counted) or _wanted(case, found.counted.needed(), "such")
        more = more if found.against is None else f"; {found.against}"
        return f"{right}; {told}: that does not decide what it follows{more}."
    return f"{right}, and follows {found.verdict}: {told}."


def _shares(case: Case, found: Finding, how: str) -> str:
    first, second, neither = found.captures
    original, false = case.names
    where = "where they disagree" if how == NATURAL else f"where {how} makes them disagree"
    told = (
        f"{where}, it follows {original} on {part(first)} and {false} on "
        f"{part(second)} of {_units(case, first)}"
    )
    return told + (f", and neither on {part(neither)}" if neither.share else "")


def _wanted(case: Case, needed: int | None, which: str) -> str:
    if needed is None:
        return ""
    what = "groups" if case.design.grouped else "inputs"
    told = f"{which} {what}" if which == "such" else f"{what} {which}"
    return f"; about {needed} more {told} would decide"


def _unsure(case: Case, counted: Counts) -> str:
    if not counted.unsure:
        return ""
    more, what = counted.needed_agreeing(), "groups" if case.design.grouped else "inputs"
    told = "" if more is None else f"; about {more} more there would say whether it has learnt them"
    return f"; it is too unsure where they agree ({counted.success.n} {what}){told}"


def part(own: Share) -> str:
    """A share in percent, with its interval."""
    return f"{100 * (own.share or 0):.3g} % [{100 * own.low:.3g}, {100 * own.high:.3g}]"


def _units(case: Case, own: Share) -> str:
    if case.design.grouped:
        return f"{own.n} groups ({own.inputs} inputs)"
    return f"{own.n} different inputs" if own.n < own.inputs else f"{own.n} inputs"


# ---- warnings ----


def warnings(case: Case, own: Conflict, made: Changes) -> tuple[str, ...]:
    """What else to know, a sentence each."""
    told = [f"{count} inputs without an answer, left out: {reason}."
            for reason, count in case.asked.failed.items()]  # fmt: skip
    told += [f"{note}." for note in case.asked.notes]
    n, different = len(case.x), len(np.unique(case.design.clusters))
    if not case.design.grouped and different < n:
        told.append(f"x has {different} different inputs among {n}; each counts once.")
    undefined = int(((case.truth < 0) | (case.wrong < 0)).sum())
    if undefined:
        told.append(f"A structure says nothing about {undefined} of {n} inputs.")
    hidden = [s.name for s in (case.original, case.false) if not s.readable]
    if made.false is not None and hidden:
        told.append(
            f"The change could not be verified for {' and '.join(hidden)}: given as labels, not as "
            "a function."
        )
    return (*told, *_odd(case, own))


def _odd(case: Case, own: Conflict) -> list[str]:
    """What looks as if something else was meant, or else followed."""
    told = []
    if len(own.rows) and len(np.unique(own.truth)) == 1:
        told.append(
            f"Where the structures disagree, {case.original.name} always says "
            f"{case.classes[own.truth[0]]}: a bias towards another answer would look the same as "
            "the false structure."
        )
    elif len(own.rows) and len(np.unique(own.labels)) == 1 and not case.constant:
        told.append(
            f"It answers {case.classes[own.labels[0]]} to every conflict input: perhaps it "
            "needs both structures, perhaps such inputs are strange to it."
        )
    agreement = len(case.agree) / max(1, len(case.agree) + len(case.apart))
    if agreement < 0.5 and not case.told and len(set(case.wrong[case.wrong >= 0])) == 2:
        told.append(
            f"{case.false.name} agrees with {case.original.name} on {100 * agreement:.0f} % of x "
            "only: does it mean the reverse?"
        )
    return told
