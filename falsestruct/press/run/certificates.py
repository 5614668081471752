"""Certificates: a whole re-execution against the book's results, for others to check.

An estimate agrees if it is exact in the book and comes out the same within 1e-9, or if the new
value lies inside the book's interval. A claim agrees if its estimate and its control do and the
verdict is the same. A certificate holds both results with the rules, so that anyone can follow it.
`check` says what in it doesn't follow; it can't prove that the run took place.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from falsestruct.press.notebook import claims, environment, history
from falsestruct.press.notebook.claims import Found
from falsestruct.press.notebook.stated import satisfies
from falsestruct.press.paths import Book, Output, UserError, read_json
from falsestruct.statistics import Estimate, Nobody

FORMAT = 1
EXACT = 1e-9
FIELDS = ("format", "commit", "date", "machine", "seconds", "failed", "claims", "counts", "digest")
NUMBERS = ("value", "low", "high", "n", "method", "reason")
CAVEAT = "This can't prove that the run took place; who signed it, and who repeats it, can."

Certificate = dict[str, Any]


def make(book: Book, new: Output, *, seconds: float, failed: Mapping[str, str]) -> Certificate:
    """The certificate of a re-execution.

    Args:
        book: Whose results are compared.
        new: What the re-execution came to.
        seconds: That it took.
        failed: Chapters that failed, with the error.
    """
    before = claims.read_evidence(book.published.evidence)
    after = claims.read_evidence(new.evidence)
    rows = [
        compare(claim.rule, before.get(id), after.get(id)) | {"id": id, "chapter": claim.chapter}
        for id, claim in claims.read_claims(book).items()
    ]
    made: Certificate = {
        "format": FORMAT,
        "commit": environment.commit(book.root),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": environment.describe(),
        "seconds": round(seconds, 1),
        "failed": dict(failed),
        "claims": rows,
        "counts": counted(rows),
    }
    return made | {"digest": digest(made)}


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
    """Does a new estimate confirm an old one?"""
    if isinstance(old, Nobody) or isinstance(new, Nobody):
        return type(old) is type(new)
    if old.low == old.high:
        return math.isclose(new.value, old.value, rel_tol=EXACT, abs_tol=EXACT)
    return old.low <= new.value <= old.high


def verdict(rule: Mapping[str, Any], numbers: Mapping[str, Any] | None) -> str:
    """What the rule says; "no record" without numbers."""
    if numbers is None:
        return "no record"
    found, control = claims.estimate(numbers), claims.estimate(numbers["control"])
    supported, refuted = (satisfies(found, tuple(rule[way])) for way in ("supported", "refuted"))
    if supported == refuted or not satisfies(control, tuple(rule["control"])):
        return "inconclusive"
    return "supported" if supported else "refuted"


def counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    """How many claims there are, how many agree, and how many verdicts moved."""
    moved = [row["verdicts"]["book"] != row["verdicts"]["run"] for row in rows]
    agreeing = sum(row["agrees"] for row in rows)
    return {
        "claims": len(rows),
        "agree": agreeing,
        "differ": len(rows) - agreeing,
        "moved": sum(moved),
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
    """A certificate from its file.

    Raises:
        UserError: it isn't there, no JSON, or no certificate of this format.
    """
    if not path.is_file():
        raise UserError(f"no certificate in {path}")
    found = read_json(path)
    missing = [name for name in FIELDS if not isinstance(found, dict) or name not in found]
    if missing:
        raise UserError(f"{path} is no certificate: it lacks {', '.join(missing)}")
    if found["format"] != FORMAT:
        raise UserError(f"{path} has format {found['format']!r}; this version reads {FORMAT}")
    return dict(found)


def check(book: Book, found: Certificate) -> list[str]:
    """What in a certificate doesn't follow; empty if all does.

    Its digest; its commit, which this clone's history must have; every verdict, agreement and
    count; and that rules and the book's numbers are those of that commit.
    """
    wrong = [] if digest(found) == found["digest"] else ["the digest is of another content"]
    rows = found["claims"]
    try:
        for row in rows:
            said = _said(row)
            wrong += [
                f"{row['id']}: {name} is {row[name]}, but {said[name]} follows"
                for name in said
                if row[name] != said[name]
            ]
        if found["counts"] != counted(rows):
            wrong.append(f"counts are {found['counts']}, but {counted(rows)} follows")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [*wrong, f"a claim can't be read: {type(error).__name__}: {error}"]
    return [*wrong, *_against_history(book, found)]


def _against_history(book: Book, found: Certificate) -> Iterator[str]:
    """What the commit that it names says otherwise."""
    commit = str(found["commit"])
    if commit.endswith("+"):
        yield f"commit {commit}: sources differed from it, so nobody can repeat it"
        return
    try:
        rules = history.rules_at(book, commit)
        evidence = _evidence_at(book, commit)
    except history.NoHistoryError:
        yield f"commit {commit} is not in this clone's history: fetch it, or ask where it is from"
        return
    for row in found["claims"]:
        if rules.get(row["id"]) != history.canonical(row["rule"]):
            yield f"{row['id']}: its rule is not that of commit {commit}"
        record = evidence.get(row["id"])
        if row["book"] != (None if record is None else _numbers(record)):
            yield f"{row['id']}: the book's numbers are not those of commit {commit}"
    for id in sorted(rules.keys() - {row["id"] for row in found["claims"]}):
        yield f"{id}: the commit states it, and the certificate leaves it out"


def _evidence_at(book: Book, commit: str) -> dict[str, Any]:
    """The book's records as a commit has them."""
    where = f"{commit}:{book.published.evidence.relative_to(book.root).as_posix()}"
    done = environment.git(book.root, "show", where)
    return {} if done.returncode else dict(json.loads(done.stdout)["claims"])


# ---- for a person ----


def laid(book: Book) -> list[tuple[Path, Certificate]]:
    """The certificates in book/certificates, by date.

    Raises:
        UserError: one of them can't be read.
    """
    found = [(path, read(path)) for path in (book.source / "certificates").glob("*.json")]
    return sorted(found, key=lambda pair: (pair[1]["date"], pair[0].name))


def differences(found: Certificate) -> list[str]:
    """A line for each claim that didn't agree."""
    return [
        f"{row['id']}: {row['verdicts']['book']}, {_shown(row['book'])} in the book; "
        f"{row['verdicts']['run']}, {_shown(row['run'])} in the run"
        for row in found["claims"]
        if not row["agrees"]
    ]


def _shown(numbers: Mapping[str, Any] | None) -> str:
    if numbers is None:
        return "no number"
    found = claims.estimate(numbers)
    return claims.interval(found) if isinstance(found, Estimate) else found.reason


def summary(found: Certificate) -> str:
    """One sentence."""
    counts = found["counts"]
    failed = f", {len(found['failed'])} chapters failed" if found["failed"] else ""
    return (
        f"{counts['agree']} of {counts['claims']} claims agree, {counts['moved']} verdicts moved"
        f"{failed}; commit {found['commit']}, {found['date'][:10]}, {found['machine']['machine']}"
    )


def as_page(found: Certificate) -> str:
    """The certificate as a Markdown page."""
    versions = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    lines = [
        "# Certificate of a re-execution", "", f"{summary(found)}.", "",
        f"- digest: `{found['digest']}`", f"- seconds: {found['seconds']:g}", f"- with: {versions}",
        "", CAVEAT, "", "## What differed", "",
        *(f"- {line}" for line in differences(found)),
        *(f"- {name} failed: {error}" for name, error in found["failed"].items()),
    ]  # fmt: skip
    return "\n".join([*lines, "" if lines[-1] else "Nothing.\n"])
