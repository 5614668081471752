"""Which edit makes which chapter stale, and which only has its figures drawn again."""

import pytest

from falsestruct.press.run import chapters, freshness
from falsestruct.press.run.chapters import read_chapters

ALL = {"01_one", "02_two", "03_last"}
PINS = "numpy==1  # arrays\nmatplotlib==1\nsphinx==1\n"
STYLE = "falsestruct/plots/style.py"
FIGURES = "falsestruct/chapters/one/figures.py"


@pytest.fixture
def shelf(desk):
    """The throw-away book, whose figures have a style and whose requirements several pins."""
    desk.file("requirements.txt").write_text(PINS)
    desk.file(STYLE).parent.mkdir()
    desk.file(STYLE).write_text("SIZE = 1\n")
    text = desk.file(FIGURES).read_text()
    desk.file(FIGURES).write_text(f"import falsestruct.plots.style\n{text}")
    return desk


def keys(desk, key=chapters.freshness_key):
    return {name: key(desk.book, chapter) for name, chapter in read_chapters(desk.book).items()}


def changed(desk, key, name, old, new):
    before, path = keys(desk, key), desk.file(name)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    after = keys(desk, key)
    return {chapter for chapter in before if before[chapter] != after[chapter]}


COMPUTES = [
    ("falsestruct/problems/one.py", "1.0", "2.0", {"01_one"}),
    ("falsestruct/problems/two.py", "helper.FACTOR *", "helper.FACTOR  *", {"02_two"}),
    ("falsestruct/problems/helper.py", "2", "3", {"02_two"}),  # through two, relatively
    ("falsestruct/problems/__init__.py", "", "X = 1\n", {"01_one", "02_two"}),
    ("falsestruct/__init__.py", "__version__", "X = 1\n__version__", {"01_one", "02_two"}),
    ("book/01_one.md", "seeds = 3", "seeds = 4", {"01_one"}),
    ("book/01_one.md", "seeds: 4", "seeds: 5", {"01_one"}),
    ("book/01_one.md", "Some text.", "Some other text.", {"01_one"}),
    ("requirements.txt", "numpy==1", "numpy==2", ALL),
    ("book/numbers.txt", "1 2 3", "1 2 4", {"01_one"}),
]
DRAWS = [
    (FIGURES, "x label", "the x label", {"01_one"}),
    (STYLE, "1", "2", {"01_one"}),
    ("requirements.txt", "matplotlib==1", "matplotlib==2", ALL),
]
NEITHER = [
    ("falsestruct/__init__.py", '"""', '"""About: '),
    ("falsestruct/__init__.py", '__version__ = "', '__version__ = "9'),
    ("falsestruct/cli.py", '"""The', '"""This is the'),
    ("falsestruct/press/notebook/claims.py", '"""', '"""About: '),
    ("falsestruct/press/run/freshness.py", '"""', '"""About: '),
    ("falsestruct/problems/__init__.py", "", '"""Where structures disagree."""\n'),
    ("book/01_one.md", "jupytext_version: 1.19.6", "jupytext_version: 1.99.0"),
    ("book/claims/01_one.yml", ">= 3", ">= 2"),
    ("book/claims/01_one.yml", "It holds.", "It still holds."),
    ("requirements.txt", "sphinx==1", "sphinx==2"),
    ("requirements.txt", "# arrays", "# arrays of numbers"),
]


@pytest.mark.parametrize(("name", "old", "new", "stale"), COMPUTES)
def test_what_computes_makes_exactly_these_chapters_stale(shelf, name, old, new, stale):
    assert changed(shelf, chapters.freshness_key, name, old, new) == stale


@pytest.mark.parametrize(("name", "old", "new", "drawn"), DRAWS)
def test_what_draws_is_drawn_again_and_not_computed(shelf, name, old, new, drawn):
    assert changed(shelf, chapters.drawing_key, name, old, new) == drawn
    assert changed(shelf, chapters.freshness_key, name, new, old) == set()


@pytest.mark.parametrize(("name", "old", "new"), NEITHER)
def test_the_press_the_claims_and_their_tools_are_in_no_key(shelf, name, old, new):
    for key in (chapters.freshness_key, chapters.drawing_key):
        assert changed(shelf, key, name, old, new) == set()
        old, new = new, old


@pytest.mark.parametrize(
    ("form", "key"), [("FORMAT", chapters.freshness_key), ("PICTURES", chapters.drawing_key)]
)
def test_a_format_number_stands_for_the_press(shelf, monkeypatch, form, key):
    before = keys(shelf, key)
    monkeypatch.setattr(freshness, form, getattr(freshness, form) + 1)
    assert not set(before.values()) & set(keys(shelf, key).values())


@pytest.mark.parametrize(
    ("code", "package"),
    [
        ("import falsestruct.problems.one", ""),
        ("def late():\n    from falsestruct.problems import one\n    return one", ""),
        ("from falsestruct import problems", "from .one import value\n"),
        ("from falsestruct import problems", "from falsestruct.problems import one\n"),
    ],
)
def test_every_form_of_import_counts(desk, code, package):
    """The text names a module, or names a package that imports it."""
    desk.file("falsestruct/problems/__init__.py").write_text(package)
    desk.edit("book/02_two.md", "double(seeds)", code)
    edit = ("falsestruct/problems/one.py", "1.0", "2.0")
    assert "02_two" in changed(desk, chapters.freshness_key, *edit)


def test_a_module_that_appears_counts(desk):
    desk.edit("falsestruct/problems/two.py", "from . import helper", "from . import helper, more")
    before = keys(desk)
    desk.file("falsestruct/problems/more.py").write_text("X = 1\n")
    assert keys(desk)["02_two"] != before["02_two"]
    assert keys(desk)["01_one"] == before["01_one"]


def test_a_syntax_error_does_not_stop_the_question(desk):
    desk.edit("falsestruct/problems/two.py", "def double(seeds):", "def double(seeds:")
    desk.edit("book/01_one.md", "value = one.value(seeds)", "value = = one")
    assert chapters.state(desk.book, read_chapters(desk.book)["02_two"]).state == "never run"
