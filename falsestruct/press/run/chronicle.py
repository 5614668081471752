"""What changed in a chapter's claims from run to run: book/history.json, shown at its foot.

A run adds to it where it changes a number, a verdict or the rule that decides; building the pages
only reads it. What was before it was kept, or what a merge left out, git's versions of the records
tell (`recovered`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic takes that of typing from Python 3.12 on

from falsestruct.press.notebook import claims, environment, history
from falsestruct.press.notebook.claims import Records, Told
from falsestruct.press.notebook.stated import UNKNOWN, Claim
from falsestruct.press.paths import Book, Output, UserError, read_json, write_atomically
from falsestruct.press.run.certificates import close
from falsestruct.press.site.pages import badge
from falsestruct.statistics import Estimate


class State(TypedDict):
    """What a record said: its verdict, its number, also for a person, and a digest of its rule."""

    verdict: str
    value: float | None
    text: str
    rule: NotRequired[str]


class Change(TypedDict):
    """Of a claim; None where it had no record."""

    before: State | None
    after: State | None


class Entry(TypedDict):
    """What changed at once.

    The commit is the one that has it first; with a "+", the one that was there when runs changed
    it; "unknown" without git. The date is the commit's or the run's, empty if it isn't known.
    """

    commit: str
    date: NotRequired[str]
    claims: dict[str, Change]


Chapters = dict[str, list[Entry]]
_KEPT: TypeAdapter[Chapters] = TypeAdapter(Chapters)


def path_of(output: Output) -> Path:
    """Where the history is kept."""
    return output.folder / "history.json"


def read(output: Output) -> Chapters:
    """What changed, by chapter, the oldest first; empty if nothing was kept.

    Raises:
        UserError: what is kept is no history.
    """
    path = path_of(output)
    if not path.exists():
        return {}
    found = read_json(path)
    try:
        return _KEPT.validate_python(found["chapters"])
    except (KeyError, TypeError, ValidationError):
        raise UserError(f"{path} is no history of chapters: restore it, or delete it and run "
                        "`falsestruct history`") from None  # fmt: skip


def noting(book: Book, output: Output) -> Told | None:
    """What keeps a change of an output's records before it is made.

    None for results apart from the book: they are made anew each time, so they have no before.
    """
    return partial(note, book) if output == book.published else None


def note(book: Book, before: Records, after: Records) -> None:
    """Keep that the book's records will change, before they do.

    Whoever is ended in between leaves a change that is told and not made. The next run makes it, or
    another one, and tells that in its place.
    """
    output, commit = book.published, environment.commit(book.root)
    known, here = read(output), commit
    if commit != UNKNOWN:
        here = commit.removesuffix("+") + "+"
    today = datetime.now(UTC).date().isoformat()
    _add(known, before, after, commit=here, date=today)
    if known != read(output):
        write(output, known)


def write(output: Output, known: Chapters) -> None:
    """Write the history, as `read` reads it."""
    text = json.dumps({"chapters": known}, indent=1, sort_keys=True)
    write_atomically(path_of(output), text + "\n")


def recovered(book: Book) -> Chapters:
    """What changed between the versions of the book's records that git has, along first parents.

    The rule of a record that holds none is that of its commit.

    Raises:
        NoHistoryError: there is no git, no commit, or only a part of the history.
    """
    known: Chapters = {}
    before: Records = {}
    place = book.published.evidence.relative_to(book.root).as_posix()
    for commit, date, text in history.contents(book, place):
        after = json.loads(text)["claims"] if text else {}
        for id, (_, rule) in history.stated_at(book, commit).items():
            if id in after and "rule" not in after[id]:  # as all that were made early
                after[id]["canonical"] = rule
        _add(known, before, after, commit=commit, date=date)
        before = after
    return known


def _add(known: Chapters, before: Records, after: Records, *, commit: str, date: str) -> None:
    """What changed in each chapter, as one entry for all runs on top of a commit."""
    there = {record["chapter"] for record in (*before.values(), *after.values())}
    for chapter in sorted({*known, *there}):
        old, new = (
            {id: record for id, record in records.items() if record["chapter"] == chapter}
            for records in (before, after)
        )
        changed, entries = changes(old, new), known.get(chapter, [])
        if entries and _is_open(entries[-1], commit):
            last = entries.pop()
            changed = _merged(last["claims"], changed, new)
            if changed == last["claims"]:  # told already
                entries.append(last)
                continue
        if changed:
            entries.append({"commit": commit, "date": date, "claims": changed})
        known[chapter] = entries
        if not entries:
            del known[chapter]


def _is_open(entry: Entry, commit: str) -> bool:
    """Do changes of today belong to it? Those of a commit itself are done."""
    return entry["commit"] == commit and (commit.endswith("+") or commit == UNKNOWN)


def _merged(
    first: Mapping[str, Change], second: Mapping[str, Change], after: Records
) -> dict[str, Change]:
    """Two changes one after the other; a claim that is as before them has none.

    Args:
        first: As it was told. Whether it was made, nobody knows.
        second: What changes now.
        after: The records, then.
    """
    both: dict[str, Change] = dict(second)
    for id, change in first.items():
        now = _state(after.get(id))
        kept = change["after"] if _same(change["after"], now) else now
        both[id] = {"before": change["before"], "after": kept}
    return {id: one for id, one in sorted(both.items()) if not _same(one["before"], one["after"])}


def changes(before: Records, after: Records) -> dict[str, Change]:
    """The claims whose number, verdict or rule is another one, or that are new or gone."""
    found: dict[str, Change] = {}
    for id in sorted({*before, *after}):
        old, new = (_state(records.get(id)) for records in (before, after))
        if not _same(old, new):
            found[id] = {"before": old, "after": new}
    return found


def _state(record: Mapping[str, Any] | None) -> State | None:
    """What a record said, and by which rule, if it holds one."""
    if record is None:
        return None
    found = claims.estimate(record)
    said: State = {
        "verdict": record.get("verdict", UNKNOWN),
        "value": found.value if isinstance(found, Estimate) else None,
        "text": claims.interval(found),
    }
    rule = record.get("canonical", "")
    if "rule" in record:  # order and spelling don't count
        rule = history.canonical(record["rule"])
    if rule:
        said["rule"] = hashlib.sha256(rule.encode()).hexdigest()[:12]
    return said


def _same(old: State | None, new: State | None) -> bool:
    if old is None or new is None:
        return old is new
    if old["verdict"] != new["verdict"] or _is_amended(old, new):
        return False
    if old["value"] is None or new["value"] is None:
        return (old["value"], old["text"]) == (new["value"], new["text"])
    return close(old["value"], new["value"])


def _is_amended(old: State | None, new: State | None) -> bool:
    """Is the rule another one? Not known of records that hold none."""
    rules = {one["rule"] for one in (old, new) if one is not None and "rule" in one}
    return len(rules) > 1


# ---- at a chapter's foot ----


def as_text(
    output: Output, chapter: str, *, stated: Mapping[str, Claim], linked: Collection[str] = ()
) -> str:
    """What changed in a chapter, the newest first, as MyST; empty if nothing is known.

    Args:
        stated: The book's claims, which say why they were amended.
        linked: Claims that the page shows, so that a link leads to them.
    """
    lines, told = [], set[str]()
    for entry in reversed(read(output).get(chapter, [])):
        seen = {id: change for id, change in entry["claims"].items() if _is_seen(change)}
        lines += [f"- {_when(entry)}"] * bool(seen)
        for id in sorted(seen, key=lambda id: (_weight(seen[id]), id)):
            amended = _amended(stated.get(id), seen[id], again=id in told)
            told |= {id} if amended else set()
            name = f"[{id}](#claim-{id})" if id in linked else f"`{id}`"
            lines.append(f"  - {name}: {_told(seen[id])}{amended}")
    body = "\n".join(lines)
    fold = f"::::{{dropdown}} What changed in this chapter's claims\n\n{body}\n::::\n"
    return fold if lines else ""


def _when(entry: Entry) -> str:
    commit, date = entry["commit"], entry.get("date", "")
    since = f"since commit `{commit[:-1]}`" if commit.endswith("+") else f"commit `{commit}`"
    return f"{date}, {since}" if date else since.capitalize()


def _weight(change: Change) -> int:
    """What a reader wants to see first: verdicts, then rules, then numbers."""
    old, new = change["before"], change["after"]
    if old is None or new is None:
        return 2
    return 0 if old["verdict"] != new["verdict"] else 1 if _is_amended(old, new) else 2


def _is_seen(change: Change) -> bool:
    """Not if the number moved by less than its digits show."""
    old, new = change["before"], change["after"]
    if old is None or new is None or _is_amended(old, new):
        return True
    return (old["verdict"], old["text"]) != (new["verdict"], new["text"])


def _amended(claim: Claim | None, change: Change, *, again: bool) -> str:
    """That the rule is another one, and why, as the claim says it; that once on a page."""
    if not _is_amended(change["before"], change["after"]):
        return ""
    why = f": {claim.amended}" if claim and claim.amended and not again else ""
    return f"; its rule was amended{why}"


def _told(change: Change) -> str:
    """One change; a verdict is repeated only if it moved, a number likewise."""
    old, new = change["before"], change["after"]
    if new is None:
        return f"gone; it was {badge(old['verdict'])} {old['text']}" if old else "gone"
    if old is None:
        return f"new, {badge(new['verdict'])} {new['text']}"
    moved = f"{badge(old['verdict'])} → " if old["verdict"] != new["verdict"] else ""
    before = f"; before {old['text']}" if old["text"] != new["text"] else ""
    return f"{moved}{badge(new['verdict'])} {new['text']}{before}"
