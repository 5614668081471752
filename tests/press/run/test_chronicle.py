"""What changed in a chapter's claims, kept by runs and shown at its foot."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from falsestruct.press.run import chronicle
from falsestruct.statistics import Estimate, Nobody, exact

ZERO = asdict(exact(0))


def record(id: str, found, verdict: str = "supported", chapter: str = "01_one") -> dict:
    about = {"id": id, "chapter": chapter, "commit": "abc", "verdict": verdict}
    return about | asdict(found) | {"control": ZERO}


@pytest.fixture
def output(tmp_path, desk):
    return desk.book.output(tmp_path / "out")


def lay(output, *records: dict) -> dict:
    output.folder.mkdir(exist_ok=True)
    found = {r["id"]: r for r in records}
    output.evidence.write_text(json.dumps({"claims": found}))
    return found


def test_runs_keep_what_they_change(output):
    first = lay(output, record("a", exact(3)), record("b", exact(1), chapter="02_two"))
    chronicle.note(output, {})
    moved = Estimate(2.0, 1.0, 2.5, 20, "m")
    second = lay(output, record("a", moved, "refuted"), record("b", exact(1), chapter="02_two"))
    chronicle.note(output, first)
    lay(output, record("b", exact(1 + 1e-12), chapter="02_two"))
    chronicle.note(output, second)
    of = chronicle.read(output)
    assert [list(entry["claims"]) for entry in of["01_one"]] == [["a"], ["a"], ["a"]]
    assert len(of["02_two"]) == 1  # neither repeated nor moved by rounding
    text = chronicle.as_text(output, "01_one")
    told = [line.strip() for line in text.splitlines() if "`a`" in line]
    assert told[0].startswith("- `a`: gone; it was [refuted]")
    assert "[supported]{.verdict .verdict-supported} → [refuted]" in told[1]
    assert told[1].endswith("2.0 [1.0, 2.5]; before 3 (exact)")
    assert told[2].startswith("- `a`: new, [supported]")
    assert chronicle.as_text(output, "03_last") == ""


def test_a_run_that_changes_nothing_writes_nothing(output):
    records = lay(output, record("a", Nobody("none", 0), "inconclusive"))
    chronicle.note(output, records)
    assert not chronicle.path_of(output).exists()


@pytest.mark.slow
def test_the_book_s_own_history(finished):
    """The run that made the book kept it; another rule for the same number adds to it."""
    assert [len(entries) for entries in chronicle.read(finished.book.published).values()] == [1]
    before = finished.file("book/history.json").read_text()
    finished.edit("book/claims/01_one.yml", 'threshold: ">= 3"', 'threshold: ">= 4"')
    done = finished.call("run")
    assert "0 run, 3 skipped" in done.stdout, done.stdout
    entries = chronicle.read(finished.book.published)["01_one"]
    [change] = [entry["claims"]["one-holds"] for entry in entries[1:]]
    assert (change["before"]["verdict"], change["after"]["verdict"]) == ("supported", "refuted")
    assert before != finished.file("book/history.json").read_text()
    assert "What changed in this chapter's claims" in chronicle.as_text(
        finished.book.published, "01_one"
    )
