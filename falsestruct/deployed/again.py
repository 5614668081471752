"""Asked again, for what the court's record doesn't say: the network's own answer where a verdict
fell; a file's two ends alone; a bag of words that sees whitespace; letters searched like new lines.

Proposed by a referee after the court's numbers had been seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from falsestruct.deployed import meant
from falsestruct.deployed.destroyed import UnfitError
from falsestruct.deployed.filetypes import NAMES, FileTypes, called
from falsestruct.deployed.meant import WINDOW
from falsestruct.deployed.readers import seen
from falsestruct.deployed.smallest import DATA, MOST
from falsestruct.deployed.words import Words

ARMS = ("plain", "destroyed", "small", "filled")
CUT, LETTERS = "cut", "letters"  # further arms
EDGE = WINDOW // 4  # bytes of either end that new lines in three quarters of a window leave
QUERIES = 200  # of the search among letters, as many as that among new lines has
SIGNS = bytes.maketrans(b"\n\t \r", b"\x01\x02\x03\x04")  # whitespace as words: no file has these


class White:
    """A bag of words, as `readers.Bag`, for which each whitespace sign is a word, too."""

    def __init__(self, files: Sequence[bytes], kinds: Sequence[str]) -> None:
        self.words = Words.of([seen(data).translate(SIGNS) for data in files], kinds)

    def labels(self, files: Sequence[bytes]) -> list[str]:
        """A type a file."""
        return [NAMES[self.words.kind(seen(data).translate(SIGNS))][0] for data in files]


def said(
    kind: str, data: bytes, changes: Sequence[tuple[Mapping[str, object], bytes]], *,
    network: FileTypes, bag: White, search: bool,
) -> list[dict[str, object]]:  # fmt: skip
    """What the network says itself of changes that take its verdict, and of the two ends.

    Args:
        changes: Each with the columns that name it, and the changed file; the file itself is first.
        search: Whether to search among letters, too.

    Returns:
        Of a file that is read rightly, a row for itself, for each such change, for its ends, and of
        data for the search among letters: the columns that name it, label, raw, score, and white,
        whether the bag names the kind. "arm" of the last two is CUT and LETTERS.
    """
    if not called(kind, network.labels([data])[0]):
        return []
    asked = [*changes, ({"arm": CUT, "way": "", "amount": float(EDGE)}, cut(data))]
    if search and kind in DATA:
        asked += [
            ({"arm": LETTERS, "way": "", "amount": float(MOST)}, _letters(kind, data, network))
        ]
    answers, white = network.answers([d for _, d in asked]), bag.labels([d for _, d in asked])
    return [
        {**name, "label": one.label, "raw": one.raw, "score": one.score,
         "white": float(called(kind, other))}
        for (name, _), one, other in zip(asked, answers, white, strict=True)
        if name["arm"] not in ARMS[1:] or not called(kind, one.label)
    ]  # fmt: skip


def cut(data: bytes) -> bytes:
    """The first and the last EDGE bytes, all of a file that has no more."""
    own = data.strip()
    return own if len(own) <= 2 * EDGE else own[:EDGE] + own[-EDGE:]


def _letters(kind: str, data: bytes, network: FileTypes) -> bytes:
    """The first of QUERIES draws of MOST letters in strings and comments that takes the verdict;
    the file itself if none does."""
    for seed in range(1, QUERIES + 1):
        try:
            after = meant.inside(kind, data, MOST, seed=seed)
        except UnfitError:
            break  # no letter there
        if not called(kind, network.labels([after])[0]):
            return after
    return data
