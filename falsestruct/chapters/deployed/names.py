"""Has the verdict a name? Heads of files on tails of others, and what foretells which half decides.

Simple rules are fitted to chimeras of open files (`shares.rule`); and `characterise.halves` asks
`falsestruct.search`. Both are judged on the same chimeras of sealed files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from falsestruct.chapters.deployed import measure, runs
from falsestruct.chapters.deployed.measure import File
from falsestruct.characterise import halves as searching
from falsestruct.deployed import chimeras, filetypes, made, sample
from falsestruct.deployed.filetypes import NAMES
from falsestruct.deployed.meant import WINDOW
from falsestruct.deployed.parsers import REJECTING
from falsestruct.deployed.words import Words

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


def real_halves(*, kinds: list[str], seed: int, manifest: str, folder: str) -> pd.DataFrame:
    """`halves` of real files, as `listed` reads them, and which network was asked."""
    network = filetypes.FileTypes()
    return halves(listed(kinds, manifest, folder), network, seed=seed).assign(**runs.asked_who())


def real_names(  # a record's parameters are its function's
    *, reader: str, kinds: list[str], made_files: int, queries: int, seed: int,
    manifest: str, folder: str,
) -> pd.DataFrame:  # fmt: skip
    """What the search names for a reader, and the same chimeras of sealed files.

    It sees the open files and so many made ones of each type.

    Args:
        reader: network, words for the reader by hand, or bag for the bag of words of open files.
    """
    files = listed(kinds, manifest, folder)
    opened = [f for f in files if f.half == "open"]
    bag = Words.of([f.data for f in opened], [f.kind for f in opened])
    ask = {
        "network": filetypes.FileTypes().labels,
        "words": searching.by_words,
        "bag": lambda texts: [NAMES[bag.kind(data)][0] for data in texts],
    }[reader]
    seen = opened + measure.generated(made_files, made.Plan())
    table = searching.searched(
        [(f.data, f.kind) for f in seen],
        [((a.data, a.kind), (b.data, b.kind)) for a, b in couples(files, "sealed", seed=seed)],
        ask, queries=queries, seed=seed,
    )  # fmt: skip
    return table.assign(reader=reader, **runs.asked_who())


def listed(kinds: Sequence[str], manifest: str, folder: str) -> list[File]:
    """The files of a list, so that nobody's machine chooses others.

    Args:
        manifest: A table that `runs.manifest` made.
        folder: Where the files lie, each under its SHA-256; below the present folder, as the list.

    Raises:
        ValueError: a file isn't the one that is listed.
        OSError: one isn't there.
    """
    table = pd.read_csv(manifest).assign(path=lambda rows: rows["sha256"])
    rows = pd.concat([table[table["type"] == kind] for kind in kinds])
    return [File(row["sha256"], row["type"], row["half"], sample.read(row, Path(folder)))
            for _, row in rows.iterrows()]  # fmt: skip
