"""What Magika's network says of files, and of the same files changed.

`court` takes any reader from bytes to verdicts, so that readers built by hand can stand in for the
network. A change that a file doesn't admit has no verdict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from falsestruct.deployed import destroyed, filetypes, made, meant, sample, smallest
from falsestruct.deployed.destroyed import UnfitError
from falsestruct.deployed.filetypes import called
from falsestruct.deployed.meant import WINDOW
from falsestruct.deployed.parsers import REJECTING, installed, meaning
from falsestruct.deployed.verdicts import judged

SIZES = (8, 12, 32, 128)  # bytes of small changes
SHARES = (0.25, 0.5, 0.75, 0.9)  # of both windows
FULL = 0.75  # the share that claims are about
MANY = round(2 * FULL * WINDOW)  # bytes that this is
SHORT, LONG = 700, 3000  # bytes of made files
NEWLINES = 64  # that they get
QUERIES = 200  # of the search for the smallest change
FIRST_SEED = 1000
SHOWN = 160  # bytes of a file that are shown
Ask = Callable[[Sequence[bytes]], Sequence[str]]


@dataclass(frozen=True)
class File:
    """One file.

    Attributes:
        name: Its SHA-256, or the seed that it was made with.
        kind: Of `parsers.KINDS`.
        half: open or sealed; made, if it was.
    """

    name: str
    kind: str
    half: str
    data: bytes


@dataclass(frozen=True)
class Change:
    """One change of a file.

    Attributes:
        arm: plain, destroyed, small, filled, inside or random.
        way: Of the arm; "" if it has one only.
        amount: Bytes, or a share of both windows; 0 if the arm has none.
    """

    arm: str
    way: str = ""
    amount: float = 0.0


def real(manifest: pd.DataFrame) -> list[File]:
    """The files of a manifest, as `sample.read` finds them."""
    return [File(str(row["sha256"]), str(row["type"]), str(row["half"]), sample.read(row))
            for _, row in manifest.iterrows()]  # fmt: skip


def generated(count: int, plan: made.Plan, kinds: Sequence[str] = REJECTING) -> list[File]:
    """So many files by each grammar whose parser is here, seeds from FIRST_SEED on."""
    kinds = [kind for kind in kinds if installed(kind)]
    return [File(str(seed), kind, "made", made.made(kind, seed, plan))
            for kind in kinds for seed in range(FIRST_SEED, FIRST_SEED + count)]  # fmt: skip


def changes(kind: str) -> Iterator[Change]:
    """All that is asked about a file of this kind, but for the search."""
    yield Change("plain")
    if kind in REJECTING:
        yield from (Change("destroyed", way) for way in (*destroyed.WAYS, destroyed.CONTROL))
    for size in SIZES:
        yield from (Change("small", way, size) for way in meant.ways(kind))
        yield Change("inside", "", size)
    yield Change("inside", "", MANY)
    if kind != "CSV":
        ways = meant.FILLINGS[: 1 if kind == "JSON" else None]
        yield from (Change("filled", way, share) for way in ways for share in SHARES)
    if kind in smallest.DATA:
        yield Change("random", "", smallest.MOST)


def changed(file: File, change: Change) -> bytes | None:
    """The changed file, or None if it doesn't admit the change."""
    kind, data, size = file.kind, file.data, int(change.amount)
    makers: dict[str, Callable[[], bytes]] = {
        "plain": lambda: data,
        "destroyed": lambda: destroyed.destroyed(kind, data, change.way),
        "small": lambda: meant.changed(kind, data, change.way, size),
        "filled": lambda: meant.filled(kind, data, change.way, change.amount),
        "inside": lambda: meant.inside(kind, data, size),
        "random": lambda: smallest.at_random(kind, data),
    }
    try:
        return makers[change.arm]()
    except UnfitError:
        return None


def court(
    files: Sequence[File], ask: Ask, *, others: Mapping[str, Ask] | None = None
) -> pd.DataFrame:
    """What a reader says of files and of all their changes.

    Only files that are first read rightly are changed.

    Args:
        others: Further readers, asked about the same bytes, by name.

    Returns:
        Columns file, kind, half, size, arm, way, amount, label (missing if the file doesn't admit
        the change), kept (1, 0 or missing), outcome; whether each other reader is right, likewise.
    """
    rows: list[dict[str, object]] = []
    for file in files:
        own = [Change("plain")]
        first = ask([file.data])[0]
        if called(file.kind, first):
            own = list(changes(file.kind))
        made_of = [file.data, *(changed(file, change) for change in own[1:])]
        known = [data for data in made_of if data is not None]
        labels = _spread([first, *ask(known[1:])], made_of)
        said = {name: _spread(list(other(known)), made_of)
                for name, other in (others or {}).items()}  # fmt: skip
        for i, (change, label) in enumerate(zip(own, labels, strict=True)):
            rows.append(
                {"file": file.name, "kind": file.kind, "half": file.half, "size": len(file.data)}
                | asdict(change) | judged(file.kind, label)
                | {name: judged(file.kind, one[i])["kept"] for name, one in said.items()}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _spread(labels: Sequence[str], files: Sequence[bytes | None]) -> list[str | None]:
    """The answers in their files' places, None where a file doesn't admit the change."""
    left = iter(labels)
    return [None if data is None else next(left) for data in files]


def lengths(count: int, ask: Ask) -> pd.DataFrame:
    """Made files of two lengths and two vocabularies, before and after new lines.

    Columns: kind, file, size, words, kept (missing if it was misread to begin with).
    """
    rows = []
    for size in (SHORT, LONG):
        for words in (True, False):
            files = generated(count, made.Plan(size, words=words))
            after = [meant.changed(f.kind, f.data, "newlines, head", NEWLINES) for f in files]
            said = zip(files, ask([f.data for f in files]), ask(after), strict=True)
            rows += [
                {"kind": f.kind, "file": f.name, "size": size, "words": words,
                 "kept": float(called(f.kind, then)) if called(f.kind, first) else np.nan}
                for f, first, then in said
            ]  # fmt: skip
    return pd.DataFrame(rows)


def flips(files: Sequence[File], ask: Ask, *, queries: int = QUERIES) -> pd.DataFrame:
    """The search for the smallest change, for data formats: a row a file that is read rightly.

    Columns: file, kind, half, size, found (bytes put in, missing if none were found), label, asked.
    """
    rows = []
    for file in files:
        if file.kind not in smallest.DATA or not called(file.kind, ask([file.data])[0]):
            continue
        flip = smallest.smallest(file.kind, file.data, ask, queries=queries)
        said = (
            {} if flip is None else {"found": flip.size, "label": flip.label, "asked": flip.asked}
        )
        rows.append({"file": file.name, "kind": file.kind, "half": file.half,
                     "size": len(file.data), "found": np.nan, "label": None, "asked": queries}
                    | said)  # fmt: skip
    return pd.DataFrame(rows)


def side_by_side(files: Sequence[File], ask: Ask, *, queries: int = QUERIES) -> pd.DataFrame:
    """Data files whose verdict flips, before and after, with a digest of what both mean.

    Columns: kind, file, before, after (verdicts), put_in (bytes), first (what the file's and the
    changed file's heads look like, as Python writes bytes), second, meaning (SHA-256, of either:
    equal, or the row isn't made).
    """
    rows = []
    for file in files:
        if file.kind not in smallest.DATA or not called(file.kind, before := ask([file.data])[0]):
            continue
        flip = smallest.smallest(file.kind, file.data, ask, queries=queries)
        if flip is not None:
            both = file.data, flip.after
            digests = {hashlib.sha256(repr(meaning(file.kind, one)).encode()).hexdigest()
                       for one in both}  # fmt: skip
            first, second = (repr(one[:SHOWN])[2:-1] for one in both)
            rows.append({"kind": file.kind, "file": file.name, "before": before,
                         "after": flip.label, "put_in": flip.size, "first": first,
                         "second": second, "meaning": digests.pop()})  # fmt: skip
    return pd.DataFrame(rows)


def windows(count: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether the network's input changes with bytes beyond both blocks, and with one inside.

    Made files are stretched to several blocks by repetition.

    Returns:
        (files,) each: other bytes beyond the first and last 4,096; another byte, which is no
        whitespace, in the place of such a one in the first 1,024 or the last.
    """
    config, rng = filetypes.config(), np.random.default_rng(seed)
    outside, inside = [], []
    for file in generated(count, made.Plan(LONG)):
        data = file.data.strip() * (1 + 4 * config.block // len(file.data))
        before = filetypes.window(data, config)
        middle = rng.bytes(int(rng.integers(1, 2 * config.block)))
        after = data[: config.block] + middle + data[-config.block :]
        outside.append(not np.array_equal(before, filetypes.window(after, config)))
        black = [i for i, sign in enumerate(data) if not chr(sign).isspace()]
        near = [i for i in black if i < config.first or i >= len(data) - config.last]
        place = int(rng.choice(near))
        other = bytes([33 + (data[place] - 33 + int(rng.integers(1, 94))) % 94])
        after = data[:place] + other + data[place + 1 :]
        inside.append(not np.array_equal(before, filetypes.window(after, config)))
    return np.array(outside), np.array(inside)
