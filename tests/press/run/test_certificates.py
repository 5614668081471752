"""Certificates: an honest one, a damaged one, and ones that don't follow."""

from __future__ import annotations

import copy
import json
import subprocess
from dataclasses import asdict

import pytest

from falsestruct.press.run import certificates
from falsestruct.statistics import Estimate, Nobody, exact

ZERO = exact(0)
FOUND = Estimate(3.5, 3.0, 4.0, 20, "Student's t")


def record(found: Estimate | Nobody, control: Estimate | Nobody = ZERO) -> dict:
    return {"id": "one-holds", "chapter": "01_one", **asdict(found), "control": asdict(control)}


def lay(folder, found, control=ZERO):
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"claims": {"one-holds": record(found, control)}})
    (folder / "evidence.json").write_text(text)


def git(desk, *words: str) -> None:
    about = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *about, *words], cwd=desk.root, check=True, capture_output=True)


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
        return certificates.make(kept.book, output, seconds=12.34, failed=failed)

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
    assert honest["counts"] == {"claims": 1, "agree": 1, "differ": 0, "moved": 0}
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
    assert "it lacks format" in invoke(kept, "certify", "--check", str(path))[2]
    assert "no certificate in" in invoke(kept, "certify", "--check", "nowhere.json")[2]
    path.write_text(certificates.as_json(honest | {"format": 9}))
    assert "has format 9" in invoke(kept, "certify", "--check", str(path))[2]


def test_inconsistent_certificates_are_seen(kept, honest):
    row = honest["claims"][0]
    rule = row["rule"] | {"supported": [{"low": "> 1"}]}
    other, moved = row["book"] | {"value": 3.6}, row["verdicts"] | {"run": "refuted"}
    cases = {
        "one-holds: verdicts is": with_row(honest, verdicts=moved),
        "one-holds: agrees is False": with_row(honest, agrees=False),
        "counts are": signed(honest, counts=honest["counts"] | {"agree": 2}),
        "its rule is not that of commit": with_row(honest, rule=rule),
        "the book's numbers are not those": with_row(honest, book=other),
        "the commit states it, and": signed(honest, claims=[], counts=certificates.counted([])),
        "is not in this clone's history": signed(honest, commit="0123456789ab"),
        "so nobody can repeat it": signed(honest, commit=honest["commit"] + "+"),
        "a claim can't be read": signed(honest, claims=[{"id": "one-holds"}]),
    }  # fmt: skip
    for said, certificate in cases.items():
        wrong = certificates.check(kept.book, certificate)
        assert any(said in line for line in wrong), (said, wrong)
        assert not any("digest" in line for line in wrong)


def test_what_differs_is_said(made, kept):
    found = made(Estimate(2.0, 1.0, 2.5, 20, "Student's t"), two="it failed")
    assert found["counts"] == {"claims": 1, "agree": 0, "differ": 1, "moved": 1}
    assert certificates.check(kept.book, found) == []  # it follows all the same
    [line] = certificates.differences(found)
    assert (
        line
        == "one-holds: supported, 3.5 [3.0, 4.0] in the book; refuted, 2.0 [1.0, 2.5] in the run"
    )
    page = certificates.as_page(found)
    assert line in page and "two failed: it failed" in page
    control = made(FOUND, Estimate(9.0, 8.0, 10.0, 3, "Student's t"))
    assert control["claims"][0]["verdicts"]["run"] == "inconclusive"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (exact(3), exact(3 + 1e-10), True),
        (exact(3), exact(3 + 1e-7), False),
        (exact(1e9), exact(1e9 + 0.1), True),
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


@pytest.mark.slow
def test_a_whole_re_execution(finished):
    """Of the throw-away book, which stays as it is."""
    before = finished.digest()
    done = finished.call("certify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 claims agree, 0 verdicts moved" in done.stdout
    assert finished.digest() == before
    [path] = finished.file("_build/certificates").glob("*.json")
    assert certificates.read(path)["claims"][0]["run"]["value"] == 3
    assert path.with_suffix(".md").exists()


def test_certificates_are_listed_by_date(kept, honest):
    folder = kept.file("book/certificates")
    folder.mkdir()
    for name, date in (("a", "2027-01-02T00:00:00+00:00"), ("b", "2027-01-01T00:00:00+00:00")):
        text = certificates.as_json(signed(honest, date=date))
        (folder / f"{name}.json").write_text(text)
    assert [path.stem for path, _ in certificates.laid(kept.book)] == ["b", "a"]
