"""What changed in a chapter's claims from run to run: book/history.json, shown at its foot.

A run adds to it where it changes a number or a verdict; building the pages only reads it. What was
before it was kept, or what a merge left out, git's versions of the records tell (`recovered`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from falsestruct.press.notebook import claims, history
from falsestruct.press.notebook.stated import UNKNOWN
from falsestruct.press.paths import Book, Output, read_json, write_atomically
from falsestruct.press.site.pages import badge
from falsestruct.statistics import Estimate

SAME = 1e-9  # relative: a number that moved less is the same
Records = Mapping[str, Mapping[str, Any]]
Chapters = dict[str, list[dict[str, Any]]]


def path_of(output: Output) -> Path:
    """Where the history is kept."""
    return output.folder / "history.json"


def read(output: Output) -> Chapters:
    """What changed, by chapter, the oldest first; empty if nothing was kept.

    Each entry has the commit and, by claim, the number and verdict "before" and "after"; None
    where the claim had no record.
    """
    path = path_of(output)
    return dict(read_json(path)["chapters"]) if path.exists() else {}


def note(output: Output, before: Records) -> None:
    """Keep what the records of an output changed since they were `before`."""
    known = read(output)
    _add(known, before, claims.read_evidence(output.evidence))
    if known != read(output):
        write(output, known)


def write(output: Output, known: Chapters) -> None:
    """Write the history, as `read` reads it."""
    text = json.dumps({"chapters": known}, indent=1, sort_keys=True)
    write_atomically(path_of(output), text + "\n")


def recovered(book: Book) -> Chapters:
    """What changed between the versions of the book's records that git has, along first parents.

    An entry's commit is the one that has it first; a run, which comes before its commit, names the
    commit that it ran.

    Raises:
        NoHistoryError: there is no git, no commit, or only a part of the history.
    """
    known: Chapters = {}
    before: Records = {}
    place = book.published.evidence.relative_to(book.root).as_posix()
    for commit, text in history.contents(book, place):
        after = json.loads(text)["claims"] if text else {}
        _add(known, before, after, commit)
        before = after
    return known


def _add(known: Chapters, before: Records, after: Records, commit: str = "") -> None:
    """What changed in each chapter; without a commit, the first one that its records name."""
    for chapter in sorted({record["chapter"] for record in (*before.values(), *after.values())}):
        own = [
            {id: record for id, record in records.items() if record["chapter"] == chapter}
            for records in (before, after)
        ]
        if changed := changes(*own):
            commits = [record["commit"] for record in own[1].values()] or [UNKNOWN]
            entry = {"commit": commit or commits[0], "claims": changed}
            known.setdefault(chapter, []).append(entry)


def changes(before: Records, after: Records) -> dict[str, dict[str, Any]]:
    """The claims whose number or verdict is another one, or that are new or gone."""
    found = {}
    for id in sorted({*before, *after}):
        old, new = (_state(records.get(id)) for records in (before, after))
        if not _same(old, new):
            found[id] = {"before": old, "after": new}
    return found


def _state(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A record's verdict, and its number as a person reads it."""
    if record is None:
        return None
    found = claims.estimate(record)
    value = found.value if isinstance(found, Estimate) else None
    said = {"verdict": record.get("verdict", UNKNOWN), "value": value}
    return said | {"text": claims.interval(found)}


def _same(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> bool:
    if old is None or new is None:
        return old is new
    if old["verdict"] != new["verdict"] or None in (old["value"], new["value"]):
        return old == new
    return math.isclose(old["value"], new["value"], rel_tol=SAME, abs_tol=SAME)


# ---- at a chapter's foot ----


def as_text(output: Output, chapter: str) -> str:
    """What changed in a chapter, the newest first, as MyST; empty if nothing is known."""
    lines = []
    for entry in reversed(read(output).get(chapter, [])):
        seen = {id: change for id, change in entry["claims"].items() if _is_seen(change)}
        lines += [f"- Commit `{entry['commit']}`"] * bool(seen)
        lines += [f"  - `{id}`: {_told(change)}" for id, change in seen.items()]
    body = "\n".join(lines)
    fold = f"::::{{dropdown}} What changed in this chapter's claims\n\n{body}\n::::\n"
    return fold if lines else ""


def _is_seen(change: Mapping[str, Any]) -> bool:
    """Not if the number moved by less than its digits show."""
    old, new = change["before"], change["after"]
    return None in (old, new) or any(old[part] != new[part] for part in ("verdict", "text"))


def _told(change: Mapping[str, Any]) -> str:
    """One change; a verdict is repeated only if it moved."""
    old, new = change["before"], change["after"]
    if old is None:
        return f"new, {badge(new['verdict'])} {new['text']}"
    if new is None:
        return f"gone; it was {badge(old['verdict'])} {old['text']}"
    moved = old["verdict"] != new["verdict"]
    said = f"{badge(old['verdict'])} → " if moved else ""
    return f"{said}{badge(new['verdict'])} {new['text']}; before {old['text']}"
