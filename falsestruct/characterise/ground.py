"""What a search stands on: probes that the data leave undecided, in two halves, with the answers.

A probe is undecided if a nearest neighbour and class means, both fitted to the data's inputs and
labels, give it different labels. Which probes these are has nothing to do with the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from falsestruct import statistics
from falsestruct.characterise import directions
from falsestruct.characterise import library as named
from falsestruct.characterise import probes as probing
from falsestruct.characterise.asking import AuditError, Inputs, Network
from falsestruct.characterise.candidates import Look
from falsestruct.statistics import Estimate

FEWEST = 10  # clusters with either answer in either half; with fewer there is nothing to read
LEAST = 60  # inputs or groups, at least
PAIRS = 2000  # of groups, in both halves together, at most
REFERENCE = 2000  # inputs that the data's nearest neighbour knows, at most
NUMBERS = 1_500_000  # of coordinates that it knows, at most; but a few hundred inputs
SHARES = (0.3, 0.3)  # of the queries, for undecided probes of either half
OTHERS = 0.2  # of the queries, for probes of the first half that need not be undecided
ROUNDS = 12  # of probes, until enough are undecided
SLOPES = 1000  # probes whose gradients are taken


@dataclass(frozen=True)
class Data:
    """What the user gave.

    Attributes:
        codes: y as whole numbers, (n,); `values` are the labels themselves.
        groups: Whole numbers, (n,): what shares a source.
    """

    x: Inputs
    codes: np.ndarray
    values: tuple[Any, ...]
    groups: np.ndarray

    @classmethod
    def of(cls, x: Inputs, y: Any, groups: Any) -> Data:
        """Checked.

        Raises:
            AuditError: Other shapes, one class, fewer than LEAST inputs or groups, or values that
                are not finite.
        """
        codes, values = _codes("y", y, len(x))
        own = np.arange(len(x)) if groups is None else _codes("groups", groups, len(x))[0]
        if len(values) < 2:
            raise AuditError(f"y has the one value {values[0]!r}; expected at least two classes")
        count = len(np.unique(own))
        if count < LEAST:
            what = "inputs" if groups is None else "groups"
            raise AuditError(
                f"there are {count} {what}; expected at least {LEAST}: rules are fitted to one "
                "half and judged on the other"
            )
        _finite(x)
        return cls(x, codes, values, own)


def _codes(what: str, given: Any, n: int) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Labels as codes in sorted order, and their values."""
    held = given.detach().cpu().numpy() if hasattr(given, "detach") else np.asarray(given)
    if held.shape != (n,):
        raise AuditError(f"{what} has shape {held.shape}; expected ({n},), one for each input")
    missing = int(pd.isna(held).sum())
    if missing:
        raise AuditError(f"{what} has {missing} missing values; leave these inputs out")
    try:
        values, codes = np.unique(held, return_inverse=True)
    except TypeError:  # labels of several types have no order
        values, codes = np.unique(held.astype(str), return_inverse=True)
    return codes, tuple(values.tolist())


def _finite(x: Inputs) -> None:
    """Tables may have missing values, texts have none; all others must be numbers."""
    if x.kind in ("texts", "table"):
        return
    bad = 0
    for start in range(0, len(x), named.PART):
        own = x.take(np.arange(start, min(len(x), start + named.PART))).array()
        bad += int((~np.isfinite(own)).reshape(len(own), -1).any(1).sum())
    if bad:
        raise AuditError(f"{bad} inputs have values that are not finite; leave them out")


@dataclass(frozen=True)
class View:
    """How inputs are looked at.

    Attributes:
        means: Class means of the data in coordinates, (classes of y, coordinates).
    """

    coordinates: named.Coordinates
    library: named.Library
    means: np.ndarray

    def __call__(self, x: Inputs) -> Look:
        """Statistics and coordinates."""
        return Look(self.library.values(x), self.coordinates(x))


@dataclass(frozen=True)
class Part:
    """Probes of one half.

    Attributes:
        answers: The network's codes, (n,); probes without an answer are left out.
        undecided: Which of them the data leave undecided, (n,): all of the second half.
    """

    probes: probing.Probes
    look: Look
    answers: np.ndarray
    undecided: np.ndarray


@dataclass(frozen=True)
class Ground:
    """All that rules are fitted to and judged on.

    Attributes:
        forced: Too few undecided probes, or of either answer: all kinds were taken instead.
        success: Share of the data's inputs on which the network gives y, each group once.
        undecided: Share of the probes that the data leave undecided.
        rows: Of the second half's inputs: those whose flips may be searched for.
        warnings: What a report should say.
    """

    data: Data
    network: Network
    view: View
    first: Part
    second: Part
    success: Estimate
    undecided: float
    rows: np.ndarray
    forced: bool
    warnings: tuple[str, ...]


def ground(network: Network, data: Data, queries: int, seed: int) -> Ground:
    """Ask the network about data and probes.

    Raises:
        AuditError: The inputs don't differ in anything that is looked at; or as `Network.checked`.
    """
    rng = np.random.default_rng(seed)
    success, warnings = _success(network, data, queries, rng)
    pairs = probing.paired(data.groups, data.codes, rng)[:PAIRS]
    halves = pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
    own, means, apart = _sensible(data, rng)
    undecided = [
        _undecided(data, half, int(share * queries), apart, rng)
        for share, half in zip(SHARES, halves, strict=True)
    ]
    plain = [
        probing.probes(data.x, half, data.groups, int(OTHERS * queries), rng) for half in halves
    ]
    view = View(own, named.library(plain[0].x), means)
    first, second, forced = _asked(network, view, [probes for probes, _ in undecided], plain)
    first = replace(first, look=first.look.once())
    failed = [f"no answer for {n} inputs: {why}" for why, n in network.failed.items()]
    return Ground(
        data, network, view, _with_slopes(network, own, first, rng), second, success,
        float(np.mean([share for _, share in undecided])),
        np.flatnonzero(np.isin(data.groups, halves[1])), forced,
        (*warnings, *network.notes, *failed),
    )  # fmt: skip


def _asked(
    network: Network, view: View, undecided: list[probing.Probes], plain: list[probing.Probes]
) -> tuple[Part, Part, bool]:
    """Both halves with answers; and whether undecided probes didn't do."""
    both = probing.together([undecided[0], plain[0]])
    first = _answered(network, view, both, len(undecided[0]))
    second = _answered(network, view, undecided[1], len(undecided[1]))
    if len(usual((first, second))) >= 2:
        return first, second, False
    first = replace(first, undecided=np.ones(len(first.answers), bool))
    return first, _answered(network, view, plain[1], len(plain[1])), True


def usual(parts: tuple[Part, Part]) -> list[int]:
    """Answers to undecided probes of at least FEWEST clusters in both halves."""
    seen = np.unique(np.concatenate([part.answers[part.undecided] for part in parts]))
    return [int(label) for label in seen if often(parts, [label])]


def often(parts: tuple[Part, Part], labels: Any) -> bool:
    """Whether one of these is the answer in FEWEST clusters of both halves."""
    clusters = [part.probes.cluster[np.isin(part.answers, labels) & part.undecided]
                for part in parts]  # fmt: skip
    return min(len(np.unique(one)) for one in clusters) >= FEWEST


def _success(
    network: Network, data: Data, queries: int, rng: np.random.Generator
) -> tuple[Estimate, tuple[str, ...]]:
    """How often the network gives y, on some of the inputs."""
    rows = np.sort(rng.permutation(len(data.x))[: max(LEAST, queries // 20)])
    answers = network.checked(data.x.take(rows))
    codes, warnings = _matched(network, data, rows, answers)
    right, own = answers == codes, data.groups[rows]
    names, group = np.unique(own, return_inverse=True)
    if len(names) == len(rows):
        return statistics.proportion(right), warnings
    shares = np.bincount(group, right) / np.bincount(group)
    return statistics.mean(shares, bounds=(0, 1)), warnings


def _matched(
    network: Network, data: Data, rows: np.ndarray, answers: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """y of these rows as codes of the network: by value, else by its most frequent answer."""
    own = {_key(name): i for i, name in enumerate(network.classes)}
    codes = data.codes[rows]
    if any(_key(value) in own for value in data.values):
        return np.array([own.get(_key(value), -2) for value in data.values])[codes], ()
    seen = [answers[(codes == i) & (answers >= 0)] for i in range(len(data.values))]
    match = np.array([int(np.bincount(one).argmax()) if len(one) else -2 for one in seen])
    told = ", ".join(
        f"{value!r} is {network.classes[i]!r}"
        for value, i in zip(data.values, match, strict=True) if i >= 0
    )  # fmt: skip
    return match[codes], (f"no value of y is a class of the network; by majority, {told}",)


def _key(label: Any) -> float | str:
    """What labels are compared by: 1, 1.0 and True are one."""
    return float(label) if isinstance(label, (int, float, np.number)) else str(label)


def _sensible(
    data: Data, rng: np.random.Generator
) -> tuple[named.Coordinates, np.ndarray, Callable[[Inputs], np.ndarray]]:
    """Coordinates, class means (classes, coordinates), and which inputs are undecided."""
    rows = rng.permutation(len(data.x))[:REFERENCE]
    own = named.coordinates(data.x.take(rows))
    rows = rows[: max(300, NUMBERS // len(own.centre))]
    known = own(data.x.take(rows))
    if not np.abs(known).max() > 0:
        raise AuditError(
            "the inputs don't differ in anything that is looked at; of texts, no two share a word"
        )
    codes, length, means = data.codes[rows], (known**2).sum(1), _means(own, data)

    def apart(x: Inputs) -> np.ndarray:
        found = np.empty(len(x), bool)
        for start in range(0, len(x), named.PART):
            z = own(x.take(np.arange(start, min(len(x), start + named.PART))))
            near = codes[(length - 2 * z @ known.T).argmin(1)]
            found[start : start + len(z)] = near != ((means**2).sum(1) - 2 * z @ means.T).argmin(1)
        return found

    return own, means, apart


def _means(own: named.Coordinates, data: Data) -> np.ndarray:
    """Of all inputs of each class."""
    sums = np.zeros((len(data.values), len(own.centre)))
    for start in range(0, len(data.x), named.PART):
        rows = np.arange(start, min(len(data.x), start + named.PART))
        np.add.at(sums, data.codes[rows], own(data.x.take(rows)))
    return np.asarray(sums / np.bincount(data.codes)[:, None])


def _undecided(
    data: Data, pairs: np.ndarray, count: int, apart: Callable[[Inputs], np.ndarray],
    rng: np.random.Generator,
) -> tuple[probing.Probes, float]:  # fmt: skip
    """As many undecided probes of these pairs, or what ROUNDS rounds give; and their share."""
    kept: list[probing.Probes] = []
    seen = total = 0
    for _ in range(ROUNDS):
        made = probing.probes(data.x, pairs, data.groups, count, rng)
        rows = np.flatnonzero(apart(made.x))
        seen, total = seen + len(made), total + len(rows)
        kept.append(made.take(rows[: len(rows) - max(0, total - count)]))
        if total >= count:
            break
    return probing.together(kept), total / seen


def _answered(network: Network, view: View, probes: probing.Probes, undecided: int) -> Part:
    """Ask; the first so many are undecided."""
    answers = network.labels(probes.x)
    rows = np.flatnonzero(answers >= 0)
    known = probes.take(rows)
    return Part(known, view(known.x), answers[rows], rows < undecided)


def _with_slopes(
    network: Network, own: named.Coordinates, part: Part, rng: np.random.Generator
) -> Part:
    """Gradients at SLOPES probes, of their answer against another one that is given."""
    rows = rng.permutation(len(part.answers))[:SLOPES]
    answers = part.answers[rows]
    against = rng.permutation(part.answers)[: len(rows)]
    use = against != answers
    rows, answers, against = rows[use], answers[use], against[use]
    if not len(rows):
        return part
    found = directions.gradients(network, part.probes.x.take(rows), answers, against, own)
    if found is None:
        return part
    slopes = np.zeros_like(part.look.z)
    slopes[rows] = found
    return replace(part, look=replace(part.look, slopes=slopes))
