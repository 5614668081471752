"""Has the verdict a name? Heads of files on tails of others, and what foretells which half decides.

Simple rules are fitted to chimeras of open files (`evidence.rule`). And `characterise.blind.search`
looks for a rule as for any reader of texts: it is handed open files and made ones, makes its own
texts of them, and never sees a chimera. Both are judged on the same chimeras of sealed files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from falsestruct.chapters.deployed import measure, runs
from falsestruct.chapters.deployed.measure import Ask, File
from falsestruct.characterise.blind import Found, search
from falsestruct.deployed import chimeras, filetypes, made
from falsestruct.deployed.filetypes import NAMES
from falsestruct.deployed.meant import WINDOW
from falsestruct.deployed.parsers import REJECTING
from falsestruct.deployed.words import Words

OTHER = "other"  # what the search calls all verdicts but the six types
WORDS = {"XML": "xml", "C": "include", "Python": "import"}  # what the reader by hand goes by
Couple = tuple[File, File]


def couples(files: Sequence[File], half: str, *, seed: int) -> list[Couple]:
    """Files of one half in pairs of different types, each in one; of types with open files.

    Files that don't fill a window are left out, and those of parsers that take anything.
    """
    fit = [f for f in files if f.kind in REJECTING and len(f.data.strip()) >= WINDOW]
    known = {f.kind for f in fit if f.half == "open"}
    part = [f for f in fit if f.half == half and f.kind in known]
    places = chimeras.pairs(pd.DataFrame({"type": [f.kind for f in part]}), seed=seed)
    return [(part[i], part[j]) for i, j in places.itertuples(index=False)]


def halves(files: Sequence[File], network: filetypes.FileTypes, *, seed: int) -> pd.DataFrame:
    """What may foretell which half of a chimera decides, and who does.

    The bag of words is that of the open files, for chimeras of open and of sealed ones.

    Returns:
        Columns half, first, second (kinds), label, heads (1, 0, or missing if neither is named),
        and those of `chimeras.statistics`.
    """
    pairs = {half: couples(files, half, seed=seed) for half in ("open", "sealed")}
    opened = [file for both in pairs["open"] for file in both]
    bag = Words.of([f.data for f in opened], [f.kind for f in opened])
    rows = []
    for half, own in pairs.items():
        for one, two in own:
            kinds = one.kind, two.kind
            label = network.labels([chimeras.chimera(one.data, two.data)])[0]
            sure = _sure(network, one), _sure(network, two)
            rows.append(
                {"half": half, "first": one.kind, "second": two.kind, "label": label,
                 "heads": chimeras.decided(label, kinds)}
                | chimeras.statistics(one.data, two.data, kinds, bag, sure)
            )  # fmt: skip
    return pd.DataFrame(rows)


def _sure(network: filetypes.FileTypes, file: File) -> float:
    """The network's answer for the file's own type, the largest of the type's names."""
    row = network.scores([file.data])[0]
    places = [network.config.labels.index(name) for name in NAMES[file.kind]]
    return float(row[places].max())


def text(data: bytes) -> str:
    """What both windows show of a file, as text: what the search hands the reader, changed."""
    own = data.strip()
    if len(own) > 2 * WINDOW:
        own = own[:WINDOW] + b"\n" + own[-WINDOW:]
    return own.decode("utf-8", "replace")


def kinds(labels: Sequence[str]) -> np.ndarray:
    """Of verdicts the type that they name, or OTHER, (verdicts,)."""
    named = {label: kind for kind in REJECTING for label in NAMES[kind]}
    return np.array([named.get(label, OTHER) for label in labels])


def searched(files: Sequence[File], ask: Ask, *, queries: int, seed: int) -> pd.DataFrame:
    """What a search names for a reader, and whether that is right about chimeras of sealed files.

    The search sees all files but the sealed ones.

    Returns:
        A row a chimera: first, second (kinds), label, heads (as `halves`), right (whether the named
        rule foretells the half; 0 if none is named, missing if it says nothing about these types).
        And of the search, in every row: verdict, best (its first rule, named or not), foretold,
        low, high (what this foretells of undecided probes, balanced), success, queries.
    """
    seen = [f for f in files if f.kind in REJECTING and f.half != "sealed"]
    found = search(
        lambda texts: kinds(ask([one.encode() for one in texts])),
        [text(f.data) for f in seen], np.array([f.kind for f in seen]), queries=queries, seed=seed,
    )  # fmt: skip
    pairs = couples(files, "sealed", seed=seed)
    whole = [chimeras.chimera(one.data, two.data) for one, two in pairs]
    table = pd.DataFrame({
        "first": [one.kind for one, _ in pairs], "second": [two.kind for _, two in pairs],
        "label": list(ask(whole)),
    })  # fmt: skip
    both = list(zip(table["label"], table["first"], table["second"], strict=True))
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


def real_halves(*, kinds: list[str], seed: int, folder: str | None = None) -> pd.DataFrame:
    """`halves` of real files, and which network was asked."""
    network = filetypes.FileTypes()
    return halves(_real(kinds, folder), network, seed=seed).assign(**runs.asked_who())


def real_names(  # a record's parameters are its function's
    *, reader: str, kinds: list[str], made_files: int, queries: int, seed: int,
    folder: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """`searched` on real files and so many made ones of each type, with the reader's name.

    Args:
        reader: network, or words for the reader by hand.
    """
    ask = filetypes.FileTypes().labels if reader == "network" else by_words
    files = _real(kinds, folder) + measure.generated(made_files, made.Plan())
    table = searched(files, ask, queries=queries, seed=seed)
    return table.assign(reader=reader, **runs.asked_who())


def _real(kinds: list[str], folder: str | None) -> list[File]:
    return [file for kind in kinds for file in runs.files(kind, folder)[1]]
