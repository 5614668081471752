"""What a search found: for programs, for a terminal, and as a page with pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from falsestruct.characterise import report
from falsestruct.statistics import Estimate

NONE = "none of these"
FLOOR = 0.9  # balanced accuracy that a rule must reach to be named
SURE = 0.85  # that its interval must lie above
WIDE = 0.95, 0.9  # or else: on probes of all kinds; and what its interval must lie above there
LEVEL = 0.05  # of the excess over every baseline, after Holm
LEFT_OUT = ("rule", "pictures", "ends")  # of the JSON
HEAVIEST = 5  # words or columns of a direction that are named


@dataclass(frozen=True)
class Foretold:
    """What a rule foretells on inputs that it has not seen.

    Attributes:
        decisions: Balanced accuracy on undecided probes.
        everywhere: On probes of all kinds; None if the network gives them one answer.
        flips: Share of the network's flips that the rule makes too, to the same class; None if
            none were found. Of those that last beyond the boundary: see `Flipped`.
    """

    decisions: Estimate
    flips: Estimate | None = None
    everywhere: Estimate | None = None

    def enough(self, classes: int) -> bool:
        """Whether so much is foretold that a rule may be named.

        Nine tenths of the undecided. Or nineteen twentieths of all, for a structure that the data
        show plainly is one that the data's own rules see too, and they leave undecided only where
        it is faint. In either case the other share must surely exceed the middle between chance and
        1: a rule that is right on undecided probes alone may be wrong on all others.

        Args:
            classes: Of the answers that the rule tells apart.
        """
        middle, (least, sure) = (1 / classes + 1) / 2, WIDE
        own, all_ = self.decisions, self.everywhere
        if all_ is None:
            return own.value >= FLOOR and own.low > SURE
        narrow = own.value >= FLOOR and own.low > SURE and all_.low > middle
        return narrow or (all_.value >= least and all_.low > sure and own.low > middle)


class Flipped(NamedTuple):
    """Flips of the network, one a group.

    Attributes:
        lasting: That the network still makes at blind.BEYOND times their size; the rules are judged
            on these. Of texts and tables, all.
        how: By which search.
        found: All of them.
        queries: Inputs that the search for them asked about.
    """

    lasting: int
    how: str
    found: int
    queries: int


@dataclass(frozen=True)
class Finalist:
    """A rule that was judged.

    Attributes:
        rank: From 1; ties share it.
        family: One of `candidates.FAMILIES`.
        answer: The class that it tells from the rest, or None: it tells all classes apart.
        terms: What it looks at, the heaviest first; of directions in texts and tables the words or
            columns with the largest weights, and their signs.
        features: Numbers of an input that it reads.
        excess: Over `over`, the baseline that comes next to it, in balanced accuracy, paired.
        excess_flips: Of the share of flips over the baseline that makes most of them, paired.
        p: That it is no better than one of the baselines, at most; after Holm over the finalists.
        enough: Whether it foretells enough to be named.
        named: Whether it may be named.
        pictures: Its directions in the shape of an input; of texts and tables (coordinates,).
    """

    rank: int
    name: str
    family: str
    answer: Any
    terms: tuple[str, ...]
    features: int
    foretold: Foretold
    excess: Estimate
    over: str
    excess_flips: Estimate | None
    p: float
    enough: bool
    named: bool
    pictures: tuple[np.ndarray, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Found:
    """What the search found.

    Attributes:
        verdict: The name of a rule, or "none of these".
        sentence: The same for a person.
        ranked: The finalists, best first.
        foretold, excess: Of the named rule, else of the first finalist; None if there is none.
        baselines: What other rules foretell, fitted as that one was, by name.
        success: Share of the given inputs on which the network gives y, balanced over the labels.
        rule: The named rule: a batch, as you hold it, to classes; or to true and false, whether
            the network answers `answer`, if the rule tells one class from the rest. None if
            nothing is named.
        answer: That class.
        undecided: Share of the probes on which the data's own rules disagree.
        forced: These were too few, or had too few different answers: all probes were taken.
        probes, clusters: That were taken, and pairs they were made from, in either half.
        queries: Inputs that the network was asked about.
        flips: How many were found, and how.
        warnings: What else a reader should know.
    """

    verdict: str
    sentence: str
    ranked: tuple[Finalist, ...]
    foretold: Foretold | None
    baselines: dict[str, Foretold]
    excess: Estimate | None
    success: Estimate
    rule: Callable[[Any], np.ndarray] | None
    answer: Any
    undecided: float
    forced: bool
    probes: tuple[int, int]
    clusters: tuple[int, int]
    queries: int
    flips: Flipped
    warnings: tuple[str, ...]

    def to_json(self) -> str:
        """One line of JSON, without the rule, the pictures and the ends of intervals."""
        told = asdict(self, dict_factory=_kept) | {"flips": self.flips._asdict()}
        return json.dumps(report.plain(told), ensure_ascii=False, allow_nan=False)

    def to_text(self) -> str:
        """For a terminal or a log."""
        return report.as_text(report.of_found(self))

    def to_html(self) -> str:
        """One page with pictures, complete in itself."""
        return report.as_html(report.of_found(self))


def _kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if name not in LEFT_OUT}


def heaviest(vector: np.ndarray, names: Sequence[str]) -> str:
    """The names of the largest weights of a direction (coordinates,), with their signs."""
    order = np.argsort(-np.abs(vector), kind="stable")[:HEAVIEST]
    return ", ".join(f"{'+' if vector[i] > 0 else '−'} {names[i]}" for i in order if vector[i])


def sentence(
    success: Estimate, best: Finalist | None, ties: Sequence[str], *, learnt: bool, which: str,
    unit: str = "inputs",
) -> str:  # fmt: skip
    """The verdict for a person.

    Args:
        best: The rule that is named, or that comes first.
        ties: Names of rules that are less simple, and did better by no more than chance.
        which: The probes, in words.
        unit: Of `success`: inputs, or groups of them.
    """
    right = f"It gives y on {_part(success)} of {success.n} {unit}, balanced over the labels"
    if not learnt:
        return f"{right}: it has not learnt them, so that there is nothing to name."
    if best is None:
        return f"{right}; its answers to probes hardly vary, so that there is nothing to read."
    about = "which class it answers" if best.answer is None else f"whether it answers {best.answer}"
    everywhere = best.foretold.everywhere
    wide = f" and {_part(everywhere)} of all kinds of probes" if everywhere is not None else ""
    told = (
        f"{best.name} foretells {about} on {_part(best.foretold.decisions)} of the {which}{wide}, "
        f"{100 * best.excess.value:.3g} points "
        f"[{100 * best.excess.low:.3g}, {100 * best.excess.high:.3g}] more than {best.over}"
    )
    if best.named:
        also = f"; as well as, within chance: {', '.join(ties)}" if ties else ""
        return f"{right}; {told}{also}."
    why = "No rule explains it"
    if best.enough or best.foretold.decisions.value >= FLOOR:
        why = "No rule says more than its baselines do"
        if not best.enough and best.p <= LEVEL:
            why = f"No rule surely says more than {SURE:.0%} of its answers"
    return f"{right}. {why}; the best of them: {told}."


def _part(own: Estimate) -> str:
    return f"{100 * own.value:.3g} % [{100 * own.low:.3g}, {100 * own.high:.3g}]"
