"""What explains the decisions of a network, where nobody has a suspicion?

The data force many decisions: any sensible rule gives the label. So the search asks about probes
that they leave undecided (`ground`). It fits rules of three tiers to one half of them
(`candidates`), and judges at most FINALISTS of them on the other half, made from other inputs. A
rule is named if it foretells nine tenths of the network's answers, and more than every baseline. No
rule is told what was planted, and "none of these" is an answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np

from falsestruct import statistics
from falsestruct.characterise import asking, candidates, directions
from falsestruct.characterise import flips as flipping
from falsestruct.characterise.candidates import Candidate, Half, Rule
from falsestruct.characterise.ground import Data, Ground, Part, ground, often, usual
from falsestruct.characterise.readings import by_cluster
from falsestruct.characterise.stages import Stages
from falsestruct.statistics import Estimate

NONE = "none of these"
FLOOR = 0.9  # balanced accuracy that a rule must reach to be named
LEVEL = 0.05  # of the excess over every baseline, after Holm
FINALISTS = 5
FITTED = 2 / 3  # of the first half's clusters: rules are fitted; the others choose
POINTS = 60  # inputs whose flips are searched for
BEYOND = 1.5  # flips are followed to this multiple of their size
FLIPS = 0.2  # of the queries, for a black box


@dataclass(frozen=True)
class Foretold:
    """What a rule foretells on inputs that it has not seen.

    Attributes:
        decisions: Balanced accuracy on undecided probes.
        flips: Share of the network's flips that the rule makes too, to the same class; None if
            none were found.
    """

    decisions: Estimate
    flips: Estimate | None = None


@dataclass(frozen=True)
class Finalist:
    """A rule that was judged.

    Attributes:
        rank: From 1; ties share it.
        family: One of `candidates.FAMILIES`.
        answer: The class that it tells from the rest, or None: it tells all classes apart.
        terms: What it looks at, the heaviest first.
        features: Numbers of an input that it reads.
        excess: Over `over`, the baseline that comes next to it, in balanced accuracy, paired.
        p: That it is no better than one of the baselines, at most; after Holm over the finalists.
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
    p: float
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
        success: Share of the given inputs on which the network gives y.
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
    flips: tuple[int, str]
    warnings: tuple[str, ...]

    def to_json(self) -> str:
        """One line of JSON, without the rule, the pictures and the ends of intervals."""
        return json.dumps(_plain(self), ensure_ascii=False, allow_nan=False)


def search(  # noqa: PLR0913 the options are the reader's
    predict: Any, x: Any, y: Any, *, groups: Any = None, threshold: float | None = None,
    classes: Sequence[Any] | None = None, queries: int = 20_000, seed: int = 0,
    progress: bool = False,
) -> Found:  # fmt: skip
    """What explains the decisions of a network where the data don't force them?

    Three tiers of rules: named statistics and sums of two; learned directions, with their squares
    or without, or one of them a switch; sparse sums of steps of both. A rule is named if

    1. the network has learnt the labels: the interval of its success lies above the middle between
       chance and 1;
    2. the rule foretells at least .9 of the answers to undecided probes of the second half,
       balanced over the answers;
    3. and more than every baseline: class means and as many random directions, read as the rule is,
       and nearest neighbours among the answered probes. The p-value is that of the least excess,
       paired, over pairs of inputs; at most .05 after Holm over the finalists.

    Of rules that tie with the best of these, the simplest.

    Args:
        predict, threshold, classes: As for `asking.network`.
        x: Inputs as you hold them, or `asking.inputs(x, kind="sequences")`.
        y: Their labels, (n,).
        groups: What shares a source, (n,), as the patient of an image; else each is its own.
        queries: How many inputs the network may be asked about, roughly.
        progress: Say on standard error what is being done.

    Raises:
        AuditError: One line that says what can't be used and what to do.
    """
    data = Data.of(asking.inputs(x), y, groups)
    if queries < 1000:
        raise asking.AuditError(f"queries is {queries}; expected at least 1000")
    network = asking.network(predict, threshold=threshold, classes=classes)
    with Stages(network, progress) as stages:
        stages.start("asking about data and probes")
        own = ground(network, data, queries, seed)
        judged = _judged(own, seed, stages.start)
        stages.start("searching for flips")
        found, judged = _flipped(own, judged, queries, seed)
    return _report(own, judged, found)


# ---- fitting and judging ----


@dataclass(frozen=True)
class _Task:
    """One question: which of the classes, or this class or another?

    Attributes:
        answer: That class as a code, or None.
        codes: Of either half, 0 … classes − 1.
    """

    answer: int | None
    codes: tuple[np.ndarray, np.ndarray]
    classes: int


@dataclass(frozen=True)
class _Judged:
    """A finalist and its baselines, fitted to the first half.

    Attributes:
        right: Whether each rule gives the network's answer, on the second half; "" is the finalist.
        flips: Whether it makes the network's flips.
    """

    task: _Task
    candidate: Candidate
    rules: dict[str, Rule]
    right: dict[str, np.ndarray]
    flips: dict[str, np.ndarray] = field(default_factory=dict)


def _tasks(own: Ground) -> list[_Task]:
    """All classes at once, if each is answered often enough; and, of many, each against the rest.

    Classes that are never answered to undecided probes don't count.
    """
    parts = own.first, own.second
    seen = np.unique(np.concatenate([part.answers for part in parts]))
    common = usual(parts)
    found = []
    if len(common) == len(seen) >= 2:
        codes = [np.searchsorted(common, part.answers) for part in parts]
        found.append(_Task(None, (codes[0], codes[1]), len(common)))
    if len(seen) > 2:
        for label in common:
            if often(parts, seen[seen != label]):
                ones = [(part.answers == label).astype(np.int64) for part in parts]
                found.append(_Task(label, (ones[0], ones[1]), 2))
    return found


def _judged(own: Ground, seed: int, say: Callable[[str], None]) -> list[_Judged]:
    """The finalists of all tasks: the best of their families, by the part that chooses."""
    entries: list[tuple[float, int, _Task, Half, Candidate]] = []
    for task in _tasks(own):
        about = "" if task.answer is None else f" for {own.network.classes[task.answer]}"
        say(f"fitting rules{about}")
        half = _half(own.first, task, seed)
        if half is None:
            continue
        found = candidates.families(half, own.view.library.names, switch=task.answer is None)
        for candidate in found:
            score = _corrected(half.score(half.fitted(candidate)), task)
            entries.append((-score, len(entries), task, half, candidate))
    entries.sort(key=lambda entry: entry[:2])
    known: dict[Any, Rule] = {}
    judged = []
    for _, _, task, half, candidate in entries[:FINALISTS]:
        others = _baselines(own, half, candidate, seed, known)
        rules = {"": half.refitted(candidate), **others}
        said = {name: rule.predict(own.second.look) for name, rule in rules.items()}
        right = {name: answer == task.codes[1] for name, answer in said.items()}
        judged.append(_Judged(task, candidate, rules, right))
    return judged


def _baselines(
    own: Ground, half: Half, candidate: Candidate, seed: int, known: dict[Any, Rule]
) -> dict[str, Rule]:
    """By name, fitted to the first half; `known` are those of other candidates of the tasks."""
    way, count = candidate.way, candidate.features
    makers: dict[tuple[Any, ...], Callable[[], Candidate]] = {
        ("class means",): lambda: candidates.class_means(own.view.means),
        ("distilled nearest neighbour",): lambda: candidates.neighbours(half),
        ("random directions", count, way): lambda: candidates.at_random(
            half, count, way, seed=seed + 2
        ),
    }
    for key, make in makers.items():
        if (id(half), key) not in known:
            known[id(half), key] = half.refitted(make())
    return {str(key[0]): known[id(half), key] for key in makers}


def _corrected(value: float, task: _Task) -> float:
    """Balanced accuracy on a scale on which chance is 0 and all is 1."""
    return (value - 1 / task.classes) / (1 - 1 / task.classes)


def _half(part: Part, task: _Task, seed: int) -> Half | None:
    """The first half, cut by clusters; None if a label is missing from a part.

    Rules are fitted to all probes, and undecided ones choose.
    """
    names = np.unique(part.probes.cluster)
    order = np.random.default_rng(seed + 1).permutation(names)
    fit = np.isin(part.probes.cluster, order[: round(FITTED * len(names))])
    choose, codes = ~fit & part.undecided, task.codes[0]
    if min(len(np.unique(codes[fit])), len(np.unique(codes[choose]))) < task.classes:
        return None
    rows = np.flatnonzero(fit), np.flatnonzero(choose)
    return Half(part.look, codes, task.classes, part.probes.cluster, *rows)


# ---- flips ----


def _flipped(
    own: Ground, judged: list[_Judged], queries: int, seed: int
) -> tuple[flipping.Flips | None, list[_Judged]]:
    """The network's flips of inputs of the second half, and which rules make them too.

    A flip is followed on, to BEYOND times its size, and counts if the network's answer is still the
    new one: on the boundary itself every rule but the network is a coin.
    """
    if not judged:
        return None, judged
    rng = np.random.default_rng(seed + 3)
    cost = flipping.PIECES if own.data.x.kind in ("texts", "table") else flipping.COST
    cost = 1 if own.first.look.slopes is not None else cost
    points = min(POINTS, max(5, int(FLIPS * queries) // cost))
    rows = rng.permutation(own.rows)
    rows = rows[np.sort(np.unique(own.data.groups[rows], return_index=True)[1])]  # one a group
    rows = rows[:points]
    found = flipping.flips(own.network, own.data.x, np.sort(rows), seed=seed)
    found = flipping.beyond(own.network, own.data.x, found, BEYOND)
    if not len(found.rows):
        return found, judged
    looks = own.view(own.data.x.take(found.rows)), own.view(found.x)
    return found, [_agreeing(one, looks, found, own) for one in judged]


def _agreeing(one: _Judged, looks: Any, found: flipping.Flips, own: Ground) -> _Judged:
    """Whether each rule says what the network says before the flip, and after it."""
    usual = np.unique(own.second.answers) if one.task.answer is None else None

    def coded(labels: np.ndarray) -> np.ndarray:
        if usual is None:
            return (labels == one.task.answer).astype(np.int64)
        place = np.searchsorted(usual, labels).clip(max=len(usual) - 1)
        return np.where(usual[place] == labels, place, -1)

    before, after = coded(found.before), coded(found.after)
    counts = before != after  # one class against the rest: flips between others are none
    made = {
        name: ((rule.predict(looks[0]) == before) & (rule.predict(looks[1]) == after))[counts]
        for name, rule in one.rules.items()
    }
    return replace(one, flips=made)


# ---- the report ----


def _estimate(values: np.ndarray) -> Estimate:
    """Of numbers of clusters whose mean is a share: Student's t, inside of [0, 1]."""
    own = statistics.mean(values, resolution=1.0)
    ends = tuple((max(0.0, low), min(1.0, high)) for low, high in own.ends)
    return replace(own, low=max(0.0, own.low), high=min(1.0, own.high), ends=ends,
                   method=f"Student's t over {len(values)} pairs of inputs")  # fmt: skip


def _clustered(one: _Judged, gains: np.ndarray, own: Ground) -> np.ndarray:
    return by_cluster(gains.astype(float), one.task.codes[1], own.second.probes.cluster)


def _foretold(one: _Judged, own: Ground) -> dict[str, Foretold]:
    """By rule; "" is the finalist."""
    return {
        name: Foretold(
            _estimate(_clustered(one, right, own)),
            statistics.proportion(one.flips[name]) if len(one.flips.get(name, ())) else None,
        )
        for name, right in one.right.items()
    }


def _gap(values: np.ndarray, own: Ground) -> Estimate:
    """Mean over clusters of how much better one rule does than another.

    One probe is the smallest difference that two clusters can show.
    """
    return statistics.mean(values, resolution=len(values) / len(own.second.answers))


def _excess(one: _Judged, own: Ground) -> tuple[Estimate, str, float]:
    """The least excess over a baseline, that baseline, and the largest p-value of all of them."""
    found = {
        name: _gap(_clustered(one, one.right[""].astype(float) - right, own), own)
        for name, right in one.right.items()
        if name
    }
    p = max(statistics.alpha(value, lambda low, _: low > 0) or 0.0 for value in found.values())
    over = min(found, key=lambda name: found[name].value)
    return found[over], over, p


def _report(own: Ground, judged: list[_Judged], found: flipping.Flips | None) -> Found:
    learnt = own.success.low > (1 / len(own.data.values) + 1) / 2
    finalists = _finalists(own, judged, learnt)
    order = sorted(range(len(judged)), key=lambda i: (finalists[i].rank, i))
    passing = [i for i in order if finalists[i].named]
    best = _simplest(passing, finalists) if passing else (order[0] if order else None)
    name = finalists[best].name if passing and best is not None else NONE
    chosen = None if best is None else finalists[best]
    return Found(
        name,
        _sentence(own, chosen, learnt, bool(passing)),
        tuple(finalists[i] for i in order),
        None if chosen is None else chosen.foretold,
        {} if best is None else {k: v for k, v in _foretold(judged[best], own).items() if k},
        None if chosen is None else chosen.excess,
        own.success,
        _rule(own, judged[best]) if passing and best is not None else None,
        chosen.answer if passing and chosen else None,
        own.undecided,
        own.forced,
        (int(own.first.undecided.sum()), len(own.second.answers)),
        tuple(len(np.unique(part.probes.cluster)) for part in (own.first, own.second)),  # type: ignore[arg-type]
        own.network.queries,
        (0, "") if found is None else (len(found.rows), found.how),
        own.warnings,
    )


def _finalists(own: Ground, judged: list[_Judged], learnt: bool) -> list[Finalist]:
    excesses = [_excess(one, own) for one in judged]
    p = statistics.holm([value for _, _, value in excesses])
    ranks = _ranks(own, judged)
    return [
        Finalist(
            ranks[i], one.candidate.name, one.candidate.family,
            None if one.task.answer is None else own.network.classes[one.task.answer],
            one.rules[""].terms, one.candidate.features, told, excess, over, float(p[i]),
            bool(learnt and told.decisions.value >= FLOOR and p[i] <= LEVEL),
            _pictures(own, one.rules[""]),
        )
        for i, (one, (excess, over, _)) in enumerate(zip(judged, excesses, strict=True))
        for told in [_foretold(one, own)[""]]
    ]  # fmt: skip


def _pictures(own: Ground, rule: Rule) -> tuple[np.ndarray, ...]:
    """Directions in the inputs' own units, of length one."""
    coordinates = own.view.coordinates
    found = directions.unit(rule.vectors / coordinates.scale)
    return tuple(one.reshape(coordinates.shape) for one in found)


def _ranks(own: Ground, judged: list[_Judged]) -> list[int]:
    """By what they foretell, chance corrected; those that the best of a rank doesn't beat tie."""
    values = [_clustered(one, one.right[""], own) / (1 - 1 / one.task.classes) for one in judged]
    values = [v - 1 / (one.task.classes - 1) for v, one in zip(values, judged, strict=True)]
    ranks = [0] * len(judged)
    leader, rank = -1, 0
    for place, i in enumerate(sorted(range(len(judged)), key=lambda i: -values[i].mean()), 1):
        less = _gap(values[leader] - values[i], own) if place > 1 else None
        if less is None or less.low > 0:
            leader, rank = i, place
        ranks[i] = rank
    return ranks


def _simplest(passing: list[int], finalists: list[Finalist]) -> int:
    """Of those that tie with the first; then of all classes before one of them."""

    def complexity(i: int) -> tuple[int, int, bool]:
        own = finalists[i]
        return candidates.FAMILIES.index(own.family), own.features, own.answer is not None

    return min((i for i in passing if finalists[i].rank == finalists[passing[0]].rank),
               key=complexity)  # fmt: skip


def _rule(own: Ground, one: _Judged) -> Callable[[Any], np.ndarray]:
    """The rule on a batch as the user holds it."""
    kind, predict = own.data.x.kind, one.rules[""].predict
    classes = [own.network.classes[i] for i in np.unique(own.second.answers)]
    if one.task.answer is not None:
        classes = [False, True]

    def rule(x: Any) -> np.ndarray:
        codes = predict(own.view(asking.inputs(x, kind=kind)))
        return np.array(classes)[codes]

    return rule


def _sentence(own: Ground, best: Finalist | None, learnt: bool, named: bool) -> str:
    right = f"It gives y on {_part(own.success)} of {own.success.n} inputs"
    if not learnt:
        return f"{right}: it has not learnt them, so that there is nothing to name."
    if best is None:
        return f"{right}; its answers to probes hardly vary, so that there is nothing to read."
    about = "which class it answers" if best.answer is None else f"whether it answers {best.answer}"
    which = "probes" if own.forced else "probes that the data leave undecided"
    told = (
        f"{best.name} foretells {about} on {_part(best.foretold.decisions)} of the {which}, "
        f"{100 * best.excess.value:.3g} points "
        f"[{100 * best.excess.low:.3g}, {100 * best.excess.high:.3g}] more than {best.over}"
    )
    if named:
        return f"{right}; {told}."
    enough = best.foretold.decisions.value >= FLOOR
    why = "No rule says more than its baselines do" if enough else "No rule explains it"
    return f"{right}. {why}; the best of them: {told}."


def _part(own: Estimate) -> str:
    return f"{100 * own.value:.3g} % [{100 * own.low:.3g}, {100 * own.high:.3g}]"


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if is_dataclass(value) and not isinstance(value, type):
        left_out = ("rule", "pictures", "ends")
        return {own.name: _plain(getattr(value, own.name)) for own in fields(value)
                if own.name not in left_out}  # fmt: skip
    if isinstance(value, dict):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(own) for own in value]
    return value.item() if isinstance(value, np.generic) else value
