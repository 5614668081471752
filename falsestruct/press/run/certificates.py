"""Certificates: every chapter executed again, against the book's results, for others to check.

An estimate agrees if it is exact in the book and comes out the same (`close`), or if the new value
lies inside the book's interval. A claim agrees if its estimate and its control do and the verdict
is the same. A certificate holds both results with the rules, so that anyone can follow it. Every
chapter is executed; recorded runs are loaded, not computed again, and what their chapters claim is
counted apart. `check` says what in it doesn't follow; it can't prove that the run took place.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from falsestruct.press.notebook import claims, environment, history
from falsestruct.press.notebook.claims import Found
from falsestruct.press.notebook.stated import UNKNOWN, decide
from falsestruct.press.paths import Book, Output, UserError, read_json
from falsestruct.press.run import received, records
from falsestruct.press.run.received import FORMAT, NO_RECORD
from falsestruct.press.site.pages import literal, plural
from falsestruct.statistics import Estimate, Nobody

EXACT = 1e-9
SKEW = timedelta(days=1)  # by which the clock of whoever made a certificate may be ahead
NUMBERS = ("value", "low", "high", "n", "method", "reason")
RESULTS = ("book/evidence.json", "book/records")  # what a certificate compares with, or loads
CAVEAT = "This can't prove that the run took place; who signed it, and who repeats it, can."

Certificate = dict[str, Any]


@dataclass(frozen=True)
class Stated:
    """A claim as it was when the run began; `records` are the recorded runs its chapter loads."""

    chapter: str
    rule: Mapping[str, Any]
    records: list[str]


@dataclass(frozen=True)
class Basis:
    """What a run is of and is compared with, taken before it: the clone may change meanwhile.

    Attributes:
        commit: Of the clone; with a "+" if it lacks the sources or the results.
        state: What may not change while the run lasts (`_state`).
        claims: By id.
        evidence: The book's records, by id.
    """

    commit: str
    state: tuple[str, str]
    claims: Mapping[str, Stated]
    evidence: Mapping[str, Mapping[str, Any]]


def begin(book: Book, *, uncommitted: bool = False) -> Basis:
    """Take what a run is compared with; don't begin what nobody could check afterwards.

    Args:
        book: That will be executed.
        uncommitted: Begin all the same.

    Raises:
        UserError: no commit has the sources, or the results that the run is compared with.
    """
    state, why = _state(book), _uncommitted(book)
    if why and not uncommitted:
        raise UserError(f"{why}, so nobody could check the certificate: "
                        "commit first, or certify with --uncommitted")  # fmt: skip
    commit = state[0]
    if commit != UNKNOWN:
        commit = commit.removesuffix("+") + "+" * bool(why)
    loads = _loads(records.plan(book), lambda name: _text(book.source / f"{name}.md"))
    stated = {
        id: Stated(claim.chapter, claim.rule, loads(claim.chapter))
        for id, claim in claims.read_claims(book).items()
    }
    return Basis(commit, state, stated, claims.read_evidence(book.published.evidence))


def hold(book: Book, basis: Basis, *, changed: Collection[str], results: Path) -> None:
    """After a run: was it of its basis, from the first chapter to the last?

    Args:
        book: That was executed.
        basis: From before the run.
        changed: Chapters that changed while they ran.
        results: Where the reader finds what the run came to.

    Raises:
        UserError: sources, recorded runs or the commit are others now, so that no commit may have
            what ran.
    """
    now = _state(book)
    what = f"{', '.join(sorted(changed))} changed" if changed else ""
    if not what and now[0] != basis.state[0]:
        what = f"the clone was at commit {basis.state[0]} and is at {now[0]}"
    if not what and now != basis.state:
        what = "book/records changed"
    if what:
        raise UserError(f"no certificate: while the chapters ran, {what}, so no commit need have "
                        "what ran; leave the clone as it is and certify again; "
                        f"the results are in {results}")  # fmt: skip


def _state(book: Book) -> tuple[str, str]:
    """The commit, with "+" if sources differ, and which recorded runs differ from it."""
    commit = environment.commit(book.root)
    if commit == UNKNOWN:
        return commit, ""
    return commit, environment.git(book.root, "status", "--porcelain", "--", RESULTS[1]).stdout


def _uncommitted(book: Book) -> str:
    """Why no commit has what would be certified; empty if one has."""
    commit = environment.commit(book.root)
    if commit == UNKNOWN:
        return f"the commit is unknown ({environment.why_unknown(book.root)})"
    if commit.endswith("+"):
        return f"sources differ from commit {commit[:-1]}"
    found = environment.git(book.root, "status", "--porcelain", "--", *RESULTS).stdout.splitlines()
    return f"{found[0][3:]} differs from commit {commit}" if found else ""


def make(basis: Basis, new: Output, *, seconds: float, failed: Mapping[str, str]) -> Certificate:
    """The certificate of a re-execution.

    Args:
        basis: What the run was of.
        new: What the re-execution came to.
        seconds: That it took.
        failed: Chapters that failed, with the error. Whatever is there of them counts for nothing.
    """
    before, after = basis.evidence, claims.read_evidence(new.evidence)
    rows = [
        {"id": id, "chapter": claim.chapter, "records": claim.records}
        | compare(claim.rule, before.get(id), None if claim.chapter in failed else after.get(id))
        for id, claim in basis.claims.items()
    ]
    made: Certificate = {
        "format": FORMAT,
        "commit": basis.commit,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": environment.describe(),
        "seconds": round(seconds, 1),
        "failed": {name: received.line(error) for name, error in failed.items()},
        "claims": rows,
        "counts": counted(rows),
    }
    return made | {"digest": digest(made)}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _loads(
    plan: Mapping[str, Mapping[str, Any]], source: Callable[[str], str]
) -> Callable[[str], list[str]]:
    """Which recorded runs a chapter loads: those planned for it, and those that its text names.

    Args:
        plan: As book/records.yml has it.
        source: The text of a chapter.
    """
    known: dict[str, list[str]] = {}

    def of(chapter: str) -> list[str]:
        if chapter not in known:
            named = set(re.findall(r"""records\.load\(\s*["']([^"']+)["']""", source(chapter)))
            own = {id for id, entry in plan.items() if entry.get("chapter") == chapter}
            known[chapter] = sorted(own | (named & plan.keys()))
        return known[chapter]

    return of


def compare(rule: Mapping[str, Any], old: Any, new: Any) -> dict[str, Any]:
    """A claim's two results, what the rule says of each, and whether they agree."""
    row: dict[str, Any] = {"rule": dict(rule)}
    for name, record in (("book", old), ("run", new)):
        row[name] = None if record is None else _numbers(record)
    return row | _said(row)


def _numbers(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record came to, without what made it."""
    own = {name: record[name] for name in NUMBERS if name in record}
    control = {name: record["control"][name] for name in NUMBERS if name in record["control"]}
    return own | {"control": control}


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    """Verdicts and agreement, as they follow from a row's numbers and rule."""
    verdicts = {name: verdict(row["rule"], row[name]) for name in ("book", "run")}
    both = row["book"] is not None and row["run"] is not None
    same = both and verdicts["book"] == verdicts["run"]
    return {"verdicts": verdicts, "agrees": same and all(_agreements(row["book"], row["run"]))}


def _agreements(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[bool]:
    yield agree(claims.estimate(old), claims.estimate(new))
    yield agree(claims.estimate(old["control"]), claims.estimate(new["control"]))


def agree(old: Found, new: Found) -> bool:
    """Does a new estimate confirm an old one, as far as numbers say?"""
    if isinstance(old, Nobody) or isinstance(new, Nobody):
        return type(old) is type(new)
    if old.low == old.high:
        return close(old.value, new.value)
    return old.low <= new.value <= old.high


def close(old: float, new: float) -> bool:
    """Are two exact numbers the same: up to 1e-9 of the larger one, or both smaller than 1e-9?

    Numbers that small are what rounding leaves, of a solver, say, and another machine rounds
    otherwise. So these are compared by the verdict only, which must be the same in any case.
    """
    return math.isclose(old, new, rel_tol=EXACT) or max(abs(old), abs(new)) < EXACT


def verdict(rule: Mapping[str, Any], numbers: Mapping[str, Any] | None) -> str:
    """What the rule says; "no record" without numbers.

    Raises:
        ValueError: the rule supports and refutes.
    """
    if numbers is None:
        return NO_RECORD
    return decide(rule, claims.estimate(numbers), claims.estimate(numbers["control"]))


def counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    """How many claims there are, how many agree, and how many verdicts moved.

    Those of chapters that load recorded runs are counted again by themselves.
    """
    moved = [row["verdicts"]["book"] != row["verdicts"]["run"] for row in rows]
    agreeing = sum(row["agrees"] for row in rows)
    return {
        "claims": len(rows),
        "agree": agreeing,
        "differ": len(rows) - agreeing,
        "moved": sum(moved),
        "loaded": sum(bool(row["records"]) for row in rows),
        "loaded_agree": sum(row["agrees"] for row in rows if row["records"]),
    }


def digest(certificate: Mapping[str, Any]) -> str:
    """SHA-256 of all but the digest itself, in one spelling."""
    said = {name: value for name, value in certificate.items() if name != "digest"}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def as_json(certificate: Certificate) -> str:
    """As a file."""
    return json.dumps(certificate, indent=1, ensure_ascii=True) + "\n"


# ---- checking ----


def read(path: Path) -> Certificate:
    """A certificate from its file, with every field as `received` wants it.

    Raises:
        UserError: it isn't there, too large, no JSON, or no certificate of this format.
    """
    if not path.is_file():
        raise UserError(f"no certificate in {path}")
    if (size := path.stat().st_size) > received.LARGEST:
        raise UserError(f"{path} is no certificate: it has {size} bytes; "
                        f"expected at most {received.LARGEST}")  # fmt: skip
    found = read_json(path)
    if wrong := received.wrong(found):
        raise UserError(f"{path} is no certificate: {wrong}")
    return dict(found)


def check(book: Book, found: Certificate) -> list[str]:
    """What in a certificate doesn't follow; empty if all does.

    Its digest; its commit, to which a branch, a tag or HEAD of this clone must lead; its date,
    which is neither before that commit's nor yet to come; every verdict, agreement and count; that
    chapters that failed have no results; and that chapters, recorded runs, rules and the book's
    numbers are those of that commit.

    Args:
        found: As `read` gives it.
    """
    return [*_against_itself(found), *_against_history(book, found)]


def _against_itself(found: Certificate) -> list[str]:
    wrong = [] if digest(found) == found["digest"] else ["the digest is of another content"]
    for row in found["claims"]:
        wrong += _unfollowed(row, found["failed"])
    if found["counts"] != (counts := counted(found["claims"])):
        wrong.append(f"counts are {found['counts']}, but {counts} follows")
    if datetime.fromisoformat(found["date"]) > datetime.now(UTC) + SKEW:
        wrong.append(f"its date, {found['date']}, is yet to come")
    return wrong


def _unfollowed(row: Mapping[str, Any], failed: Collection[str]) -> Iterator[str]:
    """What in a row doesn't follow from its own numbers."""
    id = row["id"]
    try:
        said = _said(row)
    except ValueError as error:
        yield f"{id}: {error}"
        return
    for name in said:
        if row[name] != said[name]:
            yield f"{id}: {name} is {row[name]}, but {said[name]} follows"
    if row["run"] is not None and row["chapter"] in failed:
        yield f"{id}: it has a result, but chapter {row['chapter']} failed"


def _against_history(book: Book, found: Certificate) -> Iterator[str]:
    """What the commit that it names says otherwise."""
    commit = found["commit"]
    if commit == UNKNOWN or commit.endswith("+"):
        yield f"commit {commit}: no commit has what was run and compared, so nobody can repeat it"
        return
    try:
        made = history.date_of(book, commit)
        stated = history.stated_at(book, commit)
        evidence, loads = _evidence_at(book, commit), _loads_at(book, commit)
    except history.NoHistoryError:
        yield f"commit {commit} is not in this clone's history: fetch it, or ask where it is from"
        return
    except (ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError):
        yield f"commit {commit} has no records that can be read"
        return
    if datetime.fromisoformat(found["date"]) < made:
        yield f"its date, {found['date']}, is before that of its commit, {made.isoformat()}"
    for row in found["claims"]:
        yield from _otherwise(row, stated, evidence, loads(row["chapter"]))
    for id in sorted(stated.keys() - {row["id"] for row in found["claims"]}):
        yield f"{id}: the commit states it, and the certificate leaves it out"
    for name in found["failed"]:
        if not _at(book, commit, f"book/{name}.md"):
            yield f"{name} failed, it says, but the commit has no such chapter"


def _otherwise(
    row: Mapping[str, Any],
    stated: Mapping[str, tuple[str, str]],
    evidence: Mapping[str, Mapping[str, Any]],
    loaded: list[str],
) -> Iterator[str]:
    """What a commit says otherwise of a row."""
    id = row["id"]
    if id not in stated:
        yield f"{id}: the commit doesn't state it"
        return
    chapter, rule = stated[id]
    if rule != history.canonical(row["rule"]):
        yield f"{id}: its rule is not that of the commit"
    if row["book"] != evidence.get(id):
        yield f"{id}: the book's numbers are not those of the commit"
    if row["chapter"] != chapter:
        yield f"{id}: its chapter is {chapter}, not {row['chapter']}"
    elif row["records"] != loaded:
        yield f"{id}: its chapter loads {', '.join(loaded) or 'no recorded runs'}, not that"


def _evidence_at(book: Book, commit: str) -> dict[str, Any]:
    """The book's numbers as a commit has them."""
    text = _at(book, commit, book.published.evidence.relative_to(book.root).as_posix())
    found = json.loads(text)["claims"] if text else {}
    return {id: _numbers(record) for id, record in found.items()}


def _loads_at(book: Book, commit: str) -> Callable[[str], list[str]]:
    """Which recorded runs a chapter loads, at a commit."""
    plan = yaml.safe_load(_at(book, commit, "book/records.yml")) or {}
    return _loads(plan, lambda name: _at(book, commit, f"book/{name}.md"))


def _at(book: Book, commit: str, path: str) -> str:
    """A file's text as a commit has it; empty if it has none."""
    done = environment.git(book.root, "show", f"{commit}:{path}")
    return "" if done.returncode else done.stdout


# ---- for a person ----


@dataclass(frozen=True)
class Laid:
    """A file in book/certificates; the certificate is None if it can't be read.

    Attributes:
        wrong: What doesn't follow, or why it can't be read.
        compared: With its commit; not if git has no whole history of this copy.
    """

    path: Path
    certificate: Certificate | None
    wrong: list[str] = field(default_factory=list)
    compared: bool = True

    @property
    def date(self) -> str:
        """Of the run; empty if nobody can tell."""
        return self.certificate["date"] if self.certificate else ""


def folder(book: Book) -> Path:
    """Where certificates are laid."""
    return book.source / "certificates"


def laid(book: Book) -> list[Laid]:
    """The certificates in book/certificates, by date, each checked."""
    paths = folder(book).glob("*.json")
    return sorted((_laid(book, path) for path in paths), key=lambda one: (one.date, one.path.name))


def _laid(book: Book, path: Path) -> Laid:
    try:
        found = read(path)
    except UserError as error:
        where = path.relative_to(book.root).as_posix()
        return Laid(path, None, [str(error).replace(str(path), where)])
    try:
        history.head(book)
    except history.NoHistoryError:  # its commit can't be blamed for that
        return Laid(path, found, _against_itself(found), compared=False)
    return Laid(path, found, check(book, found))


def differences(found: Certificate, escape: Callable[[str], str] = str) -> list[str]:
    """A line for each claim that didn't agree.

    Args:
        escape: For texts of whoever made the certificate.
    """
    return [
        f"{row['id']}: {row['verdicts']['book']}, {_shown(row['book'], escape)} in the book; "
        f"{row['verdicts']['run']}, {_shown(row['run'], escape)} in the run"
        for row in found["claims"]
        if not row["agrees"]
    ]


def _shown(numbers: Mapping[str, Any] | None, escape: Callable[[str], str]) -> str:
    if numbers is None:
        return "no number"
    found = claims.estimate(numbers)
    return claims.interval(found) if isinstance(found, Estimate) else escape(found.reason)


def summary(found: Certificate, escape: Callable[[str], str] = str) -> str:
    """One sentence, from the rows and not from what it says of their number."""
    counts = counted(found["claims"])
    loaded, agreeing = counts["loaded"], counts["loaded_agree"]
    parts = [f"{counts['agree'] - agreeing} of {counts['claims'] - loaded} claims agree"]
    if loaded:
        parts[0] += " in chapters without recorded runs"
        parts += [f"{agreeing} of {loaded} in chapters that load some, which aren't recomputed"]
    parts += [f"{plural(counts['moved'], 'verdict')} moved"]
    if found["failed"]:
        parts += [f"{plural(len(found['failed']), 'chapter')} failed"]
    about = found["commit"], found["date"][:10], escape(found["machine"]["machine"])
    return f"{', '.join(parts)}; commit {', '.join(about)}"


def as_page(found: Certificate) -> str:
    """The certificate as a Markdown page."""
    versions = ", ".join(
        f"{literal(str(n))} {literal(str(v))}" for n, v in found["machine"].items()
    )
    lines = [
        "# Certificate of a re-execution", "", f"{summary(found, literal)}.", "",
        f"- digest: `{found['digest']}`", f"- seconds: {found['seconds']:g}", f"- with: {versions}",
        "", CAVEAT, "", "## What differed", "",
        *(f"- {line}" for line in differences(found, literal)),
        *(f"- {name} failed: {literal(error)}" for name, error in found["failed"].items()),
    ]  # fmt: skip
    return "\n".join([*lines, "" if lines[-1] else "Nothing.\n"])
