"""What the kits and the intervals by design may not have changed: the values.

`tests/frozen/evidence.json` is the ledger before them. A value moves only with a reason in `MOVED`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from falsestruct.press.notebook.claims import read_claims, read_evidence
from falsestruct.press.paths import find_book

FROZEN = json.loads((Path(__file__).parent / "frozen" / "evidence.json").read_text())
MOVED: dict[str, str] = {  # id → why
    "simplicity-first-captured": "each pair of architecture and width counts the same",
}


def test_values_are_those_of_before():
    book = find_book()
    evidence, claims = read_evidence(book.published.evidence), read_claims(book)
    aliases = {alias for claim in claims.values() for alias in claim.aliases}
    assert set(FROZEN) - set(claims) <= aliases, "a claim that vanished stays an alias"
    for id in sorted((set(FROZEN) & set(claims)) - set(MOVED)):
        now, then = evidence[id], FROZEN[id]
        assert now.get("value") == pytest.approx(then["value"], rel=1e-6, abs=1e-12), id
        assert now["control"].get("value") == pytest.approx(then["control"], rel=1e-6, abs=1e-12), (
            id
        )
