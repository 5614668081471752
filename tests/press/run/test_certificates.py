"""Certificates: an honest one, a damaged one, and ones that don't follow."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from falsestruct.press.run import certificates, received
from falsestruct.press.site import reexecuted
from falsestruct.statistics import Estimate, Nobody, exact
from tests import conftest
from tests.conftest import REPOSITORY

ZERO = exact(0)
FOUND = Estimate(3.5, 3.0, 4.0, 20, "Student's t")


def record(found: Estimate | Nobody, control: Estimate | Nobody = ZERO) -> dict:
    return {"id": "one-holds", "chapter": "01_one", **asdict(found), "control": asdict(control)}


def lay(folder, found, control=ZERO):
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"claims": {"one-holds": record(found, control)}})
    (folder / "evidence.json").write_text(text)


def git(desk, *words: str) -> str:
    return conftest.git(desk.root, *words, date="2021-01-01T00:00:00Z")


@pytest.fixture
def kept(desk):
    """A book in git, with a record."""
    lay(desk.file("book"), FOUND)
    git(desk, "init")
    git(desk, "add", "-A")
    git(desk, "commit", "-m", "all")
    return desk


@pytest.fixture
def made(kept, tmp_path):
    """Makes a certificate of a run that came to this."""

    def make(found, control=ZERO, **failed):
        lay(tmp_path / "run", found, control)
        output = kept.book.output(tmp_path / "run")
        basis = certificates.begin(kept.book, uncommitted=True)
        return certificates.make(basis, output, seconds=12.34, failed=failed)

    return make


@pytest.fixture
def honest(made):
    return made(Estimate(3.7, 3.1, 4.3, 20, "Student's t"))


def signed(certificate, **changes):
    """Changed, and with the digest that belongs to it."""
    new = copy.deepcopy(certificate) | changes
    return new | {"digest": certificates.digest(new)}


def with_row(certificate, **changes):
    return signed(certificate, claims=[certificate["claims"][0] | changes])


def test_an_honest_certificate_follows(kept, honest, tmp_path, invoke):
    assert certificates.check(kept.book, honest) == []
    counts = {"claims": 1, "agree": 1, "differ": 0, "moved": 0, "loaded": 0, "loaded_agree": 0}
    assert honest["counts"] == counts
    path = tmp_path / "c.json"
    path.write_text(certificates.as_json(honest))
    assert certificates.read(path) == honest
    code, out, _ = invoke(kept, "certify", "--check", str(path))
    assert code == 0 and "It follows: 1 of 1 claims agree" in out and certificates.CAVEAT in out
    assert "Nothing." in certificates.as_page(honest)


def test_a_damaged_certificate_is_seen(kept, honest, tmp_path, invoke):
    path = tmp_path / "c.json"
    path.write_text(certificates.as_json(honest).replace('"seconds": 12.3', '"seconds": 12.4'))
    code, out, _ = invoke(kept, "certify", "--check", str(path))
    assert code == 1 and "the digest is of another content" in out
    path.write_text(certificates.as_json(honest)[:-20])
    code, _, said = invoke(kept, "certify", "--check", str(path))
    assert code == 2 and "is no JSON" in said
    path.write_text("{}")
    assert "format: Field required" in invoke(kept, "certify", "--check", str(path))[2]
    assert "no certificate in" in invoke(kept, "certify", "--check", "nowhere.json")[2]
    path.write_text(certificates.as_json(honest | {"format": 9}))
    assert "format: this version reads 1, not 9" in invoke(kept, "certify", "--check", str(path))[2]


def test_inconsistent_certificates_are_seen(kept, honest):
    row = honest["claims"][0]
    rule = row["rule"] | {"supported": [{"low": "> 1"}]}
    other, moved = row["book"] | {"value": 3.6}, row["verdicts"] | {"run": "refuted"}
    cases = {
        "one-holds: verdicts is": with_row(honest, verdicts=moved),
        "one-holds: agrees is False": with_row(honest, agrees=False),
        "counts are": signed(honest, counts=honest["counts"] | {"agree": 2}),
        "its rule is not that of the commit": with_row(honest, rule=rule),
        "the book's numbers are not those": with_row(honest, book=other),
        "its chapter is 01_one, not 02_two": with_row(honest, chapter="02_two"),
        "its chapter loads no recorded runs": with_row(honest, records=["slow"]),
        "the commit doesn't state it": with_row(honest, id="two-holds"),
        "the commit states it, and": signed(honest, claims=[], counts=certificates.counted([])),
        "is not in this clone's history": signed(honest, commit="0123456789ab"),
        "is yet to come": signed(honest, date="2999-01-01T00:00:00+00:00"),
        "before that of its commit, 2021-01-01": signed(honest, date="2020-12-31T23:59:59+00:00"),
        "no commit has what was run": signed(honest, commit=honest["commit"] + "+"),
        "it has a result, but chapter 01_one": signed(honest, failed={"01_one": "it failed"}),
        "the commit has no such chapter": signed(honest, failed={"07_more": "it failed"}),
    }  # fmt: skip
    for said, certificate in cases.items():
        wrong = certificates.check(kept.book, certificate)
        assert any(said in line for line in wrong), (said, wrong)
        assert not any("digest" in line for line in wrong)


def test_what_differs_is_said(made, kept):
    found = made(Estimate(2.0, 1.0, 2.5, 20, "Student's t"), **{"02_two": "it *failed*\n\x1b[1m"})
    counts = {"claims": 1, "agree": 0, "differ": 1, "moved": 1, "loaded": 0, "loaded_agree": 0}
    assert found["counts"] == counts and certificates.summary(found).startswith(
        "0 of 1 claims agree, 1 verdict moved, 1 chapter failed; commit "
    )
    assert certificates.check(kept.book, found) == []  # it follows all the same
    [line] = certificates.differences(found)
    assert (
        line
        == "one-holds: supported, 3.5 [3.0, 4.0] in the book; refuted, 2.0 [1.0, 2.5] in the run"
    )
    page = certificates.as_page(found)
    assert line in page and r"02_two failed: it \*failed\* \[1m" in page
    control = made(FOUND, Estimate(9.0, 8.0, 10.0, 3, "Student's t"))
    assert control["claims"][0]["verdicts"]["run"] == "inconclusive"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (exact(3), exact(3 + 1e-10), True),
        (exact(3), exact(3 + 1e-7), False),
        (exact(1e9), exact(1e9 + 0.1), True),
        (exact(0), exact(0), True),
        (exact(9.5e-15), exact(1e-10), True),  # what rounding leaves: by the verdict only
        (exact(9.5e-10), exact(1.9e-9), False),
        (exact(2e-9), exact(2.5e-9), False),
        (exact(2e-9), exact(2e-9 * (1 + 1e-12)), True),
        (FOUND, exact(4.0), True),
        (FOUND, exact(4.01), False),
        (Nobody("none", 0), Nobody("nobody", 1), True),
        (FOUND, Nobody("none", 0), False),
    ],
)
def test_agreement(old, new, same):
    assert certificates.agree(old, new) is same


def test_the_verdict_is_the_books_own(kept):
    """As `stated.judge`, from the rule that a record keeps."""
    from falsestruct.press.notebook import claims

    claim = claims.read_claims(kept.book)["one-holds"]
    for found in (FOUND, exact(3), exact(2), Estimate(3, 2, 4, 5, "m"), Nobody("none", 0)):
        for control in (exact(0), exact(1), Nobody("none", 0)):
            own = certificates.verdict(claim.rule, record(found, control))
            assert own == claims.judge(claim, found, control)
    assert certificates.verdict(claim.rule, None) == "no record"


def test_small_numbers_are_compared_by_their_verdicts(made, kept):
    rule = {"supported": [{"value": "> 0"}], "refuted": [{"value": "<= 0"}],
            "control": [{"value": "<= 0"}]}  # fmt: skip
    old, same, other = (record(exact(value)) for value in (1e-18, 3e-18, 0))
    assert certificates.compare(rule, old, same)["agrees"]
    assert not certificates.compare(rule, old, other)["agrees"]


def test_a_failed_chapter_has_no_results(made, kept):
    """Whatever lies where it would have left some."""
    found = made(FOUND, **{"01_one": "it failed"})
    assert found["claims"][0]["run"] is None and found["counts"]["agree"] == 0
    assert found["claims"][0]["verdicts"]["run"] == "no record"
    assert certificates.check(kept.book, found) == []


def test_chapters_that_load_recorded_runs_are_counted_apart(kept, made):
    plan = "slow: {chapter: 01_one, function: 'm:f', tasks: [{}]}\n"
    kept.file("book/records.yml").write_text(plan)
    git(kept, "add", "-A")
    git(kept, "commit", "-m", "a plan")
    found = made(FOUND)
    assert found["claims"][0]["records"] == ["slow"]
    assert (found["counts"]["loaded"], found["counts"]["loaded_agree"]) == (1, 1)
    said = "0 of 0 claims agree in chapters without recorded runs, 1 of 1 in chapters that load"
    assert certificates.summary(found).startswith(said)
    assert certificates.check(kept.book, found) == []
    row = found["claims"][0] | {"records": []}
    forged = signed(found, claims=[row], counts=certificates.counted([row]))
    assert certificates.check(kept.book, forged) == ["one-holds: its chapter loads slow, not that"]


def test_the_real_book_loads_recorded_runs_in_five_chapters():
    from falsestruct.press.paths import Book
    from falsestruct.press.run import records

    book = Book(REPOSITORY)
    loads = certificates._loads(
        records.plan(book), lambda name: (book.source / f"{name}.md").read_text()
    )
    calling = {p.stem for p in book.source.glob("[0-9]*.md") if "records.load(" in p.read_text()}
    assert {p.stem for p in book.source.glob("[0-9]*.md") if loads(p.stem)} == calling
    assert "33_where_time_goes" in calling  # whose run is planned for another chapter


def test_commits_are_hashes_and_no_names(kept, honest, tmp_path, invoke):
    """A name leads elsewhere tomorrow, also one that looks like a hash."""
    for name in ("HEAD", "main", "HEAD~1", honest["commit"][:6], honest["commit"] + "^{commit}"):
        assert "commit: " in received.wrong(signed(honest, commit=name)), name
    git(kept, "branch", "abcdef123456")
    [wrong] = certificates.check(kept.book, signed(honest, commit="abcdef123456"))
    assert "is not in this clone's history" in wrong


def changed(found, *path, to):
    """With one part, wherever it lies, another one."""
    new = copy.deepcopy(found)
    *where, last = path
    part = new
    for name in where:
        part = part[name]
    part[last] = to
    return signed(new)


ROW = ("claims", 0)
MALFORMED = [
    (("format",), True), (("format",), 1.0), (("more",), 1), ((*ROW, "more"), 1),
    (("date",), "2999-13-99"), (("date",), 5), (("date",), None),
    (("date",), "2027-01-01"), (("seconds",), "x"), (("seconds",), -1), (("seconds",), 10**400),
    (("machine",), []), (("machine",), {}), (("machine", "machine"), "a\nb"),
    (("machine", "machine"), "x" * 501), (("machine", "machine"), "\u202eabc"),
    (("failed",), []), (("failed",), {"../x": "failed"}), (("claims",), {}),
    ((*ROW, "id"), [1]), ((*ROW, "id"), "One <b>"), ((*ROW, "chapter"), "one"),
    ((*ROW, "agrees"), 1), ((*ROW, "run"), {}), ((*ROW, "run", "value"), 10**400),
    ((*ROW, "run", "value"), float("nan")), ((*ROW, "run", "low"), 9.0), ((*ROW, "run", "n"), 0),
    ((*ROW, "run", "value"), True), ((*ROW, "run", "control"), None),
    ((*ROW, "run", "reason"), "both"), ((*ROW, "verdicts", "run"), "fine"),
    ((*ROW, "rule", "supported"), {"low": "> 1"}), ((*ROW, "rule", "supported"), []),
    ((*ROW, "rule", "supported"), [{"low": "around 1"}]), (("counts", "agree"), "1"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "to"), MALFORMED)
def test_what_no_certificate_holds_is_one_line(kept, honest, tmp_path, invoke, path, to):
    file = tmp_path / "c.json"
    file.write_text(json.dumps(changed(honest, *path, to=to)))
    code, out, said = invoke(kept, "certify", "--check", str(file))
    assert (code, out, said.count("\n")) == (2, "", 1), said
    assert said.startswith(f"falsestruct: {file} is no ") and path[0] in said


def test_files_that_no_one_can_read_are_one_line(kept, honest, tmp_path, invoke, monkeypatch):
    file, whole = tmp_path / "c.json", certificates.as_json(honest)
    lacking = copy.deepcopy(honest)
    del lacking["claims"][0]["id"]
    twice = signed(honest, claims=honest["claims"] * 2)
    twice = signed(twice, counts=certificates.counted(twice["claims"]))
    texts = {
        "claims.0.id: Field required": certificates.as_json(lacking),
        "claims: one-holds stands there twice": certificates.as_json(twice),
        "date: ": whole.replace(honest["date"], "\\ud800"),
        "is nested too deeply": "[" * 2_000_000,
        "is no certificate": "[]",
        "is no JSON": "1" * 5000,
    }
    for text, written in texts.items():
        file.write_text(written)
        code, _, said = invoke(kept, "certify", "--check", str(file))
        assert (code, said.count("\n")) == (2, 1) and text in said, (text, said)
    monkeypatch.setattr(received, "LARGEST", 10)
    file.write_text(whole)
    assert "expected at most 10" in invoke(kept, "certify", "--check", str(file))[2]


def test_nothing_is_executed_that_nobody_could_check(kept, invoke, monkeypatch):
    from falsestruct.press.run import runner

    def executed(*_):
        raise AssertionError

    monkeypatch.setattr(runner, "run", executed)
    old = kept.file("book/evidence.json").read_text()
    kept.file("book/evidence.json").write_text(old + "\n")
    code, _, said = invoke(kept, "certify")
    assert code == 2 and said.startswith("falsestruct: book/evidence.json differs from commit ")
    kept.file("book/evidence.json").write_text(old)
    kept.edit("book/02_two.md", "# Two", "# Too")
    code, _, said = invoke(kept, "certify")
    assert code == 2 and "sources differ from commit" in said and "--uncommitted" in said
    git(kept, "commit", "-am", "Too")
    with pytest.raises(AssertionError):
        invoke(kept, "certify")
    shutil.rmtree(kept.file(".git"))
    code, _, said = invoke(kept, "certify")
    assert code == 2 and "the commit is unknown" in said


def test_uncommitted_results_have_a_plus(kept, made):
    """As uncommitted sources have: the commit that it names lacks these numbers."""
    assert not made(FOUND)["commit"].endswith("+")
    lay(kept.file("book"), exact(3))
    found = made(FOUND)
    assert found["commit"].endswith("+")
    assert received.wrong(found) == ""
    [wrong] = certificates.check(kept.book, found)
    assert "nobody can repeat it" in wrong


def committed(desk, *words):
    git(desk, "add", "-A")
    git(desk, "commit", "-m", "all", *words)


@pytest.mark.slow
def test_whole_re_executions(finished):
    """Of the throw-away book, which stays as it is; then of one with a chapter that fails."""
    finished.file(".gitignore").write_text("_build\n__pycache__\n")
    git(finished, "init")
    committed(finished)
    before = finished.digest("book", "notebooks", "falsestruct")
    done = finished.call("certify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 claims agree, 0 verdicts moved" in done.stdout
    assert finished.digest("book", "notebooks", "falsestruct") == before
    [path] = finished.file("_build/certificates").glob("*.json")
    assert certificates.read(path)["claims"][0]["run"]["value"] == 3
    assert path.with_suffix(".md").exists() and (path.with_suffix("") / "notebooks").is_dir()
    finished.edit("falsestruct/problems/one.py", "return 1.0 * seeds", "raise OSError(seeds)")
    committed(finished)
    done = finished.call("certify")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 of 1 claims agree, 1 verdict moved, 1 chapter failed" in done.stdout
    checked = [finished.call("certify", "--check", str(p)).returncode
               for p in finished.file("_build/certificates").glob("*.json")]  # fmt: skip
    assert checked == [0, 0]


def laid(desk, name, found):
    folder = desk.file("book/certificates")
    folder.mkdir(exist_ok=True)
    text = found if isinstance(found, str) else certificates.as_json(found)
    (folder / name).write_text(text)


def test_certificates_are_listed_by_date(kept, honest):
    for name, date in (("a", "2021-01-02T00:00:00+00:00"), ("b", "2021-01-01T00:00:00+00:00")):
        laid(kept, f"{name}.json", signed(honest, date=date))
    found = certificates.laid(kept.book)
    assert [one.path.stem for one in found] == ["b", "a"]
    assert not any(one.wrong for one in found)


def test_the_page_says_what_does_not_hold(kept, honest):
    script = {"machine": "<script>alert(1)</script> # a `b` {x}`y`"}
    laid(kept, "a.json", signed(honest, machine=honest["machine"] | script))
    forged = signed(honest, counts=honest["counts"] | {"agree": 7, "claims": 7})
    laid(kept, "b.json", forged)
    laid(kept, "c.json", "{}")
    laid(kept, "`d <x>.json", honest)
    text = reexecuted.as_list(kept.book, certificates.laid(kept.book))
    assert r"\<script\>alert\(1\)\<\/script\> \# a \`b\` \{x\}\`y\`" in text
    assert "<script" not in text.replace(r"\<", "")
    assert text.count("{download}`") == 3 and "7 of 7" not in text
    assert text.count("**This certificate does not hold:** counts are") == 1
    assert "does not hold:** book\\/certificates\\/c\\.json is no certificate" in text


def test_without_a_history_a_certificate_is_not_blamed(kept, honest):
    laid(kept, "a.json", honest)
    laid(kept, "b.json", signed(honest, counts=honest["counts"] | {"agree": 7}))
    shutil.rmtree(kept.file(".git"))
    first, second = certificates.laid(kept.book)
    assert first.wrong == [] and not first.compared
    assert [what.partition(" are")[0] for what in second.wrong] == ["counts"]
    text = reexecuted.as_list(kept.book, [first])
    assert "Not compared with its commit: " in text and "does not hold" not in text
    assert str(kept.root) not in text


def test_the_page_names_no_folder_of_a_machine(kept, honest):
    """Also where the book lies in another repository."""
    laid(kept, "a.json", honest)
    shutil.move(kept.file(".git"), kept.root.parent / ".git")
    [one] = certificates.laid(kept.book)
    text = reexecuted.as_list(kept.book, [one])
    assert reexecuted.UNCOMPARED in text and str(kept.root.parent) not in text
    shutil.rmtree(kept.root.parent / ".git")


def test_a_commit_must_be_one_that_others_can_fetch(kept, honest):
    """That of a removed branch is no longer; that of a branch, a tag or HEAD alone is."""
    start = git(kept, "rev-parse", "--abbrev-ref", "HEAD")
    git(kept, "checkout", "--orphan", "alone")
    git(kept, "commit", "-m", "other")
    found = signed(honest, commit=git(kept, "rev-parse", "--short=12", "HEAD"))
    assert certificates.check(kept.book, found) == []
    git(kept, "checkout", "-f", start)
    assert certificates.check(kept.book, found) == []
    git(kept, "tag", "kept", "alone")
    git(kept, "branch", "-D", "alone")
    assert certificates.check(kept.book, found) == []
    git(kept, "checkout", "kept")
    git(kept, "tag", "-d", "kept")
    assert certificates.check(kept.book, found) == []
    git(kept, "checkout", "-f", start)
    [wrong] = certificates.check(kept.book, found)
    assert "is not in this clone's history" in wrong


def run_that(monkeypatch, meanwhile, **summary):
    """Instead of a run: these results, and what else happened."""
    from falsestruct.press.run import runner

    def run(book, request, _):
        lay(request.output, FOUND)
        meanwhile()
        return runner.Summary(ran=["01_one"], **summary)

    monkeypatch.setattr(runner, "run", run)


def test_a_certificate_is_of_the_commit_before_the_run(kept, invoke, monkeypatch):
    """Nobody knows of what one is whose commit is another one, or whose chapter has changed."""

    def edited():
        kept.edit("book/02_two.md", "# Two", "# Too")

    def committed():
        edited()
        git(kept, "commit", "-am", "Too")

    def recorded():
        kept.file("book/records").mkdir()
        kept.file("book/records/slow.json").write_text("{}")

    cases = {
        "the clone was at commit ": (edited, []), "and is at ": (committed, []),
        "book/records changed": (recorded, []), "02_two changed": (lambda: None, ["02_two"]),
    }  # fmt: skip
    kept.file(".gitignore").write_text("_build\n")
    git(kept, "add", "-A")
    git(kept, "commit", "-m", "start")
    start = git(kept, "rev-parse", "HEAD")
    for said, (meanwhile, changed) in cases.items():
        run_that(monkeypatch, meanwhile, changed=changed)
        code, out, told = invoke(kept, "certify")
        assert (code, out, told.count("\n")) == (2, "", 1) and said in told, (said, told)
        assert Path(told.rpartition(" ")[2].strip()).is_dir()  # the results aren't lost
        git(kept, "reset", "--hard", start)
        git(kept, "clean", "-fd")
    assert not list(kept.file("_build/certificates").glob("*.json"))


def test_results_that_change_during_the_run_are_those_from_before(kept, invoke, monkeypatch):
    """Another run in the same clone: the commit has what this one is compared with."""
    run_that(monkeypatch, lambda: lay(kept.file("book"), exact(9)))
    kept.file(".gitignore").write_text("_build\n")
    git(kept, "add", "-A")
    git(kept, "commit", "-m", "start")
    code, out, _ = invoke(kept, "certify")
    assert code == 0 and "1 of 1 claims agree" in out
    [path] = kept.file("_build/certificates").glob("*.json")
    assert certificates.check(kept.book, certificates.read(path)) == []


def test_few_differences_are_shown(kept, honest):
    row = certificates.compare(honest["claims"][0]["rule"], record(FOUND), record(exact(2.0)))
    rows = [honest["claims"][0] | row | {"id": f"one-{i}"} for i in range(60)]
    found = signed(honest, claims=rows, counts=certificates.counted(rows))
    text = reexecuted.as_list(kept.book, [certificates.Laid(kept.file("x/c.json"), found, [])])
    assert text.count("one-") == reexecuted.SHOWN and "and 57 more, which the file tells" in text
    assert len(text) < 1000


def test_a_page_beside_a_certificate_is_linked_if_it_is_its_own(kept, honest):
    laid(kept, "a.json", honest)
    for text, there in ((certificates.as_page(honest), True), ("# All is well\n", False)):
        laid(kept, "a.md", text)
        shown = reexecuted.as_list(kept.book, certificates.laid(kept.book))
        assert ("as a page" in shown) is there
