"""Files that look different and mean the same, each with a proof, and the controls beside them."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence

import numpy as np

from falsestruct.deployed.destroyed import UnfitError
from falsestruct.deployed.parsers import UnprovedError, accepted, proved
from falsestruct.deployed.pieces import VALUE, Pieces, pieces

WINDOW = 1024  # bytes of the network's two windows
NEAR = 0.9  # of what should be filled, the least that is
MARKUP = ("XML", "HTML")
C_LINES = (
    "#include <stdio.h>", "#include <stdlib.h>", "static void swap(int *a, int *b) {",
    "    int other = *a; *a = *b; *b = other;", "}", "int main(int argc, char **argv) {",
    "    unsigned int i, size = 0;", "    for (i = 1; i < argc; i++) {",
    '        printf("%d: %s\\n", i, argv[i]);', "        size += strlen(argv[i]);", "    }",
    "    return size > 0 ? EXIT_SUCCESS : EXIT_FAILURE;", "}",
)  # fmt: skip
PYTHON_LINES = (
    "import sys", "from pathlib import Path", "class Reader(object):",
    "    def __init__(self, path, size=None):", "        self.path = Path(path)",
    "        self.size = size or len(path)", "    def lines(self):",
    "        for line in self.path.read_text().splitlines():", "            yield line.strip()",
    "def main():", "    for name in sys.argv[1:]:", "        print(sum(1 for _ in open(name)))",
    "if __name__ == '__main__':", "    main()",
)  # fmt: skip
Change = Callable[[str, str, int], str]  # kind, text and bytes to the changed text


# ---- small changes: at most so many bytes ----


def _newlines(kind: str, text: str, size: int, *, last: bool = False) -> str:
    place = _gap(kind, text, last=last)
    return text[:place] + "\n" * size + text[place:]


def _spread(kind: str, text: str, size: int) -> str:
    """Newlines over the gaps that the windows show, as evenly as they go."""
    gaps = [g for g in _own(kind, text).gaps if g < WINDOW or g > len(text) - WINDOW]
    if not gaps:
        raise UnfitError(f"{kind}: no place for whitespace")
    where = [gaps[i * len(gaps) // size] for i in range(size)]
    return _put(text, {gap: "\n" * where.count(gap) for gap in set(where)})


def _comment(kind: str, text: str, size: int, *, behind: bool = False) -> str:
    own = comment(kind, _other(kind), size)
    place = len(text) if behind else _front(kind, text)
    return _put(_ended(kind, text), {place if not behind else len(_ended(kind, text)): own})


def _quotes(kind: str, text: str, size: int) -> str:
    """The other quotes around strings that hold neither and no escape."""
    marks: dict[int, str] = {}
    for start, stop in _own(kind, text).strings:
        edge = text[start - 1 : start] + text[stop : stop + 1]
        plain = not re.search(r"[\"'\\\n]", text[start:stop])
        if plain and edge in ('""', "''") and text[start - 2 : start] != edge and len(marks) < size:
            marks[start - 1] = marks[stop] = '"' if edge == "''" else "'"
    return _replaced(kind, text, marks)


def _fields(kind: str, text: str, size: int) -> str:
    """Quotes around fields that have none."""
    bare = [s for s in _own(kind, text).strings if text[s[0] - 1 : s[0]] != '"' or s[0] == 0]
    marks = dict[int, str]()
    for start, stop in bare[: size // 2]:
        marks |= {start: '"' + text[start], stop - 1: text[stop - 1] + '"'}
        if stop - start == 1:
            marks[start] = f'"{text[start]}"'
    return _replaced(kind, text, marks)


def _order(kind: str, text: str, size: int) -> str:
    """The attributes of tags in the reverse order."""
    left = size

    def turned(tag: re.Match[str]) -> str:
        nonlocal left
        own = re.findall(r"[^\s=<>/\"']+\s*" + VALUE.pattern, tag[2])
        spans = [m[0] for m in re.finditer(r"[^\s=<>/\"']+\s*" + VALUE.pattern, tag[2])]
        moved = sum(map(len, spans))
        if len(own) < 2 or moved > left:
            return tag[0]
        left -= moved
        return f"{tag[1]}{' '.join(reversed(spans))}{tag[3]}"

    attributes = rf"(<[A-Za-z_:][^\s<>/]*\s+)((?:[^\s=<>/\"']+\s*{_bare(VALUE.pattern)}\s*)+)(/?>)"
    return re.sub(attributes, turned, text)


def _bare(pattern: str) -> str:
    """A pattern without groups of its own."""
    return re.sub(r"\((?!\?)", "(?:", pattern)


_ESCAPES = {
    "JSON": "\\u{:04x}", "XML": "&#x{:x};", "HTML": "&#x{:x};", "Python": "\\x{:02x}",
    "TOML": "\\u{:04x}",
}  # fmt: skip


def _escapes(kind: str, text: str, size: int) -> str:
    """Letters in strings as escapes, from the front."""
    form, marks, left = _ESCAPES[kind], dict[int, str](), size
    for place in _letters(kind, text, escaped=True):
        own = form.format(ord(text[place]))
        if (left := left - len(own)) < 0:
            break
        marks[place] = own
    return _replaced(kind, text, marks)


SMALL: dict[str, tuple[Change, tuple[str, ...]]] = {
    "newlines, head": (_newlines, ("JSON", "XML", "Python", "TOML", "INI", "C", "HTML")),
    "newlines, tail": (
        lambda kind, text, size: _newlines(kind, text, size, last=True),
        ("JSON", "XML", "Python", "TOML", "INI", "C", "HTML"),
    ),
    "newlines, spread": (_spread, ("JSON", "XML", "Python", "TOML", "INI", "C", "HTML")),
    "comment, front": (_comment, ("XML", "Python", "TOML", "INI", "C", "HTML")),
    "comment, behind": (
        lambda kind, text, size: _comment(kind, text, size, behind=True),
        ("XML", "Python", "TOML", "INI", "C", "HTML"),
    ),
    "quotes": (_quotes, ("XML", "Python", "TOML", "HTML")),
    "fields in quotes": (_fields, ("CSV",)),
    "order": (_order, MARKUP),
    "escapes": (_escapes, tuple(_ESCAPES)),
}


def ways(kind: str) -> list[str]:
    """The small changes that a kind has."""
    return [way for way, (_, kinds) in SMALL.items() if kind in kinds]


def changed(kind: str, data: bytes, way: str, size: int) -> bytes:
    """The file after a change of at most so many bytes that keeps its meaning, proved.

    Args:
        way: Of `ways(kind)`.
        size: Bytes put in or replaced, at most; whole pairs of quotes, tags and escapes.

    Raises:
        ValueError: No such way for this kind, or a size below 1.
        UnfitError: The file has nothing that this change could change.
        RejectedError: The parser doesn't take the file.
    """
    if way not in ways(kind) or size < 1:
        known = ", ".join(ways(kind))
        raise ValueError(f"{kind}, {way!r}, {size}; expected one of {known}, and at least one byte")
    after = _proved(kind, data, SMALL[way][0](kind, data.decode(), size), way)
    if len(after) - len(data) > size:
        raise UnfitError(f"{way}: the smallest takes {len(after) - len(data)} bytes")
    return after


# ---- windows filled by a share ----

FILLINGS = ("newlines", "other language", "own language")


def filled(kind: str, data: bytes, what: str, share: float) -> bytes:
    """The file with a share of both windows filled, proved to mean the same.

    Args:
        what: "newlines" inside of the file's first and last bytes; comments before and behind it
            with lines of another language, or with lines of its own.
        share: Of each window, above 0 and below 1.

    Raises:
        ValueError: No such filling, or a share out of range.
        UnfitError: The kind has no comments, or the file no place near enough to its ends.
        RejectedError: The parser doesn't take the file.
    """
    if what not in FILLINGS or not 0 < share < 1:
        raise ValueError(f"{what!r}, {share}; expected one of {', '.join(FILLINGS)}, and a share")
    text, size = data.decode(), round(share * WINDOW)
    if what == FILLINGS[0]:
        first, last = _gap(kind, text), _gap(kind, text, last=True)
        far = max(first, len(text) - last)
        own = tail = "\n" * size
    else:
        if kind not in SMALL["comment, front"][1]:
            raise UnfitError(f"{kind} has no comments")
        lines = _other(kind) if what == FILLINGS[1] else _safe(kind, text)
        own = tail = comment(kind, lines, size)
        first, text = _front(kind, text), _ended(kind, text)
        last, far = len(text), first
    if far > WINDOW - NEAR * size:
        raise UnfitError(f"{kind}: no place within {WINDOW - size} bytes of both ends")
    whole = {first: own, last: tail} if first != last else {first: own + tail}
    return _proved(kind, data, _put(text, whole), what)


# ---- the control: as many bytes, where they mean something ----


def inside(kind: str, data: bytes, size: int, *, seed: int = 0) -> bytes:
    """The file with letters replaced inside strings, texts and comments that the windows show.

    Args:
        size: How many letters, at most; all there are, if fewer.

    Returns:
        Bytes that the parser takes. They mean something else, unless all letters are in comments.

    Raises:
        UnfitError: No letters there, or the parser takes none of a few draws.
    """
    text, rng = data.decode(), np.random.default_rng([seed, size])
    places = _letters(kind, text) + _commented(kind, text)
    seen = [p for p in places if p < WINDOW or p > len(text) - WINDOW]
    if not seen:
        raise UnfitError(f"{kind}: no letter in a string or comment")
    for _ in range(20):
        chosen = rng.permutation(seen)[:size]
        marks = {int(p): _letter(text[p], rng) for p in chosen}
        after = _put(text, marks, replace=True).encode()
        if accepted(kind, after):
            return after
    raise UnfitError(f"{kind}: the parser takes no replaced letters")


def _letter(old: str, rng: np.random.Generator) -> str:
    """Another letter of the same case."""
    pool = string.ascii_lowercase if old.islower() else string.ascii_uppercase
    return str(rng.choice([one for one in pool if one != old]))


# ---- parts ----


def comment(kind: str, lines: Sequence[str], size: int) -> str:
    """A comment of about so many bytes with these lines over and over, on lines of its own."""
    first, prefix, last = {
        "XML": ("<!--\n", "", "-->"), "HTML": ("<!--\n", "", "-->"), "C": ("/*\n", "", "*/\n"),
    }.get(kind, ("", "# ", ""))  # fmt: skip
    body, i = "", 0
    room = max(size - len(first) - len(last), len(prefix) + 1)
    while len(body) < room:
        body += f"{prefix}{lines[i % len(lines)]}\n"
        i += 1
    # Cut in the middle of a line, so that the size is what was asked for.
    body = re.sub(r"[-*/\s]+$", lambda end: "x" * len(end[0]), body[: room - 1]) + "\n"
    return first + body + last


def _other(kind: str) -> Sequence[str]:
    return PYTHON_LINES if kind == "C" else C_LINES


def _safe(kind: str, text: str) -> list[str]:
    """The file's own lines, as far as a comment can hold them."""
    bad = {"XML": "--|<!", "HTML": "--|<!", "C": r"\*/|/\*|\\$|\?\?/"}.get(kind, r"(?!)")
    own = [line.rstrip() for line in text.split("\n") if line.strip() and not re.search(bad, line)]
    if not own:
        raise UnfitError(f"{kind}: no line that a comment can hold")
    return own


def _own(kind: str, text: str) -> Pieces:
    try:
        return pieces(kind, text)
    except ValueError as error:
        raise UnfitError(str(error)) from None


def _gap(kind: str, text: str, *, last: bool = False) -> int:
    """The first or last place for whitespace with something before and behind it."""
    gaps = [g for g in _own(kind, text).gaps if text[:g].strip() and text[g:].strip()]
    if not gaps:
        raise UnfitError(f"{kind}: no place for whitespace")
    return gaps[-1 if last else 0]


def _front(kind: str, text: str) -> int:
    """Where the first comment may stand: behind declarations, and a first line of #!."""
    breaks = _own(kind, text).breaks
    if kind in MARKUP:
        heads = re.match(
            r"\s*(?:<\?.*?\?>\s*|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>\s*)*", text, re.S | re.I
        )
        stop = len(heads[0].rstrip()) if heads else 0
        breaks = [place for place in breaks if place >= stop]
    if text.startswith("#!"):
        breaks = [place for place in breaks if place > 0]
    if not breaks:
        raise UnfitError(f"{kind}: no place for a comment")
    return breaks[0]


def _ended(kind: str, text: str) -> str:
    return text if kind in MARKUP or text.endswith("\n") else text + "\n"


_FIXED = re.compile(r"\\.[0-9A-Fa-f{}\w]*|&[^;\s]*;?|%[\w(.]+|\{[^{}]*\}", re.S)


def _letters(kind: str, text: str, *, escaped: bool = False) -> list[int]:
    """Places of letters in strings that are letters, and no part of an escape or a field.

    Args:
        escaped: Only in strings whose escapes the parser reads.
    """
    found = list[int]()
    for start, stop in _own(kind, text).strings:
        if escaped and not _reads_escapes(kind, text, start):
            continue
        fixed = {i for m in _FIXED.finditer(text, start, stop) for i in range(*m.span())}
        found += [i for i in range(start, stop)
                  if text[i].isascii() and text[i].isalpha() and i not in fixed]  # fmt: skip
    return found


def _reads_escapes(kind: str, text: str, start: int) -> bool:
    if kind == "Python":
        prefix = re.search(r"([A-Za-z]*)(?:'''|\"\"\"|'|\")$", text[max(start - 6, 0) : start])
        return prefix is not None and not set(prefix[1].lower()) & set("rf")
    return kind != "TOML" or text[start - 1] == '"'


def _commented(kind: str, text: str) -> list[int]:
    spans = _own(kind, text).comments
    return [i for start, stop in spans for i in range(start, stop)
            if text[i].isascii() and text[i].isalpha()]  # fmt: skip


def _replaced(kind: str, text: str, marks: dict[int, str]) -> str:
    if not marks:
        raise UnfitError(f"{kind}: nothing to replace")
    return _put(text, marks, replace=True)


def _put(text: str, marks: dict[int, str], *, replace: bool = False) -> str:
    """Texts put in at places of the text, or in place of the sign there."""
    parts, last = list[str](), 0
    for place in sorted(marks):
        parts += [text[last:place], marks[place]]
        last = place + replace
    return "".join([*parts, text[last:]])


def _proved(kind: str, data: bytes, after: str, way: str) -> bytes:
    """As `parsers.proved`; what no parser bears out can't be made of this file."""
    try:
        return proved(kind, data, after.encode(), "the same meaning")
    except UnprovedError as error:
        raise UnfitError(f"{way}: {error}") from None
