"""Your network, your data, your suspicion: which of two structures does a classifier follow?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from falsestruct.characterise import cases, conflicts, smallest, telling
from falsestruct.characterise.asking import Inputs, inputs, network
from falsestruct.characterise.audit import BEYOND, AuditError
from falsestruct.characterise.cases import Attributes, Case
from falsestruct.characterise.conflicts import Changes, Conflict
from falsestruct.characterise.controls import Check, controls
from falsestruct.characterise.interventions import Change, Intervene
from falsestruct.characterise.smallest import Smallest
from falsestruct.characterise.stages import Stages
from falsestruct.characterise.suspected import Given
from falsestruct.characterise.telling import Finding
from falsestruct.characterise.verdicts import Share


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
        needed: How many more clusters of conflict inputs would decide, if it is undecided; None if
            no number would, or something else is wanted, as the sentence says.
        needed_agreeing: How many more where the structures agree, if the success is what is unsure.
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
    needed_agreeing: int | None
    how: str
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    classes: tuple[Any, ...]
    queries: int
    examples: tuple[Example, ...] = field(default=(), repr=False, compare=False)

    def to_json(self) -> str:
        """One line of JSON; what was not found is null."""
        from falsestruct.characterise import report

        found = report.plain(self, left_out=("examples",))
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
    predict: Any, x: Any, *, original: Given, false: Given, intervene: Intervene | None = None,
    attributes: Attributes = None, groups: Any = None, threshold: float | None = None,
    classes: Sequence[Any] | None = None, batch: int | None = None, points: int = 20,
    seed: int = 0, progress: bool = False,
) -> Suspicion:  # fmt: skip
    """Does a classifier follow the structure that it should, or the one that you suspect?

    It is asked about x. Where the structures disagree, the *conflict set*, its answers say which
    one it follows; where they agree, how well it does. If fewer than 20 different inputs (or
    groups) are in conflict, or the original says the same about nearly all of them, the false
    structure is changed where both agree, by `intervene`.

    A structure is not named, and the sentence says why, if the same rule would name one at random,
    if a mere bias would look the same, or if the change flips answers, too, when it sets the value
    that is there. Nor is it a mixture if answers at random would look like one.

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
        threshold, classes, batch: As `asking.network` has them.
        points: Inputs for which the smallest flip is searched: some hundred questions each, of a
            PyTorch module a few.
        progress: Say on stderr what is being asked.

    Raises:
        AuditError: It can't be audited; the text is one line that says why and what to do.
    """
    if points < 0:
        raise AuditError(f"points is {points}; expected at least 0")
    held = inputs(x)
    asked = network(predict, threshold=threshold, classes=classes, batch=batch)
    pair = cases.pair(held, original, false, attributes)  # what can't be used is found before
    design = cases.design(held, groups, attributes)  # it is asked
    if intervene is not None:
        Change(held, pair[1], pair[0], intervene).check()
    with Stages(asked, progress) as stages:
        stages.start("asking about x, and again", total=len(held))
        case = cases.case(asked, held, pair, design)
        stages.start("changing one structure")
        changes = conflicts.changes(case, intervene, seed)
        stages.start("searching for the smallest flips")
        least = smallest.smallest(asked, held, _points(case, points, seed), seed=seed)
    return _report(case, changes, least, seed)


def _points(case: Case, points: int, seed: int) -> np.ndarray:
    if case.constant:
        return np.empty(0, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).permutation(case.agree)[:points])


def _report(case: Case, changes: Changes, least: Smallest, seed: int) -> Suspicion:
    conflict, design = conflicts.conflict(case, changes), case.design
    counted = conflicts.counts(design, case.names, (case.right, case.agree), conflict)
    assert counted is not None  # cases.case
    control = controls(case, conflict, conflicts.sham_flips(case, changes), seed)
    shares = "none" if case.constant else counted.verdict()
    learnt = counted.success.low > BEYOND and not case.constant and shares != "undecided"
    against = control.against(shares) if learnt else None
    verdict = shares if against is None else "undecided"
    success = design.share("both", case.right, case.agree)
    captures = tuple(
        design.share(name, side, conflict.rows)
        for name, side in zip((*case.names, "neither"), conflict.sides(), strict=True)
    )
    finding = Finding(verdict, success, captures, counted, against)
    return Suspicion(
        verdict,
        telling.sentence(case, finding, conflict.how),
        captures,
        success,
        Instability(
            conflicts.flips(case, changes.false, case.wrong, case.false.name),
            conflicts.flips(case, changes.original, case.truth, case.original.name),
            least,
        ),
        None if case.constant else counted.needed(),
        None if case.constant else counted.needed_agreeing(),
        conflict.how,
        control.checks(shares),
        (*case.told, *changes.told, *telling.warnings(case, conflict, changes), *least.told),
        case.classes,
        case.asked.queries,
        _examples(case, conflict),
    )


def _examples(case: Case, conflict: Conflict) -> tuple[Example, ...]:
    if conflict.shown is None:
        return ()
    said = [[case.classes[code] for code in codes[conflict.places]]
            for codes in (conflict.truth, conflict.wrong, conflict.labels)]  # fmt: skip
    return tuple(
        Example(conflict.shown.take(np.array([i])), *labels)
        for i, labels in enumerate(zip(*said, strict=True))
    )
