"""Files whose grammar is destroyed while what they look like is kept, each with a proof."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from falsestruct.deployed.parsers import REJECTING, UnprovedError, proved
from falsestruct.deployed.pieces import pieces

TRIES = 20  # draws of a random order until the parser rejects one
LINES = 10  # with words in them, that a file needs before their order says anything


class UnfitError(ValueError):
    """The file has nothing that this change could change."""


def separators(kind: str, data: bytes, rng: np.random.Generator) -> bytes:
    """Without its separators: commas (JSON), colons (Python), = (TOML, INI; or :), semicolons (C),
    the slashes of end tags (XML), wherever they are in no string and no comment."""
    text = data.decode()
    own = pieces(kind, text)
    sign = {"JSON": ",", "XML": "(?<=<)/", "Python": ":", "TOML": "=", "INI": "=|:", "C": ";"}[kind]
    places = [m.start() for m in re.finditer(sign, text) if kind == "INI" or own.outside(m.start())]
    if kind == "INI":
        places = _first_of_lines(text, places)
    return _without(text, places, f"{kind}: no separator")


def closer(kind: str, data: bytes, rng: np.random.Generator) -> bytes:
    """Without its last closing bracket: > (XML), ] (TOML, INI), one of )]} (others)."""
    text = data.decode()
    own = pieces(kind, text)
    sign = {"XML": ">", "TOML": r"\]", "INI": r"\](?=[^\S\n]*(?:\n|$))"}.get(kind, r"[)\]}]")
    places = [m.start() for m in re.finditer(sign, text) if own.outside(m.start())]
    return _without(text, places[-1:], f"{kind}: no closing bracket")


def lines(kind: str, data: bytes, rng: np.random.Generator) -> bytes:
    """Its lines in random order."""
    found = data.decode().split("\n")
    if sum(bool(line.strip()) for line in found) < LINES:
        raise UnfitError(f"{kind}: fewer than {LINES} lines")
    return "\n".join(found[i] for i in rng.permutation(len(found))).encode()


def words(kind: str, data: bytes, rng: np.random.Generator) -> bytes:
    """Its words in random order, between them the whitespace as it was."""
    found = re.split(r"(\s+)", data.decode())
    order = rng.permutation(len(found[::2]))
    found[::2] = [found[::2][i] for i in order]
    return "".join(found).encode()


def shuffled(kind: str, data: bytes, rng: np.random.Generator) -> bytes:
    """Its bytes in random order: what the network would keep if it counted bytes."""
    return bytes(rng.permutation(np.frombuffer(data, dtype=np.uint8)).tolist())


WAYS: dict[str, Callable[[str, bytes, np.random.Generator], bytes]] = {
    "separators": separators, "closer": closer, "lines": lines, "words": words,
}  # fmt: skip
CONTROL = "bytes"  # in random order


def destroyed(kind: str, data: bytes, way: str, *, seed: int = 0) -> bytes:
    """The file with its grammar destroyed in one of WAYS, or by CONTROL.

    Returns:
        Bytes that the parser is proved to reject.

    Raises:
        ValueError: No such way, or a kind whose parser rejects nothing.
        UnfitError: The file lacks what would be changed, or parsers take it however it is shuffled.
        RejectedError: The parser doesn't take the file itself.
    """
    if kind not in REJECTING:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(REJECTING)}")
    if way not in (*WAYS, CONTROL):
        raise ValueError(f"way is {way!r}; expected one of {', '.join(WAYS)}, {CONTROL}")
    rng = np.random.default_rng([seed, *way.encode()])
    for _ in range(TRIES):
        after = WAYS.get(way, shuffled)(kind, data, rng)
        try:
            return proved(kind, data, after, "rejected")
        except UnprovedError as error:
            last = error
    raise UnfitError(f"{kind}, {way}: {last}")


def _first_of_lines(text: str, places: list[int]) -> list[int]:
    """Of each line that isn't a comment, a header or a continuation, the first place."""
    found: dict[int, int] = {}
    for place in places:
        start = text.rfind("\n", 0, place) + 1
        if text[start] not in "#;[ \t":
            found.setdefault(start, place)
    return list(found.values())


def _without(text: str, places: list[int], what: str) -> bytes:
    if not places:
        raise UnfitError(what)
    gone = set(places)
    return "".join(sign for i, sign in enumerate(text) if i not in gone).encode()
