"""A full disk, folders that can't be written to, two runs at once, clocks that were set back."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.torture.toy import TOC, Toy, broken, gone, unsettled, wait_for

FULL = "No space left|File too large|can't write|Disk quota"
Attempt = Callable[[], tuple[int, list[str]]]  # how often, and what went wrong
READ_ONLY = ("notebooks", "book/figures", "book/records", "book", "_build", ".")


def told(done: subprocess.CompletedProcess[str], what: str) -> list[str]:
    """What is wrong with how a command says that it failed: some lines, and no traceback."""
    said = done.stdout + done.stderr
    if done.returncode not in (1, 2):
        return [f"{what}: ended with {done.returncode}"]
    return [f"{what}: {said[-400:]}"] if "Traceback" in said or not said.strip() else []


def settled(toy: Toy, what: str, files: set[str], sources: dict[str, str]) -> list[str]:
    """What is wrong after the next run, when the harm is over."""
    done = toy.call("run")
    wrong = [f"next run: {done.stderr[-300:]}"] if done.returncode else []
    return [f"{what}: {one}" for one in wrong + unsettled(toy, files, sources)]


# ---- no space ----


def full(toy: Toy, limit: int) -> tuple[int, list[str]]:
    """No file may grow beyond so many bytes: what a full disk is where none can be mounted."""
    files, sources = toy.files(), toy.sources()

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    wrong = []
    for words in (("run", "--force"), ("record", "slow"), ("figure", "one-line", "-o", "x.pdf")):
        done = subprocess.run(
            [sys.executable, "-m", "falsestruct.cli", *words], cwd=toy.root, check=False, text=True,
            env=toy.environment(), capture_output=True, preexec_fn=small, timeout=300,
        )  # fmt: skip
        what = f"files of {limit} bytes, {' '.join(words)}"
        wrong += told(done, what) if done.returncode else []
        wrong += [f"{what}: {one}" for one in broken(toy)]
    toy.file("x.pdf").unlink(missing_ok=True)
    return 3, wrong + settled(toy, f"after files of {limit} bytes", files, sources)


def mounted(toy: Toy, place: Path, left: int) -> tuple[int, list[str]]:
    """The book on a small disk, mounted at `place`, with so many kilobytes left.

    Without its pages: a build that only writes over them needs no room.
    """
    shutil.copytree(toy.root, place / "book", symlinks=True)
    there = Toy(place / "book", toy.temporary, toy.reference)
    files, sources, wrong = there.files(), there.sources(), list[str]()
    shutil.rmtree(there.file("_build/html"))
    ballast, free = place / "ballast", shutil.disk_usage(place).free
    ballast.write_bytes(b"\0" * max(0, free - 1024 * left))
    commands = (("run", "--force"), ("record", "slow"), ("build",))
    for words in commands:
        done, what = there.call(*words), f"{left} kB left, {' '.join(words)}"
        wrong += told(done, what) if done.returncode else []
        wrong += [f"{what}: {one}" for one in broken(there)]
    ballast.unlink()
    done = there.call("build")
    wrong += [f"after {left} kB left, build: {done.stderr[-300:]}"] if done.returncode else []
    wrong += [f"after {left} kB left: {one}" for one in there.misbuilt()]
    wrong += settled(there, f"after {left} kB left", files, sources)
    shutil.rmtree(place / "book")
    return len(commands), wrong


# ---- what can't be written to ----


@contextmanager
def read_only(folders: list[Path]) -> Iterator[None]:
    """Nothing can be made or replaced in these folders."""
    modes = {folder: folder.stat().st_mode for folder in folders}
    try:
        for folder in folders:
            folder.chmod(0o555)
        yield
    finally:
        for folder, mode in modes.items():
            folder.chmod(mode)


def refused(toy: Toy, name: str) -> tuple[int, list[str]]:
    """Commands that write to a folder that can't be written to change nothing and say so."""
    files, sources, before = toy.files(), toy.sources(), toy.digest("notebooks", "book")
    commands = (("run", "--force"), ("record", "slow"), ("build",), ("new", "third"))
    wrong = []
    with read_only([toy.file(name)]):
        for words in commands:
            done, what = toy.call(*words), f"{name} read-only, {' '.join(words)}"
            wrong += told(done, what) if done.returncode else []
            wrong += [f"{what}: {one}" for one in broken(toy)]
        after = toy.digest("notebooks", "book")
    wrong += [f"{name} read-only: lost {path}" for path in before if path not in after]
    for path in ("book/03_third.md", "book/04_third.md", "book/claims/04_third.yml"):
        toy.file(path).unlink(missing_ok=True)
    for folder in ("falsestruct/chapters/third", "tests"):
        shutil.rmtree(toy.file(folder), ignore_errors=True)
    toy.file("_toc.yml").write_text(TOC)
    return len(commands), wrong + settled(toy, f"after {name} read-only", files, sources)


def checkout(toy: Toy, elsewhere: Path) -> tuple[int, list[str]]:
    """All of it read-only: results, pages and figures go elsewhere."""
    elsewhere.mkdir()
    before, folders = toy.digest(), [p for p in toy.root.rglob("*") if p.is_dir()]
    away = ("--output", str(elsewhere))
    commands = (
        ("run", *away), ("claims",), ("list",), ("cite",), ("figures", *away), ("build", *away),
        ("figure", "one-line", "-o", str(elsewhere / "x.pdf")),
    )  # fmt: skip
    wrong = []
    with read_only([toy.root, *folders]):
        for words in commands:
            done = toy.call(*words)
            if done.returncode:
                what = f"read-only checkout, {' '.join(words[:1])}"
                wrong.append(f"{what}: {done.returncode}, {(done.stdout + done.stderr)[-300:]}")
        for words in (("run", "--force"), ("build",)):
            wrong += told(toy.call(*words), f"read-only checkout, {' '.join(words)}")
    wrong += ["read-only checkout: it changed"] if toy.digest() != before else []
    return len(commands) + 2, wrong


# ---- at once ----


def at_once(toy: Toy) -> tuple[int, list[str]]:
    """Two runs, a build and a recorded run of one book: all complete."""
    files, sources = toy.files(), toy.sources()
    words = (("run", "--force"), ("run", "--force"), ("build",), ("record", "slow"))
    running = [toy.start(*each) for each in words]
    codes = [process.wait(timeout=600) for process in running]
    wrong = [f"at once: {w} ended with {c}" for w, c in zip(words, codes, strict=True) if c]
    return len(words), wrong + settled(toy, "at once", files, sources)


def worker(toy: Toy) -> tuple[int, list[str]]:
    """A worker of a run is killed: the run names its chapter and publishes the others."""
    files, sources = toy.files(), toy.sources()
    process = toy.start("run", "--force")
    found = wait_for(lambda: len(_workers(toy, process.pid)) > 0, 60)
    if found:
        os.kill(_workers(toy, process.pid)[0], signal.SIGKILL)
    code = process.wait(timeout=300)
    wrong = [] if found and code == 1 else [f"a worker killed: the run ended with {code}"]
    wrong += [] if gone(toy) else ["a worker killed: something still runs"]
    return 1, wrong + settled(toy, "a worker killed", files, sources)


def _workers(toy: Toy, runner: int) -> list[int]:
    mine = [p for p in toy.processes() if p.ppid() == runner]
    return [p.pid for p in mine if any("spawn_main" in word for word in p.cmdline())]


# ---- clocks ----

BACK = """\
import time

_now, _since, _real = time.time, time.perf_counter(), time.time


def back():
    return _real() - (86400 if time.perf_counter() - _since > 0.5 else 0)


time.time = back
"""


def clock(toy: Toy) -> tuple[int, list[str]]:
    """A clock set back a day during a run, and one that ran a year ahead when all was made."""
    files, sources, wrong = toy.files(), toy.sources(), list[str]()
    toy.file("sitecustomize.py").write_text(BACK)
    done = toy.call("run", "--force")
    toy.file("sitecustomize.py").unlink()
    wrong += [f"clock set back: {done.stderr[-300:]}"] if done.returncode else []
    wrong += unsettled(toy, files, sources)
    ahead = time.time() + 3e7
    for path in toy.root.rglob("*"):
        if path.is_file():
            os.utime(path, (ahead, ahead))
    toy.edit("book/02_two.md", "# Two", "# Two again")
    for words in (("run",), ("build",)):
        done = toy.call(*words)
        wrong += [f"clock ran ahead, {words}: {done.stderr[-300:]}"] if done.returncode else []
    shown = toy.file("_build/html/notebooks/02_two.html").read_text()
    wrong += [] if "Two again" in shown else ["clock ran ahead: the page is the old one"]
    toy.edit("book/02_two.md", "# Two again", "# Two")
    wrong += settled(toy, "after the clocks", files, sources)
    toy.call("build")  # the pages are those of before, for who compares them
    return 3, wrong


def attempts(
    toy: Toy, folder: Path, disk: Callable[[int], tuple[int, list[str]]]
) -> dict[str, list[Attempt]]:
    """What is tried, by the row of the table that it is counted in; `disk` has a small one."""
    return {
        "files of at most 0, 3000 and 20000 bytes":
            [lambda n=n: full(toy, n) for n in (0, 3000, 20_000)],
        "a disk with 0, 20 and 400 kB left": [lambda n=n: disk(n) for n in (0, 20, 400)],
        "folders read-only, one at a time": [lambda n=n: refused(toy, n) for n in READ_ONLY],
        "the whole checkout read-only": [lambda: checkout(toy, folder / "elsewhere")],
        "two runs, a build and a recorded run at once": [lambda: at_once(toy)],
        "a worker killed": [lambda: worker(toy)],
        "clocks set back": [lambda: clock(toy)],
    }  # fmt: skip
