"""A small book, built: what the extension adds, and launch buttons where the book has a home."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from falsestruct.press.run import certificates
from tests.conftest import commit_all

REPOSITORY = Path(__file__).parents[3]
TOC = "format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/01_one\n"
INDEX = "# A book\n\n```{ledger} small-board\n```\n"
HOME = "https://github.com/example/book"


def build(
    finished, tmp_path: Path, *, repository: str = "", pages: str = "", output: str = "",
    base: str = "",
) -> Path:  # fmt: skip
    """The throw-away book with the real book's configuration."""
    config = (REPOSITORY / "_config.yml").read_text()
    assert config.count('url: ""') == 1
    config = config.replace('url: ""', f'url: "{repository}"')
    assert config.count("# baseurl: …") == 1
    config = config.replace("# baseurl: …", f'baseurl: "{base}"')
    root = finished.root
    finished.file("_config.yml").write_text(config)
    finished.file("_toc.yml").write_text(TOC + (f"  - file: {pages}\n" if pages else ""))
    finished.file("book/index.md").write_text(INDEX)
    shutil.copy(REPOSITORY / "book/references.bib", root / "book/references.bib")
    for folder in ("_static", "_templates"):
        shutil.copytree(REPOSITORY / "book" / folder, root / "book" / folder, dirs_exist_ok=True)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(root), "-q"]
    about = finished.environment() | ({"FALSESTRUCT_OUTPUT": output} if output else {})
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=about)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not pages or "WARNING" not in done.stderr, done.stderr
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
    shown = html[html.index("<body") :]  # the head of the file says some of it to machines
    places = [shown.index(t) for t in ("<h1>1. One", "chapter-head", "Some text.", "figure-fold")]
    assert places == sorted(places) and places[-1] < shown.index("How this page")
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


PAGE = """\
# Evidence

{count}`claims` claim and {count}`figures` figure, {number}`one-holds`, {verdict}`one-holds`.

```{ledger} board
```

```{ledger} success
```

```{ledger} downloads
```

```{figures} gallery
```
"""


@pytest.fixture
def with_page(finished):
    finished.file("book/31_page.md").write_text(PAGE)
    return finished


def test_a_page_with_a_number_shows_the_ledger_and_has_its_ends(with_page, tmp_path):
    html = build(with_page, tmp_path, pages="book/31_page")
    text = (html / "book/31_page.html").read_text()
    said = re.sub(r"<[^>]+>", "", text)
    assert "31. Evidence" in said and "1 claim and 1 figure, 3 (exact)" in said
    found = re.search(r'<span class="verdict verdict-supported"><a [^>]*href="(#[^"]+)"', text)
    assert found and found[1] == "#ledger-one-holds" and 'id="ledger-one-holds"' in text
    assert 'href="../notebooks/01_one.html#claim-one-holds"' in text
    files = [(html / "book" / f).resolve() for f in re.findall(r'download="" href="([^"]+)"', text)]
    assert {file.name for file in files} == {
        "31_page.md", "evidence.json", "ledger.csv", "01_one.yml",
        *(f"one-line.{kind}" for kind in ("svg", "pdf", "png", "csv")),
    }  # fmt: skip
    with next(f for f in files if f.name == "ledger.csv").open() as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["one-holds"]
    body = said[said.index("Skip to main content") :]  # the head of the file says some of it, too
    places = [body.index(t) for t in ("31. Evidence", "What this page is made of", "1 claim and",
                                      "How this page came about")]  # fmt: skip
    assert places == sorted(places)


def test_pages_show_another_run_and_another_run_s_notebooks(with_page, tmp_path):
    done = with_page.call("run", "-p", "seeds=4", "01_one", "--output", "_build/other")
    assert done.returncode == 0, done.stderr
    html = build(with_page, tmp_path, pages="book/31_page", output="_build/other")
    said = re.sub(r"<[^>]+>", "", (html / "book/31_page.html").read_text())
    assert "1 claim and 1 figure, 4 (exact)" in said
    chapter = (html / "notebooks/01_one.html").read_text()
    assert "<strong>4 (exact)</strong>" in chapter and "one-line.svg" in chapter


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{number}`one-hold`", "no claim 'one-hold' in book/claims; did you mean one-holds"),
        ("{verdict}`two`", "no claim 'two' in book/claims"),
        ("{count}`suported`", "count 'suported'; expected one of claims, supported"),
        ("```{ledger} bord\n```", "{ledger} bord; expected one of board, small-board"),
    ],
)
def test_what_the_ledger_does_not_know_ends_the_build(finished, text, message):
    code, said = sphinx(finished, text)
    assert code != 0 and message in said and "index.md:3" in said


def test_a_claim_without_a_record_is_a_warning(finished):
    finished.edit("book/claims/01_one.yml", "id: one-holds", "id: one-hopes")
    code, said = sphinx(finished, "{number}`one-hopes`")
    assert code == 0 and "no record of claim 'one-hopes'" in said


def sphinx(finished, text: str = "") -> tuple[int, str]:
    """A page of this text alone, or the one before, built by Sphinx; exit code and what it says."""
    if text:
        finished.file("book/index.md").write_text(f"# A book\n\n{text}\n")
    settings = {
        "extensions": "myst_parser,falsestruct.press.site.directives",
        "include_patterns": "book/index.md", "root_doc": "book/index",
    }  # fmt: skip
    options = [word for pair in settings.items() for word in ("-D", "=".join(pair))]
    command = [sys.executable, "-m", "sphinx", "-C", *options, ".", "_build/alone"]
    done = subprocess.run(
        command, cwd=finished.root, capture_output=True, text=True, check=False,
        env=finished.environment(),
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_certificate_that_does_not_hold_is_a_warning_and_no_markup(finished, tmp_path):
    """A strict build ends with it; another one says it on the page."""
    commit_all(finished.root)  # without a history nobody could say so
    certificate = {
        "format": 1, "commit": "0" * 12, "date": "2021-01-01T00:00:00+00:00", "seconds": 1.0,
        "machine": {"machine": "<script>alert(1)</script> {number}`one-holds`"}, "failed": {},
        "claims": [], "counts": certificates.counted([]),
    }  # fmt: skip
    signed = certificate | {"digest": certificates.digest(certificate)}
    finished.file("book/certificates").mkdir()
    finished.file("book/certificates/a.json").write_text(certificates.as_json(signed))
    finished.file("book/laid.md").write_text("# Laid\n\n```{ledger} certificates\n```\n")
    with pytest.raises(AssertionError, match=r"WARNING: a\.json: commit 000000000000 is not in"):
        build(finished, tmp_path, pages="book/laid")
    html = finished.file("_build/html/book/laid.html").read_text()
    assert "This certificate does not hold:" in html and "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {number}`one-holds`" in html


@pytest.mark.slow
def test_a_new_certificate_appears_without_a_new_text(finished):
    """The folder is none at first; with nothing new, nothing is read again."""
    code, said = sphinx(finished, "```{ledger} certificates\n```")
    assert code == 0, said
    html = finished.file("_build/alone/book/index.html")
    assert "No certificate of a re-execution" in html.read_text()
    finished.file("book/certificates").mkdir()
    for name in ("a", "b"):
        assert "0 added, 0 changed, 0 removed" in sphinx(finished)[1]
        finished.file(f"book/certificates/{name}.json").write_text("{}")
        said = sphinx(finished)[1]
        assert "0 added, 1 changed, 0 removed" in said
        assert f"{name}.json is no certificate" in html.read_text()
    finished.file("book/certificates/a.json").unlink()
    sphinx(finished)
    assert "a.json is no certificate" not in html.read_text()
