"""What changed in a chapter's claims, kept by runs and shown at its foot."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from falsestruct.press.run import chronicle
from falsestruct.statistics import Estimate, Nobody, exact
from tests.conftest import git

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


def test_git_tells_what_was_before_and_what_a_merge_brought(desk, invoke):
    """Along first parents: a merged branch's runs are one change, of the merge."""
    book = desk.book.published
    git(desk.root, "init", "-q", "-b", "main")

    def commit(*records: dict) -> str:
        lay(book, *records)
        git(desk.root, "add", "-A")
        git(desk.root, "commit", "-qm", "x")
        return git(desk.root, "rev-parse", "--short=12", "HEAD")

    first = commit(record("a", exact(3)), record("b", exact(1), chapter="02_two"))
    git(desk.root, "checkout", "-qb", "branch")
    commit(record("a", exact(4)), record("b", exact(1), chapter="02_two"))
    commit(record("a", exact(5), "refuted"), record("b", exact(1), chapter="02_two"))
    git(desk.root, "checkout", "-q", "main")
    git(desk.root, "merge", "-q", "--no-ff", "-m", "Merge", "branch")
    merge = git(desk.root, "rev-parse", "--short=12", "HEAD")
    code, out, _ = invoke(desk, "history")
    assert code == 0 and out.endswith("3 changes of 2 chapters\n")
    known = chronicle.read(book)
    assert [entry["commit"] for entry in known["01_one"]] == [first, merge]
    assert [entry["commit"] for entry in known["02_two"]] == [first]
    told = known["01_one"][1]["claims"]["a"]
    assert (told["before"]["value"], told["after"]["value"]) == (3, 5)
    # A run goes on from there.
    chronicle.note(book, {})
    assert len(chronicle.read(book)["02_two"]) == 2


def test_without_git_nothing_is_recovered_or_lost(desk, invoke):
    chronicle.write(desk.book.published, {"01_one": []})
    code, _, said = invoke(desk, "history")
    assert code == 2 and said.startswith("falsestruct: can't tell what changed: ")
    assert chronicle.read(desk.book.published) == {"01_one": []}


def test_a_number_that_moved_less_than_it_shows_is_not_told(output):
    first = lay(output, record("a", Estimate(2.00001, 1.0, 2.5, 20, "m")), record("b", exact(1)))
    lay(output, record("a", Estimate(2.00002, 1.0, 2.5, 20, "m")), record("b", exact(1)))
    chronicle.note(output, first)
    [entry] = chronicle.read(output)["01_one"]
    assert list(entry["claims"]) == ["a"] and chronicle.as_text(output, "01_one") == ""
    lay(output, record("a", Estimate(2.00002, 1.0, 2.5, 20, "m"), "refuted"))
    chronicle.note(output, first)
    assert "`a`" in chronicle.as_text(output, "01_one")


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
