"""`make torture`: a toy book is hurt in many ways; nothing may be lost, and the next run completes.

As an unprivileged user: nothing is read-only for root. Prints what was tried and survived as the
table of CONTRIBUTING.md; exit code 1 if something did not, or could not be tried.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.torture import harm, inputs, kills, toy

SIZE = "size=64m"  # of a small disk
INSIDE = "FALSESTRUCT_TORTURE_INSIDE"  # set where root's powers are gone already
PROBE = """\
import falsestruct, os, sys, tempfile
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o555)
    sys.exit(os.access(folder, os.W_OK))
"""
KILLS = {
    "SIGKILL in a run": "run", "SIGKILL in a run with a sweep": "sweep",
    "SIGKILL in a recorded run": "record", "SIGKILL in a build": "build",
}  # fmt: skip
Found = dict[str, tuple[int, list[str]]]


def main() -> None:
    """All of it."""
    read = argparse.ArgumentParser(prog="make torture", description=__doc__)
    read.add_argument("--kills", type=int, default=100, help="SIGKILLs at random moments")
    read.add_argument("--seed", type=int, default=0, help="of those moments")
    read.add_argument("--only", default="", help="rows of the table with this in their name")
    read.add_argument("--small-disk", type=Path, help=argparse.SUPPRESS)
    given = read.parse_args()
    if not chosen(given.only):
        read.error(f"no row has {given.only!r} in its name; there are {', '.join(chosen(''))}")
    if os.geteuid() == 0 and INSIDE not in os.environ:
        with small_disk() as place:
            more = [] if place is None else ["--small-disk", str(place)]
            sys.exit(subprocess.run([*without_powers(), *more], check=False).returncode)
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    try:
        found = everything(folder, given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table(found, given.seed))
    wrong = [one for _, lines in found.values() for one in lines]
    wrong += [f"not tried: {name}" for name, (count, _) in found.items() if not count]
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(bool(wrong))


def without_powers() -> list[str]:
    """The command that does this again as somebody who may not write everywhere."""
    again = ["env", f"{INSIDE}=1", sys.executable, "-m", "tests.torture", *sys.argv[1:]]
    user = ["--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups"]
    probe = [*again[:2], sys.executable, "-c", PROBE]
    for change in (user, ["--bounding-set=-all", "--inh-caps=-all"]):
        command = ["setpriv", *change]
        if (
            shutil.which("setpriv")
            and not subprocess.run([*command, *probe], check=False, capture_output=True).returncode
        ):
            return [*command, *again]
    sys.exit("make torture: run it as an unprivileged user; root can write everywhere, and here "
             "nobody else can run this Python")  # fmt: skip


def rows(book: toy.Toy, folder: Path, given: argparse.Namespace) -> dict[str, list[harm.Attempt]]:
    """What can be tried, by the table's rows. Kills are shared out evenly to the chosen kinds."""
    kinds = [name for name in KILLS if given.only.lower() in name.lower()]
    counts = {name: len(range(i, given.kills, len(kinds))) for i, name in enumerate(kinds)}
    killed: dict[str, list[harm.Attempt]] = {
        name: [lambda k=kind, n=name: kills.several(book, k, counts[n], given.seed)]
        for name, kind in KILLS.items()
    }
    harmed = harm.attempts(book, folder, lambda left: full(book, folder, left, given.small_disk))
    return killed | harmed | {"bad inputs, over all commands": [lambda: inputs.tried(book)]}


def chosen(only: str) -> list[str]:
    """The names of the rows that have this in them, in small letters or large ones."""
    given = argparse.Namespace(only=only, kills=0, seed=0, small_disk=None)
    every = rows(toy.Toy(Path()), Path(), given)
    return [name for name in every if only.lower() in name.lower()]


def everything(folder: Path, given: argparse.Namespace) -> Found:
    """What was tried how often, and what went wrong."""
    book = toy.make(folder / "book", folder / "tmp")
    found: Found = {}
    trials = rows(book, folder, given)
    for name in chosen(given.only):
        start = time.monotonic()
        counts, wrong = zip(*(attempt() for attempt in trials[name]), strict=True)
        found[name] = sum(counts), [one for lines in wrong for one in lines]
        took = f"{time.monotonic() - start:.0f} s"
        print(f"{name}: {found[name][1] or 'whole'}, {took}", flush=True)
    return found


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """What root can do before it drops its powers; None if nothing can be mounted here."""
    place = Path(tempfile.mkdtemp(prefix="torture-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"{SIZE},mode=0777", "tmpfs", str(place)]
    done = subprocess.run(command, check=False, capture_output=True)
    try:
        yield None if done.returncode else place
    finally:
        if not done.returncode:
            subprocess.run(["umount", str(place)], check=False)
        place.rmdir()


def full(book: toy.Toy, folder: Path, left: int, disk: Path | None) -> tuple[int, list[str]]:
    """On root's small disk, or on one in a namespace of our own; not tried where there is none."""
    if disk is not None:
        return harm.mounted(book, disk, left)
    place = folder / "disk"
    place.mkdir(exist_ok=True)
    code = (
        "import json, sys; from pathlib import Path; from tests.torture import harm, toy\n"
        "root, tmp, place, left = sys.argv[1:]\n"
        "book = toy.Toy(Path(root), Path(tmp), json.load(sys.stdin))\n"
        "count, wrong = harm.mounted(book, Path(place), int(left))\n"
        "print(count, *wrong, sep='\\n')\n"
    )
    mount = f'mount -t tmpfs -o {SIZE} tmpfs "$0" && exec "$@"'
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(place)]
    words = [str(book.root), str(book.temporary), str(place), str(left)]
    command = [*inside, sys.executable, "-c", code, *words]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, input=json.dumps(book.reference)
    )
    if done.returncode:
        print(f"no small disk here: {done.stderr.strip()[-200:]}", file=sys.stderr)
        return 0, []
    count, *lines = done.stdout.splitlines()
    return int(count), lines


def table(found: Found, seed: int) -> str:
    """As CONTRIBUTING.md shows it."""
    shown = {
        name: (count or "**not tried**", f"**{len(wrong)} faults**" if wrong else count or "")
        for name, (count, wrong) in found.items()
    }
    rows = [f"| {name} | {count} | {survived} |" for name, (count, survived) in shown.items()]
    head = ["| what was tried | times | survived |", "|---|---:|---:|"]
    return "\n".join([f"Seed {seed}:", "", *head, *rows])


if __name__ == "__main__":
    main()
