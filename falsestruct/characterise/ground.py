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

from falsestruct.characterise import flips as flipping
from falsestruct.characterise import library as named
from falsestruct.characterise import probes as probing
from falsestruct.characterise import suspected
from falsestruct.characterise.answered import FEWEST, Part, View, halves, usual
from falsestruct.characterise.asking import AuditError, Inputs, Network
from falsestruct.characterise.readings import by_cluster, rarest, share
from falsestruct.statistics import Estimate

LEAST = 4 * FEWEST  # inputs or groups, at least: two a cluster, two halves
COMMON = 5  # inputs a label, at least, on average: with fewer they are no labels
PAIRS = 2000  # of groups, in both halves together, at most
REFERENCE = 2000  # inputs that the data's nearest neighbour knows, at most
NUMBERS = 1_500_000  # of coordinates that it knows, at most; but a few hundred inputs
SEEN = 2000  # probes of texts and tables that say which statistics vary
FITTED = 2 / 3  # of the first half's clusters: rules are fitted; the others choose

CHECKS = 0.05  # of the queries, for inputs; they are asked about up to three times
FLIPS = (0.06, 0.12)  # of the queries, for flips in either half; in the first, of black boxes only
POINTS = 60  # inputs whose flips are searched for, at most


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
            AuditError: Other shapes, one class or hardly fewer than inputs, fewer than LEAST inputs
                or groups, no such column, or values that are not finite.
        """
        codes, values = _codes("y", y, len(x))
        if isinstance(groups, str):
            groups = suspected.column(groups, x, None, "groups")
        own = np.arange(len(x)) if groups is None else _codes("groups", groups, len(x))[0]
        if len(values) < 2:
            raise AuditError(f"y has the one value {values[0]!r}; expected at least two classes")
        count = len(np.unique(own))
        if count < LEAST:
            what = "inputs" if groups is None else "groups"
            raise AuditError(
                f"there are {count} {what}; expected at least {LEAST}: rules are fitted to one "
                f"half and judged on the other, on {FEWEST} pairs or more with each answer"
            )
        if len(values) * COMMON > len(x):
            raise AuditError(
                f"y has {len(values)} values for {len(x)} inputs; expected classes: of a number, "
                "say into which class it falls"
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
    for part in named.parts(x):
        own = part.array()
        bad += int((~np.isfinite(own)).reshape(len(own), -1).any(1).sum())
    if bad:
        raise AuditError(f"{bad} inputs have values that are not finite; leave them out")


@dataclass(frozen=True)
class Ground:
    """All that rules are fitted to and judged on.

    Attributes:
        forced: Too few undecided probes, or of either answer: all kinds were taken instead.
        everywhere: Probes of all kinds of the second half, whether the data decide them or not.
        success: Share of the data's inputs on which the network gives y, balanced over y's labels.
        undecided: Share of the probes that the data leave undecided.
        size: Inputs of the first half.
        rows: Of the second half's inputs: those whose flips may be searched for.
        warnings: What a report should say.
    """

    data: Data
    network: Network
    view: View
    first: Part
    second: Part
    everywhere: Part
    success: Estimate
    undecided: float
    size: int
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
    both = pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
    cut = round(FITTED * len(both[0]))
    makers = [probing.Maker(data.x, half, data.groups, rng) for half in both]
    coordinates, means, apart = _sensible(data, rng)
    view = View(coordinates, _library(makers[0]), means)
    first, second, everywhere, forced, undecided = halves(
        network, view, makers, apart, queries, rng
    )
    first = first.ordered(cut)
    first = replace(first, look=first.look.once())
    rows = [np.flatnonzero(np.isin(data.groups, half)) for half in (both[0][:cut], *both)]
    own = Ground(data, network, view, first, second, everywhere, success, undecided, len(rows[1]),
                 rows[2], forced, warnings)  # fmt: skip
    own = _changed(own, rows[0], queries, seed)
    return replace(own, warnings=(*warnings, *_said(network, forced)))


def _said(network: Network, forced: bool) -> list[str]:
    """What was done to inputs, what failed, and what is not as it should be."""
    found = [*network.notes]
    found += [f"no answer for {n} inputs: {why}" for why, n in network.failed.items()]
    found += [
        f"{n} of {network.rechecked} inputs got another label "
        + ("when asked again" if how == "again" else how)
        for how, n in network.changed.items() if n
    ]  # fmt: skip
    if forced:
        found.append(
            "the data leave too few probes undecided, or with too few different answers: the rules "
            "are about all probes, also where any sensible rule gives the label"
        )
    return found


# ---- what the network knows, and what the data say ----


def _success(
    network: Network, data: Data, queries: int, rng: np.random.Generator
) -> tuple[Estimate, tuple[str, ...]]:
    """How often the network gives y, on some of the inputs, balanced over y's labels.

    Of each label about equally many are asked about: all inputs of a rare one, if need be.
    """
    rows = _in_turn(data.codes, rng)[: max(LEAST, int(CHECKS * queries))]
    some = 4 * named.room(data.x)
    answers = network.checked(data.x.take(rows[:some]))
    for start in range(some, len(rows), some):
        more = network.labels(data.x.take(rows[start : start + some]))
        answers = np.concatenate([answers, more])
    codes, warnings = _matched(network, data, rows, answers)
    truth, groups = data.codes[rows], data.groups[rows]
    right = by_cluster((answers == codes).astype(float), truth, groups)
    return share(right, rarest(truth, groups)), warnings


def _in_turn(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All rows (n,) at random, the labels in turn: the first ones have the rarest label too."""
    order = rng.permutation(len(codes))
    place = pd.Series(codes[order]).groupby(codes[order]).cumcount().to_numpy()
    return np.asarray(order[np.argsort(place, kind="stable")])


def _matched(
    network: Network, data: Data, rows: np.ndarray, answers: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """y of these rows as codes of the network: by value, else one to one as fits best.

    Raises:
        AuditError: Labels that match in part, such as −1 and 1 against 0 and 1.
    """
    own = {name: i for i, name in enumerate(network.classes)}
    codes = data.codes[rows]
    if not any(value in own for value in data.values):
        return _assigned(network, data, codes, answers)
    told = suspected.matched("y", data.values, network.classes, closed=network.closed)
    said = () if told is None else (told,)
    return np.array([own.get(value, -2) for value in data.values])[codes], said


def _assigned(
    network: Network, data: Data, codes: np.ndarray, answers: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Each value of y has a class of its own: what always gives one answer hasn't learnt two."""
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((len(data.values), len(network.classes)))
    known = answers >= 0
    np.add.at(table, (codes[known], answers[known]), 1.0)
    table /= np.maximum(1, table.sum(1, keepdims=True))
    match = np.full(len(data.values), -2)
    values, classes = linear_sum_assignment(-table)
    match[values] = classes
    pairs = [f"{value!r} is {network.classes[i]!r}"
             for value, i in zip(data.values, match, strict=True) if i >= 0]  # fmt: skip
    shown = ", ".join(pairs[:6]) + (", …" if len(pairs) > 6 else "")
    return match[codes], (f"no value of y is a class of the network; as fits best, {shown}",)


def _sensible(
    data: Data, rng: np.random.Generator
) -> tuple[named.Coordinates, np.ndarray, Callable[[Inputs], np.ndarray]]:
    """Coordinates, class means (classes, coordinates), and which inputs are undecided.

    The neighbour knows inputs at random, of each label one at least; class means know all.
    """
    order = rng.permutation(len(data.x))
    own = named.coordinates(data.x, order[:REFERENCE])
    each = order[np.unique(data.codes[order], return_index=True)[1]]
    many = min(REFERENCE, max(300, NUMBERS // len(own.centre)))
    rows = np.union1d(order[:many], each)
    known = own(data.x, rows)
    if not np.abs(known).max() > 0:
        raise AuditError(
            "the inputs don't differ in anything that is looked at; of texts, no two share a word"
        )
    codes, length, means = data.codes[rows], (known**2).sum(1), _means(own, data)

    def apart(x: Inputs) -> np.ndarray:
        found = [np.empty(0, bool)]
        for part in named.parts(x):
            z = own(part)
            near = codes[(length - 2 * z @ known.T).argmin(1)]
            found.append(near != ((means**2).sum(1) - 2 * z @ means.T).argmin(1))
        return np.concatenate(found)

    return own, means, apart


def _means(own: named.Coordinates, data: Data) -> np.ndarray:
    """Of all inputs of each class."""
    sums, start = np.zeros((len(data.values), len(own.centre))), 0
    for part in named.parts(data.x):
        np.add.at(sums, data.codes[start : start + len(part)], own(part))
        start += len(part)
    return np.asarray(sums / np.bincount(data.codes)[:, None])


def _library(maker: probing.Maker) -> named.Library:
    """The statistics that vary on some probes."""
    many = SEEN if maker.x.kind in ("texts", "table") else named.room(maker.x)
    return named.library(maker.make(many).x)


# ---- flips ----


def flipped(ground: Ground, rows: np.ndarray, queries: float, seed: int) -> flipping.Flips:
    """Flips of some of these inputs, one a group, for about so many queries, but a few inputs.

    They and others of these rows alone serve as targets: the other half's answers are not looked
    at. Of a module POINTS inputs, whatever the queries: gradients are quick.
    """
    data = ground.data
    pieces = data.x.kind in ("texts", "table")
    others = min(flipping.MOST, int(queries) // 4)
    points = max(5, (int(queries) - others) // (flipping.PIECES if pieces else flipping.COST))
    if ground.first.look.slopes is not None:
        points = POINTS
    mixed = np.random.default_rng(seed).permutation(rows)
    one = mixed[np.sort(np.unique(data.groups[mixed], return_index=True)[1])]  # a group
    start = one[: min(POINTS, points)]
    pool = np.union1d(start, mixed[:others])
    found = flipping.flips(
        ground.network, data.x.take(pool), np.flatnonzero(np.isin(pool, start)),
        coordinates=ground.view.coordinates, others=len(pool), seed=seed,
    )  # fmt: skip
    return replace(found, rows=pool[found.rows])


def _changed(own: Ground, rows: np.ndarray, queries: int, seed: int) -> Ground:
    """With what flipped inputs of these rows, in coordinates; of modules gradients say it."""
    if own.first.look.slopes is not None or len(usual((own.first, own.second))) < 2:
        return own
    found = flipped(own, rows, FLIPS[0] * queries, seed + 4)
    if not len(found.rows):
        return own
    see = own.view.coordinates
    look = replace(own.first.look, changes=see(found.x) - see(own.data.x, found.rows))
    return replace(own, first=replace(own.first, look=look))
