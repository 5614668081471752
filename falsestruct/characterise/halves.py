"""What `search` names for a reader of files, and whether that foretells what chimeras are called.

The search is used as for any reader of texts: it is handed files and their types, makes its own
texts of them, and never sees a chimera.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from falsestruct.characterise.blind import Found, search
from falsestruct.deployed import chimeras
from falsestruct.deployed.filetypes import NAMES
from falsestruct.deployed.meant import WINDOW
from falsestruct.deployed.parsers import REJECTING

OTHER = "other"  # what the search calls all verdicts but the types whose parsers reject
WORDS = {"XML": "xml", "C": "include", "Python": "import"}  # what the reader by hand goes by
Ask = Callable[[Sequence[bytes]], Sequence[str]]
Typed = tuple[bytes, str]  # a file and its type


def text(data: bytes) -> str:
    """What both windows show of a file, as text."""
    own = data.strip()
    if len(own) > 2 * WINDOW:
        own = own[:WINDOW] + b"\n" + own[-WINDOW:]
    return own.decode("utf-8", "replace")


def types(labels: Sequence[str]) -> np.ndarray:
    """Of verdicts the type that they name, or OTHER, (verdicts,)."""
    named = {label: kind for kind in REJECTING for label in NAMES[kind]}
    return np.array([named.get(label, OTHER) for label in labels])


def searched(
    seen: Sequence[Typed], pairs: Sequence[tuple[Typed, Typed]], ask: Ask, *, queries: int,
    seed: int,
) -> pd.DataFrame:  # fmt: skip
    """What a search names for a reader, and whether that is right about chimeras.

    Args:
        seen: What the search is handed.
        pairs: The files whose heads and tails make the chimeras; none is among those.

    Returns:
        A row a chimera: first, second (types), label, heads (1, 0, or missing if neither is named),
        right (whether the named rule foretells the half; 0 if none is named, missing if it says
        nothing about these types). And of the search, in every row: verdict, best (its first rule,
        named or not), foretold, low, high (what this foretells of undecided probes, balanced),
        success, queries.
    """
    found = search(
        lambda texts: types(ask([one.encode() for one in texts])),
        [text(data) for data, _ in seen], np.array([kind for _, kind in seen]),
        queries=queries, seed=seed,
    )  # fmt: skip
    whole = [chimeras.chimera(one, two) for (one, _), (two, _) in pairs]
    table = pd.DataFrame({
        "first": [kind for (_, kind), _ in pairs], "second": [kind for _, (_, kind) in pairs],
        "label": list(ask(whole)),
    })  # fmt: skip
    both = zip(table["label"], table["first"], table["second"], strict=True)
    table["heads"] = [chimeras.decided(label, (one, two)) for label, one, two in both]
    table["right"] = _right(found, [text(data) for data in whole], table)
    return table.assign(**_told(found))


def _right(found: Found, texts: list[str], table: pd.DataFrame) -> np.ndarray:
    """Whether the named rule foretells the deciding half of each chimera."""
    if found.rule is None:
        return np.zeros(len(table))
    said = np.asarray(found.rule(texts))
    decides = np.where(table["heads"] == 1, table["first"], table["second"])
    if found.answer is None:
        return (said == decides).astype(float)
    involved = (table["first"] == found.answer) | (table["second"] == found.answer)
    return np.where(involved, (said == (decides == found.answer)).astype(float), np.nan)


def _told(found: Found) -> dict[str, str | float]:
    first = found.ranked[0] if found.ranked else None
    own = None if first is None else first.foretold.decisions
    return {
        "verdict": found.verdict, "best": "" if first is None else first.name,
        "foretold": np.nan if own is None else own.value,
        "low": np.nan if own is None else own.low, "high": np.nan if own is None else own.high,
        "success": found.success.value, "queries": found.queries,
    }  # fmt: skip


def by_words(files: Sequence[bytes]) -> list[str]:
    """A reader by hand, with a name: a word for each of three types, signs for the others."""
    found = []
    for data in files:
        own = data.decode("utf-8", "replace").strip()
        words = set(re.findall(r"\w+", own.lower()))
        kind = next((kind for kind, word in WORDS.items() if word in words), "")
        if not kind:
            table = '= "' in own or "= [" in own
            kind = "JSON" if own[:1] == "{" or own[:2] == "[{" else "TOML" if table else "INI"
        found.append(NAMES[kind][0])
    return found
