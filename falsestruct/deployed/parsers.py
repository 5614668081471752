"""What a parser says about a file: whether it takes it, and what it means.

Each kind has one meaning, so that "the same meaning" is one comparison. Parsers are those of the
standard library, and pycparser for C; those of HTML and CSV take anything.
"""

from __future__ import annotations

import ast
import configparser
import csv
import importlib.util
import io
import json
import re
import tomllib
import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, Literal
from xml.etree import ElementTree

REJECTING = ("JSON", "XML", "Python", "TOML", "INI", "C")  # kinds whose parsers reject
KINDS = (*REJECTING, "HTML", "CSV")
Outcome = Literal["the same meaning", "rejected"]
# What a C file gets from its includes, as far as its grammar asks: names of types.
TYPES = str.split(
    "size_t ssize_t ptrdiff_t wchar_t time_t off_t pid_t uid_t gid_t mode_t FILE va_list bool "
    "int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t "
    "intmax_t uintmax_t u_char u_short u_int u_long u_int8_t u_int16_t u_int32_t u_int64_t"
)
_C_PIECES = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|/\*.*?\*/|//(?:[^\n\\]|\\.)*', re.S
)


class RejectedError(ValueError):
    """The parser doesn't take it."""


class UnprovedError(ValueError):
    """A change isn't what it was made to be."""


def installed(kind: str) -> bool:
    """Whether the kind's parser is here: pycparser is optional."""
    return kind != "C" or importlib.util.find_spec("pycparser") is not None


def meaning(kind: str, data: bytes) -> object:
    """What the file means: equal if, and only if, its parser can't tell two files apart.

    JSON: the value, with the order of members, repeated ones and the numbers' digits. XML: its
    canonical form (C14N 2.0) without comments. Python: the syntax tree without places. TOML: the
    value. INI: sections and options, repeated ones rejected. C: the syntax tree of what is left of
    the file without its comments, and its directives. HTML: the tags with their attributes, and
    the texts between them. CSV: the fields.

    Raises:
        RejectedError: The parser doesn't take it, or it isn't UTF-8.
        ValueError: No such kind.
    """
    if kind not in READERS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
    try:
        return READERS[kind](data.decode("utf-8"))
    except _errors() as error:
        raise RejectedError(f"{kind}: {type(error).__name__}: {error}") from None


def accepted(kind: str, data: bytes) -> bool:
    """Whether the parser takes it."""
    try:
        meaning(kind, data)
    except RejectedError:
        return False
    return True


def proved(kind: str, before: bytes, after: bytes, outcome: Outcome) -> bytes:
    """The changed file, with a proof: the parser takes the file before it, and then as said.

    Raises:
        UnprovedError: Nothing changed, or the parser disagrees.
        RejectedError: The parser doesn't take the file before the change.
    """
    first = meaning(kind, before)
    if before == after:
        raise UnprovedError(f"{kind}: nothing changed")
    try:
        same: bool | None = meaning(kind, after) == first
    except RejectedError:
        same = None
    if same is not (True if outcome == "the same meaning" else None):
        found = {True: "the same meaning", False: "another meaning", None: "rejected"}[same]
        raise UnprovedError(
            f"{kind}: the changed file has the outcome {found!r}; expected {outcome!r}"
        )
    return after


# ---- a reader a kind: text to meaning ----


def _json(text: str) -> object:
    def number(digits: str) -> tuple[str, str]:
        return "number", digits

    def constant(name: str) -> object:
        raise ValueError(f"{name} is no JSON")

    def members(pairs: list[tuple[str, Any]]) -> tuple[str, list[tuple[str, Any]]]:
        return "object", pairs

    return json.loads(
        text, object_pairs_hook=members, parse_float=number, parse_int=number,
        parse_constant=constant,
    )  # fmt: skip


def _xml(text: str) -> object:
    return ElementTree.canonicalize(from_file=io.BytesIO(text.encode()), with_comments=False)


def _python(text: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that later versions will reject
        return ast.dump(ast.parse(text.encode()))


def _toml(text: str) -> object:
    return repr(tomllib.loads(text))  # NaN differs from itself, and 1 equals 1.0


def _ini(text: str) -> object:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    sections = [(name, list(parser[name].items())) for name in parser.sections()]
    return sections, list(parser.defaults().items())


def _c(text: str) -> object:
    from pycparser import CParser

    code, directives = without_directives(uncommented(text))
    scope = "".join(f"typedef int {name};\n" for name in TYPES)
    out = io.StringIO()
    CParser().parse(scope + code).show(buf=out, attrnames=True, nodenames=True)
    return out.getvalue(), directives


def uncommented(text: str) -> str:
    """C text with a space in place of each comment, its lines kept (translation phase 3)."""

    def replaced(piece: re.Match[str]) -> str:
        found = piece[0]
        return " " + "\n" * found.count("\n") if found[:2] in ("/*", "//") else found

    return _C_PIECES.sub(replaced, text)


def without_directives(text: str) -> tuple[str, list[str]]:
    """C text of one translation unit without its directives, and these, in their order.

    Nothing is included and no macro is expanded. Of a condition the first branch is taken, but for
    the ones that only C++ sees, or that ask for 0.
    """
    kept: list[str] = []
    directives: list[str] = []
    taken: list[bool] = []  # of the conditions around a line
    before: list[bool] = []  # whether one of their earlier branches was
    for line in re.sub(r"\\\n", " ", text).split("\n"):
        words = line.strip()
        if not words.startswith("#"):
            if all(taken):
                kept.append(line)
            continue
        directive = " ".join(words.removeprefix("#").split())
        directives.append(directive)
        name = directive.split(" ", 1)[0]
        if name in ("if", "ifdef", "ifndef"):
            never = r"ifdef __cplusplus|if defined ?\(? ?__cplusplus|if 0$"
            taken.append(not re.match(never, directive))
            before.append(taken[-1])
        elif name in ("else", "elif", "endif") and not taken:
            raise ValueError(f"#{name} without #if")
        elif name in ("else", "elif"):
            taken[-1] = not before[-1]
            before[-1] = True
        elif name == "endif":
            taken.pop()
            before.pop()
    if taken:
        raise ValueError("#if without #endif")
    return "\n".join(kept), directives


class _Events(HTMLParser):
    """Tags with their attributes in the order of names, and texts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[Any, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        first = {name: value for name, value in reversed(attrs)}  # the first of equal names counts
        self.found.append(("start", tag, sorted(first.items())))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(("end", tag))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "text":
            data = self.found.pop()[1] + data
        self.found.append(("text", data))

    def handle_decl(self, decl: str) -> None:
        self.found.append(("declaration", decl))

    def handle_pi(self, data: str) -> None:
        self.found.append(("instruction", data))


def _html(text: str) -> object:
    events = _Events()
    events.feed(text)
    events.close()
    return events.found


def _csv(text: str) -> object:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


READERS: dict[str, Callable[[str], object]] = {
    "JSON": _json, "XML": _xml, "Python": _python, "TOML": _toml, "INI": _ini, "C": _c,
    "HTML": _html, "CSV": _csv,
}  # fmt: skip


def _errors() -> tuple[type[Exception], ...]:
    """What parsers raise."""
    own: tuple[type[Exception], ...] = (
        ValueError, SyntaxError, RecursionError, MemoryError, AssertionError, configparser.Error,
        csv.Error,
    )  # fmt: skip
    if installed("C"):
        from pycparser.c_parser import ParseError

        own = (*own, ParseError)
    return own
