"""A new chapter: it fails until it is filled in; if it can't be written it leaves nothing."""

import re
import subprocess
import sys

import pytest
import yaml

from falsestruct.press.notebook import claims
from falsestruct.press.paths import UserError
from falsestruct.press.run import scaffold
from falsestruct.press.run.chapters import read_chapter
from falsestruct.statistics import exact

CONTENTS = """\
format: jb-book
root: book/index
parts:
  - caption: One
    chapters:
      - file: notebooks/01_one
      - file: notebooks/02_two
  - caption: Two
    chapters:
      - file: book/bibliography
      - file: notebooks/03_last
"""
FILES = (
    "book/{name}.md", "falsestruct/chapters/{slug}/__init__.py",
    "falsestruct/chapters/{slug}/measure.py", "tests/chapters/{slug}/test_measure.py",
    "book/claims.yml", "_toc.yml",
)  # fmt: skip


@pytest.fixture
def shelf(desk):
    desk.file("_toc.yml").write_text(CONTENTS)
    return desk


def listed(desk):
    return re.findall(r"file: (\S+)", desk.file("_toc.yml").read_text())


@pytest.mark.parametrize(
    ("given", "name", "order"),
    [
        ("parities", "04_parities", ["01_one", "02_two", "bibliography", "03_last", "04_parities"]),
        ("12_to_3", "12_to_3", ["01_one", "02_two", "bibliography", "03_last", "12_to_3"]),
    ],
)
def test_what_is_written(shelf, given, name, order):
    before = shelf.digest()
    old = shelf.file("book/claims.yml").read_text()
    made = scaffold.new(shelf.book, given)
    slug = name[3:]
    assert made.name == name
    assert made.paths == tuple(path.format(name=name, slug=slug) for path in FILES)
    after = shelf.digest()
    assert {path for path in after if after[path] != before.get(path)} == set(made.paths)
    text = shelf.file("book/claims.yml").read_text()
    assert text.startswith(old)  # nothing else of that file changes
    assert [path.rpartition("/")[2] for path in listed(shelf)] == order
    yaml.safe_load(shelf.file("_toc.yml").read_text())
    chapter = read_chapter(shelf.file(f"book/{name}.md"))
    assert chapter.parameters["profile"] == "book" and chapter.profiles["quick"] == {"seeds": 2}


def test_a_smaller_number_comes_before(shelf):
    shelf.file("book/02_two.md").unlink()
    shelf.edit("_toc.yml", "      - file: notebooks/02_two\n", "")
    assert scaffold.new(shelf.book, "between", title="A  title").name == "02_between"
    assert listed(shelf)[:2] == ["notebooks/01_one", "notebooks/02_between"]
    assert "# A title\n" in shelf.file("book/02_between.md").read_text()
    shelf.file("book/01_one.md").unlink()
    shelf.edit("_toc.yml", "      - file: notebooks/01_one\n", "")
    scaffold.new(shelf.book, "first")
    assert listed(shelf)[:2] == ["notebooks/01_first", "notebooks/02_between"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_section_that_waits_for_its_claims(shelf, end):
    path = shelf.file("book/claims.yml")
    path.write_text(path.read_text() + "\n# ---- 04_parities ----" + end)
    scaffold.new(shelf.book, "parities")
    assert path.read_text().count("# ---- 04_parities ----") == 1
    assert "parities-holds" in claims.read_claims(shelf.book)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_the_first_claim(shelf, text):
    shelf.file("book/claims.yml").write_text(text)
    scaffold.new(shelf.book, "parities")
    assert list(claims.read_claims(shelf.book)) == ["parities-holds"]


@pytest.mark.parametrize(
    ("slug", "message"),
    [
        ("Parities", "slug 'Parities': expected lower-case words joined by underscores"),
        ("a-b", "expected lower-case words"),
        ("../x", "expected lower-case words"),
        ("a__b", "expected lower-case words"),
        ("_a", "expected lower-case words"),
        ("4_a", "expected lower-case words"),
        ("", "expected lower-case words"),
        ("class", "expected lower-case words"),
        ("two", "slug 'two' is taken by 02_two"),
        ("04_two", "slug 'two' is taken by 02_two"),
        ("02_other", r"number 02 is taken (02_two); free are 04, 05, 06, 07, 08, ..."),
        ("00_other", "free are 04, 05"),
        ("one_line", "falsestruct/chapters/one_line/measure.py is there already"),
    ],
)
def test_what_is_refused_changes_nothing(shelf, slug, message):
    path = shelf.file("falsestruct/chapters/one_line/measure.py")
    path.parent.mkdir(parents=True)
    path.write_text("")
    before = shelf.digest()
    with pytest.raises(UserError) as caught:
        scaffold.new(shelf.book, slug)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert shelf.digest() == before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("_toc.yml", None, "_toc.yml is missing"),
        ("_toc.yml", "root: x\n", "_toc.yml lists no"),
        ("book/claims.yml", "a: b\n", "expected a list of claims"),
        ("book/claims.yml", "- [", "book/claims.yml: while parsing"),
        ("book/claims.yml", "- id: parities-holds\n", "states 'parities-holds' already"),
    ],
)
def test_a_broken_book_is_left_as_it_is(shelf, name, text, message):
    path = shelf.file(name)
    path.unlink() if text is None else path.write_text(text)
    before = shelf.digest()
    with pytest.raises(UserError, match=re.escape(message)):
        scaffold.new(shelf.book, "parities")
    assert shelf.digest() == before


@pytest.mark.parametrize("last", range(len(FILES)))
@pytest.mark.parametrize("error", [UserError("full"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing_half_written(shelf, monkeypatch, last, error):
    before, written = shelf.digest(), []
    folders = {path for path in shelf.root.rglob("*") if path.is_dir()}
    real = scaffold.write_atomically

    def fails(path, data):
        if len(written) == last:
            written.append(path)
            raise error
        written.append(path)
        real(path, data)

    monkeypatch.setattr(scaffold, "write_atomically", fails)
    with pytest.raises(type(error)):
        scaffold.new(shelf.book, "parities")
    assert shelf.digest() == before
    assert {path for path in shelf.root.rglob("*") if path.is_dir()} == folders


def test_a_claim_with_placeholders_decides_nothing(shelf):
    scaffold.new(shelf.book, "parities")
    claim = claims.read_claims(shelf.book)["parities-holds"]
    with pytest.raises(UserError, match="'parities-holds' still says FILL IN"):
        claims.judge(claim, exact(1), exact(0))


EXPERIMENT = '''\
"""Chapter 04_parities."""

from falsestruct.statistics import Estimate, exact


def estimates(*, seeds: int, learner=min) -> tuple[Estimate, Estimate]:
    """The share of seeds that are at least the learner's."""
    numbers = range(seeds)
    share = sum(number >= learner(numbers) for number in numbers) / seeds
    return exact(share), exact(0)
'''
RULES = (
    ('problem: FILL IN', 'problem: none'),
    ('"FILL IN: what you expect to find, in one sentence, before you look."', "All are."),
    ('"FILL IN: a paper and the place in it, or ours"', "ours"),
    ('"FILL IN: the number that decides."', "Share."),
    ('  # FILL IN: nothing fulfils these rules. Write your own, {low: "> 0.5"} say.\n', ""),
    ('supported: {low: "> 9e99"}', 'supported: {low: "> 0.5"}'),
    ('refuted: {high: "< -9e99"}', 'refuted: {high: "< 0.5"}'),
    ('"FILL IN: what must come out the other way: labels shuffled, nothing planted."', "None."),
    ('rule: {low: "> 9e99"}', 'rule: {high: "< 0.1"}'),
)  # fmt: skip


def pytest_of(desk):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "tests/chapters/parities/test_measure.py"],
        cwd=desk.root, env=desk.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_chapter_from_nothing_to_a_judged_claim(shelf):
    """As CONTRIBUTING.md walks through it."""
    made = shelf.call("new", "parities")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[0] == "book/04_parities.md"
    assert "pytest tests/chapters/parities/test_measure.py" in made.stdout
    assert shelf.call("list").returncode == 0  # the other chapters go on

    tested = pytest_of(shelf)
    assert tested.returncode == 1 and "3 failed" in tested.stdout
    assert "Fill these in, the claim first, and commit it before you run" in tested.stdout
    assert "book/claims.yml, line" in tested.stdout and "book/04_parities.md, line" in tested.stdout
    ran = shelf.call("run", "04_parities")
    assert ran.returncode == 1 and "NotImplementedError: FILL IN: train" in ran.stdout

    shelf.file("falsestruct/chapters/parities/measure.py").write_text(EXPERIMENT)
    ran = shelf.call("run", "04_parities")
    assert ran.returncode == 1 and "claim 'parities-holds' still says FILL IN" in ran.stdout
    for old, new in RULES:
        shelf.edit("book/claims.yml", old, new)
    chapter = shelf.file("book/04_parities.md")
    chapter.write_text(re.sub(r"FILL IN:.*?(?=\n\n|\n$)", "Text.", chapter.read_text(), flags=re.S))
    test = shelf.file("tests/chapters/parities/test_measure.py")
    text = re.sub(r"    pytest\.fail\(.*\)\n", (
        "    estimate, control = measure.estimates(seeds=3, learner=max)\n"
        "    assert claims.judge(claims.read_claims(BOOK)[ID], estimate, control) == 'refuted'\n"
    ), test.read_text())  # fmt: skip
    test.write_text(text)

    ran = shelf.call("run", "04_parities")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "claims: 1 supported" in ran.stdout
    assert shelf.evidence()["parities-holds"]["verdict"] == "supported"
    tested = pytest_of(shelf)
    assert tested.returncode == 0, tested.stdout
