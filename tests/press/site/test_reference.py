"""The reference of the package: every public name with its docstring, found and linked."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

from falsestruct.press.paths import Book
from falsestruct.press.site import reference
from tests.conftest import REPOSITORY

REAL = Book(REPOSITORY)
PAGES = sorted((REPOSITORY / "book").glob("reference*.md"))
SOURCE = '''\
"""Problems of one kind."""

from dataclasses import dataclass
from typing import overload


@overload
def value(seeds: int) -> float: ...
@overload
def value(seeds: str) -> str: ...
def value(seeds: int, *, scale: float = 1.5) -> float:
    """A number (members,) of `seeds`, by Smith (2001), a*b_c <d>.

    Args:
        seeds: How many, and
            more of it.
        scale: Positive.

    Returns:
        The number.

    Raises:
        ValueError: there are none.

    - one `a`
    - two

    >>> value(3)
    3.0
    """


@dataclass
class Kept:
    """What is kept."""

    @property
    def size(self) -> int:
        """How large."""

    def undocumented(self): ...


def _hidden(): ...
'''
TEXT = "# A book\n\nIn code `one.value`, `falsestruct.problems.one.Kept.size`, `one.other`.\n\n"


def build(desk, text: str) -> subprocess.CompletedProcess[str]:
    desk.file("falsestruct/problems/one.py").write_text(SOURCE)
    desk.file("book/index.md").write_text(text)
    settings = {
        "extensions": "myst_parser,falsestruct.press.site.reference",
        "include_patterns": "book/index.md", "root_doc": "book/index",
    }  # fmt: skip
    options = [word for pair in settings.items() for word in ("-D", "=".join(pair))]
    command = [sys.executable, "-m", "sphinx", "-C", "-W", "-n", *options, ".", "_build/alone"]
    return subprocess.run(
        command, cwd=desk.root, capture_output=True, text=True, check=False, env=desk.environment()
    )


def test_every_name_has_its_docstring_and_is_found(desk):
    done = build(desk, f"{TEXT}```{{reference}} problems\n```\n")
    assert done.returncode == 0, done.stderr
    page = (desk.root / "_build/alone/book/index.html").read_text()
    soup = BeautifulSoup(page, "html.parser")
    entry = soup.find(id="falsestruct.problems.one.value").parent
    said = " ".join(entry.get_text().split())
    for text in (
        "value(seeds: int, *, scale: float=1.5) → float", "by Smith (2001), a*b_c <d>.",
        "How many, and more of it.", "ValueErrorthere are none.", "one a", ">>> value(3)",
    ):  # fmt: skip
        assert text in said, (text, said)
    assert [tag.get_text() for tag in entry.select("li")] == ["one a", "two"]
    assert (
        soup.find(id="falsestruct.problems.one.Kept.size").get_text().strip()[:10] == "size → int"
    )
    assert "_hidden" not in page and "undocumented" not in page
    # Texts lead to it, and so does the search.
    links = {a.get_text(): a["href"] for a in soup.select("p a.internal") if a.find("code")}
    assert links["one.value"] == "#falsestruct.problems.one.value"
    assert links["falsestruct.problems.one.Kept.size"] == "#falsestruct.problems.one.Kept.size"
    assert "one.other" not in links
    index = (desk.root / "_build/alone/searchindex.js").read_text()
    found = json.loads(re.search(r"Search.setIndex\((.*)\)", index, re.S)[1])
    assert "falsestruct.problems.one" in found["objects"]


def test_a_room_that_is_not_there_ends_the_build(desk):
    done = build(desk, "# A\n\n```{reference} problem\n```\n")
    assert done.returncode != 0 and "the package has no room 'problem'" in done.stderr


def test_the_reference_has_every_room_but_those_of_the_book_itself():
    listed = [
        room
        for page in PAGES
        for line in re.findall(r"^```\{reference\} (.+)$", page.read_text(), re.M)
        for room in line.split()
    ]
    rooms = {
        path.stem
        for path in REAL.package.iterdir()
        if not path.stem.startswith("_")
        and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert sorted(listed) == sorted(rooms - {"press", "chapters", "cli", "files", "names"})
    toc = (REPOSITORY / "_toc.yml").read_text()
    assert all(f"file: book/{page.stem}\n" in toc for page in PAGES)


def test_no_name_of_the_package_stands_twice():
    """Pages have each as an id."""
    rooms = [path for path in REAL.package.rglob("*.py") if "press" not in path.parts]
    for path in rooms:
        found = [name.full for name in reference.names(path, "m")]
        assert len(found) == len(set(found)), path


@pytest.mark.parametrize("room", ["structures", "statistics", "success", "instability", "theory"])
def test_nothing_of_a_docstring_is_lost(room):
    """Each word of it stands in the nodes, in order."""
    for path in reference.modules(REAL, room):
        for name in reference.names(path, "m"):
            shown = "\n".join(node.astext() for node in reference.described(name.says))
            said = re.findall(r"\w+", name.says.replace("`", ""))
            assert re.findall(r"\w+", shown) == said, (path.name, name.full)
