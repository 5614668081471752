"""`make torture`: a toy book is hurt in many ways; nothing may be lost, and the next run completes.

As an unprivileged user: nothing is read-only for root. Prints what was tried and survived as the
table of CONTRIBUTING.md; exit code 1 if something did not.
"""

from __future__ import annotations

import argparse
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
WORDS = {
    "run": "SIGKILL in a run", "sweep": "SIGKILL in a run with a sweep",
    "build": "SIGKILL in a build", "record": "SIGKILL in a recorded run",
}  # fmt: skip
Found = dict[str, tuple[int, list[str]]]


def main() -> None:
    """All of it."""
    read = argparse.ArgumentParser(prog="make torture", description=__doc__)
    read.add_argument("--kills", type=int, default=100, help="SIGKILLs at random moments")
    read.add_argument("--seed", type=int, default=0, help="of those moments")
    read.add_argument("--only", default="", help="attempts whose name has this in it")
    read.add_argument("--small-disk", type=Path, help=argparse.SUPPRESS)
    given = read.parse_args()
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


def everything(folder: Path, given: argparse.Namespace) -> Found:
    """What was tried how often, and what went wrong."""
    book = toy.make(folder / "book", folder / "tmp")
    found: Found = {}
    trials = harm.attempts(book, folder)
    trials |= {"bad inputs, over all commands": lambda: inputs.tried(book)}
    disk = given.small_disk
    trials |= {f"a disk with {left} kB left": lambda left=left: full(book, folder, left, disk)
               for left in (0, 20, 400)}  # fmt: skip
    for name, attempt in trials.items():
        if given.only in name:
            start = time.monotonic()
            found[name] = attempt()
            print(
                f"{name}: {found[name][1] or 'whole'}, {time.monotonic() - start:.0f} s", flush=True
            )
    if given.only in "SIGKILL":
        ended = kills.several(book, given.kills, given.seed)
        found |= {WORDS[kind]: counted for kind, counted in ended.items()}
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
        "import sys; from pathlib import Path; from tests.torture import harm, toy\n"
        "root, tmp, place, left = sys.argv[1:]\n"
        "book = toy.Toy(Path(root), Path(tmp), toy.Toy(Path(root)).page())\n"
        "count, wrong = harm.mounted(book, Path(place), int(left))\n"
        "print(count, *wrong, sep='\\n')\n"
    )
    mount = f'mount -t tmpfs -o {SIZE} tmpfs "$0" && exec "$@"'
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(place)]
    words = [str(book.root), str(book.temporary), str(place), str(left)]
    command = [*inside, sys.executable, "-c", code, *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        print(f"no small disk here: {done.stderr.strip()[-200:]}", file=sys.stderr)
        return 0, []
    count, *lines = done.stdout.splitlines()
    return int(count), lines


def table(found: Found, seed: int) -> str:
    """As CONTRIBUTING.md shows it."""
    rows = [f"| {name} | {count} | {count if not wrong else f'**{len(wrong)} faults**'} |"
            for name, (count, wrong) in found.items()]  # fmt: skip
    head = ["| what was tried | times | survived |", "|---|---:|---:|"]
    return "\n".join([f"Seed {seed}:", "", *head, *rows])


if __name__ == "__main__":
    main()
