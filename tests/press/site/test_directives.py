"""A small book, built: what the extension adds, and launch buttons where the book has a home."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
TOC = "format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/01_one\n"
INDEX = "# A book\n\n```{small-board}\n```\n"
HOME = "https://github.com/example/book"


def build(finished, tmp_path: Path, *, repository: str = "", index: str = INDEX) -> Path:
    """The throw-away book with the real book's configuration."""
    config = (REPOSITORY / "_config.yml").read_text()
    assert config.count('url: ""') == 1
    config = config.replace('url: ""', f'url: "{repository}"')
    root = finished.root
    finished.file("_config.yml").write_text(config)
    finished.file("_toc.yml").write_text(TOC)
    finished.file("book/index.md").write_text(index)
    shutil.copy(REPOSITORY / "book/references.bib", root / "book/references.bib")
    for folder in ("_static", "_templates"):
        shutil.copytree(REPOSITORY / "book" / folder, root / "book" / folder, dirs_exist_ok=True)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(root), "-q"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=finished.environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "_build/html"


def launches(html: str) -> list[str]:
    return re.findall(r'href="(https://(?:mybinder|colab)[^"]+)"', html)


@pytest.mark.slow
def test_a_chapter_in_the_built_book(finished, tmp_path):
    html = (build(finished, tmp_path) / "notebooks/01_one.html").read_text()
    for text in (
        "What this chapter shows",
        "How this page came about",
        "Cite or download this figure",
    ):
        assert text in html
    # In this order: title, head, text, fold, foot.
    places = [html.index(t) for t in ("<h1>1. One", "chapter-head", "Some text.", "figure-fold")]
    assert places == sorted(places) and places[-1] < html.index("How this page")
    files = re.findall(r'download="" href="([^"]+)"', html)
    assert {Path(file).name for file in files} == {
        "one-line.svg", "one-line.pdf", "one-line.png", "one-line.csv", "01_one.ipynb", "01_one.md",
    }  # fmt: skip
    page = finished.root / "_build/html/notebooks"
    assert all((page / file).resolve().exists() for file in files)
    assert launches(html) == []


@pytest.mark.slow
def test_launch_buttons_appear_with_a_repository_and_point_at_files(finished, tmp_path):
    html = (build(finished, tmp_path, repository=HOME) / "notebooks/01_one.html").read_text()
    found = launches(html)
    assert len(found) == 2, found
    for link in found:
        path = re.search(r"notebooks/[^?&]+\.ipynb", link)
        assert path and (finished.root / path[0]).exists(), link
        assert "/example/book/" in link and "/main" in link
    assert f"git clone {HOME}" in re.sub(r"<[^>]+>", "", html)


@pytest.mark.slow
def test_a_verdict_behind_a_sentence_leads_to_the_ledger(finished, tmp_path):
    ledger = "(ledger-one-holds)=\n## The ledger\n"
    index = f"# A book\n\nIt holds {{claim}}`one-holds`.\n\n{ledger}"
    html = build(finished, tmp_path, index=index)
    text = (html / "book/index.html").read_text()
    found = re.search(r'<span class="verdict verdict-supported"><a [^>]*href="(#[^"]+)"', text)
    assert found and "ledger" in found[1]
    finished.file("book/index.md").write_text("# A book\n\nIt holds {claim}`two-holds`.\n")
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "-W", "-q", "."]
    done = subprocess.run(
        command, cwd=finished.root, capture_output=True, text=True, check=False,
        env=finished.environment(),
    )  # fmt: skip
    assert done.returncode != 0 and "no record of claim 'two-holds'" in done.stdout + done.stderr
