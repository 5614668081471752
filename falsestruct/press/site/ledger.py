"""The ledger: every claim beside what a run found of it."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from falsestruct.press.notebook import claims
from falsestruct.press.notebook.cards import Decided
from falsestruct.press.notebook.claims import Found
from falsestruct.press.notebook.history import UNCOMMITTED
from falsestruct.press.notebook.stated import UNKNOWN, VERDICTS, Claim
from falsestruct.press.paths import Book, Output, UserError
from falsestruct.statistics import Nobody

UNRECORDED = "no record"
COLUMNS = (
    "id", "chapter", "component", "about", "problem", "architecture", "kind", "sentence", "source",
    "predicted", "piloted", "pinned", "networks",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A line of the ledger: what was claimed, and what a run found.

    Attributes:
        claim: As stated beforehand.
        record: As a run left it; None if none did.
    """

    claim: Claim
    record: Mapping[str, Any] | None

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`, or `UNRECORDED`."""
        return UNRECORDED if self.record is None else claims.verdict(self.claim, self.record)

    @property
    def ids(self) -> tuple[str, ...]:
        """Its claim's id and former ids."""
        return self.claim.id, *self.claim.aliases

    @property
    def estimate(self) -> Found | None:
        """What the measure came to."""
        return None if self.record is None else claims.estimate(self.record)

    @property
    def control(self) -> Found | None:
        """What the control came to."""
        return None if self.record is None else claims.estimate(self.record["control"])

    @property
    def counts(self) -> bool:
        """Whether it is evidence: a check is none."""
        return self.claim.kind != "check"

    @property
    def decided(self) -> Decided:
        """What a card shows of it; the claim must have a record."""
        if self.record is None or self.estimate is None or self.control is None:
            raise ValueError(f"claim {self.claim.id!r} has no record; expected one")
        return Decided(self.claim, self.verdict, self.estimate, self.control, self.history)

    @property
    def since(self) -> str:
        """The commit since which its rule stands; unknown if it changed after it was judged."""
        record = self.record or {}
        changed = record.get("rule", self.claim.rule) != self.claim.rule
        return UNKNOWN if changed else str(record.get("rule_since", UNKNOWN))

    @property
    def older(self) -> bool | None:
        """Whether the rule is older than the number; None if nobody knows."""
        known = self.since not in (UNKNOWN, UNCOMMITTED)
        return (self.record or {}).get("older") if known else None

    @property
    def history(self) -> str:
        """Since which commit its rule stands, and which one made its number, for a person."""
        rule = {UNKNOWN: "since nobody knows when", UNCOMMITTED: "and is not committed yet"}
        stands = rule.get(self.since, f"since commit `{self.since}`")
        commit = (self.record or {}).get("commit", UNKNOWN)
        made = f"by commit `{commit}`" if commit != UNKNOWN else "by a commit that nobody knows"
        order = ""
        if self.older is not None:
            order = f", {'no earlier' if self.older else 'earlier'} than the rule"
        return f"The rule stands {stands}. The number was made {made}{order}."


def read(book: Book, output: Output) -> tuple[Entry, ...]:
    """All claims with the records of an output, as stated; parsed again only after a change."""
    files = (output.evidence, *sorted(book.claims.glob("*.yml")))
    return _read(book, output, tuple(p.stat().st_mtime_ns if p.exists() else 0 for p in files))


@lru_cache(maxsize=4)
def _read(book: Book, output: Output, _stamps: tuple[int, ...]) -> tuple[Entry, ...]:
    return tuple(of(claims.read_claims(book), claims.read_evidence(output.evidence)))


def of(stated: Mapping[str, Claim], evidence: Mapping[str, Mapping[str, Any]]) -> list[Entry]:
    """Claims beside their records. A record without a claim is no part of the ledger."""
    return [Entry(claim, evidence.get(id)) for id, claim in stated.items()]


def find(entries: Iterable[Entry], id: str) -> Entry:
    """The entry of a claim, by its id or a former one.

    Raises:
        UserError: there is none; the text names the nearest.
    """
    known = {name: entry for entry in entries for name in entry.ids}
    if id not in known:
        near = difflib.get_close_matches(id, known, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "see `falsestruct claims`"
        raise UserError(f"no claim {id!r} in book/claims; {hint}")
    return known[id]


def tally(entries: Iterable[Entry]) -> dict[str, int]:
    """How many claims there are, and how many came to what. Checks are counted by themselves.

    Returns:
        Counts under "claims", each of `VERDICTS`, "unrecorded", "unexpected" (otherwise than
        pinned), "proved", "measured", "checks", "failed" (checks).
    """
    everything = list(entries)
    part = [entry for entry in everything if entry.counts]
    checks = [entry for entry in everything if not entry.counts]
    found = [entry.verdict for entry in part]
    return {
        "claims": len(part),
        **{verdict: found.count(verdict) for verdict in VERDICTS},
        "unrecorded": found.count(UNRECORDED),
        "unexpected": sum(e.verdict not in (e.claim.pinned, UNRECORDED) for e in part),
        **{kind: sum(e.claim.kind == kind for e in part) for kind in ("proved", "measured")},
        "checks": len(checks),
        "failed": sum(entry.verdict != "supported" for entry in checks),
    }


def as_csv(entries: Sequence[Entry], adjusted: Mapping[str, Mapping[str, float]]) -> str:
    """The whole ledger, a line a claim: what was stated, found and adjusted.

    Args:
        adjusted: p, holm and bh of a claim by its id, where it has any.
    """
    lines = [_line(entry, adjusted.get(entry.claim.id, {})) for entry in entries]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(lines[0]) if lines else COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()


def _line(entry: Entry, adjusted: Mapping[str, float]) -> dict[str, object]:
    claim, record = entry.claim, entry.record or {}
    line = {name: getattr(claim, name) for name in COLUMNS}
    if isinstance(claim.networks, dict):
        line["networks"] = "; ".join(f"{name}: {n}" for name, n in claim.networks.items())
    line["verdict"] = entry.verdict
    for name, found in (("", entry.estimate), ("control_", entry.control)):
        for part in ("value", "low", "high", "n", "method"):
            line[name + part] = getattr(found, part, "")
    nobody = entry.estimate if isinstance(entry.estimate, Nobody) else None
    line |= {"nobody": nobody.reason if nobody else ""}
    line |= {name: adjusted.get(name, "") for name in ("p", "holm", "bh")}
    return line | {"rule_since": entry.since, "older": entry.older, "commit": record.get("commit")}
