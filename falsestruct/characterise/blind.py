"""What explains the decisions of a network, where nobody has a suspicion?

The data force many decisions: any sensible rule gives the label. So the search asks about probes
that they leave undecided (`ground`). It fits rules of three tiers to one half of them
(`candidates`), and judges at most FINALISTS of them on the other half, made from other inputs. A
rule is named if it foretells nine tenths of the network's answers, and more than every baseline. No
rule is told what was planted, and "none of these" is an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from falsestruct import statistics
from falsestruct.characterise import asking, candidates, directions
from falsestruct.characterise import flips as flipping
from falsestruct.characterise.answered import Part, often, usual
from falsestruct.characterise.candidates import Candidate, Half, Look, Rule
from falsestruct.characterise.found import (
    LEVEL,
    NONE,
    Finalist,
    Flipped,
    Foretold,
    Found,
    heaviest,
    sentence,
)
from falsestruct.characterise.ground import FLIPS, Data, Ground, flipped, ground
from falsestruct.characterise.readings import by_cluster, estimated, rarest, share
from falsestruct.characterise.stages import Stages
from falsestruct.statistics import Estimate

__all__ = ["NONE", "Finalist", "Foretold", "Found", "search"]

FINALISTS = 5
CLASSES = 10  # the most frequent answers, that have rules of their own
BEYOND = 1.5  # flips are followed to this multiple of their size
CLOSE = 0.01  # of balanced accuracy: for less, nobody wants a rule that is less simple


def search(  # noqa: PLR0913 the options are the reader's
    predict: Any, x: Any, y: Any, *, groups: Any = None, threshold: float | None = None,
    classes: Sequence[Any] | None = None, queries: int = 20_000, batch: int | None = None,
    seed: int = 0, progress: bool = False,
) -> Found:  # fmt: skip
    """What explains the decisions of a network where the data don't force them?

    Three tiers of rules: named statistics and sums of two; learned directions, with their squares
    or without, or one of them a switch; sparse sums of steps of both. A rule is named if

    1. the network has learnt the labels: the interval of its success, balanced over them, lies
       above the middle between chance and 1;
    2. the rule foretells at least .9 of the answers to undecided probes of the second half,
       balanced over the answers, and surely .85; or, of probes of all kinds, .95 and surely .9,
       and of the undecided ones surely more than the middle between chance and 1;
    3. and more than every baseline. The p-value is that of the least excess, paired, over pairs of
       inputs; at most .05 after Holm over the finalists. A statistic, or a sum of two, is simpler
       than class means, which read all of an input: it need not foretell more than these, but not
       surely less. And where nothing foretells more than they do, class means themselves may be
       named.

    The baselines are class means and random directions, read as the rule is, and nearest neighbours
    among answers. There are as many random directions as the rule has, the best of as many sets as
    there were rules in its family (20 to 200). Class means have one number a class less one,
    whatever the rule has. The neighbours know as many answers as the first half has inputs, not all
    that were asked for: in few dimensions, the more a rule of neighbours knows the less there is to
    say beyond it.

    Of rules that tie with the best of these, or foretell .01 less, the simplest is named; of those
    that tie, the ones that did better by more are mentioned.

    Args:
        predict, threshold, classes, batch: As for `asking.network`.
        x: Inputs that the network was not trained on, as you hold them, or
            `asking.inputs(x, kind="sequences")`.
        y: Their labels, (n,).
        groups: What shares a source, (n,), as the patient of an image, or the name of a column;
            else each is its own.
        queries: How many inputs the network may be asked about, roughly. The flips and gradients of
            a PyTorch module come on top.
        progress: Say on standard error what is being done.

    Raises:
        AuditError: One line that says what can't be used and what to do.
    """
    data = Data.of(asking.inputs(x), y, groups)
    if queries < 1000:
        raise asking.AuditError(f"queries is {queries}; expected at least 1000")
    size = {} if batch is None else {"batch": batch}
    network = asking.network(predict, threshold=threshold, classes=classes, **size)
    with Stages(network, progress) as stages, _fits():
        stages.start("asking about data and probes")
        own = ground(network, data, queries, seed)
        judged = _judged(own, seed, stages)
        stages.start("searching for flips")
        found, judged = _flipped(own, judged, queries, seed)
        return _report(own, judged, found)


@contextmanager
def _fits() -> Iterator[None]:
    """What scikit-learn and NumPy can't fit, in one line that says what to do."""
    try:
        yield
    except asking.AuditError:
        raise
    except ValueError as error:  # NumPy's LinAlgError is one too
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise asking.AuditError(
            f"no rule can be fitted to what these inputs look like ({why}); if some of their "
            "numbers are far larger than others, scale or leave out these"
        ) from error


# ---- fitting and judging ----


@dataclass(frozen=True)
class _Task:
    """One question: which of the classes, or this class or another?

    Attributes:
        answer: That class as a code, or None.
        codes: Of either half, 0 … classes − 1; and of probes of all kinds, −1 for other answers.
    """

    answer: int | None
    codes: tuple[np.ndarray, np.ndarray, np.ndarray]
    classes: int


@dataclass(frozen=True)
class _Judged:
    """A finalist and its baselines, fitted to the first half.

    Attributes:
        right: Whether each rule gives the network's answer, on the second half; "" is the finalist.
        everywhere: The same on probes of all kinds.
        fewest: Clusters of the second half with the rarest answer.
        flips: Whether it makes the network's flips.
    """

    task: _Task
    candidate: Candidate
    rules: dict[str, Rule]
    right: dict[str, np.ndarray]
    everywhere: dict[str, np.ndarray]
    fewest: int
    flips: dict[str, np.ndarray] = field(default_factory=dict)


def _common(own: Ground) -> list[int]:
    """The CLASSES most frequent answers that are usual, the most frequent one first."""
    answers = own.first.answers[own.first.undecided]
    order = sorted(usual((own.first, own.second)), key=lambda label: -int((answers == label).sum()))
    return order[:CLASSES]


def _tasks(own: Ground) -> list[_Task]:
    """All classes at once, if each is answered often enough; and, of many, each against the rest.

    Of two usual classes among others, one against the rest: the other one is nearly the rest.
    """
    parts = own.first, own.second
    seen = np.unique(np.concatenate([part.answers for part in parts]))
    common = _common(own)
    found = []
    if len(common) == len(seen) >= 2:
        codes = [_coded(seen, part.answers) for part in (*parts, own.everywhere)]
        found.append(_Task(None, (codes[0], codes[1], codes[2]), len(seen)))
    if len(seen) > 2:
        for label in common if len(common) > 2 else common[:1]:
            if often(parts, seen[seen != label]):
                ones = [(part.answers == label).astype(np.int64)
                        for part in (*parts, own.everywhere)]  # fmt: skip
                found.append(_Task(label, (ones[0], ones[1], ones[2]), 2))
    return found


def _coded(seen: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Their places among those that were seen, sorted; −1 for others."""
    place = np.searchsorted(seen, answers).clip(max=len(seen) - 1)
    return np.where(seen[place] == answers, place, -1)


def _judged(own: Ground, seed: int, stages: Stages) -> list[_Judged]:
    """The finalists of all tasks: the best of their families, by the part that chooses; and class
    means, of all classes if that is a task."""
    entries: list[tuple[float, int, _Task, Half, Candidate]] = []
    for task in _tasks(own):
        about = "" if task.answer is None else f" for {own.network.classes[task.answer]}"
        stages.start(f"fitting rules{about}")
        half = _half(own.first, task)
        if half is None:
            continue
        switch = task.answer is None
        for candidate in candidates.families(half, own.view.library.names, switch=switch):
            stages.now(f"fitting rules{about}, after {candidate.family}")
            score = _corrected(half.surely(half.fitted(candidate)), task)
            entries.append((-score, len(entries), task, half, candidate))
    finalists = [entry[2:] for entry in sorted(entries, key=lambda entry: entry[:2])[:FINALISTS]]
    if entries:
        whole = next((entry for entry in entries if entry[2].answer is None), entries[0])
        finalists.append((*whole[2:4], candidates.class_means(own.view.means, "plain")))
    known: dict[Any, Rule] = {}
    judged = []
    for task, half, first in finalists:
        stages.now(f"fitting baselines of: {first.name}")
        rule = half.refitted(first)
        candidate = candidates.settled(first, rule)
        rules = {"": rule, **_baselines(own, half, candidate, seed, known)}
        right, everywhere = (
            {name: rule.predict(part.look) == codes for name, rule in rules.items()}
            for part, codes in zip((own.second, own.everywhere), task.codes[1:], strict=True)
        )
        fewest = rarest(task.codes[1], own.second.cluster)
        judged.append(_Judged(task, candidate, rules, right, everywhere, fewest))
    return judged


def _baselines(
    own: Ground, half: Half, candidate: Candidate, seed: int, known: dict[Any, Rule]
) -> dict[str, Rule]:
    """By name, fitted to the first half; `known` are those of other candidates of the tasks."""
    way, count, compared = candidate.way, candidate.features, candidate.compared
    makers: dict[tuple[Any, ...], Callable[[], Candidate]] = {
        (candidates.MEANS, way): lambda: candidates.class_means(own.view.means, way),
        ("distilled nearest neighbour",): lambda: candidates.neighbours(
            half, own.size, seed=seed + 5
        ),
        ("random directions", count, way, compared): lambda: candidates.at_random(
            half, count, way, compared=compared, seed=seed + 2
        ),
    }
    for key, make in makers.items():
        if (id(half), key) not in known:
            known[id(half), key] = half.refitted(make())
    return {str(key[0]): known[id(half), key] for key in makers}


def _corrected(value: float, task: _Task) -> float:
    """Balanced accuracy on a scale on which chance is 0 and all is 1."""
    return (value - 1 / task.classes) / (1 - 1 / task.classes)


def _half(part: Part, task: _Task) -> Half | None:
    """The first half; None if a label is missing from a part of it."""
    codes = task.codes[0]
    labels = [len(np.unique(codes[rows])) for rows in (part.fitting, part.choosing)]
    if min(labels) < task.classes:
        return None
    return Half(part.look, codes, task.classes, part.cluster, part.fitting, part.choosing)


# ---- flips ----


def _flipped(
    own: Ground, judged: list[_Judged], queries: int, seed: int
) -> tuple[Flipped, list[_Judged]]:
    """The network's flips of inputs of the second half, and which rules make them too.

    A flip is followed on, to BEYOND times its size, and counts if the network's answer is still the
    new one: on the boundary itself every rule but the network is a coin.
    """
    if not judged:
        return Flipped(0, "", 0, 0), judged
    all_of_them = flipped(own, own.rows, FLIPS[1] * queries, seed + 3)
    found = flipping.beyond(own.network, own.data.x, all_of_them, BEYOND)
    told = Flipped(len(found.rows), found.how, len(all_of_them.rows), found.queries)
    if not len(found.rows):
        return told, judged
    looks = own.view(own.data.x.take(found.rows)), own.view(found.x)
    return told, [_agreeing(one, looks, found, own) for one in judged]


def _agreeing(
    one: _Judged, looks: tuple[Look, Look], found: flipping.Flips, own: Ground
) -> _Judged:
    """Whether each rule says what the network says before the flip, and after it."""
    seen = np.unique(own.second.answers) if one.task.answer is None else None

    def coded(labels: np.ndarray) -> np.ndarray:
        if seen is None:
            return (labels == one.task.answer).astype(np.int64)
        return _coded(seen, labels)

    before, after = coded(found.before), coded(found.after)
    counts = before != after  # one class against the rest: flips between others are none
    made = {
        name: ((rule.predict(looks[0]) == before) & (rule.predict(looks[1]) == after))[counts]
        for name, rule in one.rules.items()
    }
    return replace(one, flips=made)


# ---- the report ----


def _clustered(one: _Judged, gains: np.ndarray, own: Ground) -> np.ndarray:
    return by_cluster(gains.astype(float), one.task.codes[1], own.second.cluster)


def _foretold(one: _Judged, own: Ground) -> dict[str, Foretold]:
    """By rule; "" is the finalist."""
    return {
        name: Foretold(
            share(_clustered(one, right, own), one.fewest),
            statistics.proportion(one.flips[name]) if len(one.flips.get(name, ())) else None,
            _everywhere(one, one.everywhere[name], own),
        )
        for name, right in one.right.items()
    }


def _others(one: _Judged, own: Ground) -> dict[str, Foretold]:
    """What the baselines foretell; class means are none for themselves."""
    found = _foretold(one, own)
    return {k: v for k, v in found.items() if k and k != one.candidate.family}


def _everywhere(one: _Judged, right: np.ndarray, own: Ground) -> Estimate | None:
    """On probes of all kinds with answers that undecided ones got, too."""
    known = one.task.codes[2] >= 0
    codes, cluster = one.task.codes[2][known], own.everywhere.cluster[known]
    if len(np.unique(codes)) < one.task.classes:
        return None
    return share(by_cluster(right[known].astype(float), codes, cluster), rarest(codes, cluster))


def _gap(values: np.ndarray, fewest: int, own: Ground) -> Estimate:
    """Mean over clusters of how much better one rule does than another.

    One probe is the smallest difference that two clusters can show.
    """
    return estimated(values, fewest, len(values) / len(own.second.answers))


def _excess(one: _Judged, own: Ground) -> tuple[Estimate, str, float]:
    """The least excess over a baseline, that baseline, and the largest p-value of all of them.

    Class means read all of an input. So they are no baseline for what is SIMPLER, but it must not
    foretell surely less; nor for themselves.
    """
    found = {
        name: _gap(_clustered(one, one.right[""].astype(float) - right, own), one.fewest, own)
        for name, right in one.right.items()
        if name
    }
    less = False
    if one.candidate.family in (*candidates.SIMPLER, candidates.MEANS):
        less = found.pop(candidates.MEANS).high < 0
    p = [statistics.alpha(value, lambda low, _: low > 0) for value in found.values()]
    over = min(found, key=lambda name: found[name].value)
    return found[over], over, 1.0 if less else max(1.0 if own is None else own for own in p)


def _excess_of_flips(one: _Judged) -> Estimate | None:
    """The share of flips that the rule makes less that of the baseline that makes most."""
    if len(one.flips.get("", ())) < 2:
        return None
    made = {name: flips.astype(float) for name, flips in one.flips.items()}
    best = max((name for name in made if name), key=lambda name: made[name].mean())
    return statistics.paired_difference(made[""], made[best], bounds=(0, 1))


def _report(own: Ground, judged: list[_Judged], flips: Flipped) -> Found:
    learnt = own.success.low > (1 / len(own.data.values) + 1) / 2
    finalists = _finalists(own, judged, learnt)
    order = sorted(range(len(judged)), key=lambda i: (finalists[i].rank, i))
    passing = [i for i in order if finalists[i].named]
    best = _simplest(passing, finalists) if passing else (order[0] if order else None)
    chosen = None if best is None else finalists[best]
    which = "probes" if own.forced else "probes that the data leave undecided"
    ties = [] if chosen is None else _better(chosen, [finalists[i] for i in passing])
    return Found(
        chosen.name if chosen and passing else NONE,
        sentence(own.success, chosen, ties, learnt=learnt, which=which, unit=_unit(own.data)),
        tuple(finalists[i] for i in order),
        None if chosen is None else chosen.foretold,
        {} if best is None else _others(judged[best], own),
        None if chosen is None else chosen.excess,
        own.success,
        _rule(own, judged[best]) if passing and best is not None else None,
        chosen.answer if passing and chosen else None,
        own.undecided,
        own.forced,
        (int(own.first.undecided.sum()), len(own.second.answers)),
        (len(np.unique(own.first.cluster)), len(np.unique(own.second.cluster))),
        own.network.queries,
        flips,
        (*own.warnings, *_left_out(own), *_lasting(flips)),
    )


def _unit(data: Data) -> str:
    """What the success is counted in."""
    return "inputs" if len(np.unique(data.groups)) == len(data.x) else "groups"


def _left_out(own: Ground) -> list[str]:
    more = len(usual((own.first, own.second))) - CLASSES
    told = f"rules were fitted to the {CLASSES} most frequent answers, not to {more} others"
    return [told] if more > 0 else []


def _lasting(flips: Flipped) -> list[str]:
    if not flips.found:
        return []
    beyond = "" if flips.how == "substitution" else f" to {BEYOND:g} times their size"
    return [
        f"{flips.lasting} of {flips.found} flips last{beyond}; rules are judged on these. The "
        f"search for flips asked about {flips.queries} inputs"
    ]


def _finalists(own: Ground, judged: list[_Judged], learnt: bool) -> list[Finalist]:
    excesses = [_excess(one, own) for one in judged]
    p = statistics.holm([value for _, _, value in excesses])
    ranks = _ranks(own, judged)
    found = []
    for i, (one, (excess, over, _)) in enumerate(zip(judged, excesses, strict=True)):
        told = _foretold(one, own)[""]
        enough = told.enough(one.task.classes)
        name, terms = _named(own, one)
        answer = None if one.task.answer is None else own.network.classes[one.task.answer]
        found.append(Finalist(
            ranks[i], name, one.candidate.family, answer, terms, one.candidate.features, told,
            excess, over, _excess_of_flips(one), float(p[i]), enough,
            bool(learnt and enough and p[i] <= LEVEL), _pictures(own, one.rules[""]),
        ))  # fmt: skip
    return found


def _named(own: Ground, one: _Judged) -> tuple[str, tuple[str, ...]]:
    """Name and terms; directions of texts and tables by their words or columns."""
    names, rule, name = own.view.coordinates.names, one.rules[""], one.candidate.name
    if not names:
        return name, rule.terms
    told = {f"direction {i + 1}": heaviest(v, names) for i, v in enumerate(rule.vectors)}
    terms = tuple(f"{term}: {told[term]}" if term in told else term for term in rule.terms)
    learned = one.candidate.family in candidates.LEARNED.values()
    return f"{name} ({'; '.join(told.values())})" if learned else name, terms


def _pictures(own: Ground, rule: Rule) -> tuple[np.ndarray, ...]:
    """Directions in the inputs' own units, of length one."""
    coordinates = own.view.coordinates
    found = directions.unit(rule.vectors / coordinates.scale)
    return tuple(one.reshape(coordinates.shape) for one in found)


def _ranks(own: Ground, judged: list[_Judged]) -> list[int]:
    """By what they foretell, chance corrected; those that the best of a rank doesn't beat tie."""
    values = [_clustered(one, one.right[""], own) / (1 - 1 / one.task.classes) for one in judged]
    values = [v - 1 / (one.task.classes - 1) for v, one in zip(values, judged, strict=True)]
    fewest = min((one.fewest for one in judged), default=0)
    ranks = [0] * len(judged)
    leader, rank = -1, 0
    for place, i in enumerate(sorted(range(len(judged)), key=lambda i: -values[i].mean()), 1):
        less = _gap(values[leader] - values[i], fewest, own) if place > 1 else None
        if less is None or less.low > 0:
            leader, rank = i, place
        ranks[i] = rank
    return ranks


def _simplest(passing: list[int], finalists: list[Finalist]) -> int:
    """Of those that tie with the first, or come close; then of all classes before one of them."""
    first = finalists[passing[0]]
    least = first.foretold.decisions.value - CLOSE

    def complexity(i: int) -> tuple[int, int, bool]:
        own = finalists[i]
        return candidates.FAMILIES.index(own.family), own.features, own.answer is not None

    def near(own: Finalist) -> bool:
        return own.rank == first.rank or own.foretold.decisions.value >= least

    return min((i for i in passing if near(finalists[i])), key=complexity)


def _better(chosen: Finalist, passing: list[Finalist]) -> list[str]:
    """Names of those that tie with the chosen one, and foretold more by CLOSE."""
    least = chosen.foretold.decisions.value + CLOSE
    return [one.name for one in passing
            if one.rank == chosen.rank and one.foretold.decisions.value > least]  # fmt: skip


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
