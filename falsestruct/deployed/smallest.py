"""The fewest bytes of whitespace that keep a data file's value and take its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from falsestruct.deployed.destroyed import UnfitError
from falsestruct.deployed.filetypes import called
from falsestruct.deployed.meant import WINDOW
from falsestruct.deployed.parsers import RejectedError, UnprovedError, proved
from falsestruct.deployed.pieces import pieces

DATA = ("JSON", "XML", "TOML", "INI")  # formats that hold data: nothing is run
MOST = 16  # bytes
SIZES = (1, 2, 4, 8, 12, 16)  # tried at one place
PLACES = 24  # tried one by one, half of them at either end
Ask = Callable[[Sequence[bytes]], Sequence[str]]
Put = tuple[int, ...]  # places, one for each new line; equal ones go together


@dataclass(frozen=True)
class Flip:
    """A changed file with the same value and another verdict.

    Attributes:
        after: Its bytes.
        size: How many were put in.
        label: What it is called.
        asked: Questions that the search took.
    """

    after: bytes
    size: int
    label: str
    asked: int


def smallest(kind: str, data: bytes, ask: Ask, *, queries: int = 400, seed: int = 0) -> Flip | None:
    """Search for the fewest new lines, at most MOST, that take the verdict; an upper bound.

    First one place at a time, then places drawn at random, then without each new line of the best.

    Args:
        kind: Of DATA.
        ask: From files to verdicts; the file itself is called its kind.
        queries: At most; all but a few are asked in one go.

    Returns:
        None if nothing was found. What is found is proved to have the same value.

    Raises:
        ValueError: A kind that isn't data, or a file that isn't called its kind.
    """
    _check(kind, data, ask)
    own = list(_candidates(kind, data, queries - MOST * 2, seed))
    files = [_with(data, put) for put in own]
    labels = ask(files) if files else []
    lost = [(put, label) for put, label in zip(own, labels, strict=True) if not called(kind, label)]
    asked = len(files)
    for put, label in sorted(lost, key=lambda one: len(one[0])):
        if not _holds(kind, data, put):
            continue
        less, found, more = _fewer(kind, data, put, label, ask)
        return Flip(_with(data, less), len(less), found, asked + more)
    return None


def at_random(kind: str, data: bytes, *, seed: int = 0) -> bytes:
    """The control: MOST new lines at places drawn at random, proved to keep the value.

    Raises:
        UnfitError: There is no place for whitespace, or no proof.
    """
    gaps = _gaps(data, pieces(kind, data.decode()).gaps)
    rng = np.random.default_rng([seed, MOST])
    put = tuple(sorted(int(g) for g in rng.choice(gaps, MOST)))
    try:
        return proved(kind, data, _with(data, put), "the same meaning")
    except (UnprovedError, RejectedError) as error:
        raise UnfitError(str(error)) from None


def _check(kind: str, data: bytes, ask: Ask) -> None:
    if kind not in DATA:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(DATA)}")
    if not called(kind, found := ask([data])[0]):
        raise ValueError(f"the file is called {found!r}; expected a file that is called {kind}")


def _candidates(kind: str, data: bytes, most: int, seed: int) -> Iterator[Put]:
    """Places for new lines: at most so many different ones."""
    gaps = _gaps(data, pieces(kind, data.decode()).gaps)
    ends = [*gaps[: PLACES // 2], *gaps[PLACES // 2 :][-PLACES // 2 :]]
    seen = set[Put]()
    for size in SIZES:
        seen |= {(place,) * size for place in ends}
    yield from sorted(seen, key=lambda put: (len(put), put))[:most]
    rng = np.random.default_rng([seed, len(data)])
    for _ in range(most - len(seen)):
        size = int(rng.integers(2, MOST + 1))
        put = tuple(sorted(int(g) for g in rng.choice(gaps, size)))
        if put not in seen:
            seen.add(put)
            yield put


def _gaps(data: bytes, gaps: Sequence[int]) -> list[int]:
    """Places in bytes that the windows show, with something on either side."""
    text = data.decode()
    own = [len(text[:gap].encode()) for gap in gaps if text[:gap].strip() and text[gap:].strip()]
    seen = [gap for gap in own if gap < WINDOW or gap > len(data) - WINDOW]
    if not seen:
        raise UnfitError("no place for whitespace")
    return seen


def _with(data: bytes, put: Put) -> bytes:
    parts, last = list[bytes](), 0
    for place in put:
        parts += [data[last:place], b"\n"]
        last = place
    return b"".join([*parts, data[last:]])


def _holds(kind: str, data: bytes, put: Put) -> bool:
    try:
        proved(kind, data, _with(data, put), "the same meaning")
    except UnprovedError:
        return False
    return True


def _fewer(kind: str, data: bytes, put: Put, label: str, ask: Ask) -> tuple[Put, str, int]:
    """Without each new line that isn't needed, one after the other."""
    asked, changed = 0, True
    while changed and len(put) > 1 and asked < MOST * 2:
        changed = False
        options = sorted({put[:i] + put[i + 1 :] for i in range(len(put))})
        options = options[: MOST * 2 - asked]
        labels = ask([_with(data, option) for option in options])
        asked += len(options)
        for option, found in zip(options, labels, strict=True):
            if not called(kind, found) and _holds(kind, data, option):
                put, label, changed = option, found, True
                break
    return put, label, asked
