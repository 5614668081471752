"""SIGKILL at random moments of runs, sweeps, builds and recorded runs."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

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


def one(toy: Toy, kind: str, after: float, whom: random.Random) -> list[str]:
    """Kill one command so many seconds after its start; what is wrong then, or after the next run.

    One in four times it is a process that the command has started.
    """
    files, sources = toy.files(), toy.sources()
    _stale_pages(toy)
    process = toy.start(*COMMANDS[kind])
    time.sleep(after)
    children = [p for p in toy.processes() if p.pid != process.pid]
    child = whom.random() < 0.25 and children
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(whom.choice(children).pid if child else process.pid, signal.SIGKILL)
    process.wait(timeout=300)
    wrong = [] if gone(toy) else [f"still there: {[p.cmdline() for p in toy.processes()]}"]
    wrong += broken(toy) + [f"lost: {name}" for name in files - toy.files()]
    wrong += _next(toy, kind, files, sources)
    return [f"killed {kind} after {after:.2f} s: {what}" for what in wrong]


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
    """So many kills of one kind: how many, and what went wrong."""
    chance, late, found = random.Random(f"{seed} {kind}"), longest(toy, kind), list[str]()
    for number in range(count):
        wrong = one(toy, kind, chance.uniform(0, late), chance)
        found += wrong
        print(f"[{number + 1}/{count}] {kind}: {wrong or 'whole'}", flush=True)
    return count, found
