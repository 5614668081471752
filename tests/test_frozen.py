"""The values of a book whose every number was looked at: no change of code moves one by itself."""

from pathlib import Path

import pytest

from falsestruct.press.notebook.claims import read_evidence
from falsestruct.press.notebook.stated import read_claims
from falsestruct.press.paths import find_book, read_json

FROZEN = read_json(Path(__file__).parent / "frozen" / "evidence.json")
# Whose value, or whose control's, is another one now, by the reason.
MOVED = read_json(Path(__file__).parent / "frozen" / "moved.json")

CLAIMS = read_claims(find_book())
ALIASES = {alias for claim in CLAIMS.values() for alias in claim.aliases}
NUMBERS = read_evidence(find_book().published.evidence)


def moved(frozen: dict, now: dict) -> set[str]:
    """Ids in both whose value or control's value differ by more than 1e-6, relatively."""
    return {
        id
        for id in set(frozen) & set(now)
        if _values(frozen[id]["value"], frozen[id]["control"])
        != pytest.approx(
            _values(now[id].get("value"), now[id]["control"].get("value")), rel=1e-6, abs=1e-12
        )
    }


def _values(*numbers: float | None) -> list[float]:
    """None, nobody qualified, equals only itself."""
    return [float("inf") if number is None else number for number in numbers]


def test_no_value_moved_without_a_reason():
    assert moved(FROZEN, NUMBERS) == {id for ids in MOVED.values() for id in ids}


def test_no_claim_is_gone():
    """Merged into another, it is an alias."""
    assert set(FROZEN) - set(NUMBERS) <= ALIASES
    assert len(set(FROZEN) & set(NUMBERS)) > 200


def test_what_moved_is_seen():
    def row(value, control):
        return {"value": value, "control": {"value": control}}

    frozen = {name: {"value": 0.5, "control": 0.0} for name in "abcde"}
    now = {
        "a": row(0.5 + 1e-9, 0.0), "b": row(0.5001, 0.0), "c": row(0.5, 1e-3),
        "d": {"reason": "none", "control": {"value": 0.0}}, "f": row(7.0, 7.0),
    }  # fmt: skip
    assert moved(frozen, now) == {"b", "c", "d"}
