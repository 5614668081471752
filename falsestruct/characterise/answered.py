"""Probes of both halves, their answers, and what they look like.

Probes are made, asked about and looked at a few at a time, and then forgotten: memory is bounded by
what they look like (statistics and coordinates), whatever the size of an input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from falsestruct.characterise import directions
from falsestruct.characterise import library as named
from falsestruct.characterise import probes as probing
from falsestruct.characterise.asking import AuditError, Inputs, Network
from falsestruct.characterise.candidates import Look

FEWEST = 30  # clusters with either answer in either half; with fewer there is nothing to read
ROUNDS = 12  # as many probes are made as are wanted, so often, until enough are undecided
SLOPES = 1000  # probes whose gradients are taken
SHARES = (0.28, 0.21)  # of the queries, for undecided probes of either half
OTHERS = (0.12, 0.06)  # of the queries, for probes of either half that need not be undecided

Batch = tuple[probing.Probes, bool]  # and whether all of them are undecided


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
    """Probes of one half, with an answer.

    Attributes:
        base: The two inputs that each was made from, (n, 2).
        cluster: The number of that pair, (n,).
        answers: The network's codes, (n,).
        undecided: Which of them the data leave undecided, (n,): all of the second half.
        fitted, chosen: Once `ordered`: rules are fitted to the first so many, and chosen on as many
            undecided ones after them.
    """

    base: np.ndarray
    cluster: np.ndarray
    look: Look
    answers: np.ndarray
    undecided: np.ndarray
    fitted: int = 0
    chosen: int = 0

    @property
    def fitting(self) -> slice:
        """Rows that rules are fitted to."""
        return slice(0, self.fitted)

    @property
    def choosing(self) -> slice:
        """Rows that choose between rules."""
        return slice(self.fitted, self.fitted + self.chosen)

    def ordered(self, cut: int) -> Part:
        """What rules are fitted to first (clusters below `cut`), then what chooses: as slices they
        are no copies. Answers that no undecided probe got are left out."""
        stage = np.where(self.cluster < cut, 0, np.where(self.undecided, 1, 2))
        kept = np.isin(self.answers, self.answers[self.undecided])
        rows = np.flatnonzero(kept)[np.argsort(stage[kept], kind="stable")]
        first, last = np.searchsorted(stage[rows], [1, 2])
        return Part(
            self.base[rows], self.cluster[rows], self.look.take(rows), self.answers[rows],
            self.undecided[rows], int(first), int(last - first),
        )  # fmt: skip


def halves(
    network: Network, view: View, makers: list[probing.Maker],
    apart: Callable[[Inputs], np.ndarray], queries: int, rng: np.random.Generator,
) -> tuple[Part, Part, Part, bool, float]:  # fmt: skip
    """Both halves with answers, and the second half's probes of all kinds; whether undecided
    probes didn't do; and how many there are."""
    others, all_kinds = (int(part * queries) for part in OTHERS)
    some = [_Undecided(maker, apart, int(part * queries))
            for maker, part in zip(makers, SHARES, strict=True)]  # fmt: skip
    ask = partial(_asked, network, view, rng)
    both = chain(some[0].batches(), _plain(makers[0], others, undecided=False))
    first = ask(both, slopes=SLOPES / (some[0].wanted + others))
    second = ask(some[1].batches())
    everywhere = ask(_plain(makers[1], all_kinds, undecided=False))
    found = float(np.mean([one.kept / one.made for one in some]))
    if len(usual((first, second))) >= 2:
        return first, second, everywhere, False, found
    first = replace(first, undecided=np.ones(len(first.answers), bool))
    second = ask(_plain(makers[1], others, undecided=True))
    return first, second, everywhere, True, found


class _Undecided:
    """Makes undecided probes of one half.

    Attributes:
        made, kept: Probes so far, and those of them that were undecided.
    """

    def __init__(
        self, maker: probing.Maker, apart: Callable[[Inputs], np.ndarray], wanted: int
    ) -> None:
        self.maker, self.apart, self.wanted = maker, apart, wanted
        self.made = self.kept = 0

    def batches(self) -> Iterator[Batch]:
        """As many as are wanted, or what ROUNDS times as many probes give, in equal batches."""
        room, left = named.room(self.maker.x), self.wanted
        enough = math.ceil(left / math.ceil(left / room))
        waiting: list[probing.Probes] = []
        while left and self.made < ROUNDS * self.wanted:
            probes = self.maker.make(room)
            rows = np.flatnonzero(self.apart(probes.x))
            self.made, self.kept = self.made + room, self.kept + len(rows)
            waiting.append(probes.take(rows[:left]))
            left -= min(left, len(rows))
            if sum(map(len, waiting)) >= enough:
                yield probing.together(waiting), True
                waiting = []
        if sum(map(len, waiting)):
            yield probing.together(waiting), True


def _plain(maker: probing.Maker, count: int, *, undecided: bool) -> Iterator[Batch]:
    """Probes of all kinds."""
    room = named.room(maker.x)
    for start in range(0, count, room):
        yield maker.make(min(room, count - start)), undecided


def _asked(
    network: Network, view: View, rng: np.random.Generator, batches: Iterable[Batch], *,
    slopes: float = 0.0,
) -> Part:  # fmt: skip
    """Ask about batches, look at them, and forget them.

    Args:
        slopes: Share of the probes whose gradients are taken.

    Raises:
        AuditError: Most probes have no answer; or as `Network.labels`, of all batches.
    """
    found, total, lost = list[Part](), 0, 0
    error: AuditError | None = None
    for probes, undecided in batches:
        total += len(probes)
        try:
            answers = network.labels(probes.x)
        except AuditError as caught:  # most of a batch: not yet most of all
            error, lost = caught, lost + len(probes)
            network.failed[str(caught)] = network.failed.get(str(caught), 0) + len(probes)
            continue
        rows = np.flatnonzero(answers >= 0)
        lost += len(probes) - len(rows)
        kept = probes if len(rows) == len(probes) else probes.take(rows)
        look = view(kept.x)
        if slopes:
            taken = _slopes(network, view.coordinates, kept.x, answers[rows], slopes, rng)
            look = replace(look, slopes=taken)
        open_ = np.full(len(rows), undecided)
        found.append(Part(kept.base, kept.cluster, look, answers[rows], open_))
    if error is not None and 2 * lost > total:
        raise error
    return _joined(found, view)


def _joined(found: list[Part], view: View) -> Part:
    """One after the other; without any, a part without probes."""
    statistics, coordinates = len(view.library), len(view.coordinates.centre)
    nothing = Look(np.empty((0, statistics), np.float32), np.empty((0, coordinates), np.float32))
    empty = np.empty(0, np.int64)
    parts = [Part(np.empty((0, 2), np.int64), empty, nothing, empty, np.empty(0, bool)), *found]
    slopes = None
    if any(part.look.slopes is not None for part in parts):
        slopes = np.concatenate([
            np.zeros_like(part.look.z) if part.look.slopes is None else part.look.slopes
            for part in parts
        ])  # fmt: skip
    look = Look(np.concatenate([part.look.values for part in parts]),
                np.concatenate([part.look.z for part in parts]), slopes)  # fmt: skip
    base, cluster, answers, undecided = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("base", "cluster", "answers", "undecided")
    )
    return Part(base, cluster, look, answers, undecided)


def usual(parts: tuple[Part, Part]) -> list[int]:
    """Answers to undecided probes of at least FEWEST clusters in both halves."""
    seen = np.unique(np.concatenate([part.answers[part.undecided] for part in parts]))
    return [int(label) for label in seen if often(parts, [label])]


def often(parts: tuple[Part, Part], labels: Any) -> bool:
    """Whether one of these is the answer in FEWEST clusters of both halves."""
    clusters = [part.cluster[np.isin(part.answers, labels) & part.undecided] for part in parts]
    return min(len(np.unique(one)) for one in clusters) >= FEWEST


def _slopes(
    network: Network, own: named.Coordinates, x: Inputs, answers: np.ndarray, some: float,
    rng: np.random.Generator,
) -> np.ndarray | None:  # fmt: skip
    """Gradients at some of these probes, of their answer against another one that is given."""
    rows = rng.permutation(len(answers))[: math.ceil(some * len(answers))]
    against = rng.permutation(answers)[: len(rows)]
    use = against != answers[rows]
    rows, against = rows[use], against[use]
    if not len(rows):
        return None
    found = directions.gradients(network, x.take(rows), answers[rows], against, own)
    if found is None:
        return None
    slopes = np.zeros((len(answers), found.shape[1]), np.float32)
    slopes[rows] = found
    return slopes
