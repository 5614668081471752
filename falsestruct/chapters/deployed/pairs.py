"""Made files whose verdict flips, side by side with the same files changed, and what both mean.

Made files may be shown; of real ones the record has hashes alone.
"""

from __future__ import annotations

import hashlib
import re

import pandas as pd

from falsestruct.chapters.deployed import measure, runs
from falsestruct.chapters.deployed.measure import QUERIES, SHARES, SHOWN, Ask, File
from falsestruct.deployed import filetypes, meant
from falsestruct.deployed.destroyed import UnfitError
from falsestruct.deployed.filetypes import called
from falsestruct.deployed.made import Plan
from falsestruct.deployed.parsers import meaning
from falsestruct.deployed.smallest import smallest

DATA = ("JSON", "TOML")  # minimised: whitespace
CODE = ("Python", "C")  # filled: comments that look like another language
CHANGED = {kind: "new lines" for kind in DATA} | {kind: "comments" for kind in CODE}
BEFORE = 60  # bytes that are shown before the first that differs


def changed(file: File, ask: Ask) -> tuple[bytes, str] | None:
    """The file with the fewest new lines that the search finds, or with comments in the smallest of
    SHARES that takes its verdict, and its new verdict."""
    if file.kind in DATA:
        flip = smallest(file.kind, file.data, ask, queries=QUERIES)
        return None if flip is None else (flip.after, flip.label)
    for share in SHARES:
        try:
            after = meant.filled(file.kind, file.data, meant.FILLINGS[1], share)
        except UnfitError:
            continue
        if not called(file.kind, label := ask([after])[0]):
            return after, label
    return None


def row(file: File, ask: Ask) -> dict[str, object] | None:
    """A file before and after: kind, file, before, after (verdicts), put_in (bytes), first, second
    (from before the first byte that differs), meaning (SHA-256 of either's), tree (its beginning).

    None if it is misread, or its verdict doesn't flip.

    Raises:
        ValueError: The two mean different things.
    """
    if not called(file.kind, before := ask([file.data])[0]):
        return None
    if (found := changed(file, ask)) is None:
        return None
    both = file.data, found[0]
    [tree] = {repr(meaning(file.kind, one)) for one in both}
    other = next(i for i, (a, b) in enumerate(zip(*both, strict=False)) if a != b)
    start = max(other - BEFORE, 0)
    first, second = (_seen(one[start:]) for one in both)
    return {"kind": file.kind, "file": file.name, "before": before, "after": found[1],
            "put_in": len(both[1]) - len(both[0]), "first": first, "second": second,
            "meaning": hashlib.sha256(tree.encode()).hexdigest(), "tree": tree[:SHOWN]}  # fmt: skip


def _seen(data: bytes) -> str:
    """What is shown of bytes, with runs of new lines counted."""
    text = re.sub(r"\n{3,}", lambda run: f"⏎×{len(run[0])}\n", data.decode())
    return text[:SHOWN]


def shown(*, count: int) -> pd.DataFrame:
    """The first file of each type, of so many made ones, whose verdict flips; a column `change`."""
    ask, rows = filetypes.FileTypes().labels, []
    for kind in (*DATA, *CODE):
        files = measure.generated(count, Plan(), [kind])
        rows.append(next((found for file in files if (found := row(file, ask))), None))
    table = pd.DataFrame([one for one in rows if one])
    return table.assign(change=table["kind"].map(CHANGED), **runs.asked_who())


def text(table: pd.DataFrame) -> str:
    """The files of `shown` as a page has them: two blocks each, and what both mean."""
    parts = []
    for one in table.to_dict("records"):
        mean = "value" if one["kind"] in DATA else "syntax tree"
        parts.append(
            f"**{one['kind']}**: first called *{one['before']}*, and *{one['after']}* with "
            f"{one['put_in']} bytes of {one['change']} put in. Either has the {mean} with the "
            f"digest `{one['meaning'][:16]}…`; it begins `{one['tree'][:100]}`.\n\n"
            f"```text\n{one['first']}\n```\n\n```text\n{one['second']}\n```"
        )
    return "\n\n".join(parts)
