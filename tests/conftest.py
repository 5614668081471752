"""A small throw-away book, with a stand-in for the science and the real press."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import settings

from falsestruct.press.paths import Book

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

# The same examples in every run: a gate that fails by chance is no gate.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")

REPOSITORY = Path(__file__).parents[1]
HTML = REPOSITORY / "_build" / "html"
# As the command line, in a process that hears Ctrl-C even where pytest is a job in the background.
INTERRUPTIBLE = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from falsestruct.cli import main
main()
"""
HEADER = """\
---
{extra}jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
    jupytext_version: 1.19.6
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""
ONE = """\
# One

```{code-cell} ipython3
:tags: [parameters]

seeds = 3
scale = 1.5
widths = [1, 2]
name = "one"
profile = "book"
```

Some text.

```{code-cell} ipython3
import pandas as pd

from falsestruct import statistics
from falsestruct.chapters.one import figures as plots
from falsestruct.press.notebook import claims, display, figures
from falsestruct.problems import one
```

```{code-cell} ipython3
value = one.value(seeds)
display.glue(value=value)
table = pd.DataFrame({"x": widths, "y": [value, 0.1]})
figures.publish(plots.line, table, "one-line", "A caption.", "A line.")
```

```{code-cell} ipython3
claims.record("one-holds", statistics.exact(value), control=statistics.exact(0))
print("seeds", seeds)
```
"""
# For a build by Jupyter Book of the first chapter.
CONFIG = """\
title: A book
only_build_toc_files: true
exclude_patterns: [_build]
execute: {execute_notebooks: "off"}
sphinx:
  extra_extensions: [falsestruct.press.site.directives]
  config: {nb_render_markdown_format: myst}
"""
TOC = "format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/01_one\n"
TWO = """\
# Two

```{code-cell} ipython3
:tags: [parameters]

seeds = 2
profile = "book"
```

```{code-cell} ipython3
from falsestruct.problems.two import double

double(seeds)
```
"""
LAST = """\
# Last

```{code-cell} ipython3
:tags: [parameters]

profile = "book"
```

```{code-cell} ipython3
print("last")
```
"""
CLAIMS = """\
- id: one-holds
  component: success
  problem: none
  kind: measured
  networks: 3
  sentence: It holds.
  source: ours
  measure: A number.
  threshold: ">= 3"
  control: {sentence: Nothing., rule: {high: "<= 0"}}
  predicted: supported
  pinned: supported
"""
PLOTS = '''\
"""Stand-in."""

from matplotlib.figure import Figure
import matplotlib as mpl


def line(table):
    width = mpl.rcParams["figure.figsize"][0]
    figure = Figure(figsize=(width, width / 2), layout="constrained")
    axes = figure.subplots()
    axes.plot(table["x"], table["y"])
    axes.set_xlabel("x label")
    return figure
'''
CITATION = """\
cff-version: 1.2.0
title: A Book & more
version: 0.1.0
date-released: 2026-02-03
repository-code: https://example.org/book
authors:
  - family-names: Curie
    given-names: Marie
  - name: The Book Group
"""
FILES = {
    "_config.yml": "title: A book\n",
    "requirements.txt": "numpy==1\n",
    "CITATION.cff": CITATION,
    "book/claims/01_one.yml": CLAIMS,
    "book/numbers.txt": "1 2 3\n",
    "book/01_one.md": HEADER.format(
        extra="falsestruct:\n  data: [book/numbers.txt]\n  profiles:\n    quick:\n      seeds: 4\n"
    )
    + ONE,
    "book/02_two.md": HEADER.format(extra="") + TWO,
    "book/03_last.md": HEADER.format(extra="") + LAST,
    "falsestruct/chapters/__init__.py": "",
    "falsestruct/chapters/one/__init__.py": "",
    "falsestruct/chapters/one/figures.py": PLOTS,
    "falsestruct/problems/__init__.py": "",
    "falsestruct/problems/one.py": "def value(seeds):\n    return 1.0 * seeds\n",
    "falsestruct/problems/two.py": (
        "from . import helper\n\n\ndef double(seeds):\n    return helper.FACTOR * seeds\n"
    ),
    "falsestruct/problems/helper.py": "FACTOR = 2\n",
    "pyproject.toml": (REPOSITORY / "pyproject.toml")
    .read_text()
    .partition("[tool.jupytext]")[2]
    .partition("[tool.pytest")[0]
    .join(["[tool.jupytext]", ""]),
}


@dataclass(frozen=True)
class Desk:
    """A book and the command line beside it."""

    root: Path

    @property
    def book(self) -> Book:
        return Book(self.root)

    def file(self, name: str) -> Path:
        return self.root / name

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place where the text is `old`."""
        path = self.root / name
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new))

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("FALSESTRUCT")}
        return kept | {"PYTHONPATH": str(self.root), "COLUMNS": "160"}

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`falsestruct` with these words."""
        command = [sys.executable, "-m", "falsestruct.cli", *words]
        return subprocess.run(
            command, cwd=self.root, env=self.environment(), capture_output=True, text=True,
            check=False, timeout=240,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """As `call`, without waiting; SIGINT ends it."""
        command = [sys.executable, "-c", INTERRUPTIBLE, *words]
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment(), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def evidence(self) -> dict[str, Any]:
        return json.loads(self.file("book/evidence.json").read_text())["claims"]

    def notebook(self, name: str) -> dict[str, Any]:
        return json.loads(self.file(f"notebooks/{name}.ipynb").read_text())

    def digest(self, *folders: str) -> dict[str, str]:
        """Name and content of every file but those that can be thrown away."""
        return {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for folder in folders or (".",)
            for path in sorted((self.root / folder).rglob("*"))
            if path.is_file()
            and not {"_build", "__pycache__"} & set(path.relative_to(self.root).parts)
        }


# ---- the real book: on two workers, and never executed ----


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """With `--dist loadfile` a file's tests share a worker, and so do those of tests/browser.

    Each page is visited once for all files there. Files are begun in the order below.
    """
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return shared(nodeid)

    config.option.loadscopereorder = False
    return Scheduling(config, log)


def shared(nodeid: str) -> str:
    """Of a test, what one worker does as a whole: its file or its folder."""
    return "browser" if "/browser/" in nodeid else nodeid.partition("::")[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On several workers what takes long is begun first, so that none is left alone at the end.

    A test that is marked slow counts as thirty.
    """
    if not hasattr(config, "workerinput"):
        return
    weight: Counter[str] = Counter()
    for item in items:
        weight[shared(item.nodeid)] += 30 if item.get_closest_marker("slow") else 1
    items.sort(key=lambda item: (-weight[shared(item.nodeid)], shared(item.nodeid)))


def building() -> FileLock:
    """Held while pages are built, so that no other worker reads half of them."""
    (REPOSITORY / "_build").mkdir(exist_ok=True)
    return FileLock(REPOSITORY / "_build" / "tests.lock")


def _fresh() -> bool:
    """Whether the built pages are newer than all that they are built from."""
    built = [path.stat().st_mtime for path in HTML.rglob("*.html")]
    if not built or not (HTML / "searchindex.js").exists():
        return False
    folders = ("book", "notebooks", "falsestruct/press")
    sources = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.*")]
    sources += [REPOSITORY / "_config.yml", REPOSITORY / "_toc.yml"]
    written = [path for path in sources if path.is_file() and "__pycache__" not in path.parts]
    return max(built) >= max(path.stat().st_mtime for path in written)


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of the built pages; they are built if they are missing or out of date."""
    with building():
        if not _fresh():
            command = [sys.executable, "-m", "falsestruct.cli", "build", "--strict"]
            done = subprocess.run(
                command, cwd=REPOSITORY, capture_output=True, text=True, check=False
            )
            if "no notebook for" in done.stderr:
                pytest.skip("the chapters were never run")
            assert done.returncode == 0, done.stdout + done.stderr
    return HTML


def executed(root: Path) -> int:
    """When a chapter of this book was last begun, by a run or by hand; 0 if never."""
    folders = [root / "_build" / name for name in ("staging", "by-hand")]
    found = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    return max((path.stat().st_mtime_ns for path in found if path.exists()), default=0)


@pytest.fixture(scope="session", autouse=True)
def _no_chapter_is_executed_a_third_time() -> Iterator[None]:
    """The gate has executed every chapter twice by now. Tests take the throw-away book.

    Looked at on several workers, as in the gate: beside a single test a person may run chapters.
    """
    before = executed(REPOSITORY)
    yield
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert executed(REPOSITORY) == before, "a chapter of the book itself was executed meanwhile"


@pytest.fixture(autouse=True)
def _a_test_leaves_its_process_as_it_was() -> Iterator[None]:
    """The next test on a worker may belong to any file, and must not find what another set."""
    before, folder = dict(os.environ), Path.cwd()
    yield
    theirs = {"PYTEST_CURRENT_TEST", "TORCHINDUCTOR_CACHE_DIR"}  # set by pytest and by torch
    changed = {name for name, _ in before.items() ^ os.environ.items()} - theirs
    assert not changed and Path.cwd() == folder, f"left behind: {sorted(changed)}, {Path.cwd()}"


# ---- the throw-away book ----


def make_book(root: Path) -> Desk:
    """The throw-away book; the press, the command line and the statistics are the real ones."""
    (root / "falsestruct").mkdir(parents=True)
    for name in ("__init__.py", "cli.py", "files.py", "names.py", "statistics.py"):
        shutil.copy(REPOSITORY / "falsestruct" / name, root / "falsestruct" / name)
    ignore = shutil.ignore_patterns("__pycache__")
    for room in ("press", "sweep"):
        folder = Path("falsestruct") / room
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=ignore)
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Desk(root)


def git(root: Path, *words: str, date: str | None = None) -> str:
    """What git says, as somebody with a name whose commits nobody signs, perhaps at a date."""
    who = ("user.name=A", "user.email=a@example.org", "init.defaultBranch=main",
           "commit.gpgsign=false")  # fmt: skip
    settings = [part for one in who for part in ("-c", one)]
    there = os.environ | ({"GIT_COMMITTER_DATE": date} if date else {})
    done = subprocess.run(
        ["git", *settings, *words], cwd=root, capture_output=True, check=True, env=there
    )
    return done.stdout.decode().strip()


def commit_all(root: Path) -> str:
    """A repository of all files with one commit; its short name."""
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "All")
    return git(root, "rev-parse", "--short=12", "HEAD")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A book that was never run."""
    return make_book(tmp_path / "work")


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A book that was run; for reading only."""
    desk = make_book(tmp_path_factory.mktemp("finished") / "work")
    done = desk.call("run")
    assert done.returncode == 0, done.stdout + done.stderr
    return desk


@pytest.fixture
def finished(finished_once: Desk, tmp_path: Path) -> Desk:
    """A book that was run; its keys don't depend on the folder."""
    ignore = shutil.ignore_patterns("_build", "__pycache__")
    shutil.copytree(finished_once.root, tmp_path / "work", ignore=ignore)
    return Desk(tmp_path / "work")


@pytest.fixture
def invoke(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`falsestruct` in this process: exit code, stdout, stderr. For what starts no chapter."""
    from falsestruct import cli

    def call(desk: Desk, *words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(desk.root)
        monkeypatch.delenv("FALSESTRUCT_ROOT", raising=False)
        monkeypatch.setattr(sys, "argv", ["falsestruct", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def run_of_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """This process is the kernel of chapter 01_one."""
    from falsestruct.press.notebook import staging

    run = staging.Run(desk.root / "_build" / "staged", "01_one", {"seeds": 3}, "a key")
    run.save()
    monkeypatch.setenv(staging.VARIABLE, str(run.folder))
    monkeypatch.setenv("FALSESTRUCT_ROOT", str(desk.root))
    yield desk
