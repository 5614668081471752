"""Where a file's strings and comments are, and where whitespace or a comment changes no meaning.

Lexers, not parsers: they say where a change may be tried, and `parsers.proved` says whether it was
one that keeps the meaning.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable
from dataclasses import dataclass, field

Span = tuple[int, int]  # start and stop, in characters


@dataclass(frozen=True)
class Pieces:
    """Of one file's text.

    Attributes:
        strings: The insides of strings, of texts and of attributes' values.
        comments: The insides of comments.
        gaps: Places at which whitespace can be put in.
        breaks: Places at which a comment can be put in.
    """

    strings: list[Span] = field(default_factory=list)
    comments: list[Span] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)

    def outside(self, place: int) -> bool:
        """Whether a place is in no string and no comment."""
        return not any(start <= place < stop for start, stop in (*self.strings, *self.comments))


def pieces(kind: str, text: str) -> Pieces:
    """The pieces of a file that its parser takes.

    Raises:
        ValueError: no such kind, or a text that the kind's lexer can't read.
    """
    if kind not in LEXERS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(LEXERS)}")
    return LEXERS[kind](text)


def _json(text: str) -> Pieces:
    found = Pieces()
    for piece in re.finditer(r'"((?:[^"\\]|\\.)*)"|[{}\[\],:]', text):
        if piece[0][0] == '"':
            found.strings.append(piece.span(1))
        else:
            found.gaps.append(piece.end())
    return found


_LINES = {
    # strings of several lines, of one line, comments, ends of lines
    "TOML": (r'"""(?P<s1>(?:[^\\]|\\.)*?)"""|\'\'\'(?P<s2>.*?)\'\'\'|"(?P<s3>(?:[^"\\\n]|\\.)*)"|'
             r"'(?P<s4>[^'\n]*)'|#(?P<c1>[^\n]*)|(?P<end>\n)"),
    "C": (r'"(?P<s1>(?:[^"\\\n]|\\.)*)"|\'(?:[^\'\\\n]|\\.)*\'|/\*(?P<c1>.*?)\*/|'
          r"//(?P<c2>(?:[^\n\\]|\\.)*)|\\\n|(?P<end>\n)"),
}  # fmt: skip


def _of_lines(pattern: str) -> Callable[[str], Pieces]:
    """A lexer for languages in which a new line may come after the end of any line."""
    compiled = re.compile(pattern, re.S)

    def lexer(text: str) -> Pieces:
        found = Pieces()
        for piece in compiled.finditer(text):
            name = piece.lastgroup or ""
            if name.startswith("s"):
                found.strings.append(piece.span(name))
            elif name.startswith("c"):
                found.comments.append(piece.span(name))
                found.gaps.extend(_inner(text, *piece.span(name)))
            elif name == "end":
                found.gaps.append(piece.end())
                found.breaks.append(piece.end())
        found.breaks.insert(0, 0)
        return found

    return lexer


def _inner(text: str, start: int, stop: int) -> list[int]:
    """Behind the ends of the lines of a comment: what is in there means nothing, either."""
    return [i + 1 for i in range(start, stop) if text[i] == "\n"]


def _ini(text: str) -> Pieces:
    """New lines before a line that isn't indented: the others continue a value."""
    found = Pieces()
    for line in re.finditer(r"[^\n]*\n?", text):
        words = line[0].strip()
        start, stop = line.start(), line.start() + len(line[0].rstrip("\n"))
        if words[:1] in ("#", ";"):
            found.comments.append((start + line[0].index(words[0]) + 1, stop))
        elif (sign := re.search(r"[=:]", line[0])) and words[0] != "[":
            found.strings.append((start + sign.end(), stop))
        if words and not line[0][0].isspace():
            found.gaps.append(start)
    found.breaks.extend([*found.gaps, *([len(text)] if text.endswith("\n") else [])])
    return found


def _python(text: str) -> Pieces:
    found, starts = Pieces(), [0]
    for line in text.splitlines(keepends=True) if "\f" not in text else text.split("\n"):
        starts.append(starts[-1] + len(line) + ("\f" in text))
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text, newline="").readline))
    except (tokenize.TokenError, IndentationError) as error:
        raise ValueError(f"no Python: {error}") from None
    for token in tokens:
        start, stop = (starts[min(line - 1, len(starts) - 1)] + column
                       for line, column in (token.start, token.end))  # fmt: skip
        if token.type == tokenize.STRING:
            quote = re.match(r"[A-Za-z]*('''|\"\"\"|'|\")", token.string)
            if quote:
                found.strings.append((start + quote.end(), stop - len(quote[1])))
        elif token.type == tokenize.COMMENT and not token.string.startswith("#!"):
            found.comments.append((start + 1, stop))
        elif token.type in (tokenize.NEWLINE, tokenize.NL) and token.string:
            found.gaps.append(stop)
    found.breaks.extend([0, *found.gaps])
    return found


_MARKUP = re.compile(
    r"<!--(?P<comment>.*?)-->|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<!(?P<declaration>[^\[>]*(?:\[.*?\]\s*)?)>"
    r"|<\?(?P<instruction>.*?)\?>"
    r"|<(?P<raw>script|style|textarea|title)\b(?P<inside>[^>]*)>.*?</(?P=raw)\s*>"
    r"|<(?P<tag>/?[A-Za-z_:](?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>|(?P<text>[^<]+)",
    re.S | re.I,
)
VALUE = re.compile(r"=\s*(?:\"([^\"]*)\"|'([^']*)')")


def _markup(*, raw: bool) -> Callable[[str], Pieces]:
    """XML, or HTML with elements whose content is no markup."""
    pattern = _MARKUP if raw else re.compile(
        _MARKUP.pattern.replace("script|style|textarea|title", "(?!)"), re.S
    )  # fmt: skip

    def lexer(text: str) -> Pieces:
        found = Pieces(breaks=[] if text.startswith("<?xml") else [0])
        for piece in pattern.finditer(text):
            name = next((n for n, v in piece.groupdict().items() if v is not None), "")
            if name in ("declaration", "instruction"):
                found.breaks.append(piece.end())
            elif name == "comment":
                found.comments.append(piece.span("comment"))
                found.gaps.extend(_inner(text, *piece.span("comment")))
            elif name == "text":
                found.strings.append(piece.span())
            elif name == "tag":
                start, inside = piece.start("tag"), piece["tag"]
                found.gaps.append(start + len(inside.rstrip().removesuffix("/").rstrip()))
                found.breaks.append(piece.end())
                for value in VALUE.finditer(inside):
                    group = 1 if value[1] is not None else 2
                    found.strings.append((start + value.start(group), start + value.end(group)))
        return found

    return lexer


def _csv(text: str) -> Pieces:
    fields = re.finditer(r'"((?:[^"]|"")*)"|([^",\n\r]+)', text)
    return Pieces(strings=[one.span(1 if one[1] is not None else 2) for one in fields])


LEXERS: dict[str, Callable[[str], Pieces]] = {
    "JSON": _json, "XML": _markup(raw=False), "Python": _python,
    "TOML": _of_lines(_LINES["TOML"]), "INI": _ini, "C": _of_lines(_LINES["C"]),
    "HTML": _markup(raw=True), "CSV": _csv,
}  # fmt: skip
