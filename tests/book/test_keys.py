"""What each chapter's key holds: an arrow too many would make chapters stale that it doesn't touch.

`python tests/book/test_keys.py > tests/book/keys.txt` writes the list anew: look at the difference.
"""

import shutil
from pathlib import Path

import pytest

from falsestruct.press.paths import Book
from falsestruct.press.run import chapters, freshness

BOOK = Book(Path(__file__).parents[2])
FOLDERS = sorted(path.parent.name for path in BOOK.package.glob("chapters/*/__init__.py"))
# Every chapter that asks networks about several problems uses all of these.
SEVERAL = {"05_success", "06_instability", "07_simplicity", "09_characterise", "22_names"}
DIGITS = {"01_paradox", "13_label_noise", "20_unplanted"}
STRIPED = {"13_label_noise", "14_invariance", "16_depth_and_width", "19_concepts"}
PLANTED = {"08_images", "12_artifacts", "17_overparametrisation", "18_explanations"}
USED_BY = {
    "problems/photographs.py": {"23_photographs"},
    "problems/stripes.py": {"03_stripes", *STRIPED, *SEVERAL},
    "problems/planted/stripes.py": SEVERAL,
    "problems/oscillation.py": {"02_structures", "04_oscillation", *SEVERAL},
    "problems/planted/digits.py": {*PLANTED, *SEVERAL},
    "problems/digits.py": {*DIGITS, *PLANTED, *SEVERAL},
}


def held(book, chapter):
    """Rooms, and of problems and theory the files, in a chapter's key."""
    found = set()
    for path in freshness.computed_by(book, chapter.code):
        room, *rest = path.relative_to(book.package).with_suffix("").parts
        deep = {"problems": rest, "theory": rest, "chapters": rest[:1]}.get(room, ())
        found.add("/".join([room, *deep]))
    return sorted(found)


def listing():
    """The text file: a line a chapter that computes with the package."""
    found = {name: held(BOOK, chapter) for name, chapter in chapters.read_chapters(BOOK).items()}
    return "".join(f"{' '.join([name, *files])}\n" for name, files in found.items() if files)


def test_each_key_holds_what_is_listed():
    assert listing() == (Path(__file__).parent / "keys.txt").read_text(), __doc__


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The book's texts and package, to be edited."""
    root = tmp_path_factory.mktemp("copy")
    ignore = shutil.ignore_patterns("__pycache__", "figures", "_static", "records")
    for folder in ("falsestruct", "book"):
        shutil.copytree(BOOK.root / folder, root / folder, ignore=ignore)
    shutil.copy(BOOK.requirements, root)
    return Book(root)


@pytest.fixture(scope="module")
def stale(copy):
    """Which chapters an edit of these files of the package makes stale."""
    known = chapters.read_chapters(copy)

    def keys():
        return {name: chapters.freshness_key(copy, chapter) for name, chapter in known.items()}

    before = keys()

    def edited(*paths):
        texts = {path: path.read_text() for path in paths}
        for path, text in texts.items():
            path.write_text(f"{text}\nEDITED = 1\n")
        after = keys()
        for path, text in texts.items():
            path.write_text(text)
        return {name for name in before if before[name] != after[name]}

    return edited


@pytest.mark.parametrize("problem", USED_BY)
def test_a_problem_makes_the_chapters_stale_that_use_it(copy, stale, problem):
    assert stale(copy.package / problem) == USED_BY[problem]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_chapters_folder_makes_that_chapter_stale_and_no_other(copy, stale, folder):
    files = set((copy.package / "chapters" / folder).glob("*.py"))
    found = stale(*(files - set((copy.package / "chapters" / folder).glob("figures.py"))))
    assert {name[3:] for name in found} == {folder}


def test_what_draws_and_what_shows_makes_nothing_stale(copy, stale):
    rooms = ("chapters/*/figures.py", "plots/*.py", "press/**/*.py", "cli.py")
    files = [path for pattern in rooms for path in copy.package.glob(pattern)]
    assert len(files) > 40 and stale(*files) == set()


if __name__ == "__main__":
    print(listing(), end="")
