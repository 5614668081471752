"""A book of three chapters with a sweep, a recorded run and pages; and what must hold of it."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from falsestruct.press.notebook.figures import FORMATS
from falsestruct.press.paths import PART
from falsestruct.press.run import chapters, chronicle
from falsestruct.press.run.chapters import FRESH
from tests.conftest import CONFIG, HEADER, TOC, Desk, make_book

TWO = """\
# Two

```{code-cell} ipython3
:tags: [parameters]

seeds = 8
profile = "book"
```

```{code-cell} ipython3
from falsestruct.problems import two
from falsestruct.sweep.grid import sweep

found = sweep(two.point, {"seed": list(range(seeds)), "n": [1, 2]})
print(len(found), found["value"].sum())
```
"""
POINT = """\
import time


def point(seed, n):
    time.sleep(0.05)
    return {"value": 1.0 * seed * n}
"""
SLOW = """\
import time

import pandas as pd


def table(first):
    time.sleep(0.5)
    return pd.DataFrame({"x": [first, 2.0]})
"""
PLAN = (
    "slow: {chapter: 01_one, function: 'falsestruct.problems.slow:table', tasks: [{first: 1.5}]}\n"
)
TWO_IN_TOC = f"{TOC}  - file: notebooks/02_two\n"
PAGES = {"_config.yml": CONFIG, "_toc.yml": TWO_IN_TOC, "book/index.md": "# A book\n\nWords.\n"}
ENDS = {"svg": b"</svg>\n", "pdf": b"%%EOF\n", "png": b"IEND\xaeB`\x82"}
SOURCES = ("book/claims", "falsestruct")
RESULTS = ("notebooks", "book/figures", "book/records")


VOLATILE = (
    # Of a style that a build writes itself, Sphinx knows the digest from the second build on.
    (re.compile(r"(mystnb\.\w+\.css)\?v=\w+"), r"\1"),
    (re.compile(r"(?<=Re-executes in )about \d+ \w+"), "some time"),
    (re.compile(r"(<p>Seconds\n: )[\d.]+"), r"\1some"),
)


def make(root: Path, temporary: Path) -> Toy:
    """A toy book that was run, recorded and built."""
    desk = make_book(root)
    texts = PAGES | {
        "book/02_two.md": HEADER.format(extra="") + TWO, "falsestruct/problems/two.py": POINT,
        "falsestruct/problems/slow.py": SLOW, "book/records.yml": PLAN,
    }  # fmt: skip
    for name, text in texts.items():
        desk.file(name).write_text(text)
    return after(desk, temporary, ("run",), ("record", "slow"), ("build",))


def after(desk: Desk, temporary: Path, *commands: tuple[str, ...]) -> Toy:
    """This book after these commands; its pages are the reference."""
    temporary.mkdir()
    toy = Toy(desk.root, temporary)
    for words in commands:
        done = toy.call(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    return replace(toy, reference=toy.pages())


@dataclass(frozen=True)
class Toy(Desk):
    """The book, with a temporary place of its own and its pages as they should be."""

    temporary: Path = Path()
    reference: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """As for any book, with this one's temporary place."""
        return super().environment() | {"TMPDIR": str(self.temporary)}

    def files(self) -> set[str]:
        """Names of what may not be lost."""
        return set(self.digest("book", *RESULTS))

    def sources(self) -> dict[str, str]:
        """What a person wrote."""
        return self.digest(*SOURCES) | {
            str(p.relative_to(self.root)): p.read_text() for p in self.root.glob("book/*.md")
        }

    def pages(self) -> dict[str, str]:
        """All built pages by name, without what differs each time (`VOLATILE`)."""
        html, found = self.file("_build/html"), {}
        for path in sorted(html.rglob("*.html")):
            text = path.read_text()
            for pattern, kept in VOLATILE:
                text = pattern.sub(kept, text)
            found[path.relative_to(html).as_posix()] = text
        return found

    def misbuilt(self) -> list[str]:
        """Which pages are missing, too many or other ones than at first."""
        now, names = self.pages(), self.reference.keys()
        return [f"the page {name} is another one" for name in sorted(now.keys() | names)
                if now.get(name) != self.reference.get(name)]  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        """What still works on this book."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and self._is_mine(process):
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        return found

    def _is_mine(self, process: psutil.Process) -> bool:
        return process.environ().get("PYTHONPATH", "").startswith(str(self.root))


def broken(toy: Toy) -> list[str]:
    """What of the results is half-written; nothing may be, at any moment."""
    wrong = []
    for folder in ("notebooks", "book"):
        for path in toy.file(folder).rglob("*"):
            if not path.is_file() or path.suffix == PART:
                continue
            raw = path.read_bytes()
            if path.suffix in (".json", ".ipynb"):
                try:
                    json.loads(raw)
                except ValueError as error:
                    wrong.append(f"{path.name}: {error}")
            elif not raw.endswith(ENDS.get(path.suffix[1:], b"")):
                wrong.append(f"{path.name}: half of it")
    return wrong


def unsettled(toy: Toy, files: set[str], sources: dict[str, str]) -> list[str]:
    """What is not as after a run that nobody disturbed."""
    wrong = broken(toy)
    known = chapters.read_chapters(toy.book).values()
    states = {c.name: chapters.state(toy.book, c).state for c in known}
    wrong += [f"{name} is {state}" for name, state in states.items() if state != FRESH]
    wrong += [f"lost: {name}" for name in files - toy.files()]
    wrong += [f"{name} changed" for name in sources if toy.sources().get(name) != sources[name]]
    here = [p for p in toy.root.rglob(f"*{PART}") if "sweeps" not in p.parts]
    wrong += [f"left behind: {path}" for path in here]
    wrong += [f"{id} changed, and the history doesn't tell" for id in untold(toy)]
    staged = toy.file("_build/staging")
    left = [*toy.temporary.iterdir(), *(p for p in staged.iterdir() if p.name != "lock")]
    wrong += [f"left behind: {path}" for path in left if not _of_others(path)]
    wrong += [f"{id}.{f} is missing" for id in ("one-line",) for f in FORMATS
              if not toy.file(f"book/figures/{id}.{f}").exists()]  # fmt: skip
    return wrong


def untold(toy: Toy) -> set[str]:
    """Claims whose record is not what the history told last."""
    told = dict[str, object]()
    for entries in chronicle.read(toy.book.published).values():
        for entry in entries:
            told |= {id: change["after"] for id, change in entry["claims"].items()}
    now = chronicle.changes({}, toy.evidence())
    return {id for id in told.keys() | now.keys()
            if told.get(id) != now.get(id, {"after": None})["after"]}  # fmt: skip


def _of_others(path: Path) -> bool:
    """Of compilers, as long as the machine lives; of Sphinx, which reports a failure there."""
    return path.name.startswith(("torchinductor", "matplotlib-", ".font-unix", "sphinx-err-"))


def gone(toy: Toy, seconds: float = 20.0) -> bool:
    """Whether all processes of the book end by themselves."""
    return wait_for(lambda: not toy.processes(), seconds)


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it comes true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
