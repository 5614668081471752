"""A new chapter: it fails until it is filled in; if it can't be written it leaves nothing."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from falsestruct.press.notebook import claims
from falsestruct.press.paths import UserError
from falsestruct.press.run import scaffold
from falsestruct.press.run.chapters import read_chapter
from falsestruct.statistics import exact
from tests.conftest import REPOSITORY

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
CODE = tuple(f"{name}.py" for name in ("__init__", "measure", "evidence", "figures"))
FILES = (
    "book/{name}.md", "book/claims/{name}.yml",
    *(f"falsestruct/chapters/{{slug}}/{name}" for name in CODE),
    "tests/chapters/{slug}/test_measure.py", "_toc.yml",
)  # fmt: skip


PARITIES = """\
- {id: parities-holds, component: success, problem: none, kind: check, sentence: It holds.,
   source: ours, measure: A number., threshold: "> 0",
   control: {sentence: None., rule: {high: "< 0"}}, predicted: supported, pinned: supported}
"""


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
    made = scaffold.new(shelf.book, given)
    slug = name[3:]
    assert made.name == name
    assert made.paths == tuple(path.format(name=name, slug=slug) for path in FILES)
    after = shelf.digest()
    assert {path for path in after if after[path] != before.get(path)} == set(made.paths)
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
        ("book/claims/01_one.yml", "- [", "01_one.yml"),
        ("book/claims/01_one.yml", PARITIES, "states 'parities-holds' already"),
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


MEASURE = '''\
"""Chapter 04_parities."""

import pandas as pd


def measured(*, seeds: int, learner=min) -> pd.DataFrame:
    """The share of seeds that are at least the learner's."""
    numbers = range(seeds)
    share = [float(number >= learner(numbers)) for number in numbers]
    kinds = {"planted": share, "control": [0.0] * seeds}
    return pd.DataFrame([{"kind": k, "share": s} for k, all in kinds.items() for s in all])
'''
RULES = (
    ("problem: FILL IN", "problem: none"),
    ('"FILL IN: what you expect to find, in one sentence, before you look."', "All are."),
    ('"FILL IN: a paper and the place in it, or ours"', "ours"),
    ('"FILL IN: the number that decides."', "Share."),
    ('  # FILL IN: nothing fulfils this rule. Write your own, "> 0.5" say.\n', ""),
    ('threshold: "> 9e99"', 'threshold: "> 0.5"'),
    ('"FILL IN: what must come out the other way: labels shuffled, nothing planted."', "None."),
    ('rule: {low: "> 9e99"}', 'rule: {high: "< 0.5"}'),
)


def pytest_of(desk):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "tests/chapters/parities/test_measure.py"],
        cwd=desk.root, env=desk.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_chapter_from_nothing_to_a_judged_claim(shelf):
    """As CONTRIBUTING.md walks through it."""
    for name in ("learning", "plots"):
        shutil.copytree(REPOSITORY / "falsestruct" / name, shelf.file(f"falsestruct/{name}"))
    for name in ("evidence.py", "names.py"):
        shutil.copy(REPOSITORY / "falsestruct" / name, shelf.file("falsestruct"))
    made = shelf.call("new", "parities")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[0] == "book/04_parities.md"
    assert "pytest tests/chapters/parities/test_measure.py" in made.stdout
    assert shelf.call("list").returncode == 0  # the other chapters go on

    tested = pytest_of(shelf)
    assert tested.returncode == 1 and "3 failed" in tested.stdout
    assert "Fill these in, the claim first, and commit it before you run" in tested.stdout
    for name in ("book/claims/04_parities.yml", "book/04_parities.md", "measure.py", "figures.py"):
        assert f"{name}, line" in tested.stdout
    ran = shelf.call("run", "04_parities")
    assert ran.returncode == 1 and "NotImplementedError: FILL IN: draw" in ran.stdout

    shelf.file("falsestruct/chapters/parities/measure.py").write_text(MEASURE)
    ran = shelf.call("run", "04_parities")
    assert ran.returncode == 1 and "claim 'parities-holds' still says FILL IN" in ran.stdout
    for old, new in RULES:
        shelf.edit("book/claims/04_parities.yml", old, new)
    for name in ("book/04_parities.md", "falsestruct/chapters/parities/figures.py"):
        text = shelf.file(name).read_text()
        text = re.sub(r'FILL IN:.*?(?=\n\n|\n$|",?\n|"\))', "Text.", text, flags=re.S)
        shelf.file(name).write_text(text)
    test = shelf.file("tests/chapters/parities/test_measure.py")
    text = re.sub(r"    pytest\.fail\(.*\)\n", (
        "    assert verdict(learner=max) == 'refuted'\n"
    ), test.read_text())  # fmt: skip
    test.write_text(text)

    ran = shelf.call("run", "04_parities")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "claims: 1 supported" in ran.stdout
    assert shelf.evidence()["parities-holds"]["verdict"] == "supported"
    assert shelf.file("book/figures/parities-holds.svg").exists()
    tested = pytest_of(shelf)
    assert tested.returncode == 0, tested.stdout
