"""SIGKILL at random moments of runs, sweeps, builds and recorded runs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial

import psutil

from tests.torture.toy import Toy, broken, gone, unsettled

COMMANDS = {
    "run": ("run", "--force"),
    "sweep": ("run", "02_two", "-p", "seeds=30"),
    "build": ("build",),
    "record": ("record", "slow"),
}


def longest(toy: Toy, kind: str) -> float:
    """Seconds that a command takes here; so late it may be killed."""
    start = time.monotonic()
    _stale_pages(toy)
    toy.call(*COMMANDS[kind])
    return time.monotonic() - start


def one(toy: Toy, kind: str, moment: Callable[[], object], whom: random.Random) -> list[str] | None:
    """Kill one command when `moment` returns: what is wrong then, or after the next run.

    One in four times it is a process that the command has started.

    Returns:
        None if what was to be killed had ended already.
    """
    files, sources = toy.files(), toy.sources()
    _stale_pages(toy)
    start, process = time.monotonic(), toy.start(*COMMANDS[kind])
    moment()
    after = time.monotonic() - start
    if not _killed(process, toy, whom):
        return None
    wrong = [] if gone(toy) else [f"still there: {[p.cmdline() for p in toy.processes()]}"]
    wrong += broken(toy) + [f"lost: {name}" for name in files - toy.files()]
    wrong += _next(toy, kind, files, sources)
    return [f"killed {kind} after {after:.2f} s: {what}" for what in wrong]


def _killed(process: subprocess.Popen[bytes], toy: Toy, whom: random.Random) -> bool:
    """Whether SIGKILL met a living process; one that has ended takes it, too, until waited for."""
    children = [p for p in toy.processes() if p.pid != process.pid]
    child = bool(whom.random() < 0.25 and children)
    victim = whom.choice(children) if child else psutil.Process(process.pid)
    try:
        met = victim.status() != psutil.STATUS_ZOMBIE
        victim.kill()
    except psutil.NoSuchProcess:
        met = False
    code = process.wait(timeout=300)
    # How a child ended only its parent knows.
    return met if child else code == -signal.SIGKILL


def _next(toy: Toy, kind: str, files: set[str], sources: dict[str, str]) -> list[str]:
    """The same command, then a run: both complete and all is whole."""
    wrong = []
    words = ("run",) if kind == "run" else COMMANDS[kind]
    for command in dict.fromkeys((words, ("run",))):
        done = toy.call(*command)
        if done.returncode:
            wrong.append(f"then {command} ended with {done.returncode}: {done.stderr[-300:]}")
    wrong += [f"then {one}" for one in toy.misbuilt()] if kind == "build" else []
    return wrong + unsettled(toy, files, sources)


def _stale_pages(toy: Toy) -> None:
    """A build has something to write."""
    os.utime(toy.file("notebooks/01_one.ipynb"))
    os.utime(toy.file("notebooks/02_two.ipynb"))


def several(toy: Toy, kind: str, count: int, seed: int) -> tuple[int, list[str]]:
    """So many kills of one kind: how many met a living process, and what went wrong.

    What came too late is tried again at another moment, as often as there are kills at most.
    """
    chance, late = random.Random(f"{seed} {kind}"), longest(toy, kind)
    met, missed, found = 0, 0, list[str]()
    while met < count and missed <= count:
        wrong = one(toy, kind, partial(time.sleep, chance.uniform(0, late)), chance)
        if wrong is None:
            missed += 1
            print(f"{kind}: it had ended before", flush=True)
            continue
        met, found = met + 1, found + wrong
        print(f"[{met}/{count}] {kind}: {wrong or 'whole'}", flush=True)
    if met < count:
        found.append(f"{kind}: {missed} kills came too late, only {met} of {count} met a process")
    return met, found
