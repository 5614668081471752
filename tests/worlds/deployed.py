"""Chapter 21's tables for readers by hand: what they read is known."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from falsestruct.chapters.deployed import evidence, measure
from falsestruct.chapters.deployed.measure import File
from falsestruct.deployed import beside, made
from falsestruct.deployed.filetypes import NAMES
from falsestruct.deployed.parsers import accepted, installed
from falsestruct.evidence import Claims

KINDS = [kind for kind in made.GRAMMARS if installed(kind)]
LOOKS = {  # what a file of each kind has near its head, as a reader of the surface sees it
    "XML": rb"^<\?xml|</?\w+>", "C": rb"#include|int \w+\(", "Python": rb"import |def ",
    "JSON": rb"^\s*[\[{]\s*\"", "TOML": rb"^\[[\w.]+\]\s[^=]*= [\"\[\d]", "INI": rb"^\[\w+\]",
}  # fmt: skip


def parser(files: Sequence[bytes]) -> list[str]:
    """The reader that the court wants: a file is what a parser takes it to be."""
    found = []
    for data in files:
        kinds = [kind for kind in KINDS if accepted(kind, data)]
        # What TOML takes INI may take, too: the one that asks for more comes first.
        found.append(NAMES[kinds[0]][0] if kinds else "unknown")
    return found


def surface(files: Sequence[bytes]) -> list[str]:
    """A reader of the first kilobyte's look: whitespace and comments push it out."""
    found = []
    for data in files:
        head = data.lstrip()[:600]
        kinds = [kind for kind, look in LOOKS.items() if re.search(look, head)]
        white = head.count(b"\n\n") > 100
        found.append("txt" if white or not kinds else NAMES[kinds[0]][0])
    return found


def sealed(count: int, size: int = 1500) -> list[File]:
    """Made files as if a rule had found them, a third open."""
    plan, halves = made.Plan(size), ("open", "sealed", "sealed")
    return [
        File(f"{kind} {seed}", kind, halves[seed % 3], made.made(kind, seed, plan))
        for kind in KINDS
        for seed in range(count)
    ]


def table(
    lost: dict[str, float], files: int = 30, others: dict[str, dict[str, float]] | None = None
) -> pd.DataFrame:
    """What `measure.court` gives, where of each arm's files this share loses its verdict.

    Args:
        lost: By arm, or arm and way; 0 where nothing is said.
        others: The same of the bag of words and of libmagic.
    """
    others = {"words": {}, "libmagic": {}} | (others or {})
    rows = []
    for kind in measure.REJECTING:
        for half in ("open", "sealed"):
            for change in measure.changes(kind):
                gone = np.arange(files) < round(_share(lost, change) * files)
                beside = {name: np.arange(files) >= round(_share(own, change) * files)
                          for name, own in others.items()}  # fmt: skip
                rows += [
                    {"file": f"{kind} {half} {i}", "kind": kind, "half": half, "size": 1000,
                     "arm": change.arm, "way": change.way, "amount": change.amount,
                     "label": "txt" if gone[i] else NAMES[kind][0], "kept": float(not gone[i]),
                     "outcome": "declined" if gone[i] else "kept"}
                    | {name: float(kept[i]) for name, kept in beside.items()}
                    for i in range(files)
                ]  # fmt: skip
    return pd.DataFrame(rows)


def _share(lost: dict[str, float], change: measure.Change) -> float:
    return lost.get(f"{change.arm} {change.way}", lost.get(change.arm, 0.0))


def claims(court: pd.DataFrame) -> Claims:
    """All that one table decides."""
    return {
        **evidence.read_claims(court), **evidence.grammar_claims(court),
        **evidence.declined_claim(court), **evidence.meaning_claims(court),
        **evidence.filled_claims(court), **beside.words_claims(court, full=measure.FULL),
        **beside.libmagic_claim(court),
    }  # fmt: skip
