"""Records of claims: what a chapter measured, stored without a verdict, and judged when needed.

A chapter calls `record` with what it measured. The verdict follows from the claim's rule
(`stated`) when a page is built, by `falsestruct claims`, or after a run; nobody types it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from falsestruct.press.notebook import cards, environment, history, staging
from falsestruct.press.notebook.cards import Decided, interval, number, numbers, text
from falsestruct.press.notebook.display import show
from falsestruct.press.notebook.stated import (
    COMPONENTS,
    UNKNOWN,
    VERDICTS,
    Claim,
    judge,
    read_claims,
    satisfies,
)
from falsestruct.press.paths import Book, UserError, find_book, read_json, write_atomically
from falsestruct.statistics import Estimate, Nobody

__all__ = [
    "COMPONENTS", "VERDICTS", "Claim", "Problem", "check", "estimate", "interval", "judge",
    "judge_again", "judged", "ledger_rows", "merge_evidence", "number", "numbers", "read_claims",
    "read_evidence", "record", "record_table", "satisfies", "text", "verdict",
]  # fmt: skip

MIME = "application/vnd.falsestruct.claims+json"  # the ids of the claims that a cell recorded
Found = Estimate | Nobody
Records = Mapping[str, Mapping[str, Any]]
Told = Callable[[Records, Records], None]  # of records before and after a change
_MEASURED: Sequence[str] = ("value", "low", "high", "n")


@dataclass(frozen=True)
class Problem:
    """Something wrong between claims and records."""

    id: str
    what: str


def record(id: str, estimate: Found, *, control: Found) -> None:
    """Stage a claim's record and show it: as numbers in a run, as a card by hand.

    Args:
        id: As a file in `book/claims` states it.
        estimate: What the claim's measure came to.
        control: What the same measure came to in the claim's control.

    Raises:
        UserError: nobody stated this claim, it belongs to another chapter, this run has already
            recorded it, or its rules exclude nothing.
    """
    record_table({id: (estimate, control)})


def record_table(found: Mapping[str, tuple[Found, Found]]) -> None:
    """Stage many claims at once; their page shows them as one table instead of a card each.

    Args:
        found: For each id the estimate and its control.

    Raises:
        UserError: as `record`.
        ValueError: there are none.
    """
    if not found:
        raise ValueError("no claims to record; expected at least one id with its estimates")
    run, book = staging.current(), find_book()
    stated = {id: _stage(run, book, id, *pair) for id, pair in found.items()}
    lines = [cards.line(id, *pair) for id, pair in found.items()]
    decided = [Decided(stated[id], judge(stated[id], *p), *p) for id, p in found.items()]
    as_html = cards.for_jupyter(decided) if staging.by_hand() else None
    show(html=as_html, text="\n".join(lines), data={MIME: {"ids": list(found)}})


def _stage(run: staging.Run, book: Book, id: str, found: Found, control: Found) -> Claim:
    """Write one record to the run's own folder."""
    claims = read_claims(book)
    if id not in claims:
        raise UserError(f"no claim {id!r} in book/claims: state it before the run")
    claim = claims[id]
    if run.chapter not in (claim.chapter, "by-hand"):
        raise UserError(f"claim {id!r} belongs to {claim.chapter}, not to {run.chapter}")
    path = run.folder / "claims" / f"{id}.json"
    if run.chapter == claim.chapter and path.exists():
        raise UserError(f"claim {id!r} is recorded twice in {run.chapter}: one record decides")
    entry = {
        "id": id,
        "chapter": claim.chapter,
        **asdict(found),
        "control": asdict(control),
        "parameters": run.parameters,
        "environment": environment.describe(),
        "commit": environment.commit(book.root),
        "key": run.key,
    }
    write_atomically(path, json.dumps(entry, indent=2))
    return claim


# Evidence


def read_evidence(path: Path) -> dict[str, dict[str, Any]]:
    """The records of an evidence file, by claim id; empty if there is no such file."""
    if not path.exists():
        return {}
    stored = read_json(path)
    if not isinstance(stored, dict) or not isinstance(stored.get("claims"), dict):
        raise UserError(f"{path} has no records of claims: restore it, or delete it and run")
    return dict(stored["claims"])


def estimate(record: Mapping[str, Any]) -> Found:
    """What a record, or the control in it, came to."""
    kind = Nobody if "reason" in record else Estimate
    return kind(**{f.name: record[f.name] for f in fields(kind) if f.name in record})


def verdict(claim: Claim, record: Mapping[str, Any]) -> str:
    """What a record says of a claim by the rule of today."""
    return judge(claim, estimate(record), estimate(record["control"]))


def merge_evidence(
    path: Path, chapter: str, records: Iterable[dict[str, Any]], *, first: Told | None = None
) -> None:
    """Replace a chapter's records in an evidence file, atomically.

    Args:
        path: Of the file.
        chapter: Whose records these are.
        records: The new ones.
        first: Is told all records, as they are and as they will be, before any is replaced.
    """
    before = read_evidence(path)
    others = {id: entry for id, entry in before.items() if entry["chapter"] != chapter}
    after = others | {entry["id"]: entry for entry in records}
    if first:
        first(before, after)
    _write(path, after)


def _write(path: Path, entries: Mapping[str, dict[str, Any]]) -> None:
    text = json.dumps({"claims": dict(sorted(entries.items()))}, indent=1)
    write_atomically(path, text + "\n")


def judged(book: Book, entries: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Records with what today's rules say of them, for those who read the file; pages judge anew.

    Added are the verdict, the rule, the commit since which it stands, and whether that is the
    record's own commit or older. A record whose rule has not changed keeps the last two, so that
    git is only asked where it has something to say.

    Args:
        book: Whose claims and history decide.
        entries: Records by claim. One that no claim states stays as it is.
    """
    claims, stands = read_claims(book), dict[str, str]()
    found = dict(entries)
    for id in sorted(entries.keys() & claims.keys()):
        entry = entries[id]
        decided: dict[str, Any] = {"verdict": verdict(claims[id], entry), "rule": claims[id].rule}
        settled = entry.get("rule_since", history.UNCOMMITTED) != history.UNCOMMITTED
        if not settled or entry.get("rule") != decided["rule"]:
            stands = stands or history.standing(book)
            since = stands.get(id, UNKNOWN)
            decided |= {"rule_since": since, "older": history.older(book, since, entry["commit"])}
        found[id] = entry | decided
    return found


def judge_again(book: Book, path: Path, *, first: Told | None = None) -> dict[str, str]:
    """Judge an evidence file's records by the rules of today; the verdicts of stated claims.

    `first` is as for `merge_evidence`.
    """
    entries = read_evidence(path)
    found = judged(book, entries)
    if first:
        first(entries, found)
    if found != entries:
        _write(path, found)
    return {id: found[id]["verdict"] for id in read_claims(book) if id in found}


def check(
    claims: Mapping[str, Claim],
    evidence: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, str],
) -> list[Problem]:
    """What is wrong between claims and records.

    Args:
        claims: As stated.
        evidence: As recorded.
        keys: The present freshness key of each chapter.
    """
    problems = [
        Problem(id, "has a record but is not in book/claims")
        for id in sorted(set(evidence) - set(claims))
    ]
    for id, claim in claims.items():
        if what := _wrong(claim, evidence.get(id), keys):
            problems.append(Problem(id, what))
    return problems


def _wrong(claim: Claim, entry: Mapping[str, Any] | None, keys: Mapping[str, str]) -> str:
    """What is wrong with one claim; empty if nothing is."""
    again = f"run `falsestruct run {claim.chapter}`"
    if claim.chapter not in keys:
        return f"belongs to {claim.chapter}, which is not in the book"
    if entry is None:
        return f"has no record: {again}"
    if entry["key"] != keys[claim.chapter]:
        return f"has a record older than its chapter: {again}"
    if (found := verdict(claim, entry)) != claim.pinned:
        return f"came out {found}, pinned is {claim.pinned}"
    if claim.kind == "measured" and entry.get("low") != entry.get("high") and not entry.get("ends"):
        return "has one interval only, so no p: make it by a function of `statistics`"
    return _miscounted(claim, entry)


def _miscounted(claim: Claim, entry: Mapping[str, Any]) -> str:
    """What is wrong with the number of networks: it is one that the chapter's parameters have."""
    stated = claim.networks or {}
    counts = {stated} if isinstance(stated, int) else set(stated.values())
    design = set(_integers(entry.get("parameters", {})))
    if wrong := sorted(counts - design):
        known = ", ".join(map(str, sorted(design))) or "none"
        return f"states {wrong[0]} networks, but no parameter of its run does (they have {known})"
    return ""


def _integers(value: Any) -> Iterable[int]:
    """All whole numbers in parameters, whatever holds them."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _integers(part)
    elif type(value) is int:
        yield value


def ledger_rows(
    claims: Mapping[str, Claim], evidence: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row a claim: id, chapter, predicted, pinned, verdict, value, low, high, n."""
    rows = []
    for id, claim in claims.items():
        entry = evidence.get(id)
        found = verdict(claim, entry) if entry else None
        row = {field: getattr(claim, field) for field in ("id", "chapter", "predicted", "pinned")}
        rows.append(row | {"verdict": found} | {key: (entry or {}).get(key) for key in _MEASURED})
    return rows
