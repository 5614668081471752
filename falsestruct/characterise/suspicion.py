"""Your network, your data, your suspicion: which of two structures does a classifier follow?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from falsestruct.characterise import smallest, suspected
from falsestruct.characterise.asking import Inputs, Network, inputs, network
from falsestruct.characterise.audit import AuditError
from falsestruct.characterise.held import identical
from falsestruct.characterise.interventions import SHOWN, Change, Changed, Intervene
from falsestruct.characterise.smallest import Smallest
from falsestruct.characterise.stages import Stages
from falsestruct.characterise.suspected import Given, Structure, coded
from falsestruct.characterise.verdicts import ENOUGH, Counts, Design, Share

CHANGED = 5000  # inputs that are changed, or permuted, at most
PERMUTATIONS = 20
NATURAL = "natural conflict"
VERDICTS = ("mixture", "undecided", "none")  # beside the structures' names
Attributes = Mapping[str, Any] | pd.DataFrame | None


@dataclass(frozen=True)
class Instability:
    """How easily an answer flips, where both structures say the same.

    Attributes:
        along_false: Share of inputs whose answer flips when the false structure changes and the
            original stays; None if it can't be changed.
        along_original: The reverse.
        smallest: The smallest changes found that flip an answer.
    """

    along_false: Share | None
    along_original: Share | None
    smallest: Smallest


@dataclass(frozen=True)
class Check:
    """A control: what should hold if the verdict is to be believed."""

    name: str
    passed: bool
    told: str


@dataclass(frozen=True)
class Example:
    """One conflict input, and what the structures and the network say about it."""

    shown: Inputs
    original: Any
    false: Any
    answer: Any


@dataclass(frozen=True)
class Suspicion:
    """What `audit` found.

    Attributes:
        verdict: A structure's name, "mixture", "undecided" or "none".
        sentence: The same for a person.
        captures: Where the structures disagree, the shares of the original, of the false structure
            and of neither.
        success: Share right where they say the same.
        instability: How easily its answers flip.
        needed: How many clusters of conflict inputs would decide, if it is undecided; None if no
            number would.
        how: Where the conflict inputs come from.
        checks, warnings: What else to know before it is believed.
        classes: The labels, in the order of the codes.
        queries: Inputs on which the network was asked.
        examples: Some conflict inputs; not in the JSON.
    """

    verdict: str
    sentence: str
    captures: tuple[Share, ...]
    success: Share
    instability: Instability
    needed: int | None
    how: str
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    classes: tuple[Any, ...]
    queries: int
    examples: tuple[Example, ...] = field(default=(), repr=False, compare=False)

    def to_json(self) -> str:
        """One line of JSON; what was not found is null."""
        from falsestruct.characterise import report

        found = report.plain(self)
        del found["examples"]
        return json.dumps(found, ensure_ascii=False, allow_nan=False)

    def to_text(self) -> str:
        """For a terminal."""
        from falsestruct.characterise import report

        return report.as_text(report.of_suspicion(self))

    def to_html(self) -> str:
        """One page that needs nothing else, with pictures."""
        from falsestruct.characterise import report

        return report.as_html(report.of_suspicion(self))


def audit(  # noqa: PLR0913 the options are the reader's
    predict: Any,
    x: Any,
    *,
    original: Given,
    false: Given,
    intervene: Intervene | None = None,
    attributes: Attributes = None,
    groups: Any = None,
    threshold: float | None = None,
    classes: Sequence[Any] | None = None,
    points: int = 20,
    seed: int = 0,
    progress: bool = False,
) -> Suspicion:
    """Does a classifier follow the structure that it should, or the one that you suspect?

    It is asked about x. Where the structures disagree, the *conflict set*, its answers say which
    one it follows; where they agree, how well it does. If fewer than 20 different inputs (or
    groups) are in conflict, the false structure is changed where both agree, by `intervene`.

    Args:
        predict: The classifier; see `asking.network`.
        x: Inputs that it was not trained on: an array or tensor (n, …), a list of images or of
            texts, a DataFrame.
        original, false: What the answer should depend on, and what you suspect: a function of a
            batch to labels, n labels, or the name of a column of x or of `attributes`. None and
            NaN: it says nothing. Values of `false` that are no classes stand for the class that
            the original most often has with them.
        intervene: "exchange", "randomise" (of a column of the table x; "exchange" is what is done
            if there is one and nothing is given) or a function (x, structure, value, rng) → x,
            which gives all inputs of a batch this value of the structure of that name.
        attributes: More columns, n values each.
        groups: Names (n,), or a column: inputs of one source count as one.
        threshold, classes: As `asking.network` has them.
        points: Inputs for which the smallest flip is searched: some hundred questions each, of a
            PyTorch module a few.
        progress: Say on stderr what is being asked.

    Raises:
        AuditError: It can't be audited; the text is one line that says why and what to do.
    """
    if points < 0:
        raise AuditError(f"points is {points}; expected at least 0")
    held = inputs(x)
    asked = network(predict, threshold=threshold, classes=classes)
    pair = _pair(held, original, false, attributes)  # what can't be used is found before it asks
    design = _design(held, groups, attributes)
    if intervene is not None:
        Change(held, pair[1], pair[0], intervene).check()
    with Stages(asked, progress) as stages:
        stages.start("asking about x, and again", total=len(held))
        case = _case(asked, held, pair, design)
        stages.start("changing one structure")
        changes = _changes(case, intervene, seed)
        stages.start("searching for the smallest flips")
        least = smallest.smallest(asked, held, _points(case, points, seed), seed=seed)
    return _report(case, changes, least, seed)


# ---- what was asked ----


@dataclass(frozen=True)
class _Case:
    """Answers and structures as codes (n,)."""

    asked: Network
    x: Inputs
    original: Structure
    false: Structure
    labels: np.ndarray
    truth: np.ndarray
    wrong: np.ndarray
    design: Design
    told: tuple[str, ...]

    @property
    def classes(self) -> tuple[Any, ...]:
        """They grow if a changed input gets an answer that no other has."""
        return self.asked.classes

    @cached_property
    def both(self) -> np.ndarray:
        """Where there is an answer, and both structures say something."""
        return (self.truth >= 0) & (self.wrong >= 0) & (self.labels >= 0)

    @cached_property
    def agree(self) -> np.ndarray:
        return np.flatnonzero(self.both & (self.truth == self.wrong))

    @cached_property
    def apart(self) -> np.ndarray:
        return np.flatnonzero(self.both & (self.truth != self.wrong))

    @cached_property
    def constant(self) -> bool:
        answered = self.labels[self.labels >= 0]
        return bool((answered == answered[0]).all())


def _pair(
    x: Inputs, original: Given, false: Given, attributes: Attributes
) -> tuple[Structure, Structure]:
    """The structures, under names that differ from each other and from a verdict."""
    first = suspected.structure(original, "original", x, attributes)
    second = suspected.structure(false, "false", x, attributes)
    if first.name == second.name or {first.name, second.name} & set(VERDICTS):
        first = replace(first, name=f"{first.name} (original)")
        second = replace(second, name=f"{second.name} (false)")
    return first, second


def _design(x: Inputs, groups: Any, attributes: Attributes) -> Design:
    if groups is None:
        return Design(identical(x), grouped=False)
    names = suspected.column(groups, x, attributes, "groups")
    if any(name is None for name in names):
        raise AuditError("groups has missing values; expected a name for each input")
    return Design(np.asarray(pd.factorize(names)[0]), grouped=True)


def _case(asked: Network, x: Inputs, pair: tuple[Structure, Structure], design: Design) -> _Case:
    labels, (original, false) = asked.checked(x), pair
    classes, known = suspected.original_codes(original, asked.classes, fixed=asked.closed)
    asked.know(classes)
    truth = coded(original.values, known)
    table, told = suspected.false_codes(false, truth, known)
    wrong = coded(false.values, table)
    case = _Case(asked, x, original, false, labels, truth, wrong, design, told)
    _usable(case)
    return case


def _usable(case: _Case) -> None:
    if not len(case.agree):
        raise AuditError(
            f"{case.original.name} and {case.false.name} agree on no input that was answered; "
            "hand over some on which they agree, too: they say whether it has learnt anything"
        )
    if case.design.grouped and case.design.count(case.agree) < 2:
        raise AuditError("groups has one group where the structures agree; expected at least two")


def _points(case: _Case, points: int, seed: int) -> np.ndarray:
    if case.constant:
        return np.empty(0, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).permutation(case.agree)[:points])


# ---- changes ----


@dataclass(frozen=True)
class _Changes:
    """The false structure changed, and the original; None if that can't be done."""

    how: str
    false: Changed | None
    original: Changed | None
    told: tuple[str, ...]


def _changes(case: _Case, intervene: Intervene | None, seed: int) -> _Changes:
    how = intervene
    if how is None and case.false.column not in (None, case.original.column):
        how = "exchange"
    if how is None:
        return _Changes("", None, None, ())
    natural = case.design.count(case.apart) >= ENOUGH
    word = "your intervention on" if callable(how) else f"{how} of"
    forward = Change(case.x, case.false, case.original, how)
    rows, told = _sources(case, seed), list[str]()
    truth = case.truth[rows]
    made: list[Changed | None] = []
    wanted = [(forward, case.wrong)]
    if case.original.readable:  # else nothing says whether it changed
        wanted.append((Change(case.x, case.original, case.false, how), case.truth))
    for change, codes in wanted:
        try:
            made.append(change.ask(case.asked, rows, codes, truth, seed=seed))
        except AuditError as error:
            if change is forward and intervene is not None and not natural:
                raise
            if change is forward or callable(how):
                told.append(f"{change.structure.name} was not changed: {error}.")
            made.append(None)
    false, original = [*made, None][:2]
    return _Changes(f"{word} {case.false.name}", false, original, (*told, *_dropped(made)))


def _sources(case: _Case, seed: int) -> np.ndarray:
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


def _flips(case: _Case, changed: Changed | None, codes: np.ndarray, name: str) -> Share | None:
    """Share of changed inputs whose answer is another one."""
    if changed is None:
        return None
    after = codes[changed.donors]
    used = (changed.labels >= 0) & (after >= 0) & (codes[changed.rows] != after)
    rows = changed.rows[used]
    return case.design.share(name, changed.labels[used] != case.labels[rows], rows)


# ---- the conflict set ----


@dataclass(frozen=True)
class _Conflict:
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
        first, second = self.labels == self.truth, self.labels == self.wrong
        return first, second, ~first & ~second


def _conflict(case: _Case, changes: _Changes) -> _Conflict:
    rows, made = case.apart, changes.false
    if made is None or case.design.count(rows) >= ENOUGH:
        places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SHOWN)).astype(int))
        shown = case.x.take(rows[places]) if len(rows) else None
        codes = case.labels[rows], case.truth[rows], case.wrong[rows]
        return _Conflict(NATURAL, rows, *codes, shown, places)
    truth, wrong = case.truth[made.rows], case.wrong[made.donors]
    used = (made.labels >= 0) & (wrong >= 0) & (truth != wrong)
    shown = _joined(made.shown)
    seen = used[made.places]
    shown = shown.take(np.flatnonzero(seen)) if shown is not None and seen.any() else None
    places = (np.cumsum(used) - 1)[made.places[seen]]
    codes = made.labels[used], truth[used], wrong[used]
    return _Conflict(changes.how, made.rows[used], *codes, shown, places)


def _joined(parts: Sequence[Inputs]) -> Inputs | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    if parts[0].kind == "table":
        return Inputs("table", pd.concat([part.frame() for part in parts]))
    return Inputs(parts[0].kind, [one for part in parts for one in part.held])


# ---- the report ----


def _report(case: _Case, changes: _Changes, least: Smallest, seed: int) -> Suspicion:
    conflict, design = _conflict(case, changes), case.design
    names = case.original.name, case.false.name
    right = case.labels[case.agree] == case.truth[case.agree]
    counts = _counts(design, names, (right, case.agree), conflict)
    sides = conflict.sides()
    captures = tuple(
        design.share(name, side, conflict.rows)
        for name, side in zip((*names, "neither"), sides, strict=True)
    )
    verdict = "none" if case.constant else counts.verdict()
    needed = None if case.constant else counts.needed()
    success = design.share("both", right, case.agree)
    return Suspicion(
        verdict,
        _sentence(case, verdict, success, captures, conflict.how, needed),
        captures,
        success,
        Instability(
            _flips(case, changes.false, case.wrong, case.false.name),
            _flips(case, changes.original, case.truth, case.original.name),
            least,
        ),
        needed,
        conflict.how,
        _checks(case, conflict, seed),
        (*case.told, *changes.told, *_warnings(case, conflict, changes), *least.told),
        case.classes,
        case.asked.queries,
        _examples(case, conflict),
    )


def _counts(
    design: Design,
    names: tuple[str, str],
    right: tuple[np.ndarray, np.ndarray],
    conflict: _Conflict,
) -> Counts:
    success = design.estimate(*right)
    assert success is not None  # _usable
    first, second, neither = (design.estimate(side, conflict.rows) for side in conflict.sides())
    if first is None or second is None or neither is None:
        return Counts(names, success, None)
    return Counts(names, success, (first, second, neither))


def _sentence(
    case: _Case, verdict: str, success: Share, captures: tuple[Share, ...], how: str,
    needed: int | None,
) -> str:  # fmt: skip
    first, second, neither = captures
    original, false = case.original.name, case.false.name
    right = (
        f"It is right on {part(success)} of {_units(case, success)} on which {original} and "
        f"{false} agree"
    )
    if case.constant:
        answer = case.classes[case.labels[case.labels >= 0][0]]
        return f"It answers {answer} to every input: it follows neither {original} nor {false}."
    if first.n == 0:
        more = "" if needed is None else f"; about {needed} that do would decide"
        return f"{right}. No input has them disagree, so nothing says which one it follows{more}."
    where = "where they disagree" if how == NATURAL else f"where {how} makes them disagree"
    told = (
        f"{where}, it follows {original} on {part(first)} and {false} on "
        f"{part(second)} of {_units(case, first)}"
    )
    told += f", and neither on {part(neither)}" if neither.share else ""
    if verdict == "none":
        return f"{right}; {told}: it follows neither."
    if verdict == "mixture":
        return f"{right}, and is a mixture: {told}."
    if verdict == "undecided":
        more = "" if needed is None else f"; about {needed} such inputs would decide"
        more = more.replace("inputs", "groups") if case.design.grouped else more
        return f"{right}; {told}: that does not decide what it follows{more}."
    return f"{right}, and follows {verdict}: {told}."


def part(own: Share) -> str:
    """A share in percent, with its interval."""
    return f"{100 * (own.share or 0):.3g} % [{100 * own.low:.3g}, {100 * own.high:.3g}]"


def _units(case: _Case, own: Share) -> str:
    if case.design.grouped:
        return f"{own.n} groups ({own.inputs} inputs)"
    return f"{own.n} different inputs" if own.n < own.inputs else f"{own.n} inputs"


def _checks(case: _Case, conflict: _Conflict, seed: int) -> tuple[Check, ...]:
    answers = len(np.unique(case.labels[case.labels >= 0]))
    changed = case.asked.changed
    said = ", ".join(f"{count} {how}" for how, count in changed.items())
    named = _named_permuted(case, seed)
    same = len(conflict.rows) > 0 and len(np.unique(conflict.labels)) == 1
    return (
        Check("its answers differ", answers > 1, f"{answers} different answers to x"),
        Check(
            "it answers the same again",
            not any(changed.values()),
            f"of {case.asked.rechecked} inputs, other answers: {said}",
        ),
        Check(
            "a false structure at random is not named",
            named == 0,
            f"{case.false.name} permuted among inputs: named in {named} of {PERMUTATIONS}",
        ),
        Check(
            "its answers differ where the structures disagree",
            len(conflict.rows) > 0 and not same,
            f"{len(np.unique(conflict.labels))} different answers there",
        ),
    )


def _named_permuted(case: _Case, seed: int) -> int:
    """How often the rule of the verdict names a false structure that is permuted among inputs."""
    if case.constant:
        return 0
    rng, names = np.random.default_rng(seed), (case.original.name, case.false.name)
    rows = np.sort(rng.permutation(np.flatnonzero(case.both))[:CHANGED])
    labels, truth, named = case.labels[rows], case.truth[rows], 0
    for _ in range(PERMUTATIONS):
        wrong = rng.permutation(case.wrong[rows])
        agree, apart = truth == wrong, truth != wrong
        right = (labels == truth)[agree], rows[agree]
        if case.design.estimate(*right) is None:
            continue
        conflict = _Conflict("", rows[apart], labels[apart], truth[apart], wrong[apart])
        named += _counts(case.design, names, right, conflict).verdict() == case.false.name
    return named


def _warnings(case: _Case, conflict: _Conflict, changes: _Changes) -> tuple[str, ...]:
    told = [f"{count} inputs without an answer, left out: {reason}."
            for reason, count in case.asked.failed.items()]  # fmt: skip
    told += [f"{note}." for note in case.asked.notes]
    n, different = len(case.x), len(np.unique(case.design.clusters))
    if not case.design.grouped and different < n:
        told.append(f"x has {different} different inputs among {n}; each counts once.")
    undefined = int(((case.truth < 0) | (case.wrong < 0)).sum())
    if undefined:
        told.append(f"A structure says nothing about {undefined} of {n} inputs.")
    made = changes.false is not None
    hidden = [s.name for s in (case.original, case.false) if not s.readable] if made else []
    if hidden:
        told.append(
            f"The change could not be verified for {' and '.join(hidden)}: given as labels, not as "
            "a function."
        )
    if len(conflict.rows) and len(np.unique(conflict.truth)) == 1:
        only = case.classes[conflict.truth[0]]
        told.append(
            f"Where the structures disagree, {case.original.name} always says {only}: a bias "
            "towards another answer would look the same as the false structure."
        )
    elif len(conflict.rows) and len(np.unique(conflict.labels)) == 1 and not case.constant:
        told.append(
            f"It answers {case.classes[conflict.labels[0]]} to every conflict input: perhaps it "
            "needs both structures, perhaps such inputs are strange to it."
        )
    agreement = len(case.agree) / max(1, len(case.agree) + len(case.apart))
    if agreement < 0.5 and not case.told and len(set(case.wrong[case.wrong >= 0])) == 2:
        told.append(
            f"{case.false.name} agrees with {case.original.name} on {100 * agreement:.0f} % of x "
            "only: does it mean the reverse?"
        )
    return tuple(told)


def _examples(case: _Case, conflict: _Conflict) -> tuple[Example, ...]:
    if conflict.shown is None:
        return ()
    said = [[case.classes[code] for code in codes[conflict.places]]
            for codes in (conflict.truth, conflict.wrong, conflict.labels)]  # fmt: skip
    return tuple(
        Example(conflict.shown.take(np.array([i])), *labels)
        for i, labels in enumerate(zip(*said, strict=True))
    )
