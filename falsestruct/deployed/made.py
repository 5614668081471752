"""Files made by grammars: their length, depth and vocabulary are ours to choose.

A file is made of blocks until it is as long as asked for. Its names are two words joined, or as
many random letters, so that vocabulary alone can change.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

from falsestruct.deployed.parsers import REJECTING, meaning

WORDS = str.split(
    "name size value color width height index count table group state table order title label "
    "source target parent child first last start stop length depth level user role path file "
    "folder image point line area text word page book note item list entry field record event "
    "time date year month day hour price total weight rate score rank limit offset origin "
    "station river bridge garden winter summer market bread water paper metal stone glass "
    "engine wheel motor signal sensor channel filter buffer socket server client host port"
)
Lines = list[str]


@dataclass(frozen=True)
class Plan:
    """What a made file is like.

    Attributes:
        size: Bytes, at least; a block more at most.
        depth: Of nested blocks, at least 1.
        words: Names are words; else random letters, as many.
    """

    size: int = 1500
    depth: int = 2
    words: bool = True

    def __post_init__(self) -> None:
        if self.size < 1 or self.depth < 1:
            raise ValueError(f"{self}; expected a size and a depth of at least 1")


class Draw:
    """Random names, numbers and texts."""

    def __init__(self, seed: int, plan: Plan) -> None:
        self.rng, self.plan, self.used = np.random.default_rng([seed, 21]), plan, set[str]()

    def word(self) -> str:
        word = str(self.rng.choice(WORDS))
        if self.plan.words:
            return word
        # First letters that begin no keyword of Python or C, which have vowels.
        return "".join(self.rng.choice(list("bdhjkmpqvxz")) for _ in word)

    def name(self) -> str:
        """A name that this file doesn't have yet."""
        own = f"{self.word()}_{self.word()}"
        while own in self.used:
            own += self.rng.choice(list(string.ascii_lowercase))
        self.used.add(own)
        return own

    def text(self, most: int = 6) -> str:
        return " ".join(self.word() for _ in range(self.upto(most)))

    def upto(self, most: int) -> int:
        return int(self.rng.integers(1, most + 1))

    def number(self) -> int:
        return int(self.rng.integers(0, 10**4))

    def often(self, share: float = 0.5) -> bool:
        return bool(self.rng.random() < share)


def made(kind: str, seed: int, plan: Plan = Plan()) -> bytes:
    """A file of this kind that its parser takes; the same seed and plan give the same bytes.

    Raises:
        ValueError: no grammar for this kind.
    """
    if kind not in GRAMMARS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(GRAMMARS)}")
    block, whole = GRAMMARS[kind]
    draw, blocks = Draw(seed, plan), list[Any]()
    while len(data := whole(draw, blocks).encode()) < plan.size or not blocks:
        blocks.append(block(draw, plan.depth))
    meaning(kind, data)
    return data


# ---- a block of each kind, and the whole ----


def _json_value(draw: Draw, depth: int) -> Any:
    if depth > 1 and draw.often():
        if draw.often():
            return [_json_value(draw, depth - 1) for _ in range(draw.upto(4))]
        return {draw.name(): _json_value(draw, depth - 1) for _ in range(draw.upto(4))}
    return draw.text() if draw.often(0.6) else draw.number() if draw.often(0.7) else draw.often()


def _json(draw: Draw, depth: int) -> Any:
    return draw.name(), _json_value(draw, depth)


def _json_whole(draw: Draw, blocks: list[Any]) -> str:
    return json.dumps(dict(blocks), indent=2) + "\n"


def _xml(draw: Draw, depth: int) -> ElementTree.Element:
    own = ElementTree.Element(draw.name())
    for _ in range(draw.upto(3)):
        own.set(draw.name(), draw.text(2) if draw.often() else str(draw.number()))
    if depth > 1 and draw.often(0.7):
        own.extend(_xml(draw, depth - 1) for _ in range(draw.upto(3)))
    else:
        own.text = draw.text()
    return own


def _xml_whole(draw: Draw, blocks: list[Any]) -> str:
    root = ElementTree.Element("items")
    root.extend(blocks)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root).decode() + "\n"


def _expression(draw: Draw, names: Lines) -> str:
    one = str(draw.rng.choice(names))
    return f"{one} {draw.rng.choice(list('+-*'))} {draw.number() + 1}" if draw.often() else one


def _python_body(draw: Draw, depth: int, names: Lines) -> Lines:
    lines = []
    for _ in range(draw.upto(3)):
        own = draw.name()
        lines.append(f"{own} = {_expression(draw, names)}")
        names.append(own)
    if depth > 1:
        inner = [f"    {line}" for line in _python_body(draw, depth - 1, names)]
        head = f"for {draw.name()} in range({draw.number()}):"
        lines += [head if draw.often() else f"if {names[0]} > {draw.number()}:", *inner]
    return [*lines, f'print("{draw.text()}", {names[-1]})'] if draw.often() else lines


def _python(draw: Draw, depth: int) -> str:
    names = [draw.name() for _ in range(draw.upto(3))]
    head = [f"def {draw.name()}({', '.join(names)}):", f'    """{draw.text().capitalize()}."""']
    body = [f"    {line}" for line in _python_body(draw, depth, list(names))]
    return "\n".join([*head, *body, f"    return {names[0]}"])


def _python_whole(draw: Draw, blocks: list[Any]) -> str:
    return "\n\n\n".join(["import os\nimport sys", *blocks]) + "\n"


def _toml(draw: Draw, depth: int) -> str:
    names = ".".join(draw.name() for _ in range(draw.upto(depth)))
    lines = [f"[{names}]"]
    for _ in range(draw.upto(6)):
        texts = ", ".join(f'"{draw.word()}"' for _ in range(draw.upto(4)))
        value = f'"{draw.text()}"' if draw.often() else str(draw.number())
        lines.append(f"{draw.name()} = {f'[{texts}]' if draw.often(0.3) else value}")
    return "\n".join(lines)


def _ini(draw: Draw, depth: int) -> str:
    lines = [f"[{draw.name()}]"]
    for _ in range(draw.upto(6)):
        lines.append(f"{draw.name()} = {draw.text() if draw.often() else draw.number()}")
        if depth > 1 and draw.often(0.2):
            lines += [f"    {draw.text()}" for _ in range(draw.upto(depth))]
    return "\n".join(lines)


def _sections(draw: Draw, blocks: list[Any]) -> str:
    return "\n\n".join(blocks) + "\n"


def _c_body(draw: Draw, depth: int, names: Lines) -> Lines:
    lines = []
    for _ in range(draw.upto(3)):
        own = draw.name()
        lines.append(f"int {own} = {_expression(draw, names)};")
        names.append(own)
    if depth > 1:
        inner = [f"    {line}" for line in _c_body(draw, depth - 1, list(names))]
        count = draw.name()
        head = f"for (int {count} = 0; {count} < {draw.number()}; {count}++) {{"
        lines += [head if draw.often() else f"if ({names[0]} > {draw.number()}) {{", *inner, "}"]
    return [*lines, f'printf("{draw.text()} %d\\n", {names[-1]});'] if draw.often() else lines


def _c(draw: Draw, depth: int) -> str:
    names = [draw.name() for _ in range(draw.upto(3))]
    arguments = ", ".join(f"int {name}" for name in names)
    body = [f"    {line}" for line in _c_body(draw, depth, list(names))]
    head = [f"/* {draw.text().capitalize()}. */", f"static int {draw.name()}({arguments})", "{"]
    return "\n".join([*head, *body, f"    return {names[0]};", "}"])


def _c_whole(draw: Draw, blocks: list[Any]) -> str:
    return "\n\n".join(["#include <stdio.h>\n#include <stdlib.h>", *blocks]) + "\n"


GRAMMARS: dict[str, tuple[Callable[[Draw, int], Any], Callable[[Draw, list[Any]], str]]] = {
    "JSON": (_json, _json_whole), "XML": (_xml, _xml_whole), "Python": (_python, _python_whole),
    "TOML": (_toml, _sections), "INI": (_ini, _sections), "C": (_c, _c_whole),
}  # fmt: skip
assert tuple(GRAMMARS) == REJECTING
