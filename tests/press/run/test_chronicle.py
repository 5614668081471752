"""What changed in a chapter's claims, kept by runs and shown at its foot."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from falsestruct.press.notebook import claims
from falsestruct.press.run import chronicle
from falsestruct.press.site import chapter_pages
from falsestruct.statistics import Estimate, Nobody, exact
from tests.conftest import commit_all, git
from tests.torture.toy import Toy, untold

ZERO = asdict(exact(0))
RULES = [
    {"supported": [{"value": sign}], "refuted": [{"value": "< 1"}], "control": [{"value": "< 1"}]}
    for sign in (">= 1", "> 2")
]


def record(id: str, found, verdict: str = "supported", chapter: str = "01_one", **more) -> dict:
    about = {"id": id, "chapter": chapter, "commit": "abc", "verdict": verdict}
    return about | asdict(found) | {"control": ZERO} | more


@pytest.fixture
def output(desk):
    return desk.book.published


def lay(output, *records: dict) -> None:
    output.evidence.write_text(json.dumps({"claims": of(*records)}))


@pytest.fixture
def committing(monkeypatch):
    """Each run is on another commit, so that each keeps its own entry."""
    numbers = (f"{n:012x}" for n in itertools.count())
    monkeypatch.setattr(chronicle.environment, "commit", lambda root: next(numbers))


def of(*records: dict) -> dict:
    return {r["id"]: r for r in records}


def test_runs_keep_what_they_change(desk, output, committing):
    first = of(record("a", exact(3)), record("b", exact(1), chapter="02_two"))
    chronicle.note(desk.book, {}, first)
    moved = Estimate(2.0, 1.0, 2.5, 20, "m")
    second = of(record("a", moved, "refuted"), record("b", exact(1), chapter="02_two"))
    chronicle.note(desk.book, first, second)
    third = of(record("b", exact(1 + 1e-12), chapter="02_two"))
    chronicle.note(desk.book, second, third)
    known = chronicle.read(output)
    assert [list(entry["claims"]) for entry in known["01_one"]] == [["a"], ["a"], ["a"]]
    assert len(known["02_two"]) == 1  # neither repeated nor moved by rounding
    text = chronicle.as_text(output, "01_one", stated={})
    told = [line.strip() for line in text.splitlines() if "`a`" in line]
    assert told[0].startswith("- `a`: gone; it was [refuted]")
    assert "[supported]{.verdict .verdict-supported} → [refuted]" in told[1]
    assert told[1].endswith("2.0 [1.0, 2.5]; before 3 (exact)")
    assert told[2].startswith("- `a`: new, [supported]")
    assert chronicle.as_text(output, "03_last", stated={}) == ""


def test_a_run_that_changes_nothing_writes_nothing(desk, output):
    records = of(record("a", Nobody("none", 0), "inconclusive"))
    chronicle.note(desk.book, records, records)
    assert not chronicle.path_of(output).exists()


def test_git_tells_what_was_before_and_what_a_merge_brought(desk, invoke):
    """Along first parents: a merged branch's runs are one change, of its last commit."""
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
    last = commit(record("a", exact(5), "refuted"), record("b", exact(1), chapter="02_two"))
    git(desk.root, "checkout", "-q", "main")
    git(desk.root, "merge", "-q", "--no-ff", "-m", "Merge", "branch")
    code, out, _ = invoke(desk, "history")
    assert code == 0 and out.endswith("3 changes of 2 chapters\n")
    known = chronicle.read(book)
    assert [entry["commit"] for entry in known["01_one"]] == [first, last]
    assert known["01_one"][0]["date"] == git(desk.root, "log", "-1", "--format=%cs")
    assert [entry["commit"] for entry in known["02_two"]] == [first]
    told = known["01_one"][1]["claims"]["a"]
    assert (told["before"]["value"], told["after"]["value"]) == (3, 5)
    # A run goes on from there.
    chronicle.note(desk.book, {}, claims.read_evidence(book.evidence))
    assert len(chronicle.read(book)["02_two"]) == 2


def test_runs_before_a_commit_are_one_change(desk):
    """What is changed back before anybody commits it never was, as git's history has it."""
    book = desk.book.published
    git(desk.root, "init", "-q", "-b", "main")
    lay(book, record("a", exact(1)))
    git(desk.root, "add", "-A")
    git(desk.root, "commit", "-qm", "x")

    def told(*records: dict) -> list[dict]:
        ran(desk, "01_one", *records)
        return chronicle.read(book).get("01_one", [])

    [entry] = told(record("a", exact(2)))
    assert entry["commit"] == git(desk.root, "rev-parse", "--short=12", "HEAD") + "+"
    assert entry["date"] == datetime.now(UTC).date().isoformat()
    text = chronicle.as_text(book, "01_one", stated={})
    assert f"{entry['date']}, since commit `{entry['commit'][:-1]}`" in text
    [entry] = told(record("a", exact(3)), record("b", exact(1)))
    change = entry["claims"]["a"]
    assert (change["before"]["value"], change["after"]["value"]) == (1, 3)
    [entry] = told(record("a", exact(1)), record("b", exact(1)))
    assert list(entry["claims"]) == ["b"]
    assert told(record("a", exact(1))) == []
    told(record("a", exact(2)))
    git(desk.root, "add", "-A")
    git(desk.root, "commit", "-qm", "y")
    assert len(told(record("a", exact(1)))) == 2


def test_without_git_runs_back_and_forth_are_no_changes(desk, output):
    for value in (1, 2, 1, 2):
        ran(desk, "01_one", record("a", exact(value)))
        [entry] = chronicle.read(output)["01_one"]
        assert entry["commit"] == "unknown" and entry["claims"]["a"]["before"] is None
        assert entry["claims"]["a"]["after"]["value"] == value
    ran(desk, "01_one")
    assert chronicle.read(output) == {}


def test_a_run_that_is_ended_in_between_loses_no_change(desk, output, monkeypatch):
    """What it told is made by the next run, or another change is told in its place."""
    ran(desk, "01_one", record("a", exact(1)), record("b", exact(1)))
    chronicle.path_of(output).unlink()

    def ended(*_) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(claims, "_write", ended)
        ran(desk, "01_one", record("a", exact(2)), record("b", exact(1)))
    assert claims.read_evidence(output.evidence)["a"]["value"] == 1
    assert untold(Toy(desk.root)) == {"a", "b"}  # as torture would see it, before the next run
    [told] = chronicle.read(output)["01_one"]
    assert [told["claims"]["a"][when]["value"] for when in ("before", "after")] == [1, 2]
    kept = chronicle.path_of(output).read_text()
    ran(desk, "01_one", record("a", exact(2)), record("b", exact(1)))  # the next run makes it
    assert chronicle.path_of(output).read_text() == kept
    assert untold(Toy(desk.root)) == {"b"}  # whose first entry is removed above
    lay(output, record("a", exact(1)), record("b", exact(1)))  # or doesn't
    ran(desk, "01_one", record("a", exact(1)), record("b", exact(1)))
    assert chronicle.read(output) == {}


def test_results_apart_from_the_book_have_no_history(desk, tmp_path):
    other = desk.book.output(tmp_path / "out")
    assert chronicle.noting(desk.book, other) is None
    ran(desk, "01_one", record("a", exact(1)), output=other)
    assert claims.read_evidence(other.evidence).keys() == {"a"}
    assert not chronicle.path_of(other).exists()
    assert not chronicle.path_of(desk.book.published).exists()


def ran(desk, chapter: str, *records: dict, output=None) -> None:
    """Publish these as all that the chapter has recorded, as a run does."""
    output = output or desk.book.published
    output.folder.mkdir(exist_ok=True)
    first = chronicle.noting(desk.book, output)
    claims.merge_evidence(output.evidence, chapter, records, first=first)


def test_an_amended_rule_is_told_with_its_reason(desk, output, committing):
    """Also where the number and the verdict stayed; a rule that is spelt otherwise is the same."""
    first = of(record("a", exact(3), rule=RULES[0]), record("b", exact(1)))
    spelt = RULES[0] | {"supported": [{"value": ">=1.0"}]}
    second = of(record("a", exact(3), rule=spelt), record("b", exact(1)))
    chronicle.note(desk.book, first, second)
    assert chronicle.read(output) == {}
    third = of(record("a", exact(3), rule=RULES[1]), record("b", exact(2)))
    chronicle.note(desk.book, second, third)
    fourth = of(record("a", exact(3), rule=RULES[0]), record("b", exact(1), "refuted"))
    chronicle.note(desk.book, third, fourth)
    [claim] = claims.read_claims(desk.book).values()
    stated = {"a": claim.model_copy(update={"amended": "It asked too little."})}
    text = chronicle.as_text(output, "01_one", stated=stated, linked={"a"})
    told = [line.strip() for line in text.splitlines() if line.startswith("  - ")]
    yes, no = "[supported]{.verdict .verdict-supported}", "[refuted]{.verdict .verdict-refuted}"
    link = f"- [a](#claim-a): {yes} 3 (exact)"
    assert told == [  # verdicts first, then rules; the reason once
        f"- `b`: {yes} → {no} 1 (exact); before 2 (exact)",
        f"{link}; its rule was amended: It asked too little.",
        f"{link}; its rule was amended",
        f"- `b`: {yes} 2 (exact); before 1 (exact)",
    ]


@pytest.mark.parametrize("text", ["{}", "[]", '{"chapters": {"01_one": [{}]}}', "3"])
def test_what_is_no_history_is_one_line_before_anything_runs(desk, invoke, text):
    chronicle.path_of(desk.book.published).write_text(text)
    code, out, said = invoke(desk, "run")
    assert (code, out) == (2, "") and said.count("\n") == 1
    assert "is no history of chapters" in said and "falsestruct history" in said


def test_without_git_nothing_is_recovered_or_lost(desk, invoke):
    chronicle.write(desk.book.published, {"01_one": []})
    code, _, said = invoke(desk, "history")
    assert code == 2 and said.startswith("falsestruct: can't tell what changed: ")
    assert chronicle.read(desk.book.published) == {"01_one": []}


def test_a_number_that_moved_less_than_it_shows_is_not_told(desk, output):
    first = of(record("a", Estimate(2.00001, 1.0, 2.5, 20, "m")), record("b", exact(1)))
    second = of(record("a", Estimate(2.00002, 1.0, 2.5, 20, "m")), record("b", exact(1)))
    chronicle.note(desk.book, first, second)
    [entry] = chronicle.read(output)["01_one"]
    assert list(entry["claims"]) == ["a"] and chronicle.as_text(output, "01_one", stated={}) == ""
    third = of(record("a", Estimate(2.00002, 1.0, 2.5, 20, "m"), "refuted"))
    chronicle.note(desk.book, second, third)
    assert "`a`" in chronicle.as_text(output, "01_one", stated={})


@pytest.mark.slow
def test_the_book_s_own_history(finished):
    """The run that made the book kept it; another rule for the same number adds to it."""
    assert [len(entries) for entries in chronicle.read(finished.book.published).values()] == [1]
    before = finished.file("book/history.json").read_text()
    commit_all(finished.root)
    finished.edit("book/claims/01_one.yml", 'threshold: ">= 3"', 'threshold: ">= 4"')
    done = finished.call("run")
    assert "0 run, 3 skipped" in done.stdout, done.stdout
    entries = chronicle.read(finished.book.published)["01_one"]
    [change] = [entry["claims"]["one-holds"] for entry in entries[1:]]
    assert (change["before"]["verdict"], change["after"]["verdict"]) == ("supported", "refuted")
    assert before != finished.file("book/history.json").read_text()
    book = finished.book
    shown = chapter_pages.page(book, "01_one", finished.notebook("01_one"), output=book.published)
    other = chapter_pages.augment(shown, book, book.output(finished.file("_build/other")))
    assert "What changed" not in other["cells"][-1]["source"]
    foot = chapter_pages.augment(shown, book, book.published)["cells"][-1]["source"]
    assert "What changed in this chapter's claims" in foot
    assert "  - [one-holds](#claim-one-holds): [supported]" in foot
    assert "; its rule was amended" in foot
